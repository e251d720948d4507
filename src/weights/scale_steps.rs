//! Splitting an enlargement into steps by the scales that networks were trained for.
//!
//! A network knows the blur of bicubic interpolation by its own scale and by no other: at 1.5, one for 2 sharpens far too much.
//! So networks only ever enlarge by trained scales, and bicubic interpolation does the rest, mostly by shrinking the result.
//! weights/README.md has the figures ("Between the factors").

/// The steps of an enlargement.
#[derive(Debug, Clone, PartialEq)]
pub struct Steps {
    /// Those of networks, in their order; at least one.
    pub networks: Vec<Step>,
    /// What remains, as a factor; 1 for nothing.
    pub rest: f64,
}

/// One step of an enlargement.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Step {
    /// Enlargement by this step.
    pub factor: f64,
    /// Index of the trained scale.
    pub trained: usize,
}

/// Up to this factor, the rest may be an enlargement, where a larger trained scale would take more work for nothing.
const REST: f64 = 1.1;
/// For a larger rest than this, another step is worth its time.
const ANOTHER_STEP: f64 = 1.4;
/// Limits the search: 2 to the 10th is more than any enlargement.
const MOST_STEPS: usize = 10;
/// Logarithms of ratios closer than this count as equal.
const SAME: f64 = 1e-9;

/// Splits an enlargement by `factor` into `most` steps or fewer, given the scales that networks were trained for.
///
/// As few steps as reach the factor, up to the rest: 1.5 is 2 and shrinking, 6 is 3 and 2, 7 is 4, 2 and shrinking. Of equally
/// many, those with the smallest product, largest first. Without any trained scale above 1 there is one step by the whole
/// factor, with the first network.
pub fn plan_steps(factor: f64, trained: &[f64], most: usize) -> Steps {
    let mut scales: Vec<usize> = (0..trained.len()).filter(|&index| trained[index] > 1.0).collect();
    scales.sort_by(|&a, &b| trained[b].total_cmp(&trained[a]));
    scales.dedup_by_key(|&mut index| trained[index].to_bits());
    let Some(&largest) = scales.first() else {
        return Steps { networks: vec![Step { factor, trained: 0 }], rest: 1.0 };
    };
    let covers = |product: f64, rest: f64| (factor / (product * rest)).ln() <= SAME;
    let reach = |steps: usize| trained[largest].powf(steps as f64);
    let most = most.clamp(1, MOST_STEPS);
    let count = (1..most).find(|&steps| covers(reach(steps), ANOTHER_STEP)).unwrap_or(most);
    // Descending lists of scales; the first, of the largest alone, is taken if none reaches the factor.
    let mut best = vec![0; count];
    let mut list = best.clone();
    let product = |list: &[usize]| list.iter().map(|&place| trained[scales[place]]).product::<f64>();
    while next_list(&mut list, scales.len()) {
        if covers(product(&list), REST) && product(&list) < product(&best) {
            best.clone_from(&list);
        }
    }
    let step = |&place: &usize| Step { factor: trained[scales[place]], trained: scales[place] };
    let rest = factor / product(&best);
    let rest = if rest.ln().abs() <= SAME { 1.0 } else { rest };
    Steps { networks: best.iter().map(step).collect(), rest }
}

/// The next list of places below `places` that do not descend; false after the last one.
fn next_list(list: &mut [usize], places: usize) -> bool {
    let Some(at) = list.iter().rposition(|&place| place + 1 < places) else { return false };
    let place = list[at] + 1;
    list[at..].fill(place);
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [f64; 3] = [2.0, 3.0, 4.0];

    fn factors(factor: f64, trained: &[f64]) -> Vec<f64> {
        plan_steps(factor, trained, usize::MAX).networks.iter().map(|step| step.factor).collect()
    }

    #[test]
    fn products_of_trained_scales_are_exact() {
        for (factor, expected) in [
            (2.0, vec![2.0]),
            (4.0, vec![4.0]),
            (6.0, vec![3.0, 2.0]),
            (8.0, vec![4.0, 2.0]),
            (9.0, vec![3.0, 3.0]),
            (12.0, vec![4.0, 3.0]),
            (16.0, vec![4.0, 4.0]),
            (64.0, vec![4.0, 4.0, 4.0]),
        ] {
            assert_eq!(factors(factor, &ALL), expected);
            assert_eq!(plan_steps(factor, &ALL, usize::MAX).rest, 1.0, "{factor}");
        }
        assert_eq!(factors(8.0, &[2.0]), [2.0, 2.0, 2.0]);
        assert_eq!(
            plan_steps(1.5, &[1.5], 9),
            Steps { networks: vec![Step { factor: 1.5, trained: 0 }], rest: 1.0 }
        );
    }

    #[test]
    fn the_rest_is_bicubic() {
        for (factor, expected) in [
            (0.5, vec![2.0]),
            (1.1, vec![2.0]),
            (1.99, vec![2.0]),
            // Hardly more than a trained scale.
            (2.01, vec![2.0]),
            (2.2, vec![2.0]),
            (2.21, vec![3.0]),
            (2.5, vec![3.0]),
            (3.5, vec![4.0]),
            // A second step would gain little.
            (5.0, vec![4.0]),
            (5.6, vec![4.0]),
            (5.7, vec![3.0, 2.0]),
            (7.0, vec![4.0, 2.0]),
            (10.0, vec![4.0, 3.0]),
            (22.0, vec![4.0, 4.0]),
            (23.0, vec![4.0, 3.0, 2.0]),
        ] {
            let steps = plan_steps(factor, &ALL, usize::MAX);
            assert_eq!(factors(factor, &ALL), expected, "{factor}");
            let product: f64 = expected.iter().product();
            assert!((product * steps.rest / factor - 1.0).abs() < 1e-12, "{factor}: {steps:?}");
            assert!(
                steps.networks.iter().all(|step| step.factor == ALL[step.trained]),
                "{factor}: {steps:?}"
            );
        }
        let large = plan_steps(999.9, &ALL, usize::MAX);
        assert!(large.networks.len() == 5 && (0.8..1.1).contains(&large.rest), "{large:?}");
    }

    #[test]
    fn steps_can_be_limited() {
        let single = plan_steps(9.0, &ALL, 1);
        assert_eq!(
            (single.networks.as_slice(), single.rest),
            (&[Step { factor: 4.0, trained: 2 }][..], 2.25)
        );
        assert_eq!(plan_steps(2.5, &ALL, 1).networks, [Step { factor: 3.0, trained: 1 }]);
        assert_eq!(plan_steps(2.5, &ALL, 0), plan_steps(2.5, &ALL, 1));
    }

    #[test]
    fn few_or_no_trained_scales() {
        for none in [&[][..], &[1.0]] {
            let whole = Step { factor: 7.5, trained: 0 };
            assert_eq!(plan_steps(7.5, none, 9), Steps { networks: vec![whole], rest: 1.0 });
        }
        assert_eq!(factors(4.0, &[3.0]), [3.0]);
        assert_eq!(factors(5.0, &[3.0]), [3.0, 3.0]);
        assert_eq!(factors(6.0, &[8.0]), [8.0]);
        assert_eq!(factors(1e6, &[1.01]).len(), MOST_STEPS);
        // The first network of a scale that several know.
        assert_eq!(plan_steps(2.0, &[3.0, 2.0, 2.0], 9).networks[0].trained, 1);
    }
}
