//! From the arguments of a command to a list of pictures to read and files to write.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::atomic::{self, create_folder};
use crate::error::{Error, Reason, Result};
use crate::picture::refuse;
use parking_lot::Mutex;

use super::destination::{Clash, Destination, Existing, Taken};
use super::find::{self, Found, Search};
use super::index::State;
use super::indexes::Indexes;
use super::job::{Job, parent};
use super::naming::Naming;
use super::results::Results;
use super::shard::Shard;
use super::stamp::{Mark, Seen, Stamp};
use super::target::{Inputs, Target};

/// What a command is asked to do.
#[derive(Default)]
pub struct Request<'a> {
    pub inputs: &'a [PathBuf],
    pub output: Option<&'a Path>,
    pub naming: Naming,
    pub existing: Option<Existing>,
    pub recursive: bool,
    /// Take the videos of folders, and not the pictures.
    pub videos: bool,
    /// Whether the command has -r and --videos, to be recommended.
    pub has_flags: bool,
    pub shard: Option<Shard>,
    /// Whether results are smaller than their pictures, so that enlarging them is no second time.
    pub shrinks: bool,
    /// All settings that the results depend on, in any form. `None` keeps no record of the results.
    pub settings: Option<String>,
}

/// All pictures to work on, and where the results go.
#[derive(Debug)]
pub struct Plan {
    /// In the order of the arguments; an error stands for an unusable input.
    pub jobs: Vec<Result<Job>>,
    existing: Existing,
    /// The output folder, if one was given.
    folder: Option<PathBuf>,
    beside: bool,
    indexes: Indexes,
    /// Canonical paths of the inputs, which are never written to.
    inputs: HashSet<PathBuf>,
    /// Folders known to be writable.
    writable: Mutex<HashSet<PathBuf>>,
    /// Names given to results.
    taken: Arc<Taken>,
}

/// What to do about a job.
pub enum Decision {
    /// Make the result.
    Make(Box<Job>),
    /// Keep the file that is there.
    Keep(Kept),
}

/// Why a result is not made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// The file is what would be made.
    Fresh,
    /// Nothing is known about the file.
    Exists,
    /// Nothing is known about the file, which is older than its picture.
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
        let mut indexes = Indexes::new(request.settings.clone());
        indexes.shrinks = request.shrinks;
        indexes.for_files = request.existing == Some(Existing::Skip);
        let search = Search {
            recursive: request.recursive,
            videos: request.videos,
            has_flags: request.has_flags,
            stay_out: output.filter(|_| request.recursive).and_then(|folder| folder.canonicalize().ok()),
            results: &Results::new(&indexes, *output),
        };
        let found = find::find(inputs, &search);
        let itself = |found: &[Result<Found>]| match found {
            [Ok(found)] => found.path == inputs[0],
            found => found.len() == 1,
        };
        let inputs = match inputs {
            [folder] if folder.is_dir() => Inputs::Folder,
            [_] if itself(&found) => Inputs::One,
            _ => Inputs::Several,
        };
        let target = Target::new(*output, inputs, naming.format)?;
        let canonical = found.iter().flatten().filter_map(|found| found.path.canonicalize().ok()).collect();
        let mut outputs = HashSet::new();
        let jobs = found.into_iter().map(|found| {
            let job = target.job(found?, naming, &indexes);
            if outputs.insert(job.output.clone()) {
                return Ok(job);
            }
            let output = job.output.display();
            Err(refuse(
                &job.input,
                format!("another input is written to {output} already; give each its own folder"),
            ))
        });
        // Numbered before sharing, so that all parts agree on the numbers.
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
            indexes,
            inputs: canonical,
            writable: Mutex::default(),
            taken: Arc::new(Taken::new(outputs)),
        })
    }

    /// Creates the output folder if necessary and makes sure that files can be created in it.
    ///
    /// # Errors
    /// [`Error::Output`].
    pub fn prepare_folder(&self) -> Result<()> {
        let Some(folder) = &self.folder else { return Ok(()) };
        // Another process may have created it in the meantime.
        if let Err(e) = std::fs::create_dir(folder)
            && !folder.is_dir()
        {
            return Err(Error::Output {
                path: folder.clone(),
                reason: Reason::from(e).within("the folder cannot be created"),
            });
        }
        self.check_writable(folder)
    }

    /// What to do about a job, and under which name; writes nothing.
    ///
    /// # Errors
    /// [`Error::Output`] if nothing may be written there.
    pub fn decide(&self, job: Job) -> Result<Decision> {
        let path = &job.output;
        let refuse = |reason: &str| Err(Error::Output { path: path.clone(), reason: reason.into() });
        if path.is_dir() {
            return refuse("it is a folder");
        }
        let is_input = path.canonicalize().is_ok_and(|path| self.inputs.contains(&path));
        if is_input && self.existing != Existing::Rename {
            return refuse("it is an input; choose another name, another folder, or --existing rename");
        }
        Ok(match self.existing.resolve_among(path, &self.taken)? {
            // The record is under the original name.
            Some(Destination { path, clash }) => {
                let record = job.record.filter(|_| path == job.output);
                Decision::Make(Box::new(Job { record, output: path, clash, ..job }))
            }
            None => {
                let stale = std::fs::metadata(path).ok().map(|about| Stamp::of(&about));
                match self.kept(&job) {
                    Some(kept) => Decision::Keep(kept),
                    None => Decision::Make(Box::new(Job { clash: Clash::Replace, stale, ..job })),
                }
            }
        })
    }

    /// Why to keep the file that is there, `None` for a result that is out of date.
    fn kept(&self, job: &Job) -> Option<Kept> {
        let (Some(result), Some(picture)) = (Seen::at(&job.output), Seen::at(&job.input)) else {
            return Some(Kept::Exists);
        };
        let is_older = result.stamp.is_older(&picture.stamp);
        let known = job.record.as_ref().map(|record| record.index.state(&record.file, &result, &picture));
        match known.unwrap_or(State::Unknown) {
            State::Fresh => Some(Kept::Fresh),
            // The name says whose result it is and of what size; the time has to say the rest.
            State::Unknown if self.beside && is_older => self.outdated(job, "its picture has changed"),
            State::Unknown if is_older => Some(Kept::Older),
            State::Unknown => Some(Kept::Exists),
            State::Stale(why) => self.outdated(job, why),
        }
    }

    fn outdated(&self, job: &Job, why: &str) -> Option<Kept> {
        log::info!("{} is made again: {why}", job.output.display());
        None
    }

    /// Makes sure that the folder of a job's output exists and is writable, and looks at the picture before it is read.
    ///
    /// # Errors
    /// [`Error::Output`].
    pub fn prepare(&self, job: &Job) -> Result<()> {
        if let Some(record) = &job.record
            && let Ok(mark) = Mark::of_picture(&job.input)
        {
            // Each job is prepared once; a second look at the same picture would only be later.
            let _ = record.picture.set(mark);
        }
        // Devices and pipes are written to directly.
        if std::fs::metadata(&job.output).is_ok_and(|about| !about.is_file()) {
            return Ok(());
        }
        let folder = parent(&job.output);
        if self.folder.as_ref().is_some_and(|root| folder.starts_with(root)) {
            create_folder(folder)?;
        }
        self.check_writable(folder)
    }

    /// Ends the work: writes down what was found out about files whose stamps have changed, but not their content.
    pub fn settle(&self) {
        self.indexes.settle();
    }

    /// Tries once to create a nameless file in a folder, because permissions do not suffice, for example on network
    /// drives. Also removes what killed runs of this program have left there.
    fn check_writable(&self, folder: &Path) -> Result<()> {
        if !self.writable.lock().insert(folder.into()) {
            return Ok(());
        }
        tempfile::tempfile_in(folder).map_err(|e| {
            self.writable.lock().remove(folder);
            Error::Output {
                path: folder.into(),
                reason: Reason::from(e).within("no file can be created in this folder"),
            }
        })?;
        atomic::sweep(folder);
        Ok(())
    }
}
