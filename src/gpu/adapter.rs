//! What kind of adapter a device is on, for kernels and measurements to choose by.

use wgpu::{AdapterInfo, Backend, DeviceType, Features};

/// What computes on the processor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Software {
    /// Mesa's llvmpipe, under OpenGL or Vulkan (lavapipe).
    Llvmpipe,
    /// Google's SwiftShader.
    SwiftShader,
    /// Microsoft's WARP, the Basic Render Driver of Direct3D.
    Warp,
    /// Any other one.
    Other,
}

impl Software {
    /// Names by which adapters tell what they are, in lower case. Some drivers of OpenGL do not say that they are software.
    const NAMES: [(&str, Self); 5] = [
        ("llvmpipe", Self::Llvmpipe),
        ("swiftshader", Self::SwiftShader),
        ("microsoft basic render", Self::Warp),
        ("warp", Self::Warp),
        ("softpipe", Self::Other),
    ];

    fn of(info: &AdapterInfo) -> Option<Self> {
        let name = info.name.to_lowercase();
        let known = Self::NAMES.into_iter().find(|(known, _)| name.starts_with(known));
        match known {
            Some((_, software)) => Some(software),
            None => (info.device_type == DeviceType::Cpu).then_some(Self::Other),
        }
    }
}

/// The kind of an adapter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct AdapterKind {
    /// What computes on the processor, if that does: invocations are then lanes of a vector, and memory is cached like any
    /// other.
    pub software: Option<Software>,
    /// Lanes per subgroup, if all subgroups have the same size and the device was opened with [`Features::SUBGROUP`].
    pub subgroup_lanes: Option<u32>,
    /// Whether kernels are compiled by FXC, the old compiler of Direct3D, which takes seconds where DXC takes a tenth.
    pub fxc: bool,
}

impl AdapterKind {
    /// The kind of the adapter on which a device was opened.
    pub fn of(device: &wgpu::Device) -> Self {
        Self::new(&device.adapter_info(), device.features())
    }

    /// For a device with these features on an adapter.
    fn new(info: &AdapterInfo, features: Features) -> Self {
        let lanes = info.subgroup_min_size;
        let fixed = lanes == info.subgroup_max_size && features.contains(Features::SUBGROUP);
        Self {
            software: Software::of(info),
            subgroup_lanes: fixed.then_some(lanes),
            fxc: uses_fxc(info, features),
        }
    }

    /// Whether `conv_winograd.wgsl` pays: it does on llvmpipe and not on SwiftShader (benches/README.md), and FXC needs a minute
    /// for it.
    pub fn favors_winograd(&self) -> bool {
        self.software == Some(Software::Llvmpipe)
    }
}

/// Whether FXC compiles the kernels of a device with these features, or of an adapter that has them: subgroups need DXC.
pub(crate) fn uses_fxc(info: &AdapterInfo, features: Features) -> bool {
    info.backend == Backend::Dx12 && !features.contains(Features::SUBGROUP)
}

/// Whether an adapter computes on the processor.
#[cfg(feature = "headless")]
pub(crate) fn is_software(info: &AdapterInfo) -> bool {
    Software::of(info).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(name: &str, device_type: DeviceType, backend: Backend, features: Features) -> AdapterKind {
        AdapterKind::new(
            &AdapterInfo { name: name.into(), ..AdapterInfo::new(device_type, backend) },
            features,
        )
    }

    #[test]
    fn software_is_told_apart() {
        let (cpu, other) = (DeviceType::Cpu, DeviceType::Other);
        for (name, device_type, backend, software) in [
            ("llvmpipe (LLVM 15.0.6, 256 bits)", cpu, Backend::Vulkan, Some(Software::Llvmpipe)),
            ("llvmpipe (LLVM 15.0.6, 256 bits)", other, Backend::Gl, Some(Software::Llvmpipe)),
            ("SwiftShader Device (LLVM 10.0.0)", cpu, Backend::Vulkan, Some(Software::SwiftShader)),
            ("Microsoft Basic Render Driver", cpu, Backend::Dx12, Some(Software::Warp)),
            ("Microsoft Basic Render Driver", other, Backend::Dx12, Some(Software::Warp)),
            ("softpipe", other, Backend::Gl, Some(Software::Other)),
            ("A processor", cpu, Backend::Vulkan, Some(Software::Other)),
            ("AMD Radeon RX 6800", DeviceType::DiscreteGpu, Backend::Vulkan, None),
        ] {
            let kind = kind(name, device_type, backend, Features::empty());
            assert_eq!(kind.software, software, "{name}");
            assert_eq!(kind.favors_winograd(), software == Some(Software::Llvmpipe), "{name}");
        }
    }

    /// DXC alone has subgroups.
    #[test]
    fn compilers_of_direct3d() {
        let fxc = |backend, features| kind("GeForce", DeviceType::DiscreteGpu, backend, features).fxc;
        assert!(fxc(Backend::Dx12, Features::TIMESTAMP_QUERY));
        assert!(!fxc(Backend::Dx12, Features::SUBGROUP));
        assert!(!fxc(Backend::Vulkan, Features::empty()));
    }
}
