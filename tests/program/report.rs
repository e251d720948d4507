//! The page from `eval --html`: its pictures bit for bit, that it is self-contained, and how a browser shows it.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use image::{DynamicImage, GrayImage, Luma, Rgb, RgbImage};
use srcnn_gpu::{Channels, Layer, LayerShape, Metadata, Weights};

fn eval(folder: &Path, args: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_srcnn-gpu"));
    command.current_dir(folder).env_remove("RUST_LOG");
    command.args(["--quiet", "eval"]).args(args.split_whitespace()).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// A network that sharpens its input: each plane minus part of its neighbors.
fn sharpening(channels: Channels) -> Vec<u8> {
    let count = channels.count();
    let first = LayerShape { inputs: count, filters: count, size: 1 };
    let second = LayerShape { size: 3, ..first };
    let own = |a: usize, b: usize| if a == b { 1.0 } else { 0.0 };
    let cross = [0.0, -0.1, 0.0, -0.1, 1.4, -0.1, 0.0, -0.1, 0.0];
    let weights = |taps: &[f32]| -> Vec<f32> {
        let filters = (0..count * count).map(|i| own(i / count, i % count));
        filters.flat_map(|own| taps.iter().map(move |tap| own * tap)).collect()
    };
    let layers = vec![
        Layer { shape: first, weight: weights(&[1.0]), bias: vec![0.0; count] },
        Layer { shape: second, weight: weights(&cross), bias: vec![0.0; count] },
    ];
    let metadata = Metadata { channels, scales: vec![2.0], ..Metadata::default() };
    Weights::new(layers, metadata).unwrap().to_safetensors().unwrap()
}

fn grey(width: u32, height: u32) -> GrayImage {
    GrayImage::from_fn(width, height, |x, y| Luma([((x / 5 + y / 7) % 2 * 120 + 40 + x) as u8]))
}

fn colors(width: u32, height: u32) -> RgbImage {
    let dot = |x: u32, y: u32| (x / 6 + y / 4) % 3 * 70 + 30;
    RgbImage::from_fn(width, height, |x, y| Rgb([dot(x, y) as u8, dot(y, x) as u8, 90 + (x % 60) as u8]))
}

/// A folder with a weight file, and a subfolder with two pictures.
fn desk() -> tempfile::TempDir {
    let desk = tempfile::tempdir().unwrap();
    fs::write(desk.path().join("m.safetensors"), sharpening(Channels::Y)).unwrap();
    fs::create_dir(desk.path().join("set")).unwrap();
    grey(61, 47).save(desk.path().join("set/grey.png")).unwrap();
    colors(70, 50).save(desk.path().join("set/a&b's.png")).unwrap();
    desk
}

/// Every text found between `before` and `after`.
fn between<'a>(page: &'a str, before: &str, after: &str) -> Vec<&'a str> {
    page.split(before).skip(1).filter_map(|rest| rest.split_once(after).map(|(found, _)| found)).collect()
}

fn decode(data_uri: &str) -> DynamicImage {
    let letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let base64 = data_uri.strip_prefix("data:image/png;base64,").expect("a PNG in the page");
    let (mut bits, mut count, mut bytes) = (0u32, 0, Vec::new());
    for letter in base64.chars().filter(|&letter| letter != '=') {
        bits = bits << 6 | letters.find(letter).unwrap() as u32;
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count) as u8);
        }
    }
    image::load_from_memory(&bytes).unwrap()
}

/// The picture with a given class in an article's slider.
fn view(article: &str, class: &str) -> DynamicImage {
    let tag = between(article, &format!("<img class=\"{class}\""), ">")[0];
    decode(between(tag, "src=\"", "\"")[0])
}

#[test]
fn shows_what_was_measured() {
    let desk = desk();
    fs::create_dir(desk.path().join("out")).unwrap();
    let output = eval(desk.path(), "set -m m.safetensors -s 2,3 --html page.html --save out --json");
    assert!(output.status.success(), "{}", text(&output.stderr));
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let page = fs::read_to_string(desk.path().join("page.html")).unwrap();
    let articles = between(&page, "<article", "</article>");
    assert_eq!((articles.len(), page.matches("<section ").count()), (4, 2));
    assert!(page.contains("a&amp;b&#39;s") && !page.contains("a&b's"));
    assert_eq!(page.matches("<p>Network m.safetensors, 1-3 1, padding replicate</p>").count(), 2);
    for (i, article) in articles.iter().enumerate() {
        let (scale, image) = ([2, 3][i / 2], i % 2);
        let row = &report["sets"][i / 2]["images"][image];
        for key in ["psnr", "psnr_bicubic"] {
            let printed = format!("{:.2} dB", row[key].as_f64().unwrap());
            assert!(article.contains(&printed), "{printed} is not in {}", &article[..300]);
        }
        // Both results as `--save` writes them: luminance, which is everything for a grey picture.
        let name = ["a&b's", "grey"][image];
        let saved = |method: &str| {
            let file = desk.path().join(format!("out/{name}_x{scale}_{method}.png"));
            image::open(file).unwrap().to_luma8()
        };
        let (bicubic, network) = (view(article, "bicubic"), view(article, "network"));
        let truth = view(article, "truth");
        assert_ne!(bicubic, network);
        if image == 1 {
            assert_eq!(bicubic.to_luma8(), saved("bicubic"));
            assert_eq!(network.to_luma8(), saved("srcnn"));
            assert_eq!(
                truth,
                DynamicImage::from(grey(61, 47)).crop_imm(0, 0, 61 - 61 % scale, 47 - 47 % scale)
            );
        } else {
            let whole = DynamicImage::from(colors(70, 50));
            assert_eq!(truth, whole.crop_imm(0, 0, 70 - 70 % scale, 50 - 50 % scale));
            // The luminance of the colors is what was measured, except for rounding in three channels and for
            // clamping.
            let (shown, measured) = (network.to_rgb8(), saved("srcnn"));
            let pixels = shown.pixels().zip(measured.pixels());
            let inside: Vec<_> =
                pixels.filter(|(rgb, _)| rgb.0.iter().all(|&v| (1..255).contains(&v))).collect();
            assert!(inside.len() > 1000, "{}", inside.len());
            for (rgb, y) in inside {
                assert!(srcnn_gpu::color::luminance_u8(rgb.0).abs_diff(y.0[0]) <= 1, "{rgb:?} {y:?}");
            }
        }
        // The crops are parts of the same pictures: original, bicubic, network.
        let crops = between(article, "<figure><img", "</figure>");
        assert_eq!(crops.len(), 3);
        let mark = |side: &str| -> f64 {
            let style = between(article, "class=\"mark\" style=\"", "\"")[0];
            between(&format!(";{style}"), &format!(";{side}:"), "%")[0].parse().unwrap()
        };
        for (crop, whole) in crops.iter().zip([&truth, &bicubic, &network]) {
            let crop = decode(between(crop, "src=\"", "\"")[0]);
            let at = |percent: f64, length: u32| (percent / 100.0 * f64::from(length)).round() as u32;
            let (x, y) = (at(mark("left"), whole.width()), at(mark("top"), whole.height()));
            assert_eq!(crop, whole.crop_imm(x, y, crop.width(), crop.height()), "{name} x{scale}");
        }
    }
}

/// No addresses and no files: the only thing that looks like an address is the SVG namespace.
#[test]
fn is_self_contained() {
    let desk = desk();
    assert!(eval(desk.path(), "set -m m.safetensors --html page.html").status.success());
    let page = fs::read_to_string(desk.path().join("page.html")).unwrap();
    let rest = page.replace("http://www.w3.org/2000/svg", "");
    for word in ["http:", "https:", "//cdn", "@import", "url(/", "<link", "<iframe", "file:"] {
        assert!(!rest.contains(word), "{word}");
    }
    let sources = between(&page, " src=\"", "\"");
    assert!(sources.len() == 12 && sources.iter().all(|source| source.starts_with("data:image/png;base64,")));
    assert!(page.contains("default-src 'none'"));
}

#[test]
fn three_channels_and_results_without_borders() {
    let desk = desk();
    fs::write(desk.path().join("rgb.safetensors"), sharpening(Channels::Rgb)).unwrap();
    fs::write(desk.path().join("ycbcr.safetensors"), sharpening(Channels::YCbCr)).unwrap();
    for model in ["rgb", "ycbcr"] {
        let args = format!("set -m {model}.safetensors -s 3 --padding valid --html {model}.html");
        let output = eval(desk.path(), &args);
        assert!(output.status.success(), "{}", text(&output.stderr));
        let page = fs::read_to_string(desk.path().join(format!("{model}.html"))).unwrap();
        let article = between(&page, "<article", "</article>")[0];
        let [truth, network] = ["truth", "network"].map(|class| view(article, class).to_rgb8());
        // One pixel less on each side than 69 x 48, the largest multiples of 3.
        assert_eq!(truth, DynamicImage::from(colors(70, 50)).crop_imm(1, 1, 67, 46).to_rgb8());
        let difference =
            truth.iter().zip(network.iter()).map(|(a, b)| u64::from(a.abs_diff(*b))).sum::<u64>();
        let mean = difference as f64 / truth.len() as f64;
        assert!(truth.dimensions() == network.dimensions() && mean < 30.0 && mean > 0.5, "{model} {mean}");
    }
}

#[test]
fn failures() {
    let desk = desk();
    fs::write(desk.path().join("set/broken.png"), b"nothing").unwrap();
    fs::write(desk.path().join("page.html"), b"old").unwrap();
    // Noticed before anything is measured.
    for (page, words) in [("m.safetensors/page.html", "it is a file"), ("set", "it is a folder")] {
        let output = eval(desk.path(), &format!("set -m m.safetensors --html {page}"));
        assert_eq!((output.status.code(), output.stdout.len()), (Some(5), 0));
        assert!(text(&output.stderr).contains(words), "{}", text(&output.stderr));
    }
    assert_eq!(fs::read(desk.path().join("page.html")).unwrap(), b"old");
    // An unreadable picture does not stop the others.
    let output = eval(desk.path(), "set -m m.safetensors --html page.html");
    assert_eq!(output.status.code(), Some(1));
    let page = fs::read_to_string(desk.path().join("page.html")).unwrap();
    assert_eq!(page.matches("<article").count(), 2);
    assert!(page.ends_with("</html>\n"));
}

/// Sliders in a real browser: their events move the edge of the left picture.
#[test]
fn sliders_in_a_browser() {
    let found = ["chromium", "chromium-browser", "google-chrome"].into_iter().find(|name| {
        Command::new(name).arg("--version").output().is_ok_and(|output| output.status.success())
    });
    let Some(browser) = found else {
        println!("SKIPPED: no Chromium is installed");
        return;
    };
    let desk = desk();
    assert!(eval(desk.path(), "set -m m.safetensors --html page.html").status.success());
    let page = fs::read_to_string(desk.path().join("page.html")).unwrap();
    // Reports its findings in the page's title: pictures that are loaded, the first slider at the start, then moved,
    // then with another pair.
    let probe = r#"<script>addEventListener("load", () => {
        const slider = document.querySelector(".slider"), range = slider.querySelector("input[type=range]");
        const look = () => ["bicubic", "network", "truth"].map((name) => {
            const style = getComputedStyle(slider.querySelector("." + name));
            return style.visibility + " " + style.clipPath.replace(/\s+/g, "");
        }).concat([...slider.querySelectorAll(".tag")].map((tag) => tag.textContent)).join(", ");
        const loaded = [...document.images].filter((image) => image.naturalWidth > 0).length;
        const told = [loaded + " pictures", look()];
        range.value = 20;
        range.dispatchEvent(new Event("input", { bubbles: true }));
        told.push(look(), range.getAttribute("aria-valuetext"));
        slider.querySelectorAll("input[type=radio]")[1].click();
        told.push(look());
        range.focus();
        told.push(document.activeElement === range ? "focus" : "no focus");
        document.title = told.join("; ");
    });</script></body>"#;
    fs::write(desk.path().join("probe.html"), page.replace("</body>", probe)).unwrap();
    let profile = format!("--user-data-dir={}", desk.path().join("profile").display());
    let output = Command::new(browser)
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--virtual-time-budget=3000",
            &profile,
            "--dump-dom",
        ])
        .arg(format!("file://{}", desk.path().join("probe.html").display()))
        .output()
        .unwrap();
    let shown = text(&output.stdout);
    let title = between(&shown, "<title>", "</title>")[0].to_string();
    let told: Vec<&str> = title.split("; ").collect();
    let left = |right: u32| format!("visible inset(0px{right}%0px0px)");
    assert_eq!(told[0], "12 pictures", "{title}");
    for (found, expected) in [
        (told[1], format!("{}, visible none, hidden none, Bicubic, Network", left(50))),
        (told[2], format!("{}, visible none, hidden none, Bicubic, Network", left(80))),
        (told[4], format!("hidden none, {}, visible none, Network, Original", left(80))),
    ] {
        assert_eq!(found, expected, "{title}");
    }
    assert_eq!((told[3], told[5]), ("20% Bicubic, the rest Network", "focus"));
}
