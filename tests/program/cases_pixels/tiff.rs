use std::fs;

use image::{DynamicImage, ImageBuffer, Luma, LumaA, Rgb, Rgba};

use super::{Cases, color, gray, level};
use crate::common::desk::Desk;
use crate::common::jpeg::{Component, jpeg};
use crate::common::tiff::Tiff;

const WIDTH: u32 = 21;
const HEIGHT: u32 = 10;

fn forms() -> Vec<(&'static str, Tiff)> {
    Tiff::forms(WIDTH as u16, HEIGHT as u16)
}

/// Numbers of any size one after the other, the highest bit first; each row begins with a byte.
fn packed(bits: u32, value: impl Fn(u32, u32) -> u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    for y in 0..HEIGHT {
        let all = (0..WIDTH).flat_map(|x| (0..bits).rev().map(move |bit| (x, bit)));
        let row: Vec<u32> = all.map(|(x, bit)| value(x, y) >> bit & 1).collect();
        bytes.extend(row.chunks(8).map(|part| {
            let bits = part.iter().chain([0; 7].iter()).take(8);
            bits.fold(0, |byte, &bit| byte << 1 | bit) as u8
        }));
    }
    bytes
}

#[test]
fn grey_of_any_depth_with_black_or_white_as_zero() {
    let mut cases = Cases::new();
    for bits in [1, 2, 4, 6, 8, 10, 12, 14, 16] {
        let top = (1u32 << bits) - 1;
        let value = move |x, y| level(x, y) * (level(y, x) + 1) % (top + 1);
        let same: DynamicImage = match bits {
            ..=8 => ImageBuffer::from_fn(WIDTH, HEIGHT, |x, y| {
                Luma([((value(x, y) * 255 + top / 2) / top) as u8])
            })
            .into(),
            _ => ImageBuffer::from_fn(WIDTH, HEIGHT, |x, y| {
                let share = f64::from(value(x, y)) / f64::from(top);
                Luma([(share * 65535.0).round() as u16])
            })
            .into(),
        };
        for (form, file) in forms() {
            for (name, kind) in [("white", 0), ("black", 1)] {
                let stored = |x, y| if kind == 0 { top - value(x, y) } else { value(x, y) };
                // Only whole numbers of bytes have an order.
                let pixels = match bits {
                    16 => file.numbers((0..WIDTH * HEIGHT).map(|i| stored(i % WIDTH, i / WIDTH).into()), 2),
                    _ => packed(bits, stored),
                };
                let file = file.clone().samples(kind, bits as u16, 1).strip(pixels);
                cases.add(&format!("{name}{bits}{form}"), "tif", &file.file(), same.clone(), 0);
            }
        }
    }
    cases.check();
}

#[test]
fn palettes() {
    let mut cases = Cases::new();
    for bits in [1, 2, 4, 8] {
        let colors = 1u32 << bits;
        let index = |x, y| level(x, y) % colors;
        let shade = |channel: u32, index: u32| (index * (50 + 40 * channel) + 9 * channel) % 256;
        let same = ImageBuffer::from_fn(WIDTH, HEIGHT, |x, y| {
            Rgb([0, 1, 2].map(|channel| shade(channel, index(x, y)) as u8))
        });
        // Levels of 8 bits as 16 bits, as their upper half, and as they are.
        for (map, factor) in [("even", 257), ("upper", 256), ("narrow", 1)] {
            let all = (0..3).flat_map(|channel| (0..colors).map(move |i| shade(channel, i) * factor));
            let all: Vec<u16> = all.map(|value| value as u16).collect();
            for (form, file) in forms() {
                let file = file.samples(3, bits as u16, 1).shorts(0x140, &all).strip(packed(bits, index));
                cases.add(&format!("{map}{bits}{form}"), "tif", &file.file(), same.clone(), 0);
            }
        }
    }
    cases.check();
}

#[test]
fn alpha_of_every_kind() {
    let mut cases = Cases::new();
    let alpha = |x: u32| (x * 12 + 3) as u8;
    let clear = ImageBuffer::from_fn(WIDTH, HEIGHT, |x, y| {
        let Rgb([r, g, b]) = *color(WIDTH, HEIGHT).get_pixel(x, y);
        Rgba([r, g, b, alpha(x)])
    });
    let gray_clear = ImageBuffer::from_fn(WIDTH, HEIGHT, |x, y| LumaA([level(x, y) as u8, alpha(x)]));
    let multiplied: Vec<u8> = clear
        .pixels()
        .flat_map(|p| {
            let times = |v: u8| ((u32::from(v) * u32::from(p[3]) + 127) / 255) as u8;
            [times(p[0]), times(p[1]), times(p[2]), p[3]]
        })
        .collect();
    let divided = ImageBuffer::from_fn(WIDTH, HEIGHT, |x, y| {
        let at = 4 * (y * WIDTH + x) as usize;
        let [r, g, b, a] = [0, 1, 2, 3].map(|i| u32::from(multiplied[at + i]));
        let divided = |v: u32| ((2 * 255 * v + a) / (2 * a)).min(255) as u8;
        Rgba([divided(r), divided(g), divided(b), a as u8])
    });
    let dark = ImageBuffer::from_fn(WIDTH, HEIGHT, |x, y| {
        let Rgba([r, g, b, _]) = *clear.get_pixel(x, y);
        Rgb([r, g, b])
    });
    for (form, file) in forms() {
        let rgba = |extra: &[u16], pixels: &[u8]| {
            let file = file.clone().samples(2, 8, 4).strip(pixels.to_vec());
            if extra.is_empty() { file.file() } else { file.shorts(0x152, extra).file() }
        };
        cases.add(&format!("straight{form}"), "tif", &rgba(&[2], &clear), clear.clone(), 0);
        cases.add(&format!("untold{form}"), "tif", &rgba(&[], &clear), clear.clone(), 0);
        cases.add(&format!("multiplied{form}"), "tif", &rgba(&[1], &multiplied), divided.clone(), 0);
        cases.add(&format!("unknown{form}"), "tif", &rgba(&[0], &clear), dark.clone(), 0);
        let gray = file.clone().samples(1, 8, 2).shorts(0x152, &[2]).strip(gray_clear.to_vec());
        cases.add(&format!("gray{form}"), "tif", &gray.file(), gray_clear.clone(), 0);
        let wide = file.numbers(gray_clear.iter().map(|&v| u64::from(v) * 257), 2);
        let wide = file.clone().samples(1, 16, 2).shorts(0x152, &[2]).strip(wide).file();
        let same = DynamicImage::from(gray_clear.clone()).into_luma_alpha16();
        cases.add(&format!("gray16{form}"), "tif", &wide, same, 0);
        // Planes, of which one has no meaning.
        let plane = |channel: usize| clear.iter().skip(channel).step_by(4).copied().collect::<Vec<u8>>();
        let planes = [plane(0), plane(1), plane(2), vec![9; (WIDTH * HEIGHT) as usize], plane(3)];
        let planar = file.clone().samples(2, 8, 5).shorts(0x152, &[0, 2]).shorts(0x11c, &[2]);
        let planar = planes.into_iter().fold(planar, Tiff::strip).file();
        cases.add(&format!("planar{form}"), "tif", &planar, clear.clone(), 0);
    }
    let told = cases.check().stderr;
    assert!(told.contains("unknown_big.tif: 1 of its channels have no known meaning"), "{told}");
    assert!(!told.contains("straight"), "{told}");
}

/// Tiles that reach beyond the picture, reversed bits, inks, and chrominance that pixels share.
#[test]
fn other_ways_to_store() {
    let mut cases = Cases::new();
    let (plain, dark) = (color(WIDTH, HEIGHT), gray(WIDTH, HEIGHT));
    let bilevel = |x: u32, y: u32| u32::from(level(x, y) > 100);
    let black_and_white = ImageBuffer::from_fn(WIDTH, HEIGHT, |x, y| Luma([255 * bilevel(x, y) as u8]));
    for (form, file) in forms() {
        let tiled = file.clone().samples(2, 8, 3).shorts(0x142, &[16]).shorts(0x143, &[16]);
        let tile = |first: u32| {
            let all = (0..16).flat_map(|y| (first..first + 16).map(move |x| (x, y)));
            let pixel = |(x, y)| if x < WIDTH && y < HEIGHT { plain.get_pixel(x, y).0 } else { [77; 3] };
            all.flat_map(pixel).collect::<Vec<u8>>()
        };
        let tiled = tiled.tile(tile(0)).tile(tile(16)).file();
        cases.add(&format!("tiled{form}"), "tif", &tiled, plain.clone(), 0);

        let strips = file.clone().samples(1, 8, 1).shorts(0x116, &[4]);
        let strips = dark.chunks(4 * WIDTH as usize).fold(strips, |file, rows| file.strip(rows.to_vec()));
        cases.add(&format!("strips{form}"), "tif", &strips.file(), dark.clone(), 0);

        let reversed = packed(1, bilevel).into_iter().map(u8::reverse_bits).collect();
        let reversed = file.clone().samples(1, 1, 1).shorts(0x10a, &[2]).strip(reversed);
        cases.add(&format!("reversed{form}"), "tif", &reversed.file(), black_and_white.clone(), 0);

        let inks = plain.pixels().flat_map(|p| [255 - p[0], 255 - p[1], 255 - p[2], 0]).collect();
        let inks = file.clone().samples(5, 8, 4).strip(inks).file();
        cases.add(&format!("inks{form}"), "tif", &inks, plain.clone(), 0);

        // Two columns and two rows share their chrominance, which is none; the last unit has a column to spare.
        let units = (0..HEIGHT / 2).flat_map(|v| (0..WIDTH.div_ceil(2)).map(move |u| (2 * u, 2 * v)));
        let light = |x: u32, y: u32| level(x.min(WIDTH - 1), y) as u8;
        let unit = |(x, y)| [light(x, y), light(x + 1, y), light(x, y + 1), light(x + 1, y + 1), 128, 128];
        let shared = file.clone().samples(6, 8, 3).shorts(0x212, &[2, 2]);
        let shared = shared.strip(units.flat_map(unit).collect()).file();
        let same = DynamicImage::from(dark.clone()).into_rgb8();
        cases.add(&format!("shared{form}"), "tif", &shared, same, 0);

        // A JPEG file in a strip.
        let levels: [fn(usize, usize) -> u8; 3] =
            [|x, y| (80 + 30 * x + 9 * y) as u8, |x, _| (110 + 9 * x) as u8, |x, _| (150 - 8 * x) as u8];
        let [light, blue, red] = levels.map(|level| Component { sampling: (1, 1), level });
        let strip = jpeg((WIDTH as usize, HEIGHT as usize), &[light, blue, red], &[&[0, 1, 2]], false);
        let same = image::load_from_memory(&strip).unwrap();
        let compressed = file.clone().samples(6, 8, 3).replaced(0x103, &[7]).strip(strip).file();
        cases.add(&format!("jpeg{form}"), "tif", &compressed, same, 3 * 257);

        let stored = image::imageops::rotate270(&plain);
        let (_, turned) =
            Tiff::forms(HEIGHT as u16, WIDTH as u16).into_iter().find(|(name, _)| *name == form).unwrap();
        let turned = turned.samples(2, 8, 3).shorts(0x112, &[6]).strip(stored.into_raw()).file();
        cases.add(&format!("turned{form}"), "tif", &turned, plain.clone(), 0);
    }
    cases.check();
}

/// What comes with the pixels is the same in all forms.
#[test]
fn metadata_of_all_forms() {
    let desk = Desk::new();
    let mut profile = vec![7u8; 200];
    profile[16..20].copy_from_slice(b"RGB ");
    let mut results = Vec::new();
    for (form, file) in forms() {
        let file = file.samples(2, 8, 3).strip(color(WIDTH, HEIGHT).into_raw()).with_more_pages();
        let file = file.bytes(0x10e, 2, b"a description\0").bytes(0x2bc, 1, b"<x:xmpmeta/>");
        let file = file.bytes(0x8773, 7, &profile).shorts(0x128, &[3]).file();
        fs::write(desk.path(&format!("a{form}.tif")), file).unwrap();
        let run = desk.upscale(&format!("a{form}.tif -o b{form}.tif"));
        assert!(run.code == Some(0) && run.stderr.contains("more pages"), "{}", run.stderr);
        results.push(fs::read(desk.path(&format!("b{form}.tif"))).unwrap());
    }
    for part in [b"a description".as_slice(), b"<x:xmpmeta/>", &profile] {
        assert!(results[0].windows(part.len()).any(|found| found == part));
    }
    assert!(results.iter().all(|result| *result == results[0]), "the forms differ");
}

/// What cannot be read is refused by name.
#[test]
fn refusals() {
    let desk = Desk::new();
    for (form, file) in forms() {
        let name = format!("a{form}.tif");
        for (tag, values, samples, words) in [
            (0x103, vec![50000], (2, 8, 3), ["with Zstandard", "LZW or Deflate"]),
            (0x103, vec![6], (6, 8, 3), ["old JPEG", "LZW or Deflate"]),
            (0x11c, vec![1], (8, 8, 3), ["CIELab", "convert it to RGB"]),
            (0x153, vec![2], (1, 16, 1), ["integers with a sign", "without"]),
            (0x102, vec![5, 6, 5], (2, 8, 3), ["differ in their bits", "8 or 16 bits"]),
            (0x142, vec![60000], (1, 8, 1), ["tiles of 60000x", "exceed the picture"]),
        ] {
            let (kind, bits, channels) = samples;
            let mut file = file.clone().samples(kind, bits, channels).strip(vec![1; 2000]);
            if tag == 0x142 {
                file = file.shorts(0x143, &[60000]);
            }
            fs::write(desk.path(&name), file.replaced(tag, &values).file()).unwrap();
            let words: Vec<&str> = [name.as_str()].into_iter().chain(words).collect();
            desk.upscale(&format!("{name} -o b.png")).fails(1, &words);
        }
    }
}
