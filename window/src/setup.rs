//! How the window and its device are opened.

use std::sync::Arc;

use eframe::egui::{IconData, ViewportBuilder};
use eframe::egui_wgpu::{SurfaceConfig, WgpuConfiguration, WgpuSetup, WgpuSetupCreateNew};
use eframe::wgpu;
use srcnn_gpu::Upscaler;

/// The smallest window in which everything has its place, in points.
const SMALLEST: [f32; 2] = [640.0, 400.0];
/// What it opens as.
const USUAL: [f32; 2] = [1200.0, 800.0];

/// A device that upscalers can use, with textures as large as it has.
pub fn setup() -> WgpuSetup {
    let mut setup = WgpuSetupCreateNew::without_display_handle();
    setup.device_descriptor = Arc::new(|adapter| wgpu::DeviceDescriptor {
        label: Some("window"),
        required_features: Upscaler::required_features(),
        required_limits: limits(adapter),
        ..Default::default()
    });
    WgpuSetup::CreateNew(setup)
}

/// eframe's options: the window and its device.
pub fn options() -> eframe::NativeOptions {
    let wgpu_options = WgpuConfiguration {
        // A step of the view goes into each frame, so that none waits behind another.
        surface: SurfaceConfig { desired_maximum_frame_latency: Some(1), ..SurfaceConfig::LOW_LATENCY },
        wgpu_setup: setup(),
        ..WgpuConfiguration::default()
    };
    let viewport = ViewportBuilder::default()
        .with_title("srcnn-gpu")
        .with_inner_size(USUAL)
        .with_min_inner_size(SMALLEST)
        .with_drag_and_drop(true)
        .with_icon(icon());
    eframe::NativeOptions { viewport, wgpu_options, ..eframe::NativeOptions::default() }
}

/// What upscalers need, and surfaces as large as the adapter allows.
fn limits(adapter: &wgpu::Adapter) -> wgpu::Limits {
    Upscaler::required_limits().using_resolution(adapter.limits())
}

/// Half of it coarse, half of it fine.
fn icon() -> IconData {
    const SIDE: u32 = 32;
    let texel = |x: u32, y: u32| {
        let cell = if x < SIDE / 2 { 8 } else { 2 };
        let light = if (x / cell + y / cell).is_multiple_of(2) { 230 } else { 60 };
        [light, light, 200, 255]
    };
    let rgba = (0..SIDE * SIDE).flat_map(|at| texel(at % SIDE, at / SIDE)).collect();
    IconData { rgba, width: SIDE, height: SIDE }
}
