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

    /// As [`take`](Self::take), the smallest that has room for so much, or else the largest.
    ///
    /// If any went to any game, each of them would be as large as the longest game, sooner or later:
    /// the more games, the more memory.
    pub(super) fn take_for(&self, needed: usize, room: impl Fn(&T) -> usize) -> Option<T> {
        let mut list = self.0.lock().ok()?;
        let fit = |&place: &usize| match room(&list[place]) {
            room if room >= needed => (false, room),
            room => (true, usize::MAX - room),
        };
        let best = (0..list.len()).min_by_key(fit)?;
        Some(list.swap_remove(best))
    }

    pub(super) fn give_back(&self, spare: T) {
        if let Ok(mut list) = self.0.lock() {
            list.push(spare);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_game_gets_the_smallest_buffer_that_has_room_for_it_or_the_largest() {
        let spare = Spare::default();
        [30, 10, 20].into_iter().for_each(|room| spare.give_back(room));
        let take_for = |needed| spare.take_for(needed, |&room| room);
        assert_eq!(take_for(15), Some(20));
        assert_eq!(take_for(31), Some(30));
        assert_eq!(take_for(0), Some(10));
        assert_eq!(take_for(0), None);
    }
}
