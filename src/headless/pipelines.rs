//! Compiled kernels that outlive the process: wgpu's pipeline cache, kept in a file.
//!
//! It saves time where a driver keeps no compiled kernels of its own on disk, as on Android; most others do.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::Gpu;
use super::self_test::key;
use crate::atomic::write_atomically;
use crate::error::{Error, Result};
use crate::gpu::scoped;
use crate::hash::fnv;

/// Larger files are given up: wgpu has no means to take old kernels out of a cache.
const LARGEST: usize = 64 << 20;
/// What wgpu returns of a cache without kernels: its own header and Vulkan's.
const EMPTY: usize = 64 + 32;
/// How files begin. With it, and the key, length and hash of the data, the header has 32 bytes.
const MAGIC: &[u8; 8] = b"srcnnPL1";
const HEADER: usize = 32;

/// Where compiled kernels are looked for first: nowhere by default, in a host's own wgpu cache, or in one that a file
/// keeps. Clones share it.
///
/// ```no_run
/// # fn main() -> srcnn_gpu::Result<()> {
/// use srcnn_gpu::headless::{self, AdapterSelection, Pipelines, cache_folder};
/// let mut gpu = headless::open(&AdapterSelection::default())?;
/// if let Some(folder) = cache_folder() {
///     gpu.pipelines = Pipelines::in_folder(&gpu, &folder);
/// }
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, Default)]
pub struct Pipelines {
    cache: Option<wgpu::PipelineCache>,
    file: Option<Arc<Kept>>,
}

impl From<wgpu::PipelineCache> for Pipelines {
    /// A host's own cache, of the same device; the host loads and stores it.
    fn from(cache: wgpu::PipelineCache) -> Self {
        Self { cache: Some(cache), file: None }
    }
}

impl Pipelines {
    /// What a file in `folder` has for this adapter and driver, and a place for more. The file is written when the last
    /// clone is dropped, or by [`Pipelines::keep`]. One that is damaged, or of another adapter, is removed. Where
    /// the device was opened without [`wgpu::Features::PIPELINE_CACHE`], this is the default.
    pub fn in_folder(gpu: &Gpu, folder: &Path) -> Self {
        let able = gpu.device.features().contains(wgpu::Features::PIPELINE_CACHE);
        let Some(name) = wgpu::util::pipeline_cache_key(&gpu.info).filter(|_| able) else {
            return Self::default();
        };
        let key = fnv(key(&gpu.info, &[]) + &name);
        let path = folder.join(format!("pipelines-{key:016x}.bin"));
        let data = read(&path, key).inspect_err(|error| {
            log::debug!("{}: {error}", path.display());
            if error.kind() == io::ErrorKind::InvalidData {
                let _ = fs::remove_file(&path);
            }
        });
        let data = data.ok();
        // What another driver made passes the checks of neither wgpu nor this one.
        let cache = create(&gpu.device, data.as_deref()).or_else(|_| create(&gpu.device, None));
        let Ok(cache) = cache.inspect_err(|error| log::debug!("no pipeline cache: {error}")) else {
            return Self::default();
        };
        let known = Mutex::new(data.map(fnv));
        Self { cache: Some(cache.clone()), file: Some(Arc::new(Kept { cache, path, key, known })) }
    }

    /// The cache for the options of [`Upscaler`](crate::Upscaler) and `Trainer`.
    pub fn cache(&self) -> Option<&wgpu::PipelineCache> {
        self.cache.as_ref()
    }

    /// The file, where there is one: it need not exist yet.
    pub fn file(&self) -> Option<&Path> {
        self.file.as_ref().map(|file| file.path.as_path())
    }

    /// Writes the file now, if there is one and what was compiled since is not in it. That it cannot be written is no
    /// error.
    pub fn keep(&self) {
        if let Some(file) = &self.file {
            file.keep();
        }
    }
}

/// A cache and its file.
#[derive(Debug)]
struct Kept {
    cache: wgpu::PipelineCache,
    path: PathBuf,
    /// Of adapter, driver and version.
    key: u64,
    /// Hash of what the file has, as far as this process knows.
    known: Mutex<Option<u64>>,
}

impl Kept {
    fn keep(&self) {
        // A lock on what is known lets one thread write at a time.
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(data) = self.cache.get_data().filter(|data| data.len() > EMPTY) else { return };
        let hash = fnv(&data);
        if *known == Some(hash) {
            return;
        }
        match write(&self.path, self.key, hash, &data) {
            Ok(()) => *known = Some(hash),
            Err(error) => log::debug!("compiled kernels are not kept: {error}"),
        }
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        self.keep();
    }
}

fn create(device: &wgpu::Device, data: Option<&[u8]>) -> Result<wgpu::PipelineCache> {
    let descriptor = wgpu::PipelineCacheDescriptor { label: Some("srcnn"), data, fallback: true };
    scoped(device, || make(device, &descriptor))
}

#[expect(unsafe_code, reason = "wgpu has no safe way to a cache of compiled pipelines")]
fn make(device: &wgpu::Device, descriptor: &wgpu::PipelineCacheDescriptor<'_>) -> wgpu::PipelineCache {
    // SAFETY: the data, if any, is what `get_data` returned to this version of the program for this adapter and driver:
    // `read` has found its key, its length and its hash in the file, which is the user's own.
    unsafe { device.create_pipeline_cache(descriptor) }
}

/// The data of a file.
///
/// # Errors
/// `InvalidData` for a file that is not what [`write()`] has written with this key.
fn read(path: &Path, key: u64) -> io::Result<Vec<u8>> {
    let unfit = |what: &str| io::Error::new(io::ErrorKind::InvalidData, what);
    let file = File::open(path)?;
    let mut bytes = Vec::new();
    // No more than that, whatever the file's length is said to be.
    file.take((HEADER + LARGEST) as u64 + 1).read_to_end(&mut bytes)?;
    let Some((found, data)) = bytes.split_at_checked(HEADER) else { return Err(unfit("truncated")) };
    if data.len() > LARGEST {
        return Err(unfit("too large"));
    }
    if found != header(key, data.len(), fnv(data)) {
        return Err(unfit("damaged, or of another adapter"));
    }
    bytes.drain(..HEADER);
    Ok(bytes)
}

/// Writes a file whole or not at all.
fn write(path: &Path, key: u64, hash: u64, data: &[u8]) -> Result<()> {
    let failed = |reason: io::Error| Error::Output { path: path.into(), reason: reason.into() };
    if data.len() > LARGEST {
        // The next process begins anew.
        return fs::remove_file(path).map_err(failed);
    }
    path.parent().map_or(Ok(()), fs::create_dir_all).map_err(failed)?;
    write_atomically(path, |file| {
        file.write_all(&header(key, data.len(), hash))?;
        file.write_all(data)
    })
}

fn header(key: u64, length: usize, hash: u64) -> [u8; HEADER] {
    let mut header = [0; HEADER];
    let fields = [u64::from_le_bytes(*MAGIC), key, length as u64, hash];
    for (bytes, field) in header.chunks_exact_mut(8).zip(fields) {
        bytes.copy_from_slice(&field.to_le_bytes());
    }
    header
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Longer than what a cache without kernels has.
    fn data() -> Vec<u8> {
        (0..1000u32).map(|i| (i * i % 251) as u8).collect()
    }

    #[test]
    fn reads_what_was_written_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("not/there/yet.bin");
        assert_eq!(read(&path, 7).unwrap_err().kind(), io::ErrorKind::NotFound);
        write(&path, 7, fnv(data()), &data()).unwrap();
        assert_eq!(read(&path, 7).unwrap(), data());
        let refused = |what: &str| {
            let error = read(&path, 7).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::InvalidData, "{what}: {error}");
        };

        assert_eq!(read(&path, 8).unwrap_err().kind(), io::ErrorKind::InvalidData);
        let whole = fs::read(&path).unwrap();
        for at in 0..whole.len() {
            let mut flipped = whole.clone();
            flipped[at] ^= 1 << (at % 8);
            fs::write(&path, flipped).unwrap();
            refused(&format!("byte {at}"));
        }
        for length in [0, 1, HEADER - 1, HEADER, whole.len() - 1] {
            fs::write(&path, &whole[..length]).unwrap();
            refused(&format!("{length} bytes"));
        }
        fs::write(&path, [&whole[..], &[0]].concat()).unwrap();
        refused("longer");
        File::options().write(true).open(&path).unwrap().set_len((HEADER + LARGEST) as u64 + 1).unwrap();
        assert!(read(&path, 7).unwrap_err().to_string().contains("too large"));
    }

    #[test]
    fn a_cache_that_has_grown_too_large_is_begun_anew() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.bin");
        write(&path, 7, fnv(data()), &data()).unwrap();
        write(&path, 7, 0, &vec![0; LARGEST + 1]).unwrap();
        assert!(!path.exists());
    }
}
