//! Tiles in textures of their own, for hosts with pictures larger than their textures.

use image::RgbaImage;
use srcnn_gpu::wgpu::TextureFormat;
use srcnn_gpu::{Error, TileSlot, Upscaler};

use crate::common;
use crate::host::{Host, picture, weights, weights_of};

/// Tiles with source and target textures of their own, two of them in flight: the result equals the whole picture's
/// bit for bit, and textures are no larger than a tile.
#[test]
fn tiles_in_textures_of_their_own_make_the_whole_result() {
    let _alone = common::alone();
    let host = Host::new();
    let picture = picture(61, 47);
    let mut upscaler = host.upscaler(&weights());
    let size = upscaler.prepare(picture.dimensions(), 2.0).unwrap();
    let whole = host.target(size, TextureFormat::Rgba8Unorm);
    let mut encoder = host.encoder();
    upscaler.record(&mut encoder, &host.source(&picture), &whole).unwrap();
    host.queue.submit([encoder.finish()]);
    let expected = host.read(&whole);

    for halved in [false, true] {
        let grid = upscaler.prepare_tiles(picture.dimensions(), 2.0, 2).unwrap();
        assert_eq!((grid.result, grid.tiles), (size, upscaler.tiles()));
        let side = if halved { 20 } else { 40 };
        assert!(grid.target_texture.0 <= side && grid.target_texture.1 <= side, "{grid:?}");
        let mut result = vec![0; expected.len()];
        for first in (0..grid.tiles).step_by(2) {
            // Record both slots before submitting either.
            let in_flight: Vec<_> = (first..grid.tiles.min(first + 2))
                .map(|tile| {
                    let [columns, rows] = upscaler.tile(tile).unwrap().map(|span| span.source.clone());
                    let size = (columns.len() as u32, rows.len() as u32);
                    let part = RgbaImage::from_fn(size.0, size.1, |x, y| {
                        *picture.get_pixel(columns.start as u32 + x, rows.start as u32 + y)
                    });
                    let target = host.target(grid.target_texture, TextureFormat::Rgba8Unorm);
                    let mut encoder = host.encoder();
                    let slot = TileSlot { tile, slot: tile % 2 };
                    upscaler.record_tile(&mut encoder, &host.source(&part), &target, slot, None).unwrap();
                    (tile, target, encoder)
                })
                .collect();
            for (tile, target, encoder) in in_flight {
                host.queue.submit([encoder.finish()]);
                let [columns, rows] = upscaler.tile(tile).unwrap();
                let lines = host.read(&target);
                let lines = lines.chunks_exact(4 * grid.target_texture.0 as usize).take(rows.len);
                for (y, line) in lines.enumerate() {
                    let at = 4 * ((rows.start + y) * size.0 as usize + columns.start);
                    result[at..][..4 * columns.len].copy_from_slice(&line[..4 * columns.len]);
                }
            }
        }
        assert!(result == expected, "tiles differ from the whole");
        assert!(upscaler.halve_tiles());
    }
    assert_eq!(upscaler.tile(0), None, "halving takes back what was prepared");
}

/// Textures and slots that do not fit a tile, and weights of another network, are refused with a reason.
#[test]
fn wrong_tiles_and_weights_are_refused() {
    let _alone = common::alone();
    let host = Host::new();
    let picture = picture(61, 47);
    let source = host.source(&picture);
    let target = host.target((122, 94), TextureFormat::Rgba8Unorm);
    let mut upscaler = host.upscaler(&weights());
    let record = |upscaler: &Upscaler, tile, slot| {
        let slot = TileSlot { tile, slot };
        upscaler.record_tile(&mut host.encoder(), &source, &target, slot, None)
    };
    let refused = |result: srcnn_gpu::Result<()>, word: &str| {
        let error = result.unwrap_err();
        assert!(matches!(&error, Error::InvalidArgument(text) if text.contains(word)), "{error}");
    };
    upscaler.prepare(picture.dimensions(), 2.0).unwrap();
    refused(record(&upscaler, 0, 0), "prepare_tiles");
    let grid = upscaler.prepare_tiles(picture.dimensions(), 2.0, 1).unwrap();
    refused(record(&upscaler, grid.tiles, 0), "tile");
    refused(record(&upscaler, 0, 1), "slot");
    refused(upscaler.record(&mut host.encoder(), &source, &target), "record_tile");
    let small = host.target((8, 8), TextureFormat::Rgba8Unorm);
    let slot = TileSlot { tile: 0, slot: 0 };
    refused(upscaler.record_tile(&mut host.encoder(), &source, &small, slot, None), "8x8");
    assert!(record(&upscaler, 0, 0).is_ok());
    refused(upscaler.set_weights(&weights_of("8-4")), "made for");
}
