//! Draws `docs/sample.png`, our own test picture: a butterfly with everything that is hard to enlarge (thin curved
//! lines, hard edges, small letters, a fine grating) next to smooth gradients.
//!
//! `cargo run --release --example draw_sample -- OUTPUT [WIDTH]`
//!
//! It is 160 pixels wide by default, as `docs/sample.png`. Drawn at 480, it is what a perfect enlargement by 3 would
//! give.

use std::f64::consts::{PI, TAU};

use image::{Rgb, RgbImage};

/// Sub-pixels along each axis of a pixel.
const SAMPLES: u32 = 8;

type Color = [f64; 3];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let output = args.next().ok_or("name the file to write")?;
    let width: u32 = args.next().map_or(Ok(160), |text| text.parse())?;
    let height = width * 3 / 4;
    let step = 4.0 / 3.0 / f64::from(width);
    let picture = RgbImage::from_fn(width, height, |column, row| {
        let mut sum = [0.0; 3];
        for sample in 0..SAMPLES * SAMPLES {
            let at = |pixel: u32, part: u32| {
                (f64::from(pixel) + (f64::from(part) + 0.5) / f64::from(SAMPLES)) * step
            };
            let color = color(at(column, sample % SAMPLES), at(row, sample / SAMPLES));
            (0..3).for_each(|i| sum[i] += color[i]);
        }
        Rgb(sum.map(|v| (v / f64::from(SAMPLES * SAMPLES) * 255.0).round() as u8))
    });
    picture.save(&output)?;
    println!("{output}: {width}x{height}");
    Ok(())
}

fn mix(a: Color, b: Color, share: f64) -> Color {
    let share = share.clamp(0.0, 1.0);
    std::array::from_fn(|i| a[i] + (b[i] - a[i]) * share)
}

/// The color at a point; x is in 0..4/3 and y in 0..1, downwards.
fn color(x: f64, y: f64) -> Color {
    if let Some(label) = label(x, y) {
        return label;
    }
    // Symmetrical about the body.
    let (side, up) = ((x - 2.0 / 3.0).abs(), 0.47 - y);
    body(side, up).or_else(|| wing(side, up)).unwrap_or_else(|| background(x, y))
}

/// A leaf with veins, in bright light.
fn background(x: f64, y: f64) -> Color {
    let shade = mix([0.80, 0.90, 0.72], [0.22, 0.46, 0.30], 0.25 * x + 0.75 * y);
    let rib = y - 0.9 + 0.55 * x;
    let vein = (9.0 * (x + 0.8 * rib.abs())).fract() < 0.06;
    if rib.abs() < 0.008 || vein { mix(shade, [0.95, 1.0, 0.85], 0.5) } else { shade }
}

const INK: Color = [0.10, 0.06, 0.09];

fn body(side: f64, up: f64) -> Option<Color> {
    // The abdomen is striped; the antennae end in clubs.
    let along = (up + 0.02) / 0.26;
    let thick = 0.030 * (1.0 - along * along).max(0.0).sqrt() * if up > 0.12 { 0.8 } else { 1.0 };
    if side < thick {
        let stripe = up < 0.0 && (up * 45.0).rem_euclid(1.0) < 0.35;
        return Some(if stripe { [0.85, 0.65, 0.25] } else { INK });
    }
    let antenna = 0.015 + 1.1 * (up - 0.2).max(0.0).powf(1.4);
    let on_line = (0.2..0.43).contains(&up) && (side - antenna).abs() < 0.0045;
    let club = (side - 0.137).hypot(up - 0.43) < 0.013;
    (on_line || club).then_some(INK)
}

fn wing(side: f64, up: f64) -> Option<Color> {
    let (angle, radius) = (up.atan2(side), side.hypot(up));
    let upper = angle > -0.12;
    // Lobes: a direction, a width, a length, and waves along the hind wing's edge.
    let (direction, width, length) = if upper { (0.50, 1.52, 0.57) } else { (-0.80, 1.9, 0.46) };
    let lobe = ((angle - direction) * width).cos().max(0.0).powf(0.55);
    let waves = if upper { 0.0 } else { 0.012 * (angle * 26.0).cos() };
    let edge = length * lobe + waves;
    if radius > edge {
        return None;
    }
    let share = radius / edge;
    // The fore wing's lower edge, then a dark border with a row of white dots.
    if upper && (angle + 0.12) * radius < 0.006 {
        return Some(INK);
    }
    if share > 0.86 {
        let dot = ((angle * 19.0).rem_euclid(1.0) - 0.5) / 19.0 * radius;
        return Some(if dot.hypot(radius - 0.93 * edge) < 0.011 { [0.97, 0.95, 0.90] } else { INK });
    }
    let (eye_side, eye_up, size) = if upper { (0.34, 0.17, 0.062) } else { (0.19, -0.20, 0.045) };
    let eye = (side - eye_side).hypot(up - eye_up) / size;
    if eye < 1.0 {
        let rings = [INK, [0.30, 0.55, 0.85], [0.12, 0.14, 0.35], [0.95, 0.90, 0.55]];
        return Some(if eye < 0.15 { [1.0; 3] } else { rings[(eye * 4.0) as usize % 4] });
    }
    // Veins fan out from the body and fork.
    let fans = if share > 0.5 { 17.0 } else { 8.5 };
    let across = ((angle * fans / PI + 0.5).rem_euclid(1.0) - 0.5) * PI / fans * radius;
    if across.abs() < 0.0032 && radius > 0.06 {
        return Some(mix(INK, [0.5, 0.2, 0.05], 0.25));
    }
    let (inner, outer) = if upper {
        ([0.98, 0.78, 0.22], [0.86, 0.30, 0.08])
    } else {
        ([0.98, 0.62, 0.20], [0.66, 0.16, 0.16])
    };
    Some(mix(inner, outer, share * share + 0.06 * (TAU * share * 3.0).sin()))
}

/// A paper label in the lower left corner: letters of 5x7 dots, and a grating that grows finer.
fn label(x: f64, y: f64) -> Option<Color> {
    const LETTERS: [[u8; 7]; 5] = [
        [0b01111, 0b10000, 0b10000, 0b01110, 0b00001, 0b00001, 0b11110],
        [0b11110, 0b10001, 0b10001, 0b11110, 0b10100, 0b10010, 0b10001],
        [0b01110, 0b10001, 0b10000, 0b10000, 0b10000, 0b10001, 0b01110],
        [0b10001, 0b11001, 0b10101, 0b10011, 0b10001, 0b10001, 0b10001],
        [0b10001, 0b11001, 0b10101, 0b10011, 0b10001, 0b10001, 0b10001],
    ];
    const DOT: f64 = 0.0105;
    let (x, y) = (x - 0.04, y - 0.84);
    if !(0.0..0.40).contains(&x) || !(0.0..0.12).contains(&y) {
        return None;
    }
    let paper = [0.96, 0.94, 0.88];
    let (column, row) = ((x - 0.03) / DOT, (y - 0.012) / DOT);
    let ink = if column >= 0.0 && (0.0..7.0).contains(&row) {
        let letter = (column / 6.0) as usize;
        let bit = (column % 6.0) as usize;
        bit < 5 && LETTERS.get(letter).is_some_and(|rows| rows[row as usize] >> (4 - bit) & 1 == 1)
    } else {
        let phase = 14.0 * x + 60.0 * x * x;
        (0.096..0.112).contains(&y) && phase.fract() < 0.5
    };
    Some(if ink { INK } else { paper })
}
