//! Bits in words of 64. A bit beyond the words is not set, and cannot be.

/// Whether a bit is set.
#[inline]
pub(super) fn has(words: &[u64], bit: usize) -> bool {
    words.get(bit / 64).is_some_and(|word| word >> (bit % 64) & 1 == 1)
}

/// Sets a bit.
#[inline]
pub(super) fn set(words: &mut [u64], bit: usize) {
    if let Some(word) = words.get_mut(bit / 64) {
        *word |= 1 << (bit % 64);
    }
}

/// Clears a bit.
pub(super) fn clear(words: &mut [u64], bit: usize) {
    if let Some(word) = words.get_mut(bit / 64) {
        *word &= !(1 << (bit % 64));
    }
}
