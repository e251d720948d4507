//! JPEG files that are cut, or go on behind the picture.

use image::{ColorType, ImageFormat};

use super::files::{jpeg_with, orientation, photoshop, segment};
use crate::formats::corpus::{encoded, picture};
use crate::formats::desk::Desk;

const EARLY: &str = "the file ends too early";

/// Exif with a thumbnail: the block's second directory says where it lies.
fn with_thumbnail(thumbnail: &[u8]) -> Vec<u8> {
    let mut block = orientation(1, 3);
    let at = block.len() as u32;
    block[22..26].copy_from_slice(&at.to_be_bytes());
    let entry = |tag: u16, value: u32| {
        [tag.to_be_bytes().as_slice(), &[0, 4, 0, 0, 0, 1], &value.to_be_bytes()].concat()
    };
    block.extend([0, 2]);
    block.extend(entry(0x201, at + 30));
    block.extend(entry(0x202, thumbnail.len() as u32));
    block.extend([0; 4]);
    block.extend(thumbnail);
    segment(0xe1, &[b"Exif\0\0", block.as_slice()].concat())
}

#[test]
fn cut_files_are_told_whatever_their_thumbnail_ends_with() {
    let desk = Desk::new();
    let thumbnail = encoded(&picture(ColorType::Rgb8, 8, 6), ImageFormat::Jpeg);
    let whole = jpeg_with(&picture(ColorType::Rgb8, 80, 60), &[with_thumbnail(&thumbnail)]);
    desk.write("cut.jpg", &whole[..whole.len() * 8 / 10]);
    let told = desk.upscaled("cut.jpg -o cut.png -s 2");
    assert!(told.contains(EARLY), "{told}");
    // The end of a second picture is not that of the first.
    desk.write("cut2.jpg", [&whole[..whole.len() * 8 / 10], &thumbnail].concat());
    let told = desk.upscaled("cut2.jpg -o cut2.png -s 2");
    assert!(told.contains(EARLY) && told.contains("further pictures"), "{told}");
    desk.write("whole.jpg", &whole);
    assert_eq!(desk.upscaled("whole.jpg -o whole.jpg.jpg -s 2"), "");
    // Zeros and line ends behind the picture are nothing.
    desk.write("padded.jpg", [whole.as_slice(), &[0; 300], b"\r\n"].concat());
    assert_eq!(desk.upscaled("padded.jpg -o padded.png -s 2"), "");
    let Some(found) = desk.exiftool(&["whole.jpg.jpg"]) else { return };
    assert!(found["whole.jpg.jpg"]["EXIF:ThumbnailLength"].is_number());
}

#[test]
fn what_is_behind_the_picture_is_told() {
    let desk = Desk::new();
    let still = picture(ColorType::Rgb8, 20, 16);
    let whole = encoded(&still, ImageFormat::Jpeg);
    for (name, behind, what) in [
        ("mpo", whole.as_slice(), "further pictures"),
        ("motion", b"\0\0\0\x18ftypmp42\0\0\0\0isommp42".as_slice(), "video"),
        ("trailer", b"something else".as_slice(), "data behind the picture"),
    ] {
        let file = format!("{name}.jpg");
        desk.write(&file, [whole.as_slice(), behind].concat());
        for extension in ["jpg", "png", "bmp"] {
            let told = desk.upscaled(&format!("{file} -o {name}_x.{extension} -s 2"));
            assert_eq!(told, format!("warning: {file}: the result is without {what}"));
        }
        let told = desk.upscaled(&format!("{file} -o {name}_y.jpg -s 2 --metadata strip"));
        assert!(told.contains(what), "a picture is no metadata: {told}");
    }
    desk.write("iso.jpg", jpeg_with(&still, &[segment(0xe2, b"urn:iso:std:iso:ts:21496:-1\0\0\0\0\0")]));
    assert!(desk.upscaled("iso.jpg -o iso.png -s 2").ends_with("the result is without HDR gain map"));
    let signed = [segment(0xeb, b"JP\0\x01\0\0\0\x01\0\0\0\x20jumbc2pa"), segment(0xe4, b"own")];
    desk.write("signed.jpg", jpeg_with(&still, &signed));
    let told = desk.upscaled("signed.jpg -o signed.png -s 2");
    assert!(
        told.ends_with("the result is without content credentials and application data (APP4)"),
        "{told}"
    );
    assert_eq!(desk.upscaled("signed.jpg -o bare.png -s 2 --metadata strip"), "");
}

/// Bytes of 0xff may stand before any marker.
#[test]
fn segments_behind_fill_bytes() {
    let desk = Desk::new();
    let filled = |segment: Vec<u8>| [vec![0xff; 5], segment].concat();
    let profile = segment(
        0xe2,
        &[b"ICC_PROFILE\0\x01\x01", crate::formats::corpus::profile(b"RGB ").as_slice()].concat(),
    );
    let segments = [profile, photoshop(false), segment(0xfe, b"hello")].map(filled);
    desk.write("a.jpg", jpeg_with(&picture(ColorType::Rgb8, 20, 16), &segments));
    assert_eq!(desk.upscaled("a.jpg -o b.jpg -s 2"), "");
    let Some(found) = desk.exiftool(&["b.jpg"]) else { return };
    let tags = &found["b.jpg"];
    assert_eq!(tags["IPTC:Keywords"], "alpha", "{tags:#}");
    assert_eq!(tags["File:Comment"], "hello");
    assert_eq!(tags["ICC_Profile:ProfileDescription"], "tests");
}

/// Four components of 8 x 8 pixels, in one block each that is grey all over.
fn cmyk(profile: &[u8]) -> Vec<u8> {
    let table = |kind: u8, symbol: u8| {
        let mut data = vec![kind, 1];
        data.extend([0; 15]);
        data.push(symbol);
        segment(0xc4, &data)
    };
    let components =
        |more: [u8; 2]| (1..=4).flat_map(move |id| [vec![id], more.to_vec()].concat()).collect::<Vec<_>>();
    [
        vec![0xff, 0xd8],
        segment(0xe2, &[b"ICC_PROFILE\0\x01\x01", profile].concat()),
        segment(0xdb, &[vec![0], vec![1; 64]].concat()),
        segment(0xc0, &[vec![8, 0, 8, 0, 8, 4], components([0x11, 0])].concat()),
        table(0, 0),
        table(0x10, 0),
        segment(0xda, &[vec![4], (1..=4).flat_map(|id| [id, 0]).collect(), vec![0, 63, 0]].concat()),
        vec![0, 0xff, 0xd9],
    ]
    .concat()
}

#[test]
fn profiles_for_other_colors_are_told() {
    let desk = Desk::new();
    desk.write("a.jpg", cmyk(&crate::formats::corpus::profile(b"CMYK")));
    for extension in ["png", "jpg", "bmp"] {
        let told = desk.upscaled(&format!("a.jpg -o b.{extension} -s 2"));
        let profile = if extension == "bmp" { "color profile" } else { "a color profile for CMYK" };
        assert_eq!(told, format!("warning: a.jpg: a .{extension} file cannot hold {profile}"));
    }
    let Some(found) = desk.exiftool(&["b.png", "b.jpg"]) else { return };
    assert!(found.values().all(|tags| tags.get("ICC_Profile:ColorSpaceData").is_none()));
}
