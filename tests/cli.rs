//! The program itself: exit codes, what it prints where, what it writes and what it leaves alone.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use image::{DynamicImage, GrayImage, ImageBuffer, Luma, Rgb, RgbImage, Rgba, RgbaImage};
use srcnn_gpu::{Layer, LayerShape, Metadata, Weights};

/// A folder with a model and room for pictures.
struct Desk {
    folder: tempfile::TempDir,
}

/// What a run left behind.
struct Run {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

impl Desk {
    fn new() -> Self {
        let desk = Self { folder: tempfile::tempdir().unwrap() };
        fs::write(desk.path("m.safetensors"), identity(2.0)).unwrap();
        desk
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn save(&self, name: &str, picture: impl Into<DynamicImage>) {
        picture.into().save(self.path(name)).unwrap();
    }

    fn open(&self, name: &str) -> DynamicImage {
        image::open(self.path(name)).unwrap()
    }

    fn exists(&self, name: &str) -> bool {
        self.path(name).exists()
    }

    /// Names in a folder, sorted.
    fn names(&self, folder: &str) -> Vec<String> {
        let entries = fs::read_dir(self.path(folder)).unwrap();
        let mut names: Vec<_> = entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    fn command(&self, args: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_srcnn-gpu"));
        command.current_dir(self.folder.path()).args(args.split_whitespace());
        command.env_remove("SRCNN_GPU").env_remove("RUST_LOG");
        // Without it, a Mesa layer prints a remark of its own.
        command.env("XDG_RUNTIME_DIR", self.folder.path());
        command
    }

    fn run(&self, args: &str) -> Run {
        Run::from(self.command(args).output().unwrap())
    }

    /// Runs `upscale` with the desk's model.
    fn upscale(&self, args: &str) -> Run {
        self.run(&format!("upscale -m m.safetensors {args}"))
    }
}

impl From<Output> for Run {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl Run {
    /// Failed with this code, nothing on stdout, and one line on stderr that has all of `words`.
    #[track_caller]
    fn fails(&self, code: i32, words: &[&str]) {
        let told: Vec<_> = self.stderr.lines().collect();
        assert_eq!(self.code, Some(code), "{}", self.stderr);
        assert!(told.len() == 1 && told[0].starts_with("error: "), "not one error line: {}", self.stderr);
        for word in words {
            assert!(told[0].contains(word), "'{word}' is not in: {}", told[0]);
        }
        assert_eq!(self.stdout, "");
    }

    /// Went well, with these lines on stdout.
    #[track_caller]
    fn wrote(&self, lines: &[&str]) {
        assert_eq!(self.code, Some(0), "{}", self.stderr);
        let stdout: Vec<_> = self.stdout.lines().collect();
        assert_eq!(stdout, lines, "{}", self.stderr);
    }
}

/// The weight file of a network that passes luminance through.
fn identity(scale: f32) -> Vec<u8> {
    let shape = LayerShape { inputs: 1, filters: 1, size: 1 };
    let layer = Layer { shape, weight: vec![1.0], bias: vec![0.0] };
    let metadata = Metadata { scales: vec![scale], ..Metadata::default() };
    Weights::new(vec![layer.clone(), layer], metadata).unwrap().to_safetensors().unwrap()
}

fn grey(width: u32, height: u32) -> GrayImage {
    ImageBuffer::from_fn(width, height, |x, y| Luma([(40 + 7 * x + 5 * y) as u8]))
}

fn colour(width: u32, height: u32) -> RgbImage {
    ImageBuffer::from_fn(width, height, |x, y| Rgb([(60 + 5 * x) as u8, (60 + 5 * y) as u8, 100]))
}

// Usage, before any file is touched.

#[test]
fn help_and_version_are_results() {
    let desk = Desk::new();
    for args in ["--help", "--version", "upscale --help", "devices -h"] {
        let run = desk.run(args);
        assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""), "{args}");
        assert!(!run.stdout.is_empty());
    }
    let run = desk.run("");
    assert_eq!((run.code, run.stdout.as_str()), (Some(2), ""));
    assert!(run.stderr.contains("Usage"));
}

#[test]
fn usage_errors_name_the_argument() {
    let desk = Desk::new();
    desk.save("a.png", grey(4, 4));
    for scale in ["0", "1", "NaN", "-2", "inf", "1e30", "two", "0.5"] {
        desk.upscale(&format!("a.png -s {scale}")).fails(2, &["--scale", scale, "above 1"]);
    }
    for tile in ["0", "-1", "many", "4294967296"] {
        desk.upscale(&format!("a.png -t {tile}")).fails(2, &["--tile", tile]);
    }
    desk.upscale("a.png --padding mirror").fails(2, &["'mirror'", "replicate, normalized, zero, valid"]);
    desk.upscale("a.png --existing maybe").fails(2, &["'maybe'", "rename"]);
    desk.upscale("a.png --backend cuda").fails(2, &["'cuda'", "vulkan"]);
    desk.upscale("a.png --frobnicate").fails(2, &["--frobnicate"]);
    desk.upscale("a.png -v --quiet").fails(2, &["--quiet"]);
    desk.upscale("").fails(2, &["no input"]);
    desk.run("upscale a.png").fails(2, &["no model", "-m"]);
    assert_eq!(desk.names("."), ["a.png", "m.safetensors"]);
}

#[test]
fn outputs_are_checked_before_the_work() {
    let desk = Desk::new();
    desk.save("a.png", grey(4, 4));
    desk.save("b.png", grey(4, 4));
    desk.upscale("a.png -o b.xyz").fails(2, &["b.xyz", "png, jpg"]);
    desk.upscale("a.png -o b").fails(2, &["output b", "ends in /"]);
    desk.upscale("a.png b.png -o c.png").fails(2, &["several inputs", "c.png"]);
    desk.upscale("a.png b.png -o m.safetensors").fails(2, &["several inputs", "m.safetensors"]);
    desk.upscale("a.png -o no/b.png").fails(5, &["no/b.png", "no folder"]);
    desk.upscale("a.png -o no/deeper/").fails(5, &["no/deeper", "cannot be created"]);
    assert_eq!(desk.names("."), ["a.png", "b.png", "m.safetensors"]);
}

#[cfg(target_os = "linux")]
#[test]
fn a_folder_that_takes_no_files() {
    // Nobody, root included, may create files in /proc.
    let desk = Desk::new();
    desk.save("a.png", grey(4, 4));
    desk.upscale("a.png -o /proc").fails(5, &["/proc", "no file can be created"]);
    desk.upscale("a.png -o /proc/a.png").fails(5, &["/proc", "no file can be created"]);
}

#[cfg(unix)]
#[test]
fn a_read_only_folder() {
    use std::os::unix::fs::PermissionsExt;
    let desk = Desk::new();
    desk.save("a.png", grey(4, 4));
    let folder = desk.path("sealed");
    fs::create_dir(&folder).unwrap();
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o555)).unwrap();
    if fs::write(folder.join("probe"), "").is_ok() {
        println!("skipped: this user may write to read-only folders");
        return;
    }
    desk.upscale("a.png -o sealed").fails(5, &["sealed", "ermission"]);
}

// Models.

#[test]
fn bad_models() {
    let desk = Desk::new();
    desk.save("a.png", grey(4, 4));
    fs::write(desk.path("text"), "not a model").unwrap();
    fs::write(desk.path("empty"), "").unwrap();
    let mut nan = identity(2.0);
    let one = nan.windows(4).rposition(|bytes| bytes == 1f32.to_le_bytes()).unwrap();
    nan[one..one + 4].copy_from_slice(&f32::NAN.to_le_bytes());
    fs::write(desk.path("nan"), nan).unwrap();
    let whole = identity(2.0);
    fs::write(desk.path("short"), &whole[..whole.len() - 4]).unwrap();
    for model in ["text", "empty", "nan", "short", "missing"] {
        desk.run(&format!("upscale a.png -m {model}")).fails(4, &["model", model]);
    }
    // One bad file among good ones is an error too: a wrong choice would go unnoticed.
    desk.upscale("a.png -m nan").fails(4, &["nan"]);
    assert!(!desk.exists("a_srcnn_x2.png"));
}

// Pictures that cannot be read; none of these needs an adapter.

#[test]
fn bad_pictures_leave_everything_as_it_was() {
    let desk = Desk::new();
    fs::write(desk.path("text.png"), "just text").unwrap();
    fs::write(desk.path("empty.png"), "").unwrap();
    fs::write(desk.path("notes.txt"), "just text").unwrap();
    fs::create_dir(desk.path("hollow")).unwrap();
    fs::write(desk.path("hollow/notes.txt"), "just text").unwrap();
    fs::write(desk.path("out.png"), "precious").unwrap();
    for (input, why) in [
        ("text.png", "not a readable picture"),
        ("empty.png", "empty"),
        ("notes.txt", "not a kind of picture"),
        ("missing.png", "No such file"),
    ] {
        let why = if cfg!(unix) || input != "missing.png" { why } else { "" };
        desk.upscale(&format!("{input} -o out.png")).fails(1, &[input, why]);
    }
    desk.upscale("hollow").fails(1, &["hollow", "no pictures"]);
    desk.upscale("hollow -o outs").fails(1, &["hollow", "no pictures"]);
    assert_eq!(fs::read(desk.path("out.png")).unwrap(), b"precious");
}

#[test]
fn existing_outputs_that_are_kept_need_no_adapter() {
    let desk = Desk::new();
    desk.save("a.png", grey(4, 4));
    fs::create_dir(desk.path("out")).unwrap();
    fs::write(desk.path("out/a.png"), "precious").unwrap();
    let run = desk.upscale("a.png -o out");
    run.wrote(&[]);
    assert!(run.stderr.contains("exists already"), "{}", run.stderr);
    assert_eq!(desk.upscale("a.png -o out --quiet").stderr, "");
    desk.upscale("a.png -o out --existing fail").fails(5, &["a.png", "exists already"]);
    assert_eq!(fs::read(desk.path("out/a.png")).unwrap(), b"precious");
}

#[test]
fn the_input_is_never_overwritten() {
    let desk = Desk::new();
    desk.save("a.png", grey(4, 4));
    desk.save("b.png", grey(4, 4));
    let before = fs::read(desk.path("a.png")).unwrap();
    for args in ["a.png -o a.png", "a.png -o ./a.png --existing overwrite", "a.png -o . --existing overwrite"]
    {
        desk.upscale(args).fails(5, &["a.png", "is an input"]);
    }
    // Another input of the same run counts too.
    let run = desk.upscale("a.png b.png -o . --existing overwrite");
    assert_eq!((run.code, run.stderr.matches("is an input").count()), (Some(5), 2), "{}", run.stderr);
    assert_eq!(fs::read(desk.path("a.png")).unwrap(), before);
}

#[test]
fn results_beyond_memory_and_format_are_refused_early() {
    let desk = Desk::new();
    desk.save("large.png", GrayImage::new(4000, 4000));
    desk.upscale("large.png -s 1000").fails(1, &["large.png", "4000000x4000000", "TiB", "available"]);
    desk.save("long.png", GrayImage::new(4000, 1));
    desk.upscale("long.png -s 17 -o long.jpg").fails(1, &["68000x17", ".jpg", "too large"]);
    desk.save("alpha.png", RgbaImage::new(4, 4));
    desk.upscale("alpha.png -o alpha.jpg").fails(1, &["alpha.png", "alpha channel", "write png"]);
    desk.save("colour.png", colour(4, 4));
    desk.upscale("colour.png -o colour.pgm").fails(1, &["colours", "ppm"]);
    // A header that promises far more than there is.
    fs::write(desk.path("bomb.ppm"), "P6 2000000 2000000 255\n").unwrap();
    desk.upscale("bomb.ppm").fails(1, &["bomb.ppm", "2000000x2000000", "TiB", "available"]);
    assert!(!desk.exists("long.jpg") && !desk.exists("alpha.jpg"));
}

// Adapters.

#[test]
fn no_adapter_is_code_3_and_lists_what_there_is() {
    let desk = Desk::new();
    desk.save("a.png", grey(4, 4));
    desk.upscale("a.png -g no-such-adapter").fails(3, &["adapter"]);
    desk.run("devices -g 4711").fails(3, &["adapter"]);
    let output = desk.command("upscale -m m.safetensors a.png").env("SRCNN_GPU", "no-such-adapter").output();
    Run::from(output.unwrap()).fails(3, &["adapter"]);
    let output = desk.command("devices").env("WGPU_BACKEND", "none-of-them").output();
    Run::from(output.unwrap()).fails(3, &["install"]);
    assert!(!desk.exists("a_srcnn_x2.png"));
}

#[test]
fn devices_as_text_and_json() {
    let desk = Desk::new();
    let run = desk.run("devices --json");
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let devices: Vec<serde_json::Value> = serde_json::from_str(&run.stdout).unwrap();
    assert!(!devices.is_empty());
    let order = ["discrete", "integrated", "virtual", "other", "software"];
    let ranks: Vec<_> = devices.iter().map(|d| order.iter().position(|o| d["type"] == *o).unwrap()).collect();
    assert!(ranks.is_sorted(), "{ranks:?}");
    let text = desk.run("devices").stdout;
    for (index, device) in devices.iter().enumerate() {
        assert_eq!(device["index"], index);
        assert!(device["limits"]["storage_binding"].as_u64().unwrap() > 0);
        if device["usable"] == true {
            assert_eq!(device["self_test"], "ok", "{device}");
        }
        assert!(text.contains(&format!("{index}: {}", device["name"].as_str().unwrap())), "{text}");
    }
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let desk = Desk::new();
    let mut child = desk.command("devices").stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let run = Run::from(child.wait_with_output().unwrap());
    assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""));
}

// Pictures that are enlarged.

#[test]
fn sizes_names_and_types_of_results() {
    let desk = Desk::new();
    desk.save("dot.png", grey(1, 1));
    desk.upscale("dot.png").wrote(&["dot_srcnn_x2.png"]);
    let dot = desk.open("dot_srcnn_x2.png");
    assert_eq!((dot.width(), dot.height()), (2, 2));
    assert!(dot.as_luma8().unwrap().pixels().all(|p| p[0].abs_diff(40) <= 1));

    desk.save("a.png", grey(7, 5));
    desk.upscale("a.png -s 1.5 -o b.png").wrote(&["b.png"]);
    let b = desk.open("b.png");
    assert!(b.as_luma8().is_some(), "grey stays grey: {:?}", b.color());
    assert_eq!((b.width(), b.height()), (11, 8), "sizes are rounded upwards");

    let deep = |x: u32, y: u32| (9000 + 3001 * x + 2003 * y) as u16;
    desk.save("deep.png", DynamicImage::ImageLuma16(ImageBuffer::from_fn(6, 6, |x, y| Luma([deep(x, y)]))));
    desk.upscale("deep.png").wrote(&["deep_srcnn_x2.png"]);
    let result = desk.open("deep_srcnn_x2.png");
    let result = result.as_luma16().expect("16 bits stay 16 bits");
    assert!(result.pixels().any(|p| p[0] % 257 != 0), "more than 8 bits are used");
    desk.upscale("deep.png -o deep.jpg").wrote(&["deep.jpg"]);
    assert!(desk.open("deep.jpg").as_luma8().is_some());

    desk.save("alpha.png", RgbaImage::from_pixel(4, 4, Rgba([90, 120, 60, 77])));
    for (extension, message) in
        [("png", "in png"), ("webp", "in webp"), ("tiff", "in tiff"), ("pam", "in pam")]
    {
        let name = format!("alpha2.{extension}");
        desk.upscale(&format!("alpha.png -o {name}")).wrote(&[&name]);
        let picture = desk.open(&name);
        let pixels = picture.as_rgba8().expect(message).pixels();
        assert!(pixels.into_iter().all(|p| p[3] == 77), "{message}");
    }
    for extension in ["jpg", "bmp", "ppm", "pnm", "qoi", "tga", "tif", "webp"] {
        let name = format!("c.{extension}");
        desk.save("colour.png", colour(9, 6));
        desk.upscale(&format!("colour.png -s 3 -o {name}")).wrote(&[&name]);
        let picture = desk.open(&name);
        assert_eq!((picture.width(), picture.height()), (27, 18), "{name}");
        assert!(picture.as_rgb8().is_some(), "{name}: {:?}", picture.color());
    }
}

#[test]
fn identity_network_gives_the_picture_enlarged() {
    let desk = Desk::new();
    desk.save("flat.png", RgbImage::from_pixel(8, 8, Rgb([200, 40, 90])));
    desk.upscale("flat.png -s 2 -t 5").wrote(&["flat_srcnn_x2.png"]);
    let result = desk.open("flat_srcnn_x2.png").into_rgb8();
    for pixel in result.pixels() {
        assert!(pixel.0.iter().zip([200, 40, 90]).all(|(a, b)| a.abs_diff(b) <= 1), "{pixel:?}");
    }
}

#[test]
fn a_truncated_picture_and_a_folder_with_one_broken_file() {
    let desk = Desk::new();
    fs::create_dir(desk.path("in")).unwrap();
    desk.save("in/1.png", grey(5, 5));
    desk.save("in/2.png", colour(40, 40));
    desk.save("in/3.png", colour(5, 5));
    fs::write(desk.path("in/notes.txt"), "text").unwrap();
    let whole = fs::read(desk.path("in/2.png")).unwrap();
    fs::write(desk.path("in/2.png"), &whole[..whole.len() / 2]).unwrap();
    // Told before an adapter is looked for.
    desk.upscale("in/2.png -o t.png -g no-such-adapter").fails(1, &["2.png"]);
    assert!(!desk.exists("t.png"));

    desk.save("whole.jpg", colour(40, 40));
    let whole = fs::read(desk.path("whole.jpg")).unwrap();
    fs::write(desk.path("half.jpg"), &whole[..whole.len() - 20]).unwrap();
    assert!(!desk.upscale("whole.jpg -o t.png").stderr.contains("ends too early"));
    assert!(desk.upscale("half.jpg -o t.png").stderr.contains("half.jpg: the file ends too early"));

    let run = desk.upscale("in -o out/");
    assert_eq!(run.code, Some(1), "{}", run.stderr);
    assert_eq!(run.stderr.matches("error: ").count(), 1, "{}", run.stderr);
    assert!(run.stderr.contains("notes.txt"), "{}", run.stderr);
    assert_eq!(desk.names("out"), ["1.png", "3.png"]);
    let paths: Vec<_> = ["1.png", "3.png"].iter().map(|n| Path::new("out").join(n)).collect();
    assert!(run.stdout.lines().map(Path::new).eq(paths.iter().map(PathBuf::as_path)), "{}", run.stdout);
}

#[test]
fn existing_policies() {
    let desk = Desk::new();
    desk.save("a.png", grey(4, 4));
    fs::write(desk.path("b.png"), "old").unwrap();
    desk.upscale("a.png -o b.png --existing skip").wrote(&[]);
    desk.upscale("a.png -o b.png --existing fail").fails(5, &["exists already"]);
    desk.upscale("a.png -o b.png --existing rename").wrote(&["b (1).png"]);
    assert_eq!(fs::read(desk.path("b.png")).unwrap(), b"old");
    desk.upscale("a.png -o b.png").wrote(&["b.png"]);
    assert_eq!(desk.open("b.png").width(), 8);
    desk.upscale("a.png").wrote(&["a_srcnn_x2.png"]);
    desk.upscale("a.png").wrote(&[]);
    desk.upscale("a.png -o . --existing rename").wrote(&["./a (1).png"]);
}

#[test]
fn folders_leave_out_earlier_results_and_inputs_may_repeat() {
    let desk = Desk::new();
    fs::create_dir(desk.path("in")).unwrap();
    desk.save("in/a.png", grey(4, 4));
    desk.upscale("in -i in/a.png").wrote(&["in/a_srcnn_x2.png"]);
    desk.upscale("in --existing overwrite").wrote(&["in/a_srcnn_x2.png"]);
    assert_eq!(desk.names("in"), ["a.png", "a_srcnn_x2.png"]);
}

#[test]
fn content_counts_not_the_extension() {
    let desk = Desk::new();
    desk.save("real.png", colour(6, 6));
    fs::rename(desk.path("real.png"), desk.path("a.jpg")).unwrap();
    desk.upscale("a.jpg -o b.png").wrote(&["b.png"]);
    let gif = image::codecs::gif::GifEncoder::new(fs::File::create(desk.path("c.gif")).unwrap());
    DynamicImage::from(colour(6, 6)).into_rgba8().write_with_encoder(gif).unwrap();
    desk.upscale("c.gif").wrote(&["c_srcnn_x2.png"]);
}

#[test]
fn colour_profiles_are_kept() {
    use image::{ImageDecoder, ImageEncoder, ImageReader};
    let desk = Desk::new();
    let mut profile = vec![0u8; 128];
    profile[16..20].copy_from_slice(b"RGB ");
    let file = fs::File::create(desk.path("a.png")).unwrap();
    let mut encoder = image::codecs::png::PngEncoder::new(file);
    encoder.set_icc_profile(profile.clone()).unwrap();
    colour(6, 6).write_with_encoder(encoder).unwrap();
    for name in ["b.png", "b.jpg", "b.webp"] {
        desk.upscale(&format!("a.png -o {name}")).wrote(&[name]);
        let mut decoder = ImageReader::open(desk.path(name)).unwrap().into_decoder().unwrap();
        assert_eq!(decoder.icc_profile().unwrap().as_ref(), Some(&profile), "{name}");
    }
}

#[test]
fn nearest_model_is_chosen_and_verbose_tells() {
    let desk = Desk::new();
    desk.save("a.png", grey(4, 4));
    fs::write(desk.path("x3"), identity(3.0)).unwrap();
    fs::write(desk.path("x4"), identity(4.0)).unwrap();
    // 3 is nearer to 3.45 by ratio (1.15) than 4 (1.16); 3.5 is the other way round.
    for (scale, model) in [("2", "m.safetensors"), ("3.45", "x3"), ("3.5", "x4"), ("4.5", "x4")] {
        let run = desk.upscale(&format!("a.png -m x3 -m x4 -s {scale} -v"));
        assert_eq!(run.code, Some(0), "{}", run.stderr);
        assert!(run.stderr.contains(&format!("model {model}: 1-1 1")), "{}", run.stderr);
        assert!(run.stderr.contains("4x4") && run.stderr.contains(" ms"), "{}", run.stderr);
    }
}

#[test]
fn a_software_adapter_is_told_once() {
    let desk = Desk::new();
    let json = desk.run("devices --json").stdout;
    let devices: Vec<serde_json::Value> = serde_json::from_str(&json).unwrap();
    let usable = |d: &&serde_json::Value| d["usable"] == true && d["type"] == "software";
    let Some(device) = devices.iter().find(usable) else {
        println!("skipped: no software adapter here");
        return;
    };
    desk.save("a.png", grey(4, 4));
    desk.save("b.png", grey(4, 4));
    let args = format!("a.png b.png -g {}", device["index"]);
    let run = desk.upscale(&args);
    run.wrote(&["a_srcnn_x2.png", "b_srcnn_x2.png"]);
    assert_eq!(run.stderr.lines().count(), 1, "{}", run.stderr);
    assert!(run.stderr.starts_with("warning: no GPU in use"), "{}", run.stderr);
    assert_eq!(desk.upscale(&format!("{args} --existing overwrite --quiet")).stderr, "");
}

#[test]
fn progress_as_lines() {
    let desk = Desk::new();
    desk.save("a.png", grey(8, 8));
    let run = desk.upscale("a.png -t 8 --progress lines");
    run.wrote(&["a_srcnn_x2.png"]);
    let lines: Vec<_> = run.stderr.lines().filter_map(|line| line.strip_suffix('%')).collect();
    let shares: Vec<f64> = lines.iter().map(|line| line.parse().unwrap()).collect();
    assert!(shares.is_sorted() && shares.last() == Some(&100.0), "{}", run.stderr);
}
