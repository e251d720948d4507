//! Adapters: none, all, and the one in use.

use std::process::Stdio;

use crate::common::desk::{Desk, Run, grey};

#[test]
fn no_adapter_is_code_3_and_lists_what_is_available() {
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
fn a_closed_pipe_is_not_an_error() {
    let desk = Desk::new();
    let mut child = desk.command("devices").stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let run = Run::from(child.wait_with_output().unwrap());
    assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""));
}

#[test]
fn a_software_adapter_is_reported_once() {
    let desk = Desk::new();
    let json = desk.run("devices --json").stdout;
    let devices: Vec<serde_json::Value> = serde_json::from_str(&json).unwrap();
    let usable = |d: &&serde_json::Value| d["usable"] == true && d["type"] == "software";
    let Some(device) = devices.iter().find(usable) else {
        println!("SKIPPED: there is no software adapter");
        return;
    };
    desk.save("a.png", grey(4, 4));
    desk.save("b.png", grey(4, 4));
    let args = format!("a.png b.png --progress none -g {}", device["index"]);
    let run = desk.upscale(&args);
    run.wrote(&["a_srcnn_x2.png", "b_srcnn_x2.png"]);
    let lines: Vec<_> = run.stderr.lines().collect();
    assert!(lines.len() == 2 && lines[0].starts_with("warning: no GPU in use"), "{}", run.stderr);
    assert!(lines[1].starts_with("2 of 2 done in"), "{}", run.stderr);
    assert_eq!(desk.upscale(&format!("{args} --existing overwrite --quiet")).stderr, "");
}

/// Wide vectors change how fast Mesa's software drivers are, and no bit of a result. The user's own setting counts.
#[test]
fn vectors_of_any_width_give_the_same_pictures() {
    let desk = Desk::new();
    desk.save("a.png", grey(40, 24));
    let run = |width: Option<&str>, command: &str| {
        let mut command = desk.command(command);
        command
            .env_remove("LP_NATIVE_VECTOR_WIDTH")
            .envs(width.map(|width| ("LP_NATIVE_VECTOR_WIDTH", width)));
        let run = Run::from(command.output().unwrap());
        assert_eq!(run.code, Some(0), "{}", run.stderr);
        run.stdout
    };
    let lists = [None, Some("256"), Some("128")].map(|width| run(width, "devices"));
    if !lists[1].contains("llvmpipe") {
        println!("SKIPPED: no adapter of Mesa's llvmpipe");
        return;
    }
    assert!(lists[1].contains("256 bits") && lists[2].contains("128 bits"), "{lists:?}");
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512bw") {
        assert!(lists[0].contains("512 bits"), "{}", lists[0]);
    }
    for (width, name) in [(None, "wide"), (Some("256"), "256"), (Some("128"), "128")] {
        run(width, &format!("upscale -m small a.png -o {name}.png -s 2 --no-autotune"));
        assert_eq!(desk.open(&format!("{name}.png")), desk.open("wide.png"), "{name}");
    }
}
