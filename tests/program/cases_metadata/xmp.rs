//! XMP that speaks of the file that it was in.

use image::{ColorType, ImageFormat};

use super::files::{jpeg_with, orientation, segment, xmp_segment};
use crate::formats::corpus::{encoded, picture};
use crate::formats::desk::Desk;

#[test]
fn sizes_are_those_of_the_result() {
    let desk = Desk::new();
    let properties = "tiff:ImageWidth='14' tiff:ImageLength = \"10\" exif:PixelXDimension='14'>\
                      <exif:PixelYDimension>10</exif:PixelYDimension>";
    let turning = segment(0xe1, &[b"Exif\0\0", orientation(6, 3).as_slice()].concat());
    let stored = picture(ColorType::Rgb8, 14, 10);
    desk.write("in/plain.jpg", jpeg_with(&stored, &[xmp_segment(properties)]));
    desk.write("in/turned.jpg", jpeg_with(&stored, &[turning, xmp_segment(properties)]));
    desk.upscaled("in -o out/ -s 3");
    desk.upscaled("in/plain.jpg -o out/plain.webp -s 3");
    let Some(found) = desk.exiftool(&["out"]) else { return };
    assert_eq!(found.len(), 3);
    for (name, tags) in found {
        let (width, height) = if name.contains("turned") { (30, 42) } else { (42, 30) };
        assert_eq!(tags["XMP:ImageWidth"], width, "{name}: {tags:#}");
        assert_eq!(
            tags["XMP:ImageHeight"].as_u64().or(tags["XMP:ImageLength"].as_u64()),
            Some(height),
            "{name}: {tags:#}"
        );
        assert_eq!(
            (&tags["XMP:ExifImageWidth"], &tags["XMP:ExifImageHeight"]),
            (&width.into(), &height.into()),
            "{name}"
        );
    }
}

/// A gain map, a video, by attributes and by elements.
#[test]
fn no_result_promises_a_second_picture() {
    let desk = Desk::new();
    let stored = picture(ColorType::Rgb8, 14, 10);
    let second = encoded(&picture(ColorType::L8, 7, 5), ImageFormat::Jpeg);
    let directory = |semantic: &str, mime: &str| {
        format!(
            "<Container:Directory><rdf:Seq><rdf:li rdf:parseType='Resource'><Container:Item Item:Semantic='Primary' \
             Item:Mime='image/jpeg'/></rdf:li><rdf:li rdf:parseType='Resource'><Container:Item Item:Semantic='{semantic}' \
             Item:Mime='{mime}' Item:Length='{}'/></rdf:li></rdf:Seq></Container:Directory>",
            second.len()
        )
    };
    let title = "dc:title='kept'";
    let cases = [
        (
            "ultra",
            format!("{title} hdrgm:Version='1.0'>{}", directory("GainMap", "image/jpeg")),
            "HDR gain map",
        ),
        (
            "elements",
            format!(
                "{title}><hdrgm:Version>1.0</hdrgm:Version><hdrgm:GainMapMax><rdf:Seq><rdf:li>2</rdf:li></rdf:Seq></hdrgm:GainMapMax>"
            ),
            "HDR gain map",
        ),
        ("apple", format!("{title} HDRGainMap:HDRGainMapVersion='65536'>"), "HDR gain map"),
        ("micro", format!("{title} GCamera:MicroVideo='1' GCamera:MicroVideoOffset='99'>"), "video"),
        (
            "motion",
            format!("{title} GCamera:MotionPhoto='1'>{}", directory("MotionPhoto", "video/mp4")),
            "video",
        ),
        ("depth", format!("{title}>{}", directory("Depth", "image/jpeg")), "depth map"),
    ];
    std::fs::create_dir(desk.path("out")).unwrap();
    for (name, properties, what) in &cases {
        let file = [jpeg_with(&stored, &[xmp_segment(properties)]), second.clone()].concat();
        desk.write(&format!("{name}.jpg"), file);
        for extension in ["jpg", "png"] {
            let told = desk.upscaled(&format!("{name}.jpg -o out/{name}.{extension} -s 2"));
            assert!(told.contains(what) && told.contains("the result is without"), "{name}: {told}");
            assert_eq!(told.lines().count(), 1, "{told}");
            let result = std::fs::read(desk.path(&format!("out/{name}.{extension}"))).unwrap();
            for word in ["hdrgm:", "GainMap:", "Container:Directory", "MicroVideo", "MotionPhoto"] {
                let text = word.as_bytes();
                assert!(
                    !result.windows(text.len()).any(|part| part == text),
                    "{name}.{extension} has {word}"
                );
            }
        }
    }
    let Some(found) = desk.exiftool(&["out"]) else { return };
    assert_eq!(found.len(), 2 * cases.len());
    for (name, tags) in found {
        assert_eq!(tags["XMP:Title"], "kept", "{name}: {tags:#}");
        assert!(tags.get("ExifTool:Warning").is_none(), "{name}: {tags:#}");
    }
}

#[test]
fn extended_xmp_stays_in_jpeg_and_is_told_elsewhere() {
    let desk = Desk::new();
    let digest = b"0123456789ABCDEF0123456789ABCDEF";
    let part = b"<x/>";
    let extension =
        [b"http://ns.adobe.com/xmp/extension/\0", digest.as_slice(), &[0, 0, 0, 4, 0, 0, 0, 0], part]
            .concat();
    let main = xmp_segment("xmpNote:HasExtendedXMP='0123456789ABCDEF0123456789ABCDEF' dc:title='kept'>");
    desk.write("a.jpg", jpeg_with(&picture(ColorType::Rgb8, 14, 10), &[main, segment(0xe1, &extension)]));
    assert_eq!(desk.upscaled("a.jpg -o b.jpg -s 2"), "");
    let result = std::fs::read(desk.path("b.jpg")).unwrap();
    let has = |text: &[u8]| result.windows(text.len()).any(|part| part == text);
    assert!(has(&extension) && has(b"xmpNote:HasExtendedXMP='0123456789ABCDEF"));
    for extension in ["png", "webp", "tiff"] {
        let told = desk.upscaled(&format!("a.jpg -o b.{extension} -s 2"));
        assert_eq!(told, format!("warning: a.jpg: a .{extension} file cannot hold extended XMP"));
        let result = std::fs::read(desk.path(&format!("b.{extension}"))).unwrap();
        assert!(!result.windows(14).any(|part| part == b"HasExtendedXMP"), "{extension}");
    }
}
