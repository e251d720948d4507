//! Adapters, sizes and models as Python callers name them.

use std::path::PathBuf;
use std::sync::Arc;

use pyo3::exceptions::PyMemoryError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};
use srcnn_gpu::enlarge::Model;
use srcnn_gpu::headless::{AdapterSelection, Gpu, Pipelines, adapter, cache_folder, self_test_once};
use srcnn_gpu::picture::available_memory;
use srcnn_gpu::wgpu::{AdapterInfo, Backends};
use srcnn_gpu::{Enlargement, Error, Precision, Shipped};

use crate::errors::{invalid, raise};
use crate::weights::Weights;

/// Results of so many bytes are compared with the memory there is.
const LARGE: u128 = 256 << 20;

/// Which adapter to use.
pub fn selection(gpu: Option<&Bound<'_, PyAny>>, backend: Option<&str>) -> PyResult<AdapterSelection> {
    let backends = match backend {
        None => None,
        Some("vulkan") => Some(Backends::VULKAN),
        Some("metal") => Some(Backends::METAL),
        Some("dx12") => Some(Backends::DX12),
        Some("gl") => Some(Backends::GL),
        Some(other) => return Err(invalid(format!("backend '{other}': vulkan, metal, dx12 or gl"))),
    };
    let gpu = gpu.map(|gpu| Ok::<_, PyErr>(gpu.str()?.to_string())).transpose()?;
    let gpu = gpu.or_else(|| std::env::var("SRCNN_GPU").ok());
    Ok(AdapterSelection { gpu, backends })
}

/// Opens an adapter as the program does: with its cache of compiled kernels, and tested once.
pub fn open(selection: &AdapterSelection) -> srcnn_gpu::Result<Gpu> {
    let mut gpu = adapter::open(selection)?;
    let folder = cache_folder();
    if let Some(folder) = &folder {
        gpu.pipelines = Pipelines::in_folder(&gpu, folder);
    }
    self_test_once(&gpu, Precision::F32, folder.as_deref())?;
    Ok(gpu)
}

/// An adapter in words.
pub fn describe<'py>(py: Python<'py>, info: &AdapterInfo) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    dict.set_item("name", &info.name)?;
    dict.set_item("type", adapter::type_name(info.device_type))?;
    dict.set_item("backend", info.backend.to_string())?;
    dict.set_item("driver", format!("{} {}", info.driver, info.driver_info).trim())?;
    Ok(dict)
}

/// The adapters of this machine, best first: what `gpu=` numbers and names.
///
/// Returns a list of dictionaries with 'name', 'type' ('discrete', 'integrated', 'virtual', 'other' or 'software'), 'backend',
/// 'driver', and 'lacks': None, or what keeps the adapter from running networks.
#[pyfunction]
#[pyo3(signature = (*, backend=None))]
pub fn devices<'py>(py: Python<'py>, backend: Option<&str>) -> PyResult<Vec<Bound<'py, PyDict>>> {
    let selection = selection(None, backend)?;
    let found = py.detach(|| {
        let adapters = adapter::list(&selection);
        adapters.iter().map(|one| (one.get_info(), adapter::lacks(one))).collect::<Vec<_>>()
    });
    let told = found.into_iter().map(|(info, lacks)| {
        let dict = describe(py, &info)?;
        dict.set_item("lacks", lacks)?;
        Ok(dict)
    });
    told.collect()
}

/// The longest side of a result.
const LONGEST: i64 = Enlargement::MAX_AXIS as i64;

/// Rows and columns of a result, as Python has them.
pub type Size = (i64, i64);

/// Rows and columns, if they can be.
pub fn sides((rows, columns): Size) -> PyResult<[u32; 2]> {
    let side = |side| u32::try_from(side).ok().filter(|_| (1..=LONGEST).contains(&side));
    match (side(rows), side(columns)) {
        (Some(rows), Some(columns)) => Ok([rows, columns]),
        _ => Err(invalid(format!(
            "a result of {rows} rows and {columns} columns is not possible: 1 to {LONGEST} on each side"
        ))),
    }
}

/// How large a result is to be: a factor, or rows and columns.
pub fn enlargement(scale: Option<f64>, size: Option<Size>) -> PyResult<Enlargement> {
    match (scale, size) {
        (Some(scale), None) => Ok(Enlargement::Factor(scale)),
        (None, Some(size)) => sides(size).map(|[height, width]| Enlargement::Size(width, height)),
        (None, None) => Err(invalid("how large? give a scale, or size=(height, width)")),
        (Some(_), Some(_)) => Err(invalid("give a scale or a size, not both")),
    }
}

/// Refuses results that are smaller than the picture, and those that do not fit in memory; returns their size.
pub fn check_size(
    enlargement: Enlargement,
    (width, height): (u32, u32),
    bytes: usize,
) -> PyResult<(u32, u32)> {
    let size = enlargement.size((width, height)).map_err(raise)?;
    if size.0 < width || size.1 < height {
        return Err(invalid(format!(
            "a result of {} rows and {} columns is smaller than the picture's {height} and {width}; \
             srcnn_gpu.imresize makes pictures smaller",
            size.1, size.0
        )));
    }
    check_memory(u128::from(size.0) * u128::from(size.1) * bytes as u128)?;
    Ok(size)
}

/// Refuses what does not fit in memory.
pub fn check_memory(bytes: u128) -> PyResult<()> {
    if bytes > LARGE && bytes > u128::from(available_memory()) {
        let text = format!("a result of {} does not fit in memory", srcnn_gpu::picture::bytes(bytes));
        return Err(PyMemoryError::new_err(text));
    }
    Ok(())
}

/// What one argument stands for, or the items of a list.
pub fn models(choice: &Bound<'_, PyAny>) -> PyResult<Arc<[Model]>> {
    let is_one = choice.cast::<PyString>().is_ok()
        || choice.cast::<Weights>().is_ok()
        || choice.hasattr("__fspath__")?;
    let mut models = Vec::new();
    if is_one {
        add(choice, &mut models)?;
    } else {
        for item in choice.try_iter()? {
            add(&item?, &mut models)?;
        }
    }
    if models.is_empty() {
        return Err(invalid("no model is given"));
    }
    Ok(Model::with_clean(models).map_err(raise)?.into())
}

fn add(choice: &Bound<'_, PyAny>, models: &mut Vec<Model>) -> PyResult<()> {
    if let Ok(weights) = choice.cast::<Weights>() {
        models.push(Model::network_of("Weights", weights.get().weights.clone()));
        return Ok(());
    }
    let path: PathBuf = choice.extract()?;
    let is_known = path.to_str().is_some_and(|word| Shipped::NAMES.contains(&word));
    if !is_known && path.symlink_metadata().is_err() {
        let reason = format!(
            "no such file or folder; {} are built in; else name a weight file or the folder of a training run",
            Shipped::NAMES.join(", ")
        );
        return Err(raise(Error::Model { path, reason: reason.into() }));
    }
    models.extend(Model::load(&path).map_err(raise)?);
    Ok(())
}
