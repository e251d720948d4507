//! A known-answer test of an adapter: some drivers silently compute black or nonsense.

use std::path::{Path, PathBuf};

use super::{Gpu, Headless, HeadlessOptions};
use crate::atomic::write_own;
use crate::error::{Error, Result};
use crate::gpu::kernels;
use crate::hash::fnv;
use crate::network::{Architecture, Padding};
use crate::own;
use crate::planes::Planes;
use crate::precision::Precision;
use crate::reference::{self, Maps};
use crate::weights::{Layer, Metadata, Weights};

/// A small network, and the paper's, for which adapters may use special kernels.
const NETWORKS: [(&str, &str); 2] = [("5-1-3", "6-5"), ("9-1-5", "64-32")];

/// Runs two networks in tiles on the device and compares the results with the CPU's.
///
/// # Errors
/// [`Error::SelfTest`] when they differ, or what the device reports.
pub fn self_test(gpu: &Gpu, precision: Precision) -> Result<()> {
    networks()?.iter().try_for_each(|network| test_network(gpu, precision, network))
}

fn networks() -> Result<Vec<Architecture>> {
    NETWORKS.iter().map(|(sizes, filters)| Architecture::parse(sizes, filters, 1)).collect()
}

/// Runs the self test unless this adapter has already passed it with the same driver and kernels, as recorded by a
/// file in `folder`. Returns whether the test ran. If the folder is not writable, that is not an error: the test then
/// runs every time.
///
/// # Errors
/// As [`self_test`].
pub fn self_test_once(gpu: &Gpu, precision: Precision, folder: Option<&Path>) -> Result<bool> {
    let key = adapter_key(&gpu.info, &networks()?) + precision.to_string().as_str() + "\n";
    let marker = folder.map(|folder| folder.join(format!("self-test-{:016x}", fnv(&key))));
    let passed =
        |marker: &PathBuf| own::read(marker, key.len() as u64).is_ok_and(|text| text == key.as_bytes());
    if marker.as_ref().is_some_and(passed) {
        return Ok(false);
    }
    self_test(gpu, precision)?;
    if let (Some(folder), Some(marker)) = (folder, marker) {
        let written = std::fs::create_dir_all(folder)
            .map_err(|e| Error::Output { path: folder.into(), reason: e.into() })
            .and_then(|()| write_own(&marker, |file| std::io::Write::write_all(file, key.as_bytes())));
        if let Err(error) = written {
            log::debug!("the self test will run again: {error}");
        }
    }
    Ok(true)
}

/// The folder for [`self_test_once`] among the user's cached files; `None` when the system names none.
pub fn cache_folder() -> Option<PathBuf> {
    let variable = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let folder = if cfg!(windows) {
        variable("LOCALAPPDATA")
    } else if cfg!(target_os = "macos") {
        variable("HOME").map(|home| home.join("Library/Caches"))
    } else {
        variable("XDG_CACHE_HOME").or_else(|| variable("HOME").map(|home| home.join(".cache")))
    };
    folder.map(|folder| folder.join("srcnn-gpu"))
}

/// Everything that a fact about an adapter depends on, as text: adapter, driver, and the kernels of some networks.
pub(super) fn adapter_key(info: &wgpu::AdapterInfo, networks: &[Architecture]) -> String {
    let padding = [Padding::Normalized];
    let shaders = networks.iter().flat_map(|network| kernels::variants_with(network, &padding));
    let kernels: String = shaders.map(|shader| format!("{}{:?}", shader.wgsl, shader.overrides)).collect();
    format!(
        "{}\n{} {:x}:{:x}\n{}\n{}\n{} {:016x}{}\n",
        info.name,
        info.backend,
        info.vendor,
        info.device,
        info.driver,
        info.driver_info,
        env!("CARGO_PKG_VERSION"),
        fnv(&kernels),
        if std::env::var_os("SRCNN_CHECKED_SHADERS").is_some() { " checked" } else { "" },
    )
}

fn test_network(gpu: &Gpu, precision: Precision, architecture: &Architecture) -> Result<()> {
    const SIZE: [usize; 2] = [21, 13];
    const SCALE: f64 = 2.0;
    let [width, height] = SIZE;
    // Not smooth and not symmetric, so that misplaced pixels show.
    let value = |i: usize, modulus: usize| (i * 7919 % modulus) as f32 / modulus as f32;
    let layers = architecture.layers().iter().map(|&shape| Layer {
        shape,
        weight: (0..shape.weights())
            .map(|i| (value(i, 101) - 0.4) / (shape.products() as f32).sqrt())
            .collect(),
        bias: (0..shape.filters).map(|i| value(i, 11) * 0.1).collect(),
    });
    let weights = Weights::new(layers.collect(), Metadata::default())?;
    let picture = Planes::new(width, height, 1, (0..width * height).map(|i| value(i, 251)).collect())?;

    let low: Vec<f64> = picture.data.iter().map(|&v| f64::from(v)).collect();
    let (data, height, width) = reference::resample::imresize(&low, height, width, SCALE)?;
    let expected =
        reference::forward(&weights, &Maps { channels: 1, height, width, data }, Padding::Replicate);

    let options = HeadlessOptions::default().with_tile(Some(32)).with_precision(precision);
    let actual = Headless::new(gpu.clone(), &weights, options)?.upscale_planes(&picture, SCALE)?;
    judge(&actual.data, &expected.data, precision)
}

/// Checks a result up to rounding: sums of at most 800 products of values around 1, in three layers.
fn judge(actual: &[f32], expected: &[f64], precision: Precision) -> Result<()> {
    let largest = expected.iter().fold(1.0, |largest: f64, value| largest.max(value.abs()));
    let differences = actual.iter().zip(expected).map(|(&a, &e)| (f64::from(a) - e).abs() / largest);
    // NaN counts as infinitely far off.
    let worst = differences.fold(0.0, |worst: f64, d| if d.is_nan() { f64::INFINITY } else { worst.max(d) });
    if actual.len() != expected.len() {
        return Err(Error::SelfTest(format!("{} values instead of {}", actual.len(), expected.len())));
    }
    if worst < precision.tolerance() {
        return Ok(());
    }
    Err(Error::SelfTest(format!("the result of a known network is off by {worst:.1e}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrong_results_are_noticed() {
        let expected = [0.1, 0.5, 0.9];
        let good = [0.1f32, 0.5, 0.900_01];
        assert!(judge(&good, &expected, Precision::F32).is_ok());
        for (name, bad) in [
            ("black", [0.0; 3]),
            ("not a number", [0.1, f32::NAN, 0.9]),
            ("infinite", [0.1, 0.5, f32::INFINITY]),
            ("one value", [0.1, 0.501, 0.9]),
            ("misplaced", [0.5, 0.9, 0.1]),
        ] {
            assert!(matches!(judge(&bad, &expected, Precision::F32), Err(Error::SelfTest(_))), "{name}");
        }
        assert!(judge(&good[..2], &expected, Precision::F32).is_err());
        let off = |by: f32| judge(&[0.1, 0.5 + by, 0.9], &expected, Precision::F16);
        assert!(off(0.001).is_ok() && off(0.05).is_err());
    }

    #[test]
    fn keys_tell_drivers_apart() {
        let info = |driver: &str| wgpu::AdapterInfo {
            name: "a".into(),
            driver_info: driver.into(),
            ..wgpu::AdapterInfo::new(wgpu::DeviceType::Cpu, wgpu::Backend::Vulkan)
        };
        let [one, same, other] =
            ["1.0", "1.0", "1.1"].map(|driver| fnv(adapter_key(&info(driver), &networks().unwrap())));
        assert!(one == same && one != other);
    }
}
