//! Validation during training gives the same figures as `eval`.

use crate::common;
use srcnn_gpu::train::validate::{Validate, Validator};
use srcnn_gpu::{Channels, Error, Weights};

#[test]
fn the_authors_network_on_set5() {
    let _alone = common::alone();
    let (Some(set5), Some(authors)) = (common::data("data/Set5"), common::data("weights-authors")) else {
        return;
    };
    let mut validator = Validator::open(common::gpu(), &[set5], 3, Channels::Y).unwrap();
    let info = &validator.sets()[0];
    assert_eq!(info.name, "Set5");
    let published: Vec<_> = info.published.iter().map(|(name, psnr)| (name.as_str(), *psnr)).collect();
    assert_eq!(published, [("SC", 31.42), ("SRCNN (ECCV 2014)", 32.39)]);
    let weights = Weights::load(&authors.join("9-1-5_91-images_x3.mat")).unwrap();
    let scores = validator.evaluate(&weights).unwrap();
    assert_eq!((scores.len(), scores[0].set.as_str(), scores[0].scale), (1, "Set5", 3));
    assert!((scores[0].psnr_bicubic - 30.39).abs() < 0.006, "{scores:?}");
    assert!((scores[0].psnr - 32.39).abs() < 0.006, "{scores:?}");
    let folder = tempfile::tempdir().unwrap();
    let samples = folder.path().join("samples");
    validator.save_samples(&samples).unwrap();
    for method in ["bicubic", "srcnn"] {
        let picture = image::open(samples.join(format!("Set5_baby_GT_x3_{method}.png"))).unwrap();
        assert_eq!((picture.width(), picture.height()), (510, 510));
    }
}

#[test]
fn folders_without_pictures() {
    let _alone = common::alone();
    let folder = tempfile::tempdir().unwrap();
    let open = || Validator::open(common::gpu(), &[folder.path().into()], 3, Channels::Y);
    assert!(matches!(open(), Err(Error::Picture(_))));
    std::fs::write(folder.path().join("broken.png"), b"no").unwrap();
    image::GrayImage::new(5, 90).save(folder.path().join("small.png")).unwrap();
    let error = open().unwrap_err().to_string();
    assert!(error.contains("no readable picture"), "{error}");
}
