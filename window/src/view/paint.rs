//! Drawing the view, and what the mouse does to it.

use eframe::egui::{
    self, Color32, CursorIcon, FontId, Id, Mesh, Painter, Rect, Sense, Shape, Stroke, TextureId, Ui,
    WidgetInfo, pos2, vec2,
};

use super::camera::{Camera, SQUARES};
use super::pages::{CELL, Key};
use super::{COMPARED, Section, TEXT, View};
use crate::picture::Picture;

/// Points of scrolling that double the size.
const DOUBLING: f32 = 240.0;
/// Width of what takes the mouse around a divider, in points.
const GRIP: f32 = 14.0;
/// What the pointer's wheel may do at once.
const LARGEST_STEP: f32 = 4.0;

impl View {
    /// The mouse: dragging moves, the wheel zooms, a double click switches between all and single pixels.
    pub(super) fn navigate(&mut self, ui: &Ui, area: Rect, camera: &mut Camera) {
        let scale = ui.pixels_per_point();
        let size = self.size.map(f64::from);
        let response = ui.interact(area, Id::unique("view"), Sense::click_and_drag());
        response.widget_info(|| WidgetInfo::labeled(egui::Role::Image, true, "Picture"));
        if response.dragged() {
            camera.pan(response.drag_delta() * scale, size);
        }
        if let Some(pointer) = response.hover_pos() {
            let (scroll, pinch) = ui.input(|input| (input.smooth_scroll_delta().y, input.zoom_delta()));
            let factor = pinch * (scroll / DOUBLING).exp2().clamp(1.0 / LARGEST_STEP, LARGEST_STEP);
            if factor != 1.0 {
                camera.zoom_at(self.rect, pointer * scale, f64::from(factor), size);
            }
        }
        if response.double_clicked()
            && let Some(pointer) = response.interact_pointer_pos()
        {
            let fitting = Camera::fitting(size, self.rect.size());
            if camera.zoom > fitting.zoom * 1.01 {
                *camera = fitting;
            } else {
                camera.zoom_at(self.rect, pointer * scale, 1.0 / camera.zoom, size);
                camera.zoom = 1.0;
            }
        }
        response.on_hover_and_drag_cursor(CursorIcon::Move);
    }

    /// The sliders between sections.
    pub(super) fn divide(&mut self, ui: &Ui, area: Rect) {
        for number in 0..self.dividers.len() {
            let x = area.left() + self.dividers[number] * area.width();
            let grip = Rect::from_center_size(pos2(x, area.center().y), vec2(GRIP, area.height()));
            let response =
                ui.interact(grip.intersect(area), Id::unique(("divider", number)), Sense::click_and_drag());
            let (place, name) = (f64::from(self.dividers[number]), format!("Divider {}", number + 1));
            response.widget_info(|| WidgetInfo::slider(true, place, &name));
            if response.dragged() && area.width() > 0.0 {
                self.move_divider(number, response.drag_delta().x / area.width());
            }
            let strong = response.hovered() || response.dragged() || response.has_focus();
            let painter = ui.painter_at(area);
            let x = area.left() + self.dividers[number] * area.width();
            let width = if strong { 3.0 } else { 2.0 };
            painter.vline(x, area.y_range(), Stroke::new(width + 2.0, Color32::from_black_alpha(110)));
            painter.vline(x, area.y_range(), Stroke::new(width, Color32::WHITE));
            let middle = pos2(x, area.center().y);
            painter.circle(middle, 11.0, Color32::from_black_alpha(170), Stroke::new(2.0, Color32::WHITE));
            for way in [-1.0, 1.0] {
                let corners = [(7.0, 0.0), (2.5, -4.0), (2.5, 4.0)].map(|(x, y)| middle + vec2(way * x, y));
                painter.add(Shape::convex_polygon(corners.to_vec(), Color32::WHITE, Stroke::NONE));
            }
            response.on_hover_and_drag_cursor(CursorIcon::ResizeHorizontal);
        }
    }

    /// All sections.
    pub(super) fn paint(&self, ui: &Ui, sections: &[Section], camera: &Camera, picture: &Picture) {
        let scale = ui.pixels_per_point();
        let smooth = camera.zoom < SQUARES && camera.zoom != 1.0;
        for section in sections {
            let clip = section.rect / scale;
            let painter = ui.painter_at(clip);
            let corner = |at: [f64; 2]| camera.to_screen(self.rect, at) / scale;
            let whole = section.keys().all(|key| self.pages.has(key));
            let is_behind = !whole || smooth || section.cells.iter().any(|cells| cells.is_empty());
            if let Some(overview) = self.overview.as_ref().filter(|_| is_behind) {
                let all = Rect::from_min_max(corner([0.0; 2]), corner(self.size.map(f64::from)));
                let whole = Rect::from_min_max(pos2(0.0, 0.0), pos2(1.0, 1.0));
                textured(&painter, overview.id(), all, whole);
            }
            for key in section.keys() {
                self.paint_cell(&painter, section, key, smooth, &corner);
            }
            self.label(&painter, clip, section, camera, picture);
        }
    }

    fn paint_cell(
        &self,
        painter: &Painter,
        section: &Section,
        key: Key,
        smooth: bool,
        corner: &dyn Fn([f64; 2]) -> egui::Pos2,
    ) {
        let start = [key.column, key.row].map(|cell| cell * CELL);
        let end: [u32; 2] = std::array::from_fn(|axis| (start[axis] + CELL).min(section.size[axis]));
        // Smooth scaling reads beyond a pixel's middle; at the picture's edges, where nothing is, the overview shows instead.
        let inset = |is_edge: bool| if smooth && is_edge { 0.5 } else { 0.0 };
        let first: [f64; 2] = std::array::from_fn(|axis| f64::from(start[axis]) + inset(start[axis] == 0));
        let last: [f64; 2] =
            std::array::from_fn(|axis| f64::from(end[axis]) - inset(end[axis] == section.size[axis]));
        let within =
            |at: [f64; 2]| pos2((at[0] - f64::from(start[0])) as f32, (at[1] - f64::from(start[1])) as f32);
        let part = Rect::from_min_max(within(first), within(last));
        let Some((texture, part)) = self.pages.image(key, part, smooth) else { return };
        // The last pixel of a halved picture may reach beyond the picture itself.
        let place = |at: [f64; 2]| {
            std::array::from_fn(|axis| (at[axis] * section.scale).min(f64::from(self.size[axis])))
        };
        let rect = Rect::from_min_max(corner(place(first)), corner(place(last)));
        textured(painter, texture, rect, part);
    }

    /// What a section shows.
    fn label(&self, painter: &Painter, clip: Rect, section: &Section, camera: &Camera, picture: &Picture) {
        let Some(shown) = self.methods.get(section.number) else { return };
        let text = match &shown.problem {
            Some(problem) => format!("{}: {problem}", shown.name),
            None if camera.zoom < COMPARED && section.number == 0 => {
                let (width, height) = picture.size();
                format!("The picture, {width}x{height}. Zoom in to compare (+)")
            }
            None if camera.zoom < COMPARED => shown.name.clone(),
            None if shown.upscaler.is_none() => format!("{}: being prepared", shown.name),
            None => shown.name.clone(),
        };
        let width = (clip.width() - 24.0).max(40.0);
        let galley = painter.layout(text, FontId::proportional(14.0), TEXT, width);
        let place = clip.left_top() + vec2(10.0, 8.0);
        let behind = Rect::from_min_size(place, galley.size()).expand2(vec2(6.0, 3.0));
        painter.rect_filled(behind, 4.0, Color32::from_black_alpha(170));
        painter.galley(place, galley, TEXT);
    }
}

/// A part of a texture, exactly where it belongs: egui's own images have soft edges, which show between cells.
fn textured(painter: &Painter, texture: TextureId, rect: Rect, part: Rect) {
    let mut mesh = Mesh::with_texture(texture);
    mesh.add_rect_with_uv(rect, part, Color32::WHITE);
    painter.add(mesh);
}
