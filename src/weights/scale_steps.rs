//! Splitting a large enlargement into steps, each near a scale that a network was trained for.

/// One step of an enlargement.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Step {
    /// Enlargement by this step.
    pub factor: f64,
    /// Index of the trained scale nearest to `factor`, as a ratio.
    pub trained: usize,
}

/// Up to this factor one step is enough, with whichever network is nearest.
const ONE_STEP: f64 = 4.0;
/// Limits the search: 2 to the 10th is more than any enlargement.
const MOST_STEPS: usize = 10;
/// Logarithms of ratios closer than this count as equal.
const SAME: f64 = 1e-9;

/// Splits an enlargement by `factor` into steps, given the scales that networks were trained for.
///
/// A factor up to 4, or up to the largest trained scale, takes one step. Beyond that, the steps are trained scales,
/// largest first, and the last step is the remainder. Of all such lists, the one whose remainder is nearest to a trained
/// scale is taken, and of equal ones the shortest: 6 becomes 3 and 2, 8 becomes 4 and 2. Without any trained scale
/// there is one step, with the first network.
pub fn plan_steps(factor: f64, trained: &[f64]) -> Vec<Step> {
    let nearest = |factor: f64| {
        let distance = |scale: f64| (scale / factor).ln().abs();
        let indices = 0..trained.len();
        indices.min_by(|&a, &b| distance(trained[a]).total_cmp(&distance(trained[b]))).unwrap_or(0)
    };
    let step = |factor: f64| Step { factor, trained: nearest(factor) };
    let largest = trained.iter().copied().fold(1.0, f64::max);
    if factor <= ONE_STEP.max(largest) || largest <= 1.0 {
        return vec![step(factor)];
    }
    let mut scales = trained.to_vec();
    scales.sort_by(|a, b| b.total_cmp(a));
    scales.dedup();
    let mut best = (f64::INFINITY, Vec::new());
    for length in 0..MOST_STEPS {
        search(factor, &scales, length, &mut Vec::new(), &mut best);
        if best.0 <= SAME {
            break;
        }
    }
    let mut steps: Vec<Step> = best.1.iter().map(|&factor| step(factor)).collect();
    steps.push(step(factor / best.1.iter().product::<f64>()));
    steps
}

/// Tries all descending lists of `length` scales after those in `taken`, and keeps in `best` the one whose remainder is
/// nearest to a trained scale.
fn search(factor: f64, scales: &[f64], length: usize, taken: &mut Vec<f64>, best: &mut (f64, Vec<f64>)) {
    let Some(left) = length.checked_sub(1) else {
        let rest = factor / taken.iter().product::<f64>();
        let all = taken.iter().chain(scales);
        let distance = all.map(|scale| (scale / rest).ln().abs()).fold(f64::INFINITY, f64::min);
        if rest > 1.0 + SAME && distance < best.0 - SAME {
            *best = (distance, taken.clone());
        }
        return;
    };
    for (i, &scale) in scales.iter().enumerate() {
        taken.push(scale);
        search(factor, &scales[i..], left, taken, best);
        taken.pop();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn factors(factor: f64, trained: &[f64]) -> Vec<f64> {
        plan_steps(factor, trained).iter().map(|step| step.factor).collect()
    }

    #[test]
    fn products_of_trained_scales_are_exact() {
        let all = [2.0, 3.0, 4.0];
        for (factor, expected) in [
            (1.5, vec![1.5]),
            (4.0, vec![4.0]),
            (6.0, vec![3.0, 2.0]),
            (8.0, vec![4.0, 2.0]),
            (9.0, vec![3.0, 3.0]),
            (12.0, vec![4.0, 3.0]),
            (16.0, vec![4.0, 4.0]),
            (64.0, vec![4.0, 4.0, 4.0]),
        ] {
            assert_eq!(factors(factor, &all), expected);
        }
        assert_eq!(factors(8.0, &[2.0]), [2.0, 2.0, 2.0]);
    }

    #[test]
    fn the_last_step_takes_what_remains() {
        let all = [2.0, 3.0, 4.0];
        let steps = plan_steps(5.0, &all);
        assert_eq!(steps[0], Step { factor: 3.0, trained: 1 });
        assert!((steps[1].factor - 5.0 / 3.0).abs() < 1e-12 && steps[1].trained == 0);
        for factor in [4.3, 5.7, 7.0, 10.0, 31.4, 999.9] {
            let steps = plan_steps(factor, &all);
            let product: f64 = steps.iter().map(|step| step.factor).product();
            assert!((product / factor - 1.0).abs() < 1e-12, "{factor}: {steps:?}");
            for step in steps {
                let ratio = step.factor / all[step.trained];
                assert!((0.7..1.45).contains(&ratio), "{factor}: {step:?}");
            }
        }
    }

    #[test]
    fn few_or_no_trained_scales() {
        assert_eq!(plan_steps(7.5, &[]), [Step { factor: 7.5, trained: 0 }]);
        // One step of 4 is nearer to 3 than a second step of 4/3 would be.
        assert_eq!(factors(4.0, &[3.0]), [4.0]);
        assert_eq!(factors(9.0, &[3.0]), [3.0, 3.0]);
        assert_eq!(factors(6.0, &[8.0]), [6.0]);
        assert_eq!(plan_steps(3.4, &[2.0, 3.0, 4.0])[0].trained, 1);
        assert_eq!(plan_steps(3.5, &[2.0, 3.0, 4.0])[0].trained, 2);
    }
}
