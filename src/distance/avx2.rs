//! 256-bit integer SIMD for x86-64.
#![allow(unsafe_code)]

use core::arch::x86_64::{
    __m128i, __m256i, _MM_HINT_T1, _mm_add_epi32, _mm_and_si128, _mm_cvtsi32_si128, _mm_cvtsi128_si32,
    _mm_loadu_si128, _mm_prefetch, _mm_set1_epi8, _mm_shuffle_epi32, _mm_srli_epi16, _mm256_add_epi16,
    _mm256_add_epi32, _mm256_and_si256, _mm256_castsi256_ps, _mm256_castsi256_si128, _mm256_cmpgt_epi32,
    _mm256_cvtepi8_epi16, _mm256_cvtepu8_epi16, _mm256_extracti128_si256, _mm256_loadu_si256,
    _mm256_madd_epi16, _mm256_maddubs_epi16, _mm256_movemask_ps, _mm256_set1_epi8, _mm256_set1_epi16,
    _mm256_set1_epi32, _mm256_setzero_si256, _mm256_srl_epi16, _mm256_storeu_si256,
};

use super::{BLOCK, CodeQuery, Steps, scalar};

/// Proof that the CPU has AVX2.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Avx2(());

impl Avx2 {
    /// `None` where the CPU lacks AVX2.
    pub(super) fn new() -> Option<Self> {
        let has =
            std::arch::is_x86_feature_detected!("avx2") && std::arch::is_x86_feature_detected!("popcnt");
        has.then_some(Self(()))
    }

    #[inline]
    pub(super) fn dot(self, a: &[i8], b: &[i8]) -> i32 {
        // SAFETY: `self` exists only where `new` saw that the CPU has AVX2.
        unsafe { dot(a, b) }
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
    pub(super) fn dot_nibbles(self, query: &[i16], nibbles: &[u8]) -> i32 {
        // SAFETY: as in `dot`.
        unsafe { dot_nibbles(query, nibbles) }
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

#[target_feature(enable = "avx2")]
fn load16(from: &[u8; 16]) -> __m128i {
    // SAFETY: the array is 16 readable bytes, and the load needs no alignment.
    unsafe { _mm_loadu_si128(from.as_ptr().cast()) }
}

#[target_feature(enable = "avx2")]
fn widen(from: &[i8; 16]) -> __m256i {
    // SAFETY: as in `load16`.
    _mm256_cvtepi8_epi16(unsafe { _mm_loadu_si128(from.as_ptr().cast()) })
}

#[target_feature(enable = "avx2")]
fn load_i16(from: &[i16; 16]) -> __m256i {
    // SAFETY: the array is 32 readable bytes, and the load needs no alignment.
    unsafe { _mm256_loadu_si256(from.as_ptr().cast()) }
}

#[target_feature(enable = "avx2")]
fn load32(from: &[u8; 32]) -> __m256i {
    // SAFETY: as in `load_i16`.
    unsafe { _mm256_loadu_si256(from.as_ptr().cast()) }
}

#[target_feature(enable = "avx2")]
fn dot(a: &[i8], b: &[i8]) -> i32 {
    let mut sum = _mm256_setzero_si256();
    let (a, b) = even(a, b);
    let ((a_blocks, a_rest), (b_blocks, b_rest)) = (a.as_chunks::<16>(), b.as_chunks::<16>());
    for (x, y) in a_blocks.iter().zip(b_blocks) {
        // Widened to 16 bits, a product of two int8 and the sum of two such products fit 32 bits.
        sum = _mm256_add_epi32(sum, _mm256_madd_epi16(widen(x), widen(y)));
    }
    add_lanes(sum) + scalar::dot(a_rest, b_rest)
}

#[target_feature(enable = "avx2,popcnt")]
fn steps(tables: &[Steps], values: &[i32]) -> i64 {
    let mut sum = 0;
    for table in tables {
        let value = _mm256_set1_epi32(values.get(table.of).copied().unwrap_or(0));
        let exceeded = |thresholds: &[i32; 8]| {
            // SAFETY: the array is 32 readable bytes, and the load needs no alignment.
            let thresholds = unsafe { _mm256_loadu_si256(thresholds.as_ptr().cast()) };
            let lanes = _mm256_cmpgt_epi32(value, thresholds);
            _mm256_movemask_ps(_mm256_castsi256_ps(lanes)).count_ones() as usize
        };
        let step: usize = table.thresholds.as_chunks::<8>().0.iter().map(exceeded).sum();
        sum += i64::from(table.weight_at(step));
    }
    sum
}

#[inline]
#[target_feature(enable = "avx2")]
fn dot_wide(query: &[i16], row: &[i8]) -> i32 {
    let mut sum = _mm256_setzero_si256();
    let (query, row) = even(query, row);
    let ((q_blocks, q_rest), (blocks, rest)) = (query.as_chunks::<16>(), row.as_chunks::<16>());
    for (q, x) in q_blocks.iter().zip(blocks) {
        sum = _mm256_add_epi32(sum, _mm256_madd_epi16(load_i16(q), widen(x)));
    }
    add_lanes(sum).wrapping_add(scalar::dot_wide(q_rest, rest))
}

#[target_feature(enable = "avx2")]
fn dot_nibbles(query: &[i16], nibbles: &[u8]) -> i32 {
    let (blocks, _) = nibbles.as_chunks::<16>();
    let Some((low, high)) =
        query.split_at_checked(nibbles.len()).filter(|(_, high)| high.len() == nibbles.len())
    else {
        return scalar::dot_nibbles(query, nibbles);
    };
    let mask = _mm_set1_epi8(15);
    let mut sum = _mm256_setzero_si256();
    for ((bytes, low), high) in blocks.iter().zip(low.as_chunks::<16>().0).zip(high.as_chunks::<16>().0) {
        let bytes = load16(bytes);
        let lows = _mm256_cvtepu8_epi16(_mm_and_si128(bytes, mask));
        let highs = _mm256_cvtepu8_epi16(_mm_and_si128(_mm_srli_epi16::<4>(bytes), mask));
        sum = _mm256_add_epi32(sum, _mm256_madd_epi16(load_i16(low), lows));
        sum = _mm256_add_epi32(sum, _mm256_madd_epi16(load_i16(high), highs));
    }
    let done = 16 * blocks.len();
    let rest = |query: &[i16], shift: u32| {
        let pairs = query.iter().zip(nibbles).skip(done);
        pairs.fold(0i32, |sum, (q, byte)| sum.wrapping_add(i32::from(*q) * i32::from(byte >> shift & 15)))
    };
    add_lanes(sum).wrapping_add(rest(low, 0)).wrapping_add(rest(high, 4))
}

/// Both cut to the shorter length.
fn even<'a, A, B>(a: &'a [A], b: &'a [B]) -> (&'a [A], &'a [B]) {
    let length = a.len().min(b.len());
    (a.get(..length).unwrap_or(a), b.get(..length).unwrap_or(b))
}

#[target_feature(enable = "avx2")]
fn add_lanes(sum: __m256i) -> i32 {
    let sum = _mm_add_epi32(_mm256_castsi256_si128(sum), _mm256_extracti128_si256::<1>(sum));
    let sum = _mm_add_epi32(sum, _mm_shuffle_epi32::<0b01_00_11_10>(sum));
    let sum = _mm_add_epi32(sum, _mm_shuffle_epi32::<0b10_11_00_01>(sum));
    _mm_cvtsi128_si32(sum)
}

/// Groups of 64 bytes until 16-bit sums must be widened: 4 planes of at most 2 x 3 x 128 each, or 8 of 2 x 128.
const GROUPS: usize = 8;
const _: () = assert!(GROUPS * 4 * 2 * 3 * 128 <= i16::MAX as usize);
const _: () = assert!(GROUPS * 8 * 2 * 128 <= i16::MAX as usize);

#[target_feature(enable = "avx2")]
fn sum_block<const PLANES: usize>(codes: &[u8], query: &CodeQuery, sums: &mut [i32; BLOCK]) {
    let bits = 8 / PLANES;
    let (mask, ones) = (_mm256_set1_epi8((1 << bits) - 1), _mm256_set1_epi16(1));
    let (mut low, mut high) = (_mm256_setzero_si256(), _mm256_setzero_si256());
    let (groups, words) = (codes.as_chunks::<64>().0, query.words.as_chunks::<PLANES>().0);
    for (groups, words) in groups.chunks(GROUPS).zip(words.chunks(GROUPS)) {
        let (mut low16, mut high16) = (_mm256_setzero_si256(), _mm256_setzero_si256());
        for (group, words) in groups.iter().zip(words) {
            let (first, second) = group.split_at(32);
            let (Ok(first), Ok(second)) = (first.try_into(), second.try_into()) else { continue };
            let (first, second) = (load32(first), load32(second));
            for (plane, word) in words.iter().enumerate() {
                let (word, shift) = (_mm256_set1_epi32(*word), _mm_cvtsi32_si128((bits * plane) as i32));
                let plane = |bytes| _mm256_and_si256(_mm256_srl_epi16(bytes, shift), mask);
                low16 = _mm256_add_epi16(low16, _mm256_maddubs_epi16(plane(first), word));
                high16 = _mm256_add_epi16(high16, _mm256_maddubs_epi16(plane(second), word));
            }
        }
        low = _mm256_add_epi32(low, _mm256_madd_epi16(low16, ones));
        high = _mm256_add_epi32(high, _mm256_madd_epi16(high16, ones));
    }
    let (first, second) = sums.split_at_mut(8);
    // SAFETY: each half is 8 writable 32-bit values, and the store needs no alignment.
    unsafe {
        _mm256_storeu_si256(first.as_mut_ptr().cast(), low);
        _mm256_storeu_si256(second.as_mut_ptr().cast(), high);
    }
}

/// Asks for the cache lines of `memory`, into the second cache: the first one is small, and asks for few lines at a time.
/// Into the first one, searches of 1.2 million products took a fifth to a third more time.
#[inline]
pub(super) fn prefetch<T>(memory: &[T]) {
    let (start, bytes) = (memory.as_ptr().cast::<i8>(), size_of_val(memory));
    for at in (0..bytes).step_by(64) {
        // SAFETY: `at` is inside `memory`; a prefetch reads nothing that the program could see.
        unsafe { _mm_prefetch::<_MM_HINT_T1>(start.add(at)) }
    }
}
