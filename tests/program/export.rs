//! `srcnn-gpu export`, and what others write, against the real programs: onnxruntime, OpenVINO, PyTorch, libplacebo, a browser.

mod mpv;
mod web;

use std::fs;

use srcnn_gpu::{Padding, Shipped, Weights};

use crate::common::desk::Desk;
use crate::common::python::{python, run};
use crate::common::video::stream;

/// All shipped networks at odd sizes, and factors between: onnxruntime and OpenVINO give what the program gives, but for a
/// step of 8 bits here and there.
#[test]
fn runtimes_agree_with_the_program() {
    let Some(python) = python("numpy, onnx, onnxruntime") else { return };
    let desk = Desk::new();
    fs::write(desk.path("small.y4m"), stream("W61 H43 F25:1 C420", 1)).unwrap();
    let mut names = Vec::new();
    for (model, scale) in [
        ("small", "2"),
        ("small", "3"),
        ("small", "4"),
        ("small", "1.5"),
        ("small", "2.7"),
        ("large", "2"),
        ("large", "3"),
        ("large", "4"),
    ] {
        let name = format!("{model}_x{scale}");
        let made = desk.run(&format!("export onnx -m {model} -s {scale} -o {name}.onnx"));
        assert_eq!((made.code, made.stderr.as_str()), (Some(0), ""));
        let made = desk.run(&format!("upscale small.y4m -m {model} -s {scale} -o {name}.y4m"));
        assert_eq!(made.code, Some(0), "{}", made.stderr);
        names.push(format!("{name}.onnx"));
    }
    let told = run(python, include_str!("export/runtimes.py"), &desk.path("."));
    println!("{told}");
    let mut compared = Vec::new();
    for line in told.lines() {
        let words: Vec<_> = line.split(' ').collect();
        let [runtime, name, most, off, pixels] = words[..] else { panic!("{line}") };
        let [most, off, pixels] = [most, off, pixels].map(|word| word.parse::<u32>().unwrap());
        assert!(most <= 1 && off * 1000 < pixels, "more than one step, or on 0.1 % of the pixels: {line}");
        if runtime == "onnxruntime" {
            compared.push(name.to_owned());
        }
    }
    names.sort();
    assert_eq!(compared, names);
}

/// The bare network takes what another scaler has made; both kinds come back bit for bit.
#[test]
fn onnx_files_come_back() {
    let desk = Desk::new();
    desk.run("export onnx -s 3 --with none -o bare.onnx").wrote(&["bare.onnx: small x3, for x3"]);
    desk.run("export onnx -s 3 -o whole.onnx").wrote(&["whole.onnx: small x3, for x3"]);
    let expected = Shipped::Small.nearest(3.0).unwrap();
    for name in ["bare", "whole"] {
        let run = desk.run(&format!("model convert {name}.onnx {name}.safetensors"));
        let line = format!("{name}.safetensors: 9-1-5 64-32, channels y, padding replicate");
        run.wrote(&[line.as_str()]);
        assert_eq!(Weights::load(&desk.path(&format!("{name}.safetensors"))).unwrap(), expected);
        desk.save("a.png", crate::common::desk::grey(8, 8));
        desk.run(&format!("upscale a.png -s 3 -m {name}.onnx -o {name}.png"))
            .wrote(&[&format!("{name}.png")]);
    }
    desk.run("model convert whole.onnx again.onnx")
        .wrote(&["again.onnx: 9-1-5 64-32, channels y, padding replicate"]);
    assert_eq!(Weights::load(&desk.path("again.onnx")).unwrap(), expected);
    let info = desk.run("model info whole.onnx");
    assert!(info.stdout.contains("scales            3"), "{}", info.stdout);
}

#[test]
fn exports_are_refused_with_reasons() {
    let desk = Desk::new();
    desk.run("export onnx -s 2 -o a.onnx").wrote(&["a.onnx: small x2, for x2"]);
    desk.run("export onnx -s 2 -o a.onnx").fails(5, &["a.onnx", "exists already"]);
    desk.run("export onnx -s 1 -o b.onnx").fails(2, &["scale 1", "above 1"]);
    desk.run("model convert m.safetensors b.pth").fails(2, &["b.pth", ".safetensors or .onnx"]);
    desk.run("export onnx -s 3.14159 -o b.onnx").fails(2, &["denominator"]);
    desk.run("export onnx -s 2 -m none.safetensors -o b.onnx")
        .fails(4, &["none.safetensors", "no such file"]);
    desk.run("export onnx -s 2 -o missing/b.onnx").fails(5, &["missing"]);
    desk.run("export mpv -s 65 -o b.glsl").fails(2, &["scale 65", "up to 64"]);
    assert_eq!(desk.names("."), ["a.onnx", "m.safetensors"]);
    // What is known of the license goes into the file, and nothing else.
    let license = |name: &str| {
        let bytes = fs::read(desk.path(name)).unwrap();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        (text.contains("license"), text.contains("MIT OR Apache-2.0"))
    };
    assert_eq!(license("a.onnx"), (true, true));
    desk.run("export onnx -s 2 -m m.safetensors -o c.onnx").wrote(&["c.onnx: m.safetensors, for x2"]);
    assert_eq!(license("c.onnx"), (false, false));
    desk.run("export onnx -s 2 -m m.safetensors --license CC0-1.0 -o d.onnx")
        .wrote(&["d.onnx: m.safetensors, for x2"]);
    assert!(String::from_utf8_lossy(&fs::read(desk.path("d.onnx")).unwrap()).contains("CC0-1.0"));
}

/// Files of the real PyTorch, in all its forms.
#[test]
fn files_of_pytorch_are_read() {
    let Some(python) = python("torch") else { return };
    let desk = Desk::new();
    run(python, include_str!("export/stacks.py"), &desk.path("."));
    let expected = fs::read_to_string(desk.path("expected.txt")).unwrap();
    let expected: Vec<Vec<f32>> = expected
        .lines()
        .map(|line| line.split(' ').map(|bits| f32::from_bits(bits.parse::<i32>().unwrap() as u32)).collect())
        .collect();
    let mut read = 0;
    for name in desk.names(".") {
        let stem = name.rsplit_once('.').map_or(name.as_str(), |(stem, _)| stem).to_owned();
        if name.ends_with(".data") || ["expected", "whole", "hostile", "m"].contains(&stem.as_str()) {
            continue;
        }
        let output = format!("{stem}_read.safetensors");
        let run = desk.run(&format!("model convert {name} {output}"));
        run.wrote(&[&format!("{output}: 9-1-5 8-4, channels y, padding zero")]);
        assert_eq!(
            run.stderr.contains("zeros are assumed"),
            name.ends_with(".pth"),
            "{name}: {}",
            run.stderr
        );
        let weights = Weights::load(&desk.path(&output)).unwrap();
        assert_eq!(weights.metadata.padding, Padding::Zero);
        let values = weights.layers().iter().flat_map(|layer| [&layer.weight, &layer.bias]);
        // Half precision keeps 8 or 11 bits; after a step of the optimizer, the networks of all others differ a little.
        let tolerance = match stem.as_str() {
            "float16" => 1e-3,
            "bfloat16" => 4e-3,
            "words" => 3e-3,
            _ => 0.0,
        };
        for (values, expected) in values.zip(&expected) {
            assert_eq!(values.len(), expected.len(), "{name}");
            for (value, expected) in values.iter().zip(expected) {
                assert!((value - expected).abs() <= tolerance, "{name}: {value} instead of {expected}");
            }
        }
        read += 1;
    }
    assert!(read >= 16, "only {read} files");
    desk.run("model convert whole.pth a.safetensors").fails(4, &["__main__.Conv", "state_dict()"]);
    let hostile = desk.run("model convert hostile.pth a.safetensors");
    hostile.fails(4, &["print", "nothing is run"]);
    assert!(!desk.exists("a.safetensors"));
}
