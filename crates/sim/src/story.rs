//! What happened, in order: printed for a seed that failed.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use rabta_wire::Id;

use crate::time::Time;

/// The story of one world. Clones write to the same one.
#[derive(Clone)]
pub struct Story {
    time: Time,
    lines: Arc<Mutex<Vec<String>>>,
}

impl Story {
    pub fn new(time: Time) -> Self {
        Self { time, lines: Arc::default() }
    }

    pub fn tell(&self, what: fmt::Arguments<'_>) {
        let ms = self.time.now();
        let (hours, minutes, seconds) = (ms / 3_600_000, ms / 60_000 % 60, ms / 1_000 % 60);
        let line = format!("{hours:3}:{minutes:02}:{seconds:02}.{:03}  {what}", ms % 1_000);
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).push(line);
    }

    pub fn lines(&self) -> Vec<String> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Writes a line of the story.
macro_rules! tell {
    ($story:expr, $($words:tt)*) => { $story.tell(format_args!($($words)*)) };
}
pub(crate) use tell;

/// The first digits of an id: enough to follow it through a story.
pub fn short(id: Id) -> String {
    id.to_string().split('-').next().unwrap_or_default().to_owned()
}
