//! PyTorch's files: both forms are read, under the names that people use, and a pickle runs nothing.

use srcnn_gpu::{Padding, Weights};

use crate::common::noise;

/// What the files hold: tensors by name. Values count up in steps of 1/8.
struct Entry {
    name: &'static str,
    shape: &'static [usize],
}

/// A 3-1 network with two filters.
fn network(names: [&'static str; 4]) -> Vec<Entry> {
    let shapes: [&[usize]; 4] = [&[2, 1, 3, 3], &[2], &[1, 2, 1, 1], &[1]];
    names.into_iter().zip(shapes).map(|(name, shape)| Entry { name, shape }).collect()
}

fn plain() -> Vec<Entry> {
    network(["conv1.weight", "conv1.bias", "conv2.weight", "conv2.bias"])
}

fn text(text: &str) -> Vec<u8> {
    [&b"X"[..], &(text.len() as u32).to_le_bytes(), text.as_bytes()].concat()
}

fn int(value: usize) -> Vec<u8> {
    [&b"J"[..], &(value as i32).to_le_bytes()].concat()
}

fn tuple(values: impl IntoIterator<Item = usize>) -> Vec<u8> {
    let values: Vec<_> = values.into_iter().flat_map(int).collect();
    [&b"("[..], &values, b"t"].concat()
}

/// `torch._utils._rebuild_tensor_v2(storage, 0, shape, strides, False, OrderedDict())`.
fn tensor(entry: &Entry, key: usize, storage: &str, legacy: bool) -> Vec<u8> {
    let strides = (0..entry.shape.len()).map(|axis| entry.shape[axis + 1..].iter().product());
    let device = text("cuda:0");
    let storage = format!("ctorch\n{storage}\n");
    let view: &[u8] = if legacy { b"N" } else { b"" };
    [
        &b"ctorch._utils\n_rebuild_tensor_v2\n(("[..],
        &text("storage"),
        storage.as_bytes(),
        &text(&key.to_string()),
        &device,
        &int(entry.shape.iter().product()),
        view,
        b"tQ",
        &int(0),
        &tuple(entry.shape.iter().copied()),
        &tuple(strides),
        b"\x89ccollections\nOrderedDict\n)RtR",
    ]
    .concat()
}

/// A state dict as an OrderedDict with a version.
fn state_dict(entries: &[Entry], storage: &str, legacy: bool) -> Vec<u8> {
    let items = entries.iter().enumerate();
    let items: Vec<_> =
        items.flat_map(|(i, entry)| [text(entry.name), tensor(entry, i, storage, legacy)].concat()).collect();
    [&b"ccollections\nOrderedDict\n)Rq\x00("[..], &items, b"u}", &text("_metadata"), b"}sb"].concat()
}

fn pickle(code: &[u8]) -> Vec<u8> {
    [&b"\x80\x02"[..], code, b"."].concat()
}

fn numbers(entry: &Entry) -> Vec<u8> {
    let count: usize = entry.shape.iter().product();
    (0..count).flat_map(|i| (i as f32 / 8.0).to_le_bytes()).collect()
}

fn zip(files: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut archive = rawzip::ZipArchiveWriter::new(&mut bytes);
    for (name, data) in files {
        let (mut entry, config) =
            archive.new_file(name).compression_method(rawzip::CompressionMethod::STORE).start().unwrap();
        let mut writer = config.wrap(&mut entry);
        std::io::Write::write_all(&mut writer, data).unwrap();
        let (_, descriptor) = writer.finish().unwrap();
        entry.finish(descriptor).unwrap();
    }
    archive.finish().unwrap();
    bytes
}

/// A zip archive with this pickle.
fn archive(code: &[u8], entries: &[Entry]) -> Vec<u8> {
    let mut files =
        vec![("net/data.pkl".to_owned(), pickle(code)), ("net/byteorder".into(), b"little".to_vec())];
    files.extend(entries.iter().enumerate().map(|(i, entry)| (format!("net/data/{i}"), numbers(entry))));
    let files: Vec<_> = files.iter().map(|(name, data)| (name.as_str(), data.clone())).collect();
    zip(&files)
}

/// A row of pickles, as before PyTorch 1.6.
fn legacy(entries: &[Entry]) -> Vec<u8> {
    let magic = b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.".to_vec();
    let machine = [&b"}("[..], &text("little_endian"), b"\x88u"].concat();
    let keys: Vec<_> = (0..entries.len()).flat_map(|i| text(&i.to_string())).collect();
    let keys = [&b"]("[..], &keys, b"e"].concat();
    let data = entries.iter().flat_map(|entry| {
        let count: usize = entry.shape.iter().product();
        [(count as u64).to_le_bytes().to_vec(), numbers(entry)].concat()
    });
    let body = state_dict(entries, "FloatStorage", true);
    [magic, pickle(b"M\xe9\x03"), pickle(&machine), pickle(&body), pickle(&keys), data.collect()].concat()
}

#[track_caller]
fn check(bytes: &[u8]) {
    let weights = Weights::from_bytes(bytes).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(weights.architecture().to_string(), "3-1 2");
    assert_eq!(weights.metadata.padding, Padding::Zero);
    let expected: Vec<f32> = (0..18).map(|i| i as f32 / 8.0).collect();
    assert_eq!(weights.layers()[0].weight, expected);
    assert_eq!(weights.layers()[1].weight, [0.0, 0.125]);
}

#[track_caller]
fn message(bytes: &[u8]) -> String {
    let error = Weights::from_bytes(bytes).unwrap_err().to_string();
    assert!(!error.contains('\n'), "more than one line: {error}");
    error
}

#[test]
fn both_forms_are_read() {
    check(&archive(&state_dict(&plain(), "FloatStorage", false), &plain()));
    check(&legacy(&plain()));
    let wrapped = network(["module.0.weight", "module.0.bias", "module.2.weight", "module.2.bias"]);
    check(&archive(&state_dict(&wrapped, "FloatStorage", false), &wrapped));
    check(&legacy(&wrapped));
}

#[test]
fn checkpoints_are_looked_through() {
    for path in [&["state_dict"][..], &["model"], &["params"], &["model", "state_dict"]] {
        let mut code = state_dict(&plain(), "FloatStorage", false);
        for key in path.iter().rev() {
            // Other things that checkpoints hold: numbers, text, lists, and a tensor that is no parameter.
            let loss = tensor(&Entry { name: "", shape: &[1] }, 3, "FloatStorage", false);
            let others =
                [text("epoch"), int(7), text("best"), b"G@\x09\x21\xfb\x54\x44\x2d\x18".to_vec()].concat();
            let list = [text("list"), b"](K\x01NU\x01ae".to_vec()].concat();
            code = [&b"}("[..], &others, &text("loss"), &loss, &text(key), &code, &list, b"u"].concat();
        }
        check(&archive(&code, &plain()));
    }
}

#[test]
fn pickles_run_nothing() {
    let hostile = b"cos\nsystem\n(X\x02\x00\x00\x00lstR";
    for bytes in [archive(hostile, &[]), pickle(hostile)] {
        let error = message(&bytes);
        assert!(error.contains("\"os.system\"") && error.contains("state_dict()"), "{error}");
    }
    // By names from the stack, and a class of the user's.
    let stacked = [&b"\x8c\x05posix\x8c\x06system\x93"[..]].concat();
    assert!(message(&archive(&stacked, &[])).contains("\"posix.system\""));
    assert!(message(&archive(b"c__main__\nSRCNN\n)\x81", &[])).contains("\"__main__.SRCNN\""));
    // Harmless names are no functions either.
    assert!(message(&archive(b"ctorch\nSize\nK\x01\x85R", &[])).contains("no state dict"));
    assert!(message(&archive(b"ctorch\nfloat32\n)R", &[])).contains("calls something"));
}

#[test]
fn what_is_not_there_is_told() {
    let good = state_dict(&plain(), "FloatStorage", false);
    let cut = archive(&good, &plain()[..2]);
    assert!(message(&cut).contains("'conv2.weight' reaches beyond"));
    let longs = state_dict(&plain(), "LongStorage", false);
    assert!(message(&archive(&longs, &plain())).contains("'conv1.weight' is not of floating-point numbers"));
    let doubles = state_dict(&plain(), "DoubleStorage", false);
    assert!(message(&archive(&doubles, &plain())).contains("reaches beyond"));
    let huge = [Entry { name: "conv1.weight", shape: &[4000, 1, 63, 63] }];
    let others = plain();
    let entries: Vec<_> = huge.into_iter().chain(others.into_iter().skip(1)).collect();
    let code = state_dict(&entries, "FloatStorage", false);
    assert!(message(&archive(&code, &plain())).contains("expected [4000]"));
    assert!(message(&archive(b"}", &[])).contains("no state dict"));
    assert!(message(&archive(b"K\x01", &[])).contains("no state dict"));
    assert!(message(&zip(&[("a.txt", b"words".to_vec())])).contains("without data.pkl"));
    assert!(message(&pickle(b"K\x01")).contains("not one of torch.save"));
    let big = [("net/data.pkl", pickle(&good)), ("net/byteorder", b"big".to_vec())];
    assert!(message(&zip(&big)).contains("big-endian"));
    let bytes = legacy(&plain());
    assert!(message(&bytes[..bytes.len() - 1]).contains("cut short at storage '3'"));
}

/// Programs that would take all memory or time if they were believed.
#[test]
fn pickles_cannot_exhaust_anything() {
    let doubled: Vec<u8> = [b"]q\x00".to_vec(), b"h\x00a".repeat(100_000)].concat();
    assert!(message(&archive(&doubled, &[])).contains("no state dict"));
    assert!(message(&archive(&b"2".repeat(10), &[])).contains("stack is empty"));
    assert!(message(&archive(&[b"N".to_vec(), b"2".repeat(2 << 20)].concat(), &[])).contains("too deep"));
    assert!(message(&archive(&b"]".repeat(2 << 20), &[])).contains("values"));
    assert!(
        message(&archive(&[b"N".to_vec(), b"\x85".repeat(1 << 19)].concat(), &[])).contains("no state dict")
    );
    assert!(message(&archive(b"X\xff\xff\xff\xff", &[])).contains("cut short"));
    assert!(message(&archive(b"\x8d\xff\xff\xff\xff\xff\xff\xff\xff", &[])).contains("cut short"));
}

#[test]
fn damaged_files_are_errors() {
    let mut next = noise(5);
    for good in [archive(&state_dict(&plain(), "FloatStorage", false), &plain()), legacy(&plain())] {
        check(&good);
        for length in 0..good.len() {
            let _ = Weights::from_bytes(&good[..length]);
        }
        for _ in 0..5000 {
            let mut bytes = good.clone();
            let at = (next().abs() * (bytes.len() - 1) as f32) as usize;
            bytes[at] = (next() * 127.0) as i8 as u8;
            let _ = Weights::from_bytes(&bytes);
        }
    }
}
