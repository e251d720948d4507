//! Shared by the tests of video: streams, their frames, and the library on them.

use std::io::Write;
use std::sync::{Arc, Mutex};

use srcnn_gpu::Weights;
use srcnn_gpu::headless::HeadlessOptions;
use srcnn_gpu::video::y4m::{Frame, Reader, Writer};
use srcnn_gpu::video::{VideoUpscaler, upscale};

use super::{gpu, noise};

/// An output that can be inspected afterwards.
#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Vec<u8>>>);

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// A stream of frames of waves and noise, different in each plane and frame.
pub fn stream(parameters: &str, frames: u64) -> Vec<u8> {
    let line = format!("YUV4MPEG2 {parameters}\n");
    let first = Reader::new(line.as_bytes()).unwrap();
    let header = first.header();
    let format = header.format;
    let mut bytes = Vec::new();
    let mut writer = Writer::new(&mut bytes, header).unwrap();
    for number in 0..frames {
        let mut noise = noise(number + 1);
        let mut data = Vec::new();
        for plane in 0..format.planes() {
            let [columns, rows] = format.plane_size(plane, header.size());
            for (y, x) in (0..rows).flat_map(|y| (0..columns).map(move |x| (y, x))) {
                let wave = (x as f32 * 0.9 + y as f32 * 0.4 + number as f32 + plane as f32).sin();
                let value = 0.5 + 0.35 * wave + 0.1 * noise();
                let sample = (value * format.largest() as f32) as u16;
                data.extend(&sample.to_le_bytes()[..format.sample_bytes()]);
            }
        }
        writer.write(&Frame { parameters: String::new(), data }).unwrap();
    }
    bytes
}

/// All frames of a stream.
pub fn frames(stream: &[u8]) -> Vec<Frame> {
    let mut reader = Reader::new(stream).unwrap();
    let mut frames = vec![Frame::default()];
    while reader.read(frames.last_mut().unwrap()).unwrap() {
        frames.push(Frame::default());
    }
    frames.pop();
    frames
}

pub fn enlarged(stream: &[u8], weights: &Weights, options: HeadlessOptions, scale: f64) -> Vec<u8> {
    let reader = Reader::new(std::io::Cursor::new(stream.to_vec())).unwrap();
    let mut upscaler = VideoUpscaler::new(gpu(), weights, options, reader.header(), scale).unwrap();
    let output = Shared::default();
    let mut told = Vec::new();
    let outcome = upscale(reader, output.clone(), &mut upscaler, &mut |done| told.push(done)).unwrap();
    assert!(!outcome.abandoned);
    assert_eq!(told, (1..=outcome.frames).collect::<Vec<_>>());
    let bytes = output.0.lock().unwrap().clone();
    assert_eq!(frames(&bytes).len() as u64, outcome.frames);
    bytes
}
