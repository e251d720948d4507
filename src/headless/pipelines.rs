//! Compiled kernels that outlive the process: wgpu's pipeline cache, kept in a file.
//!
//! It saves time where the driver keeps no compiled kernels on disk itself, as on Android; most drivers do.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::Gpu;
use super::self_test::adapter_key;
use crate::atomic::write_own;
use crate::error::{Error, Result};
use crate::gpu::scoped;
use crate::hash::fnv;
use crate::own;

/// Larger files are discarded: wgpu cannot remove old kernels from a cache.
const LARGEST: usize = 64 << 20;
/// Size of wgpu's data for a cache without kernels: wgpu's own header and Vulkan's.
const EMPTY: usize = 64 + 32;
/// First bytes of a file. They are followed by the key and by the length and hash of the data: a header of 32 bytes.
const MAGIC: &[u8; 8] = b"srcnnPL1";
const HEADER: usize = 32;

/// Where compiled kernels are looked up first: nowhere (the default), in a host's own wgpu cache, or in one backed by
/// a file. Clones share the cache.
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
    file: Option<Arc<CacheFile>>,
}

impl From<wgpu::PipelineCache> for Pipelines {
    /// A host's own cache for the same device; the host loads and stores it.
    fn from(cache: wgpu::PipelineCache) -> Self {
        Self { cache: Some(cache), file: None }
    }
}

impl Pipelines {
    /// The cache kept in a file in `folder` for this adapter and driver; empty at first. The file is written when the
    /// last clone is dropped, or by [`Pipelines::keep`]. A file that is damaged or from another adapter is removed.
    /// Returns the default if the device was opened without [`wgpu::Features::PIPELINE_CACHE`].
    pub fn in_folder(gpu: &Gpu, folder: &Path) -> Self {
        let able = gpu.device.features().contains(wgpu::Features::PIPELINE_CACHE);
        let Some(name) = wgpu::util::pipeline_cache_key(&gpu.info).filter(|_| able) else {
            return Self::default();
        };
        let key = fnv(adapter_key(&gpu.info, &[]) + &name);
        let path = folder.join(format!("pipelines-{key:016x}.bin"));
        let data = read(&path, key).inspect_err(|error| {
            log::debug!("{}: {error}", path.display());
            if error.kind() == io::ErrorKind::InvalidData {
                let _ = fs::remove_file(&path);
            }
        });
        let data = data.ok();
        // Data from another driver is refused both by wgpu and by `read`.
        let cache = create(&gpu.device, data.as_deref()).or_else(|_| create(&gpu.device, None));
        let Ok(cache) = cache.inspect_err(|error| log::debug!("no pipeline cache: {error}")) else {
            return Self::default();
        };
        let known = Mutex::new(data.map(fnv));
        Self { cache: Some(cache.clone()), file: Some(Arc::new(CacheFile { cache, path, key, known })) }
    }

    /// The cache, for the options of [`Upscaler`](crate::Upscaler) and `Trainer`.
    pub fn cache(&self) -> Option<&wgpu::PipelineCache> {
        self.cache.as_ref()
    }

    /// The file that backs the cache, if any; it may not exist yet.
    pub fn file(&self) -> Option<&Path> {
        self.file.as_ref().map(|file| file.path.as_path())
    }

    /// Writes the file now, if there is one and it lacks newly compiled kernels. Failure to write is only logged.
    pub fn keep(&self) {
        if let Some(file) = &self.file {
            file.keep();
        }
    }
}

/// A cache and the file that backs it.
#[derive(Debug)]
struct CacheFile {
    cache: wgpu::PipelineCache,
    path: PathBuf,
    /// Hash of adapter, driver and version.
    key: u64,
    /// Hash of the file's data, as last seen by this process.
    known: Mutex<Option<u64>>,
}

impl CacheFile {
    fn keep(&self) {
        // Holding the lock lets only one thread write at a time.
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(data) = self.cache.get_data().filter(|data| data.len() > EMPTY) else { return };
        let hash = fnv(&data);
        if *known == Some(hash) {
            return;
        }
        match write(&self.path, self.key, hash, &data) {
            Ok(()) => *known = Some(hash),
            Err(error) => log::debug!("cannot store compiled kernels: {error}"),
        }
    }
}

impl Drop for CacheFile {
    fn drop(&mut self) {
        self.keep();
    }
}

fn create(device: &wgpu::Device, data: Option<&[u8]>) -> Result<wgpu::PipelineCache> {
    let descriptor = wgpu::PipelineCacheDescriptor { label: Some("srcnn"), data, fallback: true };
    scoped(device, || make(device, &descriptor))
}

#[expect(unsafe_code, reason = "wgpu has no safe way to load a pipeline cache")]
fn make(device: &wgpu::Device, descriptor: &wgpu::PipelineCacheDescriptor<'_>) -> wgpu::PipelineCache {
    // SAFETY: the data, if any, is what `get_data` returned to this version of the program for this adapter and
    // driver: `read` has checked its key, length and hash, and the file belongs to the user.
    unsafe { device.create_pipeline_cache(descriptor) }
}

/// The data of a file.
///
/// # Errors
/// `InvalidData` for a file that [`write()`] did not write with this key.
fn read(path: &Path, key: u64) -> io::Result<Vec<u8>> {
    let unfit = |what: &str| io::Error::new(io::ErrorKind::InvalidData, what);
    let mut bytes = own::read(path, (HEADER + LARGEST) as u64).map_err(|e| match e.kind() {
        io::ErrorKind::FileTooLarge => unfit("too large"),
        _ => e,
    })?;
    let Some((found, data)) = bytes.split_at_checked(HEADER) else { return Err(unfit("truncated")) };
    if found != header(key, data.len(), fnv(data)) {
        return Err(unfit("damaged, or from another adapter"));
    }
    bytes.drain(..HEADER);
    Ok(bytes)
}

/// Writes a file atomically.
fn write(path: &Path, key: u64, hash: u64, data: &[u8]) -> Result<()> {
    let failed = |reason: io::Error| Error::Output { path: path.into(), reason: reason.into() };
    if data.len() > LARGEST {
        // The next process starts with an empty cache.
        return fs::remove_file(path).map_err(failed);
    }
    path.parent().map_or(Ok(()), fs::create_dir_all).map_err(failed)?;
    write_own(path, |file| {
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

    /// Longer than a cache without kernels.
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
        fs::File::options().write(true).open(&path).unwrap().set_len((HEADER + LARGEST) as u64 + 1).unwrap();
        assert!(read(&path, 7).unwrap_err().to_string().contains("too large"));
    }

    #[test]
    fn a_cache_that_has_grown_too_large_is_discarded() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.bin");
        write(&path, 7, fnv(data()), &data()).unwrap();
        write(&path, 7, 0, &vec![0; LARGEST + 1]).unwrap();
        assert!(!path.exists());
    }
}
