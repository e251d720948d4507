//! The folder for browsers, in headless Chromium with WebGPU in software.

use std::fs;

use image::{DynamicImage, RgbaImage};
use srcnn_gpu::gpu::kernels::ConvShape;
use srcnn_gpu::resample::ResampleTable;
use srcnn_gpu::upscaler::Schedule;
use srcnn_gpu::{Enlargement, KernelChoice, Padding, Shipped, UpscalerOptions, wgpu};

use crate::common::browser::{chromium, visit};
use crate::common::desk::{Desk, waves};
use crate::common::{alone, gpu, network};

/// A picture with soft and hard edges of alpha, black where nothing is seen.
fn sticker(width: u32, height: u32) -> RgbaImage {
    let mut picture = DynamicImage::from(waves(width, height)).into_rgba8();
    for (x, y, pixel) in picture.enumerate_pixels_mut() {
        let [dx, dy] = [(x, width), (y, height)].map(|(at, of)| f64::from(at) - f64::from(of) / 2.0);
        let inside = f64::from(width.min(height)) * 0.4 - dx.hypot(dy);
        let edge = if x < width / 2 { (inside * 40.0 + 128.0).clamp(0.0, 255.0) } else { 255.0 };
        pixel.0[3] = if inside < -3.0 { 0 } else { edge as u8 };
        if pixel.0[3] == 0 {
            *pixel = image::Rgba([0; 4]);
        }
    }
    picture
}

/// The largest difference of two pictures of one size, of what is seen in them: colors where alpha is 0 do not count.
fn difference(a: &RgbaImage, b: &RgbaImage) -> u8 {
    assert_eq!(a.dimensions(), b.dimensions());
    let seen = a.pixels().zip(b.pixels()).filter(|(a, b)| a.0[3] > 0 || b.0[3] > 0);
    seen.flat_map(|(a, b)| (0..4).map(|i| a.0[i].abs_diff(b.0[i]))).max().unwrap()
}

fn page(desk: &Desk, name: &str, script: &str) {
    let text = format!(
        "<!doctype html><title>{name}</title><script type=\"module\">\n\
         const tell = (path, body) => fetch(path, {{ method: 'POST', body }});\n\
         addEventListener('unhandledrejection', (event) => tell('/told', JSON.stringify({{ error: String(event.reason) }})));\n\
         addEventListener('error', (event) => tell('/told', JSON.stringify({{ error: event.message }})));\n\
         {script}</script>"
    );
    fs::write(desk.path(&format!("site/{name}.html")), text).unwrap();
}

/// The page as a user has it: a picture is dropped, the slider moved by keyboard, the result downloaded, another scale chosen.
#[test]
fn the_page_enlarges_a_dropped_picture() {
    let Some(browser) = chromium() else { return };
    let desk = Desk::new();
    desk.run("export web -o site").wrote(&["site: 3 networks"]);
    desk.save("site/picture.png", waves(61, 47));
    page(&desk, "probe", include_str!("page.js"));
    let visit = visit(browser, &desk.path("site"), "probe.html");
    let told = &visit.told;
    assert_eq!(told["refused"], "notes.txt is not a picture.", "{told}");
    assert_eq!(told["files"], serde_json::json!(["picture_x2.png", "picture_x3.png"]), "{told}");
    assert_eq!(
        (&told["slider"], &told["cut"]),
        (&"30% before, the rest after".into(), &"30%".into()),
        "{told}"
    );
    assert_eq!(
        (&told["focus"], &told["size"]),
        (&"range".into(), &"picture_x3.png, 183 x 141 pixels".into()),
        "{told}"
    );
    assert_eq!(told["networks"], "Network small: MIT OR Apache-2.0.", "{told}");
    for scale in [2, 3] {
        let name = format!("picture_x{scale}.png");
        desk.run(&format!("upscale site/picture.png -s {scale} -o {name}")).wrote(&[&name]);
        let theirs = image::load_from_memory(&visit.files[&name]).unwrap().into_rgba8();
        let ours = desk.open(&name).into_rgba8();
        let most = difference(&theirs, &ours);
        assert!(most <= 1, "x{scale}: off by {most}");
        // It would have noticed the wrong network's result.
        desk.run(&format!("upscale site/picture.png -s {scale} -m m.safetensors -o wrong{scale}.png"));
        assert!(difference(&theirs, &desk.open(&format!("wrong{scale}.png")).into_rgba8()) > 1);
    }
}

/// The module without the page: pixels, bitmaps and textures, tiles, alpha, other networks.
#[test]
fn the_module_equals_the_program() {
    let Some(browser) = chromium() else { return };
    let desk = Desk::new();
    let rgb = network("5-3-3", "8-4", 3, Padding::Normalized);
    let valid = network("9-5-5", "12-9", 1, Padding::Valid);
    fs::write(desk.path("rgb.safetensors"), rgb.to_safetensors().unwrap()).unwrap();
    fs::write(desk.path("valid.safetensors"), valid.to_safetensors().unwrap()).unwrap();
    let models = "-m small -m rgb.safetensors -m valid.safetensors -m large";
    desk.run(&format!("export web {models} -o site --license CC0-1.0")).wrote(&["site: 8 networks"]);
    desk.save("site/opaque.png", waves(53, 38));
    desk.save("site/clear.png", sticker(53, 38));
    page(&desk, "probe", include_str!("module.js"));
    let visit = visit(browser, &desk.path("site"), "probe.html");
    let told = &visit.told;
    assert_eq!(told["models"], serde_json::json!(["small", "rgb", "valid", "large"]), "{told}");
    // Tiles, bitmaps and textures give the same bits.
    for same in ["tiles", "bitmap", "textures", "overlapping"] {
        assert_eq!(told[same], true, "{same}: {told}");
    }
    assert_eq!(told["differs"], true, "the comparison cannot fail");
    assert_eq!(told["progress"], serde_json::json!([0.25, 0.5, 0.75, 1]), "{told}");
    assert_eq!(told["aborted"], "AbortError", "{told}");
    for (refused, words) in [("model", "no model nothing"), ("scale", "scale 0"), ("f16", "16-bit floats")] {
        assert!(told["refused"][refused].as_str().unwrap().contains(words), "{told}");
    }
    assert_eq!(told["faults"], serde_json::json!([]));
    assert!(told["compiled"].as_u64().unwrap() > 30, "{told}");
    for (model, picture, scale) in [
        ("small", "opaque", "2"),
        ("small", "opaque", "1.3"),
        ("small", "clear", "3"),
        ("rgb", "opaque", "2"),
        ("valid", "opaque", "2.5"),
        ("large", "opaque", "2"),
    ] {
        let name = format!("{model}_{picture}_x{scale}");
        let file =
            if ["rgb", "valid"].contains(&model) { format!("{model}.safetensors") } else { model.into() };
        let run = desk.run(&format!("upscale site/{picture}.png -m {file} -s {scale} -o {name}.png"));
        assert_eq!(run.code, Some(0), "{}", run.stderr);
        let ours = desk.open(&format!("{name}.png")).into_rgba8();
        let bytes = visit.files[&name].clone();
        let theirs = RgbaImage::from_raw(ours.width(), ours.height(), bytes).unwrap();
        let most = difference(&theirs, &ours);
        // Where the network's result is shrunk, the module has rounded it to 8 bits before.
        assert!(most <= if scale == "1.3" { 2 } else { 1 }, "{name}: off by {most}");
        if let Some(bytes) = visit.files.get(&format!("{name}_gpu")) {
            let theirs = RgbaImage::from_raw(ours.width(), ours.height(), bytes.clone()).unwrap();
            let most = difference(&theirs, &ours);
            assert!(most <= 1, "{name} by the kernels for GPUs: off by {most}");
        }
    }
}

/// The module's arithmetic is the engine's: tiles, textures, grids and uniforms of every dispatch, and the taps to the last bit.
#[test]
fn the_modules_plans_are_the_engines() {
    let Some(browser) = chromium() else { return };
    let desk = Desk::new();
    desk.run("export web -o site").wrote(&["site: 3 networks"]);
    let (_one, gpu) = (alone(), gpu());
    let small = Shipped::Small.nearest(2.0).unwrap();
    let shapes: Vec<ConvShape> =
        ["8x8,8x8,4,16,layers", "16x4,8x16,1,8,uniform"].map(|word| word.parse().unwrap()).into();
    let mut cases = Vec::new();
    let mut add = |weights: &_, shape, winograd, tile, source: (u32, u32), enlargement: Enlargement| {
        let options = UpscalerOptions::for_device(&gpu.device).with_conv_shape(shape).with_winograd(winograd);
        let options = options.with_tile(tile).with_target_format(wgpu::TextureFormat::Rgba32Float);
        let schedule = Schedule::for_device(&gpu.device, weights, &options, 1).unwrap();
        let how = match enlargement {
            Enlargement::Factor(scale) => serde_json::json!({ "scale": scale }),
            Enlargement::Size(width, height) => serde_json::json!({ "size": [width, height] }),
        };
        let picture = schedule.picture(source, enlargement).unwrap();
        cases.push((serde_json::json!({ "source": source, "how": how, "schedule": schedule }), picture));
    };
    for &shape in &shapes {
        for (source, enlargement) in [
            ((61, 43), 2.0.into()),
            ((64, 1), 3.0.into()),
            ((37, 90), 1.7.into()),
            ((50, 50), (131, 77).into()),
            ((90, 20), (31, 45).into()),
        ] {
            add(&small, shape, KernelChoice::Never, 48, source, enlargement);
            add(&small, shape, KernelChoice::Always, 31, source, enlargement);
        }
        for padding in [Padding::Zero, Padding::Normalized, Padding::Valid] {
            let body = network("9-5-5", "64-32", 1, padding);
            add(&body, shape, KernelChoice::Auto, 29, (40, 33), 2.5.into());
            let rgb = network("5-3-3-1", "8-4-5", 3, padding);
            add(&rgb, shape, KernelChoice::Auto, 1000, (40, 33), 3.0.into());
        }
    }
    let inputs: Vec<_> = cases.iter().map(|(input, _)| input).collect();
    fs::write(desk.path("site/cases.json"), serde_json::to_vec(&inputs).unwrap()).unwrap();
    let axes = [(61, 122, 2.0), (7, 12, 1.7), (1, 3, 3.0), (90, 31, 31.0 / 90.0), (1920, 2496, 1.3)];
    fs::write(desk.path("site/axes.json"), serde_json::to_vec(&axes).unwrap()).unwrap();
    page(&desk, "probe", include_str!("plans.js"));
    let told = visit(browser, &desk.path("site"), "probe.html").told;
    for (number, (input, picture)) in cases.iter().enumerate() {
        let expected = serde_json::to_value(picture).unwrap();
        assert_eq!(told["pictures"][number], expected, "{}", input["source"]);
    }
    for (number, (from, to, scale)) in axes.into_iter().enumerate() {
        let table = ResampleTable::bicubic(from, to, scale).unwrap();
        let bits: Vec<u32> = table.weights.iter().map(|&weight| (weight as f32).to_bits()).collect();
        let expected = serde_json::json!({ "taps": table.taps, "indices": table.indices, "weights": bits });
        assert_eq!(told["tables"][number], expected, "{from} to {to}");
    }
}

/// What `shaders --plan` prints: the files that it writes, in the order of a tile, with everything a port binds.
#[test]
fn plans_name_files_bindings_and_grids() {
    let desk = Desk::new();
    let run = desk.run("shaders --plan 61x43 -s 2 -t 64 --no-autotune -o kernels");
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let plan: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!((&plan["v"], &plan["scale"]), (&1.into(), &2.0.into()));
    let kernels = plan["kernels"].as_array().unwrap();
    let mut named: Vec<_> =
        kernels.iter().map(|kernel| kernel["file"].as_str().unwrap().to_owned()).collect();
    assert_eq!(
        (&kernels[0]["name"], &kernels[1]["name"]),
        (&"resample_columns".into(), &"resample_rows".into())
    );
    assert_eq!(kernels.last().unwrap()["name"], "texture_from_planes");
    for kernel in kernels {
        let text =
            fs::read_to_string(desk.path(&format!("kernels/{}", kernel["file"].as_str().unwrap()))).unwrap();
        for binding in 0..kernel["bindings"].as_array().unwrap().len() {
            assert!(text.contains(&format!("@binding({binding})")), "{binding} in {text}");
        }
        assert!(!text.contains(&format!("@binding({})", kernel["bindings"].as_array().unwrap().len())));
    }
    named.sort();
    assert_eq!(desk.names("kernels"), named);
    // 122 x 86 pixels in tiles of 64.
    let tiles = plan["picture"]["tiles"].as_array().unwrap();
    assert_eq!((tiles.len(), &plan["picture"]["result"]), (4, &serde_json::json!([122, 86])));
    let last = tiles[3]["steps"].as_array().unwrap().last().unwrap();
    assert_eq!(last["kernel"], kernels.len() - 1);
    assert_eq!(last["region"]["size"], serde_json::json!([122 - 64, 86 - 64]));
    // A plan needs no folder; without a plan, one is needed.
    let run = desk.run("shaders --plan 61x43 -l spirv --arch 9-5-5 --padding zero --no-autotune");
    let plan: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    assert!(plan["kernels"][0]["file"].as_str().unwrap().ends_with(".spv"));
    assert_eq!(plan["padding"], "zero");
    assert_eq!(desk.run("shaders").code, Some(2));
}

/// Folders that have anything in them are left alone unless asked for.
#[test]
fn folders_are_not_overwritten() {
    let desk = Desk::new();
    fs::create_dir(desk.path("site")).unwrap();
    desk.run("export web -m m.safetensors -o site").wrote(&["site: 1 network"]);
    fs::write(desk.path("site/index.html"), "mine").unwrap();
    desk.run("export web -o site").fails(5, &["site", "exists already"]);
    let run = desk.run("export web -o site --existing skip");
    assert!(run.code == Some(0) && run.stderr.contains("kept as it is"), "{}", run.stderr);
    desk.run("export web -o site --existing rename").wrote(&["site (1): 3 networks"]);
    assert_eq!(fs::read_to_string(desk.path("site/index.html")).unwrap(), "mine");
    desk.run("export web -o site --existing overwrite").wrote(&["site: 3 networks"]);
    assert_ne!(fs::read_to_string(desk.path("site/index.html")).unwrap(), "mine");
    desk.run("export web -o m.safetensors/site").fails(5, &["m.safetensors"]);
    assert_eq!(desk.names("site"), ["index.html", "page.css", "page.js", "sample.png", "slider.js", "srcnn"]);
}
