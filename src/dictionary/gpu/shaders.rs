//! The kernels: which files in `shaders/` there are, with which constants.

use crate::dictionary::Dictionary;
use crate::gpu::compose::{Prelude, Shader, Template, kernel};
use crate::gpu::kernels::PIXEL_WORKGROUP;

/// Workgroup of the kernels whose invocations own a patch.
pub(super) const PATCH_WORKGROUP: u32 = 64;
/// Workgroup of the kernel whose invocations own a pixel of a patch.
pub(super) const REGRESSION_WORKGROUP: [u32; 2] = [16, 4];

/// What the kernels know of a dictionary.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sizes {
    /// Pixels from one patch to the next.
    pub step: usize,
    /// Pixels by which gradients reach beyond a patch: the scale.
    pub reach: usize,
    pub patch: usize,
    /// Features in groups of 4, the last one filled up with zeros.
    pub groups: usize,
    pub atoms: usize,
    pub nearest: usize,
}

impl Sizes {
    pub fn of(dictionary: &Dictionary) -> Self {
        Self {
            step: dictionary.step(),
            reach: dictionary.scale(),
            patch: dictionary.patch(),
            groups: dictionary.features().div_ceil(4),
            atoms: dictionary.atoms(),
            nearest: dictionary.method().nearest(),
        }
    }

    fn prelude(&self) -> Prelude {
        let Self { step, reach, patch, groups, .. } = *self;
        Prelude::default().numbers([
            ("STEP", step),
            ("REACH", reach),
            ("PATCH", patch),
            ("FEATURE_GROUPS", groups),
        ])
    }

    fn kernel(&self, template: Template, prelude: Prelude) -> Template {
        template.prelude(prelude).named([
            &format!("scale{}", self.reach),
            &format!("step{}", self.step),
            &format!("groups{}", self.groups),
        ])
    }

    /// `patch_gradients.wgsl`.
    pub fn gradients(&self) -> Shader {
        self.kernel(kernel!("patch_gradients"), self.prelude()).workgroup(PIXEL_WORKGROUP).compose()
    }

    /// `patch_features.wgsl`.
    pub fn features(&self) -> Shader {
        self.kernel(kernel!("patch_features"), self.prelude()).overrides(patches()).compose()
    }

    /// `nearest_atoms.wgsl`.
    pub fn nearest(&self) -> Shader {
        let prelude = self.prelude().numbers([("ATOMS", self.atoms), ("NEAREST", self.nearest)]);
        let (atoms, nearest) = (format!("atoms{}", self.atoms), format!("nearest{}", self.nearest));
        self.kernel(kernel!("nearest_atoms"), prelude)
            .named([&atoms, &nearest])
            .overrides(patches())
            .compose()
    }

    /// `anchored_regression.wgsl`.
    pub fn regression(&self) -> Shader {
        self.kernel(kernel!("anchored_regression"), self.prelude()).workgroup(REGRESSION_WORKGROUP).compose()
    }
}

fn patches() -> [(&'static str, f64); 1] {
    [("WORKGROUP", f64::from(PATCH_WORKGROUP))]
}

/// Variants of all kernels of the methods on dictionaries, for tests and for porting: those for 1024 atoms of 30 features.
pub fn variants() -> Vec<Shader> {
    let sizes = |(reach, overlap, nearest): (usize, usize, usize)| Sizes {
        step: (Dictionary::PATCH - overlap) * reach,
        reach,
        patch: reach * Dictionary::PATCH,
        groups: 8,
        atoms: 1024,
        nearest,
    };
    let all = [(2, 2, 1), (3, 2, 1), (3, 1, 24), (4, 2, 1)].map(sizes);
    all.iter()
        .flat_map(|sizes| [sizes.gradients(), sizes.features(), sizes.nearest(), sizes.regression()])
        .collect()
}
