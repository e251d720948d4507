//! Usage errors, found before any file is touched.

use crate::common::desk::{Desk, grey};

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
    for scale in ["0", "NaN", "-2", "inf", "1e30", "two", "0.5"] {
        desk.upscale(&format!("a.png -s {scale}")).fails(2, &["--scale", scale, "from 1 to 1000"]);
    }
    for tile in ["-1", "many", "4294967296"] {
        desk.upscale(&format!("a.png -t {tile}")).fails(2, &["--tile", tile]);
    }
    desk.upscale("a.png --padding mirror").fails(2, &["'mirror'", "replicate, normalized, zero, valid"]);
    desk.upscale("a.png --existing maybe").fails(2, &["'maybe'", "rename"]);
    desk.upscale("a.png --backend cuda").fails(2, &["'cuda'", "vulkan"]);
    desk.upscale("a.png --frobnicate").fails(2, &["--frobnicate"]);
    desk.upscale("a.png -v --quiet").fails(2, &["--quiet"]);
    desk.upscale("").fails(2, &["no input"]);
    desk.run("upscale a.png -m nothing").fails(4, &["nothing", "no such file"]);
    assert_eq!(desk.names("."), ["a.png", "m.safetensors"]);
}

#[test]
fn networks_by_name() {
    let desk = Desk::new();
    desk.save("a.png", grey(8, 8));
    desk.run("upscale a.png -s 3").wrote(&["a_srcnn_x3.png"]);
    desk.run("upscale a.png -s 3 -m small -o b.png").wrote(&["b.png"]);
    let bytes = |name: &str| std::fs::read(desk.path(name)).unwrap();
    assert_eq!(bytes("a_srcnn_x3.png"), bytes("b.png"));
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
