//! Twins of `patch_gradients.wgsl`, `patch_features.wgsl`, `nearest_atoms.wgsl` and `anchored_regression.wgsl`.

/// The gradients of a plane at (`x`, `y`): horizontal and vertical of first order, the same of second order. Pixels beyond an
/// edge are those of the edge.
///
/// First order is the difference of two pixels that are `step` apart, the middle one's share rounded up; second order is half
/// of f(x - step) - 2 f(x) + f(x + step).
pub fn patch_gradients(
    plane: &[f64],
    [width, height]: [usize; 2],
    step: usize,
    [x, y]: [i64; 2],
) -> [f64; 4] {
    let value = |x: i64, y: i64| {
        let (x, y) = (x.max(0).min(width as i64 - 1), y.max(0).min(height as i64 - 1));
        plane[y as usize * width + x as usize]
    };
    let step = step as i64;
    let before = step / 2;
    let after = step - before;
    [
        value(x + after, y) - value(x - before, y),
        value(x, y + after) - value(x, y - before),
        (value(x - step, y) - 2.0 * value(x, y) + value(x + step, y)) / 2.0,
        (value(x, y - step) - 2.0 * value(x, y) + value(x, y + step)) / 2.0,
    ]
}

/// The features of the patch of `patch` x `patch` pixels at (`left`, `top`): products of each row of `projection` with the
/// gradients of its pixels, row by row, the four of a pixel together. A pixel beyond an edge has the gradients of the edge's.
pub fn patch_features(
    plane: &[f64],
    [width, height]: [usize; 2],
    step: usize,
    patch: usize,
    [left, top]: [usize; 2],
    projection: &[f64],
) -> Vec<f64> {
    let mut gradients = Vec::new();
    for y in top..top + patch {
        for x in left..left + patch {
            let at = [x.min(width - 1) as i64, y.min(height - 1) as i64];
            gradients.extend(patch_gradients(plane, [width, height], step, at));
        }
    }
    let product = |row: &[f64]| row.iter().zip(&gradients).map(|(factor, gradient)| factor * gradient).sum();
    projection.chunks(gradients.len()).map(product).collect()
}

/// How much each atom, `[atom][feature]`, is correlated with features: the magnitude of their product.
pub fn correlations(atoms: &[f64], features: &[f64]) -> Vec<f64> {
    let product = |atom: &[f64]| atom.iter().zip(features).map(|(a, f)| a * f).sum::<f64>();
    atoms.chunks(features.len()).map(|atom| product(atom).abs()).collect()
}

/// ANR's residual for features (Timofte et al. 2013, equations 4 to 6): the ridge regression of the features on the atoms
/// `low` of a neighborhood, `[atom][feature]`, gives coefficients for the atoms `high`, `[atom][pixel]`.
pub fn anchored_regression(low: &[Vec<f64>], high: &[Vec<f64>], ridge: f64, features: &[f64]) -> Vec<f64> {
    let count = low.len();
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    // (N'N + ridge I) x = N'f, by Gauss and Jordan with pivots.
    let mut rows: Vec<Vec<f64>> = (0..count)
        .map(|i| {
            let mut row: Vec<f64> = (0..count).map(|j| dot(&low[i], &low[j])).collect();
            row[i] += ridge;
            row.push(dot(&low[i], features));
            row
        })
        .collect();
    for i in 0..count {
        let pivot = (i..count).max_by(|&a, &b| rows[a][i].abs().total_cmp(&rows[b][i].abs())).unwrap_or(i);
        rows.swap(i, pivot);
        let own = rows[i].clone();
        for (_, row) in rows.iter_mut().enumerate().filter(|(j, _)| *j != i) {
            let factor = row[i] / own[i];
            row.iter_mut().zip(&own).for_each(|(value, own)| *value -= factor * own);
        }
    }
    let pixels = high.first().map_or(0, Vec::len);
    (0..pixels).map(|p| (0..count).map(|i| rows[i][count] / rows[i][i] * high[i][p]).sum()).collect()
}
