//! Training data: which sub-images there are, and how pictures are degraded and packed.

use std::path::Path;
use std::sync::Arc;

use crate::common;
use image::{GrayImage, Luma, Rgb, RgbImage};
use srcnn_gpu::train::Scales;
use srcnn_gpu::train::config::{Augmentation, TrainConfig};
use srcnn_gpu::train::dataset::Dataset;
use srcnn_gpu::train::order::Order;
use srcnn_gpu::train::recipe::{Overrides, Recipe, resolve};
use srcnn_gpu::train::shard::{PackedShard, PatchEntry};
use srcnn_gpu::train::stream::ShardStream;
use srcnn_gpu::{Channels, Error};

fn config(data: &Path, scale: usize) -> TrainConfig {
    let flags = Overrides {
        recipe: Some(Recipe::Paper),
        data: vec![data.into()],
        scale: Some(Scales::new([scale]).unwrap()),
        ..Overrides::default()
    };
    resolve(None, &flags).unwrap()
}

fn grey(width: u32, height: u32) -> GrayImage {
    GrayImage::from_fn(width, height, |x, y| Luma([(x * 7 + y * 3 + x * y % 13 * 5) as u8]))
}

/// Sub-images of the paper's 91 pictures at a stride of 14: as many as the authors' loops give, over pictures cut to
/// multiples of the scale. The paper's text says "roughly 24,800".
#[test]
fn sub_images_of_t91() {
    let Some(folder) = common::data("data/T91") else { return };
    for (scale, count) in [(2, 22_227), (3, 21_884)] {
        let set = Dataset::open(&config(&folder, scale), usize::MAX).unwrap();
        assert_eq!((set.files().len(), set.lengths().len(), set.len()), (91, 1, count), "scale {scale}");
    }
    let set = Dataset::open(&config(&folder, 3), usize::MAX).unwrap();
    let patches = set.len();
    let shard = set.load(0, 0, &|_, _| ()).unwrap();
    assert_eq!(shard.patches.len() as u64, patches);
    assert!(shard.targets.iter().all(|v| (16.0 / 255.0..=235.0 / 255.0).contains(v)));
    // Bicubic is close to the truth, but not equal.
    let squares: f64 = shard.inputs.iter().zip(&shard.targets).map(|(a, b)| f64::from(a - b).powi(2)).sum();
    let psnr = -10.0 * (squares / shard.inputs.len() as f64).log10();
    assert!((25.0..35.0).contains(&psnr), "{psnr}");
}

/// The packed values come from the protocol's own steps, written out here, and positions follow the stride.
#[test]
fn pictures_are_degraded_whole() {
    let folder = tempfile::tempdir().unwrap();
    let picture = grey(65, 50);
    picture.save(folder.path().join("a.png")).unwrap();
    let set = Dataset::open(&config(folder.path(), 3), usize::MAX).unwrap();
    let shard = set.load(0, 0, &|_, _| ()).unwrap();
    let entry = shard.pictures[0];
    assert_eq!((entry.offset, entry.width, entry.height), (0, 63, 48));
    let places = [(0, 0), (0, 14), (0, 28), (14, 0), (14, 14), (14, 28)];
    let expected = places.map(|(y, x)| PatchEntry { picture: 0, y, x });
    assert_eq!(shard.patches, expected);

    let truth: Vec<f64> =
        (0..63 * 48).map(|i| f64::from(picture.get_pixel(i % 63, i / 63).0[0]) / 255.0).collect();
    let (low, height, width) = srcnn_gpu::reference::resample::imresize(&truth, 48, 63, 1.0 / 3.0).unwrap();
    let (high, ..) = srcnn_gpu::reference::resample::imresize(&low, height, width, 3.0).unwrap();
    // Half an ulp of f32, and the twin's own order of sums.
    let close = |(a, b): (&f32, &f64)| (f64::from(*a) - b).abs() < 1e-7;
    assert!(shard.inputs.len() == high.len() && shard.inputs.iter().zip(&high).all(close));
    assert_eq!(shard.targets, truth.iter().map(|&v| v as f32).collect::<Vec<_>>());

    let mut blurred = config(folder.path(), 3);
    blurred.degradation = "gaussian:2".parse().unwrap();
    let blurred = Dataset::open(&blurred, usize::MAX).unwrap().load(0, 0, &|_, _| ()).unwrap();
    assert_eq!(blurred.targets, shard.targets);
    assert_ne!(blurred.inputs, shard.inputs);
}

#[test]
fn three_channels_are_planes() {
    let folder = tempfile::tempdir().unwrap();
    let picture = RgbImage::from_fn(36, 36, |x, y| Rgb([(x * 7) as u8, (y * 7) as u8, 9]));
    picture.save(folder.path().join("a.png")).unwrap();
    for channels in [Channels::Rgb, Channels::YCbCr] {
        let mut config = config(folder.path(), 3);
        config.channels = channels;
        let shard = Dataset::open(&config, usize::MAX).unwrap().load(0, 0, &|_, _| ()).unwrap();
        assert_eq!((shard.targets.len(), shard.pictures.len(), shard.patches.len()), (3 * 36 * 36, 1, 1));
        let at = |c: usize, y: usize, x: usize| (shard.targets[(c * 36 + y) * 36 + x] * 255.0).round() as u8;
        let expected = match channels {
            Channels::Rgb => [35, 21, 9],
            _ => srcnn_gpu::color::rgb_to_ycbcr_u8([35, 21, 9]),
        };
        assert_eq!([at(0, 3, 5), at(1, 3, 5), at(2, 3, 5)], expected);
    }
}

#[test]
fn variants_of_other_sizes() {
    let folder = tempfile::tempdir().unwrap();
    grey(100, 80).save(folder.path().join("a.png")).unwrap();
    let mut config = config(folder.path(), 3);
    config.augmentation = Augmentation { turns: true, scales: vec![1.0, 0.5, 0.3, 1.25] };
    let set = Dataset::open(&config, usize::MAX).unwrap();
    let shard = set.load(0, 0, &|_, _| ()).unwrap();
    // 0.3 leaves 30x24, less than a sub-image.
    let sizes: Vec<_> = shard.pictures.iter().map(|p| (p.width, p.height)).collect();
    assert_eq!(sizes, [(99, 78), (48, 39), (123, 99)]);
    assert!(shard.targets.iter().all(|&v| (v * 255.0).fract() < 1e-3 || (v * 255.0).fract() > 0.999));
}

/// Every sub-image of the whole pictures is in exactly one shard, with the same pixels, whatever the budget.
#[test]
fn shards_and_bands_lose_nothing() {
    let folder = tempfile::tempdir().unwrap();
    for (name, width, height) in [("a", 120, 99), ("b", 60, 200), ("c", 50, 40), ("d", 40, 33)] {
        grey(width, height).save(folder.path().join(format!("{name}.png"))).unwrap();
    }
    let config = config(folder.path(), 3);
    let contents = |budget: usize| {
        let set = Dataset::open(&config, budget).unwrap();
        let mut all = Vec::new();
        for (i, &length) in set.lengths().iter().enumerate() {
            let shard = set.load(i, 0, &|_, _| ()).unwrap();
            assert!(shard.inputs.len() * 4 <= budget, "shard of {} values", shard.inputs.len());
            assert_eq!(shard.patches.len(), length as usize);
            all.extend((0..shard.patches.len()).map(|patch| pixels(&shard, patch)));
        }
        assert_eq!(all.len() as u64, set.len());
        all.sort();
        (set.lengths().len(), all)
    };
    let (count, whole) = contents(usize::MAX);
    assert_eq!(count, 1);
    for (budget, least) in [(60_000, 2), (24_000, 4)] {
        let (count, parts) = contents(budget);
        assert!(count >= least, "{count} shards");
        assert!(parts == whole, "budget {budget}");
    }
    // Too wide for any shard: nothing is left.
    assert!(matches!(Dataset::open(&config, 1000), Err(Error::Picture(_))));
}

/// Shards hold a mixture of all folders: black pictures come first by name, white ones last.
#[test]
fn folders_are_mixed_over_shards() {
    let folder = tempfile::tempdir().unwrap();
    for i in 0..60 {
        let value = if i < 30 { 0 } else { 255 };
        GrayImage::from_pixel(36, 36, image::Luma([value]))
            .save(folder.path().join(format!("{i:02}.png")))
            .unwrap();
    }
    let mut config = config(folder.path(), 3);
    let white = |config: &TrainConfig, budget| -> Vec<f32> {
        let set = Dataset::open(config, budget).unwrap();
        let shards = (0..set.lengths().len()).map(|shard| set.load(shard, 0, &|_, _| ()).unwrap());
        shards.map(|shard| shard.targets.iter().sum::<f32>() / shard.targets.len() as f32).collect()
    };
    let shares = white(&config, 4 * 36 * 36 * 20);
    assert!(shares.len() == 3 && shares.iter().all(|share| (0.2..0.8).contains(share)), "{shares:?}");
    assert_eq!(shares, white(&config, 4 * 36 * 36 * 20));
    config.seed = 1;
    assert_ne!(shares, white(&config, 4 * 36 * 36 * 20));
    assert_eq!(white(&config, usize::MAX), [0.5]);
}

/// The bits of a sub-image's inputs and targets.
fn pixels(shard: &PackedShard, patch: usize) -> Vec<u32> {
    let PatchEntry { picture, y, x } = shard.patches[patch];
    let entry = shard.pictures[picture as usize];
    let start = |row: u32| (entry.offset + (y + row) * entry.width + x) as usize;
    let rows = (0..33).flat_map(|row| {
        let range = start(row)..start(row) + 33;
        shard.inputs[range.clone()].iter().chain(&shard.targets[range])
    });
    rows.map(|v| v.to_bits()).collect()
}

/// Broken files are skipped, in nested folders too; if no file is good, that is an error.
#[test]
fn unreadable_pictures() {
    let folder = tempfile::tempdir().unwrap();
    let deep = folder.path().join("x/y");
    std::fs::create_dir_all(&deep).unwrap();
    let error = Dataset::open(&config(folder.path(), 3), usize::MAX).unwrap_err();
    assert!(matches!(&error, Error::Picture(text) if text.contains("no readable picture")), "{error}");
    std::fs::write(deep.join("text.png"), b"not a picture").unwrap();
    std::fs::write(folder.path().join("notes.txt"), b"").unwrap();
    grey(99, 99).save(folder.path().join("whole.png")).unwrap();
    grey(99, 99).save(deep.join("cut.png")).unwrap();
    let bytes = std::fs::read(deep.join("cut.png")).unwrap();
    // The header is complete, the pixels are not.
    std::fs::write(deep.join("cut.png"), &bytes[..bytes.len() / 2]).unwrap();
    let set = Dataset::open(&config(folder.path(), 3), usize::MAX).unwrap();
    assert_eq!((set.files().len(), set.len()), (3, 2 * 25));
    let shard = set.load(0, 0, &|_, _| ()).unwrap();
    assert_eq!((shard.pictures.len(), shard.patches.len()), (1, 25));
    std::fs::remove_file(folder.path().join("whole.png")).unwrap();
    assert!(matches!(set.load(0, 0, &|_, _| ()), Err(Error::Picture(_))));
    let missing = Dataset::open(&config(&folder.path().join("z"), 3), usize::MAX).unwrap_err();
    assert!(matches!(missing, Error::Picture(_)));
}

/// A header alone promises nothing, and a shard of which no picture can be read does not end a run.
#[test]
fn broken_pictures_are_not_counted_on() {
    let folder = tempfile::tempdir().unwrap();
    // A GIF file of 13 bytes that claims a picture of 31,776 x 31,868 pixels.
    let mut giant = b"GIF89a".to_vec();
    giant.extend([31_776u16, 31_868].map(u16::to_le_bytes).concat());
    giant.extend([0, 0, 0]);
    std::fs::write(folder.path().join("a.gif"), giant).unwrap();
    for name in ["b", "c", "d"] {
        grey(99, 99).save(folder.path().join(format!("{name}.png"))).unwrap();
    }
    let budget = 4 * 99 * 99;
    let set = Dataset::open(&config(folder.path(), 3), budget).unwrap();
    assert_eq!(set.lengths(), [25; 3]);
    let second = set.load(1, 0, &|_, _| ()).unwrap();
    std::fs::write(folder.path().join("b.png"), b"overwritten").unwrap();
    std::fs::write(folder.path().join("d.png"), b"overwritten").unwrap();
    for shard in 0..3 {
        let stands_in = set.load(shard, 0, &|_, _| ()).unwrap();
        assert!(stands_in.inputs == second.inputs && stands_in.patches == second.patches, "shard {shard}");
    }
    assert!(matches!(set.load(3, 0, &|_, _| ()), Err(Error::InvalidArgument(_))));
}

#[test]
fn fingerprints_know_the_pictures() {
    let print = |names: &[&str]| {
        let folder = tempfile::tempdir().unwrap();
        names.iter().for_each(|name| grey(40, 40).save(folder.path().join(name)).unwrap());
        Dataset::open(&config(folder.path(), 3), usize::MAX).unwrap().fingerprint
    };
    assert_eq!(print(&["a.png", "b.png"]), print(&["b.png", "a.png"]));
    assert_ne!(print(&["a.png", "b.png"]), print(&["a.png", "c.png"]));
}

/// What a chain leaves open is drawn for each epoch, picture and size, the same however pictures are cut; several scales add
/// the pictures of each.
#[test]
fn draws_follow_the_epoch() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["a", "b"] {
        grey(120, 99).save(folder.path().join(format!("{name}.png"))).unwrap();
    }
    let mut config = config(folder.path(), 3);
    config.degradation = "bicubic,noise:0..9,jpeg:20..90@0.9".parse().unwrap();
    config.augmentation = Augmentation { turns: true, scales: vec![1.0, 0.7] };
    let whole = Dataset::open(&config, usize::MAX).unwrap();
    let load = |epoch| whole.load(0, epoch, &|_, _| ()).unwrap();
    let (first, second) = (load(0), load(1));
    assert!(first == load(0) && first.targets == second.targets && first.inputs != second.inputs);
    // Equal pictures are drawn differently.
    let place = |picture: usize| first.pictures[picture].offset as usize;
    assert_ne!(first.inputs[..place(1)], first.inputs[place(2)..place(3)]);
    let all = |set: &Dataset| -> Vec<Vec<u32>> {
        let shards = (0..set.lengths().len()).map(|shard| set.load(shard, 7, &|_, _| ()).unwrap());
        shards
            .flat_map(|shard| (0..shard.patches.len()).map(|at| pixels(&shard, at)).collect::<Vec<_>>())
            .collect()
    };
    let parts = Dataset::open(&config, 40_000).unwrap();
    assert!(parts.lengths().len() > 3 && all(&parts) == all(&whole));
    let mut other = config.clone();
    other.seed = 1;
    assert_ne!(
        Dataset::open(&other, usize::MAX).unwrap().load(0, 0, &|_, _| ()).unwrap().inputs,
        first.inputs
    );

    let count = |scales: &str| {
        let mut config = config.clone();
        config.scale = scales.parse().unwrap();
        let set = Dataset::open(&config, usize::MAX).unwrap();
        let shard = set.load(0, 0, &|_, _| ()).unwrap();
        assert_eq!(shard.patches.len() as u64, set.len());
        set.len()
    };
    assert_eq!(count("2,3,4"), count("2") + count("3") + count("4"));
    config.degradation = "jpeg:30".parse().unwrap();
    config.scale = "1".parse().unwrap();
    let set = Dataset::open(&config, usize::MAX).unwrap();
    assert!(
        set.load(0, 0, &|_, _| ()).unwrap() == set.load(0, 5, &|_, _| ()).unwrap(),
        "nothing is left open"
    );
    let done = std::sync::atomic::AtomicUsize::new(0);
    let shard = set
        .load(0, 0, &|_, all| assert!(done.fetch_add(1, std::sync::atomic::Ordering::Relaxed) < all))
        .unwrap();
    assert!(done.into_inner() == 2 && shard.pictures.len() == 4);
}

/// Shards arrive in the order of the steps, each read while the previous one is in use.
#[test]
fn streaming() {
    let folder = tempfile::tempdir().unwrap();
    for name in 0..5u8 {
        GrayImage::from_pixel(61, 61, Luma([name * 50]))
            .save(folder.path().join(format!("{name}.png")))
            .unwrap();
    }
    let config = config(folder.path(), 3);
    let set = Arc::new(Dataset::open(&config, 4 * 60 * 60).unwrap());
    assert_eq!(set.lengths(), [4; 5]);
    let order = Order::new(1, 2, set.lengths()).unwrap();
    let first = |shard: &PackedShard| (shard.targets[0] * 255.0).round() as u32;
    let values: Vec<u32> = (0..5).map(|shard| first(&set.load(shard, 0, &|_, _| ()).unwrap())).collect();
    let mut stream = ShardStream::new(set);
    let mut seen = Vec::new();
    for step in 0..order.steps_per_epoch() * 2 {
        let place = order.place(step);
        let shard = stream.get(&place, &|_, _| ()).unwrap();
        assert_eq!(first(&shard), values[place.shard as usize]);
        seen.push(place.shard);
    }
    let mut epoch: Vec<u32> = seen[..10].to_vec();
    epoch.dedup();
    assert_eq!(epoch.len(), 5, "{seen:?}");
}
