//! `srcnn-gpu shaders`: writes the kernels as files, for driver bug reports and for porting.

use std::io::Write;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use srcnn_gpu::gpu::kernels::variants;
use srcnn_gpu::gpu::translate::{Language, translate};
use srcnn_gpu::{Architecture, Result};

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
/// [`Error::InvalidArgument`] for an impossible network, [`Error::Output`] for a folder that cannot be written to.
pub fn run(args: &ShadersArgs) -> Result<()> {
    let architecture = Architecture::parse(&args.arch, &args.filters, args.channels)?;
    let language = Language::from(args.language);
    create_folder(&args.output)?;
    for shader in variants(&architecture).into_iter().filter(|shader| language.has(shader)) {
        let path = args.output.join(format!("{}.{}", shader.variant, language.extension(&shader)));
        let text = translate(&shader, language)?;
        write_atomically(&path, |file| file.write_all(&text))?;
        print(path.display())?;
    }
    Ok(())
}
