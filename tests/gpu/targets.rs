//! Sources and targets of all formats that hosts have, surfaces' among them: values are gamma-encoded in memory, whatever
//! the format says and whether a result is stored or rendered.

use image::RgbaImage;
use srcnn_gpu::wgpu::{self, TextureFormat, TextureUsages};
use srcnn_gpu::{SourceKind, TargetAccess, TextureRef, Upscaler, UpscalerOptions};

use crate::common;
use crate::embedding::{assert_one_step, refused};
use crate::host::{Host, half, picture, weights};

const SIZE: (u32, u32) = (37, 29);
const LARGE: (u32, u32) = (74, 58);

/// An upscaler with several tiles for the picture below.
fn upscaler(host: &Host, change: impl FnOnce(UpscalerOptions) -> UpscalerOptions) -> Upscaler {
    let options = change(UpscalerOptions::for_device(&host.device).with_tile(40));
    let mut upscaler = Upscaler::new(&host.device, &host.queue, &weights(), options).unwrap();
    assert_eq!(upscaler.prepare(SIZE, 2.0).unwrap(), LARGE);
    assert!(upscaler.tiles() >= 4);
    upscaler
}

fn run<'a>(host: &Host, upscaler: &Upscaler, source: impl Into<TextureRef<'a>>, target: TextureRef<'a>) {
    let mut encoder = host.encoder();
    upscaler.record(&mut encoder, source, target).unwrap();
    host.queue.submit([encoder.finish()]);
}

/// A texture that can be looked at in `view`, as far as the backend can.
fn with_view(
    host: &Host,
    size: (u32, u32),
    format: TextureFormat,
    view: TextureFormat,
    usage: TextureUsages,
) -> wgpu::Texture {
    let (width, height) = size;
    host.device.create_texture(&wgpu::TextureDescriptor {
        label: None,
        size: wgpu::Extent3d { width, height, depth_or_array_layers: 1 },
        mip_level_count: 1,
        sample_count: 1,
        dimension: wgpu::TextureDimension::D2,
        format,
        usage,
        view_formats: if view == format { &[] } else { std::slice::from_ref(&view) },
    })
}

/// The result of a stored target of a format, as bytes.
fn stored(host: &Host, picture: &RgbaImage, format: TextureFormat) -> Vec<u8> {
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
            let texture = with_view(&host, LARGE, format, view, usage);
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
            let source = with_view(&host, SIZE, format, view, usage);
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

fn at(texture: &wgpu::Texture, layer: u32, mip_level: u32) -> wgpu::TexelCopyTextureInfo<'_> {
    let origin = wgpu::Origin3d { x: 0, y: 0, z: layer };
    wgpu::TexelCopyTextureInfo { texture, mip_level, origin, aspect: wgpu::TextureAspect::All }
}

/// A host that shows a part computes only the tiles that it sees; these are the same as in the whole, up to their borders.
#[test]
fn only_what_is_seen_is_computed() {
    let _alone = common::alone();
    let host = Host::new();
    let source = host.source(&picture(SIZE.0, SIZE.1));
    for access in [TargetAccess::Store, TargetAccess::Render] {
        let upscaler = upscaler(&host, |options| options.with_tile(20).with_target_access(access));
        let usage = upscaler.target_usage() | TextureUsages::COPY_SRC;
        let [whole, part] = [(); 2].map(|()| host.texture(LARGE, TextureFormat::Rgba8Unorm, usage));
        run(&host, &upscaler, &source, TextureRef::new(&whole));
        let seen: Vec<_> = upscaler.tiles_within(25..61, 18..39).collect();
        assert_eq!(seen, [1, 2, 3, 5, 6, 7]);
        let mut encoder = host.encoder();
        for &tile in &seen {
            upscaler.record_tiles(&mut encoder, &source, &part, tile..tile + 1).unwrap();
        }
        host.queue.submit([encoder.finish()]);
        let (whole, part) = (host.read(&whole), host.read(&part));
        for (i, (part, whole)) in part.chunks_exact(4).zip(whole.chunks_exact(4)).enumerate() {
            let (x, y) = (i as u32 % LARGE.0, i as u32 / LARGE.0);
            let computed = x >= 20 && y < 40;
            assert_eq!(part, if computed { whole } else { &[0; 4] }, "{access:?} at {x}, {y}");
        }
    }
    let upscaler = upscaler(&host, |options| options);
    assert_eq!(upscaler.tiles_within(0..0, 0..9).count() + upscaler.tiles_within(200..300, 0..9).count(), 0);
}

/// A layer of an array and a mip level are sources and targets like any other texture.
#[test]
fn layers_and_mip_levels() {
    let _alone = common::alone();
    let host = Host::new();
    let picture = picture(SIZE.0, SIZE.1);
    let expected = stored(&host, &picture, TextureFormat::Rgba8Unorm);
    let texture = |(width, height), layers, usage| {
        host.device.create_texture(&wgpu::TextureDescriptor {
            label: None,
            size: wgpu::Extent3d { width, height, depth_or_array_layers: layers },
            mip_level_count: 2,
            sample_count: 1,
            dimension: wgpu::TextureDimension::D2,
            format: TextureFormat::Rgba8Unorm,
            usage,
            view_formats: &[],
        })
    };
    let usage = TextureUsages::TEXTURE_BINDING | TextureUsages::COPY_DST;
    let opengl = host.device.adapter_info().backend == wgpu::Backend::Gl;
    for (access, own) in [
        (TargetAccess::Store, TextureUsages::STORAGE_BINDING),
        (TargetAccess::Render, TextureUsages::RENDER_ATTACHMENT),
    ] {
        let upscaler = upscaler(&host, |options| options.with_target_access(access));
        for [from, to] in [[1, 1], [1, 2], [2, 1]] {
            let source = texture((2 * SIZE.0, 2 * SIZE.1), from, usage);
            let target = texture((2 * LARGE.0, 2 * LARGE.1), to, own | TextureUsages::COPY_SRC);
            host.write(at(&source, from - 1, 1), SIZE, &picture);
            let source = TextureRef::new(&source).with_layer(from - 1).with_mip_level(1);
            let part = TextureRef::new(&target).with_layer(to - 1).with_mip_level(1);
            assert_eq!((source.size(), part.size()), (SIZE, LARGE));
            if opengl && from > 1 {
                refused(upscaler.record(&mut host.encoder(), source, part), "OpenGL");
                continue;
            }
            run(&host, &upscaler, source, part);
            let usage = TextureUsages::COPY_DST | TextureUsages::COPY_SRC;
            let copy = host.texture(LARGE, TextureFormat::Rgba8Unorm, usage);
            let mut encoder = host.encoder();
            encoder.copy_texture_to_texture(at(&target, to - 1, 1), copy.as_image_copy(), copy.size());
            host.queue.submit([encoder.finish()]);
            eprintln!("{access:?}, {from} to {to} layers");
            assert_one_step(&host.read(&copy), &expected);
            let beyond = part.with_layer(to);
            refused(upscaler.record(&mut host.encoder(), source, beyond), "layers");
        }
    }
}

/// A format that the texture was not made for, and usages that it lacks, are told before the device complains.
#[test]
fn views_that_cannot_be_are_refused() {
    let _alone = common::alone();
    let host = Host::new();
    let source = host.source(&picture(SIZE.0, SIZE.1));
    let target = host.target(LARGE, TextureFormat::Rgba8Unorm);
    let upscaler = upscaler(&host, |options| options.with_linear_source(true));
    let other = TextureRef::new(&source).with_format(TextureFormat::Rgba8UnormSrgb);
    refused(upscaler.record(&mut host.encoder(), other, &target), "looked at as Rgba8UnormSrgb");
    let usage = TextureUsages::RENDER_ATTACHMENT | TextureUsages::COPY_SRC;
    let rendered = host.texture(LARGE, TextureFormat::Rgba8Unorm, usage);
    refused(upscaler.record(&mut host.encoder(), &source, &rendered), "TargetAccess::Render");
    let srgb = host.texture(LARGE, TextureFormat::Rgba8UnormSrgb, usage);
    refused(upscaler.record(&mut host.encoder(), &source, &srgb), "target_format");
}
