//! The window on an adapter in software, driven as a user would: drop, look, slide, save.
//!
//! `SRCNN_PROGRAM` names the program whose results saved ones are compared with; `SRCNN_SCREENSHOTS` a folder for screenshots.

mod host;

use std::path::{Path, PathBuf};

use eframe::egui::{Key, pos2};
use egui_kittest::kittest::Queryable;
use host::{Window, picture};
use image::RgbaImage;
use srcnn_gpu::headless::{AdapterSelection, Headless, HeadlessOptions, open};
use srcnn_gpu::{Shipped, Weights};
use srcnn_window::queue::State;

/// What `upscale` makes of a picture, as bytes of 8 bits.
fn enlarged(path: &Path, weights: &Weights, scale: f64) -> RgbaImage {
    let gpu = open(&AdapterSelection::default()).unwrap();
    let mut network = Headless::new(gpu, weights, HeadlessOptions::default()).unwrap();
    let picture = image::open(path).unwrap();
    network.upscale(&picture, scale, &mut |_, _| ()).unwrap().to_rgba8()
}

/// Asserts that a part of the screen shows a part of a picture, up to a step of a byte, which devices may round either way.
#[track_caller]
fn assert_shows(screen: &RgbaImage, picture: &RgbaImage, [x, y]: [i64; 2], part: [u32; 4]) {
    let [left, right, top, bottom] = part;
    let (mut off, mut least, mut most) = (0, 255, 0);
    for row in top..bottom {
        for column in left..right {
            let shown = screen.get_pixel(column, row).0;
            let at = [i64::from(column) - x, i64::from(row) - y].map(|at| at as u32);
            let expected = picture.get_pixel(at[0], at[1]).0;
            let step = (0..3).map(|channel| shown[channel].abs_diff(expected[channel])).max().unwrap();
            assert!(step <= 1, "at {column}, {row}: {shown:?} instead of {expected:?}");
            off += usize::from(step > 0);
            (least, most) = (expected[1].min(least), expected[1].max(most));
        }
    }
    let all = ((right - left) * (bottom - top)) as usize;
    assert!(off * 50 < all, "{off} of {all} pixels differ by a step");
    assert!(most - least > 50, "nothing could be seen there");
}

#[test]
fn dropped_pictures_are_shown_divided_and_saved() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a b.png");
    picture(420, 300).save(&path).unwrap();
    let mut window = Window::new((1000.0, 700.0));
    window.shot("empty");
    window.drop(&[&path]);
    window.settle();
    window.shot("fitting");
    assert_eq!(window.app().queue.entries().len(), 1);

    // Each pixel of the result is one of the screen: 840x600, in the middle of what is right of the panel.
    window.key(Key::Num1);
    window.settle();
    let screen = window.shot("pixels");
    let area = window.node("Picture");
    let origin = [
        (f64::from(area.center().x) - 420.0).round() as i64,
        (f64::from(area.center().y) - 300.0).round() as i64,
    ];
    let weights = Shipped::Small.nearest(2.0).unwrap();
    let (network, divider) = (enlarged(&path, &weights, 2.0), window.node("Divider 1").center().x as u32);
    let bicubic = matlab(&image::open(&path).unwrap().to_rgba8(), 840, 600);
    let middle = area.center().y as u32;
    let [left, right] = [area.left() as u32 + 30, area.right() as u32 - 30];
    assert_shows(&screen, &bicubic, origin, [left, divider - 14, middle - 200, middle - 50]);
    assert_shows(&screen, &network, origin, [divider + 14, right, middle - 200, middle - 50]);

    // The divider is dragged to the right: bicubic is where the network was.
    let grip = window.node("Divider 1").center();
    window.drag(grip, pos2(grip.x + 150.0, grip.y));
    window.settle();
    let screen = window.shot("divided");
    let moved = window.node("Divider 1").center().x as u32;
    assert_eq!(moved, divider + 150);
    assert_shows(&screen, &bicubic, origin, [divider + 14, moved - 14, middle - 200, middle - 50]);

    window.click("Save 1 picture");
    window.settle();
    window.shot("saved");
    let output = folder.path().join("a b_srcnn_x2.png");
    let entry = &window.app().queue.entries()[0];
    assert_eq!(
        entry.state,
        State::Done(output.clone(), (840, 600)),
        "{:?}",
        window.app().messages().newest()
    );
    compare_with_program(&path, &[], &output);
}

/// MATLAB's bicubic enlargement of a picture, as bytes.
fn matlab(source: &RgbaImage, width: u32, height: u32) -> RgbaImage {
    use srcnn_gpu::resample::Imresize;
    let (w, h) = (source.width() as usize, source.height() as usize);
    let resize = Imresize::to(h, w, height as usize, width as usize).unwrap();
    let channels: Vec<Vec<f64>> = (0..3)
        .map(|channel| {
            let plane: Vec<f64> = source.pixels().map(|pixel| f64::from(pixel.0[channel]) / 255.0).collect();
            resize.apply(&plane, |value| value).unwrap()
        })
        .collect();
    RgbaImage::from_fn(width, height, |x, y| {
        let at = (y * width + x) as usize;
        let byte = |channel: usize| (channels[channel][at].clamp(0.0, 1.0) * 255.0).round() as u8;
        image::Rgba([byte(0), byte(1), byte(2), 255])
    })
}

/// Compares a saved file with that of the program, byte for byte.
fn compare_with_program(input: &Path, arguments: &[&str], saved: &Path) {
    let Some(program) =
        std::env::var_os("SRCNN_PROGRAM").map(PathBuf::from).filter(|program| program.is_file())
    else {
        println!("SKIPPED: the comparison with the program, for the lack of SRCNN_PROGRAM");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("result").with_extension(saved.extension().unwrap());
    let run = std::process::Command::new(program)
        .arg("upscale")
        .arg(input)
        .arg("-o")
        .arg(&output)
        .args(arguments)
        .output();
    let run = run.unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    let [mine, theirs] = [saved, &output].map(|path| std::fs::read(path).unwrap());
    assert!(mine == theirs, "{} differs from what the program writes", saved.display());
    assert_ne!(mine, std::fs::read(input).unwrap());
}

#[test]
fn folders_and_lists_go_to_a_folder_as_jpeg() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    std::fs::create_dir_all(at("in/deep")).unwrap();
    let shapes = [("in/a.png", 60, 40), ("in/deep/b.png", 40, 60), ("listed.png", 30, 30)];
    for (name, width, height) in shapes {
        picture(width, height).save(at(name)).unwrap();
    }
    std::fs::write(at("list.txt"), format!("{}\n", at("listed.png").display())).unwrap();
    let mut window = Window::new((800.0, 600.0));
    window.drop(&[&at("in"), &at("list.txt")]);
    window.settle();
    assert_eq!(window.app().queue.entries().len(), 3, "{:?}", window.app().messages().newest());
    {
        let settings = &mut window.app_mut().settings;
        (settings.factor, settings.format, settings.quality) = (3.0, Some("jpg"), Some(80));
        settings.folder = Some(at("out"));
    }
    window.settle();
    window.shot("small");
    window.click("Save 3 pictures");
    window.settle();
    for (name, output) in
        [("in/a.png", "a.jpg"), ("in/deep/b.png", "deep/b.jpg"), ("listed.png", "listed.jpg")]
    {
        compare_with_program(&at(name), &["-s", "3", "-q", "80"], &at("out").join(output));
        assert!(at("out").join(output).is_file(), "{output}: {:?}", window.app().messages().newest());
    }
}

#[test]
fn work_is_paused_and_cancelled() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.png");
    picture(1200, 900).save(&path).unwrap();
    let mut window = Window::new((800.0, 600.0));
    window.drop(&[&path]);
    window.settle();
    window.click("Save 1 picture");
    let share = |window: &Window| match window.app().queue.entries()[0].state {
        State::Computing(share) => share,
        _ => -1.0,
    };
    window.until(|window| share(window) > 0.0);
    window.click("Pause");
    // The step that was being computed comes to its end.
    window.wait(1500);
    let paused = share(&window);
    window.wait(1500);
    assert!(paused > 0.0 && share(&window) == paused, "{paused} became {}", share(&window));
    window.shot("paused");
    window.click("Go on");
    window.until(|window| share(window) > paused);
    window.click("Cancel");
    window.until(|window| !window.app().queue.is_running());
    assert_eq!(window.app().queue.entries()[0].state, State::Cancelled);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "something was written");
    // Once more, to the end.
    window.click("Again");
    assert_eq!(window.app().queue.waiting(), 1);
}

#[test]
fn errors_are_told_in_words() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("broken.png");
    std::fs::write(&path, "no picture").unwrap();
    let mut window = Window::new((800.0, 600.0));
    window.drop(&[&path]);
    window.settle();
    window.step(3);
    window.shot("error");
    assert!(
        window.harness.query_by_label_contains("broken.png: ").is_some(),
        "{:?}",
        window.app().messages().newest()
    );
    window.key(Key::Escape);
    window.app_mut().settings.network = srcnn_window::settings::Network::File("none.pth".into());
    let good = folder.path().join("good.png");
    picture(64, 48).save(&good).unwrap();
    window.drop(&[&good]);
    window.settle();
    window.app_mut().settings.factor = 3.0;
    window.settle();
    window.shot("no_network");
}

#[test]
fn large_screens_light_and_a_second_network() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.png");
    picture(1500, 900).save(&path).unwrap();
    let mut window = Window::new((1920.0, 1080.0));
    window.harness.set_pixels_per_point(2.0);
    window.drop(&[&path]);
    window.settle();
    window.app_mut().settings.second = Some(srcnn_window::settings::Network::Shipped(Shipped::Photo));
    window.key(Key::F10);
    window.settle();
    let area = window.node("Picture");
    let [first, second] = ["Divider 1", "Divider 2"].map(|name| window.node(name));
    assert!(area.contains_rect(first) && first.center().x < second.center().x);
    window.shot("light_4k");
    window.key(Key::F1);
    window.settle();
    window.shot("keys");
    window.key(Key::Escape);
    // What is not seen any more gives its memory back.
    let held = window.app().view.as_ref().unwrap().device_bytes();
    window.click("Clear");
    window.settle();
    let view = window.app().view.as_ref().unwrap();
    assert!(view.device_bytes() < held / 10, "{} of {held} bytes are held", view.device_bytes());
}
