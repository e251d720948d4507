//! Compiled kernels in a file: they are found again, and no file does any harm.

use std::fs;
use std::path::Path;

use crate::common;
use crate::common::desk::{Desk, grey};
use crate::common::training::{in_order, options, random_maps, sgd, shard_of};
use srcnn_gpu::headless::adapter::{find, open_adapter};
use srcnn_gpu::headless::{AdapterSelection, Gpu, Headless, HeadlessOptions, Pipelines, open};
use srcnn_gpu::train::State;
use srcnn_gpu::train::gpu::Trainer;
use srcnn_gpu::{Error, Padding, Planes, Upscaler, UpscalerOptions, wgpu};

/// Size of wgpu's data for a cache without kernels: two headers.
const EMPTY: usize = 64 + 32;

/// A device of its own, with its kernels kept in `folder`.
fn gpu_with(folder: &Path) -> Gpu {
    let mut gpu = open(&AdapterSelection::default()).unwrap();
    gpu.pipelines = Pipelines::in_folder(&gpu, folder);
    gpu
}

/// A device with a cache; without support for one, prints a line and returns `None`.
fn able(folder: &Path) -> Option<Gpu> {
    let gpu = gpu_with(folder);
    let able = gpu.device.features().contains(wgpu::Features::PIPELINE_CACHE);
    assert_eq!(gpu.pipelines.cache().is_some(), able);
    assert_eq!(gpu.pipelines.file().is_some(), able);
    if !able {
        eprintln!("SKIPPED: no pipeline caches on {} ({})", gpu.info.name, gpu.info.backend);
    }
    able.then_some(gpu)
}

/// Whether the driver puts anything into its cache.
fn holds_something(gpu: &Gpu) -> bool {
    let length = gpu.pipelines.cache().and_then(wgpu::PipelineCache::get_data).map_or(0, |data| data.len());
    eprintln!("{} bytes in the cache of {} ({})", length, gpu.info.name, gpu.info.driver_info);
    length > EMPTY
}

/// The result of a network for a picture, through all kernels that this takes.
fn result(gpu: &Gpu) -> Vec<f32> {
    let weights = common::network("3-1-3", "8-4", 1, Padding::Replicate);
    let mut next = common::noise(3);
    let picture = Planes::new(19, 11, 1, (0..19 * 11).map(|_| next()).collect()).unwrap();
    let mut headless = Headless::new(gpu.clone(), &weights, HeadlessOptions::default()).unwrap();
    headless.upscale_planes(&picture, 2.0).unwrap().data
}

#[test]
fn what_was_compiled_comes_back() {
    let _alone = common::alone();
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().join("not there yet");
    let expected = result(&common::gpu());
    let Some(gpu) = able(&folder) else { return assert!(!folder.exists()) };
    assert_eq!(result(&gpu), expected);
    let file = gpu.pipelines.file().unwrap().to_owned();
    let something = holds_something(&gpu);
    drop(gpu);
    assert_eq!(file.exists(), something);
    if !something {
        return eprintln!("SKIPPED: the driver puts nothing into its cache, so no file was written");
    }
    let written = fs::read(&file).unwrap();
    let gpu = gpu_with(&folder);
    let loaded = gpu.pipelines.cache().unwrap().get_data().unwrap();
    assert!(loaded.len() > EMPTY, "nothing was loaded");
    assert_eq!(result(&gpu), expected);
    drop(gpu);
    assert!(fs::read(&file).unwrap().len() <= written.len(), "all kernels were there already");
}

/// A valid file with these data, for the adapter in the file's name.
fn whole(file: &Path, data: &[u8]) -> Vec<u8> {
    let name = file.file_stem().unwrap().to_str().unwrap();
    let key = u64::from_str_radix(name.strip_prefix("pipelines-").unwrap(), 16).unwrap();
    let fnv = |hash: u64, &byte: &u8| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3);
    let hash: u64 = data.iter().fold(0xcbf2_9ce4_8422_2325, fnv);
    let numbers = [key, data.len() as u64, hash].map(u64::to_le_bytes);
    [b"srcnnPL1".as_slice(), numbers.as_flattened(), data].concat()
}

#[test]
fn unfit_files_are_ignored_and_replaced() {
    let _alone = common::alone();
    let folder = tempfile::tempdir().unwrap();
    let expected = result(&common::gpu());
    let Some(gpu) = able(folder.path()) else { return };
    let file = gpu.pipelines.file().unwrap().to_owned();
    assert_eq!(result(&gpu), expected);
    let something = holds_something(&gpu);
    // As short as a driver's data can be, or this driver's own.
    let data = gpu.pipelines.cache().unwrap().get_data().unwrap();
    drop(gpu);
    let good = whole(&file, &data);
    if something {
        assert_eq!(fs::read(&file).unwrap(), good, "the tests write files as the library does");
    }
    let flipped = |at: usize| {
        let mut bytes = good.clone();
        bytes[at] ^= 4;
        bytes
    };
    let unfit = [
        ("nothing", vec![]),
        ("of another kind", b"a text".repeat(100)),
        ("of another adapter", flipped(9)),
        ("of another length", flipped(17)),
        ("flipped in its hash", flipped(25)),
        ("flipped in its data", flipped(good.len() - 1)),
        ("truncated", good[..good.len() / 2].to_vec()),
        ("longer", [good.as_slice(), &[0]].concat()),
    ];
    for (what, bytes) in unfit {
        fs::write(&file, &bytes).unwrap();
        let gpu = gpu_with(folder.path());
        assert!(!file.exists(), "{what}: still there");
        assert_eq!(result(&gpu), expected, "{what}");
        drop(gpu);
        assert_eq!(file.exists(), something, "{what}");
    }
    // Valid files whose data are not from wgpu, or from wgpu on another adapter: wgpu notices these itself.
    let mut foreign = data.clone();
    foreign[20] ^= 1;
    for data in [b"no cache at all".repeat(20), foreign] {
        fs::write(&file, whole(&file, &data)).unwrap();
        let gpu = gpu_with(folder.path());
        assert!(gpu.pipelines.cache().is_some());
        assert_eq!(result(&gpu), expected);
        gpu.faults.check().unwrap();
        gpu.pipelines.keep();
        assert!(!something || fs::read(&file).unwrap() != whole(&file, &data), "not replaced");
    }
}

#[test]
fn a_folder_that_cannot_be_written_to_is_no_failure() {
    let _alone = common::alone();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, b"in the way").unwrap();
    let expected = result(&common::gpu());
    for folder in [file.join("folder"), file.clone()] {
        let gpu = gpu_with(&folder);
        assert_eq!(result(&gpu), expected);
        gpu.pipelines.keep();
    }
    assert_eq!(fs::read(&file).unwrap(), b"in the way");
}

/// Kernels are compiled with the options' cache; one from another device is refused.
#[test]
fn hosts_bring_their_own() {
    let _alone = common::alone();
    let folder = tempfile::tempdir().unwrap();
    if able(folder.path()).is_none() {
        return;
    }
    let (_, adapter) = find(&AdapterSelection::default()).unwrap();
    let [gpu, other] = [0, 1].map(|_| {
        let gpu = open_adapter(&adapter).unwrap();
        Gpu { pipelines: Pipelines::in_folder(&gpu, folder.path()), ..gpu }
    });
    let weights = common::network("3-1-3", "8-4", 1, Padding::Replicate);
    let upscaler = |pipeline_cache| {
        let options = UpscalerOptions::for_device(&gpu.device).with_pipeline_cache(pipeline_cache);
        Upscaler::new(&gpu.device, &gpu.queue, &weights, options).map(drop)
    };
    let state = State::new(weights.layers().to_vec(), 1);
    let shard = shard_of(&random_maps(5, 2, [1, 12, 12]), &random_maps(6, 2, [1, 12, 12]));
    let trainer = |pipeline_cache| {
        let options = options(2, 12, Padding::Zero, sgd(3)).with_pipeline_cache(pipeline_cache);
        let mut trainer = Trainer::new(&gpu.device, &gpu.queue, &state, &options)?;
        trainer.set_pictures(&shard)?;
        trainer.step(&in_order(&shard), 1.0)
    };
    let own = gpu.pipelines.cache().cloned();
    upscaler(own.clone()).unwrap();
    assert_eq!(trainer(own).unwrap(), trainer(None).unwrap());
    let others = other.pipelines.cache().cloned();
    for refused in [upscaler(others.clone()), trainer(others).map(drop)] {
        assert!(matches!(&refused, Err(Error::Gpu(_))), "{refused:?}");
    }
    // A host's own cache is the host's to store.
    let mut host = gpu.clone();
    host.pipelines = Pipelines::from(gpu.pipelines.cache().unwrap().clone());
    assert!(host.pipelines.file().is_none());
    result(&host);
}

#[test]
fn the_program_keeps_them_in_the_cache_folder() {
    let _alone = common::alone();
    let desk = Desk::new();
    let folder = desk.path("cache");
    // The program's own folder inside it.
    let Some(gpu) = able(&folder.join("srcnn-gpu")) else { return };
    let file = gpu.pipelines.file().unwrap().to_owned();
    drop(gpu);
    desk.save("a.png", grey(16, 12));
    let run = |output: &str| {
        let mut command =
            common::as_wide(desk.command(&format!("upscale -m m.safetensors a.png -o {output} -s 2")));
        let variable = if cfg!(windows) { "LOCALAPPDATA" } else { "XDG_CACHE_HOME" };
        let status = command.env(variable, &folder).env("HOME", &folder).status().unwrap();
        assert!(status.success());
        fs::read(desk.path(output)).unwrap()
    };
    let first = run("first.png");
    let kept = file.exists();
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(&file, b"damaged").unwrap();
    assert_eq!(run("second.png"), first);
    assert!(file.exists() == kept && fs::read(&file).ok().as_deref() != Some(b"damaged"));
}
