//! Networks, size, format and quality.

use std::path::PathBuf;

use eframe::egui::{ComboBox, DragValue, Grid, Id, Slider, Ui};
use srcnn_gpu::jobs::Existing;

use crate::dialogs::{Dialogs, Purpose};
use crate::settings::{By, FORMATS, Network, Settings};

/// Quality to begin with when one is asked for.
const QUALITY: u8 = 95;
/// Factors that a click chooses.
const FACTORS: [f64; 4] = [1.0, 2.0, 3.0, 4.0];

/// The settings, between two lines of the panel.
pub fn settings(ui: &mut Ui, settings: &mut Settings, dialogs: &mut Dialogs) {
    Grid::new("settings").num_columns(2).spacing([8.0, 6.0]).show(ui, |ui| {
        let label = ui.label("Network").id;
        network(ui, label, &mut settings.network, dialogs);
        ui.end_row();
        let label = ui.label("Compare").id;
        second(ui, label, settings, dialogs);
        ui.end_row();
        let label = ui.label("Size").id;
        size(ui, label, settings);
        ui.end_row();
        let label = ui.label("Format").id;
        format(ui, label, settings);
        ui.end_row();
        let label = ui.label("Quality").id;
        quality(ui, label, settings);
        ui.end_row();
        let label = ui.label("Save to").id;
        folder(ui, label, &mut settings.folder, dialogs);
        ui.end_row();
        let label = ui.label("Existing").id;
        existing(ui, label, &mut settings.existing);
        ui.end_row();
    });
}

fn network(ui: &mut Ui, label: Id, chosen: &mut Network, dialogs: &mut Dialogs) {
    let combo = ComboBox::from_id_salt("network")
        .selected_text(chosen.name())
        .width(140.0)
        .truncate()
        .show_ui(ui, |ui| {
            for network in Network::built_in() {
                let name = network.name();
                ui.selectable_value(chosen, network, name);
            }
            if let Network::File(_) = chosen {
                let (network, name) = (chosen.clone(), chosen.name());
                ui.selectable_value(chosen, network, name);
            }
            if ui.button("File …").clicked() {
                dialogs.ask(Purpose::Network);
            }
        });
    combo.response.labelled_by(label);
}

/// The network to compare with, if there is one.
fn second(ui: &mut Ui, label: Id, settings: &mut Settings, dialogs: &mut Dialogs) {
    let name = settings.second.as_ref().map_or("none".into(), Network::name);
    let combo =
        ComboBox::from_id_salt("second").selected_text(name).width(140.0).truncate().show_ui(ui, |ui| {
            ui.selectable_value(&mut settings.second, None, "none");
            for network in Network::built_in() {
                let name = network.name();
                ui.selectable_value(&mut settings.second, Some(network), name);
            }
            if ui.button("File …").clicked() {
                dialogs.ask(Purpose::Second);
            }
        });
    combo.response.labelled_by(label);
}

fn size(ui: &mut Ui, label: Id, settings: &mut Settings) {
    ui.vertical(|ui| {
        ui.horizontal(|ui| {
            ui.selectable_value(&mut settings.by, By::Factor, "factor");
            ui.selectable_value(&mut settings.by, By::Width, "width");
            ui.selectable_value(&mut settings.by, By::Height, "height");
        });
        ui.horizontal(|ui| match settings.by {
            By::Factor => {
                for factor in FACTORS {
                    ui.selectable_value(&mut settings.factor, factor, format!("x{factor}"));
                }
                let value =
                    DragValue::new(&mut settings.factor).range(1.0..=1000.0).speed(0.01).max_decimals(3);
                ui.add(value)
                    .labelled_by(label)
                    .on_hover_text("Any factor; 1 removes the traces of JPEG files");
            }
            By::Width | By::Height => {
                let value = DragValue::new(&mut settings.side).range(1..=1 << 30).suffix(" pixels");
                ui.add(value).labelled_by(label);
            }
        });
    });
}

fn format(ui: &mut Ui, label: Id, settings: &mut Settings) {
    let name = settings.format.unwrap_or("as the picture");
    let combo = ComboBox::from_id_salt("format").selected_text(name).width(140.0).show_ui(ui, |ui| {
        ui.selectable_value(&mut settings.format, None, "as the picture");
        for format in FORMATS {
            ui.selectable_value(&mut settings.format, Some(format), format);
        }
    });
    combo.response.labelled_by(label);
}

fn quality(ui: &mut Ui, label: Id, settings: &mut Settings) {
    ui.add_enabled_ui(settings.has_quality(), |ui| {
        ui.horizontal(|ui| {
            let mut usual = settings.quality.is_none();
            if ui.checkbox(&mut usual, "usual").on_hover_text("95 for jpg; webp loses nothing").changed() {
                settings.quality = (!usual).then_some(QUALITY);
            }
            if let Some(quality) = &mut settings.quality {
                ui.spacing_mut().slider_width = 60.0;
                ui.add(Slider::new(quality, 1..=100)).labelled_by(label);
            }
        });
    });
}

fn folder(ui: &mut Ui, label: Id, folder: &mut Option<PathBuf>, dialogs: &mut Dialogs) {
    let name = match folder {
        Some(path) => path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned(),
        None => "beside the picture".into(),
    };
    let hover = folder.as_ref().map_or("beside the picture".into(), |path| path.display().to_string());
    let response =
        ComboBox::from_id_salt("folder").selected_text(name).width(140.0).truncate().show_ui(ui, |ui| {
            ui.selectable_value(folder, None, "beside the picture");
            if ui.button("Folder …").clicked() {
                dialogs.ask(Purpose::Folder);
            }
        });
    response.response.labelled_by(label).on_hover_text(hover);
}

fn existing(ui: &mut Ui, label: Id, existing: &mut Existing) {
    let names =
        [(Existing::Skip, "keep"), (Existing::Overwrite, "replace"), (Existing::Rename, "rename new")];
    let name = names.iter().find(|(what, _)| what == existing).map_or("keep", |(_, name)| name);
    let combo = ComboBox::from_id_salt("existing").selected_text(name).width(140.0).show_ui(ui, |ui| {
        for (what, name) in names {
            ui.selectable_value(existing, what, name);
        }
    });
    combo.response.labelled_by(label);
}
