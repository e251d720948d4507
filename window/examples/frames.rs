//! How long frames take while a picture is looked at and enlarged, in a real window.
//!
//! `cargo run --release --manifest-path window/Cargo.toml --example frames -- PICTURE [SECONDS [OUTPUT]]`
//!
//! It draws an empty window, then the picture with pixels as pixels, then moves over it from frame to frame and, with a folder
//! for the output, saves it meanwhile. At the end it prints how long frames took from one to the next in each part, and how
//! long the window's own code took of them: the rest is the adapter's, which in software draws and computes on the same cores.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use eframe::egui::{Context, Ui, ViewportCommand, vec2};
use srcnn_window::{App, options};

/// How long an empty window and a still picture are drawn.
const STILL: Duration = Duration::from_secs(3);

/// Milliseconds of frames.
#[derive(Default)]
struct Times {
    /// From one to the next.
    frames: Vec<f64>,
    /// In the window's code.
    own: Vec<f64>,
}

/// What is going on.
#[derive(Clone, Copy, PartialEq)]
enum Part {
    Empty,
    Opening,
    Still,
    Moving,
    Over,
}

struct Watched {
    app: App,
    picture: PathBuf,
    length: Duration,
    output: Option<PathBuf>,
    begun: Instant,
    first: Option<Duration>,
    last: Instant,
    part: Part,
    since: Instant,
    /// Of this frame, so far.
    own: Duration,
    empty: Times,
    still: Times,
    moving: Times,
}

impl Watched {
    /// Counts a frame, and decides what comes next.
    fn frame(&mut self, context: &Context, own: Duration) {
        let now = Instant::now();
        self.first.get_or_insert(now - self.begun);
        let frame = now - std::mem::replace(&mut self.last, now);
        context.request_repaint();
        let times = match self.part {
            Part::Empty => Some(&mut self.empty),
            Part::Still => Some(&mut self.still),
            Part::Moving => Some(&mut self.moving),
            _ => None,
        };
        if let Some(times) = times {
            times.frames.push(1000.0 * frame.as_secs_f64());
            times.own.push(1000.0 * own.as_secs_f64());
        }
        let since = now - self.since;
        let busy = self.app.is_busy();
        let Some(view) = &mut self.app.view else { return };
        let next = match self.part {
            Part::Empty if since > STILL => {
                self.app.queue.add([self.picture.clone()], false);
                Part::Opening
            }
            Part::Opening if view.picture().is_some() => {
                if view.zoom().is_some_and(|zoom| zoom != 1.0) {
                    println!("the picture is shown after {since:.2?}");
                    view.zoom_to_pixels();
                }
                if busy { Part::Opening } else { Part::Still }
            }
            Part::Still if since > STILL => {
                if let Some(folder) = self.output.take() {
                    self.app.settings.folder = Some(folder);
                    self.app.save();
                }
                Part::Moving
            }
            Part::Moving => {
                // Two seconds in one direction, two seconds back: there is always something new to compute.
                let way = if (since.as_secs() / 2).is_multiple_of(2) { 0.02 } else { -0.015 };
                view.pan_by(vec2(way, way));
                if since > self.length { Part::Over } else { Part::Moving }
            }
            same => same,
        };
        if next != self.part {
            (self.part, self.since) = (next, now);
            if next == Part::Over {
                self.report();
                context.send_viewport_cmd(ViewportCommand::Close);
            }
        }
    }

    fn report(&self) {
        println!("first frame after {:.0?}", self.first.unwrap_or_default());
        for (name, times) in
            [("an empty window", &self.empty), ("a still picture", &self.still), ("computing", &self.moving)]
        {
            let [frames, own] = [&times.frames, &times.own].map(|times| {
                let mut times = times.clone();
                times.sort_by(f64::total_cmp);
                let at = |share: f64| {
                    times.get(((times.len() as f64 - 1.0) * share) as usize).copied().unwrap_or(0.0)
                };
                format!("median {:.1} ms, 95% below {:.1} ms, longest {:.1} ms", at(0.5), at(0.95), at(1.0))
            });
            println!("{name}: {} frames, {frames}; the window's own code {own}", times.frames.len());
        }
        for entry in self.app.queue.entries() {
            println!("{}: {:?}", entry.name, entry.state);
        }
    }
}

impl eframe::App for Watched {
    fn logic(&mut self, context: &Context, frame: &mut eframe::Frame) {
        let begun = Instant::now();
        self.app.logic(context, frame);
        self.own = begun.elapsed();
    }

    fn ui(&mut self, ui: &mut Ui, frame: &mut eframe::Frame) {
        let begun = Instant::now();
        self.app.ui(ui, frame);
        self.frame(&ui.ctx().clone(), self.own + begun.elapsed());
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
            let now = Instant::now();
            Ok(Box::new(Watched {
                app,
                picture,
                length,
                output,
                begun,
                first: None,
                last: now,
                part: Part::Empty,
                since: now,
                own: Duration::ZERO,
                empty: Times::default(),
                still: Times::default(),
                moving: Times::default(),
            }))
        }),
    )?;
    Ok(())
}
