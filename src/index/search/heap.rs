//! Scores and indices in one number, and the best of many.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Score and index in one comparable number: higher score first, then lower index.
#[inline]
pub(crate) fn key(score: i32, ix: u32) -> i64 {
    (i64::from(score) << 32) | i64::from(u32::MAX - ix)
}

/// The index of a [`key`].
#[inline]
pub(crate) fn key_ix(key: i64) -> u32 {
    u32::MAX - (key & 0xFFFF_FFFF) as u32
}

/// The score of a [`key`].
#[inline]
pub(crate) fn key_score(key: i64) -> i32 {
    (key >> 32) as i32
}

/// The best `limit` keys seen, in memory that was set aside once.
#[derive(Debug)]
pub(crate) struct Best {
    heap: BinaryHeap<Reverse<i64>>,
    limit: usize,
    most: usize,
}

impl Best {
    pub(crate) fn new(limit: usize) -> Self {
        Self { heap: BinaryHeap::with_capacity(limit), limit, most: limit }
    }

    pub(crate) fn clear(&mut self) {
        self.clear_to(self.most);
    }

    /// Empties it, and keeps at most `limit` keys from now on; never more than it was made for.
    pub(crate) fn clear_to(&mut self, limit: usize) {
        self.heap.clear();
        self.limit = limit.min(self.most);
    }

    /// Keeps `key` if it is among the best; says whether it did.
    #[inline]
    pub(crate) fn offer(&mut self, key: i64) -> bool {
        if self.heap.len() < self.limit {
            self.heap.push(Reverse(key));
            return true;
        }
        match self.heap.peek_mut() {
            Some(mut worst) if worst.0 < key => {
                *worst = Reverse(key);
                true
            }
            _ => false,
        }
    }

    /// The worst key kept, once full.
    #[inline]
    pub(crate) fn bar(&self) -> Option<i64> {
        (self.heap.len() == self.limit).then(|| self.heap.peek().map_or(i64::MIN, |worst| worst.0))
    }

    /// The keys kept, in no particular order.
    pub(crate) fn keys(&self) -> impl Iterator<Item = i64> + '_ {
        self.heap.iter().map(|key| key.0)
    }
}
