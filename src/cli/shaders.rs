//! `srcnn-gpu shaders`: writes the kernels as files, and tells which of them an adapter runs, for driver bug reports and for
//! porting.

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use serde::Serialize;
use srcnn_gpu::dictionary;
use srcnn_gpu::gpu::kernels::{Shader, variants};
use srcnn_gpu::gpu::translate::{Language, translate};
use srcnn_gpu::headless::{HeadlessOptions, adapter};
use srcnn_gpu::train::Scales;
use srcnn_gpu::train::State;
use srcnn_gpu::train::config::TrainConfig;
use srcnn_gpu::train::gpu::{Shape, Trainer, TrainerOptions};
use srcnn_gpu::train::init::initialize;
use srcnn_gpu::train::recipe::Recipe;
use srcnn_gpu::upscaler::{PictureSchedule, Schedule};
use srcnn_gpu::{
    Architecture, Channels, Enlargement, Layer, Metadata, Padding, Result, UpscalerOptions, Weights, wgpu,
};

use crate::cli::args::gpu::GpuArgs;
use crate::cli::args::padding;
use crate::cli::args::precision::PrecisionArgs;
use crate::cli::args::tuning::TuneArgs;
use crate::cli::bench::parse_size;
use crate::cli::output::{create_folder, json_line, print, write_atomically};

/// Write every kernel that a network may use on any adapter as a file
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  srcnn-gpu shaders -l spirv -o kernels
  srcnn-gpu shaders --plan 640x360 -s 2 -o kernels")]
pub struct ShadersArgs {
    /// Language of the files
    #[arg(short, long, value_enum, default_value = "wgsl", value_name = "LANGUAGE")]
    language: LanguageName,
    /// Folder to write to; it is created if it is missing, and files of the same names are replaced
    #[arg(short, long, value_name = "DIR", required_unless_present = "plan")]
    output: Option<PathBuf>,
    /// Print as JSON what this adapter runs for a picture of this size: the kernels in order, with bindings, constants and
    /// weights, and each tile's grids and uniforms. Only these kernels are written then
    #[arg(long, value_name = "WxH", value_parser = parse_size, conflicts_with = "training")]
    plan: Option<(u32, u32)>,
    /// With --plan: how many times larger the picture's sides become
    #[arg(short, long, value_name = "FACTOR", default_value_t = 2.0, requires = "plan")]
    scale: f64,
    /// With --plan: padding of the network
    #[arg(long, value_name = "PADDING", default_value_t = Padding::default(), value_parser = padding(), requires = "plan")]
    padding: Padding,
    /// With --plan: longest side of a tile in result pixels [default: by the adapter's limits]
    #[arg(short, long, value_name = "N", requires = "plan", value_parser = clap::value_parser!(u32).range(1..))]
    tile: Option<u32>,
    /// Filter sizes of the network
    #[arg(long, default_value = "9-1-5", value_name = "SIZES")]
    arch: String,
    /// Filter counts of all layers but the last
    #[arg(long, default_value = "64-32", value_name = "COUNTS")]
    filters: String,
    /// Channels of the network, 1 or 3
    #[arg(long, default_value_t = 1, value_name = "N")]
    channels: usize,
    /// Write the kernels of training as well, in the order of a step: of both recipes, and with the settings for GPUs and for
    /// software adapters. An adapter is needed to put them together
    #[arg(long)]
    training: bool,
    #[command(flatten)]
    precision: PrecisionArgs,
    #[command(flatten)]
    tune: TuneArgs,
    #[command(flatten)]
    gpu: GpuArgs,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum LanguageName {
    /// The kernels' own language
    Wgsl,
    /// Vulkan
    Spirv,
    /// Metal
    Msl,
    /// Direct3D 12
    Hlsl,
    /// OpenGL 4.3
    Glsl,
    /// OpenGL ES 3.1
    GlslEs,
}

impl From<LanguageName> for Language {
    fn from(name: LanguageName) -> Self {
        match name {
            LanguageName::Wgsl => Self::Wgsl,
            LanguageName::Spirv => Self::Spirv,
            LanguageName::Msl => Self::Msl,
            LanguageName::Hlsl => Self::Hlsl,
            LanguageName::Glsl => Self::Glsl,
            LanguageName::GlslEs => Self::GlslEs,
        }
    }
}

/// What `--plan` prints.
#[derive(Debug, Serialize)]
struct Planned {
    adapter: String,
    architecture: String,
    source: [u32; 2],
    scale: f64,
    #[serde(flatten)]
    schedule: Schedule,
    picture: PictureSchedule,
}

/// Writes the files and prints their paths, or the plan.
///
/// # Errors
/// [`Error::InvalidArgument`](srcnn_gpu::Error::InvalidArgument) for an impossible network,
/// [`Error::Output`](srcnn_gpu::Error::Output) for a folder that cannot be written to; for training, as [`Trainer::new`].
pub fn run(args: &ShadersArgs) -> Result<()> {
    let architecture = Architecture::parse(&args.arch, &args.filters, args.channels)?;
    let language = Language::from(args.language);
    if let Some(source) = args.plan {
        let plan = plan(args, &architecture, source, language)?;
        write(plan.schedule.kernels.iter().map(|kernel| &kernel.shader), args.output.as_deref(), language)?;
        return print(json_line(&plan)?);
    }
    let mut shaders = variants(&architecture);
    shaders.extend(dictionary::variants());
    if args.training {
        shaders.extend(of_training(&architecture, &args.gpu)?);
    }
    for path in write(shaders.iter(), args.output.as_deref(), language)? {
        print(path.display())?;
    }
    Ok(())
}

/// Name of a kernel's file.
fn file_name(shader: &Shader, language: Language) -> String {
    format!("{}.{}", shader.variant, language.extension(shader))
}

/// Writes the kernels that a language has, and returns their paths; nothing without a folder.
fn write<'a>(
    shaders: impl Iterator<Item = &'a Shader>,
    folder: Option<&Path>,
    language: Language,
) -> Result<Vec<PathBuf>> {
    let Some(folder) = folder else { return Ok(Vec::new()) };
    create_folder(folder)?;
    let write = |shader: &Shader| {
        let path = folder.join(file_name(shader, language));
        let text = translate(shader, language)?;
        write_atomically(&path, |file| file.write_all(&text))?;
        Ok(path)
    };
    shaders.filter(|shader| language.has(shader)).map(write).collect()
}

/// What the adapter runs, as `upscale` would.
fn plan(
    args: &ShadersArgs,
    architecture: &Architecture,
    source: (u32, u32),
    language: Language,
) -> Result<Planned> {
    let gpu = args.gpu.open()?;
    let precision = args.precision.precision;
    args.precision.check(&gpu)?;
    let weights = without_values(architecture, args.padding)?;
    // A shape that was measured earlier counts; nothing is measured for no pixels.
    let options = HeadlessOptions::default().with_precision(precision);
    let tuned = args.tune.apply(&gpu, &weights, options, 0)?;
    let mut options = UpscalerOptions::for_device(&gpu.device)
        .with_precision(precision)
        .with_tile(args.tile)
        .with_target_format(wgpu::TextureFormat::Rgba32Float);
    options.conv_shape = tuned.conv_shape.unwrap_or(options.conv_shape);
    let (width, height) = Enlargement::from(args.scale).size(source)?;
    let pixels = width as usize * height as usize;
    let mut schedule = Schedule::for_device(&gpu.device, &weights, &options, pixels)?;
    for kernel in &mut schedule.kernels {
        kernel.file = file_name(&kernel.shader, language);
    }
    let picture = schedule.picture(source, args.scale)?;
    Ok(Planned {
        adapter: adapter::describe(&gpu.info),
        architecture: architecture.to_string(),
        source: source.into(),
        scale: args.scale,
        schedule,
        picture,
    })
}

/// A network of this shape with nothing but zeros: which kernels run does not depend on them.
fn without_values(architecture: &Architecture, padding: Padding) -> Result<Weights> {
    let layers = architecture.layers().iter().map(|&shape| Layer {
        shape,
        weight: vec![0.0; shape.weights()],
        bias: vec![0.0; shape.filters],
    });
    let metadata = Metadata { channels: channels(architecture), padding, ..Metadata::default() };
    Weights::new(layers.collect(), metadata)
}

fn channels(architecture: &Architecture) -> Channels {
    if architecture.channels() == 1 { Channels::Y } else { Channels::Rgb }
}

/// The kernels of training steps. A variant's name tells the settings, the recipe and the kernel's place in a step.
fn of_training(architecture: &Architecture, gpu: &GpuArgs) -> Result<Vec<Shader>> {
    let scale = Scales::new([3])?;
    let channels = channels(architecture);
    let gpu = gpu.open()?;
    let mut shaders: Vec<Shader> = Vec::new();
    for (settings, shape) in [("gpu", Shape::for_gpus()), ("software", Shape::for_device(&gpu.device))] {
        for (recipe, name) in [(Recipe::Paper, "paper"), (Recipe::Fast, "fast")] {
            let TrainConfig { optimizer, initialization, batch, patch, .. } =
                recipe.config(scale.clone(), architecture, channels);
            let metadata = Metadata { channels, ..Metadata::default() };
            let weights = initialize(architecture, initialization, 0, metadata)?;
            let state = State::new(weights.layers().to_vec(), optimizer.slots()).with_average();
            let options = TrainerOptions::new(batch, patch, optimizer).with_shape(shape).with_average(0.999);
            let trainer = Trainer::new(&gpu.device, &gpu.queue, &state, &options)?;
            for (place, shader) in trainer.shaders().enumerate() {
                let variant = format!("training-{settings}-{name}-{place:02}-{}", shader.variant);
                if !shaders.iter().any(|s| s.wgsl == shader.wgsl && s.overrides == shader.overrides) {
                    shaders.push(Shader { variant, ..shader.clone() });
                }
            }
        }
    }
    Ok(shaders)
}
