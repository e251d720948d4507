//! Which part of a texture is read or written, and what is refused.

use srcnn_gpu::wgpu::{self, TextureFormat, TextureUsages};
use srcnn_gpu::{TargetAccess, TextureRef};

use crate::common;
use crate::embedding::{assert_one_step, refused};
use crate::host::{Host, picture};
use crate::targets::{LARGE, SIZE, run, stored, upscaler};

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

/// Timestamps enclose all passes, or the one kernel that runs, whether it computes or renders.
#[test]
fn timestamps_enclose_what_is_rendered() {
    let _alone = common::alone();
    let host = Host::with_features(wgpu::Features::TIMESTAMP_QUERY);
    if !host.device.features().contains(wgpu::Features::TIMESTAMP_QUERY) {
        eprintln!("skipped: this adapter has no timestamps");
        return;
    }
    let source = host.source(&picture(SIZE.0, SIZE.1));
    let usage = TextureUsages::RENDER_ATTACHMENT | TextureUsages::COPY_SRC;
    let target = host.texture(LARGE, TextureFormat::Rgba8Unorm, usage);
    let upscaler = upscaler(&host, |options| options.with_target_access(TargetAccess::Render));
    let query_set = host.device.create_query_set(&wgpu::QuerySetDescriptor {
        label: None,
        ty: wgpu::QueryType::Timestamp,
        count: 2,
    });
    let buffer = |usage| {
        let descriptor = wgpu::BufferDescriptor { label: None, size: 16, usage, mapped_at_creation: false };
        host.device.create_buffer(&descriptor)
    };
    let resolved = buffer(wgpu::BufferUsages::QUERY_RESOLVE | wgpu::BufferUsages::COPY_SRC);
    let mut last_end = 0;
    for kernel in [None, Some(0), Some(upscaler.kernels().len() - 1)] {
        let stamps = wgpu::ComputePassTimestampWrites {
            query_set: &query_set,
            beginning_of_pass_write_index: Some(0),
            end_of_pass_write_index: Some(1),
        };
        let staging = buffer(wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST);
        let mut encoder = host.encoder();
        upscaler.record_timed(&mut encoder, &source, &target, kernel, Some(stamps)).unwrap();
        encoder.resolve_query_set(&query_set, 0..2, &resolved, 0);
        encoder.copy_buffer_to_buffer(&resolved, 0, &staging, 0, 16);
        host.queue.submit([encoder.finish()]);
        staging.slice(..).map_async(wgpu::MapMode::Read, |_| ());
        host.device.poll(wgpu::PollType::wait_indefinitely()).unwrap();
        let times: Vec<u64> = bytemuck::pod_collect_to_vec(&staging.get_mapped_range(..).unwrap());
        assert!(last_end < times[0] && times[0] < times[1], "{kernel:?}: {times:?} after {last_end}");
        last_end = times[1];
    }
}
