//! Bicubic interpolation alone, of one plane: from a single-channel texture to a map.

use super::pass::MAPS;
use super::region::{PlaneLayout, Region};
use super::steps::per_texel;
use super::tables::Taps;
use crate::error::Result;
use crate::gpu::compile::{Binding, Compiler, Kernel};
use crate::gpu::dispatch::Dispatch;
use crate::gpu::kernels::{self, Light, OutsideValue};
use crate::gpu::memory::{constant, element_binding, spaced, texture, view};
use crate::gpu::scoped;
use crate::resample::ResampleTable;

/// The kernels, compiled once for all plane sizes.
#[derive(Debug)]
pub(crate) struct ResampleKernels {
    columns: Kernel,
    rows: Kernel,
}

impl ResampleKernels {
    /// # Errors
    /// What the device reports.
    pub fn new(compiler: Compiler<'_>) -> Result<Self> {
        let bindings = [Binding::Region, Binding::Read, Binding::Texture, MAPS];
        Ok(Self {
            columns: Kernel::new(compiler, &kernels::resample_columns(false, Light::Encoded), &bindings)?,
            rows: Kernel::new(compiler, &kernels::resample_rows(OutsideValue::None), &bindings)?,
        })
    }
}

/// Enlarges or shrinks one plane.
#[derive(Debug)]
pub(crate) struct Resampler {
    dispatches: [Dispatch; 2],
    /// The result: a map, with 4 pixels of a row per texel.
    pub result: wgpu::TextureView,
}

impl Resampler {
    /// For a source texture with the plane in its first channel, and the tables of its columns and rows.
    ///
    /// # Errors
    /// What the device reports.
    pub fn new(
        device: &wgpu::Device,
        kernels: &ResampleKernels,
        [columns, rows]: &[ResampleTable; 2],
        source: &wgpu::TextureView,
    ) -> Result<Self> {
        let output = [columns.output_len, rows.output_len];
        let max_texture_side = device.limits().max_texture_dimension_2d;
        let [horizontal, vertical] = [rows.input_len, rows.output_len]
            .map(|rows| PlaneLayout::new(1, columns.output_len, rows, max_texture_side));
        let taps = [Taps::new(device, columns)?, Taps::new(device, rows)?];
        let region = |rows: usize, taps: &Taps| Region {
            size: [output[0] as i32, rows as i32],
            picture: output.map(|len| len as i32),
            terms: taps.count,
            ..Region::default()
        };
        let regions = [
            Region { output: horizontal, ..region(rows.input_len, &taps[0]) },
            Region { input: horizontal, output: vertical, ..region(rows.output_len, &taps[1]) },
        ];
        scoped(device, || {
            let contents = spaced(regions.into_iter());
            let uniforms = constant(device, "srcnn.resample", &contents, wgpu::BufferUsages::UNIFORM);
            let both = wgpu::TextureUsages::TEXTURE_BINDING | wgpu::TextureUsages::STORAGE_BINDING;
            let map = |layout: PlaneLayout| {
                let format = wgpu::TextureFormat::Rgba32Float;
                view(&texture(device, "srcnn.resample", layout.size(), format, both))
            };
            let [across, result] = [map(horizontal), map(vertical)];
            let dispatch = |kernel: &Kernel,
                            taps: &Taps,
                            input: &wgpu::TextureView,
                            output: &wgpu::TextureView,
                            rows| {
                let [input, output] = [input, output].map(wgpu::BindingResource::TextureView);
                let region = element_binding::<Region>(&uniforms);
                let group = kernel.bind(device, &[region, taps.buffer.as_entire_binding(), input, output]);
                let grid = per_texel([columns.output_len as u32, rows as u32]);
                Dispatch::new(kernel, group, grid.map(|count| count as usize)).map(Dispatch::with_element)
            };
            let dispatches = [
                dispatch(&kernels.columns, &taps[0], source, &across, rows.input_len)?,
                dispatch(&kernels.rows, &taps[1], &across, &result, rows.output_len)?,
            ];
            Ok(Self { dispatches, result })
        })?
    }

    /// Records both axes.
    pub fn record(&self, pass: &mut wgpu::ComputePass<'_>) {
        self.dispatches.iter().enumerate().for_each(|(element, dispatch)| dispatch.record(pass, element));
    }
}
