//! Where results go, and what is left untouched.

use std::fs;

use crate::common::desk::{Desk, grey};

#[test]
fn outputs_are_checked_before_the_work() {
    let desk = Desk::new();
    desk.save("a.png", grey(4, 4));
    desk.save("b.png", grey(4, 4));
    desk.upscale("a.png -o b.xyz").fails(2, &["b.xyz", "png, jpg"]);
    desk.upscale("a.png -o b").fails(2, &["output b", "write b/ for a folder"]);
    desk.upscale("a.png b.png -o c.png").fails(2, &["several inputs", "c.png"]);
    desk.upscale("a.png b.png -o m.safetensors").fails(2, &["several inputs", "m.safetensors"]);
    desk.upscale("a.png -o no/b.png").fails(5, &["no/b.png", "no folder"]);
    desk.upscale("a.png -o no/deeper/").fails(5, &["no/deeper", "cannot be created"]);
    assert_eq!(desk.names("."), ["a.png", "b.png", "m.safetensors"]);
}

#[cfg(target_os = "linux")]
#[test]
fn a_folder_that_refuses_files() {
    // Nobody, not even root, may create files in /proc.
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
        println!("SKIPPED: this user may write to read-only folders");
        return;
    }
    desk.upscale("a.png -o sealed").fails(5, &["sealed", "ermission"]);
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
fn folders_skip_earlier_results_and_inputs_may_repeat() {
    let desk = Desk::new();
    fs::create_dir(desk.path("in")).unwrap();
    desk.save("in/a.png", grey(4, 4));
    desk.upscale("in -i in/a.png").wrote(&["in/a_srcnn_x2.png"]);
    desk.upscale("in --existing overwrite").wrote(&["in/a_srcnn_x2.png"]);
    assert_eq!(desk.names("in"), ["a.png", "a_srcnn_x2.png"]);
}
