//! What the program says: help, and errors without the system's own words.

use std::fs;

use crate::common::desk::{Desk, color, grey};

const COMMANDS: [&str; 18] = [
    "",
    "upscale",
    "eval",
    "compare",
    "train",
    "degrade",
    "model",
    "model convert",
    "model info",
    "model filters",
    "export",
    "export onnx",
    "export mpv",
    "export web",
    "devices",
    "bench",
    "shaders",
    "completions",
];

/// The headings of a help text, each with its flags.
fn groups(help: &str) -> Vec<(String, Vec<String>)> {
    let mut groups: Vec<(String, Vec<String>)> = Vec::new();
    for line in help.lines() {
        if let Some(heading) = line.strip_suffix(':').filter(|line| !line.starts_with(' ')) {
            groups.push((heading.into(), Vec::new()));
        } else if let (Some((_, flags)), true) = (groups.last_mut(), line.trim_start().starts_with('-')) {
            let words = line.trim_start().split([' ', ',', '=', '.']).filter(|word| word.starts_with('-'));
            flags.extend(words.map(String::from));
        }
    }
    groups
}

#[test]
fn every_help_has_an_example() {
    let desk = Desk::new();
    for command in COMMANDS.into_iter().chain(["man"]) {
        for flag in ["-h", "--help"] {
            let help = desk.run(&format!("{command} {flag}"));
            let examples = help.stdout.split_once("\nExample").map(|(_, after)| after).unwrap_or_default();
            assert!(examples.contains(&format!("srcnn-gpu {command}")), "{command} {flag}: {}", help.stdout);
        }
    }
}

#[test]
fn flags_stand_where_they_belong() {
    let desk = Desk::new();
    for (command, flag, heading) in [
        ("upscale", "-m", "Network"),
        ("upscale", "-n", "Network"),
        ("upscale", "--padding", "Network"),
        ("upscale", "-t", "Computing"),
        ("upscale", "-g", "Computing"),
        ("upscale", "--backend", "Computing"),
        ("upscale", "--precision", "Computing"),
        ("upscale", "-f", "Format"),
        ("upscale", "--existing", "Many pictures"),
        ("bench", "-g", "Computing"),
        ("bench", "--json", "How"),
        ("bench", "--size", "What to measure"),
        ("eval", "-m", "What to measure"),
        ("eval", "--html", "Results"),
        ("eval", "-t", "Computing"),
        ("train", "--time", "The run"),
        ("train", "--batch", "Training"),
        ("train", "--arch", "The network"),
        ("train", "--quiet", "Messages"),
        ("devices", "-g", "Computing"),
    ] {
        let groups = groups(&desk.run(&format!("{command} --help")).stdout);
        let holder = groups.iter().find(|(_, flags)| flags.iter().any(|one| one == flag));
        assert_eq!(
            holder.map(|(heading, _)| heading.as_str()),
            Some(heading),
            "{command} {flag}: {groups:?}"
        );
    }
    // What has no heading of its own is help itself.
    let groups = groups(&desk.run("train --help").stdout);
    let options = groups.iter().find(|(heading, _)| heading == "Options").unwrap();
    assert_eq!(options.1, ["-h", "--help"]);
}

#[test]
fn help_tells_defaults_and_baselines() {
    let desk = Desk::new();
    let help = |command: &str| {
        let text = desk.run(&format!("{command} --help")).stdout;
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    let train = help("train");
    for words in [
        "Sub-images in a step [default: 32 (fast) or 128 (paper)]",
        "[default: 33, or 32 if the scale divides that]",
        "[default: a twentieth of --steps, --backprops or --time",
        "with --resume, go on for so much longer",
    ] {
        assert!(train.contains(words), "{words}: {train}");
    }
    // Refused as padding, so not listed.
    assert!(!train.contains("possible values"), "{train}");
    desk.run("train data -s 2 -o run --padding valid").fails(2, &["'valid'", "replicate"]);
    desk.run("train data -s 2 -o run --train-padding replicate").fails(2, &["'replicate'", "valid"]);
    let eval = help("eval");
    for figure in ["30.39 MATLAB (here), or Pillow", "29.60 OpenCV both ways", "30.61 shrunk by MATLAB"] {
        assert!(eval.contains(figure), "{figure}: {eval}");
    }
}

/// Files where folders belong, and the other way round; what is no number; what is not there. All are errors in plain words.
#[test]
fn errors_are_plain() {
    let desk = Desk::new();
    fs::create_dir(desk.path("set")).unwrap();
    fs::create_dir(desk.path("empty")).unwrap();
    desk.save("set/a.png", color(40, 40));
    desk.save("a.png", grey(40, 40));
    fs::write(desk.path("text.toml"), "scale = 2\n").unwrap();
    for (args, code, words) in [
        ("eval nowhere -m m.safetensors", 1, "nowhere: no such file or folder"),
        ("eval empty -m m.safetensors", 1, "no pictures in this folder"),
        ("eval set -m empty", 4, "without best.safetensors"),
        ("eval set -m nothing", 4, "small and large are built in"),
        ("eval set -m m.safetensors --html set", 5, "it is a folder; name the file"),
        ("eval set -m m.safetensors --html a.png/page.html", 5, "it is a file, and a folder is needed"),
        ("eval set -m m.safetensors --save a.png", 5, "it is a file, and a folder is needed"),
        ("eval set -s two", 2, "a number is needed"),
        ("eval set -t -1", 2, "-1"),
        ("eval set -t many", 2, "a whole number is needed"),
        ("eval set -t 99999999999", 2, "is not in 0..=4294967295"),
        ("train set -s 3,4 -o run", 2, "a network is trained for one scale"),
        ("train set -s 1.5 -o run", 2, "a whole number from 2 to 16 is needed"),
        ("train set -s 2 -o run --batch x", 2, "a whole number is needed"),
        ("train set -s 2 -o run --lr fast", 2, "a number is needed"),
        (
            "train set -s 2 -o a.png --steps 1 --arch 3-1-3 --filters 2-2",
            5,
            "it is a file, and a folder is needed",
        ),
        ("train set -s 2 -o run --config set", 2, "it is a folder, not a file"),
        ("train set -s 2 -o run --config none.toml", 2, "none.toml: no such file or folder"),
        ("train nowhere -s 2 -o run", 1, "nowhere: no such file or folder"),
        ("train --resume text.toml", 2, "it is a file; name the folder of the run"),
        ("train --resume empty", 2, "not the folder of a run"),
        ("train --resume nowhere", 2, "not the folder of a run"),
        ("model info set", 4, "name a weight file"),
        ("model info none.mat", 4, "no such file"),
        ("model convert small set", 5, "it is a folder; name the .safetensors"),
        ("model filters small -s 3 -o set", 5, "it is a folder"),
        ("model filters small -o x.png --zoom big", 2, "a whole number is needed"),
        ("compare set a.png", 2, "set is a folder and a.png is not"),
        ("compare a.png none.png", 1, "none.png: no such file or folder"),
        ("degrade none.png x.png -s 2", 1, "no such file or folder"),
        ("man a.png", 5, "it is a file, and a folder is needed"),
        ("shaders -o a.png", 5, "it is a file, and a folder is needed"),
        ("export web -o a.png --existing overwrite", 5, "it is a file, and a folder is needed"),
        ("upscale none.png", 1, "no such file or folder"),
        ("upscale a.png -o nowhere/x.png", 5, "nowhere"),
    ] {
        let run = desk.run(args);
        assert_eq!(run.code, Some(code), "{args}: {}", run.stderr);
        let error = run.stderr.lines().find(|line| line.starts_with("error: "));
        let error = error.unwrap_or_else(|| panic!("{args}: {}", run.stderr));
        assert!(error.contains(words), "{args}: {error}");
        for foreign in ["os error", "invalid digit", "invalid float", "/tmp/.", ".srcnn-gpu-", "at path"] {
            assert!(!run.stderr.contains(foreign), "{args}: {}", run.stderr);
        }
    }
    assert!(!desk.exists("run") && !desk.exists("x.png"));
}
