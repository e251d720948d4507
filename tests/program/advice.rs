//! What the program says to somebody who has asked for something that it does not do, or not quite: what to write instead.

use std::fs;

use crate::common::desk::{Desk, color, grey, identity, waves};

#[test]
fn places_for_results() {
    let desk = Desk::new();
    fs::create_dir(desk.path("in")).unwrap();
    desk.save("in/a.png", grey(5, 5));
    desk.save("in/b.png", grey(6, 5));
    desk.upscale("in -o out.png")
        .fails(2, &["the files of a folder need an output folder, out.png is the name"]);
    desk.upscale("in -o in/a.png")
        .fails(2, &["the files of a folder need an output folder, in/a.png is a file"]);
    desk.upscale("in/a.png in/b.png -o out.png").fails(2, &["several inputs need an output folder"]);
    desk.upscale("in/a.png -o new")
        .fails(2, &["output new: write new/ for a folder that does not exist yet"]);
    desk.upscale("in/a.png -o a.pdf")
        .fails(2, &["output a.pdf: .pdf is not one of png, ", "a folder that does not exist"]);
    desk.upscale("in/a.png -f mkv -o new").fails(2, &["in/a.png is a picture"]);
    assert_eq!(desk.names("."), ["in", "m.safetensors"]);
}

#[test]
fn only_flags_that_the_command_has() {
    let desk = Desk::new();
    fs::create_dir_all(desk.path("in/deep")).unwrap();
    desk.save("in/deep/a.png", grey(8, 8));
    fs::write(desk.path("in/clip.mp4"), "").unwrap();
    desk.upscale("in -o out").fails_with(1, "-r looks into its subfolders");
    for _ in 0..2 {
        let run = desk.run("degrade in out -s 2");
        assert!(!run.stderr.contains("-r ") && !run.stderr.contains("--videos"), "{}", run.stderr);
        // Once more with a picture beside the folder and the video, which are then left out with a note.
        desk.save("in/b.png", grey(8, 8));
    }
    assert_eq!(desk.names("out"), ["b.png"]);
}

#[test]
fn words_for_what_is_misspelled() {
    let desk = Desk::new();
    desk.save("a.png", grey(8, 8));
    let formats = "small, large, photo and deblock are built in; else name a weight file (.safetensors, .onnx, .pth, .mat) or the folder of";
    desk.run("upscale a.png -m lagre").fails(4, &["no such file or folder; did you mean large?", formats]);
    let run = desk.run("upscale a.png -m runs/x3");
    run.fails(4, &["model runs/x3: no such file or folder; small", formats]);
    assert!(!run.stderr.contains("mean"), "{}", run.stderr);
    desk.run("upscale a.png --scael 2")
        .fails(2, &["'--scael' found; a similar argument exists: '--scale'; try"]);
    let run = desk.run("upscale a.png --no-such");
    run.fails(2, &["error: unexpected argument '--no-such' found; try --help"]);
    desk.run("upscael a.png")
        .fails(2, &["unrecognized subcommand 'upscael'; a similar subcommand exists: 'upscale'"]);
    // What a decoder says comes after a colon, in words of a sentence.
    fs::write(desk.path("broken.png"), b"\x89PNG\r\n\x1a\nnonsense").unwrap();
    let run = desk.upscale("broken.png");
    assert!(run.stderr.contains("broken.png: ") && !run.stderr.contains(['(', ')']), "{}", run.stderr);
}

#[test]
fn a_quality_where_there_is_one() {
    let desk = Desk::new();
    fs::create_dir(desk.path("in")).unwrap();
    desk.save("in/a.png", color(8, 8));
    desk.save("in/b.jpg", color(8, 8));
    desk.save("in/c.png", color(8, 8));
    let run = desk.upscale("in -q 60 -o out");
    run.wrote(&["out/a.png", "out/b.jpg", "out/c.png"]);
    let told = "--quality is not used for out/a.png and 1 more: written without loss";
    assert!(run.stderr.contains(told), "{}", run.stderr);
    let run = desk.upscale("in/b.jpg -q 60");
    assert!(run.code == Some(0) && !run.stderr.contains("--quality"), "{}", run.stderr);
    desk.upscale("in -q 60 -f png -o png/")
        .fails(2, &["--quality is for formats that lose something", "png loses"]);
    fs::write(desk.path("v.y4m"), "YUV4MPEG2 W4 H4 F25:1\n").unwrap();
    desk.upscale("v.y4m -o w.y4m -q 60")
        .fails(2, &["--quality is for pictures; --crf sets the quality of a video"]);
    assert!(!desk.exists("png"));
}

#[test]
fn no_video_of_one_picture() {
    let desk = Desk::new();
    fs::create_dir(desk.path("in")).unwrap();
    desk.save("in/a.png", color(8, 8));
    desk.save("in/b.jpg", color(8, 8));
    desk.save("in/c.gif", color(8, 8));
    for name in ["a.png", "b.jpg", "c.gif"] {
        for output in ["-f mp4", "-o v.mp4", "-f y4m"] {
            desk.upscale(&format!("in/{name} {output}"))
                .fails(2, &[&format!("in/{name} is a picture, and ")]);
        }
    }
    desk.upscale("in -f y4m -o out").fails_with(1, "in/b.jpg: it is a picture, of which no video is made");
}

#[test]
fn another_scale_than_the_trained_one() {
    let desk = Desk::new();
    desk.save("a.png", color(8, 8));
    fs::write(desk.path("three.safetensors"), identity(3.0)).unwrap();
    let told = |args: &str| {
        let run = desk.run(args);
        assert_eq!(run.code, Some(0), "{args}: {}", run.stderr);
        run.stderr.lines().find(|line| line.contains("was trained for")).map(String::from)
    };
    let warning =
        |scale: &str| Some(format!("warning: three.safetensors was trained for x3, not for x{scale}"));
    // Here a network only ever enlarges by its own scale.
    for any in ["-m three.safetensors -s 2", "-m three.safetensors -s 6", "-s 2.5", "-m large -s 7"] {
        assert_eq!(told(&format!("upscale a.png --existing overwrite {any}")), None, "{any}");
    }
    // A network that knows its scale need not be told.
    desk.run("export onnx -m three.safetensors -o a.onnx").wrote(&["a.onnx: three.safetensors, for x3"]);
    // A file that enlarges leaves the rest to interpolation, as `upscale` does; others leave all of a scale to the network.
    assert_eq!(told("export onnx -m three.safetensors -s 2 -o b.onnx"), None);
    assert_eq!(told("export onnx -m three.safetensors -s 2 --with none -o bare.onnx"), warning("2"));
    assert_eq!(told("export onnx -m small -s 2.25 -o c.onnx"), None);
    let told = told("export mpv -m small -s 2.5 -o c.glsl").unwrap();
    assert!(told.contains("was trained for x3, not for x2.5"), "{told}");
    desk.run("export mpv -m three.safetensors -o a.glsl").wrote(&["a.glsl: three.safetensors, for x3"]);
    desk.run("export mpv -o b.glsl").fails(2, &["there are networks for x2, x3, x4: choose with --scale"]);
}

#[test]
fn test_pictures_are_what_they_seem() {
    let desk = Desk::new();
    fs::create_dir(desk.path("set")).unwrap();
    // Called like those of Set5, and others.
    for name in ["baby", "bird", "butterfly", "head", "woman"] {
        desk.save(&format!("set/{name}.png"), waves(40, 32));
    }
    let eval = |args: &str| {
        let run = desk.run(&format!("eval set -m m.safetensors -s 2 {args}"));
        assert_eq!(run.code, Some(0), "{}", run.stderr);
        run
    };
    let text = eval("").stdout;
    assert!(!text.contains("[1]") && !text.to_lowercase().contains("published"), "{text}");
    eval("--html page.html");
    assert!(!fs::read_to_string(desk.path("page.html")).unwrap().contains("ublished"));
    // Results of this program are no test pictures, whatever they are called.
    desk.upscale("set").wrote(
        &["baby", "bird", "butterfly", "head", "woman"]
            .map(|name| format!("set/{name}_srcnn_x2.png"))
            .each_ref()
            .map(String::as_str),
    );
    fs::rename(desk.path("set/baby_srcnn_x2.png"), desk.path("set/zoe.png")).unwrap();
    desk.save("set/bird.jpg", waves(44, 32));
    let run = eval("--csv");
    assert!(run.stderr.contains("set: results of earlier runs, left out: 5 files"), "{}", run.stderr);
    let images: Vec<&str> = run.stdout.lines().skip(1).filter_map(|line| line.split(',').nth(2)).collect();
    assert_eq!(images, ["baby", "bird.jpg", "bird.png", "butterfly", "head", "woman"]);
    // A report names networks as they were asked for.
    let text = desk.run("eval set/woman.png -s 2").stdout;
    assert!(text.starts_with("woman x2: small x2 (network 9-1-5 64-32, "), "{text}");
}
