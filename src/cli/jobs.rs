//! From the arguments of `upscale` to a list of files to read and write.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use image::ImageFormat;
use srcnn_gpu::{Error, Result};

use super::output::Existing;
use super::picture::Kind;
use super::picture::animation::Animation;
use super::upscale::{Format, SizeArgs};

/// What stands between a picture's name and the size in names that are made up: `a_srcnn_x2.png`.
const MARK: &str = "_srcnn_";

/// One picture to enlarge.
#[derive(Debug)]
pub struct Job {
    pub input: PathBuf,
    pub output: PathBuf,
    pub kind: &'static Kind,
}

/// All pictures to enlarge, and where the results go.
#[derive(Debug)]
pub struct Plan {
    /// In the order of the arguments; errors are inputs that cannot be used.
    pub jobs: Vec<Result<Job>>,
    pub existing: Existing,
    /// The output folder, where one was given.
    folder: Option<PathBuf>,
    /// Existing inputs, in canonical form: never written to.
    inputs: HashSet<PathBuf>,
}

/// How results are named and what they are written as.
#[derive(Debug, Default)]
pub struct Naming {
    /// The size in a word.
    pub size: String,
    /// `None` when names decide.
    pub format: Option<Format>,
}

/// Where results go.
enum Target {
    Beside,
    Folder(PathBuf),
    File(PathBuf, &'static Kind),
}

impl Plan {
    /// Finds the pictures and their outputs; nothing is written yet.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] for arguments that do not go together, [`Error::Output`] for an
    /// output file whose folder does not exist.
    pub fn new(
        inputs: &[PathBuf],
        output: Option<&Path>,
        naming: &Naming,
        existing: Option<Existing>,
    ) -> Result<Self> {
        if inputs.is_empty() {
            return Err(Error::invalid("no input: name a picture or a folder of pictures"));
        }
        let several = inputs.len() > 1 || inputs[0].is_dir();
        let target = target(output, several, naming.format)?;
        let mut seen = HashSet::new();
        let mut found = Vec::new();
        for input in inputs {
            match expand(input, output.is_none()) {
                Ok(files) => found.extend(files.into_iter().filter(|file| seen.insert(file.clone())).map(Ok)),
                Err(error) => found.push(Err(error)),
            }
        }
        let inputs = found.iter().flatten().filter_map(|file| file.canonicalize().ok()).collect();
        let mut outputs = HashSet::new();
        let jobs = found
            .into_iter()
            .map(|input| {
                let job = target.job(input?, naming);
                if outputs.insert(job.output.clone()) {
                    return Ok(job);
                }
                Err(Error::Picture(format!(
                    "{}: another input is written to {} already; give each its own folder",
                    job.input.display(),
                    job.output.display()
                )))
            })
            .collect();
        let default = if matches!(target, Target::File(..)) { Existing::Overwrite } else { Existing::Skip };
        let folder = if let Target::Folder(folder) = target { Some(folder) } else { None };
        Ok(Self { jobs, existing: existing.unwrap_or(default), folder, inputs })
    }

    /// Creates the output folder if need be and makes sure that files can be created in it.
    ///
    /// # Errors
    /// [`Error::Output`].
    pub fn prepare_folder(&self) -> Result<()> {
        let Some(folder) = &self.folder else { return Ok(()) };
        if !folder.exists() {
            std::fs::create_dir(folder).map_err(|e| Error::Output {
                path: folder.clone(),
                reason: format!("the folder cannot be created: {e}"),
            })?;
        }
        check_writable(folder)
    }

    /// The file to write for a job, `None` when it is to be skipped.
    ///
    /// # Errors
    /// [`Error::Output`] when nothing may or can be written there.
    pub fn resolve(&self, job: &Job) -> Result<Option<PathBuf>> {
        let path = &job.output;
        let refuse = |reason: &str| Err(Error::Output { path: path.clone(), reason: reason.into() });
        check_writable(parent(path))?;
        if path.is_dir() {
            return refuse("it is a folder");
        }
        let is_input = path.canonicalize().is_ok_and(|path| self.inputs.contains(&path));
        if is_input && self.existing != Existing::Rename {
            return refuse("it is an input; choose another name, another folder, or --existing rename");
        }
        self.existing.resolve(path)
    }
}

impl Target {
    /// The job for one picture. A picture in a folder that was named keeps its own name.
    fn job(&self, input: PathBuf, naming: &Naming) -> Job {
        if let Target::File(output, kind) = self {
            return Job { input, output: output.clone(), kind };
        }
        let own = Kind::of(&input);
        let kind = match naming.format {
            Some(Format::Kind(kind)) => kind,
            Some(Format::Same) => own.unwrap_or(Kind::fallback()),
            // A single picture has more colours than its GIF file could hold.
            None => {
                own.filter(|kind| kind.extension != "gif" || is_animated(&input)).unwrap_or(Kind::fallback())
            }
        };
        let mut name = input.file_stem().unwrap_or_default().to_owned();
        if matches!(self, Target::Beside) {
            name.push(format!("{MARK}{}", naming.size));
        }
        // The input's own spelling of the extension, such as PNG, where it can be written.
        name.push(".");
        match input.extension().filter(|_| own.is_some_and(|own| own.format == kind.format)) {
            Some(extension) => name.push(extension),
            None => name.push(kind.extension),
        }
        let output =
            if let Target::Folder(folder) = self { folder.join(name) } else { input.with_file_name(name) };
        Job { input, output, kind }
    }
}

/// What `-o` means: a folder when it is one, ends like one, or there are several inputs.
fn target(output: Option<&Path>, several: bool, format: Option<Format>) -> Result<Target> {
    let Some(path) = output else { return Ok(Target::Beside) };
    let ends_like_folder = path.as_os_str().to_string_lossy().ends_with(std::path::is_separator);
    if path.is_dir() || ends_like_folder {
        return Ok(Target::Folder(path.into()));
    }
    let kind = match (Kind::of(path), format) {
        (Some(named), Some(Format::Kind(asked))) if named.format != asked.format => {
            return Err(Error::invalid(format!(
                "output {}: its extension does not go with --format {}",
                path.display(),
                asked.extension
            )));
        }
        (named, Some(Format::Kind(asked))) => named.or(Some(asked)),
        (named, _) => named,
    };
    if several {
        return match Kind::of(path).is_some() || path.exists() {
            true => Err(Error::invalid(format!(
                "several inputs need an output folder, {} is a file",
                path.display()
            ))),
            false => Ok(Target::Folder(path.into())),
        };
    }
    let Some(kind) = kind else {
        return Err(Error::invalid(format!(
            "output {}: its extension is none of {}; a folder that does not exist yet ends in /",
            path.display(),
            Kind::extensions()
        )));
    };
    let folder = parent(path);
    if !folder.is_dir() {
        let reason = format!("there is no folder {}", folder.display());
        return Err(Error::Output { path: path.into(), reason });
    }
    check_writable(folder)?;
    Ok(Target::File(path.into(), kind))
}

/// The pictures that an argument stands for: itself, or those directly in it, sorted. `skip_results`
/// leaves out what an earlier run has put beside its inputs.
fn expand(input: &Path, skip_results: bool) -> Result<Vec<PathBuf>> {
    let refuse = |why: String| Error::Picture(format!("{}: {why}", input.display()));
    let about = std::fs::metadata(input).map_err(|e| refuse(e.to_string()))?;
    if !about.is_dir() {
        return Ok(vec![input.into()]);
    }
    let mut files = Vec::new();
    for entry in std::fs::read_dir(input).map_err(|e| refuse(e.to_string()))? {
        let path = entry.map_err(|e| refuse(e.to_string()))?.path();
        if path.is_file() {
            files.push(path);
        }
    }
    files.sort();
    let is_picture = |path: &PathBuf| ImageFormat::from_path(path).is_ok_and(|f| f.reading_enabled());
    let (mut pictures, others): (Vec<_>, Vec<_>) = files.into_iter().partition(is_picture);
    if pictures.is_empty() {
        return Err(refuse("there are no pictures in this folder".into()));
    }
    if let Some(first) = others.first().and_then(|path| path.file_name()) {
        let (count, name) = (others.len(), first.to_string_lossy());
        let files = if count == 1 { name.to_string() } else { format!("{count} files ({name}, ..)") };
        log::warn!("{}: not pictures, left out: {files}", input.display());
    }
    if skip_results {
        pictures.retain(|path| !is_result(path));
    }
    Ok(pictures)
}

/// Whether a name looks like one that this program made up: `.._srcnn_x2.png`.
fn is_result(path: &Path) -> bool {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    stem.rsplit_once(MARK).is_some_and(|(_, size)| SizeArgs::is_label(size))
}

/// Whether a GIF file holds more than one picture.
fn is_animated(path: &Path) -> bool {
    Animation::of(path, Some(ImageFormat::Gif)).is_some()
}

/// The folder that a file is in.
fn parent(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Creates a nameless file in a folder: permissions alone do not tell, on network drives for one.
fn check_writable(folder: &Path) -> Result<()> {
    let outcome = tempfile::tempfile_in(folder);
    outcome.map(drop).map_err(|e| Error::Output {
        path: folder.into(),
        reason: format!("no file can be created in this folder: {e}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_outputs() {
        let naming = |size: &str, format| Naming { size: size.into(), format };
        let beside = |input: &str, size| Target::Beside.job(input.into(), &naming(size, None)).output;
        assert_eq!(beside("x/a.PNG", "x1.5"), Path::new("x/a_srcnn_x1.5.PNG"));
        assert_eq!(beside("a.b.gif", "x2"), Path::new("a.b_srcnn_x2.png"));
        let folder = Target::Folder("out".into()).job("x/a.jpg".into(), &naming("x2", None));
        assert_eq!((folder.output.as_path(), folder.kind.extension), (Path::new("out/a.jpg"), "jpg"));
        let webp = Kind::named("webp").map(Format::Kind);
        let folder = Target::Folder("out".into()).job("x/a.JPG".into(), &naming("x2", webp));
        assert_eq!((folder.output.as_path(), folder.kind.extension), (Path::new("out/a.webp"), "webp"));
    }

    #[test]
    fn own_results_are_known() {
        assert!(is_result(Path::new("a/b_srcnn_x2.png")) && is_result(Path::new("b_srcnn_fit9x8.jpg")));
        assert!(!is_result(Path::new("b_srcnn_xy.png")) && !is_result(Path::new("b.png")));
    }
}
