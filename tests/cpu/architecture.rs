//! Checks the structure of the code: modules import downward without circles, only one place waits for the device,
//! twins stand alone, files stay short. docs/ARCHITECTURE.md describes it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Modules of the library, from the ground up. A module imports from its own folder and from lower floors only.
const FLOORS: &[&[&str]] = &[
    &["error"],
    &["hash", "limits", "own", "ranks"],
    &[
        "atomic", "bounded", "chart", "color", "guard", "metrics", "network", "onnx", "parallel", "planes",
        "random", "ratio", "resample",
    ],
    &["degrade", "precision", "weights"],
    &["gpu", "reference"],
    &["upscaler"],
    &["export", "headless", "picture"],
    &["dictionary"],
    &["enlarge", "eval", "video"],
    &["train"],
    &["jobs"],
    &["stages"],
    &["fuzzing", "lib"],
];

/// A source file: its module path, such as `upscaler::tiles`, and its text without comments and tests.
struct Source {
    module: String,
    path: PathBuf,
    code: String,
    lines: usize,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn files(folder: &Path, ending: &str, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, ending, found);
        } else if path.to_string_lossy().ends_with(ending) {
            found.push(path);
        }
    }
    found.sort();
}

/// The source files of the library or, with `cli`, of the program.
fn sources(cli: bool) -> Vec<Source> {
    let src = root().join("src");
    let mut paths = Vec::new();
    files(&src, ".rs", &mut paths);
    let is_cli = |path: &Path| path.starts_with("cli") || path == Path::new("main.rs");
    let parse = |path: PathBuf| {
        let text = std::fs::read_to_string(&path).unwrap();
        let relative = path.strip_prefix(&src).unwrap();
        if is_cli(relative) != cli {
            return None;
        }
        let name = relative.with_extension("").to_string_lossy().replace(['/', '\\'], "::");
        let module = name.strip_suffix("::mod").unwrap_or(&name).to_owned();
        let code = text.split("#[cfg(test)]\nmod ").next().unwrap();
        let code = code.lines().map(|line| line.split("//").next().unwrap()).collect::<Vec<_>>().join("\n");
        Some(Source { module, path: relative.into(), code, lines: text.lines().count() })
    };
    paths.into_iter().filter_map(parse).collect()
}

/// The paths that a file imports or names, such as `a::b::C`, with groups in braces expanded.
fn imports(source: &Source) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let code = &source.code;
    for (start, word) in [(code.match_indices("crate::"), ""), (code.match_indices("super::"), "super")]
        .into_iter()
        .flat_map(|(matches, word)| matches.map(move |(at, _)| (at, word)))
    {
        // `super::super::` is read from its first `super`; `$crate` and the like are not paths of this crate.
        if code[..start].ends_with("super::")
            || code[..start].ends_with(|c: char| c.is_alphanumeric() || c == '_')
        {
            continue;
        }
        let mut base: Vec<&str> = Vec::new();
        let mut rest = &code[start..];
        if word == "super" {
            base = source.module.split("::").collect();
            while let Some(after) = rest.strip_prefix("super::") {
                base.pop();
                rest = after;
            }
        } else {
            rest = &rest["crate::".len()..];
        }
        expand(&base.join("::"), rest, &mut found);
    }
    found
}

/// Expands a path that may continue in braces.
fn expand(base: &str, rest: &str, found: &mut BTreeSet<String>) {
    let join = |name: &str| if base.is_empty() { name.to_owned() } else { format!("{base}::{name}") };
    let rest = rest.trim_start();
    if let Some(group) = rest.strip_prefix('{') {
        let (mut depth, mut begin) = (0, 0);
        for (at, c) in group.char_indices() {
            match c {
                '{' => depth += 1,
                ',' | '}' if depth == 0 => {
                    expand(base, &group[begin..at], found);
                    begin = at + 1;
                    if c == '}' {
                        return;
                    }
                }
                '}' => depth -= 1,
                _ => {}
            }
        }
        return;
    }
    let name: String = rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
    match rest[name.len()..].strip_prefix("::") {
        Some(after) if !name.is_empty() => expand(&join(&name), after, found),
        _ if name.is_empty() => {}
        _ => drop(found.insert(join(&name))),
    }
}

/// For each file, the files that it imports and what it takes from them. Importing a module through an ancestor's `pub
/// use` counts as an import of the ancestor.
fn arrows(sources: &[Source]) -> BTreeMap<&str, BTreeMap<&str, String>> {
    let modules: BTreeSet<&str> = sources.iter().map(|source| source.module.as_str()).collect();
    let target = |path: &str| {
        let mut path = path;
        loop {
            if let Some(&module) = modules.get(path) {
                return Some(module);
            }
            path = path.rsplit_once("::")?.0;
        }
    };
    let of = |source: &Source| {
        let own = source.module.as_str();
        let related = |module: &str| {
            module == own
                || module.starts_with(&format!("{own}::"))
                || own.starts_with(&format!("{module}::"))
        };
        let taken = imports(source);
        let arrows = taken.iter().filter_map(|path| target(path).map(|module| (module, path.clone())));
        // A module and its submodules count as one.
        arrows.filter(|(module, _)| !related(module) && *module != "lib").collect()
    };
    sources.iter().map(|source| (source.module.as_str(), of(source))).collect()
}

/// A circle of imports, if there is one.
fn circle(arrows: &BTreeMap<&str, BTreeMap<&str, String>>) -> Option<String> {
    fn visit<'a>(
        at: &'a str,
        arrows: &'a BTreeMap<&'a str, BTreeMap<&'a str, String>>,
        path: &mut Vec<&'a str>,
        done: &mut BTreeSet<&'a str>,
    ) -> Option<String> {
        if let Some(begin) = path.iter().position(|&module| module == at) {
            return Some([&path[begin..], &[at]].concat().join(" -> "));
        }
        if !done.insert(at) {
            return None;
        }
        path.push(at);
        let found = arrows
            .get(at)
            .into_iter()
            .flat_map(BTreeMap::keys)
            .find_map(|next| visit(next, arrows, path, done));
        path.pop();
        found
    }
    let mut done = BTreeSet::new();
    arrows.keys().find_map(|at| visit(at, arrows, &mut Vec::new(), &mut done))
}

fn floor(module: &str) -> Option<usize> {
    let top = module.split("::").next().unwrap();
    FLOORS.iter().position(|floor| floor.contains(&top))
}

#[test]
fn imports_go_downward_only() {
    let sources = sources(false);
    let arrows = arrows(&sources);
    assert!(
        arrows.len() > 80 && arrows.values().map(BTreeMap::len).sum::<usize>() > 200,
        "imports were not read"
    );
    for (from, targets) in &arrows {
        let own =
            floor(from).unwrap_or_else(|| panic!("{from} stands on no floor: add its folder to FLOORS"));
        for (to, name) in targets {
            let theirs = floor(to).unwrap();
            let same = from.split("::").next() == to.split("::").next();
            assert!(
                theirs < own || same,
                "{from} imports {name}, which stands on the same floor or a higher one"
            );
        }
    }
}

#[test]
fn there_are_no_circles_of_imports() {
    for cli in [false, true] {
        let sources = sources(cli);
        assert_eq!(circle(&arrows(&sources)), None);
    }
    let made = |from, to: &[&'static str]| (from, to.iter().map(|&to| (to, String::new())).collect());
    let known = BTreeMap::from([made("a", &["b"]), made("b", &["c"]), made("c", &["b"])]);
    assert_eq!(circle(&known).as_deref(), Some("b -> c -> b"), "a circle would not be noticed");
}

/// The twins judge the kernels, so they take only types from the ground and compute everything themselves; and only
/// code that judges may import them.
#[test]
fn twins_stand_alone() {
    const TYPES: [&str; 3] = ["network", "weights", "error"];
    const JUDGES: [&str; 4] =
        ["headless::measure::twin", "headless::verify", "headless::self_test", "train::measure"];
    let sources = sources(false);
    for (from, targets) in &arrows(&sources) {
        for (to, name) in targets {
            let top = |module: &str| module.split("::").next().unwrap().to_owned();
            if top(from) == "reference" && top(to) != "reference" {
                assert!(
                    TYPES.contains(&top(to).as_str()),
                    "the twin {from} takes {name} from what it judges"
                );
            }
            if top(to) == "reference" && top(from) != "reference" {
                assert!(JUDGES.contains(from), "{from} computes with {name}, a twin");
            }
        }
    }
}

#[test]
fn one_place_waits_for_the_device() {
    for source in sources(false).iter().chain(&sources(true)) {
        let waits = ["map_async", ".poll(wgpu", "device.poll(", "get_mapped_range"];
        let found = waits.iter().find(|word| source.code.contains(**word));
        let place = source.path.display();
        assert!(found.is_none() || source.module == "gpu::readback", "{place} calls {found:?}");
        let trusted = source.code.contains("create_shader_module");
        assert!(!trusted || source.module == "gpu::compile", "{place} makes shader modules");
    }
}

#[test]
fn files_can_be_read_in_one_sitting() {
    let mut others = Vec::new();
    files(&root().join("shaders"), ".wgsl", &mut others);
    ["tests", "benches", "examples"]
        .iter()
        .for_each(|folder| files(&root().join(folder), ".rs", &mut others));
    // These are not part of the package.
    if root().join("python").is_dir() {
        files(&root().join("python/src"), ".rs", &mut others);
        ["package", "tests", "examples"]
            .iter()
            .for_each(|folder| files(&root().join("python").join(folder), ".py", &mut others));
    }
    if root().join("window").is_dir() {
        ["src", "tests", "examples"]
            .iter()
            .for_each(|folder| files(&root().join("window").join(folder), ".rs", &mut others));
    }
    ["src", "tests"].iter().for_each(|folder| files(&root().join(folder), ".js", &mut others));
    let others = others.into_iter().map(|path| {
        let lines = std::fs::read_to_string(&path).unwrap().lines().count();
        (path, lines)
    });
    let sources = [false, true].into_iter().flat_map(sources).map(|source| (source.path, source.lines));
    for (path, lines) in sources.chain(others) {
        assert!(lines <= 400, "{} has {lines} lines, 400 at most", path.display());
    }
}
