//! The choice of the kernels' shape: measured, stored, used, and without consequences beyond rounding.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use crate::common;
use crate::common::desk::{Desk, Run, color};
use srcnn_gpu::gpu::kernels::{ConvShape, MapRead, Registers, WeightLoad};
use srcnn_gpu::headless::autotune::{self, Tuned, pays, search, search_once, store, stored};
use srcnn_gpu::headless::{Gpu, Headless, HeadlessOptions};
use srcnn_gpu::train::gpu::Shape;
use srcnn_gpu::train::tune;
use srcnn_gpu::wgpu::DeviceType;
use srcnn_gpu::{Architecture, Padding, Planes, Precision, UpscalerOptions, Weights};

fn weights() -> Weights {
    common::network("5-1-3", "6-5", 1, Padding::Replicate)
}

fn default_shape(gpu: &Gpu) -> ConvShape {
    UpscalerOptions::for_device(&gpu.device).conv_shape
}

/// The one file with a choice for inference in a folder; nothing else may be left behind.
fn only_file(folder: &Path) -> PathBuf {
    let names: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    let kernels = |path: &PathBuf| path.file_name().unwrap().to_str().unwrap().starts_with("kernels-");
    let training = |path: &PathBuf| fs::read_to_string(path).unwrap().contains("\\ntraining ");
    let files: Vec<_> = names.into_iter().filter(|path| kernels(path) && !training(path)).collect();
    assert!(files.len() == 1 && files[0].extension().unwrap() == "json", "{files:?}");
    files[0].clone()
}

#[test]
fn a_search_measures_and_takes_one_of_them() {
    let _alone = common::alone();
    let gpu = common::gpu();
    let Tuned { key, best, measured } = search(&gpu, &weights(), Precision::F32).unwrap();
    assert!(key.contains(&gpu.info.driver_info) && key.contains("5-1-3"), "{key}");
    assert_eq!(measured[0].shape, default_shape(&gpu));
    assert!(measured.len() > 1, "nothing to choose from");
    let chosen = measured.iter().find(|one| one.shape == best).unwrap();
    assert!(chosen.ms.is_some(), "{best}: {measured:?}");
    assert!(measured.iter().all(|one| one.ms.is_some() != one.reason.is_some()), "{measured:?}");
}

/// Half precision is searched separately: layer by layer, and its choice is found only for half precision.
#[test]
fn half_precision_is_searched_by_itself() {
    let _alone = common::alone();
    // Register tiles only differ with more than a few filters.
    let (gpu, weights) = (common::gpu(), common::network("5-1-3", "16-12", 1, Padding::Replicate));
    let architecture = weights.architecture();
    if Precision::F16.check(&gpu.device).is_err() {
        println!("SKIPPED: this adapter has no 16-bit floats in shaders");
        assert!(search(&gpu, &weights, Precision::F16).is_err());
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let found = |precision| stored(&gpu, architecture, precision, folder.path());
    let half = search_once(&gpu, &weights, Precision::F16, folder.path(), || ()).unwrap().unwrap();
    assert_eq!((found(Precision::F16), found(Precision::F32)), (Some(half.clone()), None));
    assert_eq!(half.measured[0].shape, autotune::default_shape(&gpu, Precision::F16));
    assert!(half.measured.len() > 1, "nothing to choose from");
    assert!(half.measured.iter().all(|one| one.shape.fused.is_none() && one.ms.is_some()), "{half:?}");
    let single = search_once(&gpu, &weights, Precision::F32, folder.path(), || ()).unwrap().unwrap();
    assert!(single.key != half.key && half.key.contains("f16"), "{}", half.key);
    assert_eq!((found(Precision::F16), found(Precision::F32)), (Some(half), Some(single)));
}

#[test]
fn only_large_work_is_worth_a_search() {
    let gpu = common::gpu();
    let network = Architecture::parse("9-1-5", "64-32", 1).unwrap();
    assert!(!pays(&gpu, &network, 0) && !pays(&gpu, &network, 3840 * 2160));
    assert!(pays(&gpu, &network, 1_000_000_000_000));
    let larger = Architecture::parse("9-5-5", "64-32", 1).unwrap();
    let least = |network| (0..).map(|power| 1 << power).find(|&pixels| pays(&gpu, network, pixels)).unwrap();
    assert!(least(&larger) < least(&network));
}

#[test]
fn a_choice_is_stored_and_broken_files_are_replaced() {
    let _alone = common::alone();
    let (gpu, weights) = (common::gpu(), weights());
    let folder = tempfile::tempdir().unwrap();
    let cache = folder.path().join("new/cache");
    let architecture = weights.architecture();
    let found = || stored(&gpu, architecture, Precision::F32, &cache);
    let mut begun = 0;
    let mut once =
        |folder: &Path| search_once(&gpu, &weights, Precision::F32, folder, || begun += 1).unwrap();
    assert_eq!(found(), None);
    let tuned = once(&cache).unwrap();
    assert_eq!((once(&cache), found()), (Some(tuned.clone()), Some(tuned.clone())));
    assert_eq!(fs::read_dir(&cache).unwrap().count(), 1);
    let file = only_file(&cache);
    let text = fs::read_to_string(&file).unwrap();
    let possible = Tuned { best: ConvShape { fused: None, ..tuned.best }, ..tuned.clone() };
    store(&possible, &cache).unwrap();
    assert_eq!((found(), only_file(&cache)), (Some(possible), file.clone()));

    let best = format!("\"best\": \"{}\"", tuned.best);
    assert!(text.contains(&best), "{text}");
    let with = |shape: &str| text.replace(&best, &format!("\"best\": \"{shape}\""));
    for broken in [
        String::new(),
        text[..text.len() / 2].into(),
        // Another driver.
        text.replace(env!("CARGO_PKG_VERSION"), "0.0.0"),
        // A shape that no device can run.
        with("16x4,8x16,1,8,magic"),
        with("16x4,8x16,1024,1024,layers"),
        with("16x4,8x16,8,8,subgroup3"),
    ] {
        fs::write(&file, &broken).unwrap();
        assert_eq!(found(), None, "{broken}");
    }
    let again = once(&cache).unwrap();
    assert_eq!(found(), Some(again));
    // Other networks have choices of their own.
    let other = Architecture::parse("5-1-3", "6-4", 1).unwrap();
    assert_eq!(stored(&gpu, &other, Precision::F32, &cache), None);
    // A folder that cannot be written: no search, however often it is asked for.
    let blocked = folder.path().join("file");
    fs::write(&blocked, "").unwrap();
    assert_eq!(once(&blocked.join("cache")), None);
    assert_eq!(begun, 2);
}

#[test]
fn one_process_searches_and_a_search_that_kills_it_is_not_repeated_forever() {
    let _alone = common::alone();
    let (gpu, weights) = (common::gpu(), weights());
    let folder = tempfile::tempdir().unwrap();
    search_once(&gpu, &weights, Precision::F32, folder.path(), || ()).unwrap().unwrap();
    let file = only_file(folder.path());
    fs::remove_file(&file).unwrap();
    let lock = file.with_extension("lock");
    let other = File::create(&lock).unwrap();
    other.lock().unwrap();
    let none = search_once(&gpu, &weights, Precision::F32, folder.path(), || panic!("two searches")).unwrap();
    assert_eq!(none, None);
    drop(other);
    // What two searches leave that did not finish.
    fs::write(&lock, "..").unwrap();
    let tuned = search_once(&gpu, &weights, Precision::F32, folder.path(), || panic!("a third search"))
        .unwrap()
        .unwrap();
    assert_eq!((tuned.best, tuned.measured[0].ms), (default_shape(&gpu), None));
    assert!(tuned.measured[0].reason.as_ref().unwrap().contains("2 searches"), "{tuned:?}");
    assert!(!lock.exists());
    assert_eq!(stored(&gpu, weights.architecture(), Precision::F32, folder.path()), Some(tuned));
    // After one, the next process tries again.
    fs::remove_file(&file).unwrap();
    fs::write(&lock, ".").unwrap();
    let mut begun = 0;
    search_once(&gpu, &weights, Precision::F32, folder.path(), || begun += 1).unwrap().unwrap();
    assert_eq!(begun, 1);
}

/// Whatever is chosen, results are the same up to rounding and do not depend on tiles at all.
#[test]
fn shapes_change_only_the_last_bits() {
    let _alone = common::alone();
    let (gpu, weights) = (common::gpu(), weights());
    let mut noise = common::noise(5);
    let low = Planes::new(31, 26, 1, (0..31 * 26).map(|_| 0.5 + 0.4 * noise()).collect()).unwrap();
    let run = |shape, tile| {
        let options = HeadlessOptions::default().with_tile(tile).with_conv_shape(Some(shape));
        Headless::new(common::gpu(), &weights, options).unwrap().upscale_planes(&low, 2.0).unwrap().data
    };
    let expected: Vec<f64> = run(default_shape(&gpu), None).iter().map(|&v| f64::from(v)).collect();
    let tile = |registers, workgroup, fused| ConvShape {
        spatial: registers,
        pointwise: registers,
        workgroup,
        fused,
        map_read: if fused.is_some() { MapRead::Storage } else { MapRead::Sampled },
    };
    let mut shapes: Vec<_> =
        Registers::ALL.into_iter().zip([[8, 8], [4, 16], [32, 2]]).map(|(r, w)| tile(r, w, None)).collect();
    shapes.extend([[8, 8], [32, 2]].map(|w| tile(Registers::P8x8, w, Some(WeightLoad::Uniform.into()))));
    for shape in shapes {
        let whole = run(shape, None);
        common::assert_close(&shape.to_string(), &whole, &expected, common::tolerance(150, 3, 2.0));
        let tiled = run(shape, Some(24));
        let bits = |values: &[f32]| values.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
        assert!(bits(&whole) == bits(&tiled), "{shape}: tiles change the result");
    }
}

/// A lot of work begins with a search, once: here a stream of unknown length, with the paper's network.
#[test]
fn large_work_begins_with_a_search() {
    let _alone = common::alone();
    let desk = Desk::new();
    if common::gpu().info.device_type != DeviceType::Cpu {
        println!("SKIPPED: for a GPU such a stream is not much work");
        return;
    }
    let frame: Vec<u8> = (0..96 * 64).map(|i: u32| (i * 7 % 251) as u8).collect();
    fs::write(desk.path("a.y4m"), [b"YUV4MPEG2 W96 H64 Cmono\nFRAME\n".as_slice(), &frame].concat()).unwrap();
    // As long as a film by its length, of which there is one frame.
    fs::copy(desk.path("a.y4m"), desk.path("film.y4m")).unwrap();
    File::options().write(true).open(desk.path("film.y4m")).unwrap().set_len(1 << 30).unwrap();
    let run = |args: &str, code: i32| {
        let mut command = desk.command(&format!("-v upscale -s 2 {args}"));
        let stdin =
            if args.ends_with('-') { File::open(desk.path("a.y4m")).unwrap().into() } else { Stdio::null() };
        let done = command.env("XDG_CACHE_HOME", desk.path("cache")).stdin(stdin).output().unwrap();
        let told = String::from_utf8_lossy(&done.stderr).into_owned();
        assert_eq!(done.status.code(), Some(code), "{told}");
        (told.contains("measuring which kernels"), told.contains("by measurement"), done.stdout)
    };
    let cache = desk.path("cache/srcnn-gpu");
    let choices = || {
        let names =
            fs::read_dir(&cache).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.filter(|name| name.starts_with("kernels-")).collect::<Vec<_>>()
    };
    // One frame in a file is not much work, and a pipe does not tell its length.
    let (searched, used, plain) = run("-", 0);
    assert!(!searched && !used);
    for (args, code) in [("a.y4m -o b.y4m", 0), ("film.y4m --no-autotune -o c.y4m", 1)] {
        let (searched, used, _) = run(args, code);
        assert!(!searched && !used && choices().is_empty(), "{args}");
    }
    let (searched, used, _) = run("film.y4m -o c.y4m", 1);
    assert!(searched && used);
    assert_eq!(choices().len(), 1);
    let devices = desk.command("devices").env("XDG_CACHE_HOME", desk.path("cache")).output().unwrap();
    let devices = String::from_utf8(devices.stdout).unwrap();
    assert!(devices.contains("kernels for 9-1-5 64-32 in f32: "), "{devices}");
    let (searched, used, tuned) = run("-", 0);
    assert!(!searched && used);
    // Rounding differences disappear in 8 bits, except for single steps.
    assert_eq!(plain.len(), tuned.len());
    assert!(plain.iter().zip(&tuned).all(|(a, b)| a.abs_diff(*b) <= 1));
}

/// `bench` searches, `bench` and `upscale` use what is stored, and neither does with `--no-autotune`.
#[test]
fn the_program() {
    let _alone = common::alone();
    let desk = Desk::new();
    desk.save("a.png", color(20, 16));
    fs::write(desk.path("m.safetensors"), weights().to_safetensors().unwrap()).unwrap();
    let run = |args: &str| {
        let mut command = common::as_wide(desk.command(args));
        Run::from(command.env("XDG_CACHE_HOME", desk.path("cache")).output().unwrap())
    };
    let bench = |args: &str| -> serde_json::Value {
        let done = run(&format!("bench --arch 5-1-3 --filters 6-5 --size 64x48 --repeat 1 --json {args}"));
        assert_eq!(done.code, Some(0), "{}", done.stderr);
        serde_json::from_str(&done.stdout).unwrap()
    };
    let report = bench("");
    assert_eq!(report["shape"]["from"], "default");
    let default = report["shape"]["shape"].clone();
    let parts = ["decode_ms", "upload_ms", "gpu_ms", "readback_ms", "encode_ms", "whole_ms"];
    assert!(parts.iter().all(|part| report["picture"][part].as_f64().unwrap() > 0.0), "{report}");
    let trained = ["step_ms", "sub_images_per_second", "gflops", "fraction", "difference"];
    assert!(trained.iter().all(|part| report["training"][part].as_f64().unwrap() > 0.0), "{report}");
    assert!(["wall", "processor", "timestamps"].contains(&report["clock"].as_str().unwrap()));

    let report = bench("--tune --tune-time 2");
    assert_eq!(report["shape"]["from"], "search");
    assert!(report["shape"]["candidates"].as_array().unwrap().len() > 1, "{report}");
    let cache = desk.path("cache/srcnn-gpu");
    let file = only_file(&cache);
    // Another shape than the one found, so that its use shows.
    let mut tuned: Tuned = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
    tuned.best = ConvShape { fused: None, workgroup: [2, 8], ..tuned.best };
    autotune::store(&tuned, &cache).unwrap();
    let best = tuned.best.to_string();
    let report = bench("");
    assert_eq!(
        (&report["shape"]["from"], &report["shape"]["shape"]),
        (&"stored".into(), &best.as_str().into())
    );
    // A choice made in single precision is only for single precision.
    if Precision::F16.check(&common::gpu().device).is_ok() {
        let report = bench("--precision f16");
        let shape = autotune::default_shape(&common::gpu(), Precision::F16).to_string();
        let from = (&report["shape"]["from"], &report["shape"]["shape"]);
        assert_eq!(from, (&"default".into(), &shape.as_str().into()));
    }
    let report = bench("--no-autotune");
    assert_eq!((&report["shape"]["from"], &report["shape"]["shape"]), (&"default".into(), &default));

    // `devices` lists what is known for the shipped networks, and for no others.
    let devices = run("devices").stdout;
    assert!(!devices.contains("by measurement"), "{devices}");

    let upscale = "-v upscale a.png -m m.safetensors --existing overwrite";
    let told = format!("kernels for 5-1-3 6-5 in f32 in the shape {best}");
    for (args, expected) in [("", true), ("--no-autotune", false), ("--verify", true)] {
        let done = run(&format!("{upscale} {args}"));
        assert_eq!((done.code, done.stderr.contains(&told)), (Some(0), expected), "{args}: {}", done.stderr);
        assert!(!done.stderr.contains("measuring which"), "{}", done.stderr);
    }
    // A broken file is not a problem, and one small picture does not start a search.
    fs::write(&file, "{").unwrap();
    let done = run(upscale);
    assert!(done.code == Some(0) && !done.stderr.contains("kernels for"), "{}", done.stderr);
    assert_eq!(bench("")["shape"]["from"], "default");
    assert_eq!(fs::read_to_string(&file).unwrap(), "{");
    for wrong in ["--tune --no-autotune", "--tune-time 3", "--tune --tune-time 0"] {
        assert_eq!(run(&format!("bench {wrong}")).code, Some(2), "{wrong}");
    }
}

/// The shapes of training's kernels are searched as those of inference are; a run keeps the one that it began with.
#[test]
fn training_takes_the_shape_that_was_found() {
    let _alone = common::alone();
    let (gpu, weights) = (common::gpu(), weights());
    let found = tune::search(&gpu, &weights, 8, Duration::from_secs(2)).unwrap();
    assert_eq!(found.measured[0].shape, Shape::for_device(&gpu.device));
    assert!(found.measured.len() > 1 && found.measured[0].ms.is_some(), "{found:?}");
    assert!(found.measured.iter().all(|one| one.ms.is_some() != one.reason.is_some()), "{found:?}");
    let folder = tempfile::tempdir().unwrap();
    let architecture = weights.architecture();
    assert_eq!(tune::stored(&gpu, architecture, folder.path()), None);
    // Another shape than the one found, so that its use shows.
    let best = Shape { parts: 3, ..found.best };
    store(&Tuned { best, ..found }, folder.path()).unwrap();
    assert_eq!(tune::stored(&gpu, architecture, folder.path()).unwrap().best, best);
    assert_eq!(stored(&gpu, architecture, Precision::F32, folder.path()), None);
    let impossible = Shape { workgroup: 1 << 15, ..best };
    assert!(tune::is_possible(&gpu, best) && !tune::is_possible(&gpu, impossible));

    let desk = Desk::new();
    fs::create_dir_all(desk.path("cache")).unwrap();
    fs::create_dir_all(desk.path("data")).unwrap();
    fs::rename(folder.path(), desk.path("cache/srcnn-gpu")).unwrap();
    desk.save("data/a.png", color(48, 48));
    let config = |run: &str, flags: &str| {
        let flags =
            format!("train data -s 2 -o {run} --arch 5-1-3 --filters 6-5 --batch 4 --steps 2 {flags}");
        let mut command = common::as_wide(desk.command(&flags));
        let done = Run::from(command.env("XDG_CACHE_HOME", desk.path("cache")).output().unwrap());
        assert_eq!(done.code, Some(0), "{}", done.stderr);
        fs::read_to_string(desk.path(&format!("{run}/config.toml"))).unwrap()
    };
    assert!(config("one", "").contains(&format!("kernels = \"{best}\"")));
    assert!(!config("two", "--no-autotune").contains("kernels"));
}
