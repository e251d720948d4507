//! The ways to enlarge that the view compares, and the thread that prepares them: compiling takes up to seconds on some
//! adapters, and frames go on meanwhile.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use eframe::egui;
use eframe::wgpu;
use srcnn_gpu::enlarge::{Model, Route, Trained};
use srcnn_gpu::{
    Architecture, Channels, Enlargement, Error, KernelChoice, Layer, Metadata, Padding, Result, Upscaler,
    UpscalerOptions, Weights,
};

use super::pages::{CELL, GUTTER};
use crate::picture::Picture;

/// Multiply-adds of a step on an adapter in software, and on others: some milliseconds.
const STEP: [f64; 2] = [6e7, 1e9];
/// Parts of a cell's side, at most.
const MOST_PARTS: u32 = 8;

/// What is to be prepared.
#[derive(Clone)]
pub struct Request {
    /// Of the methods on the screen.
    pub number: usize,
    /// The newest one counts.
    pub version: u64,
    pub weights: Weights,
    pub source: (u32, u32),
    pub enlargement: Enlargement,
}

/// What has been prepared, or why not.
pub struct Made {
    pub number: usize,
    pub version: u64,
    pub upscaler: Result<Upscaler>,
}

/// The thread that prepares.
pub struct Maker {
    to: Sender<Request>,
    from: Receiver<Made>,
}

impl Maker {
    pub fn new(device: wgpu::Device, queue: wgpu::Queue, context: egui::Context) -> Self {
        let ((to, requests), (results, from)) = (channel::<Request>(), channel());
        thread::spawn(move || {
            // One of each architecture, whose kernels others share.
            let mut known: Vec<Upscaler> = Vec::new();
            while let Ok(first) = requests.recv() {
                // Only the newest request for each method is worth the work.
                let mut newest = vec![first];
                for request in requests.try_iter() {
                    newest.retain(|other| other.number != request.number);
                    newest.push(request);
                }
                for Request { number, version, weights, source, enlargement } in newest {
                    let upscaler = make(&device, &queue, &weights, &mut known).and_then(|mut upscaler| {
                        upscaler.prepare_tiles(source, enlargement, 1)?;
                        Ok(upscaler)
                    });
                    if results.send(Made { number, version, upscaler }).is_err() {
                        return;
                    }
                    context.request_repaint();
                }
            }
        });
        Self { to, from }
    }

    pub fn ask(&self, request: Request) {
        // The thread ends only with the window.
        let _ = self.to.send(request);
    }

    pub fn take(&self) -> Option<Made> {
        self.from.try_recv().ok()
    }
}

/// An upscaler for weights, with the kernels of a known one of the same architecture.
fn make(
    device: &wgpu::Device,
    queue: &wgpu::Queue,
    weights: &Weights,
    known: &mut Vec<Upscaler>,
) -> Result<Upscaler> {
    if let Some(shared) = known.iter().find_map(|other| other.with_weights(weights).ok()) {
        return Ok(shared);
    }
    let options = UpscalerOptions::for_device(device)
        .with_tile(tile(weights, device.adapter_info().device_type))
        .with_winograd(KernelChoice::Never);
    let upscaler = Upscaler::new(device, queue, weights, options)?;
    known.push(upscaler.with_weights(weights)?);
    Ok(upscaler)
}

/// The side of a step: a part of a cell, so that one takes some milliseconds.
fn tile(weights: &Weights, adapter: wgpu::DeviceType) -> u32 {
    let side = CELL + 2 * GUTTER;
    let work = weights.architecture().multiply_adds() as f64;
    let step = STEP[usize::from(adapter != wgpu::DeviceType::Cpu)];
    let parts = (1..MOST_PARTS).find(|&parts| f64::from(side.div_ceil(parts)).powi(2) * work <= step);
    side.div_ceil(parts.unwrap_or(MOST_PARTS))
}

/// A network that changes nothing, so that its results are the bicubic enlargement. What it adds in between keeps values that
/// overshoot below 0.
///
/// # Errors
/// None in practice.
pub fn bicubic() -> Result<Weights> {
    let architecture = Architecture::parse("1-1-1", "1-1", 1)?;
    let biases = [1.0, 0.0, -1.0];
    let layers = architecture.layers().iter().zip(biases).map(|(&shape, bias)| Layer {
        shape,
        weight: vec![1.0],
        bias: vec![bias],
    });
    let metadata = Metadata { channels: Channels::Y, padding: Padding::Replicate, ..Metadata::default() };
    Weights::new(layers.collect(), metadata)
}

/// The last network that enlarges a picture when it is saved, and its name; and whether saving takes more steps, of other networks or
/// of bicubic interpolation.
///
/// # Errors
/// [`Error::InvalidArgument`] where no network enlarges by the factor, [`Error::Model`] for a dictionary.
pub fn network(
    models: &Arc<[Model]>,
    picture: &Picture,
    enlargement: Enlargement,
) -> Result<(Weights, String, bool)> {
    let passes = Route::new(models, None).passes(picture.size(), enlargement, picture.compressed)?;
    let Some(pass) = passes.last() else { return Err(Error::invalid("the enlargement has no steps")) };
    let model = &models[pass.network];
    if matches!(model.trained, Trained::Dictionary(_)) {
        return Err(Error::invalid(format!(
            "{} holds a dictionary, which is too slow for the view; its results can be saved",
            model.name
        )));
    }
    let more = passes.len() > 1 || pass.rest.is_some();
    Ok((model.network()?.clone(), model.name.clone(), more))
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::{DynamicImage, Rgb, RgbImage};
    use srcnn_gpu::headless::{AdapterSelection, Headless, HeadlessOptions, open};
    use srcnn_gpu::resample::Imresize;

    /// Black and white next to each other overshoot by the most that there is.
    #[test]
    fn bicubic_is_matlabs() {
        let picture = RgbImage::from_fn(23, 17, |x, y| {
            let value = if (x / 3 + y / 4) % 2 == 0 { 255 } else { 0 };
            Rgb([value, (x * 11) as u8, 255 - value])
        });
        let gpu = open(&AdapterSelection::default()).unwrap();
        let mut network = Headless::new(gpu, &bicubic().unwrap(), HeadlessOptions::default()).unwrap();
        let result = network.upscale(&DynamicImage::from(picture.clone()), 3.0, &mut |_, _| ()).unwrap();
        let result = result.into_rgb8();
        let resize = Imresize::by(17, 23, 3.0).unwrap();
        for channel in 0..3 {
            let plane: Vec<f64> = picture.pixels().map(|pixel| f64::from(pixel.0[channel])).collect();
            let expected = resize.apply(&plane, |value| value).unwrap();
            for (pixel, expected) in result.pixels().zip(expected) {
                let off = (f64::from(pixel.0[channel]) - expected.clamp(0.0, 255.0)).abs();
                assert!(off < 0.51, "{} instead of {expected}", pixel.0[channel]);
            }
        }
    }
}
