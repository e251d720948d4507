//! Pictures that are not clean: `degrade`, `eval` and `train` with chains of steps, restoration at factor 1, and which network
//! JPEG files get.

use std::fs;

use image::codecs::jpeg::JpegEncoder;
use image::{DynamicImage, RgbImage};
use serde_json::Value;
use srcnn_gpu::{Layer, LayerShape, Metadata, Weights};

use crate::common::desk::{Desk, waves};

/// A network that adds `bias` to luminance, trained for these scales.
fn brighter(scales: &[f32], bias: f32) -> Vec<u8> {
    let shape = LayerShape { inputs: 1, filters: 1, size: 1 };
    let layer = |bias| Layer { shape, weight: vec![1.0], bias: vec![bias] };
    let metadata = Metadata { scales: scales.to_vec(), ..Metadata::default() };
    Weights::new(vec![layer(0.0), layer(bias)], metadata).unwrap().to_safetensors().unwrap()
}

fn desk() -> Desk {
    let desk = Desk::new();
    fs::create_dir(desk.path("set")).unwrap();
    desk.save("set/a.png", waves(48, 36));
    desk.save("set/grey.png", DynamicImage::from(waves(36, 48)).to_luma8());
    desk
}

fn jpeg(desk: &Desk, name: &str, quality: u8) {
    let mut file = fs::File::create(desk.path(name)).unwrap();
    JpegEncoder::new_with_quality(&mut file, quality).encode_image(&waves(24, 16)).unwrap();
}

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The pictures that `degrade` writes are those that `eval` measures: PSNR of the one is the baseline of the other.
#[test]
fn degrade_writes_what_eval_measures() {
    let desk = desk();
    for (scale, chain) in [(1, "noise:4,jpeg:20..60"), (1, "blur:0.5..1.5,webp:40@0.9")] {
        let run = desk
            .run(&format!("degrade set low{scale} -s {scale} --degradation {chain} --existing overwrite"));
        assert_eq!(run.code, Some(0), "{}", run.stderr);
        let run = desk.run(&format!("--quiet eval set -s {scale} -m bicubic --degradation {chain} --json"));
        assert_eq!(run.code, Some(0), "{}", run.stderr);
        let report: Value = serde_json::from_str(&run.stdout).unwrap();
        assert_eq!(
            (&report["sets"][0]["degradation"], &report["sets"][0]["shave"]),
            (&chain.into(), &0.into())
        );
        let compared = desk.run(&format!("--quiet compare set low{scale} --shave 0 --json"));
        assert_eq!(compared.code, Some(0), "{}", compared.stderr);
        let compared: Value = serde_json::from_str(&compared.stdout).unwrap();
        for i in 0..2 {
            let measured = report["sets"][0]["images"][i]["psnr"].as_f64().unwrap();
            let written = compared["images"][i]["psnr"].as_f64().unwrap();
            // The luminance of colors is rounded once more in files.
            assert!((measured - written).abs() < 0.05, "{chain}: {measured} {written}");
            assert!((15.0..50.0).contains(&measured), "{chain}: {measured}");
        }
    }
    // Twice the same, and other draws for another picture.
    let first = fs::read(desk.path("low1/a.png")).unwrap();
    desk.run("degrade set/a.png again.png -s 1 --degradation blur:0.5..1.5,webp:40@0.9")
        .wrote(&["again.png"]);
    assert!(fs::read(desk.path("again.png")).unwrap() == first);
}

#[test]
fn chains_that_make_no_sense() {
    let desk = desk();
    desk.run("degrade set/a.png x.png -s 2 --degradation jpeg:30").fails(2, &["'bicubic,jpeg:30'"]);
    desk.run("degrade set/a.png x.png -s 1").fails(2, &["x1 leaves pictures as they are", "--degradation"]);
    desk.run("eval set -s 3 --degradation noise:3").fails(2, &["say where the picture is shrunk"]);
    desk.run("eval set -s 1 -m m.safetensors").fails(2, &["leaves pictures as they are"]);
    desk.run("degrade set/a.png x.png -s 2 --degradation bicubic,jpg:30").fails_with(2, "the steps are");
    assert!(!desk.exists("x.png"));
}

/// Without a model, pictures that are not clean are measured with small and photo beside each other, at factor 1 with deblock.
#[test]
fn networks_beside_each_other() {
    let desk = desk();
    let run = desk.run("--quiet eval set -s 2 --degradation bicubic,jpeg:30 --json");
    let report: Value = serde_json::from_str(&run.stdout).unwrap();
    let names: Vec<_> = report["sets"].as_array().unwrap().iter().map(|set| &set["name"]).collect();
    assert_eq!(names, ["small", "photo"]);
    assert!(report["sets"][0]["images"][0]["published"].is_null());
    let run = desk.run("--quiet eval set -s 1 --degradation jpeg:10");
    assert!(run.stdout.contains("set x1, jpeg:10: deblock"), "{}", run.stdout);
    let header = run.stdout.lines().nth(1).unwrap();
    assert_eq!(header.split_whitespace().take(4).collect::<Vec<_>>(), ["image", "input", "SSIM", "network"]);
}

/// One run for several factors, with draws that change from epoch to epoch, says in its weights what they are for.
#[test]
fn trained_for_several_factors() {
    let desk = desk();
    let run = desk.run(
        "train set -s 2,3 --val set --arch 3-1-3 --filters 4-4 --patch 15 --batch 4 --steps 40 -o run --degradation \
         bicubic,noise:0..5,jpeg:40..90@0.8",
    );
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let info = desk.run("model info run --json");
    let info: Value = serde_json::from_str(&info.stdout).unwrap();
    assert_eq!(info["scales"], serde_json::json!([2.0, 3.0]));
    assert_eq!(info["degradation"], "bicubic,noise:0..5,jpeg:40..90@0.8");
    assert_eq!(info["psnr"].as_array().unwrap().len(), 2);
    desk.run("upscale set/a.png -m run -s 2.5 -o large.png").wrote(&["large.png"]);
    let config = fs::read_to_string(desk.path("run/config.toml")).unwrap();
    assert!(config.contains("scale = [\n    2,\n    3,\n]") || config.contains("scale = [2, 3]"), "{config}");
    desk.run("train set -s 1 -o other").fails_with(2, "x1 leaves pictures as they are");
    desk.run("train set -s 3 --degradation jpeg:50 -o other").fails_with(2, "'bicubic,jpeg:50'");
}

/// At factor 1 nothing is resampled: a network that passes luminance on returns the picture itself.
#[test]
fn restored_in_place() {
    let desk = desk();
    fs::write(desk.path("same.safetensors"), brighter(&[1.0], 0.0)).unwrap();
    for tile in ["", "-t 16"] {
        desk.run(&format!("upscale set/a.png -m same.safetensors -s 1 -o same.png {tile}"))
            .wrote(&["same.png"]);
        assert!(desk.open("same.png").into_rgb8() == waves(48, 36));
    }
    desk.run("upscale set/a.png -s 1").wrote(&["set/a_srcnn_x1.png"]);
    let made: RgbImage = desk.open("set/a_srcnn_x1.png").into_rgb8();
    assert!(made.dimensions() == (48, 36) && made != waves(48, 36));
    desk.upscale("set/a.png -s 1").fails_with(2, "deblock restores them at factor 1");
    desk.run("upscale set/a.png -m deblock -s 2").fails_with(2, "restores pictures at factor 1");
    desk.run("upscale set/a.png -s 0.9").fails_with(2, "a number from 1 to");
    desk.run("upscale set/a.png --width 48").fails_with(1, "--scale 1");
}

/// JPEG files of low quality get photo by themselves; it is told, and a model that is named counts alone.
#[test]
fn the_file_decides_on_the_network() {
    let desk = Desk::new();
    jpeg(&desk, "low.jpg", 40);
    jpeg(&desk, "high.jpg", 98);
    desk.save("png.png", waves(24, 16));
    let run = desk.run("-v upscale low.jpg high.jpg png.png -s 2 -o out --json");
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let events = lines(&run.stdout);
    let file = |name: &str| events.iter().find(|e| e["event"] == "file" && e["in"] == name).unwrap();
    assert_eq!(
        (&file("low.jpg")["network"], &file("low.jpg")["jpeg_quality"]),
        (&"photo".into(), &40.into())
    );
    assert_eq!(
        (&file("high.jpg")["network"], &file("high.jpg")["jpeg_quality"]),
        (&"small x2".into(), &98.into())
    );
    assert!(file("png.png")["network"] == "small x2" && file("png.png").get("jpeg_quality").is_none());
    assert!(run.stderr.contains("low.jpg: JPEG of a quality of about 40, network photo"), "{}", run.stderr);
    desk.run("upscale low.jpg -s 2 -m small -o small.png").wrote(&["small.png"]);
    desk.run("upscale low.jpg -s 2 -m photo -o photo.png").wrote(&["photo.png"]);
    desk.run("upscale low.jpg -s 2 -o auto.png").wrote(&["auto.png"]);
    assert!(
        desk.open("auto.png") == desk.open("photo.png") && desk.open("auto.png") != desk.open("small.png")
    );
    let plan = lines(&desk.run("upscale low.jpg -s 6 -o plan.png --dry-run --json").stdout);
    assert_eq!(plan[1]["network"], "photo");
}

/// What was a JPEG file once gets photo in any other file; pictures without its traces get none, even where photo is asked for.
#[test]
fn the_pixels_decide_on_the_network() {
    let desk = Desk::new();
    let clean = textured(160, 120);
    desk.save("clean.png", clean.clone());
    clean.save_with_format(desk.path("clean.bmp"), image::ImageFormat::Bmp).unwrap();
    let mut file = Vec::new();
    image::codecs::jpeg::JpegEncoder::new_with_quality(&mut file, 50).encode_image(&clean).unwrap();
    let was = image::load_from_memory(&file).unwrap().into_rgb8();
    desk.save("was.png", image::imageops::crop_imm(&was, 5, 3, 150, 110).to_image());
    let events = |arguments: &str| {
        let run = desk.run(&format!(
            "-v upscale clean.png was.png clean.bmp -s 2 --existing overwrite --json {arguments}"
        ));
        assert_eq!(run.code, Some(0), "{}", run.stderr);
        (lines(&run.stdout), run.stderr)
    };
    // What the last event about an input says.
    let network = |events: &[Value], name: &str| -> String {
        let i = &events.iter().find(|e| e["event"] == "file" && e["in"] == name).unwrap()["i"];
        let told = events.iter().rfind(|e| &e["i"] == i && e.get("network").is_some()).unwrap();
        told["network"].as_str().unwrap().into()
    };
    let (usual, log) = events("-o usual");
    assert_eq!(
        ["clean.png", "was.png", "clean.bmp"].map(|name| network(&usual, name)),
        ["small x2", "photo", "small x2"]
    );
    assert!(log.contains("was.png: its pixels have the traces of a JPEG file, network photo"), "{log}");
    let changed: Vec<_> = usual.iter().filter(|e| e["event"] == "network").collect();
    assert!(changed.len() == 1 && changed[0]["why"] == "traces of a JPEG file", "{changed:?}");
    let (photo, _) = events("-o photo -m photo");
    assert_eq!(
        ["clean.png", "was.png", "clean.bmp"].map(|name| network(&photo, name)),
        ["large x2", "photo", "large x2"]
    );
    desk.run("upscale clean.png -s 2 -m large -o large.png").wrote(&["large.png"]);
    desk.run("upscale was.png -s 2 -m small -o small.png").wrote(&["small.png"]);
    let same = |a: &str, b: &str| desk.open(a) == desk.open(b);
    assert!(same("photo/clean.png", "large.png") && same("usual/was.png", "photo/was.png"));
    assert!(!same("usual/was.png", "small.png"));
    // A file is taken at its word, and so is a name where the file's own losses are of another kind.
    let file = desk.run("upscale was.png -s 2 -m small -m photo -o both.png");
    file.wrote(&["both.png"]);
    assert!(same("both.png", "photo/was.png"));
    clean.save_with_format(desk.path("clean.webp"), image::ImageFormat::WebP).unwrap();
    let run = desk.run("upscale clean.webp -s 2 -m photo -o webp.png --json");
    assert!(lines(&run.stdout).iter().all(|e| e["event"] != "network"), "{}", run.stdout);
    // As eval measures it.
    let average = |model: &str, chain: &str| {
        let run = desk.run(&format!("--quiet eval clean.png -s 2 -m {model} --degradation {chain} --json"));
        serde_json::from_str::<Value>(&run.stdout).unwrap()["sets"][0]["average"]["psnr"].as_f64().unwrap()
    };
    assert!((average("photo", "bicubic") - average("large", "bicubic")).abs() < 1e-9);
    assert!((average("photo", "bicubic,jpeg:40") - average("large", "bicubic,jpeg:40")).abs() > 0.05);
}

/// Waves of many lengths, edges and a little noise.
fn textured(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| {
        let [u, v] = [x, y].map(f64::from);
        let waves = (u * 0.9 + v * 0.3).sin() * 25.0 + ((u * u + v * v) / 150.0).sin() * 30.0;
        let edge = if (u * 0.7 + v).rem_euclid(37.0) < 11.0 { 50.0 } else { 0.0 };
        let noise = f64::from((x * 7919 + y * 104_729).wrapping_mul(2_654_435_761) >> 24) / 16.0;
        let value = 90.0 + waves + edge + noise;
        image::Rgb(
            [value, value * 0.8 + 20.0, 200.0 - value * 0.6].map(|value| value.clamp(0.0, 255.0) as u8),
        )
    })
}
