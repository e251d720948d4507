//! `srcnn-gpu eval` on Set5, on the GPU: the paper's Table 1.

use std::path::Path;
use std::process::Command;

use crate::common::data;
use srcnn_gpu::eval::published;

/// The averages that the program prints for Set5, measured on the GPU, and each picture's PSNR by name.
fn program(set5: &Path, model: &Path, scale: &str) -> (serde_json::Value, Vec<(String, f64)>) {
    let output = Command::new(env!("CARGO_BIN_EXE_srcnn-gpu"))
        .args(["eval", "--json", "-s", scale, "-m"])
        .arg(model)
        .arg(set5)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let set = &report["sets"][0];
    let images = set["images"].as_array().unwrap().iter();
    let images = images.map(|i| (i["image"].as_str().unwrap().to_owned(), i["psnr"].as_f64().unwrap()));
    (set["average"].clone(), images.collect())
}

#[test]
fn the_gpu_reproduces_table_1() {
    let (Some(set5), Some(authors)) = (data("data/Set5"), data("weights-authors")) else { return };
    let model = authors.join("9-1-5_91-images_x3.mat");
    let (average, images) = program(&set5, &model, "3");
    assert!((average["psnr"].as_f64().unwrap() - 32.39).abs() < 0.005, "{average}");
    assert!((average["psnr_bicubic"].as_f64().unwrap() - 30.39).abs() < 0.005, "{average}");
    assert_eq!(images.len(), 5);
    for (image, psnr) in images {
        let published = published::image(&image, 3).unwrap().srcnn;
        assert!((psnr - published).abs() < 0.015, "{image}: {psnr}, published {published}");
    }
}

#[test]
fn shipped_networks_reach_table_1() {
    let Some(set5) = data("data/Set5") else { return };
    for scale in ["2", "3", "4"] {
        let (average, _) = program(&set5, "small".as_ref(), scale);
        let pictures = ["baby", "bird", "butterfly", "head", "woman"];
        let published = published::average(pictures, scale.parse::<usize>().unwrap()).unwrap().srcnn;
        // Rounded as the paper prints it.
        let psnr = format!("{:.2}", average["psnr"].as_f64().unwrap()).parse::<f64>().unwrap();
        assert!(psnr >= published, "x{scale}: {average}, published {published}");
        // 13 times the work must pay off.
        let (large, _) = program(&set5, "large".as_ref(), scale);
        assert!(large["psnr"].as_f64() > average["psnr"].as_f64(), "x{scale}: {large}, small {average}");
    }
}
