//! A host with a window: each frame, a scene is rendered at a third of the window's size and upscaled straight into the
//! window's surface, in one command encoder. Nothing is copied, and no other texture of the window's size exists.
//!
//! `cargo run --release --manifest-path examples/window/Cargo.toml -- [FRAMES]`
//!
//! With a number, it closes after that many frames and says how long they took.

#[path = "../../scene/mod.rs"]
mod scene;

use std::error::Error;
use std::sync::Arc;
use std::time::Instant;

use scene::Scene;
use srcnn_gpu::{Shipped, TargetAccess, Upscaler, UpscalerOptions, wgpu};
use winit::application::ApplicationHandler;
use winit::dpi::{LogicalSize, PhysicalSize};
use winit::event::WindowEvent;
use winit::event_loop::{ActiveEventLoop, EventLoop};
use winit::window::{Window, WindowId};

type Result<T, E = Box<dyn Error>> = std::result::Result<T, E>;

/// The scene has this part of the window's columns and rows.
const SCALE: u32 = 3;
/// Format of the scene: 8 bits, gamma-encoded.
const FORMAT: wgpu::TextureFormat = wgpu::TextureFormat::Rgba8Unorm;

fn main() -> Result<()> {
    env_logger::init();
    let frames = std::env::args().nth(1).map(|frames| frames.parse()).transpose()?;
    let event_loop = EventLoop::new()?;
    let mut app = App { frames, host: None, outcome: Ok(()) };
    event_loop.run_app(&mut app)?;
    app.outcome
}

struct App {
    frames: Option<u32>,
    host: Option<Host>,
    outcome: Result<()>,
}

impl App {
    /// Ends the program if something went wrong.
    fn done(&mut self, event_loop: &ActiveEventLoop, outcome: Result<()>) {
        if outcome.is_err() {
            self.outcome = outcome;
            event_loop.exit();
        }
    }
}

impl ApplicationHandler for App {
    fn resumed(&mut self, event_loop: &ActiveEventLoop) {
        let host = Host::new(event_loop).map(|host| self.host = Some(host));
        self.done(event_loop, host);
    }

    fn window_event(&mut self, event_loop: &ActiveEventLoop, _: WindowId, event: WindowEvent) {
        let Some(host) = &mut self.host else { return };
        let outcome = match event {
            WindowEvent::CloseRequested => {
                event_loop.exit();
                Ok(())
            }
            WindowEvent::Resized(size) => host.resize(size),
            WindowEvent::RedrawRequested => host.frame(),
            _ => Ok(()),
        };
        if self.frames.is_some_and(|frames| host.frame >= frames) {
            println!(
                "{} frames of {:?} in {:.2?}",
                host.frame,
                host.window.inner_size(),
                host.begun.elapsed()
            );
            event_loop.exit();
        }
        self.done(event_loop, outcome);
    }
}

/// The window, the device, and what is drawn.
struct Host {
    window: Arc<Window>,
    surface: wgpu::Surface<'static>,
    config: wgpu::SurfaceConfiguration,
    device: wgpu::Device,
    queue: wgpu::Queue,
    upscaler: Upscaler,
    scene: Scene,
    rendered: wgpu::Texture,
    frame: u32,
    begun: Instant,
}

impl Host {
    fn new(event_loop: &ActiveEventLoop) -> Result<Self> {
        let attributes = Window::default_attributes().with_title("srcnn-gpu");
        let window =
            Arc::new(event_loop.create_window(attributes.with_inner_size(LogicalSize::new(960, 540)))?);
        let display = Box::new(event_loop.owned_display_handle());
        let instance =
            wgpu::Instance::new(wgpu::InstanceDescriptor::new_with_display_handle_from_env(display));
        let surface = instance.create_surface(Arc::clone(&window))?;
        let adapter = pollster::block_on(wgpu::util::initialize_adapter_from_env_or_default(
            &instance,
            Some(&surface),
        ))?;
        // Surfaces of large screens are larger than what the upscaler asks for.
        let limits = Upscaler::required_limits().using_resolution(adapter.limits());
        let (device, queue) = pollster::block_on(adapter.request_device(&wgpu::DeviceDescriptor {
            label: Some("host"),
            required_features: Upscaler::required_features(),
            required_limits: limits,
            ..Default::default()
        }))?;
        let PhysicalSize { width, height } = window.inner_size();
        let config = surface.get_default_config(&adapter, width.max(1), height.max(1));
        let config = config.ok_or("the adapter cannot draw to this window")?;
        println!("adapter: {}, surface: {:?}", adapter.get_info().name, config.format);

        // Surfaces are rendered to, whatever their format. Those of 16-bit floats want linear light.
        let options = UpscalerOptions::for_device(&device)
            .with_target_format(config.format)
            .with_target_access(TargetAccess::Render)
            .with_linear_target(config.format == wgpu::TextureFormat::Rgba16Float);
        let weights = Shipped::Small.nearest(f64::from(SCALE))?;
        let upscaler = Upscaler::new(&device, &queue, &weights, options)?;
        let scene = Scene::new(&device, FORMAT);
        let rendered = rendered(&device, &config);
        let begun = Instant::now();
        let mut host =
            Self { window, surface, config, device, queue, upscaler, scene, rendered, frame: 0, begun };
        host.resize(PhysicalSize::new(width, height))?;
        Ok(host)
    }

    /// Once a size.
    fn resize(&mut self, PhysicalSize { width, height }: PhysicalSize<u32>) -> Result<()> {
        // A minimized window.
        if width == 0 || height == 0 {
            return Ok(());
        }
        (self.config.width, self.config.height) = (width, height);
        self.surface.configure(&self.device, &self.config);
        self.rendered = rendered(&self.device, &self.config);
        // The scene may be a little more or less than a third: the result has exactly the window's size.
        self.upscaler.prepare((self.rendered.width(), self.rendered.height()), (width, height))?;
        self.window.request_redraw();
        Ok(())
    }

    /// Once a frame.
    fn frame(&mut self) -> Result<()> {
        use wgpu::CurrentSurfaceTexture as Current;
        let surface_texture = match self.surface.get_current_texture() {
            Current::Success(texture) => texture,
            // The next resize makes it fit.
            Current::Suboptimal(texture) => texture,
            Current::Outdated | Current::Lost => return self.resize(self.window.inner_size()),
            Current::Timeout | Current::Validation => {
                self.window.request_redraw();
                return Ok(());
            }
            // Drawn again when it is seen again.
            Current::Occluded => return Ok(()),
        };
        let mut encoder = self.device.create_command_encoder(&Default::default());
        self.scene.draw(&mut encoder, &self.rendered, self.frame);
        self.upscaler.record(&mut encoder, &self.rendered, &surface_texture.texture)?;
        self.queue.submit([encoder.finish()]);
        self.window.pre_present_notify();
        self.queue.present(surface_texture);
        self.frame += 1;
        self.window.request_redraw();
        Ok(())
    }
}

/// The texture that the scene is rendered to.
fn rendered(device: &wgpu::Device, config: &wgpu::SurfaceConfiguration) -> wgpu::Texture {
    device.create_texture(&wgpu::TextureDescriptor {
        label: Some("rendered"),
        size: wgpu::Extent3d {
            width: config.width.div_ceil(SCALE),
            height: config.height.div_ceil(SCALE),
            depth_or_array_layers: 1,
        },
        mip_level_count: 1,
        sample_count: 1,
        dimension: wgpu::TextureDimension::D2,
        format: FORMAT,
        usage: wgpu::TextureUsages::RENDER_ATTACHMENT | wgpu::TextureUsages::TEXTURE_BINDING,
        view_formats: &[],
    })
}
