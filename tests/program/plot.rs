//! `plot`: curves of several runs in one picture.

use std::fs;

use crate::common::data;
use crate::common::desk::{Desk, waves};

#[test]
fn several_runs_in_one_picture() {
    let desk = Desk::new();
    fs::create_dir_all(desk.path("set")).unwrap();
    // The names of Set5's pictures bring its published lines.
    for (name, size) in
        [("baby_GT", 48), ("bird_GT", 40), ("butterfly_GT", 44), ("head_GT", 42), ("woman_GT", 46)]
    {
        desk.save(&format!("set/{name}.png"), waves(size, 40));
    }
    let small = "--arch 3-3 --filters 4 --steps 4 --eval-every 2 --batch 4 --patch 12";
    for (run, more) in [("a/run", "--val set"), ("b/run", "--val set --seed 1"), ("quiet", "")] {
        let run = desk.run(&format!("--quiet train set -s 3 {small} {more} -o {run}"));
        assert_eq!(run.code, Some(0), "{}", run.stderr);
    }
    let run = desk.run("plot a/run b/run -o curves.svg");
    assert_eq!((run.code, run.stdout.as_str()), (Some(0), "curves.svg\n"), "{}", run.stderr);
    let svg = fs::read_to_string(desk.path("curves.svg")).unwrap();
    for text in ["set x3", "a/run", "b/run", "bicubic", "backprops"] {
        assert!(svg.contains(text), "{text}: {svg}");
    }
    assert_eq!(svg.matches("<polyline").count(), 2, "{svg}");
    // Without validation there is the loss.
    assert_eq!(desk.run("plot quiet -o loss.svg").code, Some(0));
    let svg = fs::read_to_string(desk.path("loss.svg")).unwrap();
    assert!(svg.contains("Training loss") && svg.contains(">quiet -"), "{svg}");
    // The curves are there without the pictures too.
    fs::rename(desk.path("set"), desk.path("away")).unwrap();
    assert_eq!(desk.run("plot a/run b/run -o curves.svg --existing rename").stdout, "curves (1).svg\n");
    let svg = fs::read_to_string(desk.path("curves (1).svg")).unwrap();
    assert_eq!(svg.matches("<polyline").count(), 2, "{svg}");
    for (args, code, words) in [
        ("plot nowhere -o c.svg", 2, "nowhere"),
        ("plot a -o c.svg", 2, "a"),
        ("plot a/run -o a", 5, "folder"),
        ("plot a/run -o curves.svg --existing fail", 5, "exists"),
        ("plot -o c.svg", 2, "RUN"),
    ] {
        let run = desk.run(args);
        assert_eq!(run.code, Some(code), "{args}: {}", run.stderr);
        assert!(run.stderr.contains(words), "{args}: {}", run.stderr);
    }
}

/// On the pictures of a published table, its averages are lines, also where they are only watched.
#[test]
fn published_lines() {
    let Some(set5) = data("data/Set5") else { return };
    let desk = Desk::new();
    let small = "--arch 3-3 --filters 4 --steps 2 --eval-every 2 --batch 4 --patch 12";
    fs::create_dir(desk.path("val")).unwrap();
    desk.save("val/waves.png", waves(48, 40));
    let watch = format!("--watch {}", set5.display());
    let train = format!("--quiet train {} -s 3 {small} --val val {watch} -o run", set5.display());
    assert_eq!(desk.run(&train).code, Some(0));
    let own = fs::read_to_string(desk.path("run/curve.svg")).unwrap();
    assert!(own.contains("Set5 x3, 3-3 4, only watched") && own.contains("SC 31.42"), "{own}");
    let refused = desk.run(&format!("train val -s 3 {small} {watch} -o none"));
    assert_eq!(refused.code, Some(2));
    assert!(refused.stderr.contains("nothing to choose the best weights by"), "{}", refused.stderr);
    assert_eq!(desk.run("plot run -o curve.svg").code, Some(0));
    let svg = fs::read_to_string(desk.path("curve.svg")).unwrap();
    assert!(
        svg.contains("Set5 x3") && svg.contains("SRCNN (ECCV 2014)") && svg.contains(">SC 31.42<"),
        "{svg}"
    );
}
