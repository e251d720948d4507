//! Kernels in the languages of the graphics APIs, as wgpu itself translates them: for driver bug reports, for porting
//! the kernels, and for tests on machines without those APIs.

use naga::back::{self, PipelineConstants};
use naga::valid::{Capabilities, ModuleInfo, ShaderStages, SubgroupOperationSet, ValidationFlags, Validator};
use naga::{AddressSpace, Module, ResourceBinding, TypeInner};

use super::kernels::{Shader, ShaderStage};
use crate::error::{Error, Result};

/// A shading language.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// WGSL as in this crate, preceded by a comment with the values of its overrides.
    Wgsl,
    /// SPIR-V 1.0 for Vulkan, 1.3 for kernels that use subgroups; binary, little endian.
    Spirv,
    /// Metal Shading Language 2.2; a resource's slot is its binding number.
    Msl,
    /// HLSL of shader model 5.1 for Direct3D 12, 6.0 for kernels that use subgroups, 6.2 for half precision; a
    /// resource's register is its binding number.
    Hlsl,
    /// GLSL 4.30, for OpenGL on desktops.
    Glsl,
    /// GLSL ES 3.10, for OpenGL ES.
    GlslEs,
}

impl Language {
    /// All languages.
    pub const ALL: [Self; 6] = [Self::Wgsl, Self::Spirv, Self::Msl, Self::Hlsl, Self::Glsl, Self::GlslEs];

    /// Whether the language supports everything that a shader uses: OpenGL's languages have no 16-bit floats.
    pub fn has(self, shader: &Shader) -> bool {
        !(shader.uses_half_precision() && matches!(self, Self::Glsl | Self::GlslEs))
    }

    /// The usual file extension for a shader in this language.
    pub fn extension(self, shader: &Shader) -> &'static str {
        match (self, shader.stage) {
            (Self::Wgsl, _) => "wgsl",
            (Self::Spirv, _) => "spv",
            (Self::Msl, _) => "metal",
            (Self::Hlsl, _) => "hlsl",
            (Self::Glsl | Self::GlslEs, ShaderStage::Compute) => "comp",
            (Self::Glsl | Self::GlslEs, ShaderStage::Fragment) => "frag",
        }
    }
}

/// Parses and validates a shader, substitutes the values of its overrides, and writes it in a language. Like the
/// kernels as run by this crate, the result has no checks of indices, divisors and loops, and the memory of workgroups is not
/// set to zero. Of a fragment kernel, only WGSL brings the vertex kernel along, a triangle that covers everything.
///
/// # Errors
/// [`Error::InvalidArgument`] with the shader's variant and naga's message, or if the language lacks something
/// ([`Language::has`]).
pub fn translate(shader: &Shader, language: Language) -> Result<Vec<u8>> {
    let refused = |step: &str, reason: String| {
        let reason: Vec<_> = reason.split_whitespace().collect();
        Error::invalid(format!("shader {}: {step}: {}", shader.variant, reason.join(" ")))
    };
    let module = naga::front::wgsl::parse_str(&shader.wgsl)
        .map_err(|e| refused("parsing", e.emit_to_string(&shader.wgsl)))?;
    let capabilities = Capabilities::SUBGROUP | Capabilities::SHADER_FLOAT16;
    let mut validator = Validator::new(ValidationFlags::all(), capabilities);
    validator.subgroup_stages(ShaderStages::COMPUTE).subgroup_operations(SubgroupOperationSet::all());
    let info =
        validator.validate(&module).map_err(|e| refused("validation", e.emit_to_string(&shader.wgsl)))?;
    let stage = match shader.stage {
        ShaderStage::Compute => naga::ShaderStage::Compute,
        ShaderStage::Fragment => naga::ShaderStage::Fragment,
    };
    let values: PipelineConstants =
        shader.overrides.iter().map(|&(name, value)| (name.to_owned(), value)).collect();
    let (module, info) =
        back::pipeline_constants::process_overrides(&module, &info, Some((stage, "main")), &values)
            .map_err(|e| refused("overrides", e.to_string()))?;
    if !language.has(shader) {
        return Err(refused(&format!("{language:?}"), "the language has no 16-bit floats".into()));
    }
    let subgroups = shader.uses_subgroups();
    let written = match language {
        Language::Wgsl => Ok(wgsl(shader)),
        Language::Spirv => spirv(&module, &info, stage, if subgroups { (1, 3) } else { (1, 0) }),
        Language::Msl => msl(&module, &info),
        Language::Hlsl => {
            use back::hlsl::ShaderModel;
            let model = match (shader.uses_half_precision(), subgroups) {
                (true, _) => ShaderModel::V6_2,
                (_, true) => ShaderModel::V6_0,
                _ => ShaderModel::V5_1,
            };
            hlsl(&module, &info, model)
        }
        Language::Glsl => glsl(&module, &info, stage, back::glsl::Version::Desktop(430)),
        Language::GlslEs => glsl(&module, &info, stage, back::glsl::Version::new_gles(310)),
    };
    written.map_err(|reason| refused(&format!("{language:?}"), reason))
}

type Written = Result<Vec<u8>, String>;

fn wgsl(shader: &Shader) -> Vec<u8> {
    let values: Vec<_> = shader.overrides.iter().map(|(name, value)| format!("{name} = {value}")).collect();
    format!("// Overrides: {}\n{}", values.join(", "), shader.standard_wgsl()).into_bytes()
}

fn spirv(
    module: &Module,
    info: &ModuleInfo,
    shader_stage: naga::ShaderStage,
    lang_version: (u8, u8),
) -> Written {
    let options = back::spv::Options {
        lang_version,
        force_loop_bounding: false,
        emit_int_div_checks: false,
        flags: back::spv::WriterFlags::DEBUG,
        zero_initialize_workgroup_memory: back::spv::ZeroInitializeWorkgroupMemoryMode::None,
        ..Default::default()
    };
    let entry = back::spv::PipelineOptions { shader_stage, entry_point: "main".into() };
    let words = back::spv::write_vec(module, info, &options, Some(&entry)).map_err(|e| e.to_string())?;
    Ok(words.into_iter().flat_map(u32::to_le_bytes).collect())
}

fn msl(module: &Module, info: &ModuleInfo) -> Written {
    use back::msl::{BindTarget, EntryPointResources, Options, PipelineOptions};
    let resources = bindings(module).map(|(binding, space, ty)| {
        let (number, texture) = (Some(binding.binding as u8), matches!(ty, TypeInner::Image { .. }));
        let target = BindTarget {
            buffer: number.filter(|_| !texture),
            texture: number.filter(|_| texture),
            mutable: !matches!(space, AddressSpace::Uniform),
            ..BindTarget::default()
        };
        (binding, target)
    });
    // Metal has 31 slots for buffers, 0 to 30.
    let entry =
        EntryPointResources { resources: resources.collect(), sizes_buffer: Some(30), ..Default::default() };
    let options = Options {
        lang_version: (2, 2),
        per_entry_point_map: [("main".into(), entry)].into(),
        fake_missing_bindings: false,
        force_loop_bounding: false,
        emit_int_div_checks: false,
        zero_initialize_workgroup_memory: false,
        ..Options::default()
    };
    let (text, translated) = back::msl::write_string(module, info, &options, &PipelineOptions::default())
        .map_err(|e| e.to_string())?;
    // Entry points report their errors separately.
    translated.entry_point_names.into_iter().collect::<Result<Vec<_>, _>>().map_err(|e| e.to_string())?;
    Ok(text.into_bytes())
}

fn hlsl(module: &Module, info: &ModuleInfo, shader_model: back::hlsl::ShaderModel) -> Written {
    let options = back::hlsl::Options {
        shader_model,
        restrict_indexing: false,
        force_loop_bounding: false,
        zero_initialize_workgroup_memory: false,
        ..back::hlsl::Options::default()
    };
    let mut text = String::new();
    let translated = back::hlsl::Writer::new(&mut text, &options, &Default::default())
        .write(module, info, None)
        .map_err(|e| e.to_string())?;
    translated.entry_point_names.into_iter().collect::<Result<Vec<_>, _>>().map_err(|e| e.to_string())?;
    Ok(text.into_bytes())
}

fn glsl(
    module: &Module,
    info: &ModuleInfo,
    shader_stage: naga::ShaderStage,
    version: back::glsl::Version,
) -> Written {
    let options = back::glsl::Options {
        version,
        zero_initialize_workgroup_memory: false,
        binding_map: bindings(module).map(|(binding, ..)| (binding, binding.binding as u8)).collect(),
        ..back::glsl::Options::default()
    };
    let entry = back::glsl::PipelineOptions { shader_stage, entry_point: "main".into(), multiview: None };
    let mut text = String::new();
    back::glsl::Writer::new(&mut text, module, info, &options, &entry, Default::default())
        .and_then(|mut writer| writer.write())
        .map_err(|e| e.to_string())?;
    Ok(text.into_bytes())
}

/// The resources that a shader binds.
fn bindings(module: &Module) -> impl Iterator<Item = (ResourceBinding, AddressSpace, &TypeInner)> {
    module.global_variables.iter().filter_map(|(_, variable)| {
        variable.binding.map(|binding| (binding, variable.space, &module.types[variable.ty].inner))
    })
}
