//! Videos by name, through the real ffmpeg: frames, times, colors and everything else of the source arrive in the result.

use std::fs;

use crate::common;
use crate::common::clips::apart;
use crate::common::desk::Desk;

/// A clip of frames that last differently long and begin after the sound, with subtitles, a chapter, a font and texts.
fn rich(desk: &Desk) -> Option<()> {
    fs::write(desk.path("s.srt"), "1\n00:00:00,100 --> 00:00:00,900\nHello\n").unwrap();
    fs::write(desk.path("font.ttf"), [7; 500]).unwrap();
    let chapter = "[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=500\ntitle=Part one\n";
    fs::write(desk.path("texts"), format!(";FFMETADATA1\ntitle=A day\ncomment=by the sea\n{chapter}"))
        .unwrap();
    desk.ffmpeg(
        "-f lavfi -i testsrc2=s=48x32:r=24:d=0.7 -f lavfi -i sine=d=1 -i s.srt -i texts -map 0 -map 1 -map 2 \
         -map_metadata 3 -map_chapters 3 -vf setpts='PTS+0.25/TB+if(gt(N,5),0.3/TB,0)' -fps_mode passthrough \
         -c:v libx264 -c:a aac -c:s srt -metadata:s:a language=fra -metadata:s:v title=Main -attach font.ttf \
         -metadata:s:t mimetype=application/x-truetype-font rich.mkv",
    )?;
    Some(())
}

#[test]
fn frames_equal_those_of_y4m_and_the_rest_is_copied() {
    let _alone = common::alone();
    let desk = Desk::new();
    let Some(()) = rich(&desk) else { return };
    desk.upscale("rich.mkv -o out.mkv -s 1.5 --codec ffv1").wrote(&["out.mkv"]);
    // The other way: decode to a file, enlarge that one.
    desk.ffmpeg("-i rich.mkv -map 0:v:0 -fps_mode passthrough -strict -1 -f yuv4mpegpipe in.y4m").unwrap();
    desk.upscale("in.y4m -o out.y4m -s 1.5").wrote(&["out.y4m"]);
    let frames = desk.frames("out.mkv");
    assert!(frames.len() == 17 && frames == desk.frames("out.y4m"), "{frames:?}");
    assert_eq!(desk.probe("v", "stream=codec_name,width,height,pix_fmt", "out.mkv"), ["ffv1,72,48,yuv420p"]);

    for stream in ["a", "s"] {
        assert_eq!(desk.packets("out.mkv", stream), desk.packets("rich.mkv", stream), "{stream}");
        assert_eq!(desk.times("out.mkv", stream), desk.times("rich.mkv", stream), "{stream}");
    }
    assert_eq!(desk.times("out.mkv", "v"), desk.times("rich.mkv", "v"));
    let codecs = desk.probe("a", "stream_tags=language", "out.mkv");
    assert_eq!(codecs, ["fra"]);
    assert_eq!(desk.probe("v", "stream_tags=title", "out.mkv"), ["Main"]);
    assert_eq!(desk.probe("t", "stream=codec_name:stream_tags=filename", "out.mkv"), ["ttf,font.ttf"]);
    assert_eq!(desk.probe("v", "format_tags=title,comment", "out.mkv"), ["A day,by the sea"]);
    assert_eq!(
        desk.probe("v", "chapter=start_time,end_time:chapter_tags=title", "out.mkv"),
        ["0.000000,0.500000,Part one"]
    );

    // Out through this program alone.
    desk.upscale("rich.mkv -o direct.y4m -s 1.5").wrote(&["direct.y4m"]);
    assert_eq!(desk.frames("direct.y4m"), frames);
    let piped = desk.command("upscale -m m.safetensors rich.mkv -o - -s 1.5").output().unwrap();
    assert!(piped.stdout == fs::read(desk.path("direct.y4m")).unwrap());
    // And in: the file, or the standard input, without an ffmpeg that decodes.
    desk.upscale("in.y4m -o encoded.mkv -s 1.5 --codec ffv1").wrote(&["encoded.mkv"]);
    assert_eq!(desk.frames("encoded.mkv"), frames);
    let mut command = desk.command("upscale -m m.safetensors - -o stdin.mkv -s 1.5 --codec ffv1");
    let output = command.stdin(fs::File::open(desk.path("in.y4m")).unwrap()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(desk.frames("stdin.mkv"), frames);
}

#[test]
fn times_are_kept() {
    let _alone = common::alone();
    let desk = Desk::new();
    let Some(()) = rich(&desk) else { return };
    let make = "-f lavfi -i testsrc2=s=32x32:r=10:d=0.5 -vf setpts='PTS*N' -fps_mode passthrough";
    desk.ffmpeg(&format!("{make} uneven.gif")).unwrap();
    desk.ffmpeg("-i rich.mkv -map 0:v -map 0:a -c copy ticks.ts").unwrap();
    desk.ffmpeg("-i rich.mkv -map 0:v -map 0:a -c copy ticks.mp4").unwrap();
    desk.ffmpeg("-f lavfi -i testsrc2=s=32x32:r=30000/1001:d=1 -c:v libx264 even.mp4").unwrap();
    for (from, to, most) in [
        ("ticks.mp4", "out.mp4", 0.0),
        ("even.mp4", "out.mp4", 0.0),
        ("uneven.gif", "out.mp4", 0.0),
        ("rich.mkv", "out.mov", 0.0),
        // Matroska counts milliseconds.
        ("ticks.mp4", "out.mkv", 0.001),
        ("uneven.gif", "out.webm", 0.001),
    ] {
        let run = desk.upscale(&format!("{from} -o {to} --existing overwrite"));
        assert_eq!(run.code, Some(0), "{from}: {}", run.stderr);
        let distance = apart(&desk.times(from, "v"), &desk.times(to, "v"));
        assert!(distance <= most, "{from} to {to}: {distance}");
    }
    // A transport stream begins at 1.4 s; the result begins at 0, and sound and pictures stay together.
    desk.upscale("ticks.ts -o out.mp4 --existing overwrite").wrote(&["out.mp4"]);
    let first = |file: &str, stream: &str| desk.times(file, stream)[0];
    let offset = |file: &str| first(file, "v") - first(file, "a");
    assert!(first("ticks.ts", "a") > 1.0 && first("out.mp4", "a").abs() < 0.03, "{}", first("out.mp4", "a"));
    assert!(
        offset("ticks.ts") > 0.2 && (offset("ticks.ts") - offset("out.mp4")).abs() < 0.001,
        "{}",
        offset("out.mp4")
    );
    let since =
        |file: &str| desk.times(file, "v").iter().map(|time| time - first(file, "v")).collect::<Vec<_>>();
    assert!(apart(&since("ticks.ts"), &since("out.mp4")) < 1e-5);
}

/// Sources with what a naive conversion loses. The result has it too, with the codec that is the default.
#[test]
fn colors_fields_depth_and_shape_are_kept() {
    let _alone = common::alone();
    let desk = Desk::new();
    const ENTRIES: &str = "stream=codec_name,width,height,sample_aspect_ratio,pix_fmt,color_range,color_space,\
                           color_transfer,color_primaries,chroma_location,field_order";
    let bt709 = "-color_range tv -colorspace bt709 -color_trc bt709 -color_primaries bt709";
    let pq = "-color_range tv -colorspace bt2020nc -color_trc smpte2084 -color_primaries bt2020";
    let display = "master-display=G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,1):max-cll=1000,400";
    let hevc = "-c:v libx265 -pix_fmt yuv420p10le";
    let fields = "-c:v libx264 -flags +ildct+ilme -vf";
    for (name, options, expected) in [
        (
            "hd.mp4",
            format!("-c:v libx264 -pix_fmt yuv420p {bt709}"),
            "h264,96,64,1:1,yuv420p,tv,bt709,bt709,bt709,left,progressive",
        ),
        ("wide.mp4", "-c:v libx264 -pix_fmt yuv420p -vf setsar=4/3".into(), "h264,96,64,4:3,yuv420p"),
        (
            "full.mp4",
            "-c:v libx264 -pix_fmt yuvj420p -colorspace smpte170m".into(),
            "h264,96,64,1:1,yuvj420p,pc,smpte170m,unknown,unknown,left",
        ),
        (
            "corner.mp4",
            "-c:v libx264 -pix_fmt yuv420p10le -chroma_sample_location topleft".into(),
            "h264,96,64,1:1,yuv420p10le,unknown,unknown,unknown,unknown,topleft",
        ),
        (
            "center.mp4",
            "-c:v libx264 -pix_fmt yuv420p -chroma_sample_location center".into(),
            "h264,96,64,1:1,yuv420p,unknown,unknown,unknown,unknown,center",
        ),
        (
            "422.mkv",
            format!("-c:v libx264 -pix_fmt yuv422p10le {bt709}"),
            "h264,96,64,1:1,yuv422p10le,tv,bt709",
        ),
        ("444.mov", "-c:v libx264 -pix_fmt yuv444p".into(), "h264,96,64,1:1,yuv444p"),
        // ffmpeg decodes gray H.264 with empty chroma.
        ("gray.mkv", "-c:v ffv1 -pix_fmt gray".into(), "h264,96,64,1:1,yuvj420p,pc"),
        (
            "vp9.webm",
            format!("-c:v libvpx-vp9 -pix_fmt yuv420p10le {bt709}"),
            "vp9,96,64,1:1,yuv420p10le,tv,bt709,bt709,bt709",
        ),
        ("12.mkv", "-c:v ffv1 -pix_fmt yuv420p12le".into(), "hevc,96,64,1:1,yuv420p12le"),
        (
            "top.mp4",
            format!("{fields} interlace=scan=tff"),
            "h264,96,64,1:1,yuv420p,unknown,unknown,unknown,unknown,left,tt",
        ),
        (
            "bottom.mp4",
            format!("{fields} interlace=scan=bff -x264-params bff=1"),
            "h264,96,64,1:1,yuv420p,unknown,unknown,unknown,unknown,left,bb",
        ),
        (
            "hdr.mkv",
            format!("-vf scale=96:64 {hevc} {pq} -x265-params log-level=error:{display}"),
            "hevc,192,128,1:1,yuv420p10le,tv,bt2020nc,smpte2084,bt2020",
        ),
        (
            "hdr.mp4",
            format!("-vf scale=96:64 {hevc} {pq} -x265-params log-level=error:{display}"),
            "hevc,192,128,1:1,yuv420p10le,tv,bt2020nc,smpte2084,bt2020",
        ),
    ] {
        if desk.ffmpeg(&format!("-f lavfi -i testsrc2=s=48x32:r=20:d=0.2 {options} {name}")).is_none() {
            return;
        }
        let output = format!("out-{name}");
        desk.upscale(&format!("{name} -o {output}")).wrote(&[&output]);
        let found = desk.probe("v", ENTRIES, &output);
        // ffprobe's order is its own.
        assert!(found[0].starts_with(expected), "{name}: {found:?}, {:?}", desk.probe("v", ENTRIES, name));
        if name.starts_with("hdr") {
            let entries = "stream_side_data=red_x,white_point_y,max_luminance,max_content,max_average";
            // Each container has fractions of its own.
            let value = |text: &str| match text.split_once('/') {
                Some((a, b)) => a.parse::<f64>().unwrap() / b.parse::<f64>().unwrap(),
                None => text.parse().unwrap(),
            };
            let told = desk.probe("v", entries, &output).join(",");
            let told: Vec<f64> = told.split(',').filter(|part| !part.is_empty()).map(value).collect();
            for expected in [0.68, 0.329, 1000.0, 400.0] {
                assert!(told.iter().any(|value| (value - expected).abs() < 1e-5), "{name}: {told:?}");
            }
            assert_eq!(
                told.iter().filter(|value| **value == 1000.0).count(),
                2,
                "luminance and light: {told:?}"
            );
        }
    }
    assert_eq!(desk.probe("v", "stream=codec_tag_string", "out-hdr.mp4"), ["hvc1"]);
    // A clip that lies on its side comes out upright.
    desk.ffmpeg("-i hd.mp4 -c copy -metadata:s:v rotate=90 turned.mp4").unwrap();
    desk.upscale("turned.mp4 -o upright.mp4 --codec ffv1 -f mkv").fails(2, &["--format mkv"]);
    desk.upscale("turned.mp4 -o upright.mkv --codec ffv1").wrote(&["upright.mkv"]);
    assert_eq!(desk.probe("v", "stream=width,height:stream_side_data=rotation", "upright.mkv"), ["64,96"]);
    desk.ffmpeg("-i turned.mp4 -f yuv4mpegpipe turned.y4m").unwrap();
    desk.upscale("turned.y4m -o upright.y4m").wrote(&["upright.y4m"]);
    assert_eq!(desk.frames("upright.mkv"), desk.frames("upright.y4m"));
}

#[test]
fn what_does_not_fit_is_told() {
    let _alone = common::alone();
    let desk = Desk::new();
    let Some(()) = rich(&desk) else { return };
    let run = desk.upscale("rich.mkv -o out.mp4");
    run.wrote(&["out.mp4"]);
    let told = |text: &str, words: &[&str]| {
        let line = text.lines().find(|line| words.iter().all(|word| line.contains(word)));
        assert!(line.is_some(), "{words:?}: {text}");
    };
    told(&run.stderr, &["warning: rich.mkv: stream 2 (subtitle, subrip)", "mov_text", ".mkv"]);
    told(&run.stderr, &["stream 3 (attachment, ttf)", "left out", ".mkv"]);
    assert_eq!(desk.probe("s", "stream=codec_name", "out.mp4"), ["mov_text"]);
    assert_eq!(desk.packets("out.mp4", "a"), desk.packets("rich.mkv", "a"));
    let run = desk.upscale("rich.mkv -o out.webm");
    told(&run.stderr, &["stream 1 (audio, aac, fra)", "converted", ".webm"]);
    assert_eq!(desk.probe("a", "stream=codec_name", "out.webm"), ["opus"]);
    assert_eq!(desk.probe("v", "stream=codec_name,pix_fmt", "out.webm"), ["vp9,yuv420p"]);

    // Colors of an animated picture, and a size that H.264 does not have.
    desk.ffmpeg("-f lavfi -i testsrc=s=66x42:r=10:d=0.3 -vf scale=33:21 a.gif").unwrap();
    let run = desk.upscale("a.gif -f mp4 -s 3");
    run.wrote(&["a_srcnn_x3.mp4"]);
    told(&run.stderr, &["yuv444p is stored as yuv420p", "--codec"]);
    told(&run.stderr, &["98x62 instead of 99x63"]);
    let entries = "stream=width,height,pix_fmt,color_range,color_space";
    assert_eq!(desk.probe("v", entries, "a_srcnn_x3.mp4"), ["98,62,yuv420p,tv,bt709"]);
    let run = desk.upscale("a.gif -o a.mkv -s 3 --codec ffv1");
    assert_eq!(desk.probe("v", entries, "a.mkv"), ["99,63,yuv444p,tv,bt709"], "{}", run.stderr);
    desk.ffmpeg("-f lavfi -i testsrc2=s=32x32:r=10:d=0.3 -pix_fmt yuva420p -c:v ffv1 glass.mkv").unwrap();
    told(&desk.upscale("glass.mkv -o opaque.mkv").stderr, &["transparency is not kept", "yuva420p"]);
    desk.ffmpeg("-f lavfi -i testsrc2=s=32x32:r=10:d=0.3 -pix_fmt yuv444p16le -c:v ffv1 deep.mkv").unwrap();
    desk.upscale("deep.mkv -o out.mkv --quiet").fails(1, &["deep.mkv: ", "16 bits", "ffv1"]);
    desk.upscale("deep.mkv -o out.mkv --codec ffv1").wrote(&["out.mkv"]);
    assert_eq!(desk.probe("v", "stream=pix_fmt", "out.mkv"), ["yuv444p16le"]);
    desk.upscale("a.gif -o noname -f mkv --existing overwrite").wrote(&["noname"]);
    assert!(desk.probe("v", "format=format_name", "noname")[0].contains("matroska"));
    // Nothing is chosen instead of what was asked for.
    desk.upscale("deep.mkv -o bad.mkv --codec libx264").fails_with(5, "the codec does not take yuv444p16le");
    assert!(!desk.exists("bad.mkv"));
}

#[test]
fn arguments_of_the_encoder() {
    let _alone = common::alone();
    let desk = Desk::new();
    if desk.ffmpeg("-f lavfi -i testsrc2=s=64x64:r=10:d=0.5 -c:v libx264 a.mp4").is_none() {
        return;
    }
    let size = |name: &str| fs::metadata(desk.path(name)).unwrap().len();
    desk.upscale("a.mp4 -o fine.mp4 --crf 1").wrote(&["fine.mp4"]);
    desk.upscale("a.mp4 -o rough.mp4 --crf 45").wrote(&["rough.mp4"]);
    assert!(size("fine.mp4") > 2 * size("rough.mp4"), "{} {}", size("fine.mp4"), size("rough.mp4"));
    let mut command = desk.command("upscale -m m.safetensors a.mp4 -o more.mkv --codec mpeg4 --ffmpeg-args");
    command.args(["-qscale:v 3 -metadata 'title=\"Two\" words'", "--ffmpeg-args", "-frames:v 3"]);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(desk.probe("v", "format_tags=title", "more.mkv"), ["\"\"\"Two\"\" words\""]);
    assert_eq!(desk.probe("v", "stream=codec_name", "more.mkv"), ["mpeg4"]);
    assert_eq!(desk.times("more.mkv", "v").len(), 3, "an encoder may stop early");
    desk.upscale("a.mp4 -o b.mp4 --crf x").fails(2, &["--crf", "number"]);
    desk.upscale("a.mp4 -o b.mp4 --ffmpeg-args 'half").fails(2, &["--ffmpeg-args", "not closed"]);
    desk.upscale("a.mp4 -o b.y4m --crf 20").fails(2, &["--crf"]);
    desk.save("p.png", common::desk::grey(8, 8));
    desk.upscale("p.png -o q.png --crf 20").fails(2, &["--crf"]);
}
