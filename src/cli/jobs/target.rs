//! Where results go, what they are called, and which kind of file they are.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use srcnn_gpu::{Error, Result};

use super::find::Found;
use super::index::Index;
use super::indexes::Indexes;
use super::job::{Job, Record, parent};
use super::name::Name;
use super::naming::{Naming, OutputFormat};
use crate::cli::output::Clash;
use srcnn_gpu::picture::{Kind, is_animated_gif};

/// In made-up names, what stands between a picture's name and the size: `a_srcnn_x2.png`.
pub const MARK: &str = "_srcnn_";
/// Extension of video files.
pub const Y4M: &str = "y4m";

/// Where results go.
pub enum Target {
    /// Into the input's own folder, under a made-up name.
    Beside,
    Folder(PathBuf),
    File(PathBuf, &'static Kind),
}

impl Target {
    /// What `-o` means: a folder if it is one, ends like one, or there are several inputs.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] for neither a folder nor the name of a picture, [`Error::Output`] for a file in a folder
    /// that does not exist.
    pub fn new(output: Option<&Path>, several: bool, format: Option<OutputFormat>) -> Result<Self> {
        let Some(path) = output else { return Ok(Target::Beside) };
        let ends_like_folder = path.as_os_str().to_string_lossy().ends_with(std::path::is_separator);
        if path.is_dir() || ends_like_folder {
            return Ok(Target::Folder(path.into()));
        }
        let named = Kind::of(path);
        let is_video = format == Some(OutputFormat::Y4m);
        if several {
            let is_file = if is_video { is_y4m(path) } else { named.is_some() };
            return match is_file || path.exists() {
                true => Err(Error::invalid(format!(
                    "several inputs need an output folder, {} is a file",
                    path.display()
                ))),
                false => Ok(Target::Folder(path.into())),
            };
        }
        let kind = match (named, format) {
            (Some(named), Some(OutputFormat::Kind(asked))) if named.format != asked.format => {
                return Err(Error::invalid(format!(
                    "output {}: its extension does not go with --format {}",
                    path.display(),
                    asked.extension
                )));
            }
            (None, Some(OutputFormat::Kind(asked))) => asked,
            (_, Some(OutputFormat::Y4m)) => {
                check_y4m(path)?;
                Kind::fallback()
            }
            (Some(named), _) => named,
            (None, _) => {
                return Err(Error::invalid(format!(
                    "output {}: its extension is none of {}; a folder that does not exist yet ends in /",
                    path.display(),
                    Kind::extensions()
                )));
            }
        };
        let folder = parent(path);
        if !folder.is_dir() {
            let reason = format!("there is no folder {}", folder.display());
            return Err(Error::Output { path: path.into(), reason: reason.into() });
        }
        Ok(Target::File(path.into(), kind))
    }

    /// The job for one picture. In an output folder, results keep the name and the subfolder of their picture.
    pub fn job(&self, found: Found, naming: &Naming, indexes: &Indexes) -> Job {
        let Found { path: input, below } = found;
        let about = std::fs::metadata(&input).ok();
        let bytes = about.as_ref().map_or(0, std::fs::Metadata::len);
        // Until the plan decides, nothing may be replaced.
        let clash = Clash::Keep;
        let is_file = about.is_some_and(|about| about.is_file());
        let record = |index: Option<Arc<Index>>, file: &Path| {
            let (file, picture) = (Name::of(file), Arc::default());
            index.filter(|_| is_file).map(|index| Record { index, file, picture })
        };
        let in_folder_of = |output: &Path| {
            let name = output.file_name().unwrap_or_default();
            record(indexes.to_record(parent(output)), Path::new(name))
        };
        if let Target::File(output, kind) = self {
            let output = output.clone();
            // One file needs no index, but one that is there stays right.
            let known = indexes.for_files || indexes.existing(parent(&output)).is_some();
            let record = if known { in_folder_of(&output) } else { None };
            return Job { input, output, clash, stale: None, kind, bytes, record };
        }
        let own = Kind::of(&input);
        let kind = match naming.format {
            Some(OutputFormat::Kind(kind)) => kind,
            Some(OutputFormat::Same) => own.unwrap_or(Kind::fallback()),
            Some(OutputFormat::Y4m) => Kind::fallback(),
            // Enlarging a single picture makes more colors than a GIF file can hold.
            None => own
                .filter(|kind| kind.extension != "gif" || is_animated_gif(&input))
                .unwrap_or(Kind::fallback()),
        };
        let mut name = input.file_stem().unwrap_or_default().to_owned();
        if matches!(self, Target::Beside) {
            name.push(format!("{MARK}{}", naming.size));
        }
        // In the input's own spelling, such as PNG, if the format stays the same.
        name.push(".");
        let is_video = naming.format == Some(OutputFormat::Y4m);
        match input.extension().filter(|_| !is_video && own.is_some_and(|own| own.format == kind.format)) {
            Some(extension) => name.push(extension),
            None => name.push(if is_video { Y4M } else { kind.extension }),
        }
        let Target::Folder(folder) = self else {
            let output = input.with_file_name(name);
            let record = in_folder_of(&output);
            return Job { input, output, clash, stale: None, kind, bytes, record };
        };
        let below = below.with_file_name(name);
        let record = record(indexes.to_record(folder), &below);
        Job { input, output: folder.join(below), clash, stale: None, kind, bytes, record }
    }
}

/// Whether a name is that of a video.
pub fn is_y4m(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case(Y4M))
}

/// Refuses the name of a file that programs would expect something else in than YUV4MPEG2. Any other name will do.
///
/// # Errors
/// [`Error::InvalidArgument`].
pub fn check_y4m(path: &Path) -> Result<()> {
    const OTHERS: [&str; 18] = [
        "3gp", "avi", "flv", "gif", "h264", "h265", "hevc", "m2ts", "m4v", "mkv", "mov", "mp4", "mpeg",
        "mpg", "ogv", "ts", "webm", "wmv",
    ];
    let extension = path.extension().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
    if OTHERS.contains(&&*extension) || Kind::of(path).is_some() {
        return Err(Error::invalid(format!(
            "output {}: the result is a YUV4MPEG2 stream, which no .{extension} file holds; write .y4m, or pipe it \
             to a program that encodes (-o -)",
            path.display()
        )));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_outputs() {
        let job = |target: Target, input: &str, below: &str, format| {
            let found = Found { path: input.into(), below: below.into() };
            let naming = Naming { size: "x1.5".into(), format };
            target.job(found, &naming, &Indexes::new(None))
        };
        let beside = |input: &str| job(Target::Beside, input, input, None).output;
        assert_eq!(beside("x/a.PNG"), Path::new("x/a_srcnn_x1.5.PNG"));
        assert_eq!(beside("a.b.gif"), Path::new("a.b_srcnn_x1.5.png"));
        let folder = job(Target::Folder("out".into()), "x/y/a.jpg", "y/a.jpg", None);
        assert_eq!((folder.output.as_path(), folder.kind.extension), (Path::new("out/y/a.jpg"), "jpg"));
        let webp = Kind::named("webp").map(OutputFormat::Kind);
        let folder = job(Target::Folder("out".into()), "x/a.JPG", "a.JPG", webp);
        assert_eq!((folder.output.as_path(), folder.kind.extension), (Path::new("out/a.webp"), "webp"));
    }
}
