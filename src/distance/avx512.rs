//! 512-bit integer SIMD with dot-product instructions (VNNI) for x86-64.
#![allow(unsafe_code)]

use core::arch::x86_64::{
    __m512i, _mm_cvtsi32_si128, _mm_loadu_si128, _mm256_loadu_si256, _mm512_add_epi32, _mm512_and_si512,
    _mm512_cmpgt_epi32_mask, _mm512_cvtepi8_epi16, _mm512_cvtepu8_epi32, _mm512_dpbusd_epi32,
    _mm512_dpwssd_epi32, _mm512_loadu_si512, _mm512_mullo_epi32, _mm512_reduce_add_epi32, _mm512_set1_epi8,
    _mm512_set1_epi32, _mm512_setzero_si512, _mm512_sll_epi32, _mm512_slli_epi32, _mm512_sra_epi32,
    _mm512_storeu_si512, _mm512_sub_epi32, _mm512_xor_si512,
};

use super::avx2::Avx2;
use super::{BLOCK, CodeQuery, Rows, Run, Steps, scalar};

/// Proof that the CPU has AVX-512 with the byte, word and neural-network instructions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Avx512(Avx2);

impl Avx512 {
    /// `None` where the CPU lacks any of them.
    pub(super) fn new() -> Option<Self> {
        let has = std::arch::is_x86_feature_detected!("avx512f")
            && std::arch::is_x86_feature_detected!("avx512bw")
            && std::arch::is_x86_feature_detected!("avx512vnni")
            && std::arch::is_x86_feature_detected!("popcnt");
        Avx2::new().filter(|_| has).map(Self)
    }

    #[inline]
    pub(super) fn dot(self, a: &[i8], b: &[i8]) -> i32 {
        // SAFETY: `self` exists only where `new` saw that the CPU has these instructions.
        unsafe { dot(a, b) }
    }

    #[inline]
    pub(super) fn dots(self, row: &[i8], others: &Rows, out: &mut [i32]) {
        // SAFETY: as in `dot`.
        unsafe { dots(row, others, out) }
    }

    #[inline]
    pub(super) fn steps(self, tables: &[Steps], values: &[i32]) -> i64 {
        // SAFETY: as in `dot`.
        unsafe { steps(tables, values) }
    }

    #[inline]
    pub(super) fn dot_wide(self, query: &[i16], row: &[i8]) -> i32 {
        // SAFETY: as in `dot`.
        unsafe { dot_wide(query, row) }
    }

    #[inline]
    pub(super) fn dots_narrow(self, query: &[i8], rows: &[i8], out: &mut [i32]) {
        // SAFETY: as in `dot`.
        unsafe { dots_narrow(query, rows, out) }
    }

    #[inline]
    pub(super) fn dot_nibbles(self, query: &[i16], nibbles: &[u8]) -> i32 {
        self.0.dot_nibbles(query, nibbles)
    }

    #[inline]
    pub(super) fn scan(
        self,
        query: &CodeQuery,
        run: Run<'_>,
        scores: &mut [[i32; BLOCK]],
        better: &mut [u16],
    ) {
        // SAFETY: as in `dot`.
        unsafe { scan(query, run, scores, better) }
    }
}

#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
fn widen(from: &[i8; 32]) -> __m512i {
    // SAFETY: the array is 32 readable bytes, and the load needs no alignment.
    _mm512_cvtepi8_epi16(unsafe { _mm256_loadu_si256(from.as_ptr().cast()) })
}

#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
fn dot(a: &[i8], b: &[i8]) -> i32 {
    let length = a.len().min(b.len());
    let (a, b) = (a.get(..length).unwrap_or(a), b.get(..length).unwrap_or(b));
    let ((a_blocks, a_rest), (b_blocks, b_rest)) = (a.as_chunks::<32>(), b.as_chunks::<32>());
    let mut sum = _mm512_setzero_si512();
    for (x, y) in a_blocks.iter().zip(b_blocks) {
        sum = _mm512_dpwssd_epi32(sum, widen(x), widen(y));
    }
    _mm512_reduce_add_epi32(sum) + scalar::dot(a_rest, b_rest)
}

#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
fn load64(from: &[i8; 64]) -> __m512i {
    // SAFETY: the array is 64 readable bytes, and the load needs no alignment.
    unsafe { _mm512_loadu_si512(from.as_ptr().cast()) }
}

/// Sum of products of rows of one length, with 128 added to each of `raised`, as the instruction multiplies unsigned bytes with
/// signed ones: 128 times the sum of `other` more than their dot product.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
fn dot_raised(raised: &[i8], other: &[i8]) -> i32 {
    let ((x_blocks, x_rest), (y_blocks, y_rest)) = (raised.as_chunks::<64>(), other.as_chunks::<64>());
    let mut sum = _mm512_setzero_si512();
    for (x, y) in x_blocks.iter().zip(y_blocks) {
        let (x, y) = (load64(x), load64(y));
        sum = _mm512_dpbusd_epi32(sum, _mm512_xor_si512(x, _mm512_set1_epi8(i8::MIN)), y);
    }
    let rest = x_rest.iter().zip(y_rest).map(|(x, y)| (i32::from(*x) + 128) * i32::from(*y));
    _mm512_reduce_add_epi32(sum) + rest.sum::<i32>()
}

#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
fn dots(row: &[i8], others: &Rows, out: &mut [i32]) {
    for ((other, offset), out) in others.each().zip(out) {
        *out = dot_raised(row, other) - offset;
    }
}

#[target_feature(enable = "avx512f,avx512bw,avx512vnni,popcnt")]
fn steps(tables: &[Steps], values: &[i32]) -> i64 {
    let mut sum = 0;
    for table in tables {
        let value = _mm512_set1_epi32(values.get(table.of).copied().unwrap_or(0));
        // SAFETY: the array is 64 readable bytes, and the load needs no alignment.
        let thresholds = unsafe { _mm512_loadu_si512(table.thresholds.as_ptr().cast()) };
        let exceeded = _mm512_cmpgt_epi32_mask(value, thresholds).count_ones();
        sum += i64::from(table.weight_at(exceeded as usize));
    }
    sum
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
fn dot_wide(query: &[i16], row: &[i8]) -> i32 {
    let length = query.len().min(row.len());
    let (query, row) = (query.get(..length).unwrap_or(query), row.get(..length).unwrap_or(row));
    let ((q_blocks, q_rest), (blocks, rest)) = (query.as_chunks::<32>(), row.as_chunks::<32>());
    let mut sum = _mm512_setzero_si512();
    for (q, x) in q_blocks.iter().zip(blocks) {
        // SAFETY: the array is 64 readable bytes, and the load needs no alignment.
        let q = unsafe { _mm512_loadu_si512(q.as_ptr().cast()) };
        sum = _mm512_dpwssd_epi32(sum, q, widen(x));
    }
    _mm512_reduce_add_epi32(sum).wrapping_add(scalar::dot_wide(q_rest, rest))
}

#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
fn dots_narrow(query: &[i8], rows: &[i8], out: &mut [i32]) {
    let offset = 128 * query.iter().map(|value| i32::from(*value)).sum::<i32>();
    for (row, out) in rows.chunks_exact(query.len().max(1)).zip(out) {
        *out = dot_raised(row, query) - offset;
    }
}

/// Codes are multiplied where they are in their bytes, and sums are shifted once at the end: a byte times a component, 512 times,
/// is far below what a word holds.
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
fn sum_block<const PLANES: usize>(codes: &[u8], query: &CodeQuery) -> __m512i {
    let bits = 8 / PLANES;
    // One accumulator a plane, so that no instruction waits for the one before it.
    let (mut masks, mut sums) = ([_mm512_setzero_si512(); PLANES], [_mm512_setzero_si512(); PLANES]);
    for (plane, mask) in masks.iter_mut().enumerate() {
        *mask = _mm512_set1_epi8((((1 << bits) - 1) << (plane * bits)) as i8);
    }
    for (group, words) in codes.as_chunks::<64>().0.iter().zip(query.words.as_chunks::<PLANES>().0) {
        // SAFETY: the array is 64 readable bytes, and the load needs no alignment.
        let bytes = unsafe { _mm512_loadu_si512(group.as_ptr().cast()) };
        for ((sum, mask), word) in sums.iter_mut().zip(&masks).zip(words) {
            *sum = _mm512_dpbusd_epi32(*sum, _mm512_and_si512(bytes, *mask), _mm512_set1_epi32(*word));
        }
    }
    let mut all = _mm512_setzero_si512();
    for (plane, sum) in sums.iter().enumerate() {
        all = _mm512_add_epi32(all, _mm512_sra_epi32(*sum, _mm_cvtsi32_si128((plane * bits) as i32)));
    }
    all
}

#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
fn scan(query: &CodeQuery, run: Run<'_>, scores: &mut [[i32; BLOCK]], better: &mut [u16]) {
    let Some(bytes) = run.codes.len().checked_div(scores.len()).filter(|bytes| *bytes > 0) else { return };
    let (base, bar) = (_mm512_set1_epi32(run.base), _mm512_set1_epi32(run.bar));
    let (offset, shift) = (_mm512_set1_epi32(query.offset), _mm_cvtsi32_si128((query.shift & 31) as i32));
    let blocks = run.codes.chunks_exact(bytes).zip(run.steps);
    let by_pairs = query.planes == 4;
    for ((codes, steps), (scores, better)) in blocks.zip(scores.iter_mut().zip(better)) {
        // SAFETY: the array is 16 readable bytes, and the load needs no alignment.
        let steps = _mm512_cvtepu8_epi32(unsafe { _mm_loadu_si128(steps.as_ptr().cast()) });
        let sum = if by_pairs { sum_block::<4>(codes, query) } else { sum_block::<8>(codes, query) };
        let centred = _mm512_sub_epi32(_mm512_slli_epi32::<1>(sum), offset);
        let score = _mm512_add_epi32(base, _mm512_sll_epi32(_mm512_mullo_epi32(centred, steps), shift));
        // SAFETY: the array is 64 writable bytes, and the store needs no alignment.
        unsafe { _mm512_storeu_si512(scores.as_mut_ptr().cast(), score) };
        *better = _mm512_cmpgt_epi32_mask(score, bar);
    }
}
