//! The class `Upscaler`: networks on a device, for one picture, a batch, or frame after frame.

use image::DynamicImage;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use srcnn_gpu::enlarge::{Alpha, EnlargeOptions, Enlarger, Traces, tells_apart};
use srcnn_gpu::headless::{Gpu, HeadlessOptions, Timing, autotune, cache_folder};
use srcnn_gpu::picture::alpha;
use srcnn_gpu::{Enlargement, Planes, Weights};

use crate::array::{self, Samples, Values};
use crate::errors::{invalid, raise};
use crate::frames::Frames;
use crate::networks::{Networks, Told};
use crate::options::{Size, check_memory, check_size, describe, enlargement, models, open, selection};

/// Networks on one device, which enlarge pictures.
///
/// Parameters
/// ----------
/// model : str, path, Weights, or a list of these
///     'small', 'large', 'photo' (for pictures with the traces of JPEG files in their pixels, and large for those without) or
///     'deblock' (removes these, at scale 1); a weight file (.safetensors, .onnx, PyTorch's .pth, the authors' .mat); the folder
///     of a training run; a dictionary of another method. Of several, the one trained for the nearest scale is used.
/// gpu : str or int, optional
///     An index in `devices()`, a part of an adapter's name, or 'cpu'. By default the environment variable SRCNN_GPU decides,
///     or else the best adapter is taken.
/// backend : 'vulkan', 'metal', 'dx12' or 'gl', optional
/// padding : 'replicate', 'zero', 'normalized' or 'valid', optional
///     What the network sees outside of a picture, instead of what its file says.
/// precision : 'f32' or 'f16'
///     Precision of the hidden layers.
/// tile : int, optional
///     The longest side of a tile in pixels of the result, 16 or more. The result does not depend on it.
/// tta : bool
///     Average over the 8 flips and turns of a picture, for 8 times the work.
/// verify : bool
///     Compute parts of each result on the CPU too, and raise WrongResultError if they differ.
/// autotune : bool
///     Use the kernels that `srcnn-gpu bench --tune` has found to be the fastest on this adapter, if it has.
///
/// An upscaler may be used from any number of threads; one picture is computed at a time. It belongs to the process that made
/// it: after a fork it raises ForkError.
#[pyclass(frozen, weakref, module = "srcnn_gpu")]
pub struct Upscaler {
    networks: Networks,
}

/// How pictures are enlarged.
#[derive(Clone, Copy)]
pub struct How {
    enlargement: Enlargement,
    alpha: Alpha,
}

impl How {
    pub fn new(scale: Option<f64>, size: Option<Size>, alpha: &str) -> PyResult<Self> {
        let enlargement = enlargement(scale, size)?;
        let alpha = match alpha {
            "auto" => Alpha::Auto,
            "net" => Alpha::Net,
            "bicubic" => Alpha::Bicubic,
            other => return Err(invalid(format!("alpha '{other}': auto, net or bicubic"))),
        };
        Ok(Self { enlargement, alpha })
    }
}

impl Upscaler {
    /// Enlarges one picture's samples.
    pub fn enlarge(
        &self,
        py: Python<'_>,
        samples: Samples,
        how: How,
        told: Told<'_>,
    ) -> PyResult<DynamicImage> {
        let picture = samples.into_picture()?;
        let bytes = usize::from(picture.color().bytes_per_pixel());
        check_size(how.enlargement, (picture.width(), picture.height()), bytes)?;
        self.networks.compute(py, told, |enlarger, progress| enlarge(enlarger, picture, how, progress))
    }
}

/// As the program does: what transparent pixels hide does not shine through at their edges.
fn enlarge(
    enlarger: &mut Enlarger,
    mut picture: DynamicImage,
    how: How,
    progress: &mut dyn FnMut(u64, u64),
) -> srcnn_gpu::Result<DynamicImage> {
    alpha::bleed(&mut picture);
    let How { enlargement, alpha } = how;
    let compressed = tells_apart(enlarger.models()).then(|| Traces::are_in(&picture));
    let options = EnlargeOptions { enlargement, compressed, color: picture.color(), alpha };
    enlarger.enlarge(&picture, &options, progress)
}

/// The kernels that were measured to be the fastest, if that was done.
fn tuned(gpu: &Gpu, weights: &Weights, options: HeadlessOptions) -> srcnn_gpu::Result<HeadlessOptions> {
    let Some(folder) = cache_folder() else { return Ok(options) };
    let tuned = autotune::stored(gpu, weights.architecture(), options.precision, &folder);
    Ok(options.with_conv_shape(tuned.map(|tuned| tuned.best)))
}

#[pymethods]
impl Upscaler {
    #[new]
    #[pyo3(signature = (
        model=None, gpu=None, *, backend=None, padding=None, precision="f32", tile=None, tta=false, verify=false,
        autotune=true
    ))]
    #[expect(clippy::too_many_arguments, reason = "they are keywords")]
    fn new(
        py: Python<'_>,
        model: Option<&Bound<'_, PyAny>>,
        gpu: Option<&Bound<'_, PyAny>>,
        backend: Option<&str>,
        padding: Option<&str>,
        precision: &str,
        tile: Option<u32>,
        tta: bool,
        verify: bool,
        autotune: bool,
    ) -> PyResult<Self> {
        let small = pyo3::types::PyString::new(py, "small");
        let models = models(model.unwrap_or(small.as_any()))?;
        let selection = selection(gpu, backend)?;
        let padding = padding.map(str::parse).transpose().map_err(raise)?;
        if tile.is_some_and(|tile| tile < 16) {
            return Err(invalid(
                "a tile has 16 pixels or more on a side; None leaves it to the adapter's limits",
            ));
        }
        let options = HeadlessOptions::default()
            .with_padding(padding)
            .with_precision(precision.parse().map_err(raise)?)
            .with_tile(tile)
            .with_tta(tta)
            .with_verify(verify);
        let gpu = py.detach(|| {
            let gpu = open(&selection)?;
            options.precision.check(&gpu.device)?;
            Ok(gpu)
        });
        let tune = move |gpu: &Gpu, weights: &Weights, options| match autotune {
            true => tuned(gpu, weights, options),
            false => Ok(options),
        };
        let enlarger = Enlarger::new(gpu.map_err(raise)?, models, options, tune);
        Ok(Self { networks: Networks::new(enlarger) })
    }

    /// Enlarges a picture.
    ///
    /// Parameters
    /// ----------
    /// array : array of shape (H, W) or (H, W, C), uint8, uint16 or float32
    ///     Gamma-encoded as in files: 0 to 255, 0 to 65535 or 0 to 1. C is 1 (grey), 2 (grey and alpha), 3 (RGB) or 4 (RGBA,
    ///     alpha straight). Any strides. Tensors on the CPU are taken by DLPack.
    /// scale : float
    ///     Factor of both sides, 1 or more; sizes are rounded up. Networks enlarge by the scales that they were trained for, in
    ///     several steps if need be, and bicubic interpolation does the rest.
    /// size : (int, int), optional
    ///     Height and width of the result, instead of a scale.
    /// alpha : 'auto', 'net' or 'bicubic'
    ///     How alpha is enlarged; auto uses the network unless alpha is the same everywhere.
    /// progress : callable, optional
    ///     Called as progress(done, total) after each tile; what it raises ends the work.
    ///
    /// Returns
    /// -------
    /// array of the same type and number of axes
    ///     Integers are rounded once, at the end, and equal what the program `srcnn-gpu upscale` writes; floats are neither
    ///     rounded nor clamped, and may lie a little outside of 0 to 1.
    ///
    /// Raises InvalidArgumentError (a ValueError) for shapes and sizes that are not possible, TypeError for other types, and
    /// the errors of the device. The GIL is released; Ctrl-C ends the work after the tile that is being computed.
    #[pyo3(signature = (array, scale=None, *, size=None, alpha="auto", progress=None))]
    fn upscale(
        &self,
        py: Python<'_>,
        array: &Bound<'_, PyAny>,
        scale: Option<f64>,
        size: Option<Size>,
        alpha: &str,
        progress: Option<Py<PyAny>>,
    ) -> PyResult<Py<PyAny>> {
        self.networks.enlarger()?;
        let how = How::new(scale, size, alpha)?;
        let samples = Samples::read(array, 4, false)?;
        let (channels, has_axis) = (samples.channels, samples.has_axis);
        let result = self.enlarge(py, samples, how, Told::of(&progress))?;
        array::result(py, result, channels, has_axis)
    }

    /// Enlarges pictures of one size: an array of shape (N, H, W) or (N, H, W, C) becomes one of the enlarged pictures, each
    /// as `upscale` makes it. `progress` counts the tiles of all pictures.
    #[pyo3(signature = (array, scale=None, *, size=None, alpha="auto", progress=None))]
    fn upscale_batch(
        &self,
        py: Python<'_>,
        array: &Bound<'_, PyAny>,
        scale: Option<f64>,
        size: Option<Size>,
        alpha: &str,
        progress: Option<Py<PyAny>>,
    ) -> PyResult<Py<PyAny>> {
        self.networks.enlarger()?;
        let how = How::new(scale, size, alpha)?;
        let batch = array::of(array)?;
        let shape: Vec<usize> = numpy::PyUntypedArrayMethods::shape(&batch).to_vec();
        let ([count, ..], 3 | 4) = (&shape[..], shape.len()) else {
            let axes = shape.len();
            return Err(invalid(format!(
                "a batch is NxHxW or NxHxWxC, an array of 3 or 4 axes, not of {axes}"
            )));
        };
        if *count == 0 {
            return Err(invalid("a batch without pictures"));
        }
        let mut results: Option<(Vec<usize>, Values)> = None;
        for index in 0..*count {
            let samples = Samples::read(&batch.get_item(index)?, 4, false)?;
            let (channels, has_axis) = (samples.channels, samples.has_axis);
            let told = Told { index: index as u64, more: *count as u64 - 1, ..Told::of(&progress) };
            let picture = self.enlarge(py, samples, how, told)?;
            let shape = array::shape(picture.height() as usize, picture.width() as usize, channels, has_axis);
            let values = array::from_picture(picture, channels).map_err(raise)?;
            match &mut results {
                Some((_, results)) => results.extend(values),
                none => {
                    let bytes = values.bytes() as u128 * *count as u128;
                    check_memory(bytes)?;
                    *none = Some(([&[*count], &shape[..]].concat(), values.with_room(*count)));
                }
            }
        }
        match results {
            Some((shape, values)) => values.into_array(py, &shape),
            None => Err(invalid("a batch without pictures")),
        }
    }

    /// Enlarges frames as they come: an iterator over the results of an iterable of arrays, each as `upscale` makes it. One
    /// frame is in memory at a time, and its result is handed over without a copy. Frames of one size compile and prepare
    /// nothing after the first.
    #[pyo3(signature = (frames, scale=None, *, size=None, alpha="auto"))]
    fn upscale_frames(
        slf: Bound<'_, Self>,
        frames: &Bound<'_, PyAny>,
        scale: Option<f64>,
        size: Option<Size>,
        alpha: &str,
    ) -> PyResult<Frames> {
        slf.get().networks.enlarger()?;
        let how = How::new(scale, size, alpha)?;
        Ok(Frames::new(slf.clone().unbind(), frames.try_iter()?.unbind(), how))
    }

    /// Enlarges planes in a network's own channels: what protocols measure.
    ///
    /// `planes` is of shape (H, W), or (C, H, W) with the network's channels: luminance as `rgb2ycbcr` gives it over 255, or
    /// all three of its channels, or red, green and blue; float32 or float64. The result is float32, neither rounded nor
    /// clamped. One network does it, by a scale that it was trained for, and bicubic interpolation the rest. A scale of 1 runs
    /// the network alone.
    #[pyo3(signature = (planes, scale=None, *, size=None, progress=None))]
    fn upscale_planes(
        &self,
        py: Python<'_>,
        planes: &Bound<'_, PyAny>,
        scale: Option<f64>,
        size: Option<Size>,
        progress: Option<Py<PyAny>>,
    ) -> PyResult<Py<PyAny>> {
        self.networks.enlarger()?;
        let enlargement = enlargement(scale, size)?;
        // Read as rows of channels, whatever their number: the network says how many it has.
        let samples = Samples::read(planes, usize::MAX, true)?;
        let data: Vec<f32> = match samples.values {
            Values::F32(values) => values,
            Values::F64(values) => values.into_iter().map(|v| v as f32).collect(),
            _ => return Err(pyo3::exceptions::PyTypeError::new_err("planes are float32 or float64, 0 to 1")),
        };
        if let Some(at) = data.iter().position(|v| !v.is_finite()) {
            return Err(invalid(format!(
                "value {at} of the planes is {}; only finite numbers can be used",
                data[at]
            )));
        }
        let [channels, height, width] = match samples.has_axis {
            true => [samples.height, samples.width, samples.channels],
            false => [1, samples.height, samples.width],
        };
        let planes = Planes::new(width, height, channels, data).map_err(raise)?;
        let from = (width as u32, height as u32);
        let to = enlargement.size(from).map_err(raise)?;
        check_memory(u128::from(to.0) * u128::from(to.1) * 4 * channels as u128)?;
        let result = self.networks.compute(py, Told::of(&progress), |enlarger, progress| {
            enlarger.enlarge_planes(&planes, enlargement, progress)
        })?;
        let plane = [result.height, result.width];
        let shape: Vec<usize> = samples.has_axis.then_some(channels).into_iter().chain(plane).collect();
        array::array(py, &shape, result.data)
    }

    /// The adapter in use: a dictionary with 'name', 'type', 'backend' and 'driver'.
    #[getter]
    fn adapter<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let enlarger = self.networks.enlarger()?;
        let info = py.detach(|| enlarger.lock().gpu().info.clone());
        describe(py, &info)
    }

    /// The networks in use, in words.
    #[getter]
    fn models(&self, py: Python<'_>) -> PyResult<Vec<String>> {
        let enlarger = self.networks.enlarger()?;
        let told =
            || enlarger.lock().models().iter().map(|one| format!("{}: {}", one.name, one.what())).collect();
        Ok(py.detach(told))
    }

    /// Times of the last picture in seconds: 'wall' from call to return without what Python adds, of which 'gpu', 'upload',
    /// 'readback', and 'preparation' (compiling kernels, making textures; 0 for a size that was there before).
    #[getter]
    fn timing<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let enlarger = self.networks.enlarger()?;
        let Timing { gpu, upload, readback, wall, preparation } = py.detach(|| enlarger.lock().timing());
        let dict = PyDict::new(py);
        for (name, time) in [
            ("wall", wall),
            ("gpu", gpu),
            ("upload", upload),
            ("readback", readback),
            ("preparation", preparation),
        ] {
            dict.set_item(name, time.as_secs_f64())?;
        }
        Ok(dict)
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let models = self.models(py)?.join(", ");
        Ok(format!("<srcnn_gpu.Upscaler: {models} on {}>", self.adapter(py)?.as_any().get_item("name")?))
    }
}
