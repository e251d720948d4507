//! MATLAB's bicubic enlargement as nodes, for any ratio and any size.
//!
//! ONNX's own `Resize` repeats the edge where MATLAB mirrors the picture, and runtimes differ in its cubic weights. Here the
//! places of the taps are worked out in whole numbers from the size that comes, mirrored, and gathered.

use super::build::{Builder, int};
use crate::onnx::kind;
use crate::ratio::Ratio;

/// Adds the enlargement of the value `input`; returns the name of its result.
pub fn enlarge(builder: &mut Builder, input: &str, ratio: Ratio, scale: f64) -> String {
    let constants = Constants::new(builder, ratio, scale);
    let wide = axis(builder, &constants, input, Direction { name: "columns", axis: 3 });
    axis(builder, &constants, &wide, Direction { name: "rows", axis: 2 })
}

/// An axis to enlarge.
struct Direction<'a> {
    name: &'a str,
    axis: i64,
}

/// Names of the numbers that both axes use.
struct Constants {
    zero: String,
    one: String,
    two: String,
    /// Twice the ratio's parts.
    twice_up: String,
    twice_down: String,
    /// Brings places to what is not negative.
    shift: String,
    /// How far the taps lie from the place that was shifted, [4, 1].
    taps: String,
    /// Coefficients of the cubic's four pieces from the highest power to the lowest, each [4, 1].
    powers: [String; 4],
    parts: String,
    size: Size,
}

/// How the length of an axis is found.
enum Size {
    /// From the ratio, rounded up: (length * up + down - 1) / down.
    Whole { up: String, down: String, less: String },
    /// As MATLAB's doubles give it, which at a few lengths is a sample more.
    Double { scale: String },
}

impl Constants {
    fn new(builder: &mut Builder, ratio: Ratio, scale: f64) -> Self {
        let (up, down) = (ratio.up() as i64, ratio.down() as i64);
        let mut number = |name: &str, value: i64| builder.integers(&format!("bicubic.{name}"), &[], &[value]);
        let (zero, one, two) = (number("zero", 0), number("one", 1), number("two", 2));
        let (twice_up, twice_down) = (number("twice_up", 2 * up), number("twice_down", 2 * down));
        let shift = number("shift", down + up);
        let size = if ratio.is_exact() {
            Size::Whole { up: number("up", up), down: number("down", down), less: number("less", down - 1) }
        } else {
            Size::Double { scale: builder.double("bicubic.scale", scale) }
        };
        // Keys's kernel with a = -1/2 at distances 1 + t, t, 1 - t and 2 - t.
        let pieces = [
            ("cubic", [-0.5, 1.5, -1.5, 0.5]),
            ("square", [1.0, -2.5, 2.0, -0.5]),
            ("linear", [-0.5, 0.0, 0.5, 0.0]),
            ("constant", [0.0, 1.0, 0.0, 0.0]),
        ];
        let powers =
            pieces.map(|(name, values)| builder.floats(&format!("bicubic.{name}"), &[4, 1], &values));
        Self {
            zero,
            one,
            two,
            twice_up,
            twice_down,
            shift,
            taps: builder.integers("bicubic.taps", &[4, 1], &[-2, -1, 0, 1]),
            powers,
            parts: builder.floats("bicubic.parts", &[], &[2.0 * ratio.up() as f32]),
            size,
        }
    }
}

/// Adds the enlargement of one axis.
fn axis(builder: &mut Builder, constants: &Constants, input: &str, direction: Direction) -> String {
    let name = |part: &str| format!("{}.{part}", direction.name);
    let shape = vec![int("start", direction.axis), int("end", direction.axis + 1)];
    let length = builder.node("Shape", &name("shape"), &[input], shape);
    let length = builder.apply("Squeeze", &name("length"), &[&length]);
    let output = output_length(builder, constants, &length, &name);

    // Sample x of the output lies at (x + 1/2) / scale - 1/2, which is ((2 x + 1) down - up) / (2 up). One more, it is
    // not negative: its whole part is the tap left of it, its rest the distance.
    let x = builder.apply("Range", &name("x"), &[&constants.zero, &output, &constants.one]);
    let steps = builder.apply("Mul", &name("steps"), &[&x, &constants.twice_down]);
    let place = builder.apply("Add", &name("place"), &[&steps, &constants.shift]);
    let whole = builder.apply("Div", &name("whole"), &[&place, &constants.twice_up]);
    let back = builder.apply("Mul", &name("back"), &[&whole, &constants.twice_up]);
    let rest = builder.apply("Sub", &name("rest"), &[&place, &back]);

    // Beyond the edges the picture is mirrored, with a period of twice its length.
    let taps = builder.apply("Add", &name("taps"), &[&whole, &constants.taps]);
    let period = builder.apply("Mul", &name("period"), &[&length, &constants.two]);
    let last = builder.apply("Sub", &name("last"), &[&period, &constants.one]);
    let positive = builder.apply("Add", &name("positive"), &[&taps, &period]);
    let there = builder.apply("Mod", &name("there"), &[&positive, &period]);
    let mirrored = builder.apply("Sub", &name("mirrored"), &[&last, &there]);
    let indices = builder.apply("Min", &name("indices"), &[&there, &mirrored]);

    let rest = builder.node("Cast", &name("distance"), &[&rest], vec![int("to", i64::from(kind::F32))]);
    let t = builder.apply("Div", &name("t"), &[&rest, &constants.parts]);
    let mut weights = constants.powers[0].clone();
    for (power, coefficient) in constants.powers.iter().enumerate().skip(1) {
        let product = builder.apply("Mul", &name(&format!("product{power}")), &[&weights, &t]);
        weights = builder.apply("Add", &name(&format!("sum{power}")), &[&product, coefficient]);
    }
    // The taps of all samples, [4, samples], stand where the axis was.
    if direction.axis == 2 {
        let at = builder.integers(&name("inner"), &[1], &[2]);
        weights = builder.apply("Unsqueeze", &name("weights"), &[&weights, &at]);
    }
    let gathered =
        builder.node("Gather", &name("gathered"), &[input, &indices], vec![int("axis", direction.axis)]);
    let weighted = builder.apply("Mul", &name("weighted"), &[&gathered, &weights]);
    let at = builder.integers(&name("axis"), &[1], &[direction.axis]);
    builder.node("ReduceSum", direction.name, &[&weighted, &at], vec![int("keepdims", 0)])
}

/// Adds the length of an axis after the enlargement.
fn output_length(
    builder: &mut Builder,
    constants: &Constants,
    length: &str,
    name: &impl Fn(&str) -> String,
) -> String {
    match &constants.size {
        Size::Whole { up, down, less } => {
            let product = builder.apply("Mul", &name("scaled"), &[length, up]);
            let raised = builder.apply("Add", &name("raised"), &[&product, less]);
            builder.apply("Div", &name("output"), &[&raised, down])
        }
        Size::Double { scale } => {
            let double = vec![int("to", i64::from(kind::F64))];
            let exact = builder.node("Cast", &name("double"), &[length], double);
            let product = builder.apply("Mul", &name("scaled"), &[&exact, scale]);
            let raised = builder.apply("Ceil", &name("raised"), &[&product]);
            builder.node("Cast", &name("output"), &[&raised], vec![int("to", i64::from(kind::I64))])
        }
    }
}
