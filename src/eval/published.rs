//! Published PSNR figures, to be shown beside measured ones. Luminance, dB.
//!
//! Dong, Loy, He, Tang: Learning a Deep Convolutional Network for Image Super-Resolution, ECCV 2014,
//! tables 1 (Set5) and 2 (Set14), table 3 and section 5.4; the averages of larger second layers are from
//! the authors' later paper, Image Super-Resolution Using Deep Convolutional Networks, TPAMI 2016.

use serde::Serialize;

use crate::ratio::Ratio;

/// One row of table 1 or 2.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Published {
    /// Name in the paper; `average` for a table's last row.
    #[serde(skip)]
    pub image: &'static str,
    /// Enlargement.
    #[serde(skip)]
    pub scale: usize,
    /// Bicubic interpolation.
    pub bicubic: f64,
    /// Sparse coding (Yang et al.); given for a scale of 3 only.
    pub sc: Option<f64>,
    /// K-SVD (Zeyde et al.).
    pub k_svd: f64,
    /// Neighbor embedding with non-negative least squares (Bevilacqua et al.).
    pub ne_nnls: f64,
    /// Neighbor embedding with locally linear embedding (Chang et al.).
    pub ne_lle: f64,
    /// Anchored neighborhood regression (Timofte et al.).
    pub anr: f64,
    /// The paper's own network: 9-1-5, 64-32, trained on 91 pictures.
    pub srcnn: f64,
}

/// By how many dB a measured PSNR of bicubic interpolation differs at most from the published one of the same picture: more
/// than rounding, since another border may be left out.
const NEAR: f64 = 0.5;

impl Published {
    /// Whether these figures can be those of a picture, or of a set, on which bicubic interpolation reaches `psnr_bicubic`.
    /// A name alone does not tell: others have pictures of a baby too.
    pub fn fits(&self, psnr_bicubic: f64) -> bool {
        (psnr_bicubic - self.bicubic).abs() <= NEAR
    }

    /// Names of the methods, in the order of [`Published::figures`].
    pub const METHODS: [&'static str; 7] = ["Bicubic", "SC", "K-SVD", "NE+NNLS", "NE+LLE", "ANR", "SRCNN"];

    /// The row's figures in the order of [`Published::METHODS`].
    pub fn figures(&self) -> [Option<f64>; 7] {
        let Self { bicubic, sc, k_svd, ne_nnls, ne_lle, anr, srcnn, .. } = *self;
        [Some(bicubic), sc, Some(k_svd), Some(ne_nnls), Some(ne_lle), Some(anr), Some(srcnn)]
    }
}

/// Published running times.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Times {
    /// Mean seconds a picture, in the order of [`Published::METHODS`]; none for bicubic interpolation.
    pub seconds: [Option<f64>; 7],
    /// What they were measured on.
    pub machine: &'static str,
}

/// A published Set5 average of one architecture, trained on ImageNet.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NetworkAverage {
    /// Filter sizes, as [`crate::Architecture::sizes`] writes them.
    pub sizes: &'static str,
    /// Filter counts, as [`crate::Architecture::filters`] writes them.
    pub filters: &'static str,
    /// Enlargement.
    pub scale: usize,
    /// PSNR in dB.
    pub psnr: f64,
    /// The paper that prints it.
    pub source: &'static str,
}

/// The published row of the picture in a file of this stem (`baby_GT`, `lena`) at this scale.
pub fn image(stem: &str, scale: impl Into<Ratio>) -> Option<&'static Published> {
    let (name, scale) = (normalized(stem), scale.into());
    let mut images = TABLES.iter().flat_map(|table| table.iter()).filter(|row| row.image != AVERAGE);
    images.find(|row| row.image == name && scale == row.scale)
}

/// The published average at this scale, when the stems are exactly the pictures of one table.
pub fn average<'a>(
    stems: impl IntoIterator<Item = &'a str>,
    scale: impl Into<Ratio>,
) -> Option<&'static Published> {
    let scale = scale.into();
    let mut names: Vec<String> = stems.into_iter().map(normalized).collect();
    names.sort_unstable();
    TABLES.iter().find_map(|table| {
        let rows = || table.iter().filter(|row| scale == row.scale);
        let images = rows().map(|row| row.image).filter(|&image| image != AVERAGE);
        images.eq(names.iter()).then(|| rows().find(|row| row.image == AVERAGE)).flatten()
    })
}

/// The published times on exactly these pictures at this scale.
pub fn times<'a>(stems: impl IntoIterator<Item = &'a str>, scale: impl Into<Ratio>) -> Option<Times> {
    let row = average(stems, scale).filter(|row| row.scale == 3)?;
    let [sc, k_svd, ne_nnls, ne_lle, anr, srcnn] =
        if SET5.contains(row) { SET5_SECONDS } else { SET14_SECONDS };
    let seconds = [None, Some(sc), Some(k_svd), Some(ne_nnls), Some(ne_lle), Some(anr), Some(srcnn)];
    Some(Times { seconds, machine: MACHINE })
}

/// The published averages of an architecture on Set5, when the stems are exactly Set5's pictures.
pub fn network_averages<'a>(
    stems: impl IntoIterator<Item = &'a str>,
    scale: impl Into<Ratio>,
    architecture: &crate::Architecture,
) -> Vec<NetworkAverage> {
    let scale = scale.into();
    let (sizes, filters) = (architecture.sizes(), architecture.filters());
    let is_set5 = average(stems, scale).is_some_and(|row| SET5.contains(row));
    let matches = |row: &&NetworkAverage| row.sizes == sizes && row.filters == filters && scale == row.scale;
    NETWORKS.iter().filter(|_| is_set5).filter(matches).copied().collect()
}

/// The paper's name for a file's stem: lower case, without the marks of ground truth, one spelling.
fn normalized(stem: &str) -> String {
    let lower = stem.to_lowercase();
    let name = ["_gt", "_hr"].iter().find_map(|mark| lower.strip_suffix(mark)).unwrap_or(&lower);
    match name {
        "lena" => "lenna",
        "peppers" => "pepper",
        "flower" => "flowers",
        "ppt" => "ppt3",
        "coast_guard" => "coastguard",
        other => other,
    }
    .into()
}

const AVERAGE: &str = "average";

const fn row(image: &'static str, scale: usize, bicubic: f64, sc: Option<f64>, rest: [f64; 5]) -> Published {
    let [k_svd, ne_nnls, ne_lle, anr, srcnn] = rest;
    Published { image, scale, bicubic, sc, k_svd, ne_nnls, ne_lle, anr, srcnn }
}

const fn network(
    sizes: &'static str,
    filters: &'static str,
    scale: usize,
    psnr: f64,
    source: &'static str,
) -> NetworkAverage {
    NetworkAverage { sizes, filters, scale, psnr, source }
}

/// Both tables; within one scale the rows are sorted by name, the average is last.
const TABLES: [&[Published]; 2] = [SET5, SET14];

/// Table 1. Figures after SC: K-SVD, NE+NNLS, NE+LLE, ANR, SRCNN.
const SET5: &[Published] = &[
    row("baby", 2, 37.07, None, [38.25, 38.00, 38.33, 38.44, 38.30]),
    row("bird", 2, 36.81, None, [39.93, 39.41, 40.00, 40.04, 40.64]),
    row("butterfly", 2, 27.43, None, [30.65, 30.03, 30.38, 30.48, 32.20]),
    row("head", 2, 34.86, None, [35.59, 35.48, 35.63, 35.66, 35.64]),
    row("woman", 2, 32.14, None, [34.49, 34.24, 34.52, 34.55, 34.94]),
    row("average", 2, 33.66, None, [35.78, 35.43, 35.77, 35.83, 36.34]),
    row("baby", 3, 33.91, Some(34.29), [35.08, 34.77, 35.06, 35.13, 35.01]),
    row("bird", 3, 32.58, Some(34.11), [34.57, 34.26, 34.56, 34.60, 34.91]),
    row("butterfly", 3, 24.04, Some(25.58), [25.94, 25.61, 25.75, 25.90, 27.58]),
    row("head", 3, 32.88, Some(33.17), [33.56, 33.45, 33.60, 33.63, 33.55]),
    row("woman", 3, 28.56, Some(29.94), [30.37, 29.89, 30.22, 30.33, 30.92]),
    row("average", 3, 30.39, Some(31.42), [31.90, 31.60, 31.84, 31.92, 32.39]),
    row("baby", 4, 31.78, None, [33.06, 32.81, 32.99, 33.03, 32.98]),
    row("bird", 4, 30.18, None, [31.71, 31.51, 31.72, 31.82, 31.98]),
    row("butterfly", 4, 22.10, None, [23.57, 23.30, 23.38, 23.52, 25.07]),
    row("head", 4, 31.59, None, [32.21, 32.10, 32.24, 32.27, 32.19]),
    row("woman", 4, 26.46, None, [27.89, 27.61, 27.72, 27.80, 28.21]),
    row("average", 4, 28.42, None, [29.69, 29.47, 29.61, 29.69, 30.09]),
];

/// Table 2, as table 1.
const SET14: &[Published] = &[
    row("baboon", 3, 23.21, Some(23.47), [23.52, 23.49, 23.55, 23.56, 23.60]),
    row("barbara", 3, 26.25, Some(26.39), [26.76, 26.67, 26.74, 26.69, 26.66]),
    row("bridge", 3, 24.40, Some(24.82), [25.02, 24.86, 24.98, 25.01, 25.07]),
    row("coastguard", 3, 26.55, Some(27.02), [27.15, 27.00, 27.07, 27.08, 27.20]),
    row("comic", 3, 23.12, Some(23.90), [23.96, 23.83, 23.98, 24.04, 24.39]),
    row("face", 3, 32.82, Some(33.11), [33.53, 33.45, 33.56, 33.62, 33.58]),
    row("flowers", 3, 27.23, Some(28.25), [28.43, 28.21, 28.38, 28.49, 28.97]),
    row("foreman", 3, 31.18, Some(32.04), [33.19, 32.87, 33.21, 33.23, 33.35]),
    row("lenna", 3, 31.68, Some(32.64), [33.00, 32.82, 33.01, 33.08, 33.39]),
    row("man", 3, 27.01, Some(27.76), [27.90, 27.72, 27.87, 27.92, 28.18]),
    row("monarch", 3, 29.43, Some(30.71), [31.10, 30.76, 30.95, 31.09, 32.39]),
    row("pepper", 3, 32.39, Some(33.32), [34.07, 33.56, 33.80, 33.82, 34.35]),
    row("ppt3", 3, 23.71, Some(24.98), [25.23, 24.81, 24.94, 25.03, 26.02]),
    row("zebra", 3, 26.63, Some(27.95), [28.49, 28.12, 28.31, 28.43, 28.87]),
    row("average", 3, 27.54, Some(28.31), [28.67, 28.44, 28.60, 28.65, 29.00]),
];

/// Tables 1 and 2, averages at a scale of 3: SC, K-SVD, NE+NNLS, NE+LLE, ANR, SRCNN.
const SET5_SECONDS: [f64; 6] = [35.92, 1.42, 12.21, 2.58, 0.54, 0.18];
const SET14_SECONDS: [f64; 6] = [84.88, 2.95, 25.87, 5.35, 0.97, 0.39];
const MACHINE: &str = "Intel CPU 3.10 GHz, 16 GB; SRCNN in C++, the others in MATLAB";

const ECCV: &str = "ECCV 2014";
const TPAMI: &str = "TPAMI 2016";

/// Set5 averages of networks trained on ImageNet.
const NETWORKS: &[NetworkAverage] = &[
    network("9-1-5", "128-64", 3, 32.60, ECCV),
    network("9-1-5", "64-32", 3, 32.52, ECCV),
    network("9-1-5", "32-16", 3, 32.26, ECCV),
    network("11-1-7", "64-32", 3, 32.57, ECCV),
    network("9-3-5", "64-32", 3, 32.66, TPAMI),
    network("9-5-5", "64-32", 2, 36.66, TPAMI),
    network("9-5-5", "64-32", 3, 32.75, TPAMI),
    network("9-5-5", "64-32", 4, 30.49, TPAMI),
];

#[cfg(test)]
mod tests {
    use super::*;

    /// The papers' averages are the means of their rows, so a mistyped figure shows.
    #[test]
    fn columns_average_to_the_printed_averages() {
        for (table, scale) in [(SET5, 2), (SET5, 3), (SET5, 4), (SET14, 3)] {
            let (average, images): (Vec<&Published>, Vec<&Published>) =
                table.iter().filter(|row| row.scale == scale).partition(|row| row.image == AVERAGE);
            for method in 0..Published::METHODS.len() {
                let Some(printed) = average[0].figures()[method] else { continue };
                let sum: f64 = images.iter().filter_map(|row| row.figures()[method]).sum();
                let mean = sum / images.len() as f64;
                // Rounded figures: half a hundredth of each row and of the average.
                assert!((mean - printed).abs() < 0.0101, "x{scale} {}: {mean}", Published::METHODS[method]);
            }
        }
    }

    #[test]
    fn finds_rows_by_file_name() {
        assert_eq!(image("baby_GT", 3).map(|row| row.srcnn), Some(35.01));
        assert_eq!(image("Lena", 3).map(|row| row.bicubic), Some(31.68));
        assert_eq!(image("peppers", 3).map(|row| row.image), Some("pepper"));
        assert_eq!(image("baby_GT", 5), None);
        assert_eq!(image("my holiday", 3), None);
        assert_eq!(image("average", 3), None);
    }

    #[test]
    fn a_name_alone_is_not_enough() {
        let baby = image("baby", 3).unwrap();
        assert!(baby.fits(33.91) && baby.fits(33.5) && !baby.fits(32.9) && !baby.fits(35.0));
        assert!(!baby.fits(f64::NAN) && !baby.fits(f64::INFINITY));
    }

    #[test]
    fn averages_need_the_whole_set() {
        let set5 = ["woman_GT", "baby_GT", "bird_GT", "butterfly_GT", "head_GT"];
        assert_eq!(average(set5, 3).map(|row| row.srcnn), Some(32.39));
        assert_eq!(average(set5[1..].iter().copied(), 3), None);
        assert_eq!(average(set5.into_iter().chain(["other"]), 3), None);
        assert_eq!(average(set5, 8), None);
        assert_eq!(average([], 8), None);
    }

    #[test]
    fn averages_of_networks() {
        let set5 = ["baby", "bird", "butterfly", "head", "woman"];
        let found = |sizes, scale| {
            let architecture = crate::Architecture::parse(sizes, "64-32", 1).unwrap();
            network_averages(set5, scale, &architecture).iter().map(|row| row.psnr).collect::<Vec<_>>()
        };
        assert_eq!(found("9-5-5", 3), [32.75]);
        assert!(found("9-7-5", 3).is_empty());
        let architecture = crate::Architecture::parse("9-5-5", "64-32", 1).unwrap();
        assert!(network_averages(["baby"], 3, &architecture).is_empty());
    }
}
