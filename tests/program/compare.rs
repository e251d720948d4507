//! `srcnn-gpu compare` as a program: figures, matching folders, output formats, exit codes.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use image::{DynamicImage, Rgb, RgbImage};
use srcnn_gpu::{Layer, LayerShape, Metadata, Weights};

fn program(folder: &Path, args: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_srcnn-gpu"));
    command.current_dir(folder).args(args.split_whitespace()).env_remove("RUST_LOG");
    command.output().unwrap()
}

/// Exit code, stdout and stderr.
fn run(folder: &Path, args: &str) -> (i32, String, String) {
    let output = program(folder, args);
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

fn json(folder: &Path, args: &str) -> serde_json::Value {
    let (code, stdout, stderr) = run(folder, &format!("{args} --json"));
    assert_eq!((code, stderr.as_str()), (0, ""), "{args}");
    serde_json::from_str(&stdout).unwrap()
}

/// A picture with edges, with `noise` added to it.
fn picture(width: u32, height: u32, noise: u32) -> DynamicImage {
    RgbImage::from_fn(width, height, |x, y| {
        let v = |a: u32, b: u32| {
            let spot = (x / 6 + y / 5) % 3 * 60 + (x * a + y * b) % 70;
            (spot + (x * 7 + y * 11 + a) % (noise + 1)).min(255) as u8
        };
        Rgb([v(1, 2), v(3, 1), v(2, 5)])
    })
    .into()
}

fn save(folder: &Path, name: &str, picture: &DynamicImage) -> PathBuf {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    picture.save(&path).unwrap();
    path
}

/// The weight file of a network that passes luminance through.
fn identity() -> Vec<u8> {
    let layer =
        Layer { shape: LayerShape { inputs: 1, filters: 1, size: 1 }, weight: vec![1.0], bias: vec![0.0] };
    let metadata = Metadata { scales: vec![2.0], ..Metadata::default() };
    Weights::new(vec![layer.clone(), layer], metadata).unwrap().to_safetensors().unwrap()
}

/// The same figures, bit for bit, as `eval` gives for the pictures that it saves.
#[test]
fn agrees_with_eval() {
    let desk = tempfile::tempdir().unwrap();
    let folder = desk.path();
    for (name, size) in [("a.png", (41, 33)), ("b.bmp", (36, 30))] {
        save(&folder.join("set"), name, &picture(size.0, size.1, 0));
    }
    fs::write(folder.join("m.safetensors"), identity()).unwrap();
    fs::create_dir(folder.join("out")).unwrap();
    let eval = json(folder, "--quiet eval -m m.safetensors -s 2 --save out set");
    for (suffix, psnr, ssim) in [("srcnn", "psnr", "ssim"), ("bicubic", "psnr_bicubic", "ssim_bicubic")] {
        let found = json(folder, &format!("--quiet compare set out -s 2 --suffix _x2_{suffix}"));
        assert_eq!((&found["protocol"], &found["shave"]), (&"srcnn".into(), &2.into()));
        let (images, measured) = (found["images"].as_array().unwrap(), &eval["sets"][0]["images"]);
        assert_eq!(images.len(), 2);
        for (i, image) in images.iter().enumerate() {
            assert_eq!(
                (&image["psnr"], &image["ssim"]),
                (&measured[i][psnr], &measured[i][ssim]),
                "{suffix}"
            );
        }
        assert_eq!(found["average"]["psnr"], eval["sets"][0]["average"][psnr]);
    }
}

/// Color figures agree with those of another program.
#[test]
fn agrees_with_imagemagick() {
    if Command::new("compare").arg("-version").output().is_err() {
        println!("SKIPPED: ImageMagick's compare is not installed");
        return;
    }
    let desk = tempfile::tempdir().unwrap();
    save(desk.path(), "a.png", &picture(50, 40, 0));
    save(desk.path(), "b.png", &picture(50, 40, 9));
    let found = json(desk.path(), "compare a.png b.png --protocol rgb");
    let output = Command::new("compare")
        .args(["-metric", "PSNR", "a.png", "b.png", "null:"])
        .current_dir(desk.path())
        .output()
        .unwrap();
    // A number and, from version 7 on, a normalized one in brackets.
    let told = String::from_utf8(output.stderr).unwrap();
    let theirs: f64 = told.split_whitespace().next().unwrap().parse().unwrap();
    let ours = found["images"][0]["psnr"].as_f64().unwrap();
    // ImageMagick prints six digits.
    assert!((ours - theirs).abs() < 2e-4 && ours > 20.0, "{ours} {theirs}");
}

#[test]
fn output_formats() {
    let desk = tempfile::tempdir().unwrap();
    let folder = desk.path();
    save(folder, "a/one.png", &picture(30, 20, 0));
    save(folder, "a/two.png", &picture(20, 30, 0));
    save(folder, "b/one.bmp", &picture(30, 20, 3));
    save(folder, "b/two.png", &picture(20, 30, 0));
    let (code, plain, _) = run(folder, "compare a b");
    let lines: Vec<Vec<&str>> = plain.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!((code, lines.len()), (0, 5), "{plain}");
    assert!(plain.starts_with("b against a, protocol srcnn, shave 0\n"));
    assert_eq!((lines[1].as_slice(), lines[2][0]), (&["image", "PSNR", "SSIM"][..], "one.png"));
    assert_eq!((lines[3].as_slice(), lines[4][0]), (&["two.png", "inf", "1.0000"][..], "average"));

    let (_, csv, _) = run(folder, "compare a b --csv");
    let rows: Vec<&str> = csv.lines().collect();
    assert_eq!((rows.len(), rows[0]), (3, "image,psnr,ssim"), "{csv}");
    let psnr: f64 = rows[1].split(',').nth(1).unwrap().parse().unwrap();
    assert_eq!(format!("{psnr:.2}"), lines[2][1]);
    assert!(rows[2].starts_with("two.png,inf,"));

    let (_, markdown, _) = run(folder, "compare a b --markdown");
    assert!(markdown.contains("|---|---:|---:|\n") && markdown.contains("| two.png | inf | 1.0000 |"));

    let value = json(folder, "compare a/one.png b/one.bmp --protocol rgb --shave 2");
    assert_eq!((&value["protocol"], &value["shave"]), (&"rgb".into(), &2.into()));
    assert_eq!(value["images"].as_array().unwrap().len(), 1);
    assert!(json(folder, "compare a/two.png b/two.png")["images"][0]["psnr"].is_null());
}

#[test]
fn failures_do_not_stop_the_others() {
    let desk = tempfile::tempdir().unwrap();
    let folder = desk.path();
    for name in ["good", "small", "broken", "missing"] {
        save(folder, &format!("a/{name}.png"), &picture(30, 20, 0));
    }
    save(folder, "a/twice.png", &picture(30, 20, 0));
    save(folder, "b/good.png", &picture(30, 20, 4));
    save(folder, "b/small.png", &picture(29, 20, 4));
    save(folder, "b/more.png", &picture(29, 20, 4));
    save(folder, "b/twice.bmp", &picture(30, 20, 4));
    save(folder, "b/twice.tif", &picture(30, 20, 4));
    fs::write(folder.join("b/broken.png"), b"nothing").unwrap();
    let (code, stdout, stderr) = run(folder, "compare a b --csv");
    assert_eq!((code, stdout.lines().count()), (1, 2), "{stdout}{stderr}");
    let told = |words: [&str; 2]| {
        let found = stderr.lines().any(|line| words.iter().all(|word| line.contains(word)));
        assert!(found, "no line with {words:?}: {stderr}");
    };
    told(["error: ", "small.png: sizes differ: 30x20 and 29x20"]);
    told(["error: ", "broken.png: not a readable picture"]);
    told(["error: a", "missing.png: no picture 'missing' in b"]);
    told(["error: a", "twice.png: several pictures 'twice' in b"]);
    told(["warning: b", "more"]);
    assert_eq!(stderr.lines().count(), 5, "{stderr}");
    // What both have in common is cut to multiples of 4.
    assert_eq!(run(folder, "compare a/small.png b/small.png -s 2 --shave 0").0, 1);
    assert_eq!(run(folder, "compare a/small.png b/small.png -s 4 --shave 0").0, 0);
}

#[test]
fn usage() {
    let desk = tempfile::tempdir().unwrap();
    let folder = desk.path();
    save(folder, "a/one.png", &picture(12, 12, 0));
    for (args, code, words) in [
        ("compare a", 2, "<B>"),
        ("compare a a/one.png", 2, "a is a folder and a/one.png is not"),
        ("compare a a --protocol psnr", 2, "srcnn, ntire or rgb"),
        ("compare a a --protocol ntire", 2, "needs a scale"),
        ("compare a a -s 0", 2, "scale"),
        ("compare a a --json --csv", 2, "--csv"),
        ("compare a/one.png a/two.png", 1, "a/two.png"),
        ("compare a/one.png a/one.png --shave 6", 1, "too small"),
    ] {
        let (found, stdout, stderr) = run(folder, args);
        assert_eq!((found, stdout.as_str()), (code, ""), "{args}: {stderr}");
        assert!(stderr.contains(words) && stderr.lines().count() == 1, "{args}: {stderr}");
    }
}
