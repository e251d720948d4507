//! Small pictures of every kind.

use std::io::Cursor;

use image::{ColorType, DynamicImage, GenericImageView, ImageEncoder, ImageFormat};

/// Smooth colors that use all 16 bits, in any color type.
pub fn picture(color: ColorType, width: u32, height: u32) -> DynamicImage {
    let pixel = |x: u32, y: u32| {
        let (u, v) = (x as f32 / width as f32, y as f32 / height as f32);
        image::Rgba([0.2 + 0.6 * u, 0.8 - 0.5 * v, 0.3 + 0.2 * (u + v), 0.35 + 0.3 * (u * v)])
    };
    let picture = DynamicImage::from(image::Rgba32FImage::from_fn(width, height, pixel));
    match color {
        ColorType::L8 => picture.into_luma8().into(),
        ColorType::L16 => picture.into_luma16().into(),
        ColorType::La8 => picture.into_luma_alpha8().into(),
        ColorType::La16 => picture.into_luma_alpha16().into(),
        ColorType::Rgb8 => picture.into_rgb8().into(),
        ColorType::Rgb16 => picture.into_rgb16().into(),
        ColorType::Rgba8 => picture.into_rgba8().into(),
        ColorType::Rgba16 => picture.into_rgba16().into(),
        ColorType::Rgb32F => picture.into_rgb32f().into(),
        _ => picture,
    }
}

/// A file as the `image` crate writes it.
pub fn encoded(picture: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut file = Cursor::new(Vec::new());
    picture.write_to(&mut file, format).unwrap();
    file.into_inner()
}

/// A PNG file with a palette or grey levels of 1, 2, 4 or 8 bits, with or without transparent entries.
pub fn indexed_png(bits: u8, palette: bool, transparent: bool) -> Vec<u8> {
    let (width, height, colors) = (16u32, 8u32, 1usize << bits);
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, width, height);
    encoder.set_color(if palette { png::ColorType::Indexed } else { png::ColorType::Grayscale });
    encoder.set_depth(png::BitDepth::from_u8(bits).unwrap());
    if palette {
        encoder
            .set_palette((0..colors).flat_map(|i| [200, (i * 90) as u8, (i * 7) as u8]).collect::<Vec<_>>());
    }
    if transparent {
        encoder.set_trns(if palette { vec![40, 200] } else { vec![0, 1] });
    }
    let mut writer = encoder.write_header().unwrap();
    let row = |y: u32| {
        let bytes = width * u32::from(bits) / 8;
        (0..bytes).map(move |x| (x * 37 + y * 11) as u8)
    };
    writer.write_image_data(&(0..height).flat_map(row).collect::<Vec<_>>()).unwrap();
    writer.finish().unwrap();
    file
}

/// A TIFF file with one strip; entries have one or more 16-bit numbers or 32-bit ones, in order of their tags.
pub fn tiff(width: u32, height: u32, pixels: &[u8], entries: &[(u16, &[u16])]) -> Vec<u8> {
    let base: [(u16, u32); 5] =
        [(0x100, width), (0x101, height), (0x111, 8), (0x116, height), (0x117, pixels.len() as u32)];
    let mut all: Vec<(u16, u16, u32, Vec<u8>)> =
        base.iter().map(|&(tag, value)| (tag, 4, 1, value.to_le_bytes().to_vec())).collect();
    all.extend(entries.iter().map(|(tag, values)| {
        (*tag, 3, values.len() as u32, values.iter().flat_map(|v| v.to_le_bytes()).collect())
    }));
    all.sort_by_key(|entry| entry.0);
    let start = 8 + pixels.len().next_multiple_of(2);
    let mut file = b"II*\0".to_vec();
    file.extend((start as u32).to_le_bytes());
    file.extend(pixels);
    file.resize(start, 0);
    file.extend((all.len() as u16).to_le_bytes());
    let mut values = Vec::new();
    let after = start + 6 + 12 * all.len();
    for (tag, kind, count, data) in all {
        file.extend(tag.to_le_bytes());
        file.extend(u16::to_le_bytes(kind));
        file.extend(u32::to_le_bytes(count));
        if data.len() <= 4 {
            file.extend(data.iter().copied().chain([0; 4]).take(4));
        } else {
            file.extend(((after + values.len()) as u32).to_le_bytes());
            values.extend(data);
        }
    }
    file.extend([0; 4]);
    file.extend(values);
    file
}

/// A palette picture as TIFF, and the same picture in color.
pub fn palette_tiff(bits: u16) -> (Vec<u8>, DynamicImage) {
    let colors = 1usize << bits;
    let shade = |channel: usize, i: usize| ((i * (50 + 40 * channel)) % 256) as u16 * 257;
    let map: Vec<u16> = (0..3).flat_map(|c| (0..colors).map(move |i| shade(c, i))).collect();
    let indices: Vec<u8> = (0..16 * 6).map(|i| (i * 5 % colors) as u8).collect();
    let per_byte = usize::from(8 / bits);
    let pixels: Vec<u8> = indices
        .chunks(per_byte)
        .map(|part| part.iter().fold(0u32, |byte, &index| byte << bits | u32::from(index)) as u8)
        .collect();
    let file =
        tiff(16, 6, &pixels, &[(0x102, &[bits]), (0x103, &[1]), (0x106, &[3]), (0x115, &[1]), (0x140, &map)]);
    let color = |x: u32, y: u32| {
        let index = usize::from(indices[(y * 16 + x) as usize]);
        image::Rgb([0, 1, 2].map(|channel| (shade(channel, index) / 257) as u8))
    };
    (file, image::RgbImage::from_fn(16, 6, color).into())
}

/// An 8-bit grey picture with alpha as TIFF.
pub fn grey_alpha_tiff(picture: &DynamicImage) -> Vec<u8> {
    let (width, height) = picture.dimensions();
    let wide = picture.color() == ColorType::La16;
    let bits: u16 = if wide { 16 } else { 8 };
    let entries: [(u16, &[u16]); 6] =
        [(0x102, &[bits, bits]), (0x103, &[1]), (0x106, &[1]), (0x115, &[2]), (0x11c, &[1]), (0x152, &[2])];
    let le: Vec<u8> = match wide {
        true => picture.as_luma_alpha16().unwrap().iter().flat_map(|v| v.to_le_bytes()).collect(),
        false => picture.as_bytes().to_vec(),
    };
    tiff(width, height, &le, &entries)
}

/// A color profile for `b"RGB "` or `b"GRAY"`: a header and a description.
pub fn profile(space: &[u8; 4]) -> Vec<u8> {
    let description = b"desc\0\0\0\0\0\0\0\x06tests\0\0\0";
    let mut profile = vec![0; 128];
    profile[8] = 2;
    profile[12..16].copy_from_slice(b"mntr");
    profile[16..20].copy_from_slice(space);
    profile[20..24].copy_from_slice(b"XYZ ");
    profile[36..40].copy_from_slice(b"acsp");
    profile.extend([0, 0, 0, 1]);
    profile.extend(b"desc\0\0\0\x90");
    profile.extend((description.len() as u32).to_be_bytes());
    profile.extend(description);
    profile.resize(600, 7);
    let len = (profile.len() as u32).to_be_bytes();
    profile[..4].copy_from_slice(&len);
    profile
}

/// An Exif block: camera, orientation, a date, the width, and a place.
pub fn exif(orientation: u16, width: u32) -> Vec<u8> {
    fn directory(start: u32, entries: &[(u16, u16, &[u8])]) -> Vec<u8> {
        let sizes = [1, 1, 1, 2, 4, 8];
        let mut bytes = (entries.len() as u16).to_be_bytes().to_vec();
        let mut values = Vec::new();
        for (tag, kind, data) in entries {
            bytes.extend(tag.to_be_bytes());
            bytes.extend(kind.to_be_bytes());
            bytes.extend(((data.len() / sizes[*kind as usize]) as u32).to_be_bytes());
            if data.len() <= 4 {
                bytes.extend(data.iter().copied().chain([0; 4]).take(4));
            } else {
                bytes.extend((start + 6 + 12 * entries.len() as u32 + values.len() as u32).to_be_bytes());
                values.extend_from_slice(data);
            }
        }
        bytes.extend([0; 4]);
        bytes.extend(values);
        bytes.resize(bytes.len().next_multiple_of(2), 0);
        bytes
    }
    let exif = directory(400, &[(0x9003, 2, b"2020:02:03 04:05:06\0"), (0xa002, 4, &width.to_be_bytes())]);
    let gps = directory(
        600,
        &[
            (1, 2, b"N\0"),
            (2, 5, &[0, 0, 0, 48, 0, 0, 0, 1, 0, 0, 0, 30, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1]),
        ],
    );
    let main = directory(
        8,
        &[
            (0x10f, 2, b"Testcam\0"),
            (0x112, 3, &orientation.to_be_bytes()),
            (0x13b, 2, b"Somebody\0"),
            (0x8769, 4, &400u32.to_be_bytes()),
            (0x8825, 4, &600u32.to_be_bytes()),
        ],
    );
    let mut block = b"MM\0*\0\0\0\x08".to_vec();
    for (at, part) in [(8, main), (400, exif), (600, gps)] {
        block.resize(at, 0);
        block.extend(part);
    }
    block
}

/// An XMP packet with a title and an orientation.
pub fn xmp(orientation: u16) -> String {
    format!(
        "<?xpacket begin='' id='W5M0MpCehiHzreSzNTczkc9d'?><x:xmpmeta xmlns:x='adobe:ns:meta/'>\
         <rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'><rdf:Description rdf:about='' \
         xmlns:dc='http://purl.org/dc/elements/1.1/' xmlns:tiff='http://ns.adobe.com/tiff/1.0/' \
         tiff:Orientation='{orientation}'><dc:title><rdf:Alt><rdf:li xml:lang='x-default'>A title</rdf:li></rdf:Alt>\
         </dc:title></rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end='w'?>"
    )
}

/// A file with profile, Exif and XMP, written partly by other crates' encoders and partly by hand.
pub fn described(picture: &DynamicImage, format: ImageFormat, exif: &[u8], xmp: &str) -> Vec<u8> {
    let space = if picture.color().has_color() { b"RGB " } else { b"GRAY" };
    let (icc, exif) = (profile(space), exif.to_vec());
    let (width, height, color) = (picture.width(), picture.height(), picture.color().into());
    let mut file = Vec::new();
    match format {
        ImageFormat::Png => {
            let mut info = png::Info::with_size(width, height);
            info.icc_profile = Some(icc.into());
            info.exif_metadata = Some(exif.into());
            let mut encoder = png::Encoder::with_info(&mut file, info).unwrap();
            encoder.set_color(if picture.color().has_color() {
                png::ColorType::Rgb
            } else {
                png::ColorType::Grayscale
            });
            encoder.set_pixel_dims(Some(png::PixelDimensions {
                xppu: 5906,
                yppu: 5906,
                unit: png::Unit::Meter,
            }));
            encoder.add_text_chunk("Comment".into(), "a comment".into()).unwrap();
            encoder.add_itxt_chunk("XML:com.adobe.xmp".into(), xmp.into()).unwrap();
            let mut writer = encoder.write_header().unwrap();
            writer.write_image_data(picture.as_bytes()).unwrap();
        }
        ImageFormat::Jpeg => {
            let mut encoder = image::codecs::jpeg::JpegEncoder::new_with_quality(&mut file, 100);
            encoder.set_pixel_density(image::codecs::jpeg::PixelDensity::dpi(150));
            encoder.set_icc_profile(icc).unwrap();
            encoder.set_exif_metadata(exif).unwrap();
            encoder.write_image(picture.as_bytes(), width, height, color).unwrap();
            let mut segments = Vec::new();
            let packet = [b"http://ns.adobe.com/xap/1.0/\0", xmp.as_bytes()].concat();
            for (marker, data) in [(0xe1, packet), (0xfe, b"a comment".to_vec())] {
                segments.extend([0xff, marker]);
                segments.extend((data.len() as u16 + 2).to_be_bytes());
                segments.extend(data);
            }
            file.splice(20..20, segments);
        }
        _ => {
            let mut encoder = image_webp::WebPEncoder::new(&mut file);
            encoder.set_icc_profile(icc);
            encoder.set_exif_metadata(exif);
            encoder.set_xmp_metadata(xmp.into());
            encoder.encode(picture.as_bytes(), width, height, image_webp::ColorType::Rgb8).unwrap();
        }
    }
    file
}
