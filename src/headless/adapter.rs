//! Finding the adapter to compute on and opening a device on it.

use wgpu::{Adapter, AdapterInfo, Backend, Backends, DeviceType, Features, Limits, PowerPreference};

use super::{Gpu, Pipelines};
use crate::error::{Error, Reason, Result};
use crate::gpu::adapter::uses_fxc;
pub use crate::gpu::faults::Faults;

/// Number of storage buffers that one shader stage may bind; adapters with fewer cannot run the network.
const STORAGE_BUFFERS: u32 = 4;

/// Which adapter to use. The default takes wgpu's environment variables, then the first usable adapter of [`list`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AdapterSelection {
    /// `auto`, an index in [`list`], a part of the adapter's name in any case, or its type as in [`type_name`], of which `cpu`
    /// and `-1` are `software`. `None` means `WGPU_ADAPTER_NAME` if set, else `auto`.
    pub gpu: Option<String>,
    /// Backends to look at. `None` means `WGPU_BACKEND` if set, else all.
    pub backends: Option<Backends>,
}

impl AdapterSelection {
    fn backends(&self) -> Backends {
        self.backends.or_else(Backends::from_env).unwrap_or(Backends::all())
    }

    /// The adapter asked for; `None` for `auto` and for an empty string.
    fn wish(&self) -> Option<String> {
        let word = self.gpu.clone().or_else(|| std::env::var("WGPU_ADAPTER_NAME").ok())?;
        let word = match word.trim() {
            "-1" | "cpu" => "software",
            word => word,
        };
        (!word.is_empty() && !word.eq_ignore_ascii_case("auto")).then(|| word.to_owned())
    }
}

/// All adapters of the selected backends; `gpu` is ignored. The order is discrete, integrated, virtual, other,
/// software, and within a type OpenGL comes last. An adapter's index is its position here.
pub fn list(selection: &AdapterSelection) -> Vec<Adapter> {
    let backends = selection.backends();
    // `Instance::new` panics in a build without any backend.
    if (wgpu::Instance::enabled_backend_features() & backends).is_empty() {
        return Vec::new();
    }
    let instance = wgpu::Instance::new(wgpu::InstanceDescriptor {
        backends,
        flags: wgpu::InstanceFlags::from_env_or_default(),
        backend_options: wgpu::BackendOptions::from_env_or_default(),
        ..wgpu::InstanceDescriptor::new_without_display_handle()
    });
    let mut adapters = pollster::block_on(instance.enumerate_adapters(backends));
    adapters.sort_by_key(|adapter| rank(&adapter.get_info()));
    adapters
}

/// Position in the order of [`list`], lowest first.
fn rank(info: &AdapterInfo) -> (u8, u8) {
    let device = match info.device_type {
        DeviceType::DiscreteGpu => 0,
        DeviceType::IntegratedGpu => 1,
        DeviceType::VirtualGpu => 2,
        DeviceType::Other => 3,
        DeviceType::Cpu => 4,
    };
    (device, u8::from(info.backend == Backend::Gl))
}

/// What the adapter lacks to run a network; `None` if nothing. `auto` skips adapters that lack something.
pub fn lacks(adapter: &Adapter) -> Option<String> {
    let buffers = adapter.limits().max_storage_buffers_per_shader_stage;
    if !adapter.get_downlevel_capabilities().flags.contains(wgpu::DownlevelFlags::COMPUTE_SHADERS) {
        Some("compute shaders".into())
    } else if buffers < STORAGE_BUFFERS {
        Some(format!("{STORAGE_BUFFERS} storage buffers per shader (it has {buffers})"))
    } else {
        None
    }
}

/// A device type in one word.
pub fn type_name(device_type: DeviceType) -> &'static str {
    match device_type {
        DeviceType::DiscreteGpu => "discrete",
        DeviceType::IntegratedGpu => "integrated",
        DeviceType::VirtualGpu => "virtual",
        DeviceType::Other => "other",
        DeviceType::Cpu => "software",
    }
}

/// On Direct3D 12, the compiler of the kernels: `DXC`, or `FXC`, which is slower by far and takes over where
/// dxcompiler.dll is not found. `None` for other backends.
pub fn direct3d_compiler(adapter: &Adapter) -> Option<&'static str> {
    let info = adapter.get_info();
    (info.backend == Backend::Dx12).then(|| if uses_fxc(&info, adapter.features()) { "FXC" } else { "DXC" })
}

/// A short description of an adapter: `NVIDIA H100 (discrete, vulkan)`.
pub fn describe(info: &AdapterInfo) -> String {
    format!("{} ({}, {})", info.name, type_name(info.device_type), info.backend)
}

/// Optional features that the library uses, those that the adapter has: timestamps, subgroups (software adapters load
/// weights faster with them), 16-bit floats in shaders, and caches of compiled kernels.
pub fn wanted_features(adapter: &Adapter) -> Features {
    let timestamps = Features::TIMESTAMP_QUERY | Features::TIMESTAMP_QUERY_INSIDE_ENCODERS;
    adapter.features() & (timestamps | Features::SUBGROUP | Features::SHADER_F16 | Features::PIPELINE_CACHE)
}

/// Limits to open a device with: the adapter's own where higher ones allow larger tiles, WebGPU's modest downlevel
/// defaults everywhere else.
pub fn wanted_limits(adapter: &Adapter) -> Limits {
    let own = adapter.limits();
    Limits {
        max_texture_dimension_2d: own.max_texture_dimension_2d,
        max_storage_buffers_per_shader_stage: own.max_storage_buffers_per_shader_stage,
        max_storage_textures_per_shader_stage: own.max_storage_textures_per_shader_stage,
        max_uniform_buffer_binding_size: own.max_uniform_buffer_binding_size,
        max_storage_buffer_binding_size: own.max_storage_buffer_binding_size,
        max_buffer_size: own.max_buffer_size,
        min_uniform_buffer_offset_alignment: own.min_uniform_buffer_offset_alignment,
        min_storage_buffer_offset_alignment: own.min_storage_buffer_offset_alignment,
        max_compute_workgroup_storage_size: own.max_compute_workgroup_storage_size,
        max_compute_invocations_per_workgroup: own.max_compute_invocations_per_workgroup,
        max_compute_workgroup_size_x: own.max_compute_workgroup_size_x,
        max_compute_workgroup_size_y: own.max_compute_workgroup_size_y,
        max_compute_workgroup_size_z: own.max_compute_workgroup_size_z,
        max_compute_workgroups_per_dimension: own.max_compute_workgroups_per_dimension,
        ..Limits::downlevel_defaults().or_worse_values_from(&own)
    }
}

/// Opens a device on the selected adapter.
///
/// # Errors
/// [`Error::NoAdapter`] when none matches, with a list of adapters or what to install; [`Error::MissingCapability`]
/// when the selected one cannot run a network; [`Error::Gpu`] when the driver refuses the device.
pub fn open(selection: &AdapterSelection) -> Result<Gpu> {
    open_adapter(&find(selection)?.1)
}

/// The selected adapter and its index in [`list`].
///
/// # Errors
/// Those of [`open`], except for the device itself.
pub fn find(selection: &AdapterSelection) -> Result<(usize, Adapter)> {
    let mut adapters = list(selection);
    let candidates: Vec<_> = adapters.iter().map(|a| (a.get_info(), lacks(a))).collect();
    let low_power = PowerPreference::from_env() == Some(PowerPreference::LowPower);
    let index = choose(&candidates, selection.wish().as_deref(), low_power)?;
    Ok((index, adapters.swap_remove(index)))
}

/// Opens a device on an adapter from [`list`].
///
/// # Errors
/// [`Error::MissingCapability`] when [`lacks`] finds something; [`Error::Gpu`] when the driver refuses.
pub fn open_adapter(adapter: &Adapter) -> Result<Gpu> {
    let info = adapter.get_info();
    if let Some(what) = lacks(adapter) {
        return Err(Error::MissingCapability(format!("{what}: {}", describe(&info))));
    }
    let (device, queue) = pollster::block_on(adapter.request_device(&wgpu::DeviceDescriptor {
        label: Some("srcnn-gpu"),
        required_features: wanted_features(adapter),
        required_limits: wanted_limits(adapter),
        memory_hints: wgpu::MemoryHints::MemoryUsage,
        ..Default::default()
    }))
    .map_err(|e| {
        Error::Gpu(Reason::of(e).within(format_args!("{} refuses to open a device", describe(&info))))
    })?;
    let faults = Faults::watch(&device);
    Ok(Gpu { device, queue, info, faults, pipelines: Pipelines::default() })
}

/// The adapter for one of several processes on a machine, by its number `local` among them, as an index in [`list`]: they
/// go round the GPUs of the kind that `auto` takes. `None` where the selection names an adapter, or there is no GPU.
pub fn for_process(selection: &AdapterSelection, local: usize) -> Option<usize> {
    if selection.wish().is_some() {
        return None;
    }
    let candidates: Vec<_> = list(selection).iter().map(|a| (a.get_info(), lacks(a))).collect();
    spread(&candidates, local)
}

fn spread(candidates: &[(AdapterInfo, Option<String>)], local: usize) -> Option<usize> {
    let is_gpu = |(info, lacks): &(AdapterInfo, Option<String>)| {
        lacks.is_none() && info.device_type != DeviceType::Cpu
    };
    // The same GPU is listed once for each backend.
    let first = candidates.iter().find(|candidate| is_gpu(candidate)).map(|(info, _)| kind(info))?;
    let alike: Vec<usize> = (0..candidates.len())
        .filter(|&i| is_gpu(&candidates[i]) && kind(&candidates[i].0) == first)
        .collect();
    alike.get(local % alike.len()).copied()
}

/// What adapters of a kind share.
fn kind(info: &AdapterInfo) -> (DeviceType, Backend) {
    (info.device_type, info.backend)
}

/// Index of the adapter to use; each candidate comes with what it lacks.
fn choose(
    candidates: &[(AdapterInfo, Option<String>)],
    wish: Option<&str>,
    low_power: bool,
) -> Result<usize> {
    if candidates.is_empty() {
        return Err(Error::NoAdapter(format!("no GPU adapter found; {}", install())));
    }
    let usable = |index: &usize| candidates[*index].1.is_none();
    let Some(wish) = wish else {
        let preferred = |index: &usize| candidates[*index].0.device_type == DeviceType::IntegratedGpu;
        let mut indices = (0..candidates.len()).filter(usable);
        let integrated = indices.clone().find(|i| low_power && preferred(i));
        return integrated.or_else(|| indices.next()).ok_or_else(|| {
            Error::NoAdapter(format!(
                "no adapter can run a network; {}; {}",
                inventory(candidates),
                install()
            ))
        });
    };
    let name = wish.to_lowercase();
    let is_meant =
        |info: &AdapterInfo| info.name.to_lowercase().contains(&name) || type_name(info.device_type) == name;
    let named: Vec<usize> = (0..candidates.len()).filter(|&i| is_meant(&candidates[i].0)).collect();
    let index = match wish.parse::<usize>() {
        Ok(index) => Some(index).filter(|&i| i < candidates.len()),
        Err(_) => named.iter().copied().find(usable).or(named.first().copied()),
    };
    index.ok_or_else(|| Error::NoAdapter(format!("no adapter matches '{wish}'; {}", inventory(candidates))))
}

/// All adapters, on one line.
fn inventory(candidates: &[(AdapterInfo, Option<String>)]) -> String {
    let names: Vec<_> = candidates
        .iter()
        .enumerate()
        .map(|(index, (info, lacks))| match lacks {
            Some(what) => format!("{index} = {} without {what}", describe(info)),
            None => format!("{index} = {}", describe(info)),
        })
        .collect();
    format!("available: {}", names.join(", "))
}

/// What to install on this system to get an adapter.
fn install() -> &'static str {
    if cfg!(target_os = "windows") {
        "install the GPU vendor's graphics driver (DirectX 12 or Vulkan)"
    } else if cfg!(target_os = "macos") {
        "Metal needs macOS 10.15 or later on a Mac with a Metal GPU; in a virtual machine, turn on GPU acceleration"
    } else {
        "install the GPU's Vulkan driver, or Mesa's software adapters: \
         Debian and Ubuntu: apt install mesa-vulkan-drivers (Vulkan) or libegl1 libgl1-mesa-dri (OpenGL); \
         Fedora: dnf install mesa-vulkan-drivers or mesa-libEGL mesa-dri-drivers; \
         Arch: pacman -S vulkan-swrast or mesa; and check WGPU_BACKEND and which backends were selected"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidate(name: &str, device: DeviceType, backend: Backend) -> (AdapterInfo, Option<String>) {
        let info = AdapterInfo { name: name.into(), ..AdapterInfo::new(device, backend) };
        (info, None)
    }

    fn machine() -> Vec<(AdapterInfo, Option<String>)> {
        let mut all = vec![
            candidate("llvmpipe", DeviceType::Cpu, Backend::Gl),
            candidate("Iris Xe", DeviceType::IntegratedGpu, Backend::Vulkan),
            candidate("llvmpipe", DeviceType::Cpu, Backend::Vulkan),
            candidate("GeForce", DeviceType::DiscreteGpu, Backend::Gl),
            candidate("GeForce", DeviceType::DiscreteGpu, Backend::Dx12),
        ];
        all.sort_by_key(|(info, _)| rank(info));
        all
    }

    #[test]
    fn order_is_discrete_first_and_gl_last_within_a_type() {
        let order: Vec<_> = machine().iter().map(|(i, _)| (i.name.clone(), i.backend)).collect();
        assert_eq!(order[0], ("GeForce".into(), Backend::Dx12));
        assert_eq!(order[1], ("GeForce".into(), Backend::Gl));
        assert_eq!(order[2], ("Iris Xe".into(), Backend::Vulkan));
        assert_eq!(order[3], ("llvmpipe".into(), Backend::Vulkan));
        assert_eq!(order[4], ("llvmpipe".into(), Backend::Gl));
    }

    #[test]
    fn chooses_by_index_name_and_power() {
        let mut all = machine();
        assert_eq!(choose(&all, None, false).unwrap(), 0);
        assert_eq!(choose(&all, None, true).unwrap(), 2);
        assert_eq!(choose(&all, Some("4"), false).unwrap(), 4);
        assert_eq!(choose(&all, Some("IRIS"), false).unwrap(), 2);
        all[0].1 = Some("compute shaders".into());
        assert_eq!(choose(&all, None, false).unwrap(), 1);
        assert_eq!(choose(&all, Some("geforce"), false).unwrap(), 1);
    }

    #[test]
    fn processes_go_round_the_gpus() {
        let mut all = machine();
        assert_eq!(spread(&all, 1), Some(0));
        let second = candidate("GeForce", DeviceType::DiscreteGpu, Backend::Dx12);
        all.push(second);
        let chosen: Vec<_> = (0..4).filter_map(|local| spread(&all, local)).collect();
        assert_eq!(chosen, [0, all.len() - 1, 0, all.len() - 1]);
        assert_eq!(spread(&machine()[3..], 1), None, "software adapters");
    }

    #[test]
    fn errors_list_adapters_or_say_what_to_install() {
        let error = choose(&machine(), Some("Radeon"), false).unwrap_err().to_string();
        assert!(error.contains("'Radeon'") && error.contains("2 = Iris Xe (integrated, vulkan)"), "{error}");
        assert!(choose(&machine(), Some("5"), false).unwrap_err().to_string().contains("'5'"));
        let error = choose(&[], None, false).unwrap_err();
        assert!(matches!(&error, Error::NoAdapter(text) if text.contains("install")), "{error}");
        let blunt = [(machine().remove(0).0, Some("compute shaders".into()))];
        let error = choose(&blunt, None, false).unwrap_err().to_string();
        assert!(error.contains("GeForce (discrete, dx12) without compute shaders"), "{error}");
    }
}
