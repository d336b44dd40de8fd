//! Buffers that go from game to game, whichever thread has it.

use std::sync::Mutex;

/// What was made for one game and can serve for another. Else each game's megabyte of memory
/// would be asked of the system anew, which fills it with zeros first.
#[derive(Debug)]
pub(super) struct Spare<T>(Mutex<Vec<T>>);

impl<T> Default for Spare<T> {
    fn default() -> Spare<T> {
        Spare(Mutex::new(Vec::new()))
    }
}

impl<T> Spare<T> {
    /// One that was given back, with whatever is in it.
    pub(super) fn take(&self) -> Option<T> {
        self.0.lock().ok()?.pop()
    }

    pub(super) fn give_back(&self, spare: T) {
        if let Ok(mut list) = self.0.lock() {
            list.push(spare);
        }
    }
}
