//! How long frames take while a picture is looked at and enlarged, in a real window.
//!
//! `cargo run --release --manifest-path window/Cargo.toml --example frames -- PICTURE [SECONDS [OUTPUT]]`
//!
//! It opens the picture, shows pixels as pixels, moves over it from frame to frame and, with a folder for the output, saves it
//! meanwhile. At the end it prints how long frames took, from one to the next: while nothing was computed, and while something
//! was. The difference is what the computing costs.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use eframe::egui::{Context, Ui, ViewportCommand, vec2};
use srcnn_window::{App, options};

/// Frames before anything counts: shaders are compiled, and the window is placed.
const WARM: Duration = Duration::from_secs(2);

struct Watched {
    app: App,
    length: Duration,
    output: Option<PathBuf>,
    begun: Instant,
    first: Option<Duration>,
    last: Instant,
    ready: Option<Instant>,
    idle: Vec<f64>,
    working: Vec<f64>,
    /// What is to be opened.
    picture: Vec<PathBuf>,
}

impl Watched {
    /// Moves on and counts. Frames follow each other without a pause.
    fn frame(&mut self, context: &Context) {
        let now = Instant::now();
        self.first.get_or_insert(now - self.begun);
        let milliseconds = 1000.0 * (now - self.last).as_secs_f64();
        self.last = now;
        context.request_repaint();
        let Some(view) = &mut self.app.view else { return };
        if view.picture().is_none() {
            // The window is empty, and draws.
            if now - self.begun > WARM {
                self.idle.push(milliseconds);
            }
            return;
        }
        let ready = *self.ready.get_or_insert_with(|| {
            println!("the picture is shown {:.2?} after the start", now - self.begun);
            now
        });
        self.working.push(milliseconds);
        if view.zoom().is_some_and(|zoom| zoom < 1.0) {
            view.zoom_to_pixels();
        }
        // Two seconds in one direction, two seconds back: there is always something new to compute.
        let way = if (now - ready).as_secs() / 2 % 2 == 0 { 0.02 } else { -0.015 };
        view.pan_by(vec2(way, way));
        if let Some(folder) = self.output.take() {
            self.app.settings.folder = Some(folder);
            self.app.save();
        }
        if now - ready > self.length {
            self.report();
            context.send_viewport_cmd(ViewportCommand::Close);
        }
    }

    fn report(&self) {
        println!("first frame after {:.0?}", self.first.unwrap_or_default());
        for (name, times) in [("nothing to compute", &self.idle), ("computing", &self.working)] {
            let mut times = times.clone();
            times.sort_by(f64::total_cmp);
            let at =
                |share: f64| times.get(((times.len() as f64 - 1.0) * share) as usize).copied().unwrap_or(0.0);
            println!(
                "{name}: {} frames, median {:.1} ms, 99% below {:.1} ms, longest {:.1} ms",
                times.len(),
                at(0.5),
                at(0.99),
                at(1.0)
            );
        }
        for entry in self.app.queue.entries() {
            println!("{}: {:?}", entry.name, entry.state);
        }
    }
}

impl eframe::App for Watched {
    fn logic(&mut self, context: &Context, frame: &mut eframe::Frame) {
        self.app.logic(context, frame);
    }

    fn ui(&mut self, ui: &mut Ui, frame: &mut eframe::Frame) {
        // Empty for a while first, to know what drawing alone takes.
        if self.begun.elapsed() > 2 * WARM && !self.picture.is_empty() {
            let picture = std::mem::take(&mut self.picture);
            self.app.queue.add(picture, false);
        }
        self.app.ui(ui, frame);
        self.frame(&ui.ctx().clone());
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let begun = Instant::now();
    let mut arguments = std::env::args().skip(1);
    let picture = PathBuf::from(arguments.next().ok_or("name a picture")?);
    let length = Duration::from_secs(arguments.next().map_or(Ok(10), |seconds| seconds.parse())?);
    let output = arguments.next().map(PathBuf::from);
    eframe::run_native(
        "frames",
        options(),
        Box::new(move |creation| {
            let app = App::new(&creation.egui_ctx, creation.wgpu_render_state.as_ref(), Vec::new());
            let last = Instant::now();
            let (idle, working) = (Vec::new(), Vec::new());
            let picture = vec![picture];
            Ok(Box::new(Watched {
                app,
                length,
                output,
                begun,
                first: None,
                last,
                ready: None,
                idle,
                working,
                picture,
            }))
        }),
    )?;
    Ok(())
}
