//! Which methods are measured at which scale, and what they are called.

use std::path::{Path, PathBuf};

use srcnn_gpu::degrade::Degradation;
use srcnn_gpu::eval::protocol::{Compared, Protocol};
use srcnn_gpu::ratio::Ratio;
use srcnn_gpu::{Error, Metadata, Padding, Result, Shipped};

use crate::cli::args::models::{Model, Trained, load, nearest, one_step, warn_of_scale};
use crate::cli::args::names::names;

/// What `--model` calls the baseline.
pub const BICUBIC: &str = "bicubic";

/// What one `--model` stands for.
#[derive(Debug)]
pub struct Method {
    /// Differs from those of all other methods.
    pub name: String,
    /// One for each scale, or one for all; none for bicubic interpolation.
    pub networks: Vec<Model>,
}

impl Method {
    /// As [`Model::scale_distance`], for all of its networks together: those for 2 and for 3 stand for 2.5 too, with the nearer
    /// one, as in `upscale`.
    fn scale_distance(&self, scale: f64) -> f64 {
        let scales = self.networks.iter().flat_map(Model::scales).collect();
        Metadata { scales, ..Metadata::default() }.scale_distance(scale)
    }

    /// The network that takes a scale in one step, of those that pictures with or without the traces of compression get; if none of
    /// them is meant for such a scale, the nearest of all.
    fn network(&self, scale: f64, compressed: bool) -> Option<usize> {
        let any = || (!self.networks.is_empty()).then(|| nearest(&self.networks, scale));
        one_step(&self.networks, scale, Some(compressed)).ok().or_else(any)
    }
}

/// A method at a scale.
#[derive(Debug, Clone, Copy)]
pub struct Column {
    /// Index of the method.
    pub method: usize,
    /// Index of its network; none for bicubic interpolation.
    pub network: Option<usize>,
    /// Index of another one for pictures without the traces of compression, if there is one.
    pub clean: Option<usize>,
    pub protocol: Protocol,
}

/// Reads the methods that `--model` names. Without any it is small, for pictures that are not clean photo besides, and at
/// scale 1 deblock.
///
/// # Errors
/// As [`load`].
pub fn read(choices: &[PathBuf], scales: &[Ratio], degradation: &Degradation) -> Result<Vec<Method>> {
    let mut default = Vec::new();
    if scales != [Ratio::ONE] {
        default.push(Shipped::Small);
        default.extend((!degradation.is_linear()).then_some(Shipped::Photo));
    }
    default.extend(scales.contains(&Ratio::ONE).then_some(Shipped::Deblock));
    let default: Vec<PathBuf> = default.iter().map(|family| family.to_string().into()).collect();
    let choices = if choices.is_empty() { &default } else { choices };
    let names = names(choices);
    let method = |(choice, name): (&PathBuf, String)| {
        let networks = match choice == Path::new(BICUBIC) {
            true => Vec::new(),
            false => Model::with_clean(load(choice)?)?,
        };
        Ok(Method { name, networks })
    };
    choices.iter().zip(names).map(method).collect()
}

/// The scales to measure: those asked for, or those that the networks were trained for.
///
/// # Errors
/// [`Error::InvalidArgument`] when nothing says for which, and as [`Ratio::of`].
pub fn scales(asked: &[Ratio], methods: &[Method]) -> Result<Vec<Ratio>> {
    if !asked.is_empty() {
        return Ok(asked.to_vec());
    }
    let networks = methods.iter().flat_map(|method| &method.networks);
    let mut scales: Vec<Ratio> = Vec::new();
    for scale in networks.flat_map(Model::scales) {
        let scale = Ratio::of(scale.into())?;
        if !scales.contains(&scale) {
            scales.push(scale);
        }
    }
    scales.sort_by(|a, b| a.value().total_cmp(&b.value()));
    if scales.is_empty() {
        let names: Vec<&str> = methods.iter().map(|method| method.name.as_str()).collect();
        let (does, which) = match names.len() {
            1 => ("does", "it is"),
            _ => ("do", "they are"),
        };
        return Err(Error::invalid(format!(
            "{} {does} not say which scale {which} for; give one with --scale",
            names.join(", ")
        )));
    }
    Ok(scales)
}

/// The tables at a scale: the methods that were trained for it, or for scales around it, or else those that were trained for the
/// nearest, and those that do not say. Of a method's networks, the one that takes the scale in one step is measured. Networks that are
/// measured on colors have a table of their own. In each, all leave out the same border.
///
/// # Errors
/// As [`Protocol::new`] and [`Protocol::with_degradation`].
pub fn tables(
    methods: &[Method],
    scale: Ratio,
    shave: Option<usize>,
    padding: Option<Padding>,
    degradation: Degradation,
) -> Result<Vec<Vec<Column>>> {
    let pick = |compressed| -> Vec<Option<usize>> {
        methods.iter().map(|method| method.network(scale.value(), compressed)).collect()
    };
    let (picked, clean) = (pick(true), pick(false));
    let model = |method: usize| picked[method].map(|network| &methods[method].networks[network]);
    let distance = |method: usize| model(method).map(|_| methods[method].scale_distance(scale.value()));
    let least = (0..methods.len()).filter_map(distance).fold(f64::INFINITY, f64::min);
    let near = |method: &usize| distance(*method).is_none_or(|one| one <= least || one.is_infinite());
    let chosen: Vec<usize> = (0..methods.len()).filter(near).collect();
    let mut tables: Vec<Vec<Column>> = Vec::new();
    for compared in [Compared::Luminance, Compared::Rgb] {
        let mut table = Vec::new();
        for &method in &chosen {
            let channels = model(method).map(Model::channels).unwrap_or_default();
            let protocol = Protocol::new(scale.value(), shave, channels)?.with_degradation(degradation)?;
            if protocol.samples() == compared {
                let clean = clean[method].filter(|_| clean[method] != picked[method]);
                table.push(Column { method, network: picked[method], clean, protocol });
            }
        }
        // The baseline alone belongs to whatever else is measured.
        let alone = table.iter().all(|column: &Column| column.network.is_none());
        if table.is_empty() || (alone && chosen.len() > table.len()) {
            continue;
        }
        let lost = |column: &Column| {
            // Dictionaries have none.
            let Trained::Network(weights) = &model(column.method)?.trained else { return None };
            let padding = padding.unwrap_or(weights.metadata.padding);
            (padding == Padding::Valid).then(|| weights.architecture().radius())
        };
        let border = table.iter().filter_map(lost).max().unwrap_or(0);
        for column in &mut table {
            column.protocol.shave = column.protocol.shave.max(border);
        }
        tables.push(table);
    }
    Ok(tables)
}

/// Says which networks are measured at scales that they were not trained for, and which are not measured at all.
pub fn warn(methods: &[Method], tables: &[Vec<Column>]) {
    for column in tables.iter().flatten() {
        let (method, scale) = (&methods[column.method], column.protocol.scale.value());
        // Those that come with the program are meant for the scales between theirs too.
        if let Some(network) = column.network.filter(|_| method.scale_distance(scale) != 0.0) {
            warn_of_scale(&method.networks[network], scale);
        }
    }
    for (index, method) in methods.iter().enumerate().filter(|(_, method)| !method.networks.is_empty()) {
        if tables.iter().flatten().all(|column| column.method != index) {
            log::warn!(
                "{} was trained for other scales and is not measured; --scale asks for them",
                method.name
            );
            continue;
        }
        for table in tables {
            if let [first, ..] = table.as_slice()
                && table.iter().all(|column| column.method != index)
            {
                let scale = first.protocol.scale;
                log::warn!("{} was trained for other scales and is not measured at x{scale}", method.name);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_by_scale() {
        let methods =
            read(&["small".into(), "large".into(), BICUBIC.into()], &[], &Degradation::BICUBIC).unwrap();
        assert_eq!(scales(&[], &methods).unwrap(), [2, 3, 4].map(Ratio::from));
        let [table] =
            &tables(&methods, 4.into(), None, Some(Padding::Valid), Degradation::BICUBIC).unwrap()[..]
        else {
            panic!()
        };
        let columns: Vec<_> = table.iter().map(|column| (column.method, column.network)).collect();
        assert_eq!(columns, [(0, Some(2)), (1, Some(2)), (2, None)]);
        // The larger of both radii.
        assert!(table.iter().all(|column| column.protocol.shave == 16));
        let alone = read(&[BICUBIC.into()], &[], &Degradation::BICUBIC).unwrap();
        assert!(scales(&[], &alone).unwrap_err().to_string().contains("--scale"));
        let table = &tables(&alone, 3.into(), None, None, Degradation::BICUBIC).unwrap()[0];
        assert!(table.len() == 1 && table[0].network.is_none() && table[0].protocol.shave == 3);
        let photo = read(&["photo".into()], &[], &Degradation::BICUBIC).unwrap();
        let table = &tables(&photo, 3.into(), None, None, Degradation::BICUBIC).unwrap()[0];
        let networks =
            [table[0].network, table[0].clean].map(|index| photo[0].networks[index.unwrap()].name.as_str());
        assert_eq!(networks, ["photo", "large x3"]);
    }

    /// Between the scales of its networks, a method counts as trained for all of them, with the network that `upscale` takes; one
    /// that was trained for a single scale stands back.
    #[test]
    fn scales_between() {
        let folder = tempfile::tempdir().unwrap();
        let save = |name: &str, scales: Vec<f32>| {
            let mut weights = Shipped::Small.nearest(3.0).unwrap();
            weights.metadata.scales = scales;
            let path = folder.path().join(name);
            std::fs::write(&path, weights.to_safetensors().unwrap()).unwrap();
            path
        };
        let choices = [
            "small".into(),
            save("multi.safetensors", vec![2.0, 3.0, 4.0]),
            save("x3.safetensors", vec![3.0]),
        ];
        let methods = read(&choices, &[], &Degradation::BICUBIC).unwrap();
        let columns = |scale: f64| -> Vec<_> {
            let scale = Ratio::of(scale).unwrap();
            let tables = tables(&methods, scale, None, None, Degradation::BICUBIC).unwrap();
            tables[0].iter().map(|column| (column.method, column.network, column.protocol.shave)).collect()
        };
        assert_eq!(columns(2.5), [(0, Some(1), 3), (1, Some(0), 3)]);
        assert_eq!(columns(2.25), [(0, Some(1), 3), (1, Some(0), 3)]);
        assert_eq!(columns(2.125), [(0, Some(0), 3), (1, Some(0), 3)]);
        assert_eq!(columns(3.0), [(0, Some(1), 3), (1, Some(0), 3), (2, Some(0), 3)]);
    }
}
