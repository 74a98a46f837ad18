//! A query vector in the forms that the stages of a search read.

use crate::distance::{CodeQuery, Kernel};
use crate::index::format::code_bits;
use crate::limits::DIM_MAX;

/// A query vector: 16 bits a component for whole rows, 8 for codes and areas.
#[derive(Debug, Clone)]
pub(crate) struct Query {
    wide: [i16; DIM_MAX],
    /// The same divided by 2 to the power of `codes.shift`.
    narrow: [i8; DIM_MAX],
    dim: usize,
    pub(crate) codes: CodeQuery,
    /// 8 times the sum of the components: what the offset of the fine bits costs.
    fine_offset: i32,
}

impl Query {
    pub(crate) fn new() -> Self {
        let codes = CodeQuery { words: [0; DIM_MAX / 4], planes: 4, offset: 0, shift: 0 };
        Self { wide: [0; DIM_MAX], narrow: [0; DIM_MAX], dim: 0, codes, fine_offset: 0 }
    }

    /// Takes an int8 row: its components are the codes' as they are.
    pub(crate) fn set_row(&mut self, row: &[i8]) {
        self.dim = row.len().min(DIM_MAX);
        for ((wide, narrow), value) in self.wide.iter_mut().zip(&mut self.narrow).zip(row) {
            (*wide, *narrow) = (i16::from(*value), *value);
        }
        self.settle(0);
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
        for (slot, value) in self.narrow.iter_mut().zip(self.wide.get(..self.dim).unwrap_or(&[])) {
            *slot = narrow(*value);
        }
        self.settle(shift);
    }

    /// Makes what follows from the components.
    fn settle(&mut self, shift: u32) {
        // The last word may be longer than what was given.
        self.narrow.iter_mut().skip(self.dim).take(3).for_each(|value| *value = 0);
        let fours = self.narrow.as_chunks::<4>().0.iter().take(self.dim.div_ceil(4));
        for (word, four) in self.codes.words.iter_mut().zip(fours) {
            *word = i32::from_le_bytes(four.map(|value| value as u8));
        }
        let bits = code_bits(self.dim);
        self.codes.planes = 8 / bits;
        let sum: i32 = self.narrow().iter().map(|value| i32::from(*value)).sum();
        self.codes.offset = ((1 << bits) - 1) * sum;
        self.codes.shift = shift;
        self.fine_offset = 8 * self.wide().iter().map(|value| i32::from(*value)).sum::<i32>();
    }

    /// Dot product with each of the rows that follow each other in `rows`, as far as int8 components tell.
    pub(super) fn roughly(&self, kernel: Kernel, rows: &[i8], out: &mut [i32]) {
        kernel.dots_narrow(self.narrow(), rows, out);
        out.iter_mut().for_each(|dot| *dot = dot.wrapping_shl(self.codes.shift));
    }

    fn narrow(&self) -> &[i8] {
        self.narrow.get(..self.dim).unwrap_or(&self.narrow)
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
