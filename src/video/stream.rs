//! A whole stream: one thread reads, the caller's drives the GPU, one writes; the queues between them are bounded, and
//! frames are reused, so that memory does not grow with the stream.

use std::io::{self, ErrorKind, Read, Write};
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};
use std::thread;

use super::upscaler::VideoUpscaler;
use super::y4m::{Frame, Reader, Writer};
use crate::error::{Error, Result};

/// Frames that wait between two threads.
const QUEUE: usize = 2;

/// How a stream ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outcome {
    /// Frames that were written.
    pub frames: u64,
    /// The reader of the output went away before the end.
    pub abandoned: bool,
}

/// Enlarges all frames of a stream. Calls `progress` with the number of frames done. Nothing is read any more after
/// a failure; a thread that waits for input then is left behind and ends with the process.
///
/// # Errors
/// [`Error::Picture`] for a stream that is broken or truncated, after its whole frames were written;
/// [`Error::Output`] when the output cannot be written to, other than that its reader went away; and those of
/// [`VideoUpscaler`], with the frame's number.
pub fn upscale<R: Read + Send + 'static>(
    mut input: Reader<R>,
    output: impl Write + Send + 'static,
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
            // The receiver is gone when the caller has given up.
            if read.send(message).is_err() || last {
                return;
            }
        }
    });
    let header = upscaler.header().clone();
    let (done, results) = sync_channel::<Frame>(QUEUE);
    let (reuse_result, free_results) = sync_channel::<Frame>(QUEUE + 2);
    let writing = thread::spawn(move || -> io::Result<()> {
        let mut writer = Writer::new(output, &header)?;
        for frame in results {
            writer.write(&frame)?;
            // Enough of them are there when the queue is full.
            let _ = reuse_result.try_send(frame);
        }
        Ok(())
    });
    let mut run = Run { frames, reuse, done, free_results, finished: 0 };
    let outcome = run.run(upscaler, progress);
    let finished = run.finished;
    // The writer ends when nothing more can come.
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

struct Run {
    frames: Receiver<Result<Frame>>,
    reuse: SyncSender<Frame>,
    done: SyncSender<Frame>,
    free_results: Receiver<Frame>,
    finished: u64,
}

impl Run {
    fn run(&mut self, upscaler: &mut VideoUpscaler, progress: &mut dyn FnMut(u64)) -> Result<()> {
        let mut end = Ok(());
        loop {
            let message = match upscaler.under_way() {
                0 => self.frames.recv().ok(),
                VideoUpscaler::DEPTH => {
                    if !self.deliver(upscaler, progress)? {
                        return Ok(());
                    }
                    continue;
                }
                // A result is not kept back for a frame that is late.
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
                    let number = self.finished + upscaler.under_way() as u64 + 1;
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
        while upscaler.under_way() > 0 && self.deliver(upscaler, progress)? {}
        end
    }

    /// Hands the oldest frame to the writer; `false` when that has ended.
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
        other => other,
    }
}
