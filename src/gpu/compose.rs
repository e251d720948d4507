//! Composes the WGSL of kernels from the files in `shaders/`.
//!
//! A kernel's text is a prelude of constants, its file, and the parts from `shaders/shared/` that the file names in lines
//! `//#import NAME`, which parts may do too. Each part comes once, in the order in which it is first named, after the
//! kernel's file: WGSL does not mind the order, and so line numbers stay near the file's.
//!
//! A few imports name a role instead, which the variant fills: `//#import weights` becomes `weights_uniform` or
//! `weights_storage` ([`Template::part`]).

use std::fmt::Write;

/// What an entry point `main` is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShaderStage {
    /// A compute kernel.
    Compute,
    /// A fragment kernel; the module also has the vertex kernel `corner`, for a triangle that covers the target.
    Fragment,
}

/// A variant of a kernel: complete WGSL with an entry point `main`, and values for its `override`s.
#[derive(Debug, Clone, PartialEq)]
pub struct Shader {
    /// Name of the kernel, that of its file without `.wgsl`.
    pub name: &'static str,
    /// Name of the variant, fit for a file name: the kernel's and its settings.
    pub variant: String,
    /// What `main` is.
    pub stage: ShaderStage,
    /// The whole text.
    pub wgsl: String,
    /// Values of override constants, by name.
    pub overrides: Vec<(&'static str, f64)>,
}

impl Shader {
    /// Whether it computes with 16-bit floats, and needs [`wgpu::Features::SHADER_F16`].
    pub fn uses_half_precision(&self) -> bool {
        self.wgsl.starts_with("enable f16;")
    }

    /// Whether it hands weights round in subgroups, and needs [`wgpu::Features::SUBGROUP`].
    pub fn uses_subgroups(&self) -> bool {
        self.wgsl.contains("subgroup_invocation_id")
    }

    /// The text with the directive that the standard wants for subgroups. Browsers refuse the kernels without it, and naga with
    /// it, so that the text that this crate compiles does without.
    pub fn standard_wgsl(&self) -> String {
        let directive = if self.uses_subgroups() { "enable subgroups;\n" } else { "" };
        format!("{directive}{}", self.wgsl)
    }
}

/// The files of `shaders/shared/`, by name.
macro_rules! parts {
    ($($name:ident)*) => {
        [$((stringify!($name), include_str!(concat!("../../shaders/shared/", stringify!($name), ".wgsl")))),*]
    };
}

const PARTS: [(&str, &str); 56] = parts! {
    add_maps batch_layout block8 filter_sums fused_epilogue last_layer_sum load_block8 load_square locate padded_square padding pair_products_half pair_products_single patch_block pixel_pairs
    precision_half precision_single products_half products_single read_gate_sampled read_gate_storage read_gradient_sampled
    read_gradient_storage read_input_sampled read_input_storage read_weights_sampled read_weights_storage region registers slot spectrum square_maps square_relu squares8 subgroup_main taps target_color target_r32float
    target_rgba16float target_rgba32float target_rgba8unorm transfer valid_map weight_load_subgroup
    weight_load_subgroup_texture weight_load_texture weight_load_uniform weights_storage weights_uniform winograd_input
    winograd_layer3 winograd_output winograd_points winograd_squares write_map ycbcr
};

/// Constants before a kernel's text.
#[derive(Debug, Clone, Default)]
pub(crate) struct Prelude(String);

impl Prelude {
    /// Enables an extension of WGSL. Comes before everything else.
    pub fn enable(mut self, extension: &str) -> Self {
        self.line(format_args!("enable {extension};"));
        self
    }

    /// Numbers, as `u32`.
    pub fn numbers<const N: usize>(mut self, numbers: [(&str, usize); N]) -> Self {
        for (name, value) in numbers {
            self = self.value(name, &format!("{value}u"));
        }
        self
    }

    /// A `bool`.
    pub fn flag(self, name: &str, value: bool) -> Self {
        self.value(name, if value { "true" } else { "false" })
    }

    /// A value of any type, written in WGSL.
    pub fn value(mut self, name: &str, value: &str) -> Self {
        self.line(format_args!("const {name} = {value};"));
        self
    }

    fn line(&mut self, line: std::fmt::Arguments<'_>) {
        // Writing to a String does not fail.
        let _ = writeln!(self.0, "{line}");
    }
}

/// A kernel's file: `kernel!("loss")` is a [`Template`] of `shaders/loss.wgsl`.
macro_rules! kernel {
    ($name:literal) => {
        $crate::gpu::compose::Template::new(
            $name,
            include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/shaders/", $name, ".wgsl")),
        )
    };
}
pub(crate) use kernel;

/// A kernel's file, and what is chosen for a variant of it.
#[derive(Debug)]
pub(crate) struct Template {
    text: &'static str,
    prelude: Prelude,
    /// Which part each role stands for.
    parts: Vec<(&'static str, &'static str)>,
    /// The result so far, without text.
    shader: Shader,
}

impl Template {
    /// For [`kernel!`].
    pub fn new(name: &'static str, text: &'static str) -> Self {
        let (stage, wgsl, overrides) = (ShaderStage::Compute, String::new(), Vec::new());
        let shader = Shader { name, variant: name.into(), stage, wgsl, overrides };
        Self { text, prelude: Prelude::default(), parts: Vec::new(), shader }
    }

    /// For a file whose `main` is a fragment kernel.
    pub fn fragment(mut self) -> Self {
        self.shader.stage = ShaderStage::Fragment;
        self
    }

    /// Constants before the text.
    pub fn prelude(self, prelude: Prelude) -> Self {
        Self { prelude, ..self }
    }

    /// The part of `shaders/shared/` that `//#import ROLE` stands for.
    pub fn part(mut self, role: &'static str, part: &'static str) -> Self {
        self.parts.push((role, part));
        self
    }

    /// Settings for the name of the variant; empty ones are left out.
    pub fn named<const N: usize>(mut self, settings: [&str; N]) -> Self {
        for setting in settings.iter().filter(|setting| !setting.is_empty()) {
            self.shader.variant.push('-');
            self.shader.variant.push_str(setting);
        }
        self
    }

    /// Values of override constants.
    pub fn overrides<const N: usize>(mut self, overrides: [(&'static str, f64); N]) -> Self {
        self.shader.overrides.extend(overrides);
        self
    }

    /// Sides of the workgroup, which are overrides too.
    pub fn workgroup(self, [x, y]: [u32; 2]) -> Self {
        self.overrides([("WORKGROUP_X", f64::from(x)), ("WORKGROUP_Y", f64::from(y))])
    }

    /// The complete text.
    pub fn compose(mut self) -> Shader {
        let mut wgsl = std::mem::take(&mut self.prelude.0);
        wgsl.push_str(self.text);
        self.add_imports(self.text, &mut Vec::new(), &mut wgsl);
        Shader { wgsl, ..self.shader }
    }

    fn add_imports(&self, text: &'static str, seen: &mut Vec<&'static str>, wgsl: &mut String) {
        for import in imports(text) {
            let name = self.parts.iter().find(|(role, _)| *role == import).map_or(import, |(_, part)| part);
            if seen.contains(&name) {
                continue;
            }
            seen.push(name);
            match PARTS.iter().find(|(part, _)| *part == name) {
                Some((_, part)) => {
                    wgsl.push_str(part);
                    self.add_imports(part, seen, wgsl);
                }
                // Cannot be: a test composes every variant. No WGSL parser takes this line.
                None => wgsl.push_str(&format!("no file in shaders/shared is named {name}\n")),
            }
        }
    }
}

fn imports(text: &'static str) -> impl Iterator<Item = &'static str> {
    text.lines().filter_map(|line| line.strip_prefix("//#import ")).map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &'static str) -> Template {
        Template::new("test", text)
    }

    #[test]
    fn parts_come_once_in_the_order_of_their_names() {
        let shader = of("//#import taps\n//#import add_maps\n").part("weights", "weights_uniform");
        let shader = shader.part("weight_load", "weight_load_uniform").compose();
        let starts = ["taps", "weight_load_uniform", "weights_uniform", "add_maps", "block8"].map(|name| {
            let (_, text) = PARTS.iter().find(|(part, _)| *part == name).unwrap();
            assert_eq!(shader.wgsl.matches(text).count(), 1, "{name}");
            shader.wgsl.find(text).unwrap()
        });
        assert!(starts.is_sorted(), "{starts:?}");
    }

    #[test]
    fn the_prelude_is_first_and_the_name_tells_the_settings() {
        let prelude = Prelude::default().enable("f16").numbers([("A", 3)]).flag("B", true);
        let shader = of("fn f() {}\n").prelude(prelude).named(["x", "", "y"]).workgroup([2, 4]).compose();
        assert_eq!(shader.wgsl, "enable f16;\nconst A = 3u;\nconst B = true;\nfn f() {}\n");
        assert_eq!(shader.variant, "test-x-y");
        assert_eq!(shader.overrides, [("WORKGROUP_X", 2.0), ("WORKGROUP_Y", 4.0)]);
        assert!(shader.uses_half_precision());
    }

    #[test]
    fn a_part_that_does_not_exist_is_no_wgsl() {
        assert!(
            of("//#import nothing\n").compose().wgsl.contains("no file in shaders/shared is named nothing")
        );
    }

    #[test]
    fn every_part_is_an_existing_part_or_a_role() {
        const ROLES: [&str; 9] = [
            "pair_products",
            "weight_load",
            "weights",
            "read_input",
            "read_gate",
            "read_gradient",
            "read_weights",
            "precision",
            "target",
        ];
        for (name, text) in PARTS {
            for import in imports(text) {
                let known = PARTS.iter().any(|(part, _)| *part == import) || ROLES.contains(&import);
                assert!(known, "{name} imports {import}");
            }
        }
    }
}
