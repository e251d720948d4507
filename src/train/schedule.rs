//! How learning rates change over a run.

use serde::{Deserialize, Serialize};

/// Factor of the learning rates over a run: over its steps, or over its time if that limits it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
pub enum Schedule {
    /// 1 throughout: the paper's.
    Constant,
    /// From 1 to `last` along half a cosine. In the first `warmup` steps, while the optimizer has seen few gradients, it
    /// is also multiplied by a ramp from 0 to 1.
    Cosine {
        /// Steps of the ramp.
        #[serde(default)]
        warmup: u64,
        /// Factor at the end.
        last: f64,
    },
    /// Multiplied by `factor` at each of these fractions of the run.
    Steps {
        /// Parts of the run in 0..1, rising.
        at: Vec<f64>,
        /// The factor of each.
        factor: f64,
    },
}

impl Schedule {
    /// Factor of the rates at a fraction of the run in 0..1, for the step after `done` steps. The same on every platform,
    /// bit for bit.
    pub fn at(&self, part: f64, done: u64) -> f64 {
        match self {
            Self::Constant => 1.0,
            Self::Cosine { warmup, last } => {
                let rise = ((done + 1) as f64 / (*warmup).max(1) as f64).min(1.0);
                rise * (last + (1.0 - last) * 0.5 * (1.0 + half_turn_cosine(part)))
            }
            Self::Steps { at, factor } => at.iter().filter(|&&at| part >= at).map(|_| factor).product(),
        }
    }
}

/// cos(pi x) for x in 0..1 from basic arithmetic only: a platform's own cosine may differ in the last bit.
fn half_turn_cosine(x: f64) -> f64 {
    // sin of at most a quarter turn: cos(pi x) = sin(pi (1/2 - x)); terms fall below 2^-53 after 11.
    let angle = std::f64::consts::PI * (0.5 - x);
    let (mut term, mut sum) = (angle, angle);
    for k in 1..12 {
        term *= -angle * angle / (2 * k * (2 * k + 1)) as f64;
        sum += term;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schedules() {
        let cosine = Schedule::Cosine { warmup: 0, last: 0.01 };
        for step in 0..=100u64 {
            let exact = 0.01 + 0.99 * 0.5 * (1.0 + (std::f64::consts::PI * step as f64 / 100.0).cos());
            assert!((cosine.at(step as f64 / 100.0, 0) - exact).abs() < 1e-15, "{step}");
        }
        let rising = Schedule::Cosine { warmup: 10, last: 1.0 };
        assert_eq!([0, 4, 9, 10].map(|done| rising.at(0.0, done)), [0.1, 0.5, 1.0, 1.0]);
        assert_eq!(Schedule::Constant.at(0.5, 0), 1.0);
        let steps = Schedule::Steps { at: vec![0.5, 0.8], factor: 0.1 };
        let factors = [0.0, 0.4, 0.5, 0.7, 0.8, 1.0].map(|part| steps.at(part, 0));
        assert_eq!(factors, [1.0, 1.0, 0.1, 0.1, 0.1 * 0.1, 0.1 * 0.1]);
    }
}
