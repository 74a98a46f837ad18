//! Plain Rust: the meaning of every other kernel. Sums wrap, as the SIMD ones do, so that damaged rows give equal nonsense.

use super::{BLOCK, CodeQuery, Steps};

/// Sum of products; of the shorter length where they differ.
pub(super) fn dot(a: &[i8], b: &[i8]) -> i32 {
    a.iter().zip(b).map(|(x, y)| i32::from(*x) * i32::from(*y)).sum()
}

/// As [`dot`], with a query of 16 bits.
pub(super) fn dot_wide(query: &[i16], row: &[i8]) -> i32 {
    query.iter().zip(row).fold(0, |sum, (x, y)| sum.wrapping_add(i32::from(*x) * i32::from(*y)))
}

/// Sum of products with unsigned nibbles: low nibbles are the first half of the components, high ones the second.
pub(super) fn dot_nibbles(query: &[i16], nibbles: &[u8]) -> i32 {
    let (low, high) = query.split_at_checked(nibbles.len()).unwrap_or((query, &[]));
    let low = low.iter().zip(nibbles).map(|(q, byte)| i32::from(*q) * i32::from(byte & 15));
    let high = high.iter().zip(nibbles).map(|(q, byte)| i32::from(*q) * i32::from(byte >> 4));
    low.chain(high).fold(0, i32::wrapping_add)
}

/// Scores one block of codes.
pub(super) fn scan_block(codes: &[u8], query: &CodeQuery, sums: &mut [i32; BLOCK]) {
    *sums = [0; BLOCK];
    let planes = query.planes.clamp(1, 8);
    let bits = 8 / planes;
    for (group, words) in codes.chunks_exact(4 * BLOCK).zip(query.words.chunks_exact(planes)) {
        for (lane, sum) in group.chunks_exact(4).zip(sums.iter_mut()) {
            for (plane, word) in words.iter().enumerate() {
                for (byte, value) in lane.iter().zip(word.to_le_bytes()) {
                    let code = i32::from(byte >> (bits * plane) & ((1 << bits) - 1));
                    *sum = sum.wrapping_add(code * i32::from(value as i8));
                }
            }
        }
    }
}

/// Sum of what tables say of the values that they look at.
pub(super) fn steps(tables: &[Steps], values: &[i32]) -> i64 {
    tables.iter().map(|table| i64::from(table.weight(values))).sum()
}
