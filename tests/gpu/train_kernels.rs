//! The training kernels on the GPU, each against its CPU twin, and the twins against finite differences of the loss.

use crate::common::training::{
    in_order, joined, largest, options, random_maps, rounding, sgd, shard_of, split, trainer,
};
use crate::common::{alone, assert_close, gpu, network};
use srcnn_gpu::gpu::kernels::{MapRead, WeightLoad};
use srcnn_gpu::reference::{self, Maps};
use srcnn_gpu::train::State;
use srcnn_gpu::train::config::Optimizer;
use srcnn_gpu::train::gpu::Shape;
use srcnn_gpu::{Layer, Padding};

fn absolute(maps: &Maps) -> Maps {
    Maps { data: maps.data.iter().map(|v| v.abs()).collect(), ..maps.clone() }
}

fn absolute_layer(layer: &Layer) -> Layer {
    let all = |values: &[f32]| values.iter().map(|v| v.abs()).collect();
    Layer { shape: layer.shape, weight: all(&layer.weight), bias: all(&layer.bias) }
}

/// Checks each kernel against its twin, on what the GPU's own previous kernels wrote.
fn check(
    sizes: &str,
    filters: &str,
    channels: usize,
    patch: usize,
    batch: usize,
    padding: Padding,
    shape: Option<Shape>,
) {
    let what = format!("{sizes} {filters} c={channels} patch {patch} batch {batch} {padding} {shape:?}");
    let weights = network(sizes, filters, channels, Padding::Replicate);
    let layers = weights.layers();
    let normalized = padding == Padding::Normalized;
    let zeros = |layer: &Layer| if padding == Padding::Valid { 0 } else { layer.shape.radius() };
    let target = patch - if padding == Padding::Valid { 2 * weights.architecture().radius() } else { 0 };
    let inputs = random_maps(1, batch, [channels, patch, patch]);
    let targets = random_maps(2, batch, [channels, target, target]);
    let shard = shard_of(&inputs, &targets);
    let state = State::new(layers.to_vec(), 1);
    let options = options(batch, patch, padding, sgd(layers.len())).with_shape(shape);
    let mut trainer = trainer(&state, &options, &shard);
    let loss = trainer.step(&in_order(&shard), 1.0).unwrap();

    assert_close(&format!("{what}: gather inputs"), &trainer.maps(0).unwrap(), &joined(&inputs), 1e-9);
    assert_close(
        &format!("{what}: gather targets"),
        &trainer.map_gradients(0).unwrap(),
        &joined(&targets),
        1e-9,
    );

    let mut side = patch;
    let mut maps = vec![inputs];
    for (l, layer) in layers.iter().enumerate() {
        let relu = l + 1 < layers.len();
        let forward = |layer: &Layer, input: &Maps| {
            let input = reference::pad(input, zeros(layer), padding);
            reference::conv_forward(layer, &input, relu, normalized)
        };
        let expected: Vec<f64> = maps[l].iter().flat_map(|m| forward(layer, m).data).collect();
        let bound: Vec<f64> =
            maps[l].iter().flat_map(|m| forward(&absolute_layer(layer), &absolute(m)).data).collect();
        let actual = trainer.maps(l + 1).unwrap();
        let tolerance = rounding(largest(&bound));
        assert_close(&format!("{what}: forward {}", l + 1), &actual, &expected, tolerance);
        side = side + 2 * zeros(layer) + 1 - layer.shape.size;
        maps.push(split(&actual, layer.shape.filters, side));
    }

    let last = layers.len();
    // After the valid-pixel map, by which the device multiplies gradients as it writes them.
    let mapped = |maps: &Maps, layer: &Layer| match normalized {
        true => reference::by_valid_pixels(maps, layer.shape.size),
        false => maps.clone(),
    };
    let (expected_loss, expected) = reference::loss(&maps[last], &targets);
    let expected: Vec<Maps> = expected.iter().map(|maps| mapped(maps, &layers[last - 1])).collect();
    let gradient = trainer.map_gradients(last).unwrap();
    assert_close(&format!("{what}: loss"), &[loss], &[expected_loss], rounding(expected_loss));
    let largest_gradient = largest(&joined(&expected));
    assert_close(
        &format!("{what}: loss gradient"),
        &gradient,
        &joined(&expected),
        rounding(largest_gradient),
    );

    let mut gradients = split(&gradient, channels, side);
    let actual = trainer.gradients().unwrap();
    for (l, layer) in layers.iter().enumerate().rev() {
        let pairs: Vec<_> = maps[l].iter().zip(&gradients).collect();
        let (weight, _) = reference::conv_grad_weight(layer.shape, &pairs, zeros(layer));
        // Divide by the map, so that the biases' gradients are as before it.
        let ones = Maps::from_fn([1, side, side], |_, _, _| 1.0);
        let map = mapped(&ones, layer);
        let bias: Vec<f64> = (0..layer.shape.filters)
            .map(|n| {
                let plane = |g: &Maps| -> f64 {
                    (0..side * side).map(|i| g.data[n * side * side + i] / map.data[i]).sum()
                };
                gradients.iter().map(plane).sum()
            })
            .collect();
        let positive: Vec<_> = pairs.iter().map(|(i, g)| (absolute(i), absolute(g))).collect();
        let positive: Vec<_> = positive.iter().map(|(i, g)| (i, g)).collect();
        let (weight_bound, bias_bound) = reference::conv_grad_weight(layer.shape, &positive, zeros(layer));
        let name = format!("{what}: gradient of conv{}", l + 1);
        assert_close(&format!("{name}.weight"), &actual[l].weight, &weight, rounding(largest(&weight_bound)));
        assert_close(&format!("{name}.bias"), &actual[l].bias, &bias, rounding(largest(&bias_bound)));
        if l > 0 {
            let back = |layer: &Layer, input: &Maps, gradient: &Maps| {
                reference::conv_grad_input(layer, gradient, input, zeros(layer)).data
            };
            let before = &layers[l - 1];
            let back = |layer: &Layer, input: &Maps, gradient: &Maps| {
                let data = back(layer, input, gradient);
                mapped(&Maps { data, ..input.clone() }, before).data
            };
            let expected: Vec<f64> = pairs.iter().flat_map(|(i, g)| back(layer, i, g)).collect();
            let layer_bound = absolute_layer(layer);
            let bound: Vec<f64> = positive.iter().flat_map(|(i, g)| back(&layer_bound, i, g)).collect();
            let read = trainer.map_gradients(l).unwrap();
            assert_close(
                &format!("{what}: input gradient {}", l + 1),
                &read,
                &expected,
                rounding(largest(&bound)),
            );
            side = maps[l][0].width;
            gradients = split(&read, layer.shape.inputs, side);
        }
    }

    // The update follows from the gradients that were read.
    let after = trainer.state().unwrap();
    let Optimizer::Sgd { momentum, learning_rates } = &options.optimizer else { panic!("not SGD") };
    assert_eq!(after.step, 1);
    for (l, layer) in layers.iter().enumerate() {
        let step = |values: &[f32], gradients: &[f32]| -> Vec<f64> {
            let one = |(&p, &g): (&f32, &f32)| {
                let (mut p, mut v) = (f64::from(p), 0.0);
                reference::sgd(&mut p, &mut v, g.into(), learning_rates[l], *momentum);
                p
            };
            values.iter().zip(gradients).map(one).collect()
        };
        let expected = step(&layer.weight, &actual[l].weight);
        assert_close(
            &format!("{what}: update {}", l + 1),
            &after.layers[l].weight,
            &expected,
            rounding(largest(&expected)),
        );
        let expected = step(&layer.bias, &actual[l].bias);
        assert_close(
            &format!("{what}: update {}", l + 1),
            &after.layers[l].bias,
            &expected,
            rounding(largest(&expected)),
        );
    }
}

#[test]
fn kernels_agree_with_their_twins() {
    let _alone = alone();
    check("9-1-5", "16-8", 1, 33, 5, Padding::Valid, None);
    check("9-5-5", "6-5", 1, 24, 3, Padding::Valid, None);
    check("9-1-5", "7-3", 3, 19, 9, Padding::Valid, None);
    check("1-1", "1", 1, 5, 17, Padding::Valid, None);
    check("7-3-1-3", "6-9-2", 1, 17, 2, Padding::Valid, None);
    check("11-1-7", "5-9", 1, 21, 3, Padding::Valid, None);
    check("13-3", "3", 3, 18, 2, Padding::Valid, None);
}

#[test]
fn padded_training_agrees_with_its_twins() {
    let _alone = alone();
    check("9-1-5", "5-6", 1, 13, 3, Padding::Zero, None);
    check("5-3-3", "4-3", 3, 10, 2, Padding::Zero, None);
    check("7-1-11", "3-4", 1, 9, 2, Padding::Zero, None);
    check("9-1-5", "5-6", 1, 13, 3, Padding::Normalized, None);
    check("5-3-3", "4-3", 3, 10, 2, Padding::Normalized, None);
}

#[test]
fn other_tiles_agree_with_their_twins() {
    let _alone = alone();
    let shapes = [
        Shape {
            spatial: (1, 1),
            pointwise: 8,
            workgroup: 3,
            parts: 1,
            weight_sums: (40, 64),
            weight_load: WeightLoad::Uniform,
            first_layers: true,
            winograd: false,
            map_read: MapRead::Storage,
        },
        Shape {
            spatial: (4, 2),
            pointwise: 16,
            workgroup: 32,
            parts: 100,
            weight_sums: (20, 9),
            weight_load: WeightLoad::Uniform,
            first_layers: false,
            winograd: true,
            map_read: MapRead::Sampled,
        },
        Shape {
            spatial: (2, 4),
            pointwise: 16,
            workgroup: 5,
            parts: 2,
            weight_sums: (40, 64),
            weight_load: WeightLoad::Uniform,
            first_layers: true,
            winograd: false,
            map_read: MapRead::Storage,
        },
    ];
    for shape in shapes {
        check("9-1-5", "9-10", 1, 23, 7, Padding::Valid, Some(shape));
        check("5-3-3", "10-6", 3, 15, 4, Padding::Zero, Some(shape));
    }
}

/// 5x5 layers by Winograd's filtering, whose transforms amplify rounding up to 30 times over that of as many products, forward,
/// with transposed filters, and for the filters' gradients: sides of squares and more, one group of filters and several.
#[test]
fn minimal_filtering_agrees_with_its_twins() {
    let _alone = alone();
    let uniform = Shape {
        workgroup: 5,
        parts: 3,
        weight_load: WeightLoad::Uniform,
        winograd: true,
        map_read: MapRead::Sampled,
        ..Shape::for_device(&gpu().device)
    };
    check("1-5-5", "10-21", 1, 13, 4, Padding::Valid, Some(uniform));
    check("3-5-5-3", "8-17-9", 3, 20, 3, Padding::Valid, None);
}

#[test]
fn filters_too_large_for_a_uniform_buffer_agree_with_their_twins() {
    let _alone = alone();
    // Layer 2 forward: one group of 4 filters is 128*7*7 vec4s, more than 64 KiB. Backward: several chunks.
    check("1-7-3", "128-5", 1, 10, 2, Padding::Valid, None);
    // Layer 2 by the kernel for 1x1 filters: 65 groups of 4 filters of at least 65 vec4s.
    check("3-1-3", "64-260", 1, 9, 2, Padding::Valid, None);
}

/// The twins' gradients against finite differences of the twins' losses.
#[test]
fn twins_agree_with_finite_differences() {
    for (sizes, filters, channels, padding) in [
        ("5-1-3", "3-2", 1, Padding::Valid),
        ("3-3-3", "3-2", 3, Padding::Zero),
        ("3-5", "2", 1, Padding::Zero),
        ("5-1-3", "3-2", 1, Padding::Normalized),
    ] {
        let weights = network(sizes, filters, channels, Padding::Replicate);
        let layers = weights.layers();
        let radius = weights.architecture().radius();
        let target = 11 - if padding == Padding::Valid { 2 * radius } else { 0 };
        let inputs = random_maps(4, 2, [channels, 11, 11]);
        let targets = random_maps(5, 2, [channels, target, target]);
        let (_, gradients) = reference::backward(layers, &inputs, &targets, padding);
        for l in 0..layers.len() {
            for p in 0..layers[l].weight.len() + layers[l].bias.len() {
                let moved = |by: f32| {
                    let mut layers = layers.to_vec();
                    let count = layers[l].weight.len();
                    let value = match p.checked_sub(count) {
                        None => &mut layers[l].weight[p],
                        Some(bias) => &mut layers[l].bias[bias],
                    };
                    *value += by;
                    let value = f64::from(*value);
                    (value, reference::backward(&layers, &inputs, &targets, padding).0)
                };
                // In one parameter the loss is a parabola, except at the ReLUs' kinks, of which a small step meets
                // few.
                let step = 1.0 / 16384.0;
                let ((above, higher), (below, lower)) = (moved(step), moved(-step));
                let difference = (higher - lower) / (above - below);
                let (weight, bias) = &gradients[l];
                let expected = weight.iter().chain(bias).nth(p).unwrap();
                let allowed = 1e-3 * largest(weight);
                assert!(
                    (difference - expected).abs() < allowed,
                    "{sizes} {padding} conv{} {p}: {difference} {expected}",
                    l + 1
                );
            }
        }
    }
}
