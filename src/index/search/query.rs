//! A query vector in the forms that the stages of a search read.

use crate::distance::{CodeQuery, Kernel};
use crate::limits::DIM_MAX;

/// A query vector: 16 bits a component for whole rows, 8 for codes.
#[derive(Debug, Clone)]
pub(crate) struct Query {
    wide: [i16; DIM_MAX],
    dim: usize,
    pub(crate) codes: CodeQuery,
    /// 8 times the sum of the components: what the offset of the fine bits costs.
    fine_offset: i32,
}

impl Query {
    pub(crate) fn new() -> Self {
        let codes = CodeQuery { words: [0; DIM_MAX / 4], offset: 0, shift: 0 };
        Self { wide: [0; DIM_MAX], dim: 0, codes, fine_offset: 0 }
    }

    /// Takes an int8 row: its components are the codes' as they are.
    pub(crate) fn set_row(&mut self, row: &[i8]) {
        let row = row.get(..DIM_MAX).unwrap_or(row);
        self.dim = row.len();
        self.wide.iter_mut().zip(row).for_each(|(wide, value)| *wide = i16::from(*value));
        // Rows are whole words: see `DIM_STEP`.
        let bytes = row.as_chunks::<4>().0.iter().map(|four| four.map(|value| value as u8));
        self.codes.words.iter_mut().zip(bytes).for_each(|(word, bytes)| *word = i32::from_le_bytes(bytes));
        let sum: i32 = row.iter().map(|value| i32::from(*value)).sum();
        self.codes.offset = 3 * sum;
        self.codes.shift = 0;
        self.fine_offset = 8 * sum;
    }

    /// Takes components of up to 12 bits, at most [`DIM_MAX`].
    pub(crate) fn set(&mut self, components: impl Iterator<Item = i16>) {
        self.dim = 0;
        for (slot, value) in self.wide.iter_mut().zip(components) {
            *slot = value;
            self.dim += 1;
        }
        let most = self.wide().iter().map(|value| value.unsigned_abs()).max().unwrap_or(0);
        let shift = (u16::BITS - most.leading_zeros()).saturating_sub(7);
        let half = (1 << shift) >> 1;
        let narrow = |value: i16| ((i32::from(value) + half) >> shift).clamp(-127, 127) as i8;
        let (mut sum, mut wide_sum) = (0, 0);
        for (at, word) in self.codes.words.iter_mut().enumerate().take(self.dim.div_ceil(4)) {
            let mut bytes = [0; 4];
            for (byte, value) in bytes.iter_mut().zip(self.wide.get(4 * at..self.dim).unwrap_or(&[])) {
                let small = narrow(*value);
                *byte = small as u8;
                sum += i32::from(small);
                wide_sum += i32::from(*value);
            }
            *word = i32::from_le_bytes(bytes);
        }
        self.codes.offset = 3 * sum;
        self.codes.shift = shift;
        self.fine_offset = 8 * wide_sum;
    }

    pub(crate) fn wide(&self) -> &[i16] {
        self.wide.get(..self.dim).unwrap_or(&self.wide)
    }

    /// Dot product with a whole row; sixteen times that, and finer, where it has the fine bits.
    #[inline]
    pub(crate) fn exact(&self, kernel: Kernel, row: &[i8], fine: &[u8]) -> i32 {
        let dot = kernel.dot_wide(self.wide(), row);
        if fine.is_empty() {
            return dot;
        }
        let fine = kernel.dot_nibbles(self.wide(), fine).wrapping_sub(self.fine_offset);
        dot.wrapping_mul(16).wrapping_add(fine)
    }
}
