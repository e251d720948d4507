//! `srcnn-gpu model`: converting and describing weight files, and what it refuses.

use std::process::{Command, Output};

use crate::common::mat::small_mat;
use srcnn_gpu::Weights;

fn model(arguments: &[&str], folder: &tempfile::TempDir) -> Output {
    Command::new(env!("CARGO_BIN_EXE_srcnn-gpu"))
        .arg("model")
        .args(arguments)
        .current_dir(folder)
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.into()).unwrap()
}

#[test]
fn convert_and_info() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("small_x3.mat"), small_mat()).unwrap();
    let done = model(&["convert", "small_x3.mat", "a.safetensors"], &folder);
    assert!(done.status.success(), "{}", text(&done.stderr));
    assert_eq!(text(&done.stdout), "a.safetensors: 3-3-5 4-2, channels y, padding replicate\n");
    let written = std::fs::read(folder.path().join("a.safetensors")).unwrap();
    assert_eq!(Weights::from_bytes(&written).unwrap().metadata.scales, [3.0]);

    let arguments = ["convert", "small_x3.mat", "a.safetensors", "--scale", "2,3", "--scale", "4"];
    let more = ["--padding", "zero", "--training", "by nobody"];
    let arguments = [arguments.as_slice(), &more].concat();
    let refused = model(&arguments, &folder);
    assert_eq!(refused.status.code(), Some(5));
    assert!(text(&refused.stderr).contains("exists already"));
    assert_eq!(std::fs::read(folder.path().join("a.safetensors")).unwrap(), written);
    let done = model(&[&arguments, ["--existing", "overwrite"].as_slice()].concat(), &folder);
    assert!(done.status.success(), "{}", text(&done.stderr));

    let info = model(&["info", "a.safetensors"], &folder);
    let info = text(&info.stdout);
    for line in ["scales            2, 3, 4", "padding           zero", "training          by nobody"] {
        assert!(info.lines().any(|l| l == line), "{info}\n  lacks: {line}");
    }
    let info = model(&["info", "--json", "a.safetensors"], &folder);
    let json: serde_json::Value = serde_json::from_slice(&info.stdout).unwrap();
    assert_eq!(json["architecture"], "3-3-5");
    assert_eq!(json["parameters"], 36 + 4 + 72 + 2 + 50 + 1);
    assert_eq!(json["receptive_radius"], 4);
    assert_eq!(json["multiply_adds_per_pixel"], 36 + 72 + 50);
    assert_eq!(json["scales"], serde_json::json!([2.0, 3.0, 4.0]));
    let tensor = &json["tensors"][3];
    assert_eq!(tensor["name"], "conv2.bias");
    assert_eq!([&tensor["min"], &tensor["max"], &tensor["mean"]], [4.0, 5.0, 4.5]);
}

#[test]
fn errors_have_one_line_and_a_code() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("small.mat"), small_mat()).unwrap();
    std::fs::write(folder.path().join("text.safetensors"), "words, no weights").unwrap();
    for (arguments, code) in [
        (&["info", "missing.mat"][..], 4),
        (&["info", "."], 4),
        (&["info", "text.safetensors"], 4),
        (&["convert", "small.mat", "missing/a.safetensors"], 5),
        (&["convert", "small.mat", "a.mat"], 2),
        (&["convert", "small.mat", "a.safetensors", "--channels", "rgb"], 2),
        (&["convert", "small.mat", "a.safetensors", "--scale", "nan"], 2),
    ] {
        let failed = model(arguments, &folder);
        assert_eq!(failed.status.code(), Some(code), "{arguments:?}");
        assert_eq!(text(&failed.stderr).lines().count(), 1, "{}", text(&failed.stderr));
        assert!(failed.stdout.is_empty());
    }
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 2, "nothing left behind");
}

/// small, large and the folders of runs stand for weight files.
#[test]
fn names_and_runs() {
    let folder = tempfile::tempdir().unwrap();
    let info = text(&model(&["info", "small"], &folder).stdout);
    let files: Vec<&str> = info.lines().filter(|line| line.starts_with("file ")).collect();
    assert_eq!(files.len(), 3, "{info}");
    let psnr = info.lines().find(|line| line.starts_with("PSNR ")).unwrap();
    assert_eq!(psnr, "PSNR              30.50 dB on val x2 (bicubic 28.68), SSIM 0.8907 (bicubic 0.8488)");
    let json: serde_json::Value =
        serde_json::from_slice(&model(&["info", "large", "--json"], &folder).stdout).unwrap();
    let architectures: Vec<_> = json.as_array().unwrap().iter().map(|one| &one["architecture"]).collect();
    assert_eq!(architectures, ["9-5-5-5-5", "9-5-5-5-5", "9-5-5-5-5-5-5"]);
    let one = model(&["info", "large", "-s", "4", "--json"], &folder);
    let json: serde_json::Value = serde_json::from_slice(&one.stdout).unwrap();
    assert_eq!(json["scales"], serde_json::json!([4.0]));

    let done = model(&["convert", "small", "x4.safetensors", "--scale", "4"], &folder);
    assert!(done.status.success() && done.stderr.is_empty(), "{}", text(&done.stderr));
    let written = Weights::load(&folder.path().join("x4.safetensors")).unwrap();
    assert_eq!(written, srcnn_gpu::Shipped::Small.nearest(4.0).unwrap());
    // Without a scale, which network was taken is said.
    let done = model(&["filters", "large", "-o", "f.png"], &folder);
    assert!(done.status.success() && text(&done.stderr).contains("the one for x3"), "{}", text(&done.stderr));

    std::fs::create_dir(folder.path().join("run")).unwrap();
    std::fs::copy(folder.path().join("x4.safetensors"), folder.path().join("run/best.safetensors")).unwrap();
    let info = text(&model(&["info", "run"], &folder).stdout);
    assert!(info.contains("file              run\n") && info.contains("scales            4\n"), "{info}");
    assert!(model(&["convert", "run", "again.safetensors"], &folder).status.success());
    assert_eq!(Weights::load(&folder.path().join("again.safetensors")).unwrap(), written);
}
