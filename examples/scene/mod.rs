//! What the examples' hosts render: it turns from frame to frame, and has edges for a network to sharpen.

use srcnn_gpu::wgpu;

/// A triangle over the whole target; its instance number is the frame's. Spokes, a ring and a grating, with edges
/// softened over one pixel.
const WGSL: &str = "
    struct Varying {
        @builtin(position) position: vec4<f32>,
        @location(0) at: vec2<f32>,
        @location(1) @interpolate(flat) frame: u32,
    }

    @vertex
    fn corner(@builtin(vertex_index) index: u32, @builtin(instance_index) frame: u32) -> Varying {
        let at = vec2(f32(index & 1u), f32(index >> 1u)) * 4.0 - 1.0;
        return Varying(vec4(at, 0.0, 1.0), at * vec2(16.0 / 9.0, 1.0), frame);
    }

    // 1 where the distance is negative, 0 where it is positive.
    fn fill(distance: f32) -> f32 {
        return clamp(0.5 - distance / fwidth(distance), 0.0, 1.0);
    }

    @fragment
    fn color(in: Varying) -> @location(0) vec4<f32> {
        let angle = atan2(in.at.y, in.at.x) + 0.1 * f32(in.frame);
        let radius = length(in.at);
        let spokes = fill(abs(sin(angle * 8.0)) * radius - 0.07) * fill(radius - 0.8);
        let ring = fill(abs(radius - 0.88) - 0.025);
        let grating = fill(sin(in.at.y * 90.0)) * fill(1.15 - abs(in.at.x));
        let sky = mix(vec3(0.95, 0.9, 0.8), vec3(0.3, 0.5, 0.75), in.at.y * 0.5 + 0.5);
        let ink = mix(vec3(0.1, 0.1, 0.3), vec3(0.8, 0.2, 0.1), ring);
        return vec4(mix(sky, ink, max(max(spokes, ring), grating)), 1.0);
    }";

/// Draws the scene to textures of a format.
pub struct Scene(wgpu::RenderPipeline);

impl Scene {
    /// Compiles the scene.
    pub fn new(device: &wgpu::Device, format: wgpu::TextureFormat) -> Self {
        let module = device.create_shader_module(wgpu::ShaderModuleDescriptor {
            label: Some("scene"),
            source: wgpu::ShaderSource::Wgsl(WGSL.into()),
        });
        Self(device.create_render_pipeline(&wgpu::RenderPipelineDescriptor {
            label: Some("scene"),
            layout: None,
            vertex: wgpu::VertexState {
                module: &module,
                entry_point: Some("corner"),
                compilation_options: Default::default(),
                buffers: &[],
            },
            primitive: Default::default(),
            depth_stencil: None,
            multisample: Default::default(),
            fragment: Some(wgpu::FragmentState {
                module: &module,
                entry_point: Some("color"),
                compilation_options: Default::default(),
                targets: &[Some(format.into())],
            }),
            multiview_mask: None,
            cache: None,
        }))
    }

    /// Draws a frame over the whole texture.
    pub fn draw(&self, encoder: &mut wgpu::CommandEncoder, texture: &wgpu::Texture, frame: u32) {
        let view = texture.create_view(&Default::default());
        let mut pass = encoder.begin_render_pass(&wgpu::RenderPassDescriptor {
            label: Some("scene"),
            color_attachments: &[Some(wgpu::RenderPassColorAttachment {
                view: &view,
                depth_slice: None,
                resolve_target: None,
                ops: wgpu::Operations::default(),
            })],
            ..Default::default()
        });
        pass.set_pipeline(&self.0);
        pass.draw(0..3, frame..frame + 1);
    }
}
