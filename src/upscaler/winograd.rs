//! Networks with Winograd's minimal filtering: f1-1-f3 in one pass, by `conv_winograd.wgsl`; f1-5-f3, f1-5-5-f4 and so on with layer 1
//! as in [`super::fused`], the last two layers by `conv_winograd_body.wgsl`, and those between by `conv_winograd_layer.wgsl`.

use super::fused::{first_layer, last_sum, write_epilogue};
use super::minimal_filtering::{five, four};
use super::pass::PassDescriptor;
use crate::gpu::kernels::{
    self, ConvShape, HeadVariant, POINTS, Settings, Shader, WeightStore, WinogradBodyVariant,
    WinogradLayerVariant, WinogradVariant, row,
};
use crate::network::Padding;
use crate::weights::{Layer, Weights};

/// Planes that the kernels write: what squares add to themselves, to neighboring columns, to neighboring rows, and
/// diagonally.
const PLANES: usize = 4;
/// Side of a square, in pixels.
pub(super) const SQUARE: usize = 4;

/// The kernels' variants for a network.
#[derive(Debug, Clone)]
pub(super) enum Variant {
    /// All layers at once.
    Whole(WinogradVariant),
    /// Layer 1, the layers between it and the last two, and these.
    Layers(HeadVariant, Vec<WinogradLayerVariant>, WinogradBodyVariant),
}

impl Variant {
    /// `None` for networks that they do not cover, or if `shape` does not ask for fused kernels.
    pub fn new(limits: &wgpu::Limits, weights: &Weights, padding: Padding, shape: ConvShape) -> Option<Self> {
        let load = shape.fused?.weight_load()?;
        let settings = Settings::new(padding, load, shape.map_read, shape.workgroup);
        let architecture = weights.architecture();
        if let Some(whole) = WinogradVariant::new(architecture, settings, limits) {
            return Some(Self::Whole(whole));
        }
        let body = WinogradBodyVariant::new(architecture, settings, limits)?;
        let [_, between @ .., _, _] = architecture.layers() else { return None };
        let between = between.iter().map(|layer| WinogradLayerVariant::new(layer, settings, limits));
        Some(Self::Layers(
            HeadVariant::new(architecture, settings, limits)?,
            between.collect::<Option<_>>()?,
            body,
        ))
    }

    /// The passes.
    pub fn passes(&self, weights: &Weights) -> Vec<PassDescriptor> {
        match self {
            Self::Whole(variant) => {
                let (shader, packed) = (kernels::conv_winograd(variant), pack_whole(variant, weights));
                squares(shader, 0, weights, variant.settings, variant.store, packed).into()
            }
            Self::Layers(head, between, body) => {
                let between = between.iter().enumerate().map(|(i, variant)| layer(variant, i + 1, weights));
                let (shader, packed) = (kernels::conv_winograd_body(body), pack_body(body, weights));
                let index = weights.layers().len() - 2;
                let squares = squares(shader, index, weights, body.settings, body.store, packed);
                first_layer(head, weights).into_iter().chain(between).chain(squares).collect()
            }
        }
    }
}

/// Columns and rows that a workgroup computes.
fn covers(settings: &Settings) -> [u32; 2] {
    settings.workgroup.map(|side| SQUARE as u32 * side)
}

/// The pass of a layer, by its index, whose maps are stored.
fn layer(variant: &WinogradLayerVariant, index: usize, weights: &Weights) -> PassDescriptor {
    let (own, after) = (&weights.layers()[index], &weights.layers()[index + 1..]);
    let reach = after.iter().map(|layer| layer.shape.radius()).sum();
    let (shader, packed) = (kernels::conv_winograd_layer(variant), pack_layer(variant, own));
    let (numbers, settings) = ([index, own.shape.filters, reach], variant.settings);
    let pass = PassDescriptor::single(shader, numbers, covers(&settings), variant.store, packed);
    pass.reading(settings.map_read)
}

/// A pass over squares, with the map of layer `index`, and the one that ends the last layer after it.
fn squares(
    shader: Shader,
    index: usize,
    weights: &Weights,
    settings: Settings,
    store: WeightStore,
    packed: Vec<f32>,
) -> [PassDescriptor; 2] {
    let count = weights.layers().len();
    let last = &weights.layers()[count - 1];
    let numbers = [index, PLANES, last.shape.radius()];
    let pass = PassDescriptor::single(shader, numbers, covers(&settings), store, packed);
    let sum = last_sum(kernels::conv_winograd_sum(last.shape.size, &settings), count - 1, last);
    [pass, sum].map(|pass| pass.reading(settings.map_read))
}

/// The weights in the order of `conv_winograd.wgsl`: for each four filters of layer 1 their biases, their rows transformed at the
/// points of F(4, 5) and F(4, 4), and the columns of layer 2; then biases of layer 2; then rows of layer 3.
fn pack_whole(variant: &WinogradVariant, weights: &Weights) -> Vec<f32> {
    let [first, second, third] = weights.layers() else { return Vec::new() };
    let (filters, size) = (first.shape.filters, variant.filter);
    let mut packed = vec![0.0; 4 * variant.weights()];
    for (n, filter) in first.weight.chunks_exact(size * size).enumerate() {
        let (start, place) = (4 * (n / 4) * variant.quad(), n % 4);
        packed[start + place] = first.bias[n];
        let taps = start + 4 * (1 + place * POINTS * variant.point());
        for (i, row) in filter.chunks_exact(size).enumerate() {
            let (first, second) = row.split_at(size.min(5));
            for (block, values) in [five(first), four(second)].into_iter().enumerate().take(variant.blocks())
            {
                for (p, value) in values.into_iter().enumerate() {
                    packed[taps + 4 * p * variant.point() + block * size + i] = value as f32;
                }
            }
        }
        for k in 0..second.shape.filters {
            packed[start + 4 * (variant.columns_2() + k) + place] = second.weight[k * filters + n];
        }
    }
    write_epilogue(&mut packed, &variant.epilogue_layout(), 0..second.shape.filters, second, third);
    packed
}

/// The weights in the order of `conv_winograd_layer.wgsl`: rows, then for each group the biases.
fn pack_layer(variant: &WinogradLayerVariant, layer: &Layer) -> Vec<f32> {
    let mut packed = vec![0.0; 4 * variant.weights()];
    pack_rows(&mut packed, layer, variant.group(), variant.input());
    for (group, biases) in layer.bias.chunks(variant.group()).enumerate() {
        let start = 4 * (variant.bias() + group * variant.biases());
        packed[start..][..biases.len()].copy_from_slice(biases);
    }
    packed
}

/// The weights in the order of `conv_winograd_body.wgsl`: rows, then for each group the biases, and the rows of the last layer.
fn pack_body(variant: &WinogradBodyVariant, weights: &Weights) -> Vec<f32> {
    let [.., second, third] = weights.layers() else { return Vec::new() };
    let group_filters = variant.group();
    let mut packed = vec![0.0; 4 * variant.weights()];
    pack_rows(&mut packed, second, group_filters, variant.input());
    let mut layout = variant.epilogue_layout();
    for first in (0..second.shape.filters).step_by(group_filters) {
        let filters = first..(first + group_filters).min(second.shape.filters);
        write_epilogue(&mut packed, &layout, filters, second, third);
        layout.bias_2 += variant.epilogue_length();
        layout.rows_3 += variant.epilogue_length();
    }
    packed
}

/// For each group of filters and each input, `length` vec4s: their rows, transformed at the points of F(4, 5).
fn pack_rows(packed: &mut [f32], layer: &Layer, group_filters: usize, length: usize) {
    let (inputs, size) = (layer.shape.inputs, layer.shape.size);
    for (k, filter) in layer.weight.chunks_exact(inputs * size * size).enumerate() {
        let (group, n) = (k / group_filters, k % group_filters);
        for (c, plane) in filter.chunks_exact(size * size).enumerate() {
            let start = (group * inputs + c) * length;
            for (i, taps) in plane.chunks_exact(size).enumerate() {
                for (point, value) in five(taps).into_iter().enumerate() {
                    packed[4 * (start + row(n / 8, point, i)) + n % 8] = value as f32;
                }
            }
        }
    }
}
