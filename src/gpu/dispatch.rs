//! Dispatches: a kernel, what is bound to it, and its grid.

use super::compile::Kernel;
use super::memory::DYNAMIC_SPACING;
#[cfg(any(feature = "headless", feature = "train"))]
use crate::error::{Error, Result};

/// Workgroup of kernels that go over the elements of a buffer in strides.
#[cfg(feature = "train")]
pub(crate) const ELEMENT_WORKGROUP: u32 = 64;

/// One dispatch, ready to be recorded any number of times.
#[cfg(any(feature = "headless", feature = "train"))]
#[derive(Debug, Clone)]
pub(crate) struct Dispatch {
    pub kernel: Kernel,
    group: wgpu::BindGroup,
    workgroups: [u32; 3],
    /// Whether binding 0 is an element that is chosen by dynamic offset.
    element: bool,
}

#[cfg(any(feature = "headless", feature = "train"))]
impl Dispatch {
    /// # Errors
    /// [`Error::MissingCapability`] for more workgroups than any device takes.
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

    /// For a kernel that goes over `count` elements in strides, whatever the number of its invocations.
    #[cfg(feature = "train")]
    pub fn elements(kernel: &Kernel, group: wgpu::BindGroup, count: usize) -> Self {
        let workgroups = [count.div_ceil(ELEMENT_WORKGROUP as usize).clamp(1, 4096) as u32, 1, 1];
        Self { kernel: kernel.clone(), group, workgroups, element: false }
    }

    /// The same for a kernel whose binding 0 is an element of a buffer ([`super::memory::element_binding`]).
    pub fn with_element(self) -> Self {
        Self { element: true, ..self }
    }

    /// Records it, with element `index` where it takes one.
    pub fn record(&self, pass: &mut wgpu::ComputePass<'_>, index: usize) {
        let element = self.element.then_some(index);
        record(pass, &self.kernel, &self.group, element, self.workgroups);
    }
}

/// Records a kernel, with an element of the buffer of its binding 0 where it takes one.
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
