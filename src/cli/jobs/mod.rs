//! From the arguments of a command to a list of files to read and write.

use std::collections::HashSet;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use srcnn_gpu::{Error, Result, atomic};

use crate::cli::output::{Existing, Taken, write_atomically};
use find::{Found, Search};
pub use index::fingerprint;
use index::{Index, Stamp, State};
pub use shard::Shard;
use srcnn_gpu::picture::Kind;
pub use target::Naming;
use target::Target;

mod find;
mod index;
mod shard;
mod target;

/// One picture to work on.
#[derive(Debug, Clone)]
pub struct Job {
    pub input: PathBuf,
    pub output: PathBuf,
    pub kind: &'static Kind,
    /// Size of the input's file, a measure of the work.
    pub bytes: u64,
    record: Option<Record>,
}

/// What is written down about a result.
#[derive(Debug, Clone)]
struct Record {
    index: Arc<Index>,
    /// The result's path in its folder.
    file: String,
    picture: Stamp,
}

/// What a command is asked to do.
#[derive(Default)]
pub struct Request<'a> {
    pub inputs: &'a [PathBuf],
    pub output: Option<&'a Path>,
    pub naming: Naming,
    pub existing: Option<Existing>,
    pub recursive: bool,
    pub shard: Option<Shard>,
    /// All settings that the results depend on, in any form; without it, nothing is written down about them.
    pub settings: Option<String>,
}

/// All pictures to work on, and where the results go.
#[derive(Debug)]
pub struct Plan {
    /// In the order of the arguments; errors are inputs that cannot be used.
    pub jobs: Vec<Result<Job>>,
    existing: Existing,
    /// The output folder, where one was given.
    folder: Option<PathBuf>,
    beside: bool,
    /// Existing inputs, in canonical form: never written to.
    inputs: HashSet<PathBuf>,
    /// Folders that are known to take files.
    writable: Mutex<HashSet<PathBuf>>,
    /// Names that are given to results.
    taken: Taken,
}

/// What is to be done about a job.
pub enum Decision {
    /// Make the result.
    Make(Job),
    /// Leave what is there.
    Keep(Kept),
}

/// Why a result is not made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// What is there is what would be made.
    Fresh,
    /// Nothing is known about what is there.
    Exists,
    /// The same, and it is older than its picture.
    Older,
}

impl Kept {
    pub fn why(self) -> &'static str {
        match self {
            Kept::Fresh => "it is up to date",
            Kept::Exists => "it exists already",
            Kept::Older => "it exists already, older than its picture and not made by this program",
        }
    }
}

impl Plan {
    /// Finds the pictures and their outputs; nothing is written yet.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] for arguments that do not go together, [`Error::Output`] for an
    /// output file whose folder does not exist.
    pub fn new(request: &Request<'_>) -> Result<Self> {
        let Request { inputs, output, naming, .. } = request;
        if inputs.is_empty() {
            return Err(Error::invalid("no input: name a picture or a folder of pictures"));
        }
        let search = Search {
            recursive: request.recursive,
            stay_out: output.filter(|_| request.recursive).and_then(|folder| folder.canonicalize().ok()),
            is_result: &|path| output.is_none() && target::is_result(path),
        };
        let found = find::find(inputs, &search);
        let itself = |found: &[Result<Found>]| match found {
            [Ok(found)] => found.path == inputs[0],
            found => found.len() == 1,
        };
        let several = inputs.len() > 1 || inputs[0].is_dir() || !itself(&found);
        let target = Target::new(*output, several, naming.format)?;
        let canonical = found.iter().flatten().filter_map(|found| found.path.canonicalize().ok()).collect();
        let index = match (&target, &request.settings) {
            (Target::Folder(folder), Some(settings)) => Some(Arc::new(Index::open(folder, settings))),
            _ => None,
        };
        let mut outputs = HashSet::new();
        let jobs = found.into_iter().map(|found| {
            let job = target.job(found?, naming, index.as_ref());
            if outputs.insert(job.output.clone()) {
                return Ok(job);
            }
            Err(Error::Picture(format!(
                "{}: another input is written to {} already; give each its own folder",
                job.input.display(),
                job.output.display()
            )))
        });
        // All are numbered, so that all parts agree on the numbers.
        let jobs: Vec<_> = jobs.collect();
        let mine = |position: usize| request.shard.is_none_or(|shard| shard.has(position));
        let jobs = jobs
            .into_iter()
            .enumerate()
            .filter(|(position, _)| mine(*position))
            .map(|(_, job)| job)
            .collect();
        let default = if matches!(target, Target::File(..)) { Existing::Overwrite } else { Existing::Skip };
        Ok(Self {
            jobs,
            existing: request.existing.unwrap_or(default),
            beside: matches!(target, Target::Beside),
            folder: if let Target::Folder(folder) = target { Some(folder) } else { None },
            inputs: canonical,
            writable: Mutex::default(),
            taken: Taken::new(outputs),
        })
    }

    /// Creates the output folder if need be and makes sure that files can be created in it.
    ///
    /// # Errors
    /// [`Error::Output`].
    pub fn prepare_folder(&self) -> Result<()> {
        let Some(folder) = &self.folder else { return Ok(()) };
        // One of several processes creates it.
        if let Err(e) = std::fs::create_dir(folder)
            && !folder.is_dir()
        {
            return Err(Error::Output {
                path: folder.clone(),
                reason: format!("the folder cannot be created: {e}"),
            });
        }
        self.check_writable(folder)
    }

    /// What is to be done about a job, and under which name; writes nothing.
    ///
    /// # Errors
    /// [`Error::Output`] when nothing may be written there.
    pub fn decide(&self, mut job: Job) -> Result<Decision> {
        let path = &job.output;
        let refuse = |reason: &str| Err(Error::Output { path: path.clone(), reason: reason.into() });
        if path.is_dir() {
            return refuse("it is a folder");
        }
        let is_input = path.canonicalize().is_ok_and(|path| self.inputs.contains(&path));
        if is_input && self.existing != Existing::Rename {
            return refuse("it is an input; choose another name, another folder, or --existing rename");
        }
        if let (Some(record), Ok(about)) = (&mut job.record, std::fs::metadata(&job.input)) {
            record.picture = Stamp::of(&about);
        }
        Ok(match self.existing.resolve_among(path, &self.taken)? {
            // What goes by another name is not found by its record.
            Some(output) => {
                Decision::Make(Job { record: job.record.filter(|_| output == job.output), output, ..job })
            }
            None => match self.kept(&job) {
                Some(kept) => Decision::Keep(kept),
                None => Decision::Make(job),
            },
        })
    }

    /// Why the file that is there is left, `None` when it is a result that is out of date.
    fn kept(&self, job: &Job) -> Option<Kept> {
        let stamp = |path: &Path| std::fs::metadata(path).ok().map(|about| Stamp::of(&about));
        let (Some(result), Some(picture)) = (stamp(&job.output), stamp(&job.input)) else {
            return Some(Kept::Exists);
        };
        let state = match &job.record {
            Some(record) => record.index.state(&record.file, result, picture),
            // The name says whose result it is and of what size; the time has to say the rest.
            None if self.beside && result.is_older(&picture) => State::Stale("its picture has changed"),
            None => State::Unknown,
        };
        match state {
            State::Fresh => Some(Kept::Fresh),
            State::Unknown if result.is_older(&picture) => Some(Kept::Older),
            State::Unknown => Some(Kept::Exists),
            State::Stale(why) => {
                log::info!("{} is made again: {why}", job.output.display());
                None
            }
        }
    }

    /// Makes sure that the folder of a job's output exists and takes files.
    ///
    /// # Errors
    /// [`Error::Output`].
    pub fn prepare(&self, job: &Job) -> Result<()> {
        let folder = parent(&job.output);
        if self.folder.as_ref().is_some_and(|root| folder.starts_with(root)) {
            std::fs::create_dir_all(folder).map_err(|e| Error::Output {
                path: folder.into(),
                reason: format!("the folder cannot be created: {e}"),
            })?;
        }
        self.check_writable(folder)
    }

    /// Creates a nameless file in a folder, once: permissions alone do not tell, on network drives for one. Also
    /// removes what a killed run of this program has left there.
    fn check_writable(&self, folder: &Path) -> Result<()> {
        if !self.writable.lock().unwrap_or_else(PoisonError::into_inner).insert(folder.into()) {
            return Ok(());
        }
        tempfile::tempfile_in(folder).map_err(|e| {
            self.writable.lock().unwrap_or_else(PoisonError::into_inner).remove(folder);
            Error::Output {
                path: folder.into(),
                reason: format!("no file can be created in this folder: {e}"),
            }
        })?;
        atomic::sweep(folder);
        Ok(())
    }
}

impl Job {
    /// Writes the result whole or not at all, and down what it was made from.
    ///
    /// # Errors
    /// As [`write_atomically`].
    pub fn write(&self, fill: impl FnOnce(&mut File) -> io::Result<()>) -> Result<()> {
        write_atomically(&self.output, |out| {
            fill(out)?;
            self.remember(out);
            Ok(())
        })
    }

    fn remember(&self, result: &File) {
        static TOLD: AtomicBool = AtomicBool::new(false);
        let Some(Record { index, file, picture }) = &self.record else { return };
        if let Err(e) = index.add(file, result, *picture)
            && !TOLD.swap(true, Ordering::Relaxed)
        {
            log::warn!(
                "what the results were made from cannot be written down ({e}); later runs take them as they are"
            );
        }
    }

    /// The input's name, for messages.
    pub fn name(&self) -> String {
        self.input.file_name().unwrap_or(self.input.as_os_str()).to_string_lossy().into_owned()
    }
}

/// The folder that a file is in.
fn parent(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}
