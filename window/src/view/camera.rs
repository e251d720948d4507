//! Where the view looks: which pixel of the result is in the middle, and how large pixels are.

use std::ops::Range;

use eframe::egui::{Pos2, Rect, Vec2, pos2};

/// Screen pixels of a result's pixel, at most.
const CLOSEST: f64 = 32.0;
/// From here on pixels are shown as squares, in screen pixels of a result's pixel.
pub const SQUARES: f64 = 3.0;

/// Place and zoom, in pixels of the result. Screen coordinates are physical pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Camera {
    /// Position in the result that is in the middle of the view.
    pub center: [f64; 2],
    /// Screen pixels of a result's pixel.
    pub zoom: f64,
}

impl Camera {
    /// Shows the whole of a result of this size, but no pixel larger than one of the screen.
    pub fn fitting(size: [f64; 2], view: Vec2) -> Self {
        let zoom = (f64::from(view.x) / size[0]).min(f64::from(view.y) / size[1]).min(1.0);
        Self { center: size.map(|side| side / 2.0), zoom: zoom.max(1e-6) }
    }

    /// Position on the screen of the result's pixel (0, 0), in whole pixels so that a zoom of 1 is exact.
    fn origin(&self, view: Rect) -> [f64; 2] {
        let middle = view.center();
        [(middle.x, self.center[0]), (middle.y, self.center[1])]
            .map(|(at, center)| (f64::from(at) - center * self.zoom).round())
    }

    /// Position on the screen of a position in the result.
    pub fn to_screen(self, view: Rect, at: [f64; 2]) -> Pos2 {
        let origin = self.origin(view);
        pos2((origin[0] + at[0] * self.zoom) as f32, (origin[1] + at[1] * self.zoom) as f32)
    }

    /// Position in the result of a position on the screen.
    pub fn to_result(self, view: Rect, at: Pos2) -> [f64; 2] {
        let origin = self.origin(view);
        [(f64::from(at.x) - origin[0]) / self.zoom, (f64::from(at.y) - origin[1]) / self.zoom]
    }

    /// Zooms by a factor; what is at `fixed` on the screen stays there.
    pub fn zoom_at(&mut self, view: Rect, fixed: Pos2, factor: f64, size: [f64; 2]) {
        let before = self.to_result(view, fixed);
        let least = Self::fitting(size, view.size()).zoom.min(1.0) / 2.0;
        self.zoom = (self.zoom * factor).clamp(least, CLOSEST);
        let middle = view.center();
        let off = [f64::from(fixed.x - middle.x), f64::from(fixed.y - middle.y)];
        self.center = [before[0] - off[0] / self.zoom, before[1] - off[1] / self.zoom];
        self.stay_within(size);
    }

    /// Moves the picture by screen pixels.
    pub fn pan(&mut self, by: Vec2, size: [f64; 2]) {
        self.center[0] -= f64::from(by.x) / self.zoom;
        self.center[1] -= f64::from(by.y) / self.zoom;
        self.stay_within(size);
    }

    /// The middle of the view stays on the picture.
    fn stay_within(&mut self, size: [f64; 2]) {
        for (center, side) in self.center.iter_mut().zip(size) {
            *center = center.clamp(0.0, side);
        }
    }

    /// The same look at a result of another size.
    pub fn scaled(&self, from: [f64; 2], to: [f64; 2]) -> Self {
        let factor = to[0] / from[0].max(1.0);
        let center = [self.center[0] * factor, self.center[1] * (to[1] / from[1].max(1.0))];
        Self { center, zoom: self.zoom / factor }
    }

    /// Columns and rows of a picture of `size` that a part of the view shows; a pixel of it has `scale` of the result's.
    pub fn visible(&self, view: Rect, part: Rect, scale: f64, size: [u32; 2]) -> [Range<u32>; 2] {
        let low = self.to_result(view, part.min).map(|at| at / scale);
        let high = self.to_result(view, part.max).map(|at| at / scale);
        std::array::from_fn(|axis| {
            let side = f64::from(size[axis]);
            let (start, end) = (low[axis].floor().clamp(0.0, side), high[axis].ceil().clamp(0.0, side));
            start as u32..(end as u32).max(start as u32)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use eframe::egui::vec2;

    const SIZE: [f64; 2] = [4000.0, 3000.0];

    fn view() -> Rect {
        Rect::from_min_size(pos2(300.0, 20.0), vec2(800.0, 600.0))
    }

    #[test]
    fn all_of_the_picture_fits() {
        let camera = Camera::fitting(SIZE, view().size());
        assert_eq!(camera.zoom, 0.2);
        assert_eq!(camera.to_screen(view(), [0.0, 0.0]), view().min);
        assert_eq!(camera.visible(view(), view(), 1.0, [4000, 3000]), [0..4000, 0..3000]);
        // Small pictures are not enlarged.
        assert_eq!(Camera::fitting([40.0, 30.0], view().size()).zoom, 1.0);
    }

    #[test]
    fn what_is_under_the_pointer_stays_there() {
        let mut camera = Camera::fitting(SIZE, view().size());
        let pointer = pos2(420.0, 400.0);
        let before = camera.to_result(view(), pointer);
        camera.zoom_at(view(), pointer, 4.0, SIZE);
        let after = camera.to_result(view(), pointer);
        // Up to the rounding to whole pixels of the screen.
        assert!(
            (0..2).all(|axis| (before[axis] - after[axis]).abs() <= 0.51 / camera.zoom),
            "{before:?} {after:?}"
        );
        for _ in 0..100 {
            camera.zoom_at(view(), pointer, 2.0, SIZE);
        }
        assert_eq!(camera.zoom, CLOSEST);
    }

    #[test]
    fn the_middle_stays_on_the_picture() {
        let mut camera = Camera { center: [2000.0, 1500.0], zoom: 1.0 };
        camera.pan(vec2(-1e6, 30.0), SIZE);
        assert_eq!(camera.center, [4000.0, 1470.0]);
        let [columns, rows] = camera.visible(view(), view(), 1.0, [4000, 3000]);
        assert_eq!((columns, rows), (3600..4000, 1170..1770));
        // The same place in a result twice as large.
        let twice = camera.scaled(SIZE, [8000.0, 6000.0]);
        assert_eq!((twice.center, twice.zoom), ([8000.0, 2940.0], 0.5));
    }
}
