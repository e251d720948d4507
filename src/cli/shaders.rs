//! `srcnn-gpu shaders`: writes the kernels as files, for driver bug reports and for porting.

use std::io::Write;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use srcnn_gpu::dictionary;
use srcnn_gpu::gpu::kernels::{Shader, variants};
use srcnn_gpu::gpu::translate::{Language, translate};
use srcnn_gpu::train::State;
use srcnn_gpu::train::config::TrainConfig;
use srcnn_gpu::train::gpu::{Shape, Trainer, TrainerOptions};
use srcnn_gpu::train::init::initialize;
use srcnn_gpu::train::recipe::Recipe;
use srcnn_gpu::{Architecture, Channels, Metadata, Result};

use crate::cli::args::gpu::GpuArgs;
use crate::cli::output::{create_folder, print, write_atomically};

/// Write every kernel that a network may use on any adapter as a file
#[derive(Debug, Args)]
#[command(after_help = "Example: srcnn-gpu shaders -l spirv -o kernels")]
pub struct ShadersArgs {
    /// Language of the files
    #[arg(short, long, value_enum, default_value = "wgsl", value_name = "LANGUAGE")]
    language: LanguageName,
    /// Folder to write to; it is created if it is missing, and files of the same names are replaced
    #[arg(short, long, value_name = "DIR")]
    output: PathBuf,
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

/// Writes the files and prints their paths.
///
/// # Errors
/// [`Error::InvalidArgument`](srcnn_gpu::Error::InvalidArgument) for an impossible network,
/// [`Error::Output`](srcnn_gpu::Error::Output) for a folder that cannot be written to; for training, as [`Trainer::new`].
pub fn run(args: &ShadersArgs) -> Result<()> {
    let architecture = Architecture::parse(&args.arch, &args.filters, args.channels)?;
    let language = Language::from(args.language);
    let mut shaders = variants(&architecture);
    shaders.extend(dictionary::variants());
    if args.training {
        shaders.extend(of_training(&architecture, &args.gpu)?);
    }
    create_folder(&args.output)?;
    for shader in shaders.into_iter().filter(|shader| language.has(shader)) {
        let path = args.output.join(format!("{}.{}", shader.variant, language.extension(&shader)));
        let text = translate(&shader, language)?;
        write_atomically(&path, |file| file.write_all(&text))?;
        print(path.display())?;
    }
    Ok(())
}

/// The kernels of training steps. A variant's name tells the settings, the recipe and the kernel's place in a step.
fn of_training(architecture: &Architecture, gpu: &GpuArgs) -> Result<Vec<Shader>> {
    const SCALE: usize = 3;
    let channels = if architecture.channels() == 1 { Channels::Y } else { Channels::Rgb };
    let gpu = gpu.open()?;
    let mut shaders: Vec<Shader> = Vec::new();
    for (settings, shape) in [("gpu", Shape::for_gpus()), ("software", Shape::for_device(&gpu.device))] {
        for (recipe, name) in [(Recipe::Paper, "paper"), (Recipe::Fast, "fast")] {
            let TrainConfig { optimizer, initialization, batch, patch, .. } =
                recipe.config(SCALE, architecture, channels);
            let metadata = Metadata { channels, ..Metadata::default() };
            let weights = initialize(architecture, initialization, 0, metadata)?;
            let state = State::new(weights.layers().to_vec(), optimizer.slots());
            let options = TrainerOptions::new(batch, patch, optimizer).with_shape(shape);
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
