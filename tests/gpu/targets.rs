//! Sources and targets of all formats that hosts have, surfaces' among them: values are gamma-encoded in memory, whatever
//! the format says and whether a result is stored or rendered.

use image::RgbaImage;
use srcnn_gpu::wgpu::{TextureFormat, TextureUsages};
use srcnn_gpu::{SourceKind, TargetAccess, TextureRef, Upscaler, UpscalerOptions};

use crate::common;
use crate::embedding::{assert_one_step, refused};
use crate::host::{Host, half, picture, weights};

pub const SIZE: (u32, u32) = (37, 29);
pub const LARGE: (u32, u32) = (74, 58);

/// An upscaler with several tiles for the picture below.
pub fn upscaler(host: &Host, change: impl FnOnce(UpscalerOptions) -> UpscalerOptions) -> Upscaler {
    let options = change(UpscalerOptions::for_device(&host.device).with_tile(40));
    let mut upscaler = Upscaler::new(&host.device, &host.queue, &weights(), options).unwrap();
    assert_eq!(upscaler.prepare(SIZE, 2.0).unwrap(), LARGE);
    assert!(upscaler.tiles() >= 4);
    upscaler
}

pub fn run<'a>(host: &Host, upscaler: &Upscaler, source: impl Into<TextureRef<'a>>, target: TextureRef<'a>) {
    let mut encoder = host.encoder();
    upscaler.record(&mut encoder, source, target).unwrap();
    host.queue.submit([encoder.finish()]);
}

/// The result of a stored target of a format, as bytes.
pub fn stored(host: &Host, picture: &RgbaImage, format: TextureFormat) -> Vec<u8> {
    let target = host.target(LARGE, format);
    let upscaler = upscaler(host, |options| options.with_target_format(format));
    run(host, &upscaler, &host.source(picture), TextureRef::new(&target));
    host.read(&target)
}

/// Whether the adapter renders to a format; if not, the library has to say so.
fn renders_to(host: &Host, format: TextureFormat, source: SourceKind) -> bool {
    let renders = host.renders_to(format);
    let options = UpscalerOptions::for_device(&host.device).with_source(source);
    let options = options.with_target_format(format).with_target_access(TargetAccess::Render);
    let upscaler = Upscaler::new(&host.device, &host.queue, &weights(), options);
    if renders {
        upscaler.unwrap();
    } else {
        eprintln!("skipped: this adapter does not render to {format:?}");
        refused(upscaler, "rendered to");
    }
    renders
}

fn floats(bytes: &[u8]) -> Vec<f32> {
    bytes.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect()
}

/// Swaps red and blue.
fn swapped(texels: &[u8]) -> Vec<u8> {
    texels.chunks_exact(4).flat_map(|t| [t[2], t[1], t[0], t[3]]).collect()
}

/// sRGB's function in f64, from gamma-encoded values to linear light.
fn linear(value: f64) -> f64 {
    let size = value.abs();
    let light = if size <= 0.04045 { size / 12.92 } else { ((size + 0.055) / 1.055).powf(2.4) };
    light.copysign(value)
}

#[test]
fn all_formats_of_8_bits_end_in_the_same_bytes() {
    use TextureFormat::{Bgra8Unorm, Bgra8UnormSrgb, Rgba8Unorm, Rgba8UnormSrgb};
    let _alone = common::alone();
    let host = Host::new();
    let picture = picture(SIZE.0, SIZE.1);
    let expected = stored(&host, &picture, Rgba8Unorm);
    let formats = [Rgba8Unorm, Rgba8UnormSrgb, Bgra8Unorm, Bgra8UnormSrgb];
    for format in formats {
        for view in [format.remove_srgb_suffix(), format.add_srgb_suffix()] {
            if view != format && !host.view_formats {
                eprintln!("skipped: this backend cannot look at {format:?} as {view:?}");
                continue;
            }
            let usage = TextureUsages::RENDER_ATTACHMENT | TextureUsages::COPY_SRC;
            let texture = host.texture_viewed(LARGE, format, view, usage);
            let upscaler = upscaler(&host, |options| {
                options.with_target_format(view).with_target_access(TargetAccess::Render)
            });
            run(&host, &upscaler, &host.source(&picture), TextureRef::new(&texture).with_format(view));
            let bytes = host.read(&texture);
            let bgra = [Bgra8Unorm, Bgra8UnormSrgb].contains(&format);
            eprintln!("{format:?} as {view:?}");
            assert_one_step(&if bgra { swapped(&bytes) } else { bytes }, &expected);
        }
    }
}

#[test]
fn deeper_formats_hold_the_values_that_are_stored() {
    let _alone = common::alone();
    let host = Host::new();
    let picture = picture(SIZE.0, SIZE.1);
    let expected = floats(&stored(&host, &picture, TextureFormat::Rgba32Float));
    let rendered = |format| {
        let target = host.texture(LARGE, format, TextureUsages::RENDER_ATTACHMENT | TextureUsages::COPY_SRC);
        let upscaler = upscaler(&host, |options| {
            options.with_target_format(format).with_target_access(TargetAccess::Render)
        });
        run(&host, &upscaler, &host.source(&picture), TextureRef::new(&target));
        host.read(&target)
    };
    let near = |values: Vec<f32>, tolerance: fn(f32) -> f32, name: &str| {
        assert_eq!(values.len(), expected.len());
        for (i, (value, &expected)) in values.into_iter().zip(&expected).enumerate() {
            assert!(
                (value - expected).abs() <= tolerance(expected),
                "{name} {i}: {value}, expected {expected}"
            );
        }
    };
    if renders_to(&host, TextureFormat::Rgba32Float, SourceKind::Color) {
        near(floats(&rendered(TextureFormat::Rgba32Float)), |_| 1e-6, "Rgba32Float");
    }
    let halves = if renders_to(&host, TextureFormat::Rgba16Float, SourceKind::Color) {
        rendered(TextureFormat::Rgba16Float)
    } else {
        stored(&host, &picture, TextureFormat::Rgba16Float)
    };
    let halves = halves.chunks_exact(2).map(|b| half([b[0], b[1]])).collect();
    near(halves, |value| value.abs() / 1024.0 + 1e-6, "Rgba16Float");
    let words = rendered(TextureFormat::Rgb10a2Unorm);
    for (i, (word, expected)) in words.chunks_exact(4).zip(expected.chunks_exact(4)).enumerate() {
        let word = u32::from_le_bytes([word[0], word[1], word[2], word[3]]);
        for (c, &expected) in expected.iter().enumerate() {
            let (steps, most) = if c < 3 { (word >> (10 * c) & 1023, 1023.0) } else { (word >> 30, 3.0) };
            let off = (steps as f32 - expected.clamp(0.0, 1.0) * most).abs();
            // Some devices cut off instead of rounding.
            assert!(off < 1.0, "Rgb10a2Unorm {i}, channel {c}: {steps}, expected {expected} of {most}");
        }
    }
}

#[test]
fn a_linear_target_gets_linear_light() {
    let _alone = common::alone();
    let host = Host::new();
    let picture = picture(SIZE.0, SIZE.1);
    let format = TextureFormat::Rgba32Float;
    let encoded = floats(&stored(&host, &picture, format));
    for (access, usage) in [
        (TargetAccess::Store, TextureUsages::STORAGE_BINDING),
        (TargetAccess::Render, TextureUsages::RENDER_ATTACHMENT),
    ] {
        if access == TargetAccess::Render && !renders_to(&host, format, SourceKind::Color) {
            continue;
        }
        let upscaler = upscaler(&host, |options| {
            options.with_target_format(format).with_linear_target(true).with_target_access(access)
        });
        let target = host.texture(LARGE, format, usage | TextureUsages::COPY_SRC);
        run(&host, &upscaler, &host.source(&picture), TextureRef::new(&target));
        let light = floats(&host.read(&target));
        let mut most = 0.0_f64;
        for (i, (&light, &value)) in light.iter().zip(&encoded).enumerate() {
            let value = f64::from(value);
            let expected = if i % 4 == 3 { value } else { linear(value) };
            // The powers of shaders are exact to about 16 bits.
            assert!(
                (f64::from(light) - expected).abs() < 2e-5,
                "{access:?} {i}: {light}, expected {expected}"
            );
            most = most.max((expected - value).abs());
        }
        assert!(most > 0.1, "linear light and encoded values are far apart");
    }
}

#[test]
fn sources_of_all_formats_are_seen_as_their_bytes() {
    use TextureFormat::{Bgra8Unorm, Bgra8UnormSrgb, Rgba8Unorm, Rgba8UnormSrgb};
    let _alone = common::alone();
    let host = Host::new();
    let picture = picture(SIZE.0, SIZE.1);
    let expected = stored(&host, &picture, Rgba8Unorm);
    let usage = TextureUsages::TEXTURE_BINDING | TextureUsages::COPY_DST;
    for format in [Rgba8Unorm, Rgba8UnormSrgb, Bgra8Unorm, Bgra8UnormSrgb] {
        for view in [format.remove_srgb_suffix(), format.add_srgb_suffix()] {
            if view != format && !host.view_formats {
                eprintln!("skipped: this backend cannot look at {format:?} as {view:?}");
                continue;
            }
            let source = host.texture_viewed(SIZE, format, view, usage);
            let bgra = [Bgra8Unorm, Bgra8UnormSrgb].contains(&format);
            let texels = if bgra { swapped(&picture) } else { picture.to_vec() };
            host.write(source.as_image_copy(), SIZE, &texels);
            let target = host.target(LARGE, Rgba8Unorm);
            let upscaler = upscaler(&host, |options| options.with_linear_source(view.is_srgb()));
            eprintln!("{format:?} as {view:?}");
            run(&host, &upscaler, TextureRef::new(&source).with_format(view), TextureRef::new(&target));
            assert_one_step(&host.read(&target), &expected);
        }
    }
    // Linear light in floats, as renderers have it.
    let light: Vec<u8> = picture
        .chunks_exact(4)
        .flat_map(|texel| {
            let color = |byte: u8| linear(f64::from(byte) / 255.0) as f32;
            [color(texel[0]), color(texel[1]), color(texel[2]), f32::from(texel[3]) / 255.0]
        })
        .flat_map(f32::to_le_bytes)
        .collect();
    let source = host.texture(SIZE, TextureFormat::Rgba32Float, usage);
    host.write(source.as_image_copy(), SIZE, &light);
    let target = host.target(LARGE, Rgba8Unorm);
    let linear = upscaler(&host, |options| options.with_linear_source(true));
    run(&host, &linear, &source, TextureRef::new(&target));
    // Powers in shaders are exact to some 16 bits, and the network's filters add up their errors.
    let result = host.read(&target);
    let steps: Vec<_> =
        result.iter().zip(&expected).map(|(a, e)| a.abs_diff(*e)).filter(|&d| d > 0).collect();
    assert!(steps.iter().all(|&step| step == 1), "more than a step");
    assert!(steps.len() * 20 < expected.len(), "{} of {} differ", steps.len(), expected.len());
}

/// A plane of luminance goes to formats with one channel, stored and rendered.
#[test]
fn planes_go_to_one_channel() {
    let _alone = common::alone();
    let host = Host::new();
    let picture = picture(SIZE.0, SIZE.1);
    let usage = |own| own | TextureUsages::COPY_SRC;
    let result = |format, access, own| {
        let upscaler = upscaler(&host, |options| {
            options.with_source(SourceKind::Planes).with_target_format(format).with_target_access(access)
        });
        let target = host.texture(LARGE, format, usage(own));
        run(&host, &upscaler, &host.source(&picture), TextureRef::new(&target));
        host.read(&target)
    };
    let (store, render) = (TextureUsages::STORAGE_BINDING, TextureUsages::RENDER_ATTACHMENT);
    let stored = floats(&result(TextureFormat::R32Float, None, store));
    let rendered = if renders_to(&host, TextureFormat::R32Float, SourceKind::Planes) {
        floats(&result(TextureFormat::R32Float, Some(TargetAccess::Render), render))
    } else {
        stored.clone()
    };
    let bytes = result(TextureFormat::R8Unorm, None, render);
    assert_eq!((stored.len(), rendered.len(), bytes.len()), (74 * 58, 74 * 58, 74 * 58));
    for ((&stored, rendered), byte) in stored.iter().zip(rendered).zip(bytes) {
        assert!((stored - rendered).abs() <= 1e-6, "{rendered}, expected {stored}");
        assert!((stored.clamp(0.0, 1.0) * 255.0 - f32::from(byte)).abs() < 0.51, "{byte}, expected {stored}");
    }
}

/// What a target holds beside the result stays, and tiles may come in several submissions.
#[test]
fn a_rendered_result_leaves_the_rest_of_the_target() {
    let _alone = common::alone();
    let host = Host::new();
    let picture = picture(SIZE.0, SIZE.1);
    let expected = stored(&host, &picture, TextureFormat::Rgba8Unorm);
    let options = |options: UpscalerOptions| options.with_target_access(TargetAccess::Render);
    let upscaler = upscaler(&host, options);
    let (width, height) = (LARGE.0 + 9, LARGE.1 + 5);
    let usage = TextureUsages::RENDER_ATTACHMENT | TextureUsages::COPY_SRC | TextureUsages::COPY_DST;
    let target = host.texture((width, height), TextureFormat::Rgba8Unorm, usage);
    host.write(target.as_image_copy(), (width, height), &vec![77; (4 * width * height) as usize]);
    let source = host.source(&picture);
    for tiles in [0..1, 1..4] {
        let mut encoder = host.encoder();
        upscaler.record_tiles(&mut encoder, &source, &target, tiles).unwrap();
        host.queue.submit([encoder.finish()]);
    }
    // Only the last kernel, as hosts that measure do: the same result once more.
    let kernels = upscaler.kernels();
    assert_eq!(kernels.last(), Some(&"render_from_planes"));
    for kernel in 0..kernels.len() - 1 {
        upscaler.record_timed(&mut host.encoder(), &source, &target, Some(kernel), None).unwrap();
    }
    let all = host.read(&target);
    let (inside, beside): (Vec<_>, Vec<_>) = all
        .chunks_exact(4)
        .enumerate()
        .partition(|(i, _)| *i as u32 % width < LARGE.0 && (*i as u32) < width * LARGE.1);
    assert_one_step(&inside.iter().flat_map(|(_, texel)| *texel).copied().collect::<Vec<_>>(), &expected);
    assert!(beside.iter().all(|(_, texel)| *texel == [77; 4]), "the rest has changed");
}
