//! The window without a screen, for tests.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use eframe::egui::{self, Key, Pos2, Rect};
use eframe::egui_wgpu::RendererOptions;
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable;
use egui_kittest::wgpu::{WgpuTestRenderer, create_render_state};
use image::{Rgba, RgbaImage};
use srcnn_window::{App, setup};

/// Nothing takes longer than this, even on two busy processor cores.
const LONGEST: Duration = Duration::from_secs(120);

/// A picture without symmetry.
pub fn picture(width: u32, height: u32) -> RgbaImage {
    RgbaImage::from_fn(width, height, |x, y| {
        let ring = |wave: f64, at: f64| {
            let distance = (f64::from(x) - at).hypot(f64::from(y) - 0.3 * at);
            (127.5 + 90.0 * (distance / wave).cos()) as u8
        };
        Rgba([ring(4.0, 90.0), ring(7.0, 40.0), ring(11.0, 150.0), 255])
    })
}

/// A file that is let go over the window.
#[derive(Debug)]
struct Dropped(PathBuf);

impl egui::DroppedFile for Dropped {
    fn path(&self) -> &Path {
        &self.0
    }

    fn bytes(&self) -> Result<Vec<u8>, String> {
        std::fs::read(&self.0).map_err(|error| error.to_string())
    }
}

/// The window.
pub struct Window {
    pub harness: Harness<'static, Option<App>>,
}

impl Window {
    /// Of this size in points.
    pub fn new(size: (f32, f32)) -> Self {
        let state = create_render_state(setup(), RendererOptions::PREDICTABLE);
        let of_app = state.clone();
        let draw = move |ui: &mut egui::Ui, app: &mut Option<App>| {
            let app = app.get_or_insert_with(|| App::new(ui.ctx(), Some(&of_app), Vec::new()));
            app.update(ui.ctx());
            app.show(ui);
        };
        let harness = Harness::builder()
            .with_size(egui::vec2(size.0, size.1))
            .with_theme(egui::Theme::Dark)
            .renderer(WgpuTestRenderer::from_render_state(state))
            .build_ui_state(draw, None);
        Self { harness }
    }

    pub fn app(&self) -> &App {
        self.harness.state().as_ref().unwrap()
    }

    pub fn app_mut(&mut self) -> &mut App {
        self.harness.state_mut().as_mut().unwrap()
    }

    pub fn step(&mut self, frames: usize) {
        self.harness.run_steps(frames);
    }

    /// Frames go by until something is so.
    #[track_caller]
    pub fn until(&mut self, done: impl Fn(&Self) -> bool) {
        let begun = Instant::now();
        while !done(self) {
            assert!(begun.elapsed() < LONGEST, "nothing happens: {:?}", self.app().messages().newest());
            self.step(1);
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// Frames go by until there is nothing left to do.
    #[track_caller]
    pub fn settle(&mut self) {
        self.step(2);
        self.until(|window| !window.app().is_busy());
        self.step(2);
        self.until(|window| !window.app().is_busy());
    }

    /// Frames go by for some milliseconds.
    pub fn wait(&mut self, milliseconds: u64) {
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_millis(milliseconds) {
            self.step(1);
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    pub fn drop(&mut self, paths: &[&Path]) {
        for path in paths {
            self.harness.input_mut().dropped_files.push(Arc::new(Dropped(path.to_path_buf())));
        }
        self.step(1);
    }

    pub fn key(&mut self, key: Key) {
        self.harness.key_press(key);
        self.step(2);
    }

    #[track_caller]
    pub fn click(&mut self, label: &str) {
        self.harness.get_by_label(label).click();
        self.step(2);
    }

    pub fn drag(&mut self, from: Pos2, to: Pos2) {
        self.harness.hover_at(from);
        self.step(1);
        self.harness.drag_at(from);
        self.step(1);
        self.harness.hover_at(from + (to - from) / 2.0);
        self.step(1);
        self.harness.hover_at(to);
        self.step(1);
        self.harness.drop_at(to);
        self.step(1);
    }

    /// Where something is, in points.
    #[track_caller]
    pub fn node(&self, label: &str) -> Rect {
        self.harness.get_by_label(label).rect()
    }

    /// What the window shows; kept if `SRCNN_SCREENSHOTS` names a folder.
    pub fn shot(&mut self, name: &str) -> RgbaImage {
        let shot = self.harness.render().unwrap();
        if let Some(folder) = std::env::var_os("SRCNN_SCREENSHOTS") {
            shot.save(Path::new(&folder).join(name).with_extension("png")).unwrap();
        }
        shot
    }
}
