//! The evaluation protocol against the paper's tables, on the shared data (`SRCNN_DATA`), without a GPU.

use std::time::{Duration, Instant};

use crate::common::data;
use srcnn_gpu::color::luminance_u8;
use srcnn_gpu::eval::dataset::{Dataset, Picture, stem};
use srcnn_gpu::eval::protocol::Protocol;
use srcnn_gpu::eval::table::{Layout, render};
use srcnn_gpu::eval::{Enlarge, Report, SetReport, published};
use srcnn_gpu::headless::Timing;
use srcnn_gpu::reference::resample::imresize_to;
use srcnn_gpu::{Architecture, Channels, Padding, Planes, Result, Weights};

/// Bicubic interpolation, then a network's layers with replicate padding, in plain loops.
struct Plain {
    weights: Option<Weights>,
}

impl Enlarge for Plain {
    fn enlarge(&mut self, low: &Planes, width: usize, height: usize) -> Result<(Planes, Timing)> {
        let start = Instant::now();
        let low_plane: Vec<f64> = low.data.iter().map(|&v| f64::from(v)).collect();
        let high = imresize_to(&low_plane, (low.height, low.width), (height, width))?;
        let mut maps = vec![high.iter().map(|&v| v as f32).collect::<Vec<_>>()];
        let layers = self.weights.iter().flat_map(|weights| weights.layers());
        let count = self.weights.as_ref().map_or(0, |weights| weights.layers().len());
        for (i, layer) in layers.enumerate() {
            maps = forward(&maps, layer, width, height);
            if i + 1 < count {
                maps.iter_mut().flatten().for_each(|v| *v = v.max(0.0));
            }
        }
        let wall = start.elapsed();
        Ok((Planes::new(width, height, 1, maps.concat())?, Timing { gpu: wall, wall, ..Timing::default() }))
    }
}

/// Bicubic interpolation that says it took a second, of which three quarters went into kernels.
struct Compiling;

impl Enlarge for Compiling {
    fn enlarge(&mut self, low: &Planes, width: usize, height: usize) -> Result<(Planes, Timing)> {
        let (planes, _) = Plain { weights: None }.enlarge(low, width, height)?;
        let ms = Duration::from_millis;
        Ok((planes, Timing { wall: ms(1000), preparation: ms(750), gpu: ms(200), ..Timing::default() }))
    }
}

#[test]
fn times_are_without_compilation() {
    let picture = image::GrayImage::from_fn(24, 24, |x, y| image::Luma([(x * y) as u8]));
    let protocol = Protocol::new(2.0, None, Channels::Y).unwrap();
    let measured = protocol.measure(&Picture::new(&picture.into(), false), &mut Compiling).unwrap();
    assert_eq!((measured.score.wall_ms, measured.score.gpu_ms), (250.0, 200.0));
}

/// One layer: each tap of each filter adds its weight times a row of the padded input to a row of output.
fn forward(maps: &[Vec<f32>], layer: &srcnn_gpu::Layer, width: usize, height: usize) -> Vec<Vec<f32>> {
    let (size, radius) = (layer.shape.size, layer.shape.radius());
    let padded_width = width + 2 * radius;
    let padded = |map: &Vec<f32>| -> Vec<f32> {
        let rows = (0..height + 2 * radius).map(|y| y.saturating_sub(radius).min(height - 1) * width);
        rows.flat_map(|row| (0..padded_width).map(move |x| row + x.saturating_sub(radius).min(width - 1)))
            .map(|at| map[at])
            .collect()
    };
    let inputs: Vec<Vec<f32>> = maps.iter().map(padded).collect();
    let filter = |n: usize| -> Vec<f32> {
        let mut output = vec![layer.bias[n]; width * height];
        let weights = &layer.weight[n * layer.shape.products()..(n + 1) * layer.shape.products()];
        for (y, row) in output.chunks_exact_mut(width).enumerate() {
            for (tap, weight) in weights.iter().enumerate() {
                let (input, dy, dx) = (tap / (size * size), tap / size % size, tap % size);
                let from = (y + dy) * padded_width + dx;
                let source = &inputs[input][from..from + width];
                row.iter_mut().zip(source).for_each(|(sum, value)| *sum += weight * value);
            }
        }
        output
    };
    // Half of the filters on each of two threads.
    let filters: Vec<usize> = (0..layer.shape.filters).collect();
    std::thread::scope(|scope| {
        let halves = filters.chunks(filters.len().div_ceil(2));
        let threads: Vec<_> =
            halves.map(|half| scope.spawn(|| half.iter().map(|&n| filter(n)).collect::<Vec<_>>())).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    })
}

fn measure(set: &Dataset, scale: f64, weights: Option<Weights>) -> SetReport {
    let architecture = weights.as_ref().map_or_else(
        || Architecture::parse("9-1-5", "64-32", 1).unwrap(),
        |weights| weights.architecture().clone(),
    );
    let protocol = Protocol::new(scale, None, Channels::Y).unwrap();
    let mut report = SetReport::new(&set.name, &protocol, "test", &architecture, Padding::Replicate);
    let mut network = Plain { weights };
    for path in &set.pictures {
        let picture = Picture::read(path).unwrap();
        report.add(&stem(path), &protocol.measure(&picture, &mut network).unwrap());
    }
    report.finish(Some(&architecture));
    let mut shown = Report { tables: vec![vec![report]] };
    eprintln!("{}", render(&shown, Layout::Plain));
    shown.tables.remove(0).remove(0)
}

/// Table 1: the averages of bicubic interpolation, and each single picture.
#[test]
fn bicubic_on_set5() {
    let Some(set5) = data("data/Set5") else { return };
    let set = Dataset::open(&set5).unwrap();
    assert_eq!((set.name.as_str(), set.pictures.len()), ("Set5", 5));
    for (scale, printed) in [(2.0, 33.66), (3.0, 30.39), (4.0, 28.42)] {
        let report = measure(&set, scale, None);
        for row in &report.images {
            let published = row.published.expect("every picture of Set5 is in table 1").bicubic;
            assert!((row.score.psnr_bicubic - published).abs() < 0.015, "x{scale} {row:?}");
        }
        let average = report.average.unwrap();
        assert_eq!(average.published.map(|row| row.bicubic), Some(printed));
        // The printed figures have two decimals.
        assert!((average.score.psnr_bicubic - printed).abs() < 0.005, "x{scale} {average:?}");
        // The stand-in network is the same interpolation on f32 input: a few pixels round the other way.
        assert!((average.score.psnr - average.score.psnr_bicubic).abs() < 1e-4);
    }
}

/// Nothing is published between whole scales: the protocol against a plain computation of its own, from the twin of MATLAB's
/// imresize to PSNR.
#[test]
fn bicubic_between_whole_scales() {
    let made = image::RgbImage::from_fn(47, 39, |x, y| {
        image::Rgb([x * 5 + y, y * 6, x * y].map(|v| (v % 256) as u8))
    });
    let mut pictures = vec![Picture::new(&made.into(), false)];
    if let Some(set5) = data("data/Set5") {
        let set = Dataset::open(&set5).unwrap();
        pictures.extend(set.pictures.iter().map(|path| Picture::read(path).unwrap()));
    }
    for picture in &pictures {
        for (scale, up, down, border) in [(2.5, 5, 2, 3), (1.5, 3, 2, 2), (2.25, 9, 4, 3)] {
            let (width, height) = (picture.width / up * up, picture.height / up * up);
            let rows = picture.luminance();
            let rows = rows.chunks_exact(picture.width).take(height);
            let truth: Vec<f64> = rows.flat_map(|row| row[..width].iter().map(|&v| f64::from(v))).collect();
            let plane: Vec<f64> = truth.iter().map(|v| v / 255.0).collect();
            let small = (height / up * down, width / up * down);
            let low = imresize_to(&plane, (height, width), small).unwrap();
            let high = imresize_to(&low, small, (height, width)).unwrap();
            let psnr = |border: usize| {
                let inside = |i: &usize| {
                    (border..width - border).contains(&(i % width))
                        && (border..height - border).contains(&(i / width))
                };
                let places: Vec<usize> = (0..width * height).filter(inside).collect();
                let result = |i: usize| (255.0 * high[i]).round().clamp(0.0, 255.0);
                let squares = places.iter().map(|&i| (truth[i] - result(i)).powi(2)).sum::<f64>();
                10.0 * (255.0 * 255.0 / (squares / places.len() as f64)).log10()
            };
            let protocol = Protocol::new(scale, None, Channels::Y).unwrap();
            let measured = protocol.measure(picture, &mut Plain { weights: None }).unwrap();
            let found = measured.score.psnr_bicubic;
            assert_eq!((measured.bicubic.width, measured.bicubic.height), (width, height));
            assert!((found - psnr(border)).abs() < 1e-9, "x{scale}: {found}, {}", psnr(border));
            // Another border would be noticed.
            assert!((found - psnr(border - 1)).abs() > 1e-6, "x{scale}");
            // The stand-in network's input is f32: a few pixels round the other way.
            assert!((measured.score.psnr - found).abs() < 2e-3, "x{scale}: {} {found}", measured.score.psnr);
            let report = SetReport::bicubic("any", &protocol);
            assert_eq!((report.shave, report.scale.to_string()), (border, scale.to_string()));
        }
    }
}

/// The authors' networks: every picture of table 1, and the later paper's average.
#[test]
fn authors_networks_on_set5() {
    let (Some(set5), Some(authors)) = (data("data/Set5"), data("weights-authors")) else { return };
    let set = Dataset::open(&set5).unwrap();
    let load = |name| Weights::load(&authors.join(name)).unwrap();

    let report = measure(&set, 3.0, Some(load("9-1-5_91-images_x3.mat")));
    for row in &report.images {
        let published = row.published.unwrap().srcnn;
        assert!((row.score.psnr - published).abs() < 0.015, "{row:?}");
        assert!(row.score.ssim > row.score.ssim_bicubic);
    }
    assert!((report.average.unwrap().score.psnr - 32.39).abs() < 0.005);

    let report = measure(&set, 3.0, Some(load("9-5-5_ImageNet_x3.mat")));
    let published = report.published_networks.first().unwrap().psnr;
    assert!((report.average.unwrap().score.psnr - published).abs() < 0.005);
}

/// The transcribed tables against the data that they come from.
#[test]
fn published_figures_are_the_papers() {
    let Some(tables) = data("paper/tables.json") else { return };
    let text = std::fs::read_to_string(tables).unwrap();
    let tables: serde_json::Value = serde_json::from_str(&text).unwrap();
    for table in ["table1_set5", "table2_set14"] {
        let rows = tables[table].as_array().unwrap();
        for row in rows {
            let scale = row["scale"].as_u64().unwrap() as usize;
            let images =
                rows.iter().filter(|other| other["scale"] == row["scale"] && other["image"] != "average");
            let found = match row["image"].as_str().unwrap() {
                "average" => published::average(images.map(|row| row["image"].as_str().unwrap()), scale),
                image => published::image(image, scale),
            };
            let typed = serde_json::to_value(found.unwrap()).unwrap();
            for (method, figure) in typed.as_object().unwrap() {
                assert_eq!(*figure, row[method], "{table} {row} {method}");
            }
        }
        let key = if table == "table1_set5" { "set5_x3_average_seconds" } else { "set14_average_seconds" };
        let images = rows.iter().filter(|row| row["scale"] == 3 && row["image"] != "average");
        let typed = published::times(images.map(|row| row["image"].as_str().unwrap()), 3).unwrap();
        let methods = ["bicubic", "sc", "k_svd", "ne_nnls", "ne_lle", "anr", "srcnn"];
        for (method, seconds) in methods.into_iter().zip(typed.seconds) {
            assert_eq!(seconds, tables["running_time"][key][method].as_f64(), "{key} {method}");
        }
        assert_eq!(tables["running_time"]["machine"], typed.machine);
    }
}

/// Luminance of `uint8` colors equals MATLAB's exactly.
#[test]
fn luminance_golden_vectors() {
    let Some(golden) = data("reference/rgb2ycbcr_y.safetensors") else { return };
    let bytes = std::fs::read(golden).unwrap();
    let file = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    let rgb = file.tensor("rgb_u8").unwrap();
    let y: Vec<u8> = rgb.data().chunks_exact(3).map(|c| luminance_u8([c[0], c[1], c[2]])).collect();
    assert_eq!(y, file.tensor("y_u8").unwrap().data());
}

/// Folders that contain other files too, and broken pictures.
#[test]
fn folders_and_broken_files() {
    let folder = tempfile::tempdir().unwrap();
    let message = |error: srcnn_gpu::Error| error.to_string();
    assert!(message(Dataset::open(folder.path()).unwrap_err()).contains("no pictures"));
    assert!(Dataset::open(&folder.path().join("none")).is_err());

    let write = |name: &str, content: &[u8]| std::fs::write(folder.path().join(name), content).unwrap();
    image::GrayImage::new(12, 9).save(folder.path().join("b.png")).unwrap();
    let whole = std::fs::read(folder.path().join("b.png")).unwrap();
    write("c.png", &whole[..whole.len() / 2]);
    write("a.bmp", b"");
    write("d.jpg", b"not a picture");
    write("notes.txt", b"text");
    std::fs::create_dir(folder.path().join("e.png")).unwrap();
    let set = Dataset::open(folder.path()).unwrap();
    let names: Vec<String> = set.pictures.iter().map(|path| stem(path)).collect();
    assert_eq!(names, ["a", "b", "c", "d"]);
    assert_eq!(set.skipped, ["e.png", "notes.txt"]);
    for (path, broken) in set.pictures.iter().zip([true, false, true, true]) {
        match Picture::read(path) {
            Ok(picture) => assert!(!broken && picture.is_grey()),
            Err(error) => assert!(broken && message(error).contains(&path.display().to_string())),
        }
    }
}
