use image::{Rgb, RgbImage};

use super::Cases;
use crate::common::jpeg::{Component, jpeg};

fn components(sampling: [(usize, usize); 3]) -> [Component; 3] {
    let levels: [fn(usize, usize) -> u8; 3] = [
        |x, y| (60 + x * 23 + y * 31) as u8,
        |x, y| (90 + x * 30 + y * 11) as u8,
        |x, y| (170 - x * 40 + y * 20) as u8,
    ];
    let [a, b, c] = levels;
    [(a, 0), (b, 1), (c, 2)].map(|(level, i)| Component { sampling: sampling[i], level })
}

/// Components that stand in scans of their own give the same pixels as those that share one.
#[test]
fn scans_of_single_components() {
    let mut cases = Cases::new();
    let one: [&[usize]; 3] = [&[0], &[1], &[2]];
    let colors_first: [&[usize]; 3] = [&[2], &[0], &[1]];
    let two: [&[usize]; 2] = [&[0], &[1, 2]];
    let sizes = [((1, 1), "444"), ((2, 1), "422"), ((1, 2), "440"), ((2, 2), "420"), ((4, 1), "411")];
    for (brightness, name) in sizes {
        let components = components([brightness, (1, 1), (1, 1)]);
        // Not whole units of several blocks.
        let size = (40, 24);
        let shared = jpeg(size, &components, &[&[0, 1, 2]], false);
        let decoded = image::load_from_memory(&shared).unwrap();
        for (kind, scans) in [("one", one.as_slice()), ("colors_first", &colors_first), ("two", &two)] {
            let file = jpeg(size, &components, scans, false);
            // Two decoders may round differently: 3 of 255 levels.
            cases.add(&format!("{name}_{kind}"), "jpg", &file, decoded.clone(), 3 * 257);
        }
        let progressive = jpeg(size, &components, &one, true);
        cases.add(&format!("{name}_progressive"), "jpg", &progressive, decoded, 3 * 257);
    }
    cases.check();
}

/// Brightness that is stored more coarsely than the colors.
#[test]
fn coarse_brightness() {
    let levels: [fn(usize, usize) -> u8; 3] =
        [|x, y| (100 + 60 * ((x + y) % 2)) as u8, |x, y| (128 - 40 * ((x / 2 + y) % 2)) as u8, |_, _| 128];
    let [a, b, c] = levels;
    let components =
        [(a, (1, 1)), (b, (2, 2)), (c, (2, 2))].map(|(level, sampling)| Component { sampling, level });
    let file = jpeg((48, 32), &components, &[&[0, 1, 2]], false);
    // By the equations of JFIF.
    let same = RgbImage::from_fn(48, 32, |x, y| {
        let (x, y) = (x as usize, y as usize);
        let (light, blue) = (f64::from(a(x / 16, y / 16)), f64::from(b(x / 8, y / 8)) - 128.0);
        Rgb([light, light - 0.34414 * blue, light + 1.772 * blue].map(|value| value.round() as u8))
    });
    // Decoders smooth what they enlarge: next to an edge of 60 levels by a quarter of it.
    let smoothed = 18;
    // The reason for the other decoder. Once this fails, it can go.
    let usual = image::load_from_memory(&file).map(|picture| picture.to_rgb8());
    let off = usual.map(|usual| usual.iter().zip(same.iter()).map(|(a, b)| a.abs_diff(*b)).max());
    assert!(
        off.is_ok_and(|off| off > Some(2 * smoothed)),
        "the decoder of the image crate reads such files now"
    );
    let mut cases = Cases::new();
    cases.add("coarse", "jpg", &file, same, u16::from(smoothed) * 257);
    cases.check();
}
