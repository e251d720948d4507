//! Training steps on the GPU against their CPU twins and the golden vectors.

mod common;

use common::{alone, assert_close, data, gpu, network, noise};
use safetensors::SafeTensors;
use srcnn_gpu::reference::{self, Maps};
use srcnn_gpu::train::State;
use srcnn_gpu::train::config::Optimizer;
use srcnn_gpu::train::dataset::{PackedShard, PatchEntry, PictureEntry};
use srcnn_gpu::train::gpu::{Shape, Trainer, TrainerOptions};
use srcnn_gpu::train::shuffle::turned;
use srcnn_gpu::train::stream::Sample;
use srcnn_gpu::{Layer, LayerShape, Padding};

fn sgd(layers: usize) -> Optimizer {
    let mut learning_rates = vec![1e-4; layers];
    learning_rates[layers - 1] = 1e-5;
    Optimizer::Sgd { momentum: 0.9, learning_rates }
}

fn options(batch: usize, patch: usize, padding: Padding, optimizer: Optimizer) -> TrainerOptions {
    TrainerOptions { batch, patch, padding, optimizer, shape: None }
}

fn trainer(state: &State, options: &TrainerOptions, shard: &PackedShard) -> Trainer {
    let gpu = gpu();
    let mut trainer = Trainer::new(&gpu.device, &gpu.queue, state, options).unwrap();
    trainer.set_pictures(shard).unwrap();
    trainer
}

/// One picture a sub-image, the target in its centre.
fn shard_of(inputs: &[Maps], targets: &[Maps]) -> PackedShard {
    let mut shard = PackedShard::default();
    for (i, (input, target)) in inputs.iter().zip(targets).enumerate() {
        let Maps { channels, height, width, .. } = *input;
        let offset = shard.inputs.len() as u32;
        shard.pictures.push(PictureEntry { offset, width: width as u32, height: height as u32 });
        shard.patches.push(PatchEntry { picture: i as u32, y: 0, x: 0 });
        shard.inputs.extend(input.data.iter().map(|&v| v as f32));
        let crop = (width - target.width) / 2;
        let at = |c, y: usize, x: usize| {
            let inside = |v: usize| (crop..crop + target.width).contains(&v);
            if inside(x) && inside(y) { target.at(c, y - crop, x - crop) } else { f64::NAN }
        };
        shard.targets.extend(Maps::from_fn([channels, height, width], at).data.iter().map(|&v| v as f32));
    }
    shard
}

/// The batch of all sub-images of a shard in their order.
fn in_order(shard: &PackedShard) -> Vec<Sample> {
    (0..shard.patches.len() as u32).map(|patch| Sample { patch, turn: 0 }).collect()
}

/// Numbers around 0.5, which f32 holds exactly.
fn random_maps(seed: u64, count: usize, [channels, height, width]: [usize; 3]) -> Vec<Maps> {
    let mut next = noise(seed);
    let mut map = || Maps::from_fn([channels, height, width], |_, _, _| f64::from(0.5 + 0.4 * next()));
    (0..count)
        .map(|_| map())
        .map(|m| Maps { data: m.data.iter().map(|&v| f64::from(v as f32)).collect(), ..m })
        .collect()
}

/// The planes of each sub-image, from `[sub-image][channel][row][column]`.
fn split(values: &[f32], channels: usize, side: usize) -> Vec<Maps> {
    values
        .chunks_exact(channels * side * side)
        .map(|v| Maps { channels, height: side, width: side, data: v.iter().map(|&v| v.into()).collect() })
        .collect()
}

fn joined(maps: &[Maps]) -> Vec<f64> {
    maps.iter().flat_map(|m| m.data.iter().copied()).collect()
}

/// Rounding of a sum of products whose absolute values sum up to `total`: each rounding is at most half an ulp of a
/// running sum below `total`, and hundreds of them with random signs come to a few ulps.
fn rounding(total: f64) -> f64 {
    8.0 * f64::from(f32::EPSILON) * total
}

/// Largest sum of absolute products of a convolution or a gradient, from the twin on absolute values.
fn largest(values: &[f64]) -> f64 {
    values.iter().fold(1e-30, |most, v| most.max(v.abs()))
}

fn absolute(maps: &Maps) -> Maps {
    Maps { data: maps.data.iter().map(|v| v.abs()).collect(), ..maps.clone() }
}

fn absolute_layer(layer: &Layer) -> Layer {
    let all = |values: &[f32]| values.iter().map(|v| v.abs()).collect();
    Layer { shape: layer.shape, weight: all(&layer.weight), bias: all(&layer.bias) }
}

/// Each kernel against its twin, fed with what the GPU's own kernels before it wrote.
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
    let zeros = |layer: &Layer| if padding == Padding::Valid { 0 } else { layer.shape.radius() };
    let target = patch - if padding == Padding::Valid { 2 * weights.architecture().radius() } else { 0 };
    let inputs = random_maps(1, batch, [channels, patch, patch]);
    let targets = random_maps(2, batch, [channels, target, target]);
    let shard = shard_of(&inputs, &targets);
    let state = State::new(layers.to_vec(), 1);
    let options = TrainerOptions { shape, ..options(batch, patch, padding, sgd(layers.len())) };
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
            reference::conv_forward(layer, &input, relu, false)
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
    let (expected_loss, expected) = reference::loss(&maps[last], &targets);
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
        let (weight, bias) = reference::conv_grad_weight(layer.shape, &pairs, zeros(layer));
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
    check("3-3", "5", 1, 8, 2, Padding::Valid, None);
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
}

#[test]
fn other_tiles_agree_with_their_twins() {
    let _alone = alone();
    let shapes = [
        Shape { spatial: (1, 1), pointwise: (2, 2), workgroup: 3, parts: 1 },
        Shape { spatial: (4, 2), pointwise: (7, 1), workgroup: 32, parts: 100 },
    ];
    for shape in shapes {
        check("9-1-5", "9-10", 1, 23, 7, Padding::Valid, Some(shape));
        check("5-3-3", "10-6", 3, 15, 4, Padding::Zero, Some(shape));
    }
}

#[test]
fn filters_too_large_for_a_uniform_buffer_agree_with_their_twins() {
    let _alone = alone();
    // Layer 2 forward: one group of 4 filters is 128*7*7 vec4s, over 64 KiB; backward, several chunks.
    check("1-7-3", "128-5", 1, 10, 2, Padding::Valid, None);
}

/// The twins' gradients against differences of the twins' losses.
#[test]
fn twins_agree_with_finite_differences() {
    for (sizes, filters, channels, padding) in [
        ("5-1-3", "3-2", 1, Padding::Valid),
        ("3-3-3", "3-2", 3, Padding::Zero),
        ("3-5", "2", 1, Padding::Zero),
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
                // The loss is a parabola in one parameter but for the ReLUs' kinks, of which a small step meets few.
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

fn tensor(file: &SafeTensors<'_>, name: &str) -> Vec<f64> {
    let view = file.tensor(name).unwrap();
    view.data().chunks_exact(8).map(|b| f64::from_le_bytes(b.try_into().unwrap())).collect()
}

fn golden(name: &str, shape: Option<Shape>) {
    let Some(path) = data(&format!("reference/{name}.safetensors")) else { return };
    let bytes = std::fs::read(path).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let layer = |i: usize| {
        let shape = file.tensor(&format!("init.conv{i}.weight")).unwrap().shape().to_vec();
        let values =
            |part: &str| tensor(&file, &format!("init.conv{i}.{part}")).iter().map(|&v| v as f32).collect();
        Layer {
            shape: LayerShape { inputs: shape[1], filters: shape[0], size: shape[2] },
            weight: values("weight"),
            bias: values("bias"),
        }
    };
    let layers: Vec<Layer> = (1..=3).map(layer).collect();
    let channels = layers[0].shape.inputs;
    let side = file.tensor("target").unwrap().shape()[3];
    let maps = |name: &str, side| {
        let values: Vec<f32> = tensor(&file, name).iter().map(|&v| v as f32).collect();
        split(&values, channels, side)
    };
    let (inputs, targets) = (maps("input", 33), maps("target", side));
    let shard = shard_of(&inputs, &targets);
    let batch = inputs.len();
    let state = State::new(layers.clone(), 1);
    let mut trainer =
        trainer(&state, &TrainerOptions { shape, ..options(batch, 33, Padding::Valid, sgd(3)) }, &shard);

    // Float32 accuracy: inputs and parameters are rounded (half an ulp each), sums of up to 2646 and 1600 products.
    let relative = 32.0 * f64::from(f32::EPSILON);
    let near = |what: &str, actual: &[f32], expected: &[f64]| {
        assert_close(&format!("{name}: {what}"), actual, expected, relative * largest(expected));
    };
    let mut losses = vec![trainer.step(&in_order(&shard), 1.0).unwrap()];
    near("forward", &trainer.maps(3).unwrap(), &tensor(&file, "forward"));
    for (i, layer) in trainer.gradients().unwrap().iter().enumerate() {
        for (part, values) in [("weight", &layer.weight), ("bias", &layer.bias)] {
            let part = format!("grad.conv{}.{part}", i + 1);
            near(&part, values, &tensor(&file, &part));
        }
    }
    losses.extend(trainer.steps(&in_order(&shard).repeat(9), &[1.0; 9]).unwrap());
    for (i, (loss, expected)) in losses.iter().zip(tensor(&file, "losses")).enumerate() {
        near(&format!("loss {i}"), &[*loss], &[expected]);
    }
    for (i, layer) in trainer.state().unwrap().layers.iter().enumerate() {
        for (part, values) in [("weight", &layer.weight), ("bias", &layer.bias)] {
            let part = format!("final.conv{}.{part}", i + 1);
            near(&part, values, &tensor(&file, &part));
        }
    }
}

#[test]
fn training_agrees_with_the_golden_vectors() {
    let _alone = alone();
    for name in ["train_9-1-5", "train_9-5-5_small", "train_9-1-5_rgb"] {
        golden(name, None);
    }
}

/// Pictures of different sizes with many sub-images each.
fn pictures() -> PackedShard {
    let mut next = noise(9);
    let mut shard = PackedShard::default();
    for (i, (width, height)) in [(31, 24), (19, 40), (52, 17)].into_iter().enumerate() {
        let offset = shard.inputs.len() as u32;
        shard.pictures.push(PictureEntry { offset, width, height });
        for _ in 0..width * height {
            let value = 0.5 + 0.4 * next();
            shard.inputs.push(value);
            shard.targets.push(value + 0.1 * next());
        }
        for y in (0..=height - 17).step_by(3) {
            for x in (0..=width - 17).step_by(2) {
                shard.patches.push(PatchEntry { picture: i as u32, y, x });
            }
        }
    }
    shard
}

fn samples(seed: u64, count: usize, shard: &PackedShard) -> Vec<Sample> {
    let mut next = noise(seed);
    let mut below = |n: usize| ((next() + 1.0) * 0.5 * n as f32) as u32 % n as u32;
    (0..count).map(|_| Sample { patch: below(shard.patches.len()), turn: below(8) }).collect()
}

#[test]
fn batches_are_turned_sub_images() {
    let _alone = alone();
    let shard = pictures();
    let layers = network("3-3", "2", 1, Padding::Replicate).layers().to_vec();
    let batch = samples(3, 40, &shard);
    let mut trainer = trainer(&State::new(layers, 1), &options(40, 17, Padding::Valid, sgd(2)), &shard);
    trainer.step(&batch, 1.0).unwrap();
    let expected = |values: &[f32], crop: usize| -> Vec<f64> {
        let mut all = Vec::new();
        for sample in &batch {
            let patch = shard.patches[sample.patch as usize];
            let picture = shard.pictures[patch.picture as usize];
            for y in crop..17 - crop {
                for x in crop..17 - crop {
                    let (x, y) = turned(sample.turn, 17, x, y);
                    let row = picture.offset as usize + (patch.y as usize + y) * picture.width as usize;
                    all.push(f64::from(values[row + patch.x as usize + x]));
                }
            }
        }
        all
    };
    assert_close("inputs", &trainer.maps(0).unwrap(), &expected(&shard.inputs, 0), 1e-9);
    assert_close("targets", &trainer.map_gradients(0).unwrap(), &expected(&shard.targets, 2), 1e-9);
}

fn bits(state: &State) -> Vec<u32> {
    let layers = state.slots.iter().flatten().chain(&state.layers);
    layers.flat_map(|l| l.weight.iter().chain(&l.bias).map(|v| v.to_bits())).collect()
}

fn adam(layers: usize) -> Optimizer {
    Optimizer::Adam { betas: [0.9, 0.999], epsilon: 1e-8, learning_rates: vec![1e-3; layers] }
}

#[test]
fn the_same_steps_give_the_same_bits() {
    let _alone = alone();
    let shard = pictures();
    let layers = network("5-1-3", "6-5", 1, Padding::Replicate).layers().to_vec();
    for optimizer in [sgd(3), adam(3)] {
        let options = options(10, 17, Padding::Valid, optimizer);
        let first = State::new(layers.clone(), options.optimizer.slots());
        let all = samples(6, 200, &shard);
        let factors: Vec<f32> = (0..20).map(|i| 1.0 - i as f32 / 40.0).collect();

        let mut one = trainer(&first, &options, &shard);
        let losses = one.steps(&all, &factors).unwrap();
        let end = one.state().unwrap();
        assert!(losses[19] < losses[0], "{losses:?}");

        // In other portions.
        let mut other = trainer(&first, &options, &shard);
        let mut again = other.steps(&all[..70], &factors[..7]).unwrap();
        let middle = other.state().unwrap();
        again.extend(other.steps(&all[70..], &factors[7..]).unwrap());
        assert_eq!(losses, again);
        assert_eq!(bits(&end), bits(&other.state().unwrap()));

        // Restored in a new trainer, and in one that has done other things.
        let mut resumed = trainer(&middle, &options, &shard);
        resumed.steps(&all[70..], &factors[7..]).unwrap();
        assert_eq!(bits(&end), bits(&resumed.state().unwrap()));
        assert_eq!(end, resumed.state().unwrap());
        other.restore(&middle).unwrap();
        other.steps(&all[70..], &factors[7..]).unwrap();
        assert_eq!(end, other.state().unwrap());

        // Other sub-images give other bits: the comparison can fail.
        let mut wrong = all[70..].to_vec();
        wrong[129].turn ^= 1;
        other.restore(&middle).unwrap();
        other.steps(&wrong, &factors[7..]).unwrap();
        assert_ne!(bits(&end), bits(&other.state().unwrap()));
    }
}

#[test]
fn adam_agrees_with_its_twin() {
    let _alone = alone();
    let shard = pictures();
    let layers = network("3-3", "3", 1, Padding::Replicate).layers().to_vec();
    let options = options(4, 17, Padding::Valid, adam(2));
    let mut trainer = trainer(&State::new(layers, 2), &options, &shard);
    let batch = samples(8, 4, &shard);
    for t in 1..=3 {
        let before = trainer.state().unwrap();
        trainer.step(&batch, 0.5).unwrap();
        let (gradients, after) = (trainer.gradients().unwrap(), trainer.state().unwrap());
        for (l, gradient) in gradients.iter().enumerate() {
            let weights = before.layers[l].weight.iter().enumerate();
            let expected: Vec<f64> = weights
                .map(|(i, &p)| {
                    let (mut p, [mut m, mut v]) =
                        (f64::from(p), [0, 1].map(|slot: usize| f64::from(before.slots[slot][l].weight[i])));
                    let g = gradient.weight[i].into();
                    reference::adam(&mut p, [&mut m, &mut v], g, 0.5e-3, ([0.9, 0.999], 1e-8), t);
                    p
                })
                .collect();
            // A step is 0.5e-3 at most; its rounding is that of the decays in f32, 1e-5 of 1 - 0.999.
            let tolerance = rounding(largest(&expected)) + 0.5e-3 * 4e-5;
            assert_close(&format!("adam {t} {l}"), &after.layers[l].weight, &expected, tolerance);
        }
    }
}

#[test]
fn what_cannot_be_trained_is_refused() {
    let _alone = alone();
    let gpu = gpu();
    let layers = network("9-1-5", "4-3", 1, Padding::Replicate).layers().to_vec();
    let state = State::new(layers.clone(), 1);
    let new = |state: &State, options: &TrainerOptions| {
        Trainer::new(&gpu.device, &gpu.queue, state, options).map(|_| ()).unwrap_err().to_string()
    };
    let good = options(4, 33, Padding::Valid, sgd(3));
    for (options, word) in [
        (TrainerOptions { patch: 12, ..good.clone() }, "too small"),
        (TrainerOptions { batch: 0, ..good.clone() }, "batch of 0"),
        (TrainerOptions { batch: 1 << 20, ..good.clone() }, "smaller --batch"),
        (TrainerOptions { padding: Padding::Replicate, ..good.clone() }, "replicate"),
        (TrainerOptions { optimizer: sgd(2), ..good.clone() }, "learning rates"),
        (TrainerOptions { optimizer: adam(3), ..good.clone() }, "another optimizer"),
    ] {
        let error = new(&state, &options);
        assert!(error.contains(word), "{error}");
    }
    let mut odd = layers.clone();
    odd.remove(1);
    assert!(new(&State::new(odd, 1), &options(4, 33, Padding::Valid, sgd(2))).contains("do not follow"));

    let mut fresh = Trainer::new(&gpu.device, &gpu.queue, &state, &good).unwrap();
    let four = [Sample { patch: 0, turn: 0 }; 4];
    assert!(fresh.step(&four, 1.0).unwrap_err().to_string().contains("without pictures"));
    let mut shard = shard_of(&random_maps(1, 1, [1, 33, 33]), &random_maps(2, 1, [1, 21, 21]));
    fresh.set_pictures(&shard).unwrap();
    assert!(fresh.step(&four[..3], 1.0).is_err());
    assert!(fresh.step(&[Sample { patch: 1, turn: 0 }; 4], 1.0).is_err());
    assert!(fresh.step(&four, 1.0).unwrap().is_finite());
    shard.patches[0].x = 1;
    assert!(fresh.set_pictures(&shard).unwrap_err().to_string().contains("outside of its picture"));
}
