//! Training steps on the GPU: golden vectors, batches, optimizers, and what is refused. The kernels have their own
//! tests.

use crate::common::training::{
    in_order, largest, options, random_maps, rounding, sgd, shard_of, split, trainer,
};
use crate::common::{alone, assert_close, data, gpu, network, noise};
use safetensors::SafeTensors;
use srcnn_gpu::reference;
use srcnn_gpu::train::State;
use srcnn_gpu::train::config::Optimizer;
use srcnn_gpu::train::gpu::{Shape, Trainer, TrainerOptions};
use srcnn_gpu::train::order::Sample;
use srcnn_gpu::train::shard::{PackedShard, PatchEntry, PictureEntry};
use srcnn_gpu::train::shuffle::turned;
use srcnn_gpu::{Layer, LayerShape, Padding};

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
    let options = options(batch, 33, Padding::Valid, sgd(3)).with_shape(shape);
    let mut trainer = trainer(&state, &options, &shard);

    // Float32 accuracy: inputs and parameters are rounded (half an ulp each); sums have up to 2646 and 1600 products.
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
    let layers = state.slots.iter().chain(&state.average).flatten().chain(&state.layers);
    layers.flat_map(|l| l.weight.iter().chain(&l.bias).map(|v| v.to_bits())).collect()
}

fn adam(layers: usize) -> Optimizer {
    let learning_rates = vec![1e-3; layers];
    Optimizer::Adam { betas: [0.9, 0.999], epsilon: 1e-8, spectrum: false, learning_rates }
}

fn adam_on_spectra(layers: usize) -> Optimizer {
    let learning_rates = vec![1e-3; layers];
    Optimizer::Adam { betas: [0.9, 0.999], epsilon: 1e-8, spectrum: true, learning_rates }
}

#[test]
fn the_same_steps_give_the_same_bits() {
    let _alone = alone();
    let shard = pictures();
    let layers = network("5-1-3", "6-5", 1, Padding::Replicate).layers().to_vec();
    for optimizer in [sgd(3), adam(3), adam_on_spectra(3)] {
        let options = options(10, 17, Padding::Valid, optimizer).with_average(0.8);
        let first = State::new(layers.clone(), options.optimizer.slots()).with_average();
        let all = samples(6, 200, &shard);
        let factors: Vec<f32> = (0..20).map(|i| 1.0 - i as f32 / 40.0).collect();

        let mut one = trainer(&first, &options, &shard);
        let losses = one.steps(&all, &factors).unwrap();
        let end = one.state().unwrap();
        assert!(losses[19] < losses[0], "{losses:?}");

        // Grouped differently.
        let mut other = trainer(&first, &options, &shard);
        let mut again = other.steps(&all[..70], &factors[..7]).unwrap();
        let middle = other.state().unwrap();
        again.extend(other.steps(&all[70..], &factors[7..]).unwrap());
        assert_eq!(losses, again);
        assert_eq!(bits(&end), bits(&other.state().unwrap()));

        // Restored into a new trainer, and into one that has done other things.
        let mut resumed = trainer(&middle, &options, &shard);
        resumed.steps(&all[70..], &factors[7..]).unwrap();
        assert_eq!(bits(&end), bits(&resumed.state().unwrap()));
        assert_eq!(end, resumed.state().unwrap());
        other.restore(&middle).unwrap();
        other.steps(&all[70..], &factors[7..]).unwrap();
        assert_eq!(end, other.state().unwrap());

        // Other sub-images give other bits, so the comparison can fail.
        let mut wrong = all[70..].to_vec();
        wrong[129].turn ^= 1;
        other.restore(&middle).unwrap();
        other.steps(&wrong, &factors[7..]).unwrap();
        assert_ne!(bits(&end), bits(&other.state().unwrap()));
    }
}

/// The running mean of the parameters, with a share that the first steps do not reach and later ones do.
#[test]
fn the_average_agrees_with_its_twin() {
    let _alone = alone();
    let shard = pictures();
    let layers = network("3-3", "3", 1, Padding::Replicate).layers().to_vec();
    let keep = 0.4;
    for optimizer in [sgd(2), adam(2), adam_on_spectra(2)] {
        let options = options(4, 17, Padding::Valid, optimizer).with_average(keep);
        let first = State::new(layers.clone(), options.optimizer.slots()).with_average();
        let mut trainer = trainer(&first, &options, &shard);
        let values = |layers: &[Layer]| -> Vec<f64> {
            layers.iter().flat_map(|l| l.weight.iter().chain(&l.bias)).map(|&v| v.into()).collect()
        };
        let mut expected = values(&layers);
        let mut wrong = expected.clone();
        for step in 0..9 {
            trainer.step(&samples(step, 4, &shard), 1.0).unwrap();
            let state = trainer.state().unwrap();
            for (i, parameter) in values(&state.layers).into_iter().enumerate() {
                reference::average(&mut expected[i], parameter, keep, step);
                wrong[i] = keep * wrong[i] + (1.0 - keep) * parameter;
            }
            let actual = values(state.average.as_ref().unwrap());
            // Three roundings a step, which later steps forget.
            let tolerance = 8.0 * f64::from(f32::EPSILON) * largest(&expected);
            let far =
                |other: &[f64]| actual.iter().zip(other).fold(0.0f64, |most, (a, b)| most.max((a - b).abs()));
            assert!(far(&expected) < tolerance, "step {step}: {}", far(&expected));
            // Without the first steps' smaller shares it would be another.
            assert!(step > 0 || far(&wrong) > 2.0 * tolerance, "the comparison cannot fail");
        }
        // A state without a mean does not fit, nor one with a mean where there is none.
        let bare = State { average: None, ..trainer.state().unwrap() };
        assert!(trainer.restore(&bare).is_err());
        let state = trainer.state().unwrap();
        let without = options.with_average(0.0);
        let gpu = crate::common::gpu();
        assert!(Trainer::new(&gpu.device, &gpu.queue, &state, &without).is_err());
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
fn adam_on_spectra_agrees_with_its_twin() {
    let _alone = alone();
    let shard = pictures();
    let layers = network("5-3", "3", 1, Padding::Replicate).layers().to_vec();
    let options = options(4, 17, Padding::Valid, adam_on_spectra(2));
    let mut trainer = trainer(&State::new(layers, 2), &options, &shard);
    let batch = samples(8, 4, &shard);
    for t in 1..=3 {
        let before = trainer.state().unwrap();
        trainer.step(&batch, 0.5).unwrap();
        let (gradients, after) = (trainer.gradients().unwrap(), trainer.state().unwrap());
        for (l, gradient) in gradients.iter().enumerate() {
            let size = gradient.shape.size;
            let wide = |values: &[f32]| -> Vec<f64> { values.iter().map(|&v| v.into()).collect() };
            // The change of one group of values with gradient `g`, in the optimizer's own terms.
            let change = |g: &[f64], first: &[f32], second: &[f32]| -> Vec<f64> {
                let (mut p, mut m, mut v) = (vec![0.0; g.len()], wide(first), wide(second));
                for (i, &g) in g.iter().enumerate() {
                    reference::adam(&mut p[i], [&mut m[i], &mut v[i]], g, 0.5e-3, ([0.9, 0.999], 1e-8), t);
                }
                p
            };
            let [first, second] = [0, 1].map(|slot: usize| &before.slots[slot][l]);
            let taps = size * size;
            let mut expected = wide(&before.layers[l].weight);
            for (i, weights) in expected.chunks_exact_mut(taps).enumerate() {
                let of = |values: &[f32]| values[i * taps..][..taps].to_vec();
                let g = reference::spectrum(&wide(&of(&gradient.weight)), size);
                let step = reference::taps(&change(&g, &of(&first.weight), &of(&second.weight)), size);
                weights.iter_mut().zip(step).for_each(|(w, s)| *w += s);
            }
            // As for Adam, except that a frequency far below the largest is off by the rounding of the sum over the
            // taps, and the transform back adds up `taps` changes.
            let spread = 0.5e-3 * size as f64;
            let tolerance = rounding(largest(&expected)) + spread * 4e-5 * taps as f64;
            assert_close(&format!("spectra {t} {l}"), &after.layers[l].weight, &expected, tolerance);

            let step = change(&wide(&gradient.bias), &first.bias, &second.bias);
            let expected: Vec<f64> =
                wide(&before.layers[l].bias).iter().zip(step).map(|(b, s)| b + s).collect();
            assert_close(&format!("biases {t} {l}"), &after.layers[l].bias, &expected, 0.5e-3 * 4e-5 + 1e-9);
        }
    }
}

#[test]
fn invalid_training_is_refused() {
    let _alone = alone();
    let gpu = gpu();
    let layers = network("9-1-5", "4-3", 1, Padding::Replicate).layers().to_vec();
    let state = State::new(layers.clone(), 1);
    let new = |state: &State, options: &TrainerOptions| {
        Trainer::new(&gpu.device, &gpu.queue, state, options).map(|_| ()).unwrap_err().to_string()
    };
    let good = options(4, 33, Padding::Valid, sgd(3));
    for (options, word) in [
        (options(4, 12, Padding::Valid, sgd(3)), "too small"),
        (options(0, 33, Padding::Valid, sgd(3)), "batch of 0"),
        (options(1 << 20, 33, Padding::Valid, sgd(3)), "smaller batch"),
        (options(4, 33, Padding::Replicate, sgd(3)), "replicate"),
        (options(4, 33, Padding::Valid, sgd(2)), "learning rates"),
        (options(4, 33, Padding::Valid, adam(3)), "another optimizer"),
    ] {
        let error = new(&state, &options);
        assert!(error.contains(word), "{error}");
    }
    let mut odd = layers.clone();
    odd.remove(1);
    assert!(
        new(&State::new(odd, 1), &options(4, 33, Padding::Valid, sgd(2))).contains("do not fit together")
    );

    let mut fresh = Trainer::new(&gpu.device, &gpu.queue, &state, &good).unwrap();
    let four = [Sample { patch: 0, turn: 0 }; 4];
    assert!(fresh.step(&four, 1.0).unwrap_err().to_string().contains("no pictures"));
    let mut shard = shard_of(&random_maps(1, 1, [1, 33, 33]), &random_maps(2, 1, [1, 21, 21]));
    fresh.set_pictures(&shard).unwrap();
    assert!(fresh.step(&four[..3], 1.0).is_err());
    assert!(fresh.step(&[Sample { patch: 1, turn: 0 }; 4], 1.0).is_err());
    assert!(fresh.step(&four, 1.0).unwrap().is_finite());
    shard.patches[0].x = 1;
    assert!(fresh.set_pictures(&shard).unwrap_err().to_string().contains("outside of its picture"));
}
