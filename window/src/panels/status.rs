//! The line at the bottom: the picture, the zoom, what is going on.

use eframe::egui::{Align, Layout, Ui};

/// What it says.
#[derive(Debug, Clone, Default)]
pub struct Status {
    /// The file that is being read.
    pub loading: Option<String>,
    /// Name, sizes before and after.
    pub picture: Option<String>,
    pub zoom: Option<f64>,
    /// Cells of the view that are there, of those that are seen.
    pub progress: Option<(usize, usize)>,
    pub device_bytes: u64,
    pub messages: usize,
}

/// Draws the line. Returns whether messages are to be shown or hidden, and whether help is.
pub fn status(ui: &mut Ui, status: &Status) -> (bool, bool) {
    let mut clicked = (false, false);
    ui.horizontal(|ui| {
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            clicked.1 = ui.small_button("Help (F1)").clicked();
            if status.messages > 0 {
                let text = format!("Messages: {}", status.messages);
                clicked.0 = ui.small_button(text).clicked();
            }
            ui.label(format!("{} MiB on the device", status.device_bytes >> 20));
            if let Some(zoom) = status.zoom {
                ui.label(format!("{:.0}%", 100.0 * zoom));
            }
            if let Some((done, all)) = status.progress {
                ui.label(format!("computing {done} of {all}"));
            }
            ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                let text = match (&status.loading, &status.picture) {
                    (Some(name), _) => format!("reading {name} …"),
                    (None, Some(picture)) => picture.clone(),
                    (None, None) => "no picture".into(),
                };
                ui.add(eframe::egui::Label::new(text).truncate());
            });
        });
    });
    clicked
}
