//! numpy's arrays as pictures, and pictures as arrays.

use image::{DynamicImage, ImageBuffer, Luma, LumaA, Pixel, Rgb, Rgba};
use numpy::ndarray::{Array, Axis, Ix3, IxDyn};
use numpy::{
    Element, PyArray, PyArrayDescrMethods, PyArrayDyn, PyArrayMethods, PyUntypedArray, PyUntypedArrayMethods,
    dtype,
};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use srcnn_gpu::picture::check_floats;

use crate::errors::{invalid, raise};

/// The samples of a picture, `[row][column][channel]`, copied from an array.
pub struct Samples {
    pub height: usize,
    pub width: usize,
    pub channels: usize,
    /// Whether the array had an axis for the channels.
    pub has_axis: bool,
    pub values: Values,
}

/// Samples of one type.
pub enum Values {
    U8(Vec<u8>),
    U16(Vec<u16>),
    F32(Vec<f32>),
    F64(Vec<f64>),
}

/// The array that an object is or can be seen as: tensors by DLPack, all else as `numpy.asarray` does. Its samples are aligned
/// and in the processor's byte order.
pub fn of<'py>(object: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyUntypedArray>> {
    let py = object.py();
    let array = match object.cast::<PyUntypedArray>() {
        Ok(array) => array.clone(),
        Err(_) => {
            let numpy = py.import("numpy")?;
            let array = match object.hasattr("__dlpack__")? {
                true => numpy.call_method1("from_dlpack", (object,)).map_err(|error| {
                    let kind = object.get_type().name().map(|name| name.to_string()).unwrap_or_default();
                    let told = PyTypeError::new_err(format!(
                        "numpy cannot see this {kind} ({}); a tensor has to be on the CPU, without a gradient and of a type \
                         that numpy knows: tensor.detach().cpu()",
                        error.value(py)
                    ));
                    told.set_cause(py, Some(error));
                    told
                })?,
                false => numpy.call_method1("asarray", (object,))?,
            };
            array.cast_into::<PyUntypedArray>()?
        }
    };
    if array.is_aligned() && array.dtype().is_native_byteorder() != Some(false) {
        return Ok(array);
    }
    let native = array.dtype().call_method1("newbyteorder", ("=",))?;
    Ok(array.call_method1("astype", (native,))?.cast_into()?)
}

/// Whether an array has samples of this type.
fn has<T: Element>(array: &Bound<'_, PyUntypedArray>) -> bool {
    array.dtype().is_equiv_to(&dtype::<T>(array.py()))
}

/// A copy of an array of this type, in C order.
fn copied<T: Element + Copy>(array: &Bound<'_, PyUntypedArray>, axes: [usize; 3]) -> PyResult<Vec<T>> {
    let array = array.cast::<PyArrayDyn<T>>().map_err(PyErr::from)?.try_readonly()?;
    // A slice of an array in Fortran's order would be in that order.
    if array.is_c_contiguous()
        && let Ok(samples) = array.as_slice()
    {
        return Ok(samples.to_vec());
    }
    let view = array.as_array();
    let axis = Axis(view.ndim());
    let view = if axis.0 < 3 { view.insert_axis(axis) } else { view };
    let view = view.into_dimensionality::<Ix3>().map_err(|error| invalid(error.to_string()))?;
    let mut samples = Vec::with_capacity(axes.iter().product());
    samples.extend(view.iter().copied());
    Ok(samples)
}

fn text_of(shape: &[usize]) -> String {
    let axes: Vec<String> = shape.iter().map(usize::to_string).collect();
    format!("({}{})", axes.join(", "), if axes.len() == 1 { "," } else { "" })
}

/// What to do about samples of a type that is not taken.
fn advice(array: &Bound<'_, PyUntypedArray>, doubles: bool) -> PyErr {
    let kind = array.dtype();
    let taken = if doubles { "float32 or float64" } else { "float32" };
    let instead = match kind.kind() {
        b'b' => "make grey of a mask with array.astype(numpy.uint8) * 255",
        b'f' => "convert with array.astype(numpy.float32)",
        b'i' | b'u' => "convert with array.astype(numpy.uint8), if its values are 0 to 255",
        _ => "convert it to one of these",
    };
    PyTypeError::new_err(format!(
        "pictures are uint8 (0 to 255), uint16 (0 to 65535) or {taken} (0 to 1), not {kind}; {instead}"
    ))
}

impl Samples {
    /// Copies an array of HxW or HxWxC with at most `channels` channels; float64 only where `doubles` are taken.
    ///
    /// Errors are TypeError for samples of other types, and InvalidArgumentError for shapes that are no picture's.
    pub fn read(object: &Bound<'_, PyAny>, channels: usize, doubles: bool) -> PyResult<Self> {
        let array = of(object)?;
        let is_single = has::<u8>(&array) || has::<u16>(&array) || has::<f32>(&array);
        let is_taken = is_single || (doubles && has::<f64>(&array));
        if !is_taken {
            return Err(advice(&array, doubles));
        }
        let shape = array.shape();
        let (height, width, count, has_axis) = match *shape {
            [height, width] => (height, width, 1, false),
            [height, width, count] => (height, width, count, true),
            _ => {
                let advice = if shape.len() == 4 { "; upscale_batch takes NxHxWxC" } else { "" };
                let shape = text_of(shape);
                return Err(invalid(format!("a picture is HxW or HxWxC, not of shape {shape}{advice}")));
            }
        };
        if shape.contains(&0) {
            let shape = text_of(shape);
            return Err(invalid(format!("a picture of shape {shape} has no samples; each axis needs one")));
        }
        if count > channels {
            let advice = match shape[0] <= channels {
                true => "; channels come last: numpy.moveaxis(array, 0, -1)",
                false => "",
            };
            let shape = text_of(shape);
            return Err(invalid(format!(
                "shape {shape} has {count} channels, 1 to {channels} are taken{advice}"
            )));
        }
        let axes = [height, width, count];
        let values = if has::<u8>(&array) {
            Values::U8(copied(&array, axes)?)
        } else if has::<u16>(&array) {
            Values::U16(copied(&array, axes)?)
        } else if has::<f32>(&array) {
            Values::F32(copied(&array, axes)?)
        } else {
            Values::F64(copied(&array, axes)?)
        };
        Ok(Self { height, width, channels: count, has_axis, values })
    }

    /// A picture with 1 to 4 channels: grey, grey and alpha, colors, colors and alpha. Grey floats become colors, since there
    /// are no grey ones among pictures; doubles become floats.
    pub fn into_picture(self) -> PyResult<DynamicImage> {
        let size = [self.width, self.height].map(|side| u32::try_from(side).unwrap_or(u32::MAX));
        let grey = self.channels <= 2;
        let widened = |values: Vec<f32>, channels: usize| match channels {
            1 => values.into_iter().flat_map(|v| [v; 3]).collect(),
            2 => values.chunks_exact(2).flat_map(|p| [p[0], p[0], p[0], p[1]]).collect(),
            _ => values,
        };
        let has_alpha = self.channels.is_multiple_of(2);
        let picture = match self.values {
            Values::U8(values) => match (grey, has_alpha) {
                (true, false) => buffer::<Luma<u8>>(size, values)?.into(),
                (true, true) => buffer::<LumaA<u8>>(size, values)?.into(),
                (false, false) => buffer::<Rgb<u8>>(size, values)?.into(),
                (false, true) => buffer::<Rgba<u8>>(size, values)?.into(),
            },
            Values::U16(values) => match (grey, has_alpha) {
                (true, false) => buffer::<Luma<u16>>(size, values)?.into(),
                (true, true) => buffer::<LumaA<u16>>(size, values)?.into(),
                (false, false) => buffer::<Rgb<u16>>(size, values)?.into(),
                (false, true) => buffer::<Rgba<u16>>(size, values)?.into(),
            },
            Values::F32(values) => floats(size, widened(values, self.channels), has_alpha)?,
            Values::F64(values) => {
                let values = values.into_iter().map(|v| v as f32).collect();
                floats(size, widened(values, self.channels), has_alpha)?
            }
        };
        check_floats(&picture).map_err(|why| invalid(format!("a picture of floats: {why}")))?;
        Ok(picture)
    }
}

/// A picture's buffer.
pub fn buffer<P: Pixel>(
    [width, height]: [u32; 2],
    values: Vec<P::Subpixel>,
) -> PyResult<ImageBuffer<P, Vec<P::Subpixel>>> {
    ImageBuffer::from_raw(width, height, values).ok_or_else(|| invalid("a picture's sides are too long"))
}

fn floats(size: [u32; 2], values: Vec<f32>, has_alpha: bool) -> PyResult<DynamicImage> {
    Ok(match has_alpha {
        true => buffer::<Rgba<f32>>(size, values)?.into(),
        false => buffer::<Rgb<f32>>(size, values)?.into(),
    })
}

/// An array of any shape that owns these values; nothing is copied.
pub fn array<T: Element>(py: Python<'_>, shape: &[usize], values: Vec<T>) -> PyResult<Py<PyAny>> {
    let array = Array::from_shape_vec(IxDyn(shape), values).map_err(|error| invalid(error.to_string()))?;
    Ok(PyArray::from_owned_array(py, array).into_any().unbind())
}

/// The samples of a result as `Samples` came in: with so many channels, and an axis for them or none.
pub fn from_picture(picture: DynamicImage, channels: usize) -> srcnn_gpu::Result<Values> {
    // Green stands for grey, as in all results.
    let narrowed = |values: Vec<f32>| match channels {
        1 => values.chunks_exact(3).map(|pixel| pixel[1]).collect(),
        2 => values.chunks_exact(4).flat_map(|pixel| [pixel[1], pixel[3]]).collect(),
        _ => values,
    };
    Ok(match picture {
        DynamicImage::ImageLuma8(buffer) => Values::U8(buffer.into_raw()),
        DynamicImage::ImageLumaA8(buffer) => Values::U8(buffer.into_raw()),
        DynamicImage::ImageRgb8(buffer) => Values::U8(buffer.into_raw()),
        DynamicImage::ImageRgba8(buffer) => Values::U8(buffer.into_raw()),
        DynamicImage::ImageLuma16(buffer) => Values::U16(buffer.into_raw()),
        DynamicImage::ImageLumaA16(buffer) => Values::U16(buffer.into_raw()),
        DynamicImage::ImageRgb16(buffer) => Values::U16(buffer.into_raw()),
        DynamicImage::ImageRgba16(buffer) => Values::U16(buffer.into_raw()),
        DynamicImage::ImageRgb32F(buffer) => Values::F32(narrowed(buffer.into_raw())),
        DynamicImage::ImageRgba32F(buffer) => Values::F32(narrowed(buffer.into_raw())),
        other => return Err(srcnn_gpu::Error::invalid(format!("{:?} is no type of results", other.color()))),
    })
}

impl Values {
    /// Bytes of all samples.
    pub fn bytes(&self) -> usize {
        match self {
            Self::U8(values) => values.len(),
            Self::U16(values) => 2 * values.len(),
            Self::F32(values) => 4 * values.len(),
            Self::F64(values) => 8 * values.len(),
        }
    }

    /// With room for as many samples `count` times.
    pub fn with_room(mut self, count: usize) -> Self {
        let more = count.saturating_sub(1);
        match &mut self {
            Self::U8(values) => values.reserve_exact(more * values.len()),
            Self::U16(values) => values.reserve_exact(more * values.len()),
            Self::F32(values) => values.reserve_exact(more * values.len()),
            Self::F64(values) => values.reserve_exact(more * values.len()),
        }
        self
    }

    /// Adds samples of the same type.
    pub fn extend(&mut self, more: Self) {
        match (self, more) {
            (Self::U8(values), Self::U8(more)) => values.extend(more),
            (Self::U16(values), Self::U16(more)) => values.extend(more),
            (Self::F32(values), Self::F32(more)) => values.extend(more),
            (Self::F64(values), Self::F64(more)) => values.extend(more),
            // All pictures of a batch have one type.
            _ => {}
        }
    }

    /// An array of this shape that owns the samples.
    pub fn into_array(self, py: Python<'_>, shape: &[usize]) -> PyResult<Py<PyAny>> {
        match self {
            Self::U8(values) => array(py, shape, values),
            Self::U16(values) => array(py, shape, values),
            Self::F32(values) => array(py, shape, values),
            Self::F64(values) => array(py, shape, values),
        }
    }
}

/// The shape of a picture's array.
pub fn shape(height: usize, width: usize, channels: usize, has_axis: bool) -> Vec<usize> {
    if has_axis { vec![height, width, channels] } else { vec![height, width] }
}

/// An array of a picture like the one that came in.
pub fn result(py: Python<'_>, picture: DynamicImage, channels: usize, has_axis: bool) -> PyResult<Py<PyAny>> {
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    let values = from_picture(picture, channels).map_err(raise)?;
    values.into_array(py, &shape(height, width, channels, has_axis))
}
