//! Values of the short flags that the ncnn-vulkan family of programs has made common, so that front ends made for
//! them work with this one.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use srcnn_gpu::{Error, Result};

/// Extensions of weight files.
const WEIGHTS: [&str; 2] = ["safetensors", "mat"];
/// How names of that family's networks begin, which carry over to no other program.
const FOREIGN: [&str; 4] = ["realesr", "realsr", "models-", "up2x"];
/// Levels of noise removal, which is what `-n` means in a part of the family.
const NOISE: std::ops::RangeInclusive<i32> = -1..=3;
/// More threads than any machine has use for.
const MOST: usize = 256;

/// How many threads read and how many write, from `-j`: `N`, `L:S` or `L:P:S`. `P` would be threads that compute, of
/// which there is one for each device here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Threads {
    pub load: usize,
    pub save: usize,
}

impl Default for Threads {
    /// Encoding takes longer than decoding: results have more pixels.
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self { load: (cores / 4).clamp(1, 4), save: (cores / 2).clamp(2, 8) }
    }
}

impl Threads {
    /// No more than there are pictures.
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
        let number = |word: &str| word.parse::<usize>().ok().filter(|number| (1..=MOST).contains(number));
        let numbers = |words: &str| words.split(',').all(|word| number(word).is_some());
        let parts: Vec<_> = text.split(':').collect();
        let threads = match parts.as_slice() {
            [both] => number(both).map(|n| (n, n)),
            [load, save] => number(load).zip(number(save)),
            [load, compute, save] if numbers(compute) => number(load).zip(number(save)),
            _ => None,
        };
        let (load, save) = threads.ok_or_else(|| {
            Error::invalid(format!("load:compute:save or one number is needed, each from 1 to {MOST}"))
        })?;
        Ok(Self { load, save })
    }
}

/// Whether an argument is a short flag of `upscale` that the family has as well. Such a first argument means
/// `upscale`: the family's programs have no commands.
pub fn is_family_flag(argument: &OsStr) -> bool {
    matches!(argument.as_encoded_bytes(), [b'-', flag, ..] if b"iosgtmnjfx".contains(flag))
}

/// The longest side of a tile; 0 leaves it to the program.
pub fn tile(text: &str) -> Result<u32> {
    text.parse().map_err(|_| Error::invalid("a number of pixels is needed, or 0 for what suits the adapter"))
}

/// The weight files or built-in networks that `-m` and `-n` mean together: with `-n`, `-m` is the folder that it is in.
///
/// # Errors
/// [`Error::InvalidArgument`] for several folders, [`Error::Model`] for a network that is not there.
pub fn models(models: &[PathBuf], name: Option<&str>) -> Result<Vec<PathBuf>> {
    let Some(name) = name else { return Ok(models.to_vec()) };
    let foreign = |what: &str| {
        log::warn!("-n {name} {what}; this program uses its own network");
        Ok(Vec::new())
    };
    if name.parse::<i32>().is_ok_and(|level| NOISE.contains(&level)) {
        return foreign("asks to remove noise, which this program does not do");
    }
    let folder = match models {
        [] => None,
        [folder] => Some(folder),
        _ => return Err(Error::invalid("with --model-name, --model is the one folder that it is in")),
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
            reason: format!("there is no such file, with or without .{}", WEIGHTS.join(" or .")),
        }),
    }
}

/// Whether a folder holds ncnn's files of a network of this name, or of this name and a scale.
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
            assert_eq!(is_family_flag(OsStr::new(argument)), is, "{argument}");
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
        assert_eq!(models(&[at("a"), at("b")], None).ok(), Some(vec![at("a"), at("b")]));
        assert!(models(&[at("a"), at("b")], Some("mine")).is_err());
    }
}
