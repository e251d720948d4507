//! The kernels: which files in `shaders/` there are, with which constants.

use crate::dictionary::Dictionary;
use crate::gpu::compose::{Prelude, Shader, Template, kernel};
use crate::gpu::kernels::PIXEL_WORKGROUP;

/// Workgroup of the kernels whose invocations own a tile of patches.
pub(super) const PATCH_WORKGROUP: u32 = 64;
/// Patches, and features or atoms, that an invocation of these takes together.
pub(super) const TILE: usize = 8;
/// Values of a texel or a vector.
pub(super) const LANES: usize = 4;
/// Workgroup of the kernel whose invocations own [`LANES`] pixels of a patch.
pub(super) const REGRESSION_WORKGROUP: [u32; 2] = [16, 4];

/// What the kernels know of a dictionary.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sizes {
    /// Pixels from one patch to the next.
    pub step: usize,
    /// Pixels by which gradients reach beyond a patch: the scale.
    pub reach: usize,
    pub patch: usize,
    /// Features in groups of [`LANES`], the last one filled up with zeros.
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
            groups: dictionary.features().div_ceil(LANES),
            atoms: dictionary.atoms(),
            nearest: dictionary.method().nearest(),
        }
    }

    /// Features of a patch, filled up with zeros.
    pub fn features(&self) -> usize {
        LANES * self.groups
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
    pub fn projection(&self) -> Shader {
        self.kernel(kernel!("patch_features"), self.prelude()).overrides(patches()).compose()
    }

    /// `nearest_atom.wgsl`, or `nearest_atoms.wgsl` where more than one is looked up.
    pub fn nearest(&self) -> Shader {
        let prelude = self.prelude().numbers([("ATOM_TILES", self.atoms.div_ceil(TILE))]);
        let atoms = format!("atoms{}", self.atoms);
        if self.nearest == 1 {
            return self
                .kernel(kernel!("nearest_atom"), prelude)
                .named([&atoms])
                .overrides(patches())
                .compose();
        }
        let nearest = format!("nearest{}", self.nearest);
        self.kernel(kernel!("nearest_atoms"), prelude.numbers([("NEAREST", self.nearest)]))
            .named([&atoms, &nearest])
            .overrides(patches())
            .compose()
    }

    /// Workgroups of [`Sizes::nearest`] for so many patches.
    pub fn nearest_workgroups(&self, patches: usize) -> u32 {
        let each = if self.nearest == 1 { TILE } else { 1 };
        patches.div_ceil(each * PATCH_WORKGROUP as usize) as u32
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
        .flat_map(|sizes| [sizes.gradients(), sizes.projection(), sizes.nearest(), sizes.regression()])
        .collect()
}
