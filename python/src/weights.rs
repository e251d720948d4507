//! The class `Weights`: a network's parameters, from and to files and dictionaries of arrays.

use std::io::Write;
use std::path::PathBuf;

use numpy::{PyArrayDyn, PyArrayMethods, PyUntypedArrayMethods};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyType};
use safetensors::tensor::{Dtype, TensorView, serialize};
use srcnn_gpu::atomic::write_atomically;
use srcnn_gpu::{Channels, Error, Metadata, Padding, Shipped};

use crate::array;
use crate::errors::{invalid, raise};

/// A network: its filters and biases, and what it is for. Weights do not change.
///
/// Make some with `Weights.load(path)`, `Weights.shipped(name, scale)`, `Weights.from_dict(arrays)` or `train`; give them to
/// `Upscaler(model=...)`.
#[pyclass(frozen, eq, module = "srcnn_gpu")]
#[derive(PartialEq)]
pub struct Weights {
    pub weights: srcnn_gpu::Weights,
}

/// A tensor's name, shape and bytes.
struct Tensor {
    name: String,
    shape: Vec<usize>,
    bytes: Vec<u8>,
}

impl Tensor {
    fn read(name: String, value: &Bound<'_, PyAny>) -> PyResult<Self> {
        let array = array::of(value)?;
        let kind = array.dtype();
        if kind.getattr("kind")?.extract::<String>()? != "f" {
            return Err(PyTypeError::new_err(format!("'{name}' is of type {kind}; floats are needed")));
        }
        let array = array.call_method1("astype", ("float32",))?.cast_into::<PyArrayDyn<f32>>()?;
        let shape = array.shape().to_vec();
        let values = array.try_readonly()?;
        let bytes = values.as_array().iter().flat_map(|value| value.to_le_bytes()).collect();
        Ok(Self { name, shape, bytes })
    }
}

#[pymethods]
impl Weights {
    /// Reads a weight file: .safetensors, .onnx, PyTorch's .pth, the authors' .mat; the content tells which.
    ///
    /// Raises ModelError with what is wrong in it.
    #[staticmethod]
    fn load(py: Python<'_>, path: PathBuf) -> PyResult<Self> {
        let weights = py.detach(|| srcnn_gpu::Weights::load(&path)).map_err(raise)?;
        Ok(Self { weights })
    }

    /// A network that comes with the package: of 'small', 'large', 'photo' or 'deblock' the one for the nearest scale.
    #[staticmethod]
    #[pyo3(signature = (name="small", scale=3.0))]
    fn shipped(name: &str, scale: f64) -> PyResult<Self> {
        let family: Shipped = name.parse().map_err(raise)?;
        Ok(Self { weights: family.nearest(scale).map_err(raise)? })
    }

    /// From a dictionary of arrays or tensors by name, such as a state dict of PyTorch.
    ///
    /// Parameters
    /// ----------
    /// arrays : dict
    ///     'conv1.weight' of shape (filters, inputs, size, size), correlation as in PyTorch, 'conv1.bias' of shape (filters,),
    ///     'conv2.weight' and so on; the layer names of public SRCNN repositories are known too. Floats.
    /// scales : sequence of float
    ///     The enlargements that the network is for, each 1 or more.
    /// channels : 'y', 'ycbcr' or 'rgb', optional
    ///     What it works on; by default 'y' for one channel and 'rgb' for three.
    /// padding : 'zero', 'replicate', 'normalized' or 'valid'
    ///     What its layers see outside of a picture; PyTorch's convolutions see zeros.
    #[staticmethod]
    #[pyo3(signature = (arrays, *, scales=Vec::new(), channels=None, padding="zero"))]
    fn from_dict(
        arrays: &Bound<'_, PyDict>,
        scales: Vec<f32>,
        channels: Option<&str>,
        padding: &str,
    ) -> PyResult<Self> {
        let read =
            |(name, value): (Bound<'_, PyAny>, Bound<'_, PyAny>)| Tensor::read(name.extract()?, &value);
        let tensors = arrays.iter().map(read).collect::<PyResult<Vec<_>>>()?;
        let views = tensors.iter().map(|tensor| {
            let view = TensorView::new(Dtype::F32, tensor.shape.clone(), &tensor.bytes);
            Ok((tensor.name.as_str(), view.map_err(|error| invalid(error.to_string()))?))
        });
        let views = views.collect::<PyResult<Vec<_>>>()?;
        // The way that all weight files take, which knows names and checks shapes.
        let bytes = serialize(views, None).map_err(|error| invalid(error.to_string()))?;
        let read = srcnn_gpu::Weights::from_bytes(&bytes).map_err(raise)?;
        let channels: Option<Channels> = channels.map(str::parse).transpose().map_err(raise)?;
        let padding: Padding = padding.parse().map_err(raise)?;
        let own = read.metadata.clone();
        let metadata = Metadata { scales, channels: channels.unwrap_or(own.channels), padding, ..own };
        let weights = srcnn_gpu::Weights::new(read.layers().to_vec(), metadata).map_err(raise)?;
        Ok(Self { weights })
    }

    /// The filters and biases as float32 arrays by name: 'conv1.weight' of shape (filters, inputs, size, size), 'conv1.bias' of
    /// shape (filters,), and so on; new arrays each time.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let dict = PyDict::new(py);
        for (index, layer) in self.weights.layers().iter().enumerate() {
            let number = index + 1;
            let shape = [layer.shape.filters, layer.shape.inputs, layer.shape.size, layer.shape.size];
            dict.set_item(format!("conv{number}.weight"), array::array(py, &shape, layer.weight.clone())?)?;
            dict.set_item(
                format!("conv{number}.bias"),
                array::array(py, &[layer.shape.filters], layer.bias.clone())?,
            )?;
        }
        Ok(dict)
    }

    /// Writes a .safetensors file with PyTorch's names and what the network is for. An existing file is replaced as a whole.
    fn save(&self, py: Python<'_>, path: PathBuf) -> PyResult<()> {
        py.detach(|| {
            let bytes = self.weights.to_safetensors()?;
            write_atomically(&path, |file| file.write_all(&bytes))
        })
        .map_err(raise)
    }

    /// The content of a .safetensors file.
    fn to_bytes<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        Ok(PyBytes::new(py, &self.weights.to_safetensors().map_err(raise)?))
    }

    /// From the content of a weight file.
    #[staticmethod]
    fn from_bytes(content: &[u8]) -> PyResult<Self> {
        let weights = srcnn_gpu::Weights::from_bytes(content);
        Ok(Self { weights: weights.map_err(|error: Error| raise(error))? })
    }

    /// Filter sizes, such as '9-1-5'.
    #[getter]
    fn sizes(&self) -> String {
        self.weights.architecture().sizes()
    }

    /// Filter counts of all layers but the last, such as '64-32'.
    #[getter]
    fn filters(&self) -> String {
        self.weights.architecture().filters()
    }

    /// What the network works on: 'y', 'ycbcr' or 'rgb'.
    #[getter]
    fn channels(&self) -> String {
        self.weights.metadata.channels.to_string()
    }

    /// What its layers see outside of a picture: 'replicate', 'normalized', 'zero' or 'valid'.
    #[getter]
    fn padding(&self) -> String {
        self.weights.metadata.padding.to_string()
    }

    /// The enlargements that it was trained for; empty if unknown.
    #[getter]
    fn scales(&self) -> Vec<f32> {
        self.weights.metadata.scales.clone()
    }

    /// How its training pictures lost their quality, as `degrade` takes it; None if unknown.
    #[getter]
    fn degradation(&self) -> Option<String> {
        self.weights.metadata.degradation.clone()
    }

    /// How it was trained, in words; None if unknown.
    #[getter]
    fn training(&self) -> Option<String> {
        self.weights.metadata.training.clone()
    }

    /// Number of parameters, weights and biases.
    #[getter]
    fn parameters(&self) -> usize {
        self.weights.parameters()
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<(Bound<'py, PyAny>, (Bound<'py, PyBytes>,))> {
        let class: Bound<'py, PyType> = slf.get_type();
        Ok((class.getattr("from_bytes")?, (slf.get().to_bytes(slf.py())?,)))
    }

    fn __repr__(&self) -> String {
        let scales: Vec<String> =
            self.weights.metadata.scales.iter().map(|scale| format!("x{scale}")).collect();
        let scales = if scales.is_empty() { "any scale".into() } else { scales.join(", ") };
        format!("<srcnn_gpu.Weights: {} on {} for {scales}>", self.weights.architecture(), self.channels())
    }
}
