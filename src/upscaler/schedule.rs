//! What an adapter runs for a network, as data: kernels in order with their bindings, constants, weights and grids, and for
//! a picture the regions of each dispatch. For ports, and for engines in other languages that run the same kernels.
//!
//! It comes from the code that the engine itself chooses, packs and cuts by, and serializes with the names of WebGPU.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Value, json};

use super::UpscalerOptions;
use super::layouts::{Layouts, NAMES, default_tile, precisions, texture_of_map};
use super::outline::{Outline, PassShape};
use super::pass::{PassDescriptor, map_format, packed_bytes, texture_size};
use super::plan::{Enlargement, Plan, TileSpan};
use super::region::Region;
use super::selection::{RESAMPLE, Selection};
use super::steps::{Frame, PIXELS_COVERED, Placement, Stage};
use crate::error::Result;
use crate::gpu::adapter::AdapterKind;
use crate::gpu::compile::Binding;
use crate::gpu::kernels::{Shader, ShaderStage, WeightStore};
use crate::network::{Channels, Padding};
use crate::precision::Precision;
use crate::weights::Weights;

/// The kernels that compute a network's tiles, in order.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct Schedule {
    /// What the network works on.
    pub channels: Channels,
    /// How pictures are padded.
    pub padding: Padding,
    /// Precision of the hidden layers.
    pub precision: Precision,
    /// Filter sizes of the layers, f1, f2, ..; with padding `normalized`, the valid-pixel maps follow from them.
    pub filters: Vec<usize>,
    /// Number of planes that are resampled.
    pub planes: usize,
    /// The multiples at which passes begin and end, in columns and rows of the picture.
    pub units: [usize; 2],
    /// Radius of the last layer where passes are aligned to these units, else 0.
    pub unit_radius: usize,
    /// Longest side of a tile in result pixels, unless the host wants another.
    pub tile: usize,
    /// Longest side of a texture that layouts are made for.
    pub max_texture_side: u32,
    /// The textures between kernels: 4 pixels of a row in a texel, planes side by side.
    pub textures: Vec<ScheduledTexture>,
    /// The kernels, in the order in which a tile runs them.
    pub kernels: Vec<ScheduledKernel>,
    #[serde(skip)]
    outline: Outline,
}

/// A texture between kernels.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct ScheduledTexture {
    /// Its name in bindings.
    pub name: &'static str,
    /// Its format, as WebGPU calls it.
    pub format: String,
}

/// A kernel, and what it binds.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct ScheduledKernel {
    /// Name of the kernel.
    pub name: &'static str,
    /// Name of the file with the variant's text: the entry point is `main`, and `corner` for vertices.
    pub file: String,
    /// `compute` or `fragment`.
    stage: &'static str,
    /// What the device has to be opened with, as WebGPU calls it.
    pub features: Vec<&'static str>,
    /// Values of the overrides.
    constants: BTreeMap<&'static str, f64>,
    /// What it binds in group 0, from binding 0 up.
    bindings: Vec<ScheduledBinding>,
    /// Columns and rows that a workgroup computes.
    covers: [u32; 2],
    /// For a pass over maps, what it computes.
    pass: Option<PassShape>,
    /// For a pass over maps, its weights.
    pub weights: Option<ScheduledWeights>,
    /// The variant.
    #[serde(skip)]
    pub shader: Shader,
}

/// A binding: which resource, and the rest of its `GPUBindGroupLayoutEntry`.
#[derive(Debug, Clone, Serialize)]
struct ScheduledBinding {
    /// `region`, `taps.columns`, `taps.rows`, `source`, `target`, `weights`, `valid_map`, or a texture's name.
    resource: &'static str,
    #[serde(flatten)]
    entry: Value,
}

/// A pass's weights as its kernel reads them.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct ScheduledWeights {
    /// Length of a chunk's binding in bytes; of all, for a texture.
    binding: u64,
    /// Width and height where they are in a texture, of `rgba32float`.
    texture: Option<[u32; 2]>,
    /// Name of the file with them, if there is one.
    pub file: Option<String>,
    /// The whole buffer, or the texels of the whole texture.
    #[serde(skip)]
    pub bytes: Vec<u8>,
}

impl Schedule {
    /// What a device runs for results of this many pixels.
    ///
    /// # Errors
    /// As [`Upscaler::new`](crate::Upscaler::new), but for what only the device can tell.
    pub fn for_device(
        device: &wgpu::Device,
        weights: &Weights,
        options: &UpscalerOptions,
        pixels: usize,
    ) -> Result<Self> {
        options.precision.check(device)?;
        Self::new(&device.limits(), AdapterKind::of(device), weights, options, pixels)
    }

    /// The same for a kind of device: its limits, and the kind of its adapter.
    ///
    /// # Errors
    /// As [`Schedule::for_device`].
    pub(crate) fn new(
        limits: &wgpu::Limits,
        adapter: AdapterKind,
        weights: &Weights,
        options: &UpscalerOptions,
        pixels: usize,
    ) -> Result<Self> {
        let selection = Selection::new(limits.clone(), adapter, weights, options);
        let (passes, outline) = selection.passes(weights, selection.path(weights, pixels))?;
        let count = passes.len();
        let kernel = ScheduledKernel::new;
        let columns = selection.columns(weights, selection.light());
        let mut kernels = vec![
            kernel(columns, &RESAMPLE, &["region", "taps.columns", "source", "horizontal"]),
            kernel(selection.rows(), &RESAMPLE, &["region", "taps.rows", "horizontal", "bicubic"]),
        ];
        for (i, pass) in passes.into_iter().enumerate() {
            let [input, output] = [i, i + 1].map(|map| NAMES[texture_of_map(map, count)]);
            let names = ["region", "weights", "valid_map", input, output];
            kernels.push(kernel(pass.shader.clone(), &pass.bindings(), &names).with_pass(pass));
        }
        let (target, bindings) = selection.target(weights)?;
        kernels.push(kernel(target, &bindings, &["region", "result", "bicubic", "target"]));
        let max_texture_side = limits.max_texture_dimension_2d;
        let tile =
            options.tile.map_or_else(|| default_tile(&outline, max_texture_side), |tile| tile as usize);
        let textures = NAMES.into_iter().zip(precisions(&outline));
        Ok(Self {
            channels: weights.metadata.channels,
            padding: selection.padding,
            precision: options.precision,
            filters: weights.architecture().layers().iter().map(|layer| layer.size).collect(),
            planes: outline.planes,
            units: outline.alignment.units,
            unit_radius: outline.alignment.radius,
            tile,
            textures: textures
                .map(|(name, precision)| ScheduledTexture { name, format: web_name(map_format(precision)) })
                .collect(),
            kernels,
            outline,
            max_texture_side,
        })
    }

    /// What is dispatched for a picture of `source` pixels, width and height, in textures that hold one tile each.
    ///
    /// # Errors
    /// As [`Upscaler::prepare_tiles`](crate::Upscaler::prepare_tiles).
    pub fn picture(
        &self,
        source: (u32, u32),
        enlargement: impl Into<Enlargement>,
    ) -> Result<PictureSchedule> {
        let tables = enlargement.into().tables(source)?;
        let margin = self.outline.alignment.units.map(|unit| unit - 1);
        let plan = Plan::new(&tables, &self.outline.architecture, self.padding, self.tile, margin)?;
        let [_, source_rows] = plan.largest_source();
        let layouts = Layouts::new(&self.outline, plan.largest(), source_rows, self.max_texture_side);
        let frame = Frame {
            outline: &self.outline,
            layouts: &layouts,
            taps: tables.each_ref().map(|table| table.taps as u32),
            picture: plan.picture,
            placement: Placement::Tile,
        };
        let tile = |number| {
            let spans = plan.tile(number);
            let steps = frame.steps(spans).into_iter().map(|step| ScheduledStep {
                kernel: step.stage.kernel(self.outline.passes.len()),
                chunk: if let Stage::Pass { chunk, .. } = step.stage { chunk } else { 0 },
                workgroups: step.workgroups,
                region: step.region,
            });
            ScheduledTile { spans: spans.map(TileSpan::clone), steps: steps.collect() }
        };
        Ok(PictureSchedule {
            result: plan.result,
            textures: layouts.textures(),
            tiles: (0..plan.tiles()).map(tile).collect(),
        })
    }
}

impl ScheduledKernel {
    fn new(shader: Shader, bindings: &[Binding], resources: &[&'static str]) -> Self {
        let binding =
            |(binding, &resource): (&Binding, _)| ScheduledBinding { resource, entry: web_entry(*binding) };
        let features = [(shader.uses_half_precision(), "shader-f16"), (shader.uses_subgroups(), "subgroups")];
        Self {
            name: shader.name,
            file: format!("{}.wgsl", shader.variant),
            stage: if shader.stage == ShaderStage::Compute { "compute" } else { "fragment" },
            features: features.into_iter().filter_map(|(used, name)| used.then_some(name)).collect(),
            constants: shader.overrides.iter().copied().collect(),
            bindings: bindings.iter().zip(resources).map(binding).collect(),
            covers: PIXELS_COVERED,
            pass: None,
            weights: None,
            shader,
        }
    }

    fn with_pass(self, pass: PassDescriptor) -> Self {
        let texture = (pass.store == WeightStore::Texture).then(|| texture_size(pass.weights.len()));
        let bytes = packed_bytes(pass.weights, pass.store, pass.weight_precision);
        let weights = ScheduledWeights { binding: pass.binding, texture, file: None, bytes };
        Self { covers: pass.shape.covers, pass: Some(pass.shape), weights: Some(weights), ..self }
    }
}

/// What is dispatched for one picture.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct PictureSchedule {
    /// Width and height of the result.
    pub result: [usize; 2],
    /// Width and height of the [`Schedule::textures`], in texels.
    pub textures: [[u32; 2]; 5],
    /// The tiles, row by row.
    tiles: Vec<ScheduledTile>,
}

/// A tile, and what is dispatched for it, in order.
#[derive(Debug, Clone, Serialize)]
struct ScheduledTile {
    /// Columns and rows.
    spans: [TileSpan; 2],
    steps: Vec<ScheduledStep>,
}

/// A dispatch.
#[derive(Debug, Clone, Serialize)]
struct ScheduledStep {
    /// Number of the kernel.
    kernel: usize,
    /// Number of the part of the filters.
    chunk: usize,
    workgroups: [u32; 3],
    /// The uniform of binding 0.
    region: Region,
}

/// A format as WebGPU calls it.
fn web_name(format: wgpu::TextureFormat) -> String {
    format!("{format:?}").to_lowercase().replace("srgb", "-srgb")
}

/// The part of a `GPUBindGroupLayoutEntry` that says what is bound.
fn web_entry(binding: Binding) -> Value {
    match binding {
        Binding::Region => json!({ "buffer": { "type": "uniform", "hasDynamicOffset": true } }),
        Binding::Uniform => json!({ "buffer": { "type": "uniform" } }),
        Binding::Read => json!({ "buffer": { "type": "read-only-storage" } }),
        #[cfg(any(feature = "headless", feature = "train"))]
        Binding::Write => json!({ "buffer": { "type": "storage" } }),
        Binding::Source => json!({ "storageTexture": { "access": "read-only", "format": "rgba32float" } }),
        Binding::Texture => json!({ "texture": { "sampleType": "unfilterable-float" } }),
        Binding::Target(format) => {
            json!({ "storageTexture": { "access": "write-only", "format": web_name(format) } })
        }
    }
}
