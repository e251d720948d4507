//! Networks for browsers: an ES module that runs this crate's kernels on WebGPU, its data, and a page that uses it.
//!
//! The module follows the [`Schedule`]s of the networks, which come from the code that the engine on a device goes by too. Only
//! what depends on a picture's size is worked out in JavaScript: tables of taps, tiles and regions.

use std::collections::BTreeMap;

use serde::Serialize;

use super::About;
use crate::error::{Error, Result};
use crate::gpu::adapter::{AdapterKind, Software};
use crate::gpu::kernels::ConvShape;
use crate::precision::Precision;
use crate::upscaler::{Schedule, UpscalerOptions};
use crate::weights::Weights;

/// A network, and which model it is part of.
#[derive(Debug, Clone)]
pub struct WebNetwork<'a> {
    /// What pages call the model: networks of one model are for different scales.
    pub model: String,
    /// The network.
    pub weights: &'a Weights,
    /// What is known of it.
    pub about: About,
}

/// Sizes of subgroups for which there are kernels: those that software adapters of browsers have.
const SUBGROUPS: [u32; 2] = [4, 8];

/// What does not depend on the networks.
const FIXED: [(&str, &[u8]); 14] = [
    ("index.html", include_bytes!("index.html")),
    ("page.css", include_bytes!("page.css")),
    ("page.js", include_bytes!("page.js")),
    ("slider.js", include_bytes!("slider.js")),
    ("sample.png", include_bytes!("../../../docs/sample.png")),
    ("srcnn/package.json", include_bytes!("srcnn/package.json")),
    ("srcnn/index.js", include_bytes!("srcnn/index.js")),
    ("srcnn/index.d.ts", include_bytes!("srcnn/index.d.ts")),
    ("srcnn/engine.js", include_bytes!("srcnn/engine.js")),
    ("srcnn/kernels.js", include_bytes!("srcnn/kernels.js")),
    ("srcnn/pixels.js", include_bytes!("srcnn/pixels.js")),
    ("srcnn/plan.js", include_bytes!("srcnn/plan.js")),
    ("srcnn/resample.js", include_bytes!("srcnn/resample.js")),
    ("srcnn/rest.js", include_bytes!("srcnn/rest.js")),
];

/// Everything that the module reads, but for kernels and weights.
#[derive(Debug, Serialize)]
struct Data {
    version: u32,
    generator: &'static str,
    networks: Vec<NetworkData>,
}

#[derive(Debug, Serialize)]
struct NetworkData {
    model: String,
    source: String,
    architecture: String,
    scales: Vec<f32>,
    license: String,
    /// The first that suits the adapter is taken.
    variants: Vec<Variant>,
}

/// A network's kernels for a kind of adapter.
#[derive(Debug, Serialize)]
struct Variant {
    /// Whether the adapter computes on the processor.
    software: bool,
    /// The size that all of its subgroups have.
    subgroup: Option<u32>,
    #[serde(flatten)]
    schedule: Schedule,
}

/// The files of a folder for a web server, by path: a page `index.html`, and the module in `srcnn/`.
///
/// # Errors
/// [`Error::InvalidArgument`] without networks, [`Error::MissingCapability`] for one that WebGPU's least limits cannot hold.
pub fn files(networks: &[WebNetwork<'_>]) -> Result<BTreeMap<String, Vec<u8>>> {
    if networks.is_empty() {
        return Err(Error::invalid("no network to export"));
    }
    let mut files: BTreeMap<String, Vec<u8>> =
        FIXED.iter().map(|&(path, bytes)| (path.to_owned(), bytes.to_vec())).collect();
    let mut stored = Stored::default();
    let networks = networks.iter().map(|network| {
        let mut variants = variants(network.weights)?;
        for kernel in variants.iter_mut().flat_map(|variant| &mut variant.schedule.kernels) {
            kernel.file = format!("kernels/{}", kernel.file);
            files.insert(format!("srcnn/{}", kernel.file), kernel.shader.standard_wgsl().into_bytes());
            if let Some(weights) = &mut kernel.weights {
                weights.file = Some(stored.keep(std::mem::take(&mut weights.bytes)));
            }
        }
        let About { source, license, .. } = network.about.clone();
        Ok(NetworkData {
            model: network.model.clone(),
            source,
            architecture: network.weights.architecture().to_string(),
            scales: network.weights.metadata.scales.clone(),
            license,
            variants,
        })
    });
    let data = Data {
        version: 1,
        generator: concat!(env!("CARGO_PKG_NAME"), " ", env!("CARGO_PKG_VERSION")),
        networks: networks.collect::<Result<_>>()?,
    };
    let data =
        serde_json::to_vec(&data).map_err(|e| Error::invalid(format!("the network's metadata: {e}")))?;
    files.insert("srcnn/networks.json".into(), data);
    files.extend(stored.0.into_iter().map(|(bytes, path)| (format!("srcnn/{path}"), bytes)));
    Ok(files)
}

/// Packed weights, each once, with their paths.
#[derive(Debug, Default)]
struct Stored(BTreeMap<Vec<u8>, String>);

impl Stored {
    fn keep(&mut self, bytes: Vec<u8>) -> String {
        let next = format!("weights/{:03}.bin", self.0.len());
        self.0.entry(bytes).or_insert(next).clone()
    }
}

/// A network's kernels for all adapters: the more special ones first.
fn variants(weights: &Weights) -> Result<Vec<Variant>> {
    let limits = wgpu::Limits::defaults();
    let schedule = |kind: AdapterKind, precision| -> Result<Variant> {
        let options = UpscalerOptions::for_shape(ConvShape::for_kind(kind)).with_precision(precision);
        // On adapters of browsers the size of the result makes no difference.
        let schedule = Schedule::new(&limits, kind, weights, &options, 0)?;
        Ok(Variant { software: kind.software.is_some(), subgroup: kind.subgroup_lanes, schedule })
    };
    let mut found: Vec<Variant> = Vec::new();
    for lanes in SUBGROUPS.map(Some).into_iter().chain([None]) {
        let kind = AdapterKind { software: Some(Software::SwiftShader), subgroup_lanes: lanes, fxc: false };
        found.push(schedule(kind, Precision::F32)?);
    }
    let gpu = AdapterKind { software: None, subgroup_lanes: None, fxc: false };
    for precision in [Precision::F16, Precision::F32] {
        found.push(schedule(gpu, precision)?);
    }
    // Where subgroups make no difference, the one that asks for less does.
    let same = |a: &Variant, b: &Variant| {
        let kernels = |variant: &Variant| -> Vec<_> {
            variant.schedule.kernels.iter().map(|kernel| kernel.shader.clone()).collect()
        };
        a.software == b.software && kernels(a) == kernels(b)
    };
    let is_needed = |i: usize| !found[i + 1..].iter().any(|later| same(&found[i], later));
    let needed: Vec<bool> = (0..found.len()).map(is_needed).collect();
    Ok(found.into_iter().zip(needed).filter_map(|(variant, needed)| needed.then_some(variant)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::weights::Shipped;

    fn of(model: Shipped) -> (BTreeMap<String, Vec<u8>>, serde_json::Value) {
        let all = model.all().unwrap();
        let network = |(name, weights)| WebNetwork {
            model: "m".into(),
            weights,
            about: About { source: name, ..About::default() },
        };
        let all: Vec<_> = all.into_iter().map(|(name, weights)| (name.to_string(), weights)).collect();
        let networks: Vec<_> = all.iter().map(|(name, weights)| network((name.clone(), weights))).collect();
        let files = files(&networks).unwrap();
        let data = serde_json::from_slice(&files["srcnn/networks.json"]).unwrap();
        (files, data)
    }

    #[test]
    fn all_files_that_the_data_name_are_there() {
        for model in [Shipped::Small, Shipped::Large] {
            let (files, data) = of(model);
            let mut named = 0;
            for variant in
                data["networks"].as_array().unwrap().iter().flat_map(|n| n["variants"].as_array().unwrap())
            {
                for kernel in variant["kernels"].as_array().unwrap() {
                    let text = &files[&format!("srcnn/{}", kernel["file"].as_str().unwrap())];
                    let subgroups = text.starts_with(b"enable subgroups;");
                    assert_eq!(kernel["features"].to_string().contains("subgroups"), subgroups);
                    if let Some(weights) = kernel["weights"].as_object() {
                        let bytes =
                            files[&format!("srcnn/{}", weights["file"].as_str().unwrap())].len() as u64;
                        let last = kernel["pass"]["chunks"].as_array().unwrap().last().unwrap();
                        let end = last["offset"].as_u64().unwrap() + weights["binding"].as_u64().unwrap();
                        assert!(bytes >= end, "{kernel}");
                        named += 1;
                    }
                }
            }
            assert!(named > 20, "{named}");
            let kernels = files.keys().filter(|path| path.ends_with(".wgsl")).count();
            let weights = files.keys().filter(|path| path.ends_with(".bin")).count();
            assert!(kernels >= 10 && weights <= named, "{kernels} {weights}");
        }
    }

    #[test]
    fn every_adapter_finds_a_variant() {
        let (_, data) = of(Shipped::Small);
        for network in data["networks"].as_array().unwrap() {
            let variants = network["variants"].as_array().unwrap();
            for software in [true, false] {
                let plain = variants.iter().find(|v| {
                    v["software"] == software && v["subgroup"].is_null() && v["precision"] == "f32"
                });
                let features: Vec<_> = plain.unwrap()["kernels"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|k| k["features"].to_string())
                    .collect();
                assert!(features.iter().all(|features| features == "[]"), "{features:?}");
            }
        }
    }

    #[test]
    fn nothing_is_exported_without_networks() {
        assert!(files(&[]).is_err());
    }
}
