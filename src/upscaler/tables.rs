//! The tables for one picture size on the device: resampling taps and valid-pixel normalization maps.

use super::network::GpuNetwork;
use crate::error::Result;
use crate::gpu::memory::constant;
use crate::gpu::scoped;
use crate::network::{Padding, valid_factors};
use crate::resample::ResampleTable;

/// The tables that all tiles of a picture share.
#[derive(Debug)]
pub(super) struct PictureTables {
    /// For columns and for rows.
    pub taps: [Taps; 2],
    /// One per layer: factors of the columns, then of the rows.
    pub valid_maps: Vec<wgpu::Buffer>,
}

impl PictureTables {
    /// From the resampling tables of columns and rows that the network was prepared for.
    ///
    /// # Errors
    /// What the device reports.
    pub fn new(
        device: &wgpu::Device,
        network: &GpuNetwork,
        [columns, rows]: &[ResampleTable; 2],
    ) -> Result<Self> {
        let normalized = network.padding() == Padding::Normalized;
        let map = |size: usize| {
            let factors: Vec<f32> = if normalized {
                valid_factors(columns.output_len, size).chain(valid_factors(rows.output_len, size)).collect()
            } else {
                vec![1.0; 4]
            };
            storage(device, "srcnn.valid_map", bytemuck::cast_slice(&factors))
        };
        let sizes = network.outline.architecture.layers().iter().map(|layer| layer.size);
        Ok(Self {
            taps: [Taps::new(device, columns)?, Taps::new(device, rows)?],
            valid_maps: scoped(device, || sizes.map(map).collect())?,
        })
    }

    /// Bytes on the device.
    pub fn bytes(&self) -> u64 {
        let taps = self.taps.iter().map(|taps| &taps.buffer);
        taps.chain(&self.valid_maps).map(wgpu::Buffer::size).sum()
    }
}

/// The taps of one axis.
#[derive(Debug)]
pub(super) struct Taps {
    /// Taps per output sample.
    pub count: u32,
    pub buffer: wgpu::Buffer,
}

impl Taps {
    /// # Errors
    /// What the device reports.
    pub fn new(device: &wgpu::Device, table: &ResampleTable) -> Result<Self> {
        let taps = table.indices.iter().zip(&table.weights);
        let taps: Vec<[u32; 2]> = taps.map(|(&index, &weight)| [index, (weight as f32).to_bits()]).collect();
        let buffer = scoped(device, || storage(device, "srcnn.taps", bytemuck::cast_slice(&taps)))?;
        Ok(Self { count: table.taps as u32, buffer })
    }
}

fn storage(device: &wgpu::Device, label: &str, contents: &[u8]) -> wgpu::Buffer {
    constant(device, label, contents, wgpu::BufferUsages::STORAGE)
}
