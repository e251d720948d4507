//! Dispatches: a kernel with its bind group and its grid.

use super::compile::Kernel;
use super::memory::DYNAMIC_SPACING;
#[cfg(any(feature = "headless", feature = "train"))]
use crate::error::{Error, Result};

/// Workgroup size of kernels that stride over the elements of a buffer.
#[cfg(feature = "train")]
pub(crate) const ELEMENT_WORKGROUP: u32 = 64;

/// One dispatch, which can be recorded any number of times.
#[cfg(any(feature = "headless", feature = "train"))]
#[derive(Debug, Clone)]
pub(crate) struct Dispatch {
    pub kernel: Kernel,
    group: wgpu::BindGroup,
    workgroups: [u32; 3],
    /// Whether binding 0 is a buffer element chosen by dynamic offset.
    element: bool,
}

#[cfg(any(feature = "headless", feature = "train"))]
impl Dispatch {
    /// # Errors
    /// [`Error::MissingCapability`] for more workgroups than any device allows.
    pub fn new(kernel: &Kernel, group: wgpu::BindGroup, workgroups: [usize; 3]) -> Result<Self> {
        if workgroups.iter().any(|&count| count > 65535) {
            let name = kernel.shader.name;
            return Err(Error::MissingCapability(format!(
                "dispatches of {workgroups:?} workgroups for {name}"
            )));
        }
        let workgroups = workgroups.map(|count| count as u32);
        Ok(Self { kernel: kernel.clone(), group, workgroups, element: false })
    }

    /// For a kernel that strides over `count` elements, whatever its number of invocations.
    #[cfg(feature = "train")]
    pub fn elements(kernel: &Kernel, group: wgpu::BindGroup, count: usize) -> Self {
        let workgroups = [count.div_ceil(ELEMENT_WORKGROUP as usize).clamp(1, 4096) as u32, 1, 1];
        Self { kernel: kernel.clone(), group, workgroups, element: false }
    }

    /// The same, for a kernel whose binding 0 is a buffer element ([`super::memory::element_binding`]).
    pub fn with_element(self) -> Self {
        Self { element: true, ..self }
    }

    /// Records the dispatch, with element `index` for binding 0 if it takes one.
    pub fn record(&self, pass: &mut wgpu::ComputePass<'_>, index: usize) {
        let element = self.element.then_some(index);
        record(pass, &self.kernel, &self.group, element, self.workgroups);
    }
}

/// Records a kernel; `element` is the buffer element for binding 0, if it takes one.
pub(crate) fn record(
    pass: &mut wgpu::ComputePass<'_>,
    kernel: &Kernel,
    group: &wgpu::BindGroup,
    element: Option<usize>,
    [x, y, z]: [u32; 3],
) {
    let offset = element.map(|index| (index * DYNAMIC_SPACING) as u32);
    pass.set_pipeline(&kernel.pipeline);
    pass.set_bind_group(0, group, offset.as_slice());
    pass.dispatch_workgroups(x, y, z);
}
