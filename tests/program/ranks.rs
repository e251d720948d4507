//! Processes that a launcher has started, as its variables say: what they do without a launcher and without MPI.

use std::process::Command;

use crate::common::desk::{Desk, Run, grey};

/// As one of two ranks of OpenMPI.
fn as_rank(mut command: Command, rank: usize) -> Run {
    command.env("OMPI_COMM_WORLD_RANK", rank.to_string()).env("OMPI_COMM_WORLD_SIZE", "2");
    Run::from(command.output().unwrap())
}

#[test]
fn ranks_share_the_pictures() {
    let desk = Desk::new();
    std::fs::create_dir(desk.path("in")).unwrap();
    for i in 0..5 {
        desk.save(&format!("in/{i}.png"), grey(9, 9));
    }
    let upscale =
        |words: &str| desk.command(&format!("upscale -m m.safetensors in -o out --dry-run {words}"));
    let count = |run: &Run| run.stdout.lines().count();
    let (first, second) = (as_rank(upscale(""), 0), as_rank(upscale(""), 1));
    assert_eq!((first.code, second.code), (Some(0), Some(0)), "{}{}", first.stderr, second.stderr);
    assert_eq!((count(&first), count(&second)), (3, 2), "{}{}", first.stdout, second.stdout);
    assert!(first.stdout.lines().all(|line| !second.stdout.contains(line)));
    // One of them says so.
    assert!(first.stderr.contains("--shard 1/1") && !second.stderr.contains("--shard"), "{}", first.stderr);
    assert_eq!(count(&as_rank(upscale("--shard 1/1"), 1)), 5);
    assert_eq!(count(&as_rank(upscale("--shard env"), 1)), 2);
    assert_eq!(count(&as_rank(upscale("--shard 1/5"), 1)), 1);
}

#[test]
fn what_takes_one_process() {
    let desk = Desk::new();
    std::fs::create_dir(desk.path("in")).unwrap();
    desk.save("in/a.png", grey(60, 60));
    let run = as_rank(desk.command("eval in -s 2 -m bicubic --html page.html"), 0);
    assert_eq!(run.code, Some(2), "{}", run.stderr);
    assert!(run.stderr.contains("mpirun"), "{}", run.stderr);
    // With the feature, a rank without its launcher finds itself alone in MPI.
    if cfg!(not(feature = "mpi")) {
        let run = as_rank(desk.command("eval in -s 2 -m bicubic"), 0);
        assert_eq!(run.code, Some(0), "{}", run.stderr);
        assert!(run.stderr.contains("part of the pictures"), "{}", run.stderr);
        let run = as_rank(desk.command("train in -s 2 --arch 3-1-3 --filters 2-2 --steps 1 -o run"), 0);
        assert_eq!(run.code, Some(0), "{}", run.stderr);
        assert!(run.stderr.contains("without the feature mpi"), "{}", run.stderr);
    } else {
        let run = as_rank(desk.command("train in -s 2 --method anr -o anr.safetensors"), 0);
        assert_eq!(run.code, Some(2), "{}", run.stderr);
        assert!(run.stderr.contains("one process"), "{}", run.stderr);
    }
}
