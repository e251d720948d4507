//! Textures that hold what has been computed or uploaded for the view, in cells of one size. A page holds several cells;
//! pages come and go with what is seen.

use std::collections::HashMap;
use std::sync::Arc;

use eframe::egui::mutex::RwLock;
use eframe::egui::{Rect, TextureId, vec2};
use eframe::egui_wgpu::Renderer;
use eframe::wgpu;

/// Pixels of a cell on each side.
pub const CELL: u32 = 256;
/// Pixels around a cell that belong to its neighbors, so that smooth scaling has no seams.
pub const GUTTER: u32 = 1;
/// Pixels from one cell of a page to the next.
const PITCH: u32 = CELL + 2 * GUTTER;
/// Cells of a page on each side.
const ACROSS: u32 = 4;
/// Cells of a page.
const CELLS: usize = (ACROSS * ACROSS) as usize;
/// More pages than this are not made while there is a cell that is not seen.
const MOST: usize = 48;
/// Format of pages: what egui takes, and what upscalers store to.
pub const FORMAT: wgpu::TextureFormat = wgpu::TextureFormat::Rgba8Unorm;

/// What a cell shows: which picture of the view, and which cell of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Key {
    pub layer: Layer,
    pub column: u32,
    pub row: u32,
}

/// One of the pictures that the view is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Layer {
    /// The result of a method, by its number.
    Result(usize),
    /// The picture itself, halved so many times.
    Source(usize),
}

/// Where a cell lies.
#[derive(Debug)]
pub struct Cell {
    page: usize,
    slot: usize,
    /// Steps of the work that are recorded, of so many.
    pub done: usize,
    pub steps: usize,
    /// The frame in which it was last seen.
    seen: u64,
}

impl Cell {
    /// Whether all of it is there.
    pub fn is_complete(&self) -> bool {
        self.steps > 0 && self.done == self.steps
    }

    /// The texel of the page that is the cell's first pixel.
    pub fn texel(&self) -> (u32, u32) {
        let slot = self.slot as u32;
        (slot % ACROSS * PITCH + GUTTER, slot / ACROSS * PITCH + GUTTER)
    }
}

#[derive(Debug)]
struct Page {
    texture: wgpu::Texture,
    /// For smooth scaling, and for squares.
    ids: [TextureId; 2],
    used: [bool; CELLS],
}

/// All pages.
pub struct Pages {
    device: wgpu::Device,
    renderer: Arc<RwLock<Renderer>>,
    pages: Vec<Option<Page>>,
    cells: HashMap<Key, Cell>,
    frame: u64,
}

impl Pages {
    pub fn new(device: wgpu::Device, renderer: Arc<RwLock<Renderer>>) -> Self {
        Self { device, renderer, pages: Vec::new(), cells: HashMap::new(), frame: 0 }
    }

    /// Begins a frame: what is not asked for in it may give way.
    pub fn begin_frame(&mut self) {
        self.frame += 1;
    }

    /// The cell, if it has a place.
    pub fn see(&mut self, key: Key) -> Option<&Cell> {
        let cell = self.cells.get_mut(&key)?;
        cell.seen = self.frame;
        Some(cell)
    }

    /// Whether all of a cell is there.
    pub fn has(&self, key: Key) -> bool {
        self.cells.get(&key).is_some_and(Cell::is_complete)
    }

    /// The cell, which gets a place if it has none.
    pub fn claim(&mut self, key: Key) -> &mut Cell {
        let place = if self.cells.contains_key(&key) { (0, 0) } else { self.take_slot() };
        let (frame, (page, slot)) = (self.frame, place);
        let cell = self.cells.entry(key).or_insert(Cell { page, slot, done: 0, steps: 0, seen: frame });
        cell.seen = frame;
        cell
    }

    /// The texture that a cell lies in.
    pub fn texture(&self, key: Key) -> Option<&wgpu::Texture> {
        let page = self.cells.get(&key)?.page;
        self.pages.get(page)?.as_ref().map(|page| &page.texture)
    }

    /// What to draw for a part of a cell, in its pixels.
    pub fn image(&self, key: Key, part: Rect, smooth: bool) -> Option<(TextureId, Rect)> {
        let cell = self.cells.get(&key).filter(|cell| cell.is_complete())?;
        let page = self.pages.get(cell.page)?.as_ref()?;
        let (x, y) = cell.texel();
        let part = part.translate(vec2(x as f32, y as f32)) / (ACROSS * PITCH) as f32;
        Some((page.ids[usize::from(!smooth)], part))
    }

    /// A page and a slot of it, which now is in use.
    fn take_slot(&mut self) -> (usize, usize) {
        let (page, slot) = self.free_slot();
        if let Some(page) = &mut self.pages[page] {
            page.used[slot] = true;
        }
        (page, slot)
    }

    fn free_slot(&mut self) -> (usize, usize) {
        let free = |(number, page): (usize, &Option<Page>)| {
            let slot = page.as_ref()?.used.iter().position(|used| !used)?;
            Some((number, slot))
        };
        if let Some(place) = self.pages.iter().enumerate().find_map(free) {
            return place;
        }
        let oldest = self.cells.iter().min_by_key(|(_, cell)| cell.seen);
        if self.pages.iter().flatten().count() >= MOST
            && let Some((&key, cell)) = oldest
            && cell.seen < self.frame
        {
            let place = (cell.page, cell.slot);
            self.remove(key);
            return place;
        }
        let page = Some(self.new_page());
        match self.pages.iter().position(Option::is_none) {
            Some(number) => {
                self.pages[number] = page;
                (number, 0)
            }
            None => {
                self.pages.push(page);
                (self.pages.len() - 1, 0)
            }
        }
    }

    fn new_page(&self) -> Page {
        use wgpu::TextureUsages as Usage;
        let side = ACROSS * PITCH;
        let texture = self.device.create_texture(&wgpu::TextureDescriptor {
            label: Some("view.page"),
            size: wgpu::Extent3d { width: side, height: side, depth_or_array_layers: 1 },
            mip_level_count: 1,
            sample_count: 1,
            dimension: wgpu::TextureDimension::D2,
            format: FORMAT,
            usage: Usage::TEXTURE_BINDING | Usage::STORAGE_BINDING | Usage::COPY_DST | Usage::COPY_SRC,
            view_formats: &[],
        });
        let view = texture.create_view(&wgpu::TextureViewDescriptor::default());
        let mut renderer = self.renderer.write();
        let ids = [wgpu::FilterMode::Linear, wgpu::FilterMode::Nearest]
            .map(|filter| renderer.register_native_texture(&self.device, &view, filter));
        Page { texture, ids, used: [false; CELLS] }
    }

    fn remove(&mut self, key: Key) {
        if let Some(cell) = self.cells.remove(&key)
            && let Some(page) = &mut self.pages[cell.page]
        {
            page.used[cell.slot] = false;
        }
    }

    /// Forgets the cells of some layers, whose content is out of date.
    pub fn forget(&mut self, outdated: impl Fn(Layer) -> bool) {
        let keys: Vec<Key> = self.cells.keys().filter(|key| outdated(key.layer)).copied().collect();
        keys.into_iter().for_each(|key| self.remove(key));
        self.trim();
    }

    /// Gives back the pages that hold nothing.
    pub fn trim(&mut self) {
        let mut renderer = self.renderer.write();
        for page in &mut self.pages {
            if page.as_ref().is_some_and(|page| !page.used.contains(&true))
                && let Some(page) = page.take()
            {
                page.ids.iter().for_each(|id| renderer.free_texture(id));
            }
        }
    }

    /// Bytes of all pages on the device.
    pub fn bytes(&self) -> u64 {
        let side = u64::from(ACROSS * PITCH);
        self.pages.iter().flatten().count() as u64 * side * side * 4
    }
}
