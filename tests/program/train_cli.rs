//! The commands around training: `degrade`, `model filters`, and what `train` refuses before it starts.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use crate::common;
use crate::common::desk::Desk;
use image::{DynamicImage, GrayImage, ImageBuffer, Luma, Rgb, RgbImage};
use srcnn_gpu::reference::resample::imresize;

fn run(folder: &Path, args: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_srcnn-gpu"));
    command.current_dir(folder).args(args.split_whitespace()).env("XDG_RUNTIME_DIR", folder);
    command.env_remove("SRCNN_GPU").env_remove("RUST_LOG").output().unwrap()
}

#[track_caller]
fn fails(folder: &Path, args: &str, code: i32, words: &[&str]) {
    let output = run(folder, args);
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(code), "{args}: {stderr}");
    let errors: Vec<&str> = stderr.lines().filter(|line| line.starts_with("error: ")).collect();
    assert_eq!(errors.len(), 1, "{args}: {stderr}");
    for word in words {
        assert!(errors[0].contains(word), "{args}: '{word}' is not in: {}", errors[0]);
    }
}

fn color(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| Rgb([(x * 5 + y) as u8, (y * 7) as u8, (x * y) as u8]))
}

/// Every sample of the result equals `imresize` of the cropped picture, rounded.
#[test]
fn degrade_is_imresize() {
    let folder = tempfile::tempdir().unwrap();
    let picture = color(31, 25);
    picture.save(folder.path().join("a.png")).unwrap();
    let output = run(folder.path(), "degrade a.png low.png -s 3");
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "low.png\n", "{:?}", output.stderr);
    let low = image::open(folder.path().join("low.png")).unwrap();
    let DynamicImage::ImageRgb8(low) = low else { panic!("{:?}", low.color()) };
    assert_eq!(low.dimensions(), (10, 8));
    for channel in 0..3 {
        let plane: Vec<f64> =
            (0..30 * 24).map(|i| f64::from(picture.get_pixel(i % 30, i / 30).0[channel])).collect();
        let (expected, ..) = imresize(&plane, 24, 30, 1.0 / 3.0).unwrap();
        let actual: Vec<u8> = low.pixels().map(|pixel| pixel.0[channel]).collect();
        assert_eq!(actual, expected.iter().map(|v| v.round() as u8).collect::<Vec<_>>());
    }
}

#[test]
fn degrade_folders_and_depths() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("in")).unwrap();
    let deep: ImageBuffer<Luma<u16>, Vec<u16>> =
        ImageBuffer::from_fn(20, 20, |x, y| Luma([(x * 3000 + y) as u16]));
    DynamicImage::from(deep).save(folder.path().join("in/deep.png")).unwrap();
    color(40, 40).save(folder.path().join("in/b.jpg")).unwrap();
    GrayImage::new(3, 30).save(folder.path().join("in/small.png")).unwrap();
    let output = run(folder.path(), "degrade in out -s 4 --degradation gaussian:1.2");
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(stderr.contains("small.png: 3x30 is smaller than the scale 4"), "{stderr}");
    let deep = image::open(folder.path().join("out/deep.png")).unwrap();
    assert!(matches!(&deep, DynamicImage::ImageLuma16(b) if b.dimensions() == (5, 5)), "{:?}", deep.color());
    // A ramp keeps its slope in the middle: samples lie at the centers of 4 pixels.
    assert!(deep.to_luma16().get_pixel(2, 2).0[0].abs_diff((9.5f64 * 3000.0 + 9.5) as u16) <= 1);
    assert!(folder.path().join("out/b.jpg").exists());
    fails(folder.path(), "degrade in/small.png x.png -s 4", 1, &["smaller than the scale"]);
    fails(folder.path(), "degrade in/b.jpg x.png -s 0", 2, &["--scale"]);
    fails(folder.path(), "degrade in/b.jpg x.png -s 2 --degradation box", 2, &["gaussian:SIGMA"]);
    fails(folder.path(), "degrade in/b.jpg no/x.png -s 2", 5, &["no"]);
}

#[test]
fn filters_as_a_sheet() {
    let folder = tempfile::tempdir().unwrap();
    let weights = common::network("5-1-3", "10-2", 1, srcnn_gpu::Padding::Replicate);
    fs::write(folder.path().join("m.safetensors"), weights.to_safetensors().unwrap()).unwrap();
    let output = run(folder.path(), "model filters m.safetensors -o f.png --zoom 3");
    assert_eq!(output.status.code(), Some(0), "{:?}", String::from_utf8(output.stderr));
    let sheet = image::open(folder.path().join("f.png")).unwrap();
    assert_eq!((sheet.width(), sheet.height()), (8 * 19 + 4, 2 * 19 + 4));
    fails(folder.path(), "model filters none -o f.png", 4, &["no such file"]);
    fails(folder.path(), "model filters m.safetensors -o no/f.png", 5, &["does not exist"]);
}

#[test]
fn train_refuses_before_it_starts() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("data")).unwrap();
    let at = |args: &str, code, words: &[&str]| fails(folder.path(), args, code, words);
    at("train data -s 3", 2, &["--output"]);
    // All at once.
    at("train", 2, &["--output <RUN>", "--scale <N>", "<DATA>"]);
    at("train data -o run", 2, &["--scale <N>"]);
    fs::write(folder.path().join("empty.toml"), "").unwrap();
    at("train data -o run --config empty.toml", 2, &["no scale"]);
    at("train -s 3 -o run --config empty.toml", 2, &["data: name a folder"]);
    at("train data -s 3 -o run", 1, &["no readable picture"]);
    at("train nowhere -s 3 -o run", 1, &["nowhere"]);
    at(
        "train data -s 3 -o run --arch 9-1",
        2,
        &["--arch 9-1 has 2 layers and needs --filters", "--filters 64"],
    );
    at("train data -s 3 -o run --arch 9-3-1-5", 2, &["--filters 64-32-32"]);
    at("train data -s 3 -o run --arch 9-2", 2, &["filter size 2"]);
    at("train data -s 3 -o run --lr 1,2", 2, &["learning_rates"]);
    at("train data -s 3 -o run --steps 5 --time 3m", 2, &["--time"]);
    at("train data -s 3 -o run --time soon", 2, &["not a time"]);
    at("train data -s 3 -o run --config none.toml", 2, &["none.toml"]);
    at("train --resume data", 2, &["not the folder of a run"]);
    at("train --resume data --batch 3", 2, &["--batch"]);
    fs::write(folder.path().join("c.toml"), "batsh = 3\n").unwrap();
    at("train data -s 3 -o run --config c.toml", 2, &["unknown field `batsh`"]);
    assert!(!folder.path().join("run").exists());
}

/// What is named wrongly is told at once: before all training pictures are looked through, and before the adapter is opened,
/// which is another line on stderr.
#[test]
fn names_are_checked_before_long_work() {
    let desk = Desk::new();
    fs::create_dir(desk.path("data")).unwrap();
    fs::create_dir(desk.path("empty")).unwrap();
    fs::create_dir(desk.path("taken")).unwrap();
    desk.save("data/a.png", color(48, 48));
    fs::write(desk.path("taken/config.toml"), "").unwrap();
    let train =
        |more: &str| desk.run(&format!("train data -s 2 --arch 3-1-3 --filters 4-4 --steps 1 {more}"));
    train("-o run --val nowhere").fails(1, &["nowhere"]);
    train("-o run --val data --val empty").fails(1, &["empty: no pictures in this folder"]);
    train("-o run --init nothing").fails(4, &["nothing"]);
    train("-o run --init small").fails(2, &["--init small"]);
    train("-o taken").fails(5, &["taken: a run is there already (config.toml)"]);
    train("-o data/a.png").fails(5, &["data/a.png", "it is a file"]);
    train("-o data/a.png/run").fails(5, &["data/a.png/run", "the folder cannot be created"]);
    assert!(!desk.exists("run"));
    // Results of this program among the pictures are told.
    desk.upscale("data").wrote(&["data/a_srcnn_x2.png"]);
    let run = train("-o run");
    let told =
        "data: results of this program among the training pictures: a_srcnn_x2.png: they are trained on too";
    assert!(run.code == Some(0) && run.stderr.contains(told), "{}", run.stderr);
    fs::remove_dir_all(desk.path("run")).unwrap();
    // A data folder without pictures shows that the pictures come last.
    desk.run("train empty -s 2 -o run --val nowhere").fails(1, &["nowhere"]);
    desk.run("train empty -s 2 -o taken").fails(5, &["taken"]);
}

/// Any weight file, small, large or a run can be the beginning; what does not fit is named.
#[test]
fn beginnings() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("data")).unwrap();
    color(48, 48).save(folder.path().join("data/a.png")).unwrap();
    let train = "train data -s 2 --batch 2 --steps 1";
    let small = "--arch 3-1-3 --filters 4-4 --patch 16";
    let succeeds = |args: &str| {
        let output = run(folder.path(), args);
        assert!(output.status.success(), "{args}: {}", String::from_utf8_lossy(&output.stderr));
    };
    succeeds(&format!("{train} {small} -o first"));
    succeeds(&format!("{train} {small} -o second --init first"));
    succeeds(&format!("{train} -o third --init small"));
    let at = |args: &str, code, words: &[&str]| {
        fails(folder.path(), &format!("{train} -o run {args}"), code, words)
    };
    at("--init photo", 2, &["--init photo", "filters of layer 2 are 5x5, larger than 1x1", "--arch 9-5-5"]);
    at("--init large", 2, &["it has 5 layers, more than 3", "--arch 9-5-5-5-5 --filters 64-32-32-32"]);
    at("--init small --channels rgb", 2, &["its channels are y, not rgb"]);
    at("--init first", 2, &["layer 1 has 4 filters, not 64", "--arch 3-1-3 --filters 4-4"]);
    at("--init data", 4, &["without best.safetensors"]);
    at("--init nothing", 4, &["small, large, photo and deblock"]);
    assert!(!folder.path().join("run").exists());
}

/// Folders whose names are not UTF-8: training, the record of it in `config.toml`, resuming.
#[cfg(unix)]
#[test]
fn paths_of_any_bytes() {
    use std::os::unix::ffi::OsStrExt;
    let desk = tempfile::tempdir().unwrap();
    let name = |bytes: &'static [u8]| std::ffi::OsStr::from_bytes(bytes);
    for folder in [&b"d\xe9"[..], b"v\xff"] {
        fs::create_dir(desk.path().join(name(folder))).unwrap();
        color(48, 48).save(desk.path().join(name(folder)).join("a.png")).unwrap();
        fs::copy(
            desk.path().join(name(folder)).join("a.png"),
            desk.path().join(name(folder)).join(name(b"\xe4.png")),
        )
        .unwrap();
    }
    let train = |words: &[&std::ffi::OsStr], more: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_srcnn-gpu"));
        command.current_dir(desk.path()).arg("train").args(words).args(more.split_whitespace());
        let output = command.env("XDG_RUNTIME_DIR", desk.path()).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    };
    let new = [name(b"d\xe9"), "--val".as_ref(), name(b"v\xff"), "-o".as_ref(), name(b"run\xe9")];
    train(&new, "-s 2 --arch 3-1-3 --filters 4-4 --batch 4 --patch 16 --steps 8");
    let config = fs::read_to_string(desk.path().join(name(b"run\xe9")).join("config.toml")).unwrap();
    assert!(config.contains(r"d\xe9") && config.contains(r"v\xff"), "{config}");
    train(&["--resume".as_ref(), name(b"run\xe9")], "--steps 12");
}
