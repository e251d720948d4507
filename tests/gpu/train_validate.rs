//! Validation during training gives the same figures as `eval`.

use crate::common;
use srcnn_gpu::eval::dataset::Picture;
use srcnn_gpu::eval::protocol::Protocol;
use srcnn_gpu::train::config::TrainConfig;
use srcnn_gpu::train::recipe::{Overrides, resolve};
use srcnn_gpu::train::validate::{Validate, Validator};
use srcnn_gpu::{Channels, Error, Shipped, Weights};

fn config(val: std::path::PathBuf, scales: &str, degradation: &str) -> TrainConfig {
    let flags = Overrides {
        data: vec![val.clone()],
        val: vec![val],
        scale: Some(scales.parse().unwrap()),
        degradation: Some(degradation.parse().unwrap()),
        ..Overrides::default()
    };
    resolve(None, &flags).unwrap()
}

/// Several scales are sets of their own, with the degradation of training, as `eval --degradation` measures it.
#[test]
fn a_set_for_each_scale_degraded() {
    let _alone = common::alone();
    let folder = tempfile::tempdir().unwrap();
    let picture = image::RgbImage::from_fn(72, 60, |x, y| {
        image::Rgb([(x * y % 256) as u8, (x * 3) as u8, (y * 4) as u8])
    });
    picture.save(folder.path().join("a.png")).unwrap();
    let config = config(folder.path().into(), "2,3", "bicubic,noise:0..20,jpeg:20..60");
    let mut validator = Validator::open(common::gpu(), &config).unwrap();
    let names: Vec<_> = validator.sets().iter().map(|info| info.scale).collect();
    assert_eq!(names, [2, 3]);
    assert!(validator.sets().iter().all(|info| info.published.is_empty()));
    let scores = validator.evaluate(&Shipped::Small.nearest(3.0).unwrap()).unwrap().sets;
    assert_eq!(scores.iter().map(|score| score.scale).collect::<Vec<_>>(), [2, 3]);
    let picture = Picture::read(&folder.path().join("a.png")).unwrap();
    for score in scores {
        let protocol = Protocol::new(score.scale as f64, None, Channels::Y).unwrap();
        let protocol = protocol.with_degradation(config.degradation).unwrap();
        assert_eq!(protocol.measure_bicubic(&picture).unwrap().score.psnr, score.psnr_bicubic);
    }
}

#[test]
fn the_authors_network_on_set5() {
    let _alone = common::alone();
    let (Some(set5), Some(authors)) = (common::data("data/Set5"), common::data("weights-authors")) else {
        return;
    };
    let mut validator = Validator::open(common::gpu(), &config(set5, "3", "bicubic")).unwrap();
    let info = &validator.sets()[0];
    assert_eq!(info.name, "Set5");
    let published: Vec<_> = info.published.iter().map(|(name, psnr)| (name.as_str(), *psnr)).collect();
    assert_eq!(published, [("SC", 31.42), ("SRCNN (ECCV 2014)", 32.39)]);
    let weights = Weights::load(&authors.join("9-1-5_91-images_x3.mat")).unwrap();
    let measured = validator.evaluate(&weights).unwrap();
    let scores = &measured.sets;
    assert_eq!((scores.len(), scores[0].set.as_str(), scores[0].scale), (1, "Set5", 3));
    assert!((scores[0].psnr_bicubic - 30.39).abs() < 0.006, "{scores:?}");
    assert!((scores[0].psnr - 32.39).abs() < 0.006, "{scores:?}");
    let folder = tempfile::tempdir().unwrap();
    let samples = folder.path().join("samples");
    measured.save_samples(&samples).unwrap();
    for method in ["bicubic", "srcnn"] {
        let picture = image::open(samples.join(format!("Set5_baby_GT_x3_{method}.png"))).unwrap();
        assert_eq!((picture.width(), picture.height()), (510, 510));
    }
}

#[test]
fn folders_without_pictures() {
    let _alone = common::alone();
    let folder = tempfile::tempdir().unwrap();
    let open = || Validator::open(common::gpu(), &config(folder.path().into(), "3", "bicubic"));
    assert!(matches!(open(), Err(Error::Picture(_))));
    std::fs::write(folder.path().join("broken.png"), b"no").unwrap();
    image::GrayImage::new(5, 90).save(folder.path().join("small.png")).unwrap();
    let error = open().unwrap_err().to_string();
    assert!(error.contains("no readable picture"), "{error}");
}
