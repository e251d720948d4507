//! `srcnn-gpu devices`: lists the adapters and tests whether they compute correctly.

use clap::Args;
use serde::Serialize;
use srcnn_gpu::gpu::kernels::ConvShape;
use srcnn_gpu::headless::{Gpu, adapter, autotune, cache_folder, self_test};
use srcnn_gpu::wgpu::Adapter;
use srcnn_gpu::{Error, Precision, Result, Shipped};

use crate::cli::args::gpu::GpuArgs;
use crate::cli::output::print;
use srcnn_gpu::picture::bytes;

/// List the adapters (GPUs and software ones) and test whether each computes correctly
#[derive(Debug, Args)]
#[command(after_help = "Example: srcnn-gpu devices\n\nThe numbers in the list are those that --gpu takes.")]
pub struct DevicesArgs {
    /// Print a JSON array
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    gpu: GpuArgs,
}

/// An adapter as it is printed. Limits are bytes, pixels and counts.
#[derive(Debug, Serialize)]
struct Device {
    index: usize,
    name: String,
    #[serde(rename = "type")]
    device_type: &'static str,
    backend: &'static str,
    driver: String,
    /// On Direct3D, which of its two compilers compiles the kernels.
    #[serde(skip_serializing_if = "Option::is_none")]
    compiler: Option<&'static str>,
    /// Whether `--gpu auto` may choose it.
    usable: bool,
    /// Whether it supports `--precision f16`.
    half_precision: bool,
    limits: Limits,
    self_test: String,
    /// Kernel shapes found by measurement for the networks that come with the program.
    kernels: Vec<Kernels>,
}

/// The fastest kernel shape for a network.
#[derive(Debug, Serialize)]
struct Kernels {
    network: String,
    precision: String,
    shape: ConvShape,
}

#[derive(Debug, Serialize)]
struct Limits {
    storage_binding: u64,
    buffer: u64,
    texture: u32,
    workgroups: u32,
    storage_buffers: u32,
}

/// Lists all adapters, or the one that `--gpu` asks for.
pub fn run(args: &DevicesArgs) -> Result<()> {
    let selection = args.gpu.selection();
    let found = match &selection.gpu {
        Some(_) => vec![adapter::find(&selection)?],
        None => adapter::list(&selection).into_iter().enumerate().collect(),
    };
    if found.is_empty() {
        // The error says what to install.
        adapter::find(&selection)?;
    }
    let devices: Vec<Device> = found.iter().map(|(index, adapter)| examine(*index, adapter)).collect();
    if args.json {
        let text = serde_json::to_string_pretty(&devices)
            .map_err(|e| Error::invalid(format!("devices as JSON: {e}")))?;
        return print(text);
    }
    devices.iter().try_for_each(|device| print(describe(device)))
}

/// Reads an adapter's properties and runs the self test on it.
fn examine(index: usize, adapter: &Adapter) -> Device {
    let info = adapter.get_info();
    let limits = adapter.limits();
    let compiler = adapter::direct3d_compiler(adapter);
    let precisions = [Precision::F32, Precision::F16].into_iter();
    let mut precisions = precisions.filter(|p| adapter.features().contains(p.required_features()));
    let half_precision = precisions.clone().any(|precision| precision == Precision::F16);
    let mut kernels = Vec::new();
    let tested = adapter::open_adapter(adapter).and_then(|gpu| {
        kernels = tuned(&gpu)?;
        precisions.try_for_each(|precision| self_test(&gpu, precision))
    });
    Device {
        index,
        name: info.name,
        device_type: adapter::type_name(info.device_type),
        backend: info.backend.to_str(),
        driver: [info.driver, info.driver_info].join(" ").trim().to_owned(),
        compiler,
        usable: adapter::lacks(adapter).is_none(),
        half_precision,
        limits: Limits {
            storage_binding: limits.max_storage_buffer_binding_size,
            buffer: limits.max_buffer_size,
            texture: limits.max_texture_dimension_2d,
            workgroups: limits.max_compute_workgroups_per_dimension,
            storage_buffers: limits.max_storage_buffers_per_shader_stage,
        },
        self_test: match tested {
            Ok(()) => "ok".into(),
            Err(Error::SelfTest(why)) => format!("failed: {why}"),
            Err(error) => format!("failed: {error}"),
        },
        kernels,
    }
}

fn tuned(gpu: &Gpu) -> Result<Vec<Kernels>> {
    let Some(folder) = cache_folder() else { return Ok(Vec::new()) };
    let mut all = Vec::new();
    for shipped in [Shipped::Small, Shipped::Large] {
        let weights = shipped.nearest(3.0)?;
        let network = weights.architecture();
        for precision in [Precision::F32, Precision::F16] {
            let stored = autotune::stored(gpu, network, precision, &folder);
            all.extend(stored.map(|tuned| Kernels {
                network: network.to_string(),
                precision: precision.to_string(),
                shape: tuned.best,
            }));
        }
    }
    Ok(all)
}

fn describe(device: &Device) -> String {
    let Device { index, name, device_type, backend, driver, half_precision, limits, self_test, .. } = device;
    let compiler = match device.compiler {
        Some("FXC") => {
            ", compiler: FXC (dxcompiler.dll beside the program makes kernels faster, and their start)"
        }
        Some(_) => ", compiler: DXC",
        None => "",
    };
    let precisions = if *half_precision { "f32, f16" } else { "f32" };
    let kernels: String = device
        .kernels
        .iter()
        .map(|Kernels { network, precision, shape }| {
            format!("\n   kernels for {network} in {precision}: {shape}, by measurement")
        })
        .collect();
    format!(
        "{index}: {name}\n   {device_type}, {backend}, driver: {driver}{compiler}\n   \
         storage binding {}, buffer {}, texture {}, workgroups {}, precision {precisions}\n   self test: {self_test}{kernels}",
        bytes(limits.storage_binding.into()),
        bytes(limits.buffer.into()),
        limits.texture,
        limits.workgroups,
    )
}
