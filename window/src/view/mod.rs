//! The view: sections side by side, divided by sliders, each enlarged by a method. Only what is seen is computed, in steps that
//! fit between frames, from texture to texture on the window's own device.

use std::sync::Arc;
use std::time::{Duration, Instant};

use eframe::egui::{self, Color32, Rect, TextureHandle, Ui, Vec2};
use eframe::egui_wgpu::RenderState;
use srcnn_gpu::{Enlargement, Result, Upscaler, Weights};

use crate::picture::Picture;
use camera::Camera;
use method::{Maker, Request};
use pages::{CELL, Key, Layer, Pages};
use work::Work;

mod camera;
pub mod method;
mod pages;
mod paint;
mod work;

/// From this zoom on the methods are compared; from further away one would see no difference. In screen pixels of a result's
/// pixel.
const COMPARED: f64 = 0.5;
/// Time of a frame for copies of the picture itself.
const COPYING: Duration = Duration::from_millis(5);

/// A way to enlarge, for [`View::compare`].
pub struct Method {
    pub name: String,
    /// Its network; or why there is none.
    pub weights: Result<Weights, String>,
}

/// A method on the screen.
struct Shown {
    name: String,
    version: u64,
    upscaler: Option<Upscaler>,
    problem: Option<String>,
}

/// A section of the view in this frame.
struct Section {
    number: usize,
    /// In physical pixels.
    rect: Rect,
    layer: Layer,
    /// Width and height of what it shows cells of.
    size: [u32; 2],
    /// Pixels of the result that one of these has.
    scale: f64,
    /// The cells that are seen, columns before rows.
    cells: [std::ops::Range<u32>; 2],
}

/// How much of what is seen is there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Progress {
    pub done: usize,
    pub all: usize,
}

impl Progress {
    pub fn is_complete(self) -> bool {
        self.done == self.all
    }
}

/// The view and all that it holds on the device.
pub struct View {
    context: egui::Context,
    picture: Option<Arc<Picture>>,
    /// `None` shows the whole picture in the next frame.
    camera: Option<Camera>,
    enlargement: Enlargement,
    /// Width and height of the result.
    size: [u32; 2],
    methods: Vec<Shown>,
    /// Parts of the width at which sections end.
    dividers: Vec<f32>,
    /// The whole picture, small.
    overview: Option<TextureHandle>,
    pages: Pages,
    work: Work,
    maker: Maker,
    version: u64,
    progress: Progress,
    /// Where it was drawn last, in physical pixels.
    rect: Rect,
}

impl View {
    /// On eframe's device.
    pub fn new(state: &RenderState, context: &egui::Context) -> Self {
        let (device, queue) = (state.device.clone(), state.queue.clone());
        Self {
            context: context.clone(),
            picture: None,
            camera: None,
            enlargement: Enlargement::Factor(2.0),
            size: [0; 2],
            methods: Vec::new(),
            dividers: Vec::new(),
            overview: None,
            pages: Pages::new(device.clone(), state.renderer.clone()),
            maker: Maker::new(device.clone(), queue.clone(), context.clone()),
            work: Work::new(device, queue),
            version: 0,
            progress: Progress::default(),
            rect: Rect::ZERO,
        }
    }

    /// The picture that is shown.
    pub fn picture(&self) -> Option<&Arc<Picture>> {
        self.picture.as_ref()
    }

    /// Width and height of the result.
    pub fn result_size(&self) -> (u32, u32) {
        (self.size[0], self.size[1])
    }

    /// Shows another picture, or none; what was computed for the one before is given back.
    pub fn open(&mut self, picture: Option<Arc<Picture>>) {
        self.methods.iter_mut().for_each(|shown| shown.upscaler = None);
        self.pages.forget(|_| true);
        self.overview = picture.as_ref().map(|picture| {
            let level = picture.levels() - 1;
            let [width, height] = picture.level_size(level);
            let texels = picture.level_part(level, [0..width, 0..height]);
            let image = egui::ColorImage::from_rgba_unmultiplied([width as usize, height as usize], &texels);
            self.context.load_texture("overview", image, egui::TextureOptions::LINEAR)
        });
        (self.picture, self.camera) = (picture, None);
    }

    /// Compares methods with an enlargement, from left to right. What has been computed is shown until the next is ready, as
    /// far as it fits.
    ///
    /// # Errors
    /// As [`Enlargement::size`].
    pub fn compare(&mut self, methods: Vec<Method>, enlargement: Enlargement) -> Result<()> {
        let Some(picture) = self.picture.clone() else { return Ok(()) };
        let (width, height) = enlargement.size(picture.size())?;
        let size = [width, height];
        if size != self.size {
            let sides = |size: [u32; 2]| size.map(f64::from);
            self.camera = self.camera.map(|camera| camera.scaled(sides(self.size), sides(size)));
            self.methods.iter_mut().for_each(|shown| shown.upscaler = None);
            self.pages.forget(|layer| matches!(layer, Layer::Result(_)));
        }
        (self.size, self.enlargement) = (size, enlargement);
        if methods.len() != self.methods.len() {
            let count = methods.len();
            self.dividers = (1..count).map(|at| at as f32 / count as f32).collect();
            self.pages.forget(|layer| matches!(layer, Layer::Result(number) if number >= count));
        }
        self.methods.truncate(methods.len());
        for (number, Method { name, weights }) in methods.into_iter().enumerate() {
            self.version += 1;
            let version = self.version;
            let problem = weights.as_ref().err().cloned();
            if number == self.methods.len() {
                self.methods.push(Shown { name: String::new(), version, upscaler: None, problem: None });
            }
            let shown = &mut self.methods[number];
            (shown.name, shown.version, shown.problem) = (name, version, problem);
            match weights {
                Ok(weights) => {
                    let source = picture.size();
                    self.maker.ask(Request { number, version, weights, source, enlargement });
                }
                Err(_) => {
                    shown.upscaler = None;
                    self.pages.forget(|layer| layer == Layer::Result(number));
                }
            }
        }
        Ok(())
    }

    /// How much of what is seen is there.
    pub fn progress(&self) -> Progress {
        self.progress
    }

    /// Whether something is still to come without the user.
    pub fn is_busy(&self) -> bool {
        let waits = |shown: &Shown| shown.upscaler.is_none() && shown.problem.is_none();
        self.picture.is_some()
            && (!self.progress.is_complete() || self.work.is_busy() || self.methods.iter().any(waits))
    }

    /// Bytes on the device.
    pub fn device_bytes(&self) -> u64 {
        let upscalers = self.methods.iter().filter_map(|shown| shown.upscaler.as_ref());
        self.pages.bytes() + upscalers.map(Upscaler::device_bytes).sum::<u64>()
    }

    /// Screen pixels of a result's pixel.
    pub fn zoom(&self) -> Option<f64> {
        self.camera.map(|camera| camera.zoom)
    }

    /// Shows the whole picture.
    pub fn fit(&mut self) {
        self.camera = None;
    }

    /// Zooms by a factor, around the middle.
    pub fn zoom_by(&mut self, factor: f64) {
        let (rect, size) = (self.rect, self.size.map(f64::from));
        if let Some(camera) = &mut self.camera {
            camera.zoom_at(rect, rect.center(), factor, size);
        }
    }

    /// Shows each pixel of the result as one of the screen.
    pub fn zoom_to_pixels(&mut self) {
        if let Some(zoom) = self.zoom() {
            self.zoom_by(1.0 / zoom);
        }
        // Exactly, so that nothing is interpolated.
        if let Some(camera) = &mut self.camera {
            camera.zoom = 1.0;
        }
    }

    /// Moves by parts of the view.
    pub fn pan_by(&mut self, parts: Vec2) {
        let (rect, size) = (self.rect, self.size.map(f64::from));
        if let Some(camera) = &mut self.camera {
            camera.pan(-parts * rect.size(), size);
        }
    }

    /// Moves a divider by a part of the view; those beside it give way.
    pub fn move_divider(&mut self, number: usize, by: f32) {
        let Some(divider) = self.dividers.get_mut(number) else { return };
        *divider = (*divider + by).clamp(0.0, 1.0);
        let place = *divider;
        self.dividers[..number].iter_mut().for_each(|other| *other = other.min(place));
        self.dividers[number + 1..].iter_mut().for_each(|other| *other = other.max(place));
    }

    /// Draws the view into all that is left of `ui`.
    pub fn show(&mut self, ui: &mut Ui) {
        self.pages.begin_frame();
        self.take_made();
        let area = ui.available_rect_before_wrap();
        ui.painter().rect_filled(area, 0.0, ui.visuals().extreme_bg_color);
        self.rect = area * ui.pixels_per_point();
        let Some(picture) = self.picture.clone() else { return };
        if self.size[0] == 0 || self.rect.width() < 1.0 || self.rect.height() < 1.0 {
            return;
        }
        let size = self.size.map(f64::from);
        let mut camera = self.camera.unwrap_or_else(|| Camera::fitting(size, self.rect.size()));
        self.navigate(ui, area, &mut camera);
        self.camera = Some(camera);
        let sections = self.sections(&camera, &picture);
        self.compute(&sections, &camera, &picture);
        self.paint(ui, &sections, &camera, &picture);
        self.divide(ui, area);
        if !self.progress.is_complete() || self.work.is_busy() {
            ui.ctx().request_repaint();
        }
    }

    /// Takes what the maker has ready.
    fn take_made(&mut self) {
        while let Some(made) = self.maker.take() {
            let Some(shown) = self.methods.get_mut(made.number).filter(|shown| shown.version == made.version)
            else {
                continue;
            };
            match made.upscaler {
                Ok(upscaler) => shown.upscaler = Some(upscaler),
                Err(error) => (shown.upscaler, shown.problem) = (None, Some(error.to_string())),
            }
            self.pages.forget(|layer| layer == Layer::Result(made.number));
        }
    }

    /// What each section shows at this zoom: results, or from far away the picture itself.
    fn sections(&self, camera: &Camera, picture: &Picture) -> Vec<Section> {
        let level = (camera.zoom < COMPARED).then(|| {
            let shrunk = f64::from(picture.size().0) / (f64::from(self.size[0]) * camera.zoom);
            (shrunk.log2().floor().max(0.0) as usize).min(picture.levels() - 1)
        });
        let ends = self.dividers.iter().copied().chain([1.0]);
        let starts = [0.0].into_iter().chain(self.dividers.iter().copied());
        let rect = self.rect;
        let at = |part: f32| (rect.left() + part * rect.width()).round();
        let sections = starts.zip(ends).take(self.methods.len()).enumerate().map(|(number, (start, end))| {
            let part = Rect::from_x_y_ranges(at(start)..=at(end), rect.y_range());
            let (layer, size, scale) = match level {
                None => (Layer::Result(number), self.size, 1.0),
                Some(level) => {
                    let scale = f64::from(self.size[0]) / f64::from(picture.size().0) * f64::from(1 << level);
                    (Layer::Source(level), picture.level_size(level), scale)
                }
            };
            let seen = camera.visible(rect, part, scale, size);
            let cells = seen.map(|seen| match seen.is_empty() || part.width() < 1.0 {
                true => 0..0,
                false => seen.start / CELL..(seen.end - 1) / CELL + 1,
            });
            Section { number, rect: part, layer, size, scale, cells }
        });
        sections.collect()
    }

    /// Brings what is seen a little further.
    fn compute(&mut self, sections: &[Section], camera: &Camera, picture: &Picture) {
        let middle = camera.to_result(self.rect, self.rect.center());
        let (mut all, mut missing) = (0, Vec::new());
        let has_problem = |section: &Section| {
            let of_result = matches!(section.layer, Layer::Result(_));
            of_result && self.methods.get(section.number).is_none_or(|shown| shown.problem.is_some())
        };
        // Nothing will come of a method with a problem.
        let problems: Vec<bool> = sections.iter().map(has_problem).collect();
        for (section, _) in sections.iter().zip(problems).filter(|(_, problem)| !problem) {
            for key in section.keys() {
                all += 1;
                if !self.pages.see(key).is_some_and(|cell| cell.is_complete()) {
                    let place =
                        [key.column, key.row].map(|cell| f64::from(cell * CELL + CELL / 2) * section.scale);
                    let distance = (place[0] - middle[0]).hypot(place[1] - middle[1]);
                    missing.push((distance, key, section));
                }
            }
        }
        self.progress = Progress { done: all - missing.len(), all };
        missing.sort_by(|a, b| a.0.total_cmp(&b.0));
        missing.dedup_by_key(|(_, key, _)| *key);
        let begun = Instant::now();
        let mut steps = self.work.allowed();
        for (_, key, section) in missing {
            if let Layer::Source(level) = key.layer {
                if begun.elapsed() > COPYING {
                    break;
                }
                self.work.copy(&mut self.pages, key, picture, level, section.size);
                continue;
            }
            let Some(shown) = self.methods.get_mut(section.number) else { continue };
            let Some(upscaler) = &shown.upscaler else { continue };
            while steps > 0 && !self.pages.see(key).is_some_and(|cell| cell.is_complete()) {
                steps -= 1;
                if let Err(error) = self.work.step(&mut self.pages, key, upscaler, picture, section.size) {
                    (shown.upscaler, shown.problem) = (None, Some(error.to_string()));
                    break;
                }
            }
            if steps == 0 {
                break;
            }
        }
    }
}

impl Section {
    /// The cells that are seen.
    fn keys(&self) -> impl Iterator<Item = Key> + use<> {
        let [columns, rows] = self.cells.clone();
        let layer = self.layer;
        rows.flat_map(move |row| columns.clone().map(move |column| Key { layer, column, row }))
    }
}

/// Text on pictures is white on black, in dark and light.
const TEXT: Color32 = Color32::WHITE;
