//! 128-bit SIMD for 64-bit ARM.
#![allow(unsafe_code)]

use core::arch::aarch64::{
    int8x16_t, int16x8_t, int32x4_t, vaddvq_s32, vandq_u8, vdupq_n_s8, vdupq_n_s32, vdupq_n_u8, vget_high_s8,
    vget_low_s8, vget_low_s16, vld1q_s8, vld1q_s16, vld1q_u8, vmlal_high_s16, vmlal_s16, vmovl_s8,
    vmull_high_s8, vmull_s8, vpadalq_s16, vpaddq_s32, vreinterpretq_s8_s32, vreinterpretq_s8_u8, vshlq_u8,
    vst1q_s32,
};

use super::{BLOCK, CodeQuery, scalar};

/// Proof that the CPU has NEON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Neon(());

impl Neon {
    /// `None` where the CPU lacks NEON.
    pub(super) fn new() -> Option<Self> {
        std::arch::is_aarch64_feature_detected!("neon").then_some(Self(()))
    }

    #[inline]
    pub(super) fn dot(self, a: &[i8], b: &[i8]) -> i32 {
        // SAFETY: `self` exists only where `new` saw that the CPU has NEON.
        unsafe { dot(a, b) }
    }

    #[inline]
    pub(super) fn dot_wide(self, query: &[i16], row: &[i8]) -> i32 {
        // SAFETY: as in `dot`.
        unsafe { dot_wide(query, row) }
    }

    /// Few products come this far: plain Rust will do.
    #[inline]
    pub(super) fn dot_nibbles(self, query: &[i16], nibbles: &[u8]) -> i32 {
        scalar::dot_nibbles(query, nibbles)
    }

    #[inline]
    pub(super) fn scan_block(self, codes: &[u8], query: &CodeQuery, sums: &mut [i32; BLOCK]) {
        // SAFETY: as in `dot`.
        unsafe {
            if query.planes == 4 {
                sum_block::<4>(codes, query, sums)
            } else {
                sum_block::<8>(codes, query, sums)
            }
        }
    }
}

#[target_feature(enable = "neon")]
fn load_i8(from: &[i8; 16]) -> int8x16_t {
    // SAFETY: the array is 16 readable bytes, and the load needs no alignment.
    unsafe { vld1q_s8(from.as_ptr()) }
}

#[target_feature(enable = "neon")]
fn load_i16(from: &[i16]) -> int16x8_t {
    let mut eight = [0; 8];
    eight.iter_mut().zip(from).for_each(|(slot, value)| *slot = *value);
    // SAFETY: the array is 16 readable bytes, and the load needs no alignment.
    unsafe { vld1q_s16(eight.as_ptr()) }
}

#[target_feature(enable = "neon")]
fn dot(a: &[i8], b: &[i8]) -> i32 {
    let length = a.len().min(b.len());
    let (a, b) = (a.get(..length).unwrap_or(a), b.get(..length).unwrap_or(b));
    let ((a_blocks, a_rest), (b_blocks, b_rest)) = (a.as_chunks::<16>(), b.as_chunks::<16>());
    let mut sum = vdupq_n_s32(0);
    for (x, y) in a_blocks.iter().zip(b_blocks) {
        let (x, y) = (load_i8(x), load_i8(y));
        sum = vpadalq_s16(sum, vmull_s8(vget_low_s8(x), vget_low_s8(y)));
        sum = vpadalq_s16(sum, vmull_high_s8(x, y));
    }
    vaddvq_s32(sum) + scalar::dot(a_rest, b_rest)
}

#[inline]
#[target_feature(enable = "neon")]
fn dot_wide(query: &[i16], row: &[i8]) -> i32 {
    let length = query.len().min(row.len());
    let (query, row) = (query.get(..length).unwrap_or(query), row.get(..length).unwrap_or(row));
    let ((q_blocks, q_rest), (blocks, rest)) = (query.as_chunks::<16>(), row.as_chunks::<16>());
    let mut sum = vdupq_n_s32(0);
    for (q, x) in q_blocks.iter().zip(blocks) {
        let x = load_i8(x);
        let (first, second) = q.split_at(8);
        sum = multiply_add(sum, load_i16(first), vmovl_s8(vget_low_s8(x)));
        sum = multiply_add(sum, load_i16(second), vmovl_s8(vget_high_s8(x)));
    }
    vaddvq_s32(sum).wrapping_add(scalar::dot_wide(q_rest, rest))
}

#[target_feature(enable = "neon")]
fn multiply_add(sum: int32x4_t, a: int16x8_t, b: int16x8_t) -> int32x4_t {
    vmlal_high_s16(vmlal_s16(sum, vget_low_s16(a), vget_low_s16(b)), a, b)
}

#[target_feature(enable = "neon")]
fn sum_block<const PLANES: usize>(codes: &[u8], query: &CodeQuery, sums: &mut [i32; BLOCK]) {
    let bits = 8 / PLANES;
    let mask = vdupq_n_u8((1 << bits) - 1);
    // Four products a register; pairs of components until the end.
    let mut pairs = [[vdupq_n_s32(0); 2]; 4];
    for (group, words) in codes.as_chunks::<64>().0.iter().zip(query.words.as_chunks::<PLANES>().0) {
        for (bytes, pairs) in group.as_chunks::<16>().0.iter().zip(&mut pairs) {
            // SAFETY: the array is 16 readable bytes, and the load needs no alignment.
            let bytes = unsafe { vld1q_u8(bytes.as_ptr()) };
            for (plane, word) in words.iter().enumerate() {
                let shifted = vshlq_u8(bytes, vdupq_n_s8(-((bits * plane) as i8)));
                let plane = vreinterpretq_s8_u8(vandq_u8(shifted, mask));
                let word = vreinterpretq_s8_s32(vdupq_n_s32(*word));
                pairs[0] = vpadalq_s16(pairs[0], vmull_s8(vget_low_s8(plane), vget_low_s8(word)));
                pairs[1] = vpadalq_s16(pairs[1], vmull_high_s8(plane, word));
            }
        }
    }
    for (pairs, sums) in pairs.iter().zip(sums.as_chunks_mut::<4>().0) {
        // SAFETY: the array is 16 writable bytes, and the store needs no alignment.
        unsafe { vst1q_s32(sums.as_mut_ptr(), vpaddq_s32(pairs[0], pairs[1])) }
    }
}
