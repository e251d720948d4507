//! Buffers and textures, and the copies between them and the host. Nothing here opens an error scope; callers open one
//! around everything that belongs together.

use wgpu::util::DeviceExt;

/// A buffer of `size` bytes.
pub(crate) fn buffer(
    device: &wgpu::Device,
    label: &str,
    size: u64,
    usage: wgpu::BufferUsages,
) -> wgpu::Buffer {
    device.create_buffer(&wgpu::BufferDescriptor {
        label: Some(label),
        size,
        usage,
        mapped_at_creation: false,
    })
}

/// A buffer that receives results from the device and is mapped by the host.
#[cfg(any(feature = "headless", feature = "train"))]
pub(crate) fn staging(device: &wgpu::Device, label: &str, size: u64) -> wgpu::Buffer {
    buffer(device, label, size, wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST)
}

/// A buffer whose contents never change.
pub(crate) fn constant(
    device: &wgpu::Device,
    label: &str,
    contents: &[u8],
    usage: wgpu::BufferUsages,
) -> wgpu::Buffer {
    device.create_buffer_init(&wgpu::util::BufferInitDescriptor { label: Some(label), contents, usage })
}

/// A texture with one mip level and `[width, height]` texels.
pub(crate) fn texture(
    device: &wgpu::Device,
    label: &str,
    [width, height]: [u32; 2],
    format: wgpu::TextureFormat,
    usage: wgpu::TextureUsages,
) -> wgpu::Texture {
    device.create_texture(&wgpu::TextureDescriptor {
        label: Some(label),
        size: wgpu::Extent3d { width, height, depth_or_array_layers: 1 },
        mip_level_count: 1,
        sample_count: 1,
        dimension: wgpu::TextureDimension::D2,
        format,
        usage,
        view_formats: &[],
    })
}

/// The view of a whole texture.
pub(crate) fn view(texture: &wgpu::Texture) -> wgpu::TextureView {
    texture.create_view(&wgpu::TextureViewDescriptor::default())
}

/// Binds one element of a buffer of equally spaced elements; a dynamic offset chooses which.
pub(crate) fn element_binding<T>(buffer: &wgpu::Buffer) -> wgpu::BindingResource<'_> {
    let size = std::num::NonZeroU64::new(size_of::<T>() as u64);
    wgpu::BindingResource::Buffer(wgpu::BufferBinding { buffer, offset: 0, size })
}

/// The contents of such a buffer, with each element at a multiple of [`DYNAMIC_SPACING`] bytes.
pub(crate) fn spaced<T: bytemuck::Pod>(elements: impl ExactSizeIterator<Item = T>) -> Vec<u8> {
    let mut bytes = vec![0; elements.len() * DYNAMIC_SPACING];
    for (slot, element) in bytes.chunks_exact_mut(DYNAMIC_SPACING).zip(elements) {
        slot[..size_of::<T>()].copy_from_slice(bytemuck::bytes_of(&element));
    }
    bytes
}

/// Spacing in bytes of elements chosen by dynamic offset: the largest alignment that a device may require.
pub(crate) const DYNAMIC_SPACING: usize = 256;

/// Uploads tightly packed rows of texels to the upper left corner of a texture.
pub(crate) fn upload(queue: &wgpu::Queue, texture: &wgpu::Texture, [width, height]: [u32; 2], texels: &[u8]) {
    let size = wgpu::Extent3d { width, height, depth_or_array_layers: 1 };
    let bytes_per_row = texels.len() as u32 / height.max(1);
    let layout =
        wgpu::TexelCopyBufferLayout { offset: 0, bytes_per_row: Some(bytes_per_row), rows_per_image: None };
    queue.write_texture(texture.as_image_copy(), texels, layout, size);
}

/// Bytes from one row to the next when rows of `columns` texels of `texel_bytes` each are copied to a buffer.
#[cfg(any(feature = "headless", feature = "train"))]
pub(crate) fn row_stride(columns: u32, texel_bytes: u32) -> u32 {
    (columns * texel_bytes).next_multiple_of(wgpu::COPY_BYTES_PER_ROW_ALIGNMENT)
}

/// Copies the upper left corner of a texture to the beginning of a buffer, in rows of `stride` bytes.
#[cfg(any(feature = "headless", feature = "train"))]
pub(crate) fn copy_texture(
    encoder: &mut wgpu::CommandEncoder,
    texture: &wgpu::Texture,
    [width, height]: [u32; 2],
    buffer: &wgpu::Buffer,
    stride: u32,
) {
    let layout = wgpu::TexelCopyBufferLayout { offset: 0, bytes_per_row: Some(stride), rows_per_image: None };
    let size = wgpu::Extent3d { width, height, depth_or_array_layers: 1 };
    encoder.copy_texture_to_buffer(
        texture.as_image_copy(),
        wgpu::TexelCopyBufferInfo { buffer, layout },
        size,
    );
}
