//! `train --method`, and dictionaries in `eval`, `upscale` and `model info`.

use std::fs;

use crate::common::data;
use crate::common::desk::{Desk, waves};
use srcnn_gpu::dictionary::Method;

const FEW: &str = "--atoms 24 --samples 600 --rounds 3";

/// A desk with pictures to train on in `set`, and with a dictionary of each method.
fn desk() -> Desk {
    let desk = Desk::new();
    fs::create_dir(desk.path("set")).unwrap();
    desk.save("set/one.png", waves(60, 48));
    desk.save("set/two.png", waves(44, 50));
    for name in Method::NAMES {
        let run = desk.run(&format!("train set -s 2 --method {name} {FEW} -o {name}.safetensors"));
        assert_eq!(run.code, Some(0), "{}", run.stderr);
        assert_eq!(run.stdout, format!("{name}.safetensors\n"));
        assert!(run.stderr.contains("x2: 600 patches of 2 pictures"), "{}", run.stderr);
    }
    desk
}

#[test]
fn each_method_from_training_to_pictures() {
    let desk = desk();
    let models: String = Method::NAMES.map(|name| format!("-m {name}.safetensors ")).concat();
    let run =
        desk.run(&format!("--quiet eval set {models} -m bicubic --json --html page.html --crop 8,4,20,16"));
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let report: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    let sets = report["sets"].as_array().unwrap();
    let names: Vec<_> = sets.iter().map(|set| set["name"].as_str().unwrap()).collect();
    assert_eq!(names, [&Method::NAMES[..], &["bicubic"]].concat());
    for (set, label) in sets.iter().zip(["ANR", "K-SVD", "NE+LLE", "NE+NNLS", "SC"]) {
        let what = set["architecture"].as_str().unwrap();
        assert!(what.starts_with(&format!("{label} x2, 24 atoms of ")), "{what}");
        assert!(set["padding"].is_null() && set["scale"] == 2);
        // The very pictures that they have learned.
        let score = &set["average"];
        let gain = score["psnr"].as_f64().unwrap() - score["psnr_bicubic"].as_f64().unwrap();
        assert!(gain > 0.5, "{label}: {gain}");
    }
    let page = fs::read_to_string(desk.path("page.html")).unwrap();
    assert!(
        page.contains("ne-nnls.safetensors, NE+NNLS x2") && page.contains("<small>of 20 × 16 pixels</small>")
    );
    let text = desk.run("--quiet eval set -m anr.safetensors").stdout;
    assert!(text.starts_with("set x2: anr.safetensors (ANR x2, 24 atoms of "), "{text}");

    for name in Method::NAMES {
        let run =
            desk.run(&format!("--quiet upscale set/one.png -s 2.5 -m {name}.safetensors -o {name}.png"));
        assert_eq!(run.code, Some(0), "{}", run.stderr);
        let result = desk.open(&format!("{name}.png"));
        assert_eq!((result.width(), result.height(), result.color()), (150, 120, image::ColorType::Rgb8));
    }
    assert_ne!(desk.open("anr.png"), desk.open("sc.png"));
    // In two steps.
    let run = desk.run("--quiet upscale set/two.png -s 8 -m ksvd.safetensors -o eight.png");
    assert_eq!((run.code, desk.open("eight.png").width()), (Some(0), 352), "{}", run.stderr);

    let info = desk.run("model info sc.safetensors").stdout;
    for line in [
        "method            SC, lambda 0.4, overlap 1, 20 rounds",
        "scales            2\n",
        "600 patches of 2 pictures (set), 3 rounds, lambda 0.4, seed 0",
    ] {
        assert!(info.contains(line), "{line}: {info}");
    }
    let info = desk.run("model info anr.safetensors --json").stdout;
    let info: serde_json::Value = serde_json::from_str(&info).unwrap();
    assert_eq!((&info["method"]["neighbors"], &info["atoms"]), (&24.into(), &24.into()));
}

#[test]
fn dictionaries_are_shared_and_repeatable() {
    let desk = desk();
    let bytes = |name: &str| fs::read(desk.path(name)).unwrap();
    let run = |args: &str| {
        let run = desk.run(args);
        assert_eq!(run.code, Some(0), "{args}: {}", run.stderr);
    };
    run(&format!("train set -s 2 --method anr {FEW} -o again.safetensors"));
    assert_eq!(bytes("again.safetensors"), bytes("anr.safetensors"));
    run(&format!("train set -s 2 --method anr {FEW} --seed 1 -o other.safetensors"));
    assert_ne!(bytes("other.safetensors"), bytes("anr.safetensors"));
    run("train --init ksvd.safetensors --method anr -o taken.safetensors");
    assert_eq!(bytes("taken.safetensors"), bytes("anr.safetensors"));
    run("train --init sc.safetensors --method sc --back-projection 5 -o back.safetensors");
    run("--quiet eval set -m back.safetensors");
    // What a file is told of its method stands in it; a dictionary's own training stays.
    run("train --init sc.safetensors --method sc --lambda 0.3 --overlap 2 -o sparse.safetensors");
    let info = desk.run("model info sparse.safetensors").stdout;
    assert!(
        info.contains("lambda 0.3, overlap 2, 20 rounds") && info.contains("lambda 0.4, seed 0"),
        "{info}"
    );
    run("train --init ksvd.safetensors --method ne-lle --ridge 0.5 -o held.safetensors");
    let info = desk.run("model info held.safetensors").stdout;
    assert!(info.contains("ridge 0.5"), "{info}");
    assert_ne!(bytes("held.safetensors"), bytes("ne-lle.safetensors"));
    let json = desk.run(&format!("train set -s 2 --method ksvd {FEW} --json -o json.safetensors")).stdout;
    let lines: Vec<&str> = json.lines().collect();
    assert_eq!(lines.len(), 5, "{json}");
    assert!(
        lines[0].starts_with("{\"v\":1,\"event\":\"start\",\"method\":\"ksvd\",\"scale\":2,\"patches\":600"),
        "{json}"
    );
    assert!(
        lines[3].starts_with("{\"v\":1,\"event\":\"round\",\"round\":3,\"rounds\":3,\"error\":0."),
        "{json}"
    );
    assert_eq!(lines[4], "{\"v\":1,\"event\":\"saved\",\"path\":\"json.safetensors\"}");
}

#[test]
fn refusals() {
    let desk = desk();
    let before = fs::read(desk.path("anr.safetensors")).unwrap();
    fs::create_dir(desk.path("empty")).unwrap();
    for (args, code, words) in [
        ("train set -s 2 --method anr -o anr.safetensors", 5, "exists"),
        ("train set --method anr -o new.safetensors", 2, "-s 3"),
        ("train set -s 5 --method anr -o new.safetensors", 2, "from 2 to 4"),
        ("train -s 2 --method anr -o new.safetensors", 2, "no pictures"),
        ("train empty -s 2 --method anr -o new.safetensors", 1, "fewer than the 1024 atoms"),
        ("train set -s 2 --method anr --lr 0.1 -o new.safetensors", 2, "--lr"),
        ("train set -s 2 --method anr --back-projection 3 -o new.safetensors", 2, "is for the method sc"),
        (
            "train set -s 2 --method ksvd --ridge 1 -o new.safetensors",
            2,
            "--ridge is for the methods anr and ne-lle",
        ),
        ("train set -s 2 --method ne-nnls --lambda 1 -o new.safetensors", 2, "--lambda is for the method sc"),
        ("train set -s 2 --method anr --overlap 1 -o new.safetensors", 2, "--overlap is for the method sc"),
        ("train set -s 2 --method anr --ridge -1 -o new.safetensors", 2, "ridge -1: a number above 0"),
        (
            "train --init sc.safetensors --method sc --lambda 0 -o new.safetensors",
            2,
            "lambda 0: a number above 0",
        ),
        ("train set -s 2 --method sc --overlap 3 -o new.safetensors", 2, "overlap 3: from 0 to 2"),
        ("train set -s 2 --ridge 1 -o run", 2, "--method"),
        ("train set -s 2 --method pca -o new.safetensors", 2, "ne-nnls"),
        ("train set -s 2 --atoms 20 -o run", 2, "--method"),
        ("train --init anr.safetensors --method sc -o new.safetensors", 4, "trained in another way"),
        ("train --init anr.safetensors --method ksvd -s 3 -o new.safetensors", 4, "for x2"),
        ("train set -s 2 --init anr.safetensors -o run", 4, "dictionary"),
        ("eval set -m anr.safetensors -x", 2, "--tta is for networks"),
        ("upscale set/one.png -m anr.safetensors --verify", 2, "--verify is for networks"),
        ("export onnx -m anr.safetensors -s 2 -o a.onnx", 4, "a network is needed"),
        ("model convert anr.safetensors b.safetensors", 4, "a network is needed"),
    ] {
        let run = desk.run(args);
        assert_eq!(run.code, Some(code), "{args}: {}", run.stderr);
        assert!(run.stderr.contains(words), "{args}: {}", run.stderr);
    }
    assert_eq!(fs::read(desk.path("anr.safetensors")).unwrap(), before);
    assert!(!desk.exists("new.safetensors") && !desk.exists("a.onnx") && !desk.exists("b.safetensors"));
}

/// A small dictionary from real pictures gains on every test picture what a large one gains but for some tenths of a dB.
#[test]
fn real_pictures_gain() {
    let (Some(t91), Some(set5)) = (data("data/T91"), data("data/Set5")) else { return };
    let desk = Desk::new();
    let train = format!(
        "train {} -s 3 --method ksvd --atoms 256 --samples 20000 --rounds 6 -o ksvd.safetensors",
        t91.display()
    );
    assert_eq!(desk.run(&train).code, Some(0));
    assert_eq!(desk.run("train --init ksvd.safetensors --method anr -o anr.safetensors").code, Some(0));
    let eval = format!("--quiet eval {} -m ksvd.safetensors -m anr.safetensors --json", set5.display());
    let report: serde_json::Value = serde_json::from_str(&desk.run(&eval).stdout).unwrap();
    for set in report["sets"].as_array().unwrap() {
        for image in set["images"].as_array().unwrap() {
            let gain = image["psnr"].as_f64().unwrap() - image["psnr_bicubic"].as_f64().unwrap();
            assert!(gain > 0.3, "{image}");
        }
        let average = set["average"]["psnr"].as_f64().unwrap();
        assert!(average > 31.45 && average < 32.0, "{average}");
    }
}
