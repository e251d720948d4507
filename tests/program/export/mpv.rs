//! User shaders, run by libplacebo in ffmpeg on a Vulkan device.

use std::fs;
use std::process::{Command, Stdio};

use srcnn_gpu::{Layer, LayerShape, Metadata, Padding, Shipped, Weights};

use crate::common::alone;
use crate::common::desk::Desk;
use crate::common::network;
use crate::common::video::{frames, stream};

/// ffmpeg with libplacebo and a device for it; without, prints a line and returns false.
fn libplacebo() -> bool {
    let filters = Command::new("ffmpeg").args(["-v", "quiet", "-filters"]).output();
    let has = filters.is_ok_and(|output| String::from_utf8_lossy(&output.stdout).contains("libplacebo"));
    let device = has
        && Command::new("ffmpeg")
            .args(["-v", "quiet", "-init_hw_device", "vulkan", "-f", "lavfi", "-i", "color=s=16x16:d=0.1"])
            .args(["-vf", "format=yuv444p,hwupload,libplacebo,hwdownload,format=yuv444p", "-f", "null", "-"])
            .stdout(Stdio::null())
            .status()
            .is_ok_and(|status| status.success());
    if !device {
        eprintln!(
            "SKIPPED: no ffmpeg with libplacebo and a Vulkan device (Debian: apt install ffmpeg mesa-vulkan-drivers)"
        );
    }
    device
}

/// The luminance of the first frame after libplacebo has enlarged it to `size` with a shader.
fn play(desk: &Desk, shader: &str, input: &str, [width, height]: [usize; 2]) -> Vec<u8> {
    let filter = format!(
        "format=yuv444p,hwupload,libplacebo=w={width}:h={height}:custom_shader_path={shader}:dithering=none,\
         hwdownload,format=yuv444p"
    );
    let output = Command::new("ffmpeg")
        .current_dir(desk.path("."))
        .args(["-v", "error", "-init_hw_device", "vulkan", "-i", input, "-vf", &filter])
        .args(["-frames:v", "1", "-f", "rawvideo", "-"])
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && told.is_empty(), "{shader}: {told}");
    assert_eq!(output.stdout.len(), 3 * width * height, "{shader}");
    output.stdout[..width * height].to_vec()
}

/// PSNR in dB and the largest difference.
fn compare(a: &[u8], b: &[u8]) -> (f64, u8) {
    assert_eq!(a.len(), b.len());
    let squares: f64 = a.iter().zip(b).map(|(&a, &b)| (f64::from(a) - f64::from(b)).powi(2)).sum();
    let worst = a.iter().zip(b).map(|(&a, &b)| a.abs_diff(b)).max().unwrap();
    (10.0 * (255.0 * 255.0 * a.len() as f64 / squares.max(1e-9)).log10(), worst)
}

const WIDTH: usize = 101;
const HEIGHT: usize = 67;

/// Color that is all gray, so that what the filter does in RGB changes luminance as little as can be.
fn gray() -> Vec<u8> {
    let mono = stream(&format!("W{WIDTH} H{HEIGHT} F25:1 Cmono"), 1);
    let frame = &frames(&mono)[0].data;
    // Within what luminance may be, where nothing is cut off on the way through RGB.
    let luma = frame.iter().map(|&value| (40.0 + f64::from(value) * 160.0 / 255.0) as u8);
    let mut bytes = format!("YUV4MPEG2 W{WIDTH} H{HEIGHT} F25:1 Ip A1:1 C444\nFRAME\n").into_bytes();
    bytes.extend(luma);
    bytes.extend(vec![128; 2 * WIDTH * HEIGHT]);
    bytes
}

/// Exports a network, plays it, and compares with the program. The filter's own error, with a shader that changes nothing on a
/// video that has the size already, stands beside it.
fn check(desk: &Desk, model: &str, scale: f64, variant: &str) {
    let made = desk.run(&format!(
        "export mpv -m {model} -s {scale} --variant {variant} -o net.glsl --existing overwrite"
    ));
    assert_eq!((made.code, made.stderr.as_str()), (Some(0), ""));
    let made =
        desk.run(&format!("upscale small.y4m -m {model} -s {scale} -o large.y4m --existing overwrite"));
    assert_eq!(made.code, Some(0), "{}", made.stderr);
    let size = [WIDTH, HEIGHT].map(|length| (length as f64 * scale).ceil() as usize);
    let large = &frames(&fs::read(desk.path("large.y4m")).unwrap())[0].data[..size[0] * size[1]];
    let (psnr, worst) = compare(&play(desk, "net.glsl", "small.y4m", size), large);
    let (bound, least) = compare(&play(desk, "identity.glsl", "large.y4m", size), large);
    println!(
        "{model} x{scale} {variant}: {psnr:.2} dB, at most {worst}; an identity shader: {bound:.2} dB, {least}"
    );
    assert!(
        psnr >= 50.0,
        "{model} x{scale} {variant}: {psnr:.2} dB, where the filter alone reaches {bound:.2}"
    );
    // The comparison would notice a shader that does not run: the filter's own enlargement is far off.
    let (without, _) = compare(&play(desk, "identity.glsl", "small.y4m", size), large);
    assert!(without < 40.0, "{without:.2} dB without the shader");
}

fn desk() -> Desk {
    let desk = Desk::new();
    fs::write(desk.path("small.y4m"), gray()).unwrap();
    let identity = "//!HOOK LUMA\n//!BIND LUMA\nvec4 hook() {\n    return LUMA_texOff(vec2(0.0));\n}\n";
    fs::write(desk.path("identity.glsl"), identity).unwrap();
    desk
}

#[test]
fn compute_shaders_give_what_the_program_gives() {
    let _alone = alone();
    if !libplacebo() {
        return;
    }
    let desk = desk();
    for scale in [2.0, 3.0, 4.0] {
        check(&desk, "small", scale, "compute");
    }
    // A shader leaves all of a factor to the network, as the program does where a network does not say for which it is.
    for (scale, nearest) in [(1.5, 2.0), (2.7, 3.0)] {
        let mut weights = Shipped::Small.nearest(nearest).unwrap();
        weights.metadata.scales.clear();
        fs::write(desk.path("unknown.safetensors"), weights.to_safetensors().unwrap()).unwrap();
        check(&desk, "unknown.safetensors", scale, "compute");
    }
}

#[test]
fn fragment_shaders_give_what_the_program_gives() {
    let _alone = alone();
    if !libplacebo() {
        return;
    }
    let desk = desk();
    for scale in [2.0, 3.0] {
        check(&desk, "small", scale, "fragment");
    }
}

/// Other shapes of networks and all paddings, by networks small enough to compile fast: layers of maps that are stored, a
/// last layer of one pixel, filters that do not fill groups of four.
#[test]
fn shaders_of_all_shapes() {
    let _alone = alone();
    if !libplacebo() {
        return;
    }
    let desk = desk();
    let mut models = Vec::new();
    for (padding, sizes, filters) in [
        (Padding::Replicate, "3-3-5", "6-5"),
        (Padding::Zero, "5-1-3", "5-3"),
        (Padding::Normalized, "3-3-1-3", "4-6-3"),
        (Padding::Zero, "3-5-3", "6-6"),
        (Padding::Replicate, "5-1", "3"),
        (Padding::Replicate, "3-3-3-1", "2-20-2"),
    ] {
        let name = format!("{padding}_{sizes}.safetensors");
        let blend = near_identity(&network(sizes, filters, 1, padding));
        fs::write(desk.path(&name), blend.to_safetensors().unwrap()).unwrap();
        models.push(name);
    }
    for model in &models {
        for variant in ["compute", "fragment"] {
            check(&desk, model, 2.0, variant);
        }
    }
}

/// A network whose result stays within luminance: its input, by a filter that lets it through, and a little of all others.
fn near_identity(weights: &Weights) -> Weights {
    let last = weights.layers().len() - 1;
    let layers = weights.layers().iter().enumerate().map(|(index, layer)| {
        let Layer { shape, mut weight, mut bias } = layer.clone();
        let LayerShape { size, .. } = shape;
        // Weights of the first filter on the first map: its middle is one.
        let small = if index == last { 0.05 } else { 0.3 };
        weight.iter_mut().for_each(|w| *w *= small);
        bias.iter_mut().for_each(|b| *b *= 0.1);
        weight[size * size / 2] += 0.9;
        Layer { shape, weight, bias }
    });
    let metadata = Metadata { scales: vec![2.0], ..weights.metadata.clone() };
    Weights::new(layers.collect(), metadata).unwrap()
}

#[test]
fn shaders_that_cannot_be_are_refused() {
    let desk = Desk::new();
    let cases: [(&str, Weights, &str); 4] = [
        ("color", network("3-3", "4", 3, Padding::Replicate), "luminance"),
        ("valid", network("3-3", "4", 1, Padding::Valid), "padding 'valid'"),
        ("many", network("3-3", "68", 1, Padding::Replicate), "68 maps"),
        ("huge", network("9-9-9", "64-64", 1, Padding::Replicate), "262144"),
    ];
    for (name, weights, words) in cases {
        fs::write(desk.path(&format!("{name}.safetensors")), weights.to_safetensors().unwrap()).unwrap();
        let run = desk.run(&format!("export mpv -m {name}.safetensors -s 2 --variant fragment -o a.glsl"));
        run.fails(2, &[words]);
    }
    // Compute shaders store as many maps as there are.
    let run = desk.run("export mpv -m many.safetensors -s 2 -o a.glsl");
    run.wrote(&["a.glsl: many.safetensors, for x2"]);
    let text = fs::read_to_string(desk.path("a.glsl")).unwrap();
    assert!(
        text.starts_with("// SRCNN 3-3 68 ") && text.contains("// License of the network: unknown"),
        "{text}"
    );
    let binds = |pass: &str| pass.lines().filter(|line| line.starts_with("//!BIND")).count();
    desk.run("export mpv -s 2 --variant fragment -o b.glsl").wrote(&["b.glsl: small x2, for x2"]);
    let text = fs::read_to_string(desk.path("b.glsl")).unwrap();
    assert_eq!(text.split("//!HOOK LUMA").map(binds).max(), Some(16));
    assert!(text.contains("License of the network: MIT OR Apache-2.0"));
}
