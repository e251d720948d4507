//! The kernels of the methods on dictionaries against their twins, and the upscaler by its definition.

use crate::common::{alone, assert_close, gpu, noise, tolerance};
use image::{ColorType, DynamicImage, RgbaImage};
use srcnn_gpu::dictionary::{Dictionary, DictionaryUpscaler, Method, PatchValues};
use srcnn_gpu::{Planes, reference};

/// Random numbers of which a row has unit length.
fn rows(seed: u64, count: usize, length: usize) -> Vec<f64> {
    let mut next = noise(seed);
    let mut values: Vec<f64> = (0..count * length).map(|_| f64::from(next())).collect();
    for row in values.chunks_mut(length) {
        let norm = row.iter().map(|v| v * v).sum::<f64>().sqrt();
        row.iter_mut().for_each(|v| *v /= norm);
    }
    values
}

/// The parts of a dictionary, `[row][column]`, as a file holds them.
struct Parts {
    method: Method,
    scale: usize,
    projection: Vec<f64>,
    low: Vec<f64>,
    high: Vec<f64>,
}

impl Parts {
    fn new(method: Method, scale: usize, features: usize, atoms: usize) -> Self {
        let pixels = (3 * scale).pow(2);
        let low = rows(2, atoms, features);
        Self { method, scale, projection: rows(1, features, 4 * pixels), low, high: rows(3, atoms, pixels) }
    }

    fn dictionary(&self) -> Dictionary {
        Dictionary::from_rows(self.method, self.scale, &self.projection, &self.low, &self.high).unwrap()
    }
}

fn plane(width: usize, height: usize) -> Planes {
    let mut next = noise(9);
    Planes::new(width, height, 1, (0..width * height).map(|_| 0.5 + 0.5 * next()).collect()).unwrap()
}

fn wide(values: &[f32]) -> Vec<f64> {
    values.iter().map(|&v| f64::from(v)).collect()
}

/// The features of all patches by the twin.
fn features(parts: &Parts, picture: &Planes, values: &PatchValues) -> Vec<f64> {
    let (pixels, size) = (wide(&picture.data), [picture.width, picture.height]);
    let twin = |&start: &[usize; 2]| {
        reference::patch_features(&pixels, size, parts.scale, 3 * parts.scale, start, &parts.projection)
    };
    values.starts.iter().flat_map(twin).collect()
}

#[test]
fn features_are_the_twin_s() {
    let _alone = alone();
    for (scale, width, height, count) in
        [(2, 31, 24, 5), (3, 40, 29, 30), (4, 37, 50, 7), (3, 7, 13, 3), (2, 6, 5, 4)]
    {
        let parts = Parts::new(Method::Ksvd { nonzeros: 1 }, scale, count, 9);
        let upscaler = DictionaryUpscaler::new(gpu(), &parts.dictionary()).unwrap();
        let picture = plane(width, height);
        let values = upscaler.patches(&picture).unwrap();
        assert!(values.nearest.is_empty() && values.residuals.is_empty());
        let products = 4 * (3 * scale).pow(2);
        let expected = features(&parts, &picture, &values);
        assert_close(
            &format!("x{scale} {width}x{height}"),
            &values.features,
            &expected,
            tolerance(products, 1, 1.0),
        );
    }
}

/// With a projection that leaves everything as it is, features are the gradients themselves.
#[test]
fn gradients_are_the_twin_s() {
    let _alone = alone();
    for (scale, width, height) in [(2, 19, 16), (3, 22, 17), (4, 26, 13)] {
        let count = 4 * 9 * scale * scale;
        let identity: Vec<f64> =
            (0..count * count).map(|i| if i / count == i % count { 1.0 } else { 0.0 }).collect();
        let parts =
            Parts { projection: identity, ..Parts::new(Method::Ksvd { nonzeros: 1 }, scale, count, 4) };
        let upscaler = DictionaryUpscaler::new(gpu(), &parts.dictionary()).unwrap();
        let picture = plane(width, height);
        let values = upscaler.patches(&picture).unwrap();
        let pixels = wide(&picture.data);
        let mut expected = Vec::new();
        for [left, top] in &values.starts {
            for pixel in 0..9 * scale * scale {
                let at = [left + pixel % (3 * scale), top + pixel / (3 * scale)];
                let at = [at[0].min(width - 1) as i64, at[1].min(height - 1) as i64];
                expected.extend(reference::patch_gradients(&pixels, [width, height], scale, at));
            }
        }
        assert_close(&format!("x{scale}"), &values.features, &expected, tolerance(4, 1, 1.0));
    }
}

#[test]
fn nearest_atoms_are_the_twin_s() {
    let _alone = alone();
    for (neighbors, atoms, count) in [(1, 1, 3), (5, 5, 8), (24, 257, 30), (7, 1024, 13)] {
        let parts = Parts::new(Method::NeNnls { neighbors }, 3, count, atoms);
        let upscaler = DictionaryUpscaler::new(gpu(), &parts.dictionary()).unwrap();
        let values = upscaler.patches(&plane(41, 30)).unwrap();
        let mut moved = 0;
        for (own, near) in values.features.chunks(count).zip(values.nearest.chunks(neighbors)) {
            let own = wide(own);
            let all = reference::correlations(&parts.low, &own);
            let mut largest = all.clone();
            largest.sort_by(|a, b| b.total_cmp(a));
            let norm = own.iter().map(|v| v * v).sum::<f64>().sqrt();
            let close = tolerance(count, 1, norm);
            for (k, &atom) in near.iter().enumerate() {
                // Where two are equal but for rounding, either may come first.
                let found = all[atom as usize];
                assert!((found - largest[k]).abs() <= close, "{k}: {found} {}", largest[k]);
                // Another place would be noticed.
                moved += usize::from(largest.get(k + 1).is_some_and(|next| (found - next).abs() > close));
            }
            let mut different = near.to_vec();
            different.sort_unstable();
            different.dedup();
            assert_eq!(different.len(), neighbors);
        }
        assert!(atoms == 1 || moved > values.nearest.len() / 2, "the comparison cannot fail");
    }
}

#[test]
fn regressions_are_the_twin_s() {
    let _alone = alone();
    for (scale, count, atoms, neighbors) in [(2, 5, 12, 4), (3, 30, 65, 20), (4, 9, 33, 33)] {
        let ridge = 0.05;
        let parts = Parts::new(Method::Anr { neighbors, ridge }, scale, count, atoms);
        let upscaler = DictionaryUpscaler::new(gpu(), &parts.dictionary()).unwrap();
        let values = upscaler.patches(&plane(29, 34)).unwrap();
        let pixels = 9 * scale * scale;
        let atom = |i: usize| parts.low[i * count..(i + 1) * count].to_vec();
        let above = |i: usize| parts.high[i * pixels..(i + 1) * pixels].to_vec();
        let mut expected = Vec::new();
        let mut largest: f64 = 0.0;
        for (own, &anchor) in values.features.chunks(count).zip(&values.nearest) {
            let anchor = anchor as usize;
            let near = reference::correlations(&parts.low, &atom(anchor));
            let mut order: Vec<usize> = (0..atoms).filter(|&i| i != anchor).collect();
            order.sort_by(|&a, &b| near[b].total_cmp(&near[a]));
            order.insert(0, anchor);
            order.truncate(neighbors);
            let (low, high): (Vec<_>, Vec<_>) = order.iter().map(|&i| (atom(i), above(i))).unzip();
            expected.extend(reference::anchored_regression(&low, &high, ridge, &wide(own)));
            // Bounds a row of the matrix: no coefficient is larger than 1 / (2 sqrt(ridge)) of the features.
            largest = largest.max(own.iter().map(|v| v.abs()).fold(0.0_f32, f32::max).into());
        }
        let bound = largest * neighbors as f64 / (2.0 * f64::sqrt(ridge));
        assert_close(&format!("x{scale}"), &values.residuals, &expected, tolerance(count, 1, bound));
    }
}

const METHODS: [Method; 5] = [
    Method::Anr { neighbors: 9, ridge: 0.1 },
    Method::Ksvd { nonzeros: 3 },
    Method::NeLle { neighbors: 6, ridge: 0.1 },
    Method::NeNnls { neighbors: 6 },
    Method::Sc { lambda: 0.2, overlap: 1, back_projection: 0 },
];

/// Bands of patches change no bit; colors and alpha come along; the result differs from bicubic interpolation.
#[test]
fn bands_change_no_bit() {
    let _alone = alone();
    let low = plane(23, 17);
    let mut next = noise(4);
    let texels = (0..23 * 17 * 4).map(|_| (127.5 + 127.0 * next()) as u8).collect();
    let colors = DynamicImage::from(RgbaImage::from_raw(23, 17, texels).unwrap());
    for method in METHODS {
        let dictionary = Parts::new(method, 3, 8, 40).dictionary();
        let mut whole = DictionaryUpscaler::new(gpu(), &dictionary).unwrap();
        let mut banded = DictionaryUpscaler::new(gpu(), &dictionary).unwrap().with_rows(1);
        for size in [(69, 51), (70, 55), (31, 60)] {
            let expected = whole.upscale_planes(&low, size).unwrap();
            assert_eq!(banded.upscale_planes(&low, size).unwrap(), expected, "{method} {size:?}");
        }
        let picture = whole.upscale_as(&colors, ColorType::Rgba8, 3.0, &mut |_, _| ()).unwrap();
        let mut rows = Vec::new();
        let mut take = |band: DynamicImage| {
            rows.extend(band.into_rgba8().into_raw());
            Ok(())
        };
        let rows_of_patches = ((51 - dictionary.patch()) / dictionary.step() + 1) as u64;
        let mut steps = Vec::new();
        banded
            .upscale_bands(&colors, ColorType::Rgba8, 3.0, &mut take, &mut |done, all| {
                steps.push((done, all))
            })
            .unwrap();
        assert_eq!(rows, picture.into_rgba8().into_raw(), "{method}");
        let expected: Vec<_> = (0..=rows_of_patches).map(|done| (done, rows_of_patches)).collect();
        assert_eq!(steps, expected, "{method}");
    }
}

/// A picture without gradients stays what it is; a dictionary whose residuals are zero gives bicubic interpolation.
#[test]
fn nothing_is_added_to_flat_pictures() {
    let _alone = alone();
    for method in METHODS {
        let parts = Parts::new(method, 2, 8, 40);
        let mut upscaler = DictionaryUpscaler::new(gpu(), &parts.dictionary()).unwrap();
        let flat = Planes::new(12, 9, 1, vec![0.25; 108]).unwrap();
        let result = upscaler.upscale_planes(&flat, 2.0).unwrap();
        assert!(result.data.iter().all(|v| (v - 0.25).abs() < 1e-6), "{method}");
        let refined = upscaler.upscale_planes(&plane(12, 9), 2.0).unwrap();
        let none = Parts { high: vec![0.0; parts.high.len()], ..parts };
        let mut upscaler = DictionaryUpscaler::new(gpu(), &none.dictionary()).unwrap();
        let bicubic = upscaler.upscale_planes(&plane(12, 9), 2.0).unwrap();
        let expected =
            reference::resample::imresize_to(&wide(&plane(12, 9).data), (9, 12), (18, 24)).unwrap();
        assert_close(&format!("{method}"), &bicubic.data, &expected, 1e-6);
        assert_ne!(refined, bicubic, "{method}");
    }
}
