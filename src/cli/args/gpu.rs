//! `--gpu` and `--backend`: which adapter to compute on.

use clap::{Args, ValueEnum};
use srcnn_gpu::headless::adapter::{self, AdapterSelection};
use srcnn_gpu::headless::{Gpu, Pipelines, cache_folder};
use srcnn_gpu::ranks::launcher::{Launched, launched};
use srcnn_gpu::wgpu::{Backends, DeviceType};
use srcnn_gpu::{Error, Precision, Result};

use crate::cli::args::checks;

/// Which adapter to use: part of every command that computes.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Computing")]
pub struct GpuArgs {
    /// Adapter to use: auto, its number in `srcnn-gpu devices`, or part of its name; cpu or -1 is a software one. With
    /// upscale, several (0,1) share the work
    #[arg(short, long, env = "SRCNN_GPU", value_name = "SPEC", allow_negative_numbers = true)]
    gpu: Option<String>,
    /// Graphics API: vulkan, metal, dx12 or gl, as far as this system has them [default: WGPU_BACKEND if set, else any]
    #[arg(long, value_enum, value_name = "API", hide_possible_values = true)]
    backend: Option<BackendName>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum BackendName {
    Vulkan,
    Metal,
    Dx12,
    Gl,
}

impl GpuArgs {
    /// One entry per adapter that is asked for, and so at least one. Only numbers make a list, because names may contain commas.
    fn requests(&self) -> Vec<Option<String>> {
        let spec = self.gpu.as_deref().map(str::trim).unwrap_or_default();
        let is_number = |word: &str| word.trim().parse::<i64>().is_ok();
        let words: Vec<&str> =
            if spec.split(',').all(is_number) { spec.split(',').collect() } else { vec![spec] };
        let request = |word: &str| Some(word.trim().to_owned()).filter(|word| !word.is_empty());
        words.into_iter().map(request).collect()
    }

    /// The number of adapters that are asked for.
    pub fn count(&self) -> usize {
        self.requests().len()
    }

    fn selection_of(&self, gpu: Option<String>) -> AdapterSelection {
        AdapterSelection {
            gpu,
            backends: self.backend.map(|name| match name {
                BackendName::Vulkan => Backends::VULKAN,
                BackendName::Metal => Backends::METAL,
                BackendName::Dx12 => Backends::DX12,
                BackendName::Gl => Backends::GL,
            }),
        }
    }

    /// The selection by flags and environment variables; the first one of several.
    pub fn selection(&self) -> AdapterSelection {
        self.selection_of(self.requests().swap_remove(0))
    }

    /// Opens the adapter and tests it; warns if it is a software one. Of several, each process of a launcher takes one, by its
    /// number on the machine.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] for several adapters without a launcher, and as [`GpuArgs::open_all`].
    pub fn open(&self) -> Result<Gpu> {
        let mut requests = self.requests();
        let index = match launched() {
            Some(Launched { local, .. }) => local % requests.len(),
            None if requests.len() == 1 => 0,
            None => return Err(Error::invalid("this command computes on one adapter; --gpu names several")),
        };
        self.open_one(requests.swap_remove(index))
    }

    /// Opens and tests all adapters that are asked for.
    ///
    /// # Errors
    /// As [`adapter::open`] and [`checks::self_test`].
    pub fn open_all(&self) -> Result<Vec<Gpu>> {
        self.requests().into_iter().map(|spec| self.open_one(spec)).collect()
    }

    fn open_one(&self, spec: Option<String>) -> Result<Gpu> {
        let mut selection = self.selection_of(spec);
        if let Some(Launched { local, .. }) = launched()
            && let Some(index) = adapter::for_process(&selection, local)
        {
            selection.gpu = Some(index.to_string());
        }
        let mut gpu = adapter::open(&selection)?;
        if let Some(folder) = cache_folder() {
            gpu.pipelines = Pipelines::in_folder(&gpu, &folder);
        }
        let name = adapter::describe(&gpu.info);
        match gpu.info.device_type {
            DeviceType::Cpu => log::warn!("no GPU in use: {name} computes on the processor, slowly"),
            _ => log::info!("using {name}"),
        }
        checks::self_test(&gpu, Precision::F32)?;
        Ok(gpu)
    }
}
