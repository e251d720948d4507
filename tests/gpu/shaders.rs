//! Every variant of every kernel parses, validates, and translates to what Vulkan, Metal, Direct3D and OpenGL take,
//! without a Mac or a Windows machine.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::OnceLock;

use crate::common;
use srcnn_gpu::gpu::kernels::{
    BodyVariant, MapRead, Settings, Shader, ShaderStage, WeightLoad, WinogradVariant, conv_fused_body,
    conv_fused_sum, conv_winograd, conv_winograd_sum, variants,
};
use srcnn_gpu::gpu::translate::{Language, translate};
use srcnn_gpu::train::State;
use srcnn_gpu::train::config::Initialization;
use srcnn_gpu::train::gpu::{Shape, Trainer, TrainerOptions};
use srcnn_gpu::train::init::initialize;
use srcnn_gpu::train::recipe::Recipe;
use srcnn_gpu::{Architecture, Channels, Metadata, Padding};

/// The training kernels that this device gets, with either optimizer.
fn of_training(architecture: &Architecture, channels: Channels) -> Vec<Shader> {
    let _alone = common::alone();
    let gpu = common::gpu();
    // Layer by layer for one optimizer; for the other, what is the default on only some adapters.
    let (weight_load, map_read) = (WeightLoad::Uniform, MapRead::Sampled);
    let device = Shape::for_device(&gpu.device);
    let fused = Shape { weight_load, map_read, first_layers: true, winograd: true, ..device };
    let direct = Shape { winograd: false, ..device };
    let settings = [(Recipe::Paper, Some(direct)), (Recipe::Fast, Some(fused))];
    let shaders = settings.into_iter().flat_map(|(recipe, shape)| {
        let optimizer = recipe.config("3".parse().unwrap(), architecture, channels).optimizer;
        let metadata = Metadata { channels, ..Metadata::default() };
        let first =
            initialize(architecture, Initialization::Gaussian { deviation: 0.1 }, 0, metadata).unwrap();
        let state = State::new(first.layers().to_vec(), optimizer.slots()).with_average();
        let options = TrainerOptions::new(8, 33, optimizer).with_shape(shape).with_average(0.9);
        let trainer = Trainer::new(&gpu.device, &gpu.queue, &state, &options).unwrap();
        trainer.shaders().cloned().collect::<Vec<_>>()
    });
    shaders.collect()
}

/// All variants, as name and text: filter sizes 1 to 11, one filter and several, hidden and last layers; and the
/// training kernels of some networks.
fn all() -> &'static [Shader] {
    static ALL: OnceLock<Vec<Shader>> = OnceLock::new();
    ALL.get_or_init(collect)
}

fn collect() -> Vec<Shader> {
    let mut shaders = BTreeMap::new();
    for (sizes, filters, channels) in
        [("9-1-5", "64-32", Channels::Y), ("9-5-5", "16-8", Channels::Y), ("5-3-7", "6-130", Channels::Rgb)]
    {
        let architecture = Architecture::parse(sizes, filters, channels.count()).unwrap();
        for shader in of_training(&architecture, channels) {
            shaders.insert(shader.wgsl.clone() + &shader.variant, shader);
        }
    }
    for size in [1, 3, 5, 7, 9, 11] {
        for filters in [1, 16] {
            for channels in [1, 3] {
                let architecture = Architecture::new(&[size, size], &[filters], channels).unwrap();
                for shader in variants(&architecture) {
                    shaders.insert(shader.wgsl.clone() + &shader.variant, shader);
                }
            }
        }
    }
    for (sizes, filters) in [
        ("9-1-5", "64-32"),
        ("7-1-3", "6-20"),
        ("5-1-1", "4-9"),
        ("3-1-5", "4-4"),
        ("1-1-3", "4-4"),
        ("9-5-5", "64-32"),
        ("5-3-3", "4-9"),
        ("9-5-5-5", "64-32-32"),
    ] {
        let fused = variants(&Architecture::parse(sizes, filters, 1).unwrap());
        let covered = |shader: &Shader| {
            ["conv_fused_", "conv_winograd"].iter().any(|start| shader.name.starts_with(start))
        };
        for shader in fused.into_iter().filter(covered) {
            shaders.insert(shader.wgsl.clone() + &shader.variant, shader);
        }
    }
    // Maps as storage textures are for llvmpipe alone, so the list for porting does without.
    for max_uniform_buffer_binding_size in [0, 64 << 10] {
        let limits = srcnn_gpu::wgpu::Limits { max_uniform_buffer_binding_size, ..Default::default() };
        let settings = Settings::new(Padding::Replicate, WeightLoad::Subgroup(8), MapRead::Storage, [1, 8]);
        let parse = |sizes| Architecture::parse(sizes, "64-32", 1).unwrap();
        let body = BodyVariant::new(&parse("9-5-5"), settings, &limits).unwrap();
        let winograd = WinogradVariant::new(&parse("9-1-5"), settings, &limits).unwrap();
        let sums = [conv_fused_sum(5, &settings), conv_winograd_sum(5, &settings)];
        for shader in [conv_fused_body(&body), conv_winograd(&winograd)].into_iter().chain(sums) {
            shaders.insert(shader.wgsl.clone() + &shader.variant, shader);
        }
    }
    for shader in srcnn_gpu::dictionary::variants() {
        shaders.insert(shader.wgsl.clone() + &shader.variant, shader);
    }
    shaders.into_values().collect()
}

/// Names and texts of the files in a folder of `shaders/`.
fn files(folder: &str) -> Vec<(String, String)> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut files = Vec::new();
    for entry in std::fs::read_dir(path).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|e| e == "wgsl") {
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            files.push((name, std::fs::read_to_string(&path).unwrap()));
        }
    }
    assert!(!files.is_empty(), "{folder} has no shaders");
    files
}

#[test]
fn every_variant_translates_to_every_language() {
    let shaders = all();
    for language in Language::ALL {
        for shader in shaders {
            if !language.has(shader) {
                assert!(shader.uses_half_precision());
                assert!(translate(shader, language).unwrap_err().to_string().contains("16-bit floats"));
                continue;
            }
            let written = translate(shader, language).unwrap();
            assert!(!written.is_empty());
            let text = String::from_utf8_lossy(&written);
            let fragment = shader.stage == ShaderStage::Fragment;
            let mark = match (language, fragment) {
                (Language::Wgsl, false) => "@compute",
                (Language::Wgsl, true) => "@fragment",
                (Language::Spirv, _) => "\u{3}\u{2}#\u{7}",
                (Language::Msl, false) => "kernel void",
                (Language::Msl, true) => "fragment main_Output",
                (Language::Hlsl, false) => "[numthreads(",
                (Language::Hlsl, true) => "SV_Target0",
                (Language::Glsl, _) => "#version 430 core",
                (Language::GlslEs, _) => "#version 310 es",
            };
            assert!(text.contains(mark), "{} as {language:?} has no '{mark}'", shader.variant);
            if language == Language::Wgsl {
                let uses = text.contains("subgroupShuffle");
                assert_eq!(text.contains("\nenable subgroups;\n"), uses, "{}", shader.variant);
            }
        }
    }
}

#[test]
fn the_list_has_every_setting() {
    let shaders = all();
    let names: BTreeSet<_> = shaders.iter().flat_map(|shader| shader.variant.split('-')).collect();
    let settings = "1x1 3x3 5x5 7x7 9x9 11x11 rows1 rows4 relu normalized uniform storage registers8x4 registers16x4 \
        registers8x8 registers8x16 ycbcr replicate zero rgba8unorm rgba16float rgba32float linear linearbytes planes1of1 planes1of4 planes3of3 planes3of4 texture subgroup8 \
        filters8 filters16 filters24 filters32 filters64 f16";
    for setting in settings.split_whitespace() {
        assert!(names.contains(setting), "no variant has {setting}");
    }
    // For each size and binding: hidden layers with all register tiles and paddings; last layers with one and with
    // three filters, which only need the tiles of 4 outputs, normalized or not. Half precision is for hidden layers only,
    // with its filters in one kind of binding.
    let convolutions: BTreeSet<_> = shaders
        .iter()
        .filter(|shader| shader.name == "conv_forward")
        .map(|shader| {
            let settings = shader.variant.split('-');
            let settings = settings.filter(|s| !s.starts_with("inputs") && !s.starts_with("weights"));
            settings.collect::<Vec<_>>().join("-")
        })
        .collect();
    assert_eq!(convolutions.len(), 6 * (2 * (4 * 4 + 2 * 2 * 2) + 4 * 4));
}

#[test]
fn no_file_is_forgotten() {
    let shaders = all();
    for (name, text) in files("shaders") {
        let of_file = shaders.iter().filter(|shader| shader.name == name);
        assert!(of_file.clone().count() > 0, "shaders/{name}.wgsl has no variant in the list");
        assert!(of_file.into_iter().all(|shader| shader.wgsl.contains(&text)), "{name}");
    }
    for (name, text) in files("shaders/shared") {
        assert!(
            shaders.iter().any(|shader| shader.wgsl.contains(&text)),
            "shared/{name}.wgsl is in no variant"
        );
    }
}

#[test]
fn names_of_a_network_s_variants_differ() {
    // The inner layers of the last one differ only in the number of filters.
    for (sizes, filters, channels) in [("9-1-5", "64-32", 1), ("9-1-5", "64-32", 3), ("3-3-3-3", "8-8-16", 1)]
    {
        let shaders = variants(&Architecture::parse(sizes, filters, channels).unwrap());
        let names: BTreeSet<_> = shaders.iter().map(|shader| &shader.variant).collect();
        assert_eq!(names.len(), shaders.len());
    }
}

#[test]
fn broken_shaders_are_refused() {
    let good = variants(&Architecture::parse("3-3", "4", 1).unwrap()).remove(0);
    let refused = |shader: &Shader| translate(shader, Language::Spirv).unwrap_err().to_string();

    let mut typo = good.clone();
    typo.wgsl = typo.wgsl.replacen("@compute", "@compte", 1);
    assert!(refused(&typo).contains("parsing"), "{}", refused(&typo));

    let mut float_index = good.clone();
    float_index.wgsl.push_str("\nfn wrong(a: array<f32, 4>) -> f32 { return a[1.5]; }\n");
    assert!(refused(&float_index).contains(&good.variant), "{}", refused(&float_index));

    // Valid by itself, but not with this value.
    let mut empty_workgroup = good.clone();
    empty_workgroup.overrides.retain(|(name, _)| *name != "WORKGROUP_X");
    empty_workgroup.overrides.push(("WORKGROUP_X", -1.0));
    assert!(refused(&empty_workgroup).contains("overrides"), "{}", refused(&empty_workgroup));

    let mut unbound = good;
    unbound.wgsl = unbound.wgsl.replacen("@group(0) @binding(0) ", "", 1);
    assert!(refused(&unbound).contains("validation"), "{}", refused(&unbound));
}
