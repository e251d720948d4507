//! The dense arithmetic of the methods, on a device: features of patches, their nearest atoms, and ANR's residuals.

pub(super) mod block;
pub(crate) mod shaders;
mod table;

use bytemuck::cast_slice;

use super::{Dictionary, GRADIENTS, Method, anchored_regressions};
use crate::error::{Error, Result};
use crate::gpu::compile::{Binding, Compiler, Kernel};
use crate::gpu::dispatch::record;
use crate::gpu::memory::{buffer, staging, texture, upload, view};
use crate::gpu::readback::Readback;
use crate::gpu::scoped;
use block::Block;
use shaders::{LANES, PATCH_WORKGROUP, REGRESSION_WORKGROUP, Sizes, TILE};
use table::Table;

const WHAT: &str = "a block of patches";

/// Patches of a block at most, on each axis and in all. What they read fits the smallest textures that devices must have.
pub(super) const BLOCK_SIDE: usize = 128;
pub(super) const BLOCK_PATCHES: usize = 8192;

/// The kernels for one dictionary, with textures and buffers for one block of patches.
#[derive(Debug)]
pub(crate) struct PatchKernels {
    device: wgpu::Device,
    queue: wgpu::Queue,
    sizes: Sizes,
    /// The largest part of a picture that a block reads, on each axis.
    side: usize,
    block: wgpu::Buffer,
    picture: wgpu::Texture,
    /// Each with its bind group, in the order in which they run.
    gradients: (Kernel, wgpu::BindGroup),
    features: (Kernel, wgpu::BindGroup),
    nearest: Option<(Kernel, wgpu::BindGroup)>,
    regression: Option<(Kernel, wgpu::BindGroup)>,
    results: Results<wgpu::Buffer>,
    staging: wgpu::Buffer,
}

/// What the kernels make of patches.
#[derive(Debug, Clone, Default)]
pub(crate) struct Results<T> {
    /// `[patch][stride]`, see [`PatchKernels::stride`].
    pub features: T,
    /// `[patch][nearest]`, if the method looks any up.
    pub nearest: T,
    /// `[patch][pixel]`, with ANR.
    pub residuals: T,
}

impl PatchKernels {
    /// Compiles the kernels and uploads the dictionary.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] for a dictionary whose neighborhoods cannot be inverted, [`Error::MissingCapability`] when its
    /// tables are larger than the device's textures, and what the device reports.
    pub fn new(compiler: Compiler<'_>, queue: &wgpu::Queue, dictionary: &Dictionary) -> Result<Self> {
        let device = compiler.device;
        let sizes = Sizes::of(dictionary);
        let pixels = sizes.patch * sizes.patch;
        let projection = Table::new("projection", dictionary.projection(), GRADIENTS * pixels);
        let atoms = Table::new("atoms", &dictionary.low().transpose(), sizes.features());
        let matrices = match *dictionary.method() {
            Method::Anr { neighbors, ridge } => {
                let all = anchored_regressions(dictionary.low(), dictionary.high(), neighbors, ridge)?;
                Some(Table::of_each("matrices", &all, sizes.features()))
            }
            _ => None,
        };
        [&projection, &atoms].into_iter().chain(&matrices).try_for_each(|table| table.check(device))?;
        use Binding::{Read, Target, Texture, Uniform, Write};
        let format = wgpu::TextureFormat::Rgba32Float;
        let gradients = Kernel::new(compiler, &sizes.gradients(), &[Uniform, Texture, Target(format)])?;
        let features = Kernel::new(compiler, &sizes.projection(), &[Uniform, Texture, Texture, Write])?;
        let nearest = (sizes.nearest > 0)
            .then(|| Kernel::new(compiler, &sizes.nearest(), &[Uniform, Read, Texture, Write]))
            .transpose()?;
        let regression = matrices
            .is_some()
            .then(|| Kernel::new(compiler, &sizes.regression(), &[Uniform, Read, Read, Texture, Write]))
            .transpose()?;
        let side = BLOCK_SIDE * sizes.step + sizes.patch + 2 * sizes.reach;
        scoped(device, || {
            use wgpu::{BufferUsages as Use, TextureUsages as Usage};
            let square = [side as u32, side as u32];
            let picture = wgpu::TextureFormat::R32Float;
            let picture = texture(
                device,
                "srcnn.patches.picture",
                square,
                picture,
                Usage::TEXTURE_BINDING | Usage::COPY_DST,
            );
            let usage = Usage::TEXTURE_BINDING | Usage::STORAGE_BINDING;
            let gradient = view(&texture(device, "srcnn.patches.gradients", square, format, usage));
            let [projection, atoms] = [projection, atoms].map(|table| table.upload(device, queue));
            let matrices = matrices.map(|table| table.upload(device, queue));
            let block = buffer(
                device,
                "srcnn.patches.block",
                size_of::<Block>() as u64,
                Use::UNIFORM | Use::COPY_DST,
            );
            let each = |values: usize| (values.max(1) * size_of::<f32>()) as u64;
            let result = |label: &str, values: usize| {
                buffer(device, label, each(BLOCK_PATCHES * values), Use::STORAGE | Use::COPY_SRC)
            };
            let residuals = if matrices.is_some() { pixels } else { 0 };
            let results = Results {
                features: result("srcnn.patches.features", sizes.features()),
                nearest: result("srcnn.patches.nearest", sizes.nearest),
                residuals: result("srcnn.patches.residuals", residuals),
            };
            let most = sizes.features() + sizes.nearest + residuals;
            let staging = staging(device, "srcnn.patches.staging", each(BLOCK_PATCHES * most));
            let texture = |view| wgpu::BindingResource::TextureView(view);
            let all = |buffer: &'_ wgpu::Buffer| buffer.clone();
            let [blocks, found, near, made] =
                [&block, &results.features, &results.nearest, &results.residuals].map(all);
            let whole = wgpu::Buffer::as_entire_binding;
            let bound = |kernel: Kernel, resources: &[wgpu::BindingResource<'_>]| {
                let group = kernel.bind(device, resources);
                (kernel, group)
            };
            let plane = view(&picture);
            Self {
                device: device.clone(),
                queue: queue.clone(),
                sizes,
                side,
                gradients: bound(gradients, &[whole(&blocks), texture(&plane), texture(&gradient)]),
                features: bound(
                    features,
                    &[whole(&blocks), texture(&gradient), texture(&projection), whole(&found)],
                ),
                nearest: nearest.map(|kernel| {
                    bound(kernel, &[whole(&blocks), whole(&found), texture(&atoms), whole(&near)])
                }),
                regression: regression.zip(matrices.as_ref()).map(|(kernel, matrices)| {
                    let [block, found, near, made] = [&blocks, &found, &near, &made].map(whole);
                    bound(kernel, &[block, found, near, texture(matrices), made])
                }),
                block,
                picture,
                results,
                staging,
            }
        })
    }

    /// Features of a patch in [`Results`]: those of the dictionary, filled up with zeros.
    pub fn stride(&self) -> usize {
        self.sizes.features()
    }

    /// Computes a block. `part` has the pixels that it reads, row by row. Only what the host needs comes back, the residuals
    /// with ANR and else features and nearest atoms, unless it wants `all`.
    ///
    /// # Errors
    /// What the device reports.
    pub fn run(&self, block: &Block, part: &[f32], all: bool) -> Result<Results<Vec<u8>>> {
        let patches = block.patches();
        let size = [block.width, block.height];
        if patches > BLOCK_PATCHES || size.iter().any(|&length| length as usize > self.side) {
            return Err(Error::invalid(format!(
                "a block of {patches} patches in {size:?} pixels is too large"
            )));
        }
        let anr = self.regression.is_some();
        let values = |wanted: bool, count: usize| if wanted || all { count } else { 0 };
        let counts = [
            (&self.results.features, values(!anr, self.stride())),
            (&self.results.nearest, values(!anr, self.sizes.nearest)),
            (&self.results.residuals, if anr { self.sizes.patch * self.sizes.patch } else { 0 }),
        ];
        let length = |values: usize| (patches * values * size_of::<f32>()) as u64;
        let bytes: u64 = counts.iter().map(|(_, values)| length(*values)).sum();
        scoped(&self.device, || {
            self.queue.write_buffer(&self.block, 0, bytemuck::bytes_of(block));
            upload(&self.queue, &self.picture, size, cast_slice(part));
        })?;
        let readback = Readback::submit(&self.device, &self.queue, WHAT, &self.staging, bytes, |encoder| {
            self.record(encoder, block);
            let mut offset = 0;
            for (buffer, values) in counts.iter().filter(|(_, values)| *values > 0) {
                encoder.copy_buffer_to_buffer(buffer, 0, &self.staging, offset, length(*values));
                offset += length(*values);
            }
        })?;
        readback.finish(&self.device, |mut bytes| {
            let [features, nearest, residuals] = counts.map(|(_, values)| {
                let (own, rest) = bytes.split_at(length(values) as usize);
                bytes = rest;
                own.to_vec()
            });
            Ok(Results { features, nearest, residuals })
        })
    }

    fn record(&self, encoder: &mut wgpu::CommandEncoder, block: &Block) {
        let descriptor = wgpu::ComputePassDescriptor { label: Some(WHAT), timestamp_writes: None };
        let mut pass = encoder.begin_compute_pass(&descriptor);
        let groups = |count: usize, workgroup: u32| count.div_ceil(workgroup as usize) as u32;
        let patches = block.patches();
        let tiles = groups(patches.div_ceil(TILE), PATCH_WORKGROUP);
        let features = self.sizes.features().div_ceil(TILE) as u32;
        let pixels = (self.sizes.patch * self.sizes.patch).div_ceil(LANES);
        let mut step =
            |(kernel, group): &(Kernel, wgpu::BindGroup), grid| record(&mut pass, kernel, group, None, grid);
        let [x, y] = crate::gpu::kernels::PIXEL_WORKGROUP;
        step(&self.gradients, [block.width.div_ceil(x), block.height.div_ceil(y), 1]);
        step(&self.features, [tiles, features, 1]);
        if let Some(nearest) = &self.nearest {
            step(nearest, [self.sizes.nearest_workgroups(patches), 1, 1]);
        }
        if let Some(regression) = &self.regression {
            let [x, y] = REGRESSION_WORKGROUP;
            step(regression, [groups(pixels, x), groups(patches, y), 1]);
        }
    }
}
