//! Video: frames against the CPU twins and against the same frames enlarged alone.

use crate::common;
use crate::common::video::{enlarged, frames, stream};
use srcnn_gpu::headless::{Headless, HeadlessOptions};
use srcnn_gpu::reference::resample::{Axis, resample};
use srcnn_gpu::reference::{Maps, forward};
use srcnn_gpu::resample::output_len;
use srcnn_gpu::video::format::Range;
use srcnn_gpu::video::y4m::Reader;
use srcnn_gpu::{Padding, Planes};

/// The samples of a plane, or of one of its fields, in frame order.
fn plane(bytes: &[u8], reader: &Reader<&[u8]>, plane: usize, field: Option<usize>) -> Vec<f64> {
    let (format, size) = (reader.header().format, reader.header().size());
    let bytes_of = |plane| format.plane_size(plane, size).iter().product::<usize>() * format.sample_bytes();
    let start: usize = (0..plane).map(bytes_of).sum();
    let [columns, _] = format.plane_size(plane, size);
    let rows = bytes[start..start + bytes_of(plane)].chunks_exact(columns * format.sample_bytes());
    let (first, step) = field.map_or((0, 1), |parity| (parity, 2));
    let rows = rows.skip(first).step_by(step);
    let sample =
        |bytes: &[u8]| bytes.iter().rev().fold(0.0, |sample, &byte| sample * 256.0 + f64::from(byte));
    rows.flat_map(|row| row.chunks_exact(format.sample_bytes()).map(sample)).collect()
}

/// Positions of luma, Cb and Cr within their pixels (columns, rows), for whole frames or for both fields.
type Sites = [[f64; 2]; 3];
const MIDDLE: Sites = [[0.5; 2]; 3];
const LEFT: Sites = [[0.5; 2], [0.25, 0.5], [0.25, 0.5]];

/// Every format against the CPU twins, sample by sample: luma through the network in its range, chroma bicubic with
/// the format's siting, rounded once.
#[test]
fn formats_and_siting() {
    let _alone = common::alone();
    let mut weights = common::network("5-1-3", "6-5", 1, Padding::Replicate);
    let top = [[0.5, 0.25], [0.25, 0.25], [0.25, 0.25]];
    let bottom = [[0.5, 0.75], [0.25, 0.75], [0.25, 0.75]];
    let dv = |line: f64| [[0.5, (line + 0.5) / 2.0], [0.25, (line + 2.5) / 4.0], [0.25, (line + 0.5) / 4.0]];
    // A network of known scale leaves the rest of an enlargement to bicubic interpolation.
    for (parameters, scale, trained, range, sites) in [
        ("W21 H14 Cmono", 2.0, None, Range::Full, vec![MIDDLE]),
        ("W21 H14 C420jpeg", 2.0, Some(2.0), Range::Limited, vec![MIDDLE]),
        ("W21 H13 C420mpeg2 XCOLORRANGE=FULL", 1.5, None, Range::Full, vec![LEFT]),
        ("W21 H13 C420mpeg2 XCOLORRANGE=FULL", 1.5, Some(2.0), Range::Full, vec![LEFT]),
        ("W20 H14 C420p10", 3.0, Some(2.0), Range::Limited, vec![LEFT]),
        ("W20 H14 C422p12", 2.0, None, Range::Limited, vec![LEFT]),
        ("W20 H14 C444p16 XCOLORRANGE=FULL", 1.7, None, Range::Full, vec![MIDDLE]),
        ("W20 H14 C411", 2.0, None, Range::Limited, vec![[[0.5; 2], [0.125, 0.5], [0.125, 0.5]]]),
        ("W21 H15 It C420mpeg2", 2.0, Some(3.0), Range::Limited, vec![top, bottom]),
        ("W20 H16 Ib C420paldv", 1.5, None, Range::Limited, vec![dv(0.0), dv(1.0)]),
    ] {
        weights.metadata.scales = trained.into_iter().map(|scale| scale as f32).collect();
        let step: Option<f64> = trained.filter(|&step| step != scale);
        let source = stream(parameters, 3);
        let options = HeadlessOptions::default().with_tile(Some(24));
        let result = enlarged(&source, &weights, options, scale);
        let (from, to) = (Reader::new(source.as_slice()).unwrap(), Reader::new(result.as_slice()).unwrap());
        let format = from.header().format;
        assert_eq!(from.header().range, range, "{parameters}");
        let fields = if sites.len() == 1 { vec![None] } else { vec![Some(0), Some(1)] };
        for (low, high) in frames(&source).iter().zip(frames(&result)) {
            for (&field, sites) in fields.iter().zip(&sites) {
                for (component, site) in sites.iter().enumerate().take(format.planes()) {
                    let low = plane(&low.data, &from, component, field);
                    let high = plane(&high.data, &to, component, field);
                    let [columns, rows] = format.plane_size(component, from.header().size());
                    let [wide, _] = format.plane_size(component, to.header().size());
                    assert_eq!(to.header().width as usize, output_len(from.header().width as usize, scale));
                    let rows = field.map_or(rows, |parity| (rows + 1 - parity) / 2);
                    let expected = |site: [f64; 2]| {
                        let across = Axis { input: columns, output: wide, scale, site: site[0] };
                        let down = Axis { input: rows, output: high.len() / wide, scale, site: site[1] };
                        let depth = f64::from(1 << (format.depth - 8));
                        let largest = f64::from(format.largest());
                        let [black, white] = match range {
                            Range::Limited => [16.0 * depth, 235.0 * depth],
                            Range::Full => [0.0, largest],
                        };
                        if component > 0 {
                            return resample(&low, down, across).unwrap();
                        }
                        // The network sees 16/255 for black and 235/255 for white.
                        let map = |v: f64| (16.0 + 219.0 * (v - black) / (white - black)) / 255.0;
                        let unmap = |v: f64| (v * 255.0 - 16.0) / 219.0 * (white - black) + black;
                        let low: Vec<f64> = low.iter().map(|&v| map(v)).collect();
                        let part = |axis: Axis| match step {
                            Some(step) => Axis { output: output_len(axis.input, step), scale: step, ..axis },
                            None => axis,
                        };
                        let [down_by, across_by] = [down, across].map(part);
                        let data = resample(&low, down_by, across_by).unwrap();
                        let maps =
                            Maps { channels: 1, height: down_by.output, width: across_by.output, data };
                        let mut result = forward(&weights, &maps, Padding::Replicate).data;
                        if let Some(step) = step {
                            let rest = |axis: Axis, part: Axis| Axis {
                                input: part.output,
                                scale: axis.scale / step,
                                ..axis
                            };
                            let (down, across) = (rest(down, down_by), rest(across, across_by));
                            result = resample(&result, down, across).unwrap();
                        }
                        result.iter().map(|&v| unmap(v)).collect()
                    };
                    let worst = |expected: Vec<f64>| {
                        assert_eq!(expected.len(), high.len());
                        let largest = f64::from(format.largest());
                        let pairs = expected.iter().zip(&high);
                        pairs.map(|(e, h)| (e.clamp(0.0, largest) - h).abs()).fold(0.0, f64::max)
                    };
                    let float = common::tolerance(54, 3, 2.0) * f64::from(format.largest());
                    let what = format!("{parameters}: plane {component}, field {field:?}");
                    let off = worst(expected(*site));
                    assert!(off <= 0.5 + float, "{what}: off by {off}");
                    // A siting that is off by an eighth of a pixel would be noticed.
                    for axis in [0, 1] {
                        let mut wrong = *site;
                        wrong[axis] += 0.125;
                        let off = worst(expected(wrong));
                        assert!(off > 0.5 + float + 1.0, "{what}: the comparison cannot fail, {off}");
                    }
                }
            }
        }
    }
}

/// Luma from a stream and as [`Headless`] computes it, in tiles of another size: the same except for rounding, also where bicubic
/// interpolation follows the network.
#[test]
fn luma_is_that_of_planes_enlarged_alone() {
    let _alone = common::alone();
    let mut weights = common::network("9-1-5", "8-6", 1, Padding::Replicate);
    weights.metadata.scales = vec![3.0];
    let source = stream("W40 H30 C420mpeg2", 4);
    for (tta, scale) in [(false, 3.0), (true, 3.0), (false, 2.5), (true, 2.5)] {
        let options = HeadlessOptions::default().with_tta(tta).with_tile(Some(48));
        let result = enlarged(&source, &weights, options, scale);
        let (from, to) = (Reader::new(source.as_slice()).unwrap(), Reader::new(result.as_slice()).unwrap());
        let options = HeadlessOptions::default().with_tta(tta).with_tile(Some(32));
        let mut headless = Headless::new(common::gpu(), &weights, options).unwrap();
        for (low, high) in frames(&source).iter().zip(frames(&result)) {
            let low = plane(&low.data, &from, 0, None).iter().map(|&v| (v / 255.0) as f32).collect();
            let mut alone = headless.upscale_planes(&Planes::new(40, 30, 1, low).unwrap(), 3.0).unwrap();
            if scale != 3.0 {
                let plane: Vec<f64> = alone.data.iter().map(|&value| value.into()).collect();
                let axis = |input| Axis { input, output: input * 5 / 6, scale: scale / 3.0, site: 0.5 };
                let plane = resample(&plane, axis(90), axis(120)).unwrap();
                alone.data = plane.into_iter().map(|value| value as f32).collect();
            }
            for (i, (&sample, &value)) in plane(&high.data, &to, 0, None).iter().zip(&alone.data).enumerate()
            {
                let exact = (f64::from(value) * 255.0).clamp(0.0, 255.0);
                // A fused multiply-add may round a tie the other way.
                assert!(
                    (sample - exact).abs() <= 0.5 + 1e-3,
                    "x{scale}, tta {tta}, sample {i}: {sample}, alone {exact}"
                );
            }
        }
    }
}
