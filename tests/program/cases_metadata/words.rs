//! IPTC, comments and texts go where they can.

use image::ColorType;

use super::files::{
    IPTC, chunk, compressed_profile, jpeg_with, orientation, photoshop, png_with, raw_profile, segment,
};
use crate::formats::corpus::picture;
use crate::formats::desk::Desk;

#[test]
fn iptc_goes_from_format_to_format() {
    let desk = Desk::new();
    let stored = picture(ColorType::Rgb8, 14, 10);
    for with_path in [false, true] {
        desk.write("a.jpg", jpeg_with(&stored, &[photoshop(with_path)]));
        for (from, to) in [
            ("a.jpg", "b.jpg"),
            ("a.jpg", "b.png"),
            ("b.png", "c.tiff"),
            ("c.tiff", "d.png"),
            ("d.png", "e.jpg"),
        ] {
            assert_eq!(desk.upscaled(&format!("{from} -o {to} -s 2 --existing overwrite")), "");
        }
        let lost = if with_path { "IPTC and Photoshop's data" } else { "IPTC" };
        for extension in ["webp", "gif", "bmp"] {
            let told = desk.upscaled(&format!("a.jpg -o b.{extension} -s 2 --existing overwrite"));
            assert_eq!(told, format!("warning: a.jpg: a .{extension} file cannot hold {lost}"));
        }
        let names = ["b.jpg", "b.png", "c.tiff", "d.png", "e.jpg"];
        let Some(found) = desk.exiftool(&names) else { return };
        for name in names {
            assert_eq!(found[name]["IPTC:Keywords"], "alpha", "{name}: {:#}", found[name]);
        }
        let result = std::fs::read(desk.path("e.jpg")).unwrap();
        assert_eq!(result.windows(4).any(|part| part == b"path"), with_path);
    }
}

#[test]
fn iptc_in_the_ways_of_other_programs() {
    let desk = Desk::new();
    let stored = picture(ColorType::Rgb8, 14, 10);
    let resources = [b"8BIM\x04\x04\0\0\0\0\0\x0a", IPTC].concat();
    let swapped: Vec<u8> = [IPTC, &[0, 0]]
        .concat()
        .chunks(4)
        .flat_map(|four| four.iter().rev().copied().collect::<Vec<_>>())
        .collect();
    let words: Vec<u16> = swapped.chunks(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
    let numbers: [(u16, &[u16]); 5] =
        [(0x102, &[8, 8, 8]), (0x103, &[1]), (0x106, &[2]), (0x115, &[3]), (0x83bb, &words)];
    let files = [
        ("plain.png", png_with(&stored, &[raw_profile(b"tEXt", "iptc", IPTC)], &[])),
        ("resources.png", png_with(&stored, &[], &[compressed_profile("iptc", &resources)])),
        ("8bim.png", png_with(&stored, &[compressed_profile("8bim", &resources)], &[])),
        ("swapped.tiff", crate::formats::corpus::tiff(14, 10, stored.as_bytes(), &numbers)),
    ];
    for (name, file) in files {
        desk.write(&format!("in/{name}"), file);
    }
    assert_eq!(desk.upscaled("in -o out/ -s 2 -f jpg"), "");
    let Some(found) = desk.exiftool(&["out"]) else { return };
    assert_eq!(found.len(), 4);
    for (name, tags) in found {
        assert_eq!(tags["IPTC:Keywords"], "alpha", "{name}: {tags:#}");
    }
}

#[test]
fn comments_go_from_format_to_format() {
    let desk = Desk::new();
    let stored = picture(ColorType::Rgb8, 14, 10);
    desk.write("a.jpg", jpeg_with(&stored, &[segment(0xfe, "h\u{e9}llo \u{20ac}".as_bytes())]));
    for (from, to) in [
        ("a.jpg", "b.jpg"),
        ("a.jpg", "b.png"),
        ("b.png", "c.gif"),
        ("c.gif", "d.gif"),
        ("d.gif", "e.png"),
        ("e.png", "f.jpg"),
    ] {
        assert_eq!(desk.upscaled(&format!("{from} -o {to} -s 2")), "");
    }
    for extension in ["webp", "tiff", "bmp"] {
        let told = desk.upscaled(&format!("a.jpg -o b.{extension} -s 2"));
        assert_eq!(told, format!("warning: a.jpg: a .{extension} file cannot hold comments"));
    }
    let names = ["b.jpg", "b.png", "c.gif", "d.gif", "e.png", "f.jpg"];
    let Some(found) = desk.exiftool(&names) else { return };
    for name in names {
        let tags = found[name].as_object().unwrap();
        let comment =
            tags.iter().find(|(tag, _)| tag.ends_with(":Comment")).map(|(_, value)| value.as_str().unwrap());
        assert_eq!(comment, Some("h\u{e9}llo \u{20ac}"), "{name}: {:#}", found[name]);
    }
}

#[test]
fn texts_stay_in_png_and_are_told_elsewhere() {
    let desk = Desk::new();
    let stored = picture(ColorType::Rgb8, 14, 10);
    let texts = [chunk(b"tEXt", b"Title\0a title"), chunk(b"iTXt", b"parameters\0\0\0\0\0steps: 20")];
    desk.write("a.png", png_with(&stored, &texts[..1], &texts[1..]));
    assert_eq!(desk.upscaled("a.png -o b.png -s 2"), "");
    let result = std::fs::read(desk.path("b.png")).unwrap();
    assert!(texts.iter().all(|text| result.windows(text.len()).any(|part| part == text)));
    for extension in ["jpg", "webp", "tiff", "gif"] {
        let told = desk.upscaled(&format!("a.png -o b.{extension} -s 2"));
        assert_eq!(
            told,
            format!("warning: a.png: a .{extension} file cannot hold texts (Title, parameters)")
        );
    }
}

#[test]
fn resolution_goes_along() {
    let desk = Desk::new();
    let stored = picture(ColorType::Rgb8, 14, 10);
    let phys = [5906u32.to_be_bytes().as_slice(), &5906u32.to_be_bytes(), &[1]].concat();
    desk.write("a.png", png_with(&stored, &[chunk(b"pHYs", &phys)], &[]));
    for name in ["b.jpg", "b.tiff", "b.png"] {
        assert_eq!(desk.upscaled(&format!("a.png -o {name} -s 2")), "");
    }
    assert_eq!(desk.upscaled("b.jpg -o c.png -s 2"), "");
    let Some(found) = desk.exiftool(&["b.jpg", "b.tiff", "b.png", "c.png"]) else { return };
    assert_eq!(found["b.jpg"]["JFIF:XResolution"], 150);
    assert_eq!(found["b.tiff"]["EXIF:XResolution"], 150, "{:#}", found["b.tiff"]);
    assert_eq!(
        (&found["b.png"]["PNG:PixelsPerUnitX"], &found["c.png"]["PNG:PixelsPerUnitX"]),
        (&5906.into(), &5906.into())
    );
}

/// What counts offsets from the beginning of its file cannot move to TIFF; the small picture beside is not turned.
#[test]
fn notes_and_thumbnails_are_told() {
    let desk = Desk::new();
    let stored = picture(ColorType::Rgb8, 14, 10);
    let noted = |turn: u8| {
        let mut block = orientation(turn, 3);
        // A second entry takes the place of the end: Exif's directory, and a thumbnail's behind it.
        block[9] = 2;
        block.truncate(22);
        block.extend([0x87, 0x69, 0, 4, 0, 0, 0, 1, 0, 0, 0, 38, 0, 0, 0, 62]);
        block.extend([0, 1, 0x92, 0x7c, 0, 7, 0, 0, 0, 6, 0, 0, 0, 56, 0, 0, 0, 0]);
        block.extend(b"Maker\0\0\x01\x01\x03\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0");
        segment(0xe1, &[b"Exif\0\0", block.as_slice()].concat())
    };
    desk.write("a.jpg", jpeg_with(&stored, &[noted(1)]));
    desk.write("turned.jpg", jpeg_with(&stored, &[noted(6)]));
    assert_eq!(desk.upscaled("a.jpg -o b.jpg -s 2"), "");
    let told = desk.upscaled("a.jpg -o b.tiff -s 2");
    assert_eq!(told, "warning: a.jpg: a .tiff file cannot hold the maker's notes and thumbnail");
    let told = desk.upscaled("turned.jpg -o c.jpg -s 2");
    assert_eq!(told, "warning: turned.jpg: the result is without thumbnail");
}
