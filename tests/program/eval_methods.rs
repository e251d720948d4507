//! Several methods in one table of `eval`, networks of colors, and what is created for results.

use std::fs;

use crate::common::desk::{Desk, identity, waves};
use image::{DynamicImage, Rgb, RgbImage};
use srcnn_gpu::{Channels, Layer, LayerShape, Metadata, Weights};

/// A desk with pictures in `set`, and weight files of one name in two folders.
fn desk() -> Desk {
    let desk = Desk::new();
    for folder in ["set", "a", "b"] {
        fs::create_dir(desk.path(folder)).unwrap();
    }
    desk.save("set/one.png", DynamicImage::from(waves(24, 20)).to_luma8());
    desk.save("set/two.png", waves(26, 22));
    fs::write(desk.path("a/net.safetensors"), identity(2.0)).unwrap();
    fs::write(desk.path("b/net.safetensors"), identity(2.0)).unwrap();
    desk
}

/// The weight file of a network that passes red, green and blue through.
fn rgb() -> Vec<u8> {
    let shape = LayerShape { inputs: 3, filters: 3, size: 1 };
    let weight = (0..9).map(|i| if i % 4 == 0 { 1.0 } else { 0.0 }).collect();
    let layer = Layer { shape, weight, bias: vec![0.0; 3] };
    let metadata = Metadata { scales: vec![2.0], channels: Channels::Rgb, ..Metadata::default() };
    Weights::new(vec![layer.clone(), layer], metadata).unwrap().to_safetensors().unwrap()
}

fn json(text: &str) -> serde_json::Value {
    serde_json::from_str(text).unwrap()
}

#[test]
fn a_column_each() {
    let desk = desk();
    let models = "-m a/net.safetensors -m b/net.safetensors -m small -m bicubic";
    let run = |form: &str| {
        let run = desk.run(&format!("--quiet eval set -s 2 {models} {form}"));
        assert_eq!(run.code, Some(0), "{}", run.stderr);
        run.stdout
    };
    let text = run("--html report/page.html --save out/pictures");
    let header: Vec<&str> = text.lines().nth(4).unwrap().split_whitespace().collect();
    let columns =
        |name| ["SSIM", "gain", "ms"].into_iter().fold(vec![name], |all, one| [all, vec![one]].concat());
    let expected: Vec<&str> = ["a/net.safetensors", "b/net.safetensors", "small"].map(columns).concat();
    assert_eq!(header, [vec!["image", "bicubic", "SSIM"], expected].concat(), "{text}");
    assert!(text.contains("  small: small x2, 9-1-5 64-32, padding replicate"), "{text}");
    let cells: Vec<&str> = text.lines().nth(5).unwrap().split_whitespace().collect();
    // Twice the same network, and another one.
    assert_eq!((cells[3], cells[4]), (cells[7], cells[8]), "{text}");
    assert_ne!(cells[3], cells[11], "{text}");
    let page = fs::read_to_string(desk.path("report/page.html")).unwrap();
    for name in ["a/net.safetensors", "b/net.safetensors", "small"] {
        assert!(page.contains(&format!("<th colspan=\"4\" class=\"first\">{name}</th>")), "{name}");
        assert!(page.contains(&format!("data-title=\"{name}\"")), "{name}");
    }
    let saved = desk.names("out/pictures");
    for method in ["bicubic", "a-net.safetensors", "b-net.safetensors", "small"] {
        assert!(saved.contains(&format!("one_x2_{method}.png")), "{saved:?}");
    }

    let csv = run("--csv");
    let header = csv.lines().next().unwrap();
    for column in ["psnr_bicubic", "psnr_a/net.safetensors", "psnr_b/net.safetensors", "wall_ms_small"] {
        assert!(header.split(',').any(|one| one == column), "{header}");
    }
    let widths: Vec<usize> = csv.lines().map(|line| line.split(',').count()).collect();
    assert!(widths == [18; 3], "{csv}");
    let markdown = run("--markdown");
    assert!(markdown.contains("| a/net.safetensors | SSIM | gain | ms | b/net.safetensors |"), "{markdown}");
    let sets = json(&run("--json"))["sets"].as_array().unwrap().clone();
    let names: Vec<&str> = sets.iter().map(|set| set["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["a/net.safetensors", "b/net.safetensors", "small", "bicubic"]);
    let psnr = |set: usize, key: &str| sets[set]["average"][key].as_f64().unwrap();
    assert_eq!(psnr(3, "psnr"), psnr(2, "psnr_bicubic"));
    assert_eq!(sets[2]["architecture"], "9-1-5 64-32");
}

/// The second of two networks for one scale used to be dropped, and the first one measured twice.
#[test]
fn small_and_large() {
    let desk = desk();
    let run = desk.run("--quiet eval set/one.png -s 3 -m small -m large --json");
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let sets = json(&run.stdout)["sets"].as_array().unwrap().clone();
    assert_eq!((&sets[0]["model"], &sets[1]["model"]), (&"small x3".into(), &"large x3".into()));
    assert_ne!(sets[0]["average"]["psnr"], sets[1]["average"]["psnr"]);
    // A picture is a set of one.
    assert_eq!((&sets[0]["set"], sets[0]["images"].as_array().unwrap().len()), (&"one".into(), 1));
    // Each where it belongs; none is silently left out.
    fs::write(desk.path("x3.safetensors"), identity(3.0)).unwrap();
    let run = desk.run("--quiet eval set -m m.safetensors -m x3.safetensors --csv");
    let models: Vec<&str> = run.stdout.lines().skip(1).map(|line| line.split(',').nth(9).unwrap()).collect();
    assert_eq!(models, ["m.safetensors", "m.safetensors", "x3.safetensors", "x3.safetensors"]);
    let run = desk.run("eval set -m m.safetensors -m x3.safetensors -s 2");
    assert!(run.stderr.contains("x3 was trained for other scales and is not measured"), "{}", run.stderr);
}

#[test]
fn bicubic_needs_no_adapter() {
    let desk = desk();
    let run = desk.run("eval set -m bicubic -s 2 --gpu no-such-adapter --csv");
    assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""));
    let rows: Vec<Vec<&str>> = run.stdout.lines().skip(1).map(|line| line.split(',').collect()).collect();
    assert!(
        rows.len() == 2 && rows.iter().all(|row| row[3] == row[5] && row[9] == "bicubic"),
        "{}",
        run.stdout
    );
    desk.run("eval set -m bicubic").fails(2, &["bicubic does not say which scale", "--scale"]);
}

/// Networks of red, green and blue: the figures are those of `compare --protocol rgb` between the originals and what is
/// saved, in a table of their own.
#[test]
fn colors_are_measured_as_colors() {
    let desk = desk();
    fs::write(desk.path("rgb.safetensors"), rgb()).unwrap();
    fs::remove_file(desk.path("set/one.png")).unwrap();
    let run = desk.run("--quiet eval set -m rgb.safetensors --save out --json");
    let report = json(&run.stdout);
    let set = &report["sets"][0];
    assert_eq!(set["samples"], "rgb", "{}", run.stderr);
    for (key, method) in [("psnr", "srcnn"), ("psnr_bicubic", "bicubic")] {
        let compare = format!("compare set/two.png out/two_x2_{method}.png --protocol rgb --shave 2 --json");
        let compared = json(&desk.run(&compare).stdout);
        let (a, b) =
            (set["images"][0][key].as_f64().unwrap(), compared["images"][0]["psnr"].as_f64().unwrap());
        assert!((a - b).abs() < 1e-9, "{method}: {a} {b}");
    }
    let text = desk.run("--quiet eval set -m rgb.safetensors -m m.safetensors -m bicubic").stdout;
    assert!(text.contains("protocol srcnn (RGB, shave 2)"), "{text}");
    assert!(text.contains("protocol srcnn (luminance, shave 2)"), "{text}");
    assert!(!text.contains("RGB") || !text.contains("published"), "{text}");
    let page = desk.run("--quiet eval set -m rgb.safetensors --html page.html");
    assert_eq!(page.code, Some(0), "{}", page.stderr);
    assert!(fs::read_to_string(desk.path("page.html")).unwrap().contains("PSNR in dB and SSIM of RGB"));
}

/// Pictures that no format makes small: the page stays below 10 MB, its crops exact.
#[test]
fn pages_stay_small() {
    let desk = Desk::new();
    fs::create_dir(desk.path("noise")).unwrap();
    let mut state = 7u32;
    let mut noise = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    for name in 0..5 {
        let picture = RgbImage::from_fn(420, 400, |_, _| Rgb([noise(), noise(), noise()]));
        desk.save(&format!("noise/{name}.png"), picture);
    }
    let run = desk.run("--quiet eval noise -m bicubic -s 2,3,4 --html page.html");
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let page = fs::read_to_string(desk.path("page.html")).unwrap();
    assert!((3_000_000..10_000_000).contains(&page.len()), "{} bytes", page.len());
    assert_eq!(page.matches("src=\"data:image/jpeg;base64,").count(), 5 * 3 * 2);
    assert_eq!(page.matches("enlarged\" src=\"data:image/png;base64,").count(), 5 * 3 * 2);
    assert!(page.contains("Large views as JPEG of quality"));
}
