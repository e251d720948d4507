//! What turns the pixels is what is then set to upright.

use image::{ColorType, ImageFormat};
use serde_json::Value;

use super::files::{
    chunk, compressed_profile, jpeg_with, orientation, packet, png_with, raw_profile, segment, webp_with,
    xmp_segment,
};
use crate::formats::corpus::{encoded, picture, tiff};
use crate::formats::desk::Desk;

/// The orientations that a file has by whatever group of tags.
fn orientations(tags: &Value) -> Vec<(String, u64)> {
    let tags = tags.as_object().unwrap().iter().filter(|(name, _)| name.ends_with(":Orientation"));
    tags.map(|(name, number)| (name.clone(), number.as_u64().unwrap())).collect()
}

/// Results have the pixels of the turned picture, and nothing that says to turn them again.
#[test]
fn exif_counts_wherever_it_stands() {
    let desk = Desk::new();
    let upright = picture(ColorType::Rgb8, 10, 14);
    // Turned a quarter against the clock: orientation 6 turns it back.
    let stored = upright.rotate270();
    let block = orientation(6, 3);
    let headed = [b"Exif\0\0", block.as_slice()].concat();
    let app1 = raw_profile(b"tEXt", "APP1", &headed);
    for (name, file) in [
        ("before.png", png_with(&stored, &[chunk(b"eXIf", &block)], &[])),
        ("behind.png", png_with(&stored, &[], &[chunk(b"eXIf", &block)])),
        ("headed.png", png_with(&stored, &[chunk(b"eXIf", &headed)], &[])),
        ("text.png", png_with(&stored, &[raw_profile(b"tEXt", "exif", &headed)], &[])),
        ("international.png", png_with(&stored, &[], &[raw_profile(b"iTXt", "exif", &block)])),
        ("compressed.png", png_with(&stored, &[compressed_profile("exif", &headed)], &[])),
        ("app1.png", png_with(&stored, &[app1], &[])),
        // A text that says otherwise counts for less than the chunk.
        (
            "both.png",
            png_with(
                &stored,
                &[raw_profile(b"tEXt", "exif", &orientation(3, 3)), chunk(b"eXIf", &block)],
                &[],
            ),
        ),
        ("long.png", png_with(&stored, &[chunk(b"eXIf", &orientation(6, 4))], &[])),
        ("byte.png", png_with(&stored, &[chunk(b"eXIf", &orientation(6, 1))], &[])),
        ("webp_announced.webp", webp_with(&stored, &[(b"EXIF", &block)])),
        ("webp_headed.webp", webp_with(&stored, &[(b"EXIF", &headed)])),
    ] {
        desk.write(&format!("in/{name}"), file);
    }
    desk.write("plain/a.png", encoded(&upright, ImageFormat::Png));
    assert_eq!(desk.upscaled("plain -o plain/out/ -s 2"), "");
    assert_eq!(desk.upscaled("in -o out/ -s 2 -f png"), "");
    let expected = desk.open("plain/out/a.png");
    let found = desk.exiftool(&["out"]);
    for entry in std::fs::read_dir(desk.path("out")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if name.starts_with('.') {
            continue;
        }
        let name = format!("out/{name}");
        assert_eq!(desk.open(&name), expected, "{name}");
        let Some(found) = &found else { continue };
        assert_eq!(
            orientations(&found[&name]),
            [("EXIF:Orientation".to_string(), 1)],
            "{name}: {:#}",
            found[&name]
        );
    }
    assert!(found.is_none_or(|found| found.len() == 12));
}

#[test]
fn jpeg_and_tiff_are_turned_too() {
    let desk = Desk::new();
    let stored = picture(ColorType::Rgb8, 14, 10);
    let exif = |block: &[u8]| segment(0xe1, &[b"Exif\0\0", block].concat());
    let filled = [vec![0xff; 3], exif(&orientation(6, 3))].concat();
    desk.write("in/filled.jpg", jpeg_with(&stored, &[filled]));
    desk.write("in/long.jpg", jpeg_with(&stored, &[exif(&orientation(8, 4))]));
    let numbers: [(u16, &[u16]); 4] = [(0x102, &[8, 8, 8]), (0x103, &[1]), (0x106, &[2]), (0x115, &[3])];
    let mut file = tiff(14, 10, stored.as_bytes(), &[&numbers[..], &[(0x112, &[6])]].concat());
    // The kind of number of the orientation becomes that of 32 bits.
    let at = file.windows(4).position(|part| part == [0x12, 1, 3, 0]).unwrap();
    file[at + 2] = 4;
    desk.write("in/long.tiff", file);
    assert_eq!(desk.upscaled("in -o out/ -s 2"), "");
    for name in ["out/filled.jpg", "out/long.jpg", "out/long.tiff"] {
        let turned = desk.open(name);
        assert_eq!((turned.width(), turned.height()), (20, 28), "{name}");
    }
    let Some(found) = desk.exiftool(&["out"]) else { return };
    for (name, tags) in found {
        assert!(orientations(&tags).iter().all(|(_, number)| *number == 1), "{name}: {tags:#}");
    }
}

/// Browsers do not look for the orientation in XMP, others do: left alone, the result looks to each as the picture does.
#[test]
fn xmp_alone_turns_nothing_and_stays() {
    let desk = Desk::new();
    let stored = picture(ColorType::Rgb8, 14, 10);
    let xmp = xmp_segment("tiff:Orientation='6'>");
    let exif = |number| segment(0xe1, &[b"Exif\0\0", orientation(number, 3).as_slice()].concat());
    desk.write("in/alone.jpg", jpeg_with(&stored, std::slice::from_ref(&xmp)));
    // Where Exif has one, it counts.
    desk.write("in/upright.jpg", jpeg_with(&stored, &[exif(1), xmp.clone()]));
    desk.write("in/turned.jpg", jpeg_with(&stored, &[exif(6), xmp]));
    let text = [b"XML:com.adobe.xmp\0\0\0\0\0", packet("><tiff:Orientation>6</tiff:Orientation>").as_bytes()]
        .concat();
    desk.write("in/alone.png", png_with(&stored, &[], &[chunk(b"iTXt", &text)]));
    assert_eq!(desk.upscaled("in -o out/ -s 2"), "");
    let size = |name: &str| (desk.open(name).width(), desk.open(name).height());
    assert_eq!([size("out/alone.jpg"), size("out/alone.png"), size("out/upright.jpg")], [(28, 20); 3]);
    assert_eq!(size("out/turned.jpg"), (20, 28));
    let Some(found) = desk.exiftool(&["out"]) else { return };
    assert_eq!(orientations(&found["out/alone.jpg"]), [("XMP:Orientation".to_string(), 6)]);
    assert_eq!(orientations(&found["out/alone.png"]), [("XMP:Orientation".to_string(), 6)]);
    for name in ["out/upright.jpg", "out/turned.jpg"] {
        assert!(
            orientations(&found[name]).iter().all(|(_, number)| *number == 1),
            "{name}: {:#}",
            found[name]
        );
    }
}

/// Frames are not turned, so the tag stays.
#[test]
fn animations_keep_their_orientation() {
    let desk = Desk::new();
    let frame = picture(ColorType::Rgba8, 14, 10).to_rgba8();
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, 14, 10);
    encoder.set_color(png::ColorType::Rgba);
    encoder.set_animated(2, 0).unwrap();
    let mut writer = encoder.write_header().unwrap();
    writer.write_image_data(&frame).unwrap();
    writer.write_image_data(&frame).unwrap();
    writer.finish().unwrap();
    file.splice(33..33, chunk(b"eXIf", &orientation(6, 3)));
    desk.write("a.png", file);
    assert_eq!(desk.upscaled("a.png -o b.png -s 2"), "");
    let result = desk.open("b.png");
    assert_eq!((result.width(), result.height()), (28, 20));
    let Some(found) = desk.exiftool(&["b.png"]) else { return };
    assert_eq!(orientations(&found["b.png"]), [("EXIF:Orientation".to_string(), 6)]);
}

#[test]
fn broken_exif_loses_no_picture() {
    let desk = Desk::new();
    let stored = picture(ColorType::Rgb8, 14, 10);
    let block = orientation(6, 3);
    let broken: [(&str, Vec<u8>); 4] = [
        ("order", [b"XX", &block[2..]].concat()),
        ("mixed", [b"II", &block[2..]].concat()),
        ("offset", [&block[..4], &[0xff; 4], &block[8..]].concat()),
        ("short", block[..9].to_vec()),
    ];
    for (name, block) in &broken {
        desk.write(&format!("{name}.png"), png_with(&stored, &[chunk(b"eXIf", block)], &[]));
        desk.write(
            &format!("{name}.jpg"),
            jpeg_with(&stored, &[segment(0xe1, &[b"Exif\0\0", block.as_slice()].concat())]),
        );
        for extension in ["png", "jpg"] {
            let told =
                desk.upscaled(&format!("{name}.{extension} -o out.{extension} -s 2 --existing overwrite"));
            assert!(told.ends_with("the result is without damaged Exif"), "{name}.{extension}: {told}");
            let result = desk.open(&format!("out.{extension}"));
            assert_eq!((result.width(), result.height()), (28, 20), "{name}");
            let Some(found) = desk.exiftool(&[&format!("out.{extension}")]) else { continue };
            assert_eq!(orientations(found.values().next().unwrap()), [], "{name}.{extension}");
        }
    }
    // A value that means nothing is left alone.
    desk.write("nine.png", png_with(&stored, &[chunk(b"eXIf", &orientation(9, 3))], &[]));
    assert_eq!(desk.upscaled("nine.png -o out.png -s 2 --existing overwrite"), "");
    assert_eq!(desk.open("out.png").width(), 28);
}
