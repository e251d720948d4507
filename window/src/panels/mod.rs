//! What is around the view: settings, the queue, the line at the bottom, messages and help.

mod help;
mod messages;
mod queue;
mod settings;
mod status;

pub use help::help;
pub use messages::messages;
pub use queue::{Action, queue};
pub use settings::settings;
pub use status::{Status, status};

use eframe::egui::{Ui, vec2};

/// A button as wide as it may be.
fn wide_button(ui: &mut Ui, enabled: bool, text: &str) -> bool {
    let size = vec2(ui.available_width(), 0.0);
    ui.add_enabled_ui(enabled, |ui| ui.add_sized(size, eframe::egui::Button::new(text)).clicked()).inner
}
