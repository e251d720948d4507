//! What kind of adapter a device is on, for kernels and measurements to choose by.

/// The kind of an adapter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct AdapterKind {
    /// Whether it computes on the processor: invocations are then lanes of a vector, and memory is cached like any
    /// other.
    pub software: bool,
    /// Lanes per subgroup, if all subgroups have the same size and the device was opened with
    /// [`wgpu::Features::SUBGROUP`].
    pub subgroup_lanes: Option<u32>,
}

impl AdapterKind {
    /// The kind of the adapter on which a device was opened.
    pub fn of(device: &wgpu::Device) -> Self {
        let info = device.adapter_info();
        let lanes = info.subgroup_min_size;
        let fixed = lanes == info.subgroup_max_size && device.features().contains(wgpu::Features::SUBGROUP);
        Self { software: is_software(&info), subgroup_lanes: fixed.then_some(lanes) }
    }
}

/// Whether an adapter computes on the processor.
pub(crate) fn is_software(info: &wgpu::AdapterInfo) -> bool {
    info.device_type == wgpu::DeviceType::Cpu
}
