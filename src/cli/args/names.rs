//! Short names of files that are compared.

use std::path::PathBuf;

/// A short name for each choice: that of its file without extension, with as much of its path as tells it from the others,
/// or else a number.
pub fn names(choices: &[PathBuf]) -> Vec<String> {
    let short = |path: &PathBuf, parts: usize| -> String {
        if parts == 0 {
            return path.file_stem().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
        }
        let all = path.components().count();
        path.components().skip(all.saturating_sub(parts)).collect::<PathBuf>().display().to_string()
    };
    // A run may be given as `.` or `runs/..`, which has no name of its own.
    let whole = |path: &PathBuf| match path.file_name() {
        Some(_) => path.clone(),
        None => path.canonicalize().unwrap_or_else(|_| path.clone()),
    };
    let paths: Vec<PathBuf> = choices.iter().map(whole).collect();
    let most = paths.iter().map(|path| path.components().count()).max().unwrap_or(0);
    let mut parts = vec![0; paths.len()];
    let named = |parts: &[usize]| -> Vec<String> {
        paths.iter().zip(parts).map(|(path, &parts)| short(path, parts)).collect()
    };
    for _ in 0..=most {
        let names = named(&parts);
        let is_shared = |name: &String| names.iter().filter(|other| *other == name).count() > 1;
        let shared: Vec<bool> = names.iter().map(is_shared).collect();
        parts.iter_mut().zip(shared).for_each(|(parts, shared)| *parts += usize::from(shared));
    }
    let mut names = named(&parts);
    for i in 1..names.len() {
        let (name, mut number) = (names[i].clone(), 1);
        while names[..i].contains(&names[i]) {
            number += 1;
            names[i] = format!("{name} ({number})");
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_differ() {
        let named = |paths: &[&str]| names(&paths.iter().map(PathBuf::from).collect::<Vec<_>>());
        assert_eq!(named(&["a/x3.mat", "small", "runs/b"]), ["x3", "small", "b"]);
        assert_eq!(named(&["x3.mat", "x3.safetensors"]), ["x3.mat", "x3.safetensors"]);
        assert_eq!(named(&["a/x3.mat", "b/x3.mat", "c"]), ["a/x3.mat", "b/x3.mat", "c"]);
        assert_eq!(named(&["a.mat", "a.mat", "a.mat"]), ["a.mat", "a.mat (2)", "a.mat (3)"]);
        assert_eq!(named(&["1/a/x.mat", "2/a/x.mat"]), ["1/a/x.mat", "2/a/x.mat"]);
    }
}
