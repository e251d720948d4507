//! Stored choices in a cache folder: a file for each adapter, driver, kernel version, network and precision.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Tuned, is_possible, search};
use crate::atomic::write_own;
use crate::error::{Error, Reason, Result};
use crate::hash::fnv;
use crate::headless::Gpu;
use crate::headless::self_test::adapter_key;
use crate::network::Architecture;
use crate::own;
use crate::precision::Precision;
use crate::weights::Weights;

/// Number of searches that may die without a result, for example when a driver crashes the program; after that, the
/// default is stored.
const FAILURES: u64 = 2;
/// Most bytes of a stored choice, which has a few hundred bytes for each of some ten candidates.
const LARGEST: u64 = 1 << 20;

/// The choice stored for this adapter, driver, kernel version, network and precision. `None` if there is none, it
/// cannot be read, or the device cannot run it.
pub fn stored(gpu: &Gpu, architecture: &Architecture, precision: Precision, folder: &Path) -> Option<Tuned> {
    let key = network_key(gpu, architecture, precision);
    stored_under(&key, folder).filter(|tuned| is_possible(gpu, tuned.best))
}

/// The choice stored under a key.
pub(crate) fn stored_under<S: DeserializeOwned>(key: &str, folder: &Path) -> Option<Tuned<S>> {
    let text = own::read(&path(folder, key), LARGEST).ok()?;
    let tuned: Tuned<S> = serde_json::from_slice(&text).ok()?;
    (tuned.key == key).then_some(tuned)
}

/// Stores a choice, atomically.
///
/// # Errors
/// [`Error::Output`] when the file cannot be written.
pub fn store<S: Serialize>(tuned: &Tuned<S>, folder: &Path) -> Result<()> {
    let path = path(folder, &tuned.key);
    let failed = |reason: Reason| Error::Output { path: path.clone(), reason };
    fs::create_dir_all(folder).map_err(|e| failed(e.into()))?;
    let text = serde_json::to_string_pretty(tuned).map_err(|e| failed(Reason::of(e)))?;
    write_own(&path, |file| file.write_all(text.as_bytes()))
}

/// The stored choice, or else the result of a [`search`], which is then stored: for programs with a lot of work ahead
/// (see [`pays`](super::pays)). `None` if a search is not possible: another process is searching, or `folder` is not
/// writable (the program's is [`cache_folder`](crate::headless::cache_folder)). `begin` is called before a search.
///
/// If a search kills its process, the next process tries once more; after that, or if the device is lost, the default
/// is stored.
///
/// # Errors
/// What the device reports when not even the default runs; the device is then unusable.
pub fn search_once(
    gpu: &Gpu,
    weights: &Weights,
    precision: Precision,
    folder: &Path,
    begin: impl FnOnce(),
) -> Result<Option<Tuned>> {
    let architecture = weights.architecture();
    let ready = || stored(gpu, architecture, precision, folder);
    if let Some(tuned) = ready() {
        return Ok(Some(tuned));
    }
    let key = network_key(gpu, architecture, precision);
    let lock = path(folder, &key).with_extension("lock");
    let give_up = |error: &dyn std::fmt::Display| log::debug!("no search: {}: {error}", lock.display());
    let file =
        fs::create_dir_all(folder).and_then(|()| own::open_or_create(&lock)).inspect_err(|e| give_up(e));
    let Ok(mut file) = file else { return Ok(None) };
    if let Err(fs::TryLockError::WouldBlock) = file.try_lock() {
        give_up(&"another process is searching");
        return Ok(None);
    }
    // Another process may have finished between the first check and the lock.
    if let Some(tuned) = ready() {
        return Ok(Some(tuned));
    }
    // One byte per search begun; a search that finishes removes the file.
    let failures = file.metadata().map_or(0, |about| about.len());
    let default = |reason: String| {
        let mut tuned = Tuned::default_of(gpu, precision, key.clone());
        tuned.measured[0].reason = Some(reason);
        tuned
    };
    let outcome = if failures >= FAILURES {
        Ok(default(format!("{failures} searches did not finish")))
    } else {
        if let Err(e) = file.write_all(b".") {
            give_up(&e);
            return Ok(None);
        }
        begin();
        search(gpu, weights, precision)
    };
    if let Err(Error::OutOfMemory(_)) = &outcome {
        // Perhaps other programs hold the memory: let the next process try again.
        return outcome.map(Some);
    }
    let found = outcome.as_ref().map_or_else(|error| default(error.to_string()), Clone::clone);
    if let Err(error) = store(&found, folder) {
        // The byte stays, so this does not repeat forever.
        log::warn!("cannot store the choice of kernels: {error}");
    } else if let Err(error) = fs::remove_file(&lock) {
        give_up(&error);
    }
    outcome.map(Some)
}

/// Everything that a choice depends on, as text.
pub(crate) fn network_key(gpu: &Gpu, architecture: &Architecture, precision: Precision) -> String {
    let subgroups = gpu.device.features().contains(wgpu::Features::SUBGROUP);
    let key = adapter_key(&gpu.info, std::slice::from_ref(architecture));
    format!("{key}{architecture} {precision}{}\n", if subgroups { " subgroups" } else { "" })
}

fn path(folder: &Path, key: &str) -> PathBuf {
    folder.join(format!("kernels-{:016x}.json", fnv(key)))
}
