//! Networks of three layers with Winograd's minimal filtering: f1-1-f3 in one pass, by `conv_winograd.wgsl`, and f1-5-f3 with
//! layer 1 as in [`super::fused`], by `conv_winograd_body.wgsl`.

use super::fused::{first_layer, last_sum, write_epilogue};
use super::minimal_filtering::{five, four};
use super::pass::PassDescriptor;
use crate::gpu::kernels::{
    self, ConvShape, HeadVariant, POINTS, Settings, Shader, WeightStore, WinogradBodyVariant, WinogradVariant,
};
use crate::network::Padding;
use crate::weights::{Layer, Weights};

/// Planes that the kernels write: what squares add to themselves, to neighboring columns, to neighboring rows, and
/// diagonally.
const PLANES: usize = 4;
/// Side of a square, in pixels.
pub(super) const SQUARE: usize = 4;

/// The kernels' variants for a network.
#[derive(Debug, Clone, Copy)]
pub(super) enum Variant {
    /// All layers at once.
    Whole(WinogradVariant),
    /// Layer 1, then the others.
    Body(HeadVariant, WinogradBodyVariant),
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
        Some(Self::Body(HeadVariant::new(architecture, settings, limits)?, body))
    }

    /// The passes.
    pub fn passes(&self, weights: &Weights) -> Vec<PassDescriptor> {
        let [.., third] = weights.layers() else { return Vec::new() };
        match self {
            Self::Whole(variant) => {
                let (shader, packed) = (kernels::conv_winograd(variant), pack_whole(variant, weights));
                squares(shader, 0, third, variant.settings, variant.store, packed).into()
            }
            Self::Body(head, body) => {
                let (shader, packed) = (kernels::conv_winograd_body(body), pack_body(body, weights));
                let squares = squares(shader, 1, third, body.settings, body.store, packed);
                first_layer(head, weights).into_iter().chain(squares).collect()
            }
        }
    }
}

/// A pass over squares, and the one that ends layer 3 after it.
fn squares(
    shader: Shader,
    layer: usize,
    third: &Layer,
    settings: Settings,
    store: WeightStore,
    packed: Vec<f32>,
) -> [PassDescriptor; 2] {
    let covers = settings.workgroup.map(|side| SQUARE as u32 * side);
    let pass = PassDescriptor::single(shader, [layer, PLANES, third.shape.radius()], covers, store, packed);
    let sum = last_sum(kernels::conv_winograd_sum(third.shape.size, &settings), third);
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

/// The weights in the order of `conv_winograd_body.wgsl`: for each group of filters of layer 2 and each input their rows, transformed at the points
/// of F(4, 5); then for each group the biases, and the rows of layer 3.
fn pack_body(variant: &WinogradBodyVariant, weights: &Weights) -> Vec<f32> {
    let [_, second, third] = weights.layers() else { return Vec::new() };
    let (inputs, size, group_filters) = (second.shape.inputs, second.shape.size, variant.group());
    let mut packed = vec![0.0; 4 * variant.weights()];
    for (k, filter) in second.weight.chunks_exact(inputs * size * size).enumerate() {
        let (group, n) = (k / group_filters, k % group_filters);
        for (c, plane) in filter.chunks_exact(size * size).enumerate() {
            let start = (group * inputs + c) * variant.input();
            for (i, row) in plane.chunks_exact(size).enumerate() {
                for (point, value) in five(row).into_iter().enumerate() {
                    packed[4 * (start + variant.row(n / 8, point, i)) + n % 8] = value as f32;
                }
            }
        }
    }
    let mut layout = variant.epilogue_layout();
    for first in (0..second.shape.filters).step_by(group_filters) {
        let filters = first..(first + group_filters).min(second.shape.filters);
        write_epilogue(&mut packed, &layout, filters, second, third);
        layout.bias_2 += variant.epilogue_length();
        layout.rows_3 += variant.epilogue_length();
    }
    packed
}
