//! Where results go, what they are called, and which kind of file they are.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::error::{Error, Result};

use super::container::Container;
use super::destination::Clash;
use super::find::Found;
use super::index::Index;
use super::indexes::Indexes;
use super::job::{Job, Record, parent};
use super::name::Name;
use super::naming::{MARK, Naming, OutputFormat};
use crate::picture::{Kind, is_animated_gif};

/// Where results go.
pub enum Target {
    /// Into the input's own folder, under a made-up name.
    Beside,
    Folder(PathBuf),
    File(PathBuf, &'static Kind),
}

/// What is given to work on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Inputs {
    One,
    Several,
    Folder,
}

impl Target {
    /// What `-o` means: a folder if it is one, ends like one, or there are several inputs.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] for neither a folder nor the name of a picture, [`Error::Output`] for a file in a folder
    /// that does not exist.
    pub fn new(output: Option<&Path>, inputs: Inputs, format: Option<OutputFormat>) -> Result<Self> {
        let Some(path) = output else { return Ok(Target::Beside) };
        let ends_like_folder = path.as_os_str().to_string_lossy().ends_with(std::path::is_separator);
        if path.is_dir() || ends_like_folder {
            return Ok(Target::Folder(path.into()));
        }
        let named = Kind::of(path);
        let is_video = matches!(format, Some(OutputFormat::Video(_)));
        if inputs != Inputs::One {
            let is_file = if is_video { Container::of(path).is_some() } else { named.is_some() };
            return match is_file || path.exists() {
                true => {
                    let what =
                        if inputs == Inputs::Folder { "the files of a folder" } else { "several inputs" };
                    let is = if path.exists() { "is a file" } else { "is the name of a file" };
                    Err(Error::invalid(format!("{what} need an output folder, {} {is}", path.display())))
                }
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
            (_, Some(OutputFormat::Video(asked))) => {
                video_name(path, asked)?;
                Kind::fallback()
            }
            (Some(named), _) => named,
            (None, _) => {
                return Err(no_kind(path, &Kind::extensions(), ""));
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
            Some(OutputFormat::Video(_)) => Kind::fallback(),
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
        let (is_same, extension) = match naming.format {
            Some(OutputFormat::Video(asked)) => {
                let container = asked.unwrap_or_else(|| Container::of_result(&input));
                (Container::of(&input) == Some(container), container.extension)
            }
            _ => (own.is_some_and(|own| own.format == kind.format), kind.extension),
        };
        match input.extension().filter(|_| is_same) {
            Some(own) => name.push(own),
            None => name.push(extension),
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

/// Makes sure that a video can have this name: that of a container that goes with the one asked for, or a device's.
///
/// # Errors
/// [`Error::InvalidArgument`].
pub fn video_name(path: &Path, asked: Option<&'static Container>) -> Result<()> {
    match (Container::of(path), asked) {
        (Some(named), Some(asked)) if named != asked => Err(Error::invalid(format!(
            "output {}: its extension does not go with --format {}",
            path.display(),
            asked.extension
        ))),
        (None, None) if std::fs::metadata(path).map_or(true, |about| about.is_file()) => {
            Err(no_kind(path, &Container::extensions(), "; -f says the format of any other name"))
        }
        _ => Ok(()),
    }
}

/// The error for a name that says neither which kind of file it is nor that it is a folder.
fn no_kind(path: &Path, known: &str, more: &str) -> Error {
    let (name, known) = (path.display(), format!("one of {known}{more}"));
    Error::invalid(match path.extension() {
        Some(extension) => {
            let extension = extension.to_string_lossy();
            format!("output {name}: .{extension} is not {known}; a folder that does not exist yet ends in /")
        }
        None => format!(
            "output {name}: write {name}/ for a folder that does not exist yet; the name of a file ends in {known}"
        ),
    })
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
        let video = |input: &str, asked: Option<&str>| {
            let format = Some(OutputFormat::Video(asked.map(|asked| Container::named(asked).unwrap())));
            job(Target::Beside, input, input, format).output
        };
        assert_eq!(video("x/a.MP4", None), Path::new("x/a_srcnn_x1.5.MP4"));
        assert_eq!(video("a.avi", None), Path::new("a_srcnn_x1.5.mkv"));
        assert_eq!(video("a.y4m", Some("webm")), Path::new("a_srcnn_x1.5.webm"));
    }
}
