//! What the program and the library have to say, kept for the window: warnings, and errors in words.

use std::collections::VecDeque;
use std::sync::{Arc, OnceLock};

use log::{Level, LevelFilter, Log, Metadata, Record};
use parking_lot::Mutex;

/// Older messages are dropped.
const MOST: usize = 200;

/// A message, and how bad it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    pub level: Level,
    pub text: String,
}

/// The messages, which all threads may add to.
#[derive(Debug, Clone, Default)]
pub struct Messages(Arc<Mutex<VecDeque<Message>>>);

impl Messages {
    /// Those that the log of this process ends in.
    pub fn of_log() -> Self {
        static ALL: OnceLock<Messages> = OnceLock::new();
        ALL.get_or_init(|| {
            let messages = Self::default();
            // A test may have a log already.
            if log::set_boxed_logger(Box::new(Logger(messages.clone()))).is_ok() {
                log::set_max_level(LevelFilter::Warn);
            }
            messages
        })
        .clone()
    }

    pub fn add(&self, level: Level, text: impl Into<String>) {
        let mut messages = self.0.lock();
        if messages.len() == MOST {
            messages.pop_front();
        }
        messages.push_back(Message { level, text: text.into() });
    }

    /// The newest first.
    pub fn newest(&self) -> Vec<Message> {
        self.0.lock().iter().rev().cloned().collect()
    }

    pub fn len(&self) -> usize {
        self.0.lock().len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub fn clear(&self) {
        self.0.lock().clear();
    }
}

/// Puts what is logged into the messages: of the library, all warnings; of what is below, nothing that the user can help.
struct Logger(Messages);

impl Log for Logger {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.level() <= Level::Warn && metadata.target().starts_with("srcnn")
    }

    fn log(&self, record: &Record<'_>) {
        if self.enabled(record.metadata()) {
            self.0.add(record.level(), record.args().to_string());
        } else if record.level() == Level::Error {
            eprintln!("{}: {}", record.target(), record.args());
        }
    }

    fn flush(&self) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_stay() {
        let messages = Messages::default();
        for number in 0..MOST + 3 {
            messages.add(Level::Warn, number.to_string());
        }
        assert_eq!((messages.len(), messages.newest()[0].text.as_str()), (MOST, "202"));
        messages.clear();
        assert!(messages.is_empty());
    }
}
