//! The short flags of the ncnn-vulkan programs (realesrgan-ncnn-vulkan, waifu2x-ncnn-vulkan, ..), so that front ends
//! made for them work with this program.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use srcnn_gpu::{Error, Result};

use crate::cli::args::models::unknown;

/// Extensions of weight files.
const WEIGHTS: [&str; 2] = ["safetensors", "mat"];
/// The enlargement of those programs if none is asked for.
pub const NCNN_SCALE: f64 = 4.0;
/// Prefixes of the names of those programs' own networks.
const FOREIGN: [&str; 4] = ["realesr", "realsr", "models-", "up2x"];
/// Levels of noise removal, which is what `-n` means to some of those programs.
const NOISE: std::ops::RangeInclusive<i32> = -1..=3;
/// More threads than any machine can use.
const MAX_THREADS: usize = 256;

/// Numbers of threads that read and write, from `-j`: `N`, `L:S` or `L:P:S`. `P`, the threads that compute, is ignored:
/// here it is one for each device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Threads {
    pub load: usize,
    pub save: usize,
}

impl Default for Threads {
    /// More threads write than read: results have more pixels, so encoding takes longer than decoding.
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self { load: (cores / 4).clamp(1, 4), save: (cores / 2).clamp(2, 8) }
    }
}

impl Threads {
    /// At most as many as there are pictures.
    pub fn for_jobs(self, jobs: usize) -> Self {
        let most = jobs.max(1);
        Self { load: self.load.min(most), save: self.save.min(most) }
    }
}

impl FromStr for Threads {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        if text == "auto" {
            return Ok(Self::default());
        }
        let number =
            |word: &str| word.parse::<usize>().ok().filter(|number| (1..=MAX_THREADS).contains(number));
        let numbers = |words: &str| words.split(',').all(|word| number(word).is_some());
        let parts: Vec<_> = text.split(':').collect();
        let threads = match parts.as_slice() {
            [both] => number(both).map(|n| (n, n)),
            [load, save] => number(load).zip(number(save)),
            [load, compute, save] if numbers(compute) => number(load).zip(number(save)),
            _ => None,
        };
        let (load, save) = threads.ok_or_else(|| {
            Error::invalid(format!("load:compute:save or one number is needed, each from 1 to {MAX_THREADS}"))
        })?;
        Ok(Self { load, save })
    }
}

/// Whether an argument is a short flag of `upscale` that the ncnn programs have as well. As the first argument it implies
/// `upscale`: the ncnn programs have no commands.
pub fn is_ncnn_flag(argument: &OsStr) -> bool {
    matches!(argument.as_encoded_bytes(), [b'-', flag, ..] if b"iosgtmnjfx".contains(flag))
}

/// Parses the edge of a tile; 0 leaves it to the program.
pub fn tile(text: &str) -> Result<u32> {
    text.parse().map_err(|_| Error::invalid("a number of pixels is needed, or 0 for what suits the adapter"))
}

/// The weight files or built-in networks that `-m` and `-n` stand for together: with `-n`, `-m` is the folder that the
/// file is in. Empty for the default, also if `-n` names a network of another program.
///
/// # Errors
/// [`Error::InvalidArgument`] for several folders, [`Error::Model`] for a network that does not exist.
pub fn models(models: &[PathBuf], name: Option<&str>) -> Result<Vec<PathBuf>> {
    let Some(name) = name else {
        models.iter().try_for_each(|model| check_name(model))?;
        return Ok(models.to_vec());
    };
    let foreign = |what: &str| {
        log::warn!("-n {name} {what}; this program uses its own network");
        Ok(Vec::new())
    };
    if name.parse::<i32>().is_ok_and(|level| NOISE.contains(&level)) {
        return foreign("asks to remove noise, which this program cannot do");
    }
    let folder = match models {
        [] => None,
        [folder] => Some(folder),
        _ => return Err(Error::invalid("with --model-name, --model has to be the one folder that it is in")),
    };
    let candidates = folder.into_iter().flat_map(|folder| {
        let exact = std::iter::once(folder.join(name));
        exact.chain(WEIGHTS.map(|extension| folder.join(format!("{name}.{extension}"))))
    });
    if let Some(file) = candidates.into_iter().find(|path| path.is_file()) {
        return Ok(vec![file]);
    }
    if FOREIGN.iter().any(|prefix| name.starts_with(prefix))
        || folder.is_some_and(|folder| is_foreign(folder, name))
    {
        return foreign("is a network of another program");
    }
    match folder {
        None => Ok(vec![name.into()]),
        Some(folder) => Err(Error::Model {
            path: folder.join(name),
            reason: format!("there is no such file, with or without .{}", WEIGHTS.join(" or .")).into(),
        }),
    }
}

/// Refuses networks of other programs by their names.
fn check_name(model: &Path) -> Result<()> {
    let name = model.to_string_lossy();
    match FOREIGN.iter().any(|prefix| name.starts_with(prefix)) && model.symlink_metadata().is_err() {
        true => Err(unknown(model, "a network of another program")),
        false => Ok(()),
    }
}

/// Whether a folder holds ncnn files of a network with this name, or with this name and a scale.
fn is_foreign(folder: &Path, name: &str) -> bool {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).any(|path| {
        path.extension().is_some_and(|extension| extension == "param")
            && path.file_name().is_some_and(|file| file.to_string_lossy().starts_with(name))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags() {
        for (argument, is) in
            [("-i", true), ("-s4", true), ("-v", false), ("-h", false), ("--input", false), ("-", false)]
        {
            assert_eq!(is_ncnn_flag(OsStr::new(argument)), is, "{argument}");
        }
    }

    #[test]
    fn threads() {
        let parse = |text: &str| text.parse::<Threads>().ok().map(|t| (t.load, t.save));
        assert_eq!(parse("3"), Some((3, 3)));
        assert_eq!(parse("1:2"), Some((1, 2)));
        assert_eq!(parse("1:2:4"), Some((1, 4)));
        assert_eq!(parse("1:2,2,2:4"), Some((1, 4)));
        assert!(parse("auto").is_some());
        for wrong in ["", "0", "1:0:1", "1:2:3:4", "a", "1:x:1", "999", "-1"] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
        assert_eq!(Threads { load: 4, save: 8 }.for_jobs(1), Threads { load: 1, save: 1 });
    }

    #[test]
    fn folders_and_names_of_models() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        for file in ["mine.safetensors", "theirs-x4.param", "theirs-x4.bin"] {
            std::fs::write(at(file), "").unwrap();
        }
        let in_folder = |name: &str| models(&[folder.path().into()], Some(name)).ok();
        assert_eq!(in_folder("mine"), Some(vec![at("mine.safetensors")]));
        assert_eq!(in_folder("mine.safetensors"), Some(vec![at("mine.safetensors")]));
        assert_eq!(in_folder("theirs"), Some(vec![]));
        assert_eq!(in_folder("realesrgan-x4plus"), Some(vec![]));
        assert_eq!(in_folder("2"), Some(vec![]), "a level of noise");
        assert_eq!(in_folder("nobodys"), None);
        assert_eq!(models(&[], Some("small")).ok(), Some(vec!["small".into()]));
        let [a, b] = ["mine.safetensors", "theirs-x4.bin"].map(at);
        assert_eq!(models(&[a.clone(), b.clone()], None).ok(), Some(vec![a, b]));
        let why = |name: &str| models(&[name.into()], None).unwrap_err().to_string();
        assert!(
            why("realesrgan-x4plus")
                .contains("another program; small, large, photo and deblock are built in")
        );
        assert!(models(&[at("a"), at("b")], Some("mine")).is_err());
    }
}
