//! Factors that are not whole numbers: `eval`, `degrade` and `compare` at 2.5.

use std::fs;

use image::DynamicImage;
use serde_json::Value;

use crate::common::desk::{Desk, identity_for, waves};

/// Two pictures whose sides are no multiples of 5, and a network for 2, 3 and what lies between.
fn desk() -> Desk {
    let desk = Desk::new();
    fs::create_dir(desk.path("set")).unwrap();
    desk.save("set/a.png", waves(48, 36));
    desk.save("set/grey.png", DynamicImage::from(waves(36, 48)).to_luma8());
    fs::write(desk.path("multi.safetensors"), identity_for(vec![2.0, 3.0])).unwrap();
    desk
}

fn json(desk: &Desk, args: &str) -> Value {
    let run = desk.run(args);
    assert_eq!(run.code, Some(0), "{args}: {}", run.stderr);
    serde_json::from_str(&run.stdout).unwrap()
}

/// Every form of the results, with several models beside each other. A network that passes luminance on measures
/// nearly as bicubic does: it enlarges by 3, and the result is shrunk.
#[test]
fn eval_in_every_form() {
    let desk = desk();
    let models = "-m multi.safetensors -m small -m bicubic";
    let report =
        json(&desk, &format!("--quiet eval set -s 2,2.5,3 {models} --json --save out --html page.html"));
    let sets = report["sets"].as_array().unwrap();
    let of = |set: &Value| (set["scale"].to_string(), set["shave"].as_u64().unwrap());
    let expected =
        [("2", 2), ("2.5", 3), ("3", 3)].map(|(scale, shave)| [(); 3].map(|()| (scale.into(), shave)));
    assert_eq!(sets.iter().map(of).collect::<Vec<_>>(), expected.concat());
    let psnr = |set: usize, key: &str| sets[set]["average"][key].as_f64().unwrap();
    assert!((0.0..0.2).contains(&(psnr(3, "psnr") - psnr(3, "psnr_bicubic"))), "{}", sets[3]);
    assert_eq!(psnr(5, "psnr"), psnr(3, "psnr_bicubic"));
    assert!(
        psnr(0, "psnr_bicubic") > psnr(3, "psnr_bicubic")
            && psnr(3, "psnr_bicubic") > psnr(6, "psnr_bicubic")
    );
    // The network that upscale takes.
    assert_eq!(sets[4]["model"], "small x3");
    let saved = desk.names("out");
    for name in ["a_x2.5_bicubic.png", "a_x2.5_multi.png", "grey_x2.5_small.png", "a_x3_bicubic.png"] {
        assert!(saved.iter().any(|one| one == name), "{name}: {saved:?}");
    }
    let large = desk.open("out/a_x2.5_bicubic.png");
    assert_eq!((large.width(), large.height()), (45, 35));
    let page = fs::read_to_string(desk.path("page.html")).unwrap();
    assert!(page.contains("set ×2.5") && page.contains("set ×3"));

    let csv = desk.run(&format!("--quiet eval set -s 2.5 {models} --csv")).stdout;
    let rows: Vec<Vec<&str>> = csv.lines().map(|line| line.split(',').collect()).collect();
    assert!(rows.len() == 3 && rows[1][1] == "2.5" && rows[1].len() == rows[0].len(), "{csv}");
    let run = desk.run(&format!("eval set -s 2.5 {models}"));
    assert!(!run.stderr.contains("trained for"), "{}", run.stderr);
    let title = "set x2.5: protocol srcnn (luminance, shave 3)";
    assert!(run.stdout.starts_with(title) && !run.stdout.contains("published"), "{}", run.stdout);
    // The one for x2 alone stands back.
    let run = desk.run("eval set -s 2.5 -m multi.safetensors -m m.safetensors");
    assert!(
        run.stderr.contains("is not measured at x2.5") || run.stderr.contains("is not measured;"),
        "{}",
        run.stderr
    );
    let run = desk.run("eval set -s 2.5 -m m.safetensors");
    assert!(run.stderr.contains("was trained for x2, not for x2.5"), "{}", run.stderr);
    let wide = json(&desk, "--quiet eval set -s 2.5 -m bicubic --shave 7 --json");
    assert_eq!(wide["sets"][0]["shave"], 7);
}

/// What `degrade` writes is what `eval` measures, `upscale` enlarges and `compare` compares.
#[test]
fn degrade_and_compare() {
    let desk = desk();
    for chain in ["bicubic", "blur:0.6,bicubic,noise:2,jpeg:80"] {
        let run = desk.run(&format!("degrade set low -s 2.5 --degradation {chain} --existing overwrite"));
        assert_eq!(run.code, Some(0), "{}", run.stderr);
        let low = desk.open("low/a.png");
        assert_eq!((low.width(), low.height()), (18, 14));
        let run = desk.run("upscale low -s 2.5 -m multi.safetensors -o large --existing overwrite");
        assert_eq!(run.code, Some(0), "{}", run.stderr);
        let measured =
            json(&desk, &format!("--quiet eval set -s 2.5 -m bicubic --degradation {chain} --json"));
        let compared = json(&desk, "--quiet compare set large -s 2.5 --json");
        assert_eq!((&compared["scale"], &compared["shave"]), (&2.5.into(), &3.into()));
        for i in 0..2 {
            let measured = measured["sets"][0]["images"][i]["psnr"].as_f64().unwrap();
            let written = compared["images"][i]["psnr"].as_f64().unwrap();
            // Small pictures are rounded to 8 bits in files. A shift or another size would cost whole decibels.
            assert!((measured - written).abs() < 0.3, "{chain}: {measured} {written}");
        }
    }
}

#[test]
fn what_is_refused() {
    let desk = desk();
    let ratio: &[&str] = &["--scale", "denominator up to 16", "the nearest to 2.7183 is 2.714286"];
    for command in ["eval set", "degrade set low", "compare set set"] {
        desk.run(&format!("{command} -s 2.7183")).fails(2, ratio);
        desk.run(&format!("{command} -s 0.5")).fails(2, &["a factor from 1 on is needed, not 0.5"]);
        desk.run(&format!("{command} -s two")).fails(2, &["a number is needed"]);
    }
    desk.run("degrade set low -s 16.5").fails(2, &["16 is the largest"]);
    for shrink in ["subsample", "gaussian:1.2"] {
        let told: &[&str] = &[shrink, "x2.5", "whole factors", "use bicubic"];
        desk.run(&format!("eval set -s 2.5 --degradation {shrink}")).fails(2, told);
        desk.run(&format!("degrade set low -s 2.5 --degradation {shrink}")).fails(2, told);
    }
    desk.run("eval set -s 1.5 --degradation noise:3")
        .fails(2, &["at x1.5", "say where the picture is shrunk"]);
    desk.save("small.png", waves(4, 9));
    desk.run("degrade small.png x.png -s 2.5")
        .fails(1, &["4x9 is smaller than the scale 2.5 needs: 5 pixels"]);
    assert!(!desk.exists("low") && !desk.exists("x.png"));
}
