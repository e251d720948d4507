//! MATLAB's `imresize` with bicubic interpolation as nodes, for any ratio and any size.
//!
//! ONNX's own `Resize` repeats the edge where MATLAB mirrors the picture, and runtimes differ in its cubic weights. Here the
//! places of the taps are worked out in whole numbers from the size that comes, mirrored, and gathered.

use super::build::{Builder, int};
use crate::onnx::kind;
use crate::ratio::Ratio;

/// A resampling of both axes.
pub struct Resampling<'a> {
    /// What the names of its nodes begin with.
    pub name: &'a str,
    /// By how much: where samples of the result lie.
    pub ratio: Ratio,
    /// What the lengths of the result come from.
    pub size: Size<'a>,
}

/// The lengths of a result: those of a value times a scale, rounded up.
pub struct Size<'a> {
    /// The value.
    pub of: &'a str,
    /// The scale, exactly.
    pub ratio: Ratio,
    /// The same as MATLAB has it. Its product with a length may be just above a whole number, which makes a sample more.
    pub scale: f64,
}

impl Resampling<'_> {
    /// Adds the resampling of the value `input` to the value `output`.
    pub fn add(&self, builder: &mut Builder, input: &str, output: &str) {
        let constants = Constants::new(builder, self);
        let columns = Direction { name: format!("{}.columns", self.name), axis: 3 };
        let rows = Direction { name: format!("{}.rows", self.name), axis: 2 };
        let wide = format!("{}.wide", self.name);
        axis(builder, &constants, input, &columns, &wide);
        axis(builder, &constants, &wide, &rows, output);
    }
}

/// An axis to resample.
struct Direction {
    name: String,
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
    /// How far the taps lie from the place that was shifted, [taps, 1].
    taps: String,
    /// How far they lie from the sample left of the place, in parts of a sample as `rest` below has them, [taps, 1].
    away: String,
    /// As many of these parts as the kernel's pieces are wide: a sample, or more where an axis shrinks.
    width: String,
    /// Of Keys's kernel, from the highest power to the lowest: the piece up to 1 and the one from 1 to 2.
    near: [String; 4],
    far: [String; 4],
    /// 1 and 2, where the pieces end.
    ends: [String; 2],
    of: String,
    length: Length,
}

/// How the length of an axis is found.
enum Length {
    /// From the ratio, rounded up: (length * up + down - 1) / down.
    Whole { up: String, down: String, less: String },
    /// From a product of doubles.
    Double { scale: String },
}

impl Constants {
    fn new(builder: &mut Builder, Resampling { name, ratio, size }: &Resampling<'_>) -> Self {
        let (up, down) = (ratio.up() as i64, ratio.down() as i64);
        // Taps on each side of a place: the kernel reaches 2, and is wider where an axis shrinks.
        let reach = (2 * down.max(up) + up - 1) / up;
        let mut number = |of: &str, value: i64| builder.integers(&format!("{name}.{of}"), &[], &[value]);
        let (zero, one, two) = (number("zero", 0), number("one", 1), number("two", 2));
        let (twice_up, twice_down) = (number("twice_up", 2 * up), number("twice_down", 2 * down));
        let shift = number("shift", down + up);
        let length = if size.ratio.is_exact() {
            let (up, down) = (size.ratio.up() as i64, size.ratio.down() as i64);
            Length::Whole { up: number("up", up), down: number("down", down), less: number("less", down - 1) }
        } else {
            Length::Double { scale: builder.double(&format!("{name}.scale"), size.scale) }
        };
        let column = [2 * reach as usize, 1];
        let taps: Vec<i64> = (-reach..reach).collect();
        let away: Vec<f32> = taps.iter().map(|&tap| ((tap + 1) * 2 * up) as f32).collect();
        let mut float = |of: &str, value: f32| builder.floats(&format!("{name}.{of}"), &[], &[value]);
        let powers = ["cubic", "square", "linear", "constant"];
        // Keys (1981), equation 15 with a = -1/2.
        let mut piece = |of: &str, values: [f32; 4]| {
            std::array::from_fn(|power| float(&format!("{of}.{}", powers[power]), values[power]))
        };
        let near = piece("near", [1.5, -2.5, 0.0, 1.0]);
        let far = piece("far", [-0.5, 2.5, -4.0, 2.0]);
        Self {
            zero,
            one,
            two,
            twice_up,
            twice_down,
            shift,
            near,
            far,
            width: float("width", 2.0 * up.max(down) as f32),
            ends: [float("near.end", 1.0), float("far.end", 2.0)],
            taps: builder.integers(&format!("{name}.taps"), &column, &taps),
            away: builder.floats(&format!("{name}.away"), &column, &away),
            of: size.of.into(),
            length,
        }
    }
}

/// Adds the resampling of one axis.
fn axis(builder: &mut Builder, constants: &Constants, input: &str, direction: &Direction, output: &str) {
    let name = |part: &str| format!("{}.{part}", direction.name);
    let length = length(builder, direction, input, "length");
    let result = result_length(builder, constants, direction);

    // Sample x of the result lies at (x + 1/2) / ratio - 1/2, which is ((2 x + 1) down - up) / (2 up). One more, it is
    // not negative: its whole part is the tap left of it, its rest the distance.
    let x = builder.apply("Range", &name("x"), &[&constants.zero, &result, &constants.one]);
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

    let rest = builder.node("Cast", &name("parts"), &[&rest], vec![int("to", i64::from(kind::F32))]);
    let mut weights = kernel(builder, constants, direction, &rest);
    // The taps of all samples, [taps, samples], stand where the axis was.
    if direction.axis == 2 {
        let at = builder.integers(&name("inner"), &[1], &[2]);
        weights = builder.apply("Unsqueeze", &name("weights"), &[&weights, &at]);
    }
    let gathered =
        builder.node("Gather", &name("gathered"), &[input, &indices], vec![int("axis", direction.axis)]);
    let weighted = builder.apply("Mul", &name("weighted"), &[&gathered, &weights]);
    let at = builder.integers(&name("axis"), &[1], &[direction.axis]);
    builder.node("ReduceSum", output, &[&weighted, &at], vec![int("keepdims", 0)]);
}

/// Adds the weights of the taps, [taps, samples], of samples whose places lie `rest` parts right of a tap, [samples]. They sum to 1.
fn kernel(builder: &mut Builder, constants: &Constants, direction: &Direction, rest: &str) -> String {
    let name = |part: &str| format!("{}.{part}", direction.name);
    let signed = builder.apply("Sub", &name("signed"), &[rest, &constants.away]);
    let distance = builder.apply("Abs", &name("distance"), &[&signed]);
    let distance = builder.apply("Div", &name("of_width"), &[&distance, &constants.width]);
    // Both pieces are 0 at 1, and the second at 2: each takes what lies within its ends, and their sum is the kernel.
    let [one, two] = &constants.ends;
    let inner = builder.apply("Min", &name("inside"), &[&distance, one]);
    let within = builder.apply("Min", &name("within"), &[&distance, two]);
    let outer = builder.apply("Max", &name("outside"), &[&within, one]);
    let near = polynomial(builder, &name("near"), &constants.near, &inner);
    let far = polynomial(builder, &name("far"), &constants.far, &outer);
    let weights = builder.apply("Add", &name("unscaled"), &[&near, &far]);
    let first = builder.integers(&name("first"), &[1], &[0]);
    let sums = builder.node("ReduceSum", &name("sums"), &[&weights, &first], vec![int("keepdims", 1)]);
    builder.apply("Div", &name("taps.weights"), &[&weights, &sums])
}

/// Adds a polynomial's value at `x`.
fn polynomial(builder: &mut Builder, name: &str, coefficients: &[String], x: &str) -> String {
    let mut value = coefficients[0].clone();
    for (power, coefficient) in coefficients.iter().enumerate().skip(1) {
        let product = builder.apply("Mul", &format!("{name}.product{power}"), &[&value, x]);
        value = builder.apply("Add", &format!("{name}.sum{power}"), &[&product, coefficient]);
    }
    value
}

/// Adds the length of a value's axis.
fn length(builder: &mut Builder, direction: &Direction, of: &str, called: &str) -> String {
    let name = format!("{}.{called}", direction.name);
    let shape = vec![int("start", direction.axis), int("end", direction.axis + 1)];
    let shape = builder.node("Shape", &format!("{name}.shape"), &[of], shape);
    builder.apply("Squeeze", &name, &[&shape])
}

/// Adds the length of an axis of the result.
fn result_length(builder: &mut Builder, constants: &Constants, direction: &Direction) -> String {
    let name = |part: &str| format!("{}.{part}", direction.name);
    let length = length(builder, direction, &constants.of, "from");
    match &constants.length {
        Length::Whole { up, down, less } => {
            let product = builder.apply("Mul", &name("scaled"), &[&length, up]);
            let raised = builder.apply("Add", &name("raised"), &[&product, less]);
            builder.apply("Div", &name("output"), &[&raised, down])
        }
        Length::Double { scale } => {
            let double = vec![int("to", i64::from(kind::F64))];
            let exact = builder.node("Cast", &name("double"), &[&length], double);
            let product = builder.apply("Mul", &name("scaled"), &[&exact, scale]);
            let raised = builder.apply("Ceil", &name("raised"), &[&product]);
            builder.node("Cast", &name("output"), &[&raised], vec![int("to", i64::from(kind::I64))])
        }
    }
}
