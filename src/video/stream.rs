//! A whole stream: one thread reads, the caller's drives the GPU, one writes. The queues between them are bounded and
//! frames are reused, so memory does not grow with the stream.

use std::io::{self, ErrorKind, Read, Write};
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};
use std::thread;

use super::upscaler::VideoUpscaler;
use super::y4m::{Frame, Reader, Writer};
use crate::error::{Error, Result};

/// Frames waiting between two threads.
const QUEUE: usize = 2;

/// How a stream ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outcome {
    /// Frames written.
    pub frames: u64,
    /// Whether the program reading the output closed it before the end.
    pub abandoned: bool,
}

/// Takes the frames of a stream, one after the other.
pub trait FrameSink {
    /// Takes the next frame.
    ///
    /// # Errors
    /// Those of what the frames are written to.
    fn write(&mut self, frame: &Frame) -> io::Result<()>;
}

impl<W: Write> FrameSink for Writer<W> {
    fn write(&mut self, frame: &Frame) -> io::Result<()> {
        Writer::write(self, frame)
    }
}

/// Enlarges all frames of a stream and writes them as YUV4MPEG2. Calls `progress` with the number of frames done. After
/// a failure nothing more is read; a reading thread that still waits for input is left behind and ends with the process.
///
/// # Errors
/// [`Error::Picture`] for a broken or truncated stream, after its complete frames have been written; [`Error::Output`]
/// when the output cannot be written, unless its reader closed it; and those of [`VideoUpscaler`], with the frame's
/// number.
pub fn upscale<R: Read + Send + 'static>(
    input: Reader<R>,
    output: impl Write + Send + 'static,
    upscaler: &mut VideoUpscaler,
    progress: &mut dyn FnMut(u64),
) -> Result<Outcome> {
    let header = upscaler.header().clone();
    upscale_to(input, move || Writer::new(output, &header), upscaler, progress)
}

/// As [`upscale`], to any sink, which `open` opens on the thread that writes.
///
/// # Errors
/// As [`upscale`].
pub fn upscale_to<R: Read + Send + 'static, S: FrameSink>(
    mut input: Reader<R>,
    open: impl FnOnce() -> io::Result<S> + Send + 'static,
    upscaler: &mut VideoUpscaler,
    progress: &mut dyn FnMut(u64),
) -> Result<Outcome> {
    let (read, frames) = sync_channel::<Result<Frame>>(QUEUE);
    let (reuse, free) = sync_channel::<Frame>(QUEUE + 2);
    thread::spawn(move || {
        loop {
            let mut frame = free.try_recv().unwrap_or_default();
            let message = match input.read(&mut frame) {
                Ok(true) => Ok(frame),
                Ok(false) => return,
                Err(error) => Err(error),
            };
            let last = message.is_err();
            // The receiver is gone if the caller gave up.
            if read.send(message).is_err() || last {
                return;
            }
        }
    });
    let (done, results) = sync_channel::<Frame>(QUEUE);
    let (reuse_result, free_results) = sync_channel::<Frame>(QUEUE + 2);
    let writing = thread::spawn(move || -> io::Result<()> {
        let mut writer = open()?;
        for frame in results {
            writer.write(&frame)?;
            // If the queue is full there are enough of them.
            let _ = reuse_result.try_send(frame);
        }
        Ok(())
    });
    let mut run = StreamLoop { frames, reuse, done, free_results, finished: 0 };
    let outcome = run.run(upscaler, progress);
    let finished = run.finished;
    // The writer ends when its sender is dropped.
    drop(run);
    let abandoned = match writing.join() {
        Ok(Ok(())) => false,
        Ok(Err(e)) if e.kind() == ErrorKind::BrokenPipe => true,
        Ok(Err(e)) => {
            return Err(Error::Output { path: "the video".into(), reason: crate::atomic::explained(e) });
        }
        Err(_) => return Err(Error::Output { path: "the video".into(), reason: "the writer failed".into() }),
    };
    outcome.map(|()| Outcome { frames: finished, abandoned })
}

struct StreamLoop {
    frames: Receiver<Result<Frame>>,
    reuse: SyncSender<Frame>,
    done: SyncSender<Frame>,
    free_results: Receiver<Frame>,
    finished: u64,
}

impl StreamLoop {
    fn run(&mut self, upscaler: &mut VideoUpscaler, progress: &mut dyn FnMut(u64)) -> Result<()> {
        let mut end = Ok(());
        loop {
            let message = match upscaler.in_flight() {
                0 => self.frames.recv().ok(),
                VideoUpscaler::DEPTH => {
                    if !self.deliver(upscaler, progress)? {
                        return Ok(());
                    }
                    continue;
                }
                // Do not hold back a result for a late frame.
                _ => match self.frames.try_recv() {
                    Ok(message) => Some(message),
                    Err(TryRecvError::Disconnected) => None,
                    Err(TryRecvError::Empty) => {
                        if !self.deliver(upscaler, progress)? {
                            return Ok(());
                        }
                        continue;
                    }
                },
            };
            match message {
                Some(Ok(frame)) => {
                    let number = self.finished + upscaler.in_flight() as u64 + 1;
                    upscaler.submit(&frame).map_err(|error| numbered(number, error))?;
                    let _ = self.reuse.try_send(frame);
                }
                Some(Err(error)) => {
                    end = Err(error);
                    break;
                }
                None => break,
            }
        }
        while upscaler.in_flight() > 0 && self.deliver(upscaler, progress)? {}
        end
    }

    /// Hands the oldest frame to the writer; `false` if the writer has ended.
    fn deliver(&mut self, upscaler: &mut VideoUpscaler, progress: &mut dyn FnMut(u64)) -> Result<bool> {
        let mut frame = self.free_results.try_recv().unwrap_or_default();
        upscaler.finish(&mut frame).map_err(|error| numbered(self.finished + 1, error))?;
        if self.done.send(frame).is_err() {
            return Ok(false);
        }
        self.finished += 1;
        progress(self.finished);
        Ok(true)
    }
}

fn numbered(frame: u64, error: Error) -> Error {
    match error {
        Error::Gpu(reason) => Error::Gpu(reason.within(format_args!("frame {frame}"))),
        Error::WrongResult(reason) => Error::WrongResult(reason.within(format_args!("frame {frame}"))),
        other => other,
    }
}
