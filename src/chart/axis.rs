//! Axes: the position of values, and the round values at their ticks.

/// How values are laid out along an axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Scale {
    /// Linear from zero, growing to the right.
    #[default]
    Linear,
    /// Logarithmic over whole decades, growing to the left: for times, with the fastest on the right.
    LogarithmicToTheLeft,
}

/// An axis: values from `low` to `high` are mapped to positions from `from` to `to`.
#[derive(Debug, Clone, Copy)]
pub struct Axis {
    pub low: f64,
    pub high: f64,
    pub from: f64,
    pub to: f64,
    pub logarithmic: bool,
}

impl Axis {
    /// The x axis from left to right for these values, which are finite.
    pub fn along(scale: Scale, values: impl Iterator<Item = f64>, (from, to): (f64, f64)) -> Self {
        match scale {
            Scale::Linear => {
                Self { low: 0.0, high: values.fold(1.0, f64::max), from, to, logarithmic: false }
            }
            Scale::LogarithmicToTheLeft => {
                let positive = values.filter(|&v| v > 0.0).map(f64::log10);
                let (low, high) =
                    positive.fold((f64::MAX, f64::MIN), |(low, high), v| (low.min(v), high.max(v)));
                let (low, high) = if low <= high { (low.floor(), high.ceil()) } else { (0.0, 1.0) };
                let high = high.max(low + 1.0);
                Self { low: 10f64.powf(low), high: 10f64.powf(high), from: to, to: from, logarithmic: true }
            }
        }
    }

    /// The position of a value; values below a logarithmic axis are clamped to its lower end.
    pub fn at(&self, value: f64) -> f64 {
        let scaled = |v: f64| if self.logarithmic { v.max(self.low).log10() } else { v };
        let part = (scaled(value) - scaled(self.low)) / (scaled(self.high) - scaled(self.low));
        self.from + part * (self.to - self.from)
    }

    /// The unit that suits large values, and its name, appended to the axis' own.
    pub fn unit(&self) -> (f64, &'static str) {
        match self.high {
            _ if self.logarithmic => (1.0, ""),
            high if high >= 2e6 => (1e6, " (millions)"),
            high if high >= 2e3 => (1e3, " (thousands)"),
            _ => (1.0, ""),
        }
    }

    /// The same axis for values in a unit.
    pub fn in_units(self, unit: f64) -> Self {
        Self { low: self.low / unit, high: self.high / unit, ..self }
    }

    /// Round values inside of the axis, and how many decimals they need.
    pub fn ticks(&self) -> (Vec<f64>, usize) {
        if self.logarithmic {
            // The ends of whole decades may be off by a rounding error.
            let decades =
                ((self.low.log10() - 1e-9).ceil() as i32)..=((self.high.log10() + 1e-9).floor() as i32);
            return (decades.map(|power| 10f64.powi(power)).collect(), 0);
        }
        let rough = (self.high - self.low) / 7.0;
        let decade = 10f64.powf(rough.log10().floor());
        let step =
            [1.0, 2.0, 5.0, 10.0].map(|f| f * decade).into_iter().find(|&s| s >= rough).unwrap_or(rough);
        let first = (self.low / step).ceil() as i64;
        let last = (self.high / step + 1e-9).floor() as i64;
        let decimals = (-step.log10().floor()).clamp(0.0, 9.0) as usize;
        ((first..=last).map(|i| i as f64 * step).collect(), decimals)
    }

    /// A tick's text: large and very small values as powers of ten.
    pub fn label(&self, tick: f64, decimals: usize) -> String {
        let power = tick.log10().round();
        match self.logarithmic {
            false => format!("{tick:.decimals$}"),
            true if (-5.0..4.0).contains(&power) => format!("{:.*}", (-power).max(0.0) as usize, tick),
            true => format!("10<tspan dy=\"-5\" font-size=\"9\">{power}</tspan>"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPAN: (f64, f64) = (0.0, 100.0);

    fn axis(low: f64, high: f64) -> Axis {
        Axis { low, high, from: 0.0, to: 100.0, logarithmic: false }
    }

    #[test]
    fn round_ticks() {
        assert_eq!(axis(0.0, 800.0).ticks(), (vec![0.0, 200.0, 400.0, 600.0, 800.0], 0));
        let (ticks, decimals) = axis(29.3, 32.5).ticks();
        assert_eq!((ticks.len(), decimals), (7, 1));
        assert_eq!(axis(10.0, 20.0).at(15.0), 50.0);
        let log = Axis { logarithmic: true, ..axis(1e3, 1e7) };
        assert_eq!((log.ticks().0.len(), log.at(1e5)), (5, 50.0));
        assert!(log.label(1e5, 0).starts_with("10<tspan") && log.label(1e3, 0) == "1000");
    }

    /// Seconds: whole decades, the least time on the right.
    #[test]
    fn times_go_to_the_left() {
        let times = [0.0042, 84.88, 0.39];
        let axis = Axis::along(Scale::LogarithmicToTheLeft, times.into_iter(), SPAN);
        let labels: Vec<_> = axis.ticks().0.iter().map(|&tick| axis.label(tick, 0)).collect();
        assert_eq!(labels, ["0.001", "0.01", "0.1", "1", "10", "100"]);
        assert!(axis.at(0.0042) > axis.at(0.39) && axis.at(0.39) > axis.at(84.88));
        assert_eq!(axis.at(0.0), axis.at(0.001));
        let one = Axis::along(Scale::LogarithmicToTheLeft, [0.1].into_iter(), SPAN);
        assert_eq!(one.ticks().0.len(), 2);
        assert!(Axis::along(Scale::LogarithmicToTheLeft, [0.0].into_iter(), SPAN).at(3.0).is_finite());
    }
}
