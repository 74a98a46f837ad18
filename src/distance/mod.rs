//! Inner products over rows and codes, and sums over tables. All are of integers, so every instruction set gives the same bits.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
#[cfg(target_arch = "aarch64")]
mod neon;
mod scalar;
mod steps;

use crate::limits::DIM_MAX;

pub(crate) use steps::Steps;

/// Products whose codes are scanned together.
pub(crate) const BLOCK: usize = 16;

/// A query prepared for a scan of codes.
#[derive(Debug, Clone)]
pub(crate) struct CodeQuery {
    /// Four int8 components a word, the first one lowest, in the order of the components.
    pub(crate) words: [i32; DIM_MAX / 4],
    /// Codes of one component that lie in a byte: 4 of two bits, or 8 of one.
    pub(crate) planes: usize,
    /// The sum of the components, three times that for codes of two bits: what the codes' offset costs.
    pub(crate) offset: i32,
    /// Components were divided by 2 to this power.
    pub(crate) shift: u32,
}

/// What a scan of one run of blocks needs beside the codes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Run<'a> {
    /// In the layout of the file's `OutCodes`.
    pub(crate) codes: &'a [u8],
    /// Step of each product.
    pub(crate) steps: &'a [[u8; BLOCK]],
    /// Score of the cell itself.
    pub(crate) base: i32,
    /// Only what is better than this is reported.
    pub(crate) bar: i32,
}

/// Rows that many others are compared with, side by side, in memory that was set aside once.
#[derive(Debug)]
pub(crate) struct Rows {
    components: Vec<i8>,
    dim: usize,
    /// 128 times the sum of each row's components: what it costs to read another row as unsigned bytes.
    offsets: Vec<i32>,
}

impl Rows {
    /// Room for so many.
    pub(crate) fn with_capacity(rows: usize) -> Self {
        let components = Vec::with_capacity(rows * DIM_MAX);
        Self { components, dim: DIM_MAX, offsets: Vec::with_capacity(rows) }
    }

    /// Empties it, for rows of `dim` components.
    pub(crate) fn clear(&mut self, dim: usize) {
        self.components.clear();
        self.offsets.clear();
        self.dim = dim.clamp(1, DIM_MAX);
    }

    /// Adds a row, of zeros where it has not as many components as the others. Within capacity: the caller's to see to.
    pub(crate) fn push(&mut self, row: &[i8]) {
        if row.len() == self.dim {
            self.components.extend_from_slice(row);
        } else {
            self.components.resize(self.components.len() + self.dim, 0);
        }
        self.offsets.push(128 * row.iter().map(|value| i32::from(*value)).sum::<i32>());
    }

    fn each(&self) -> impl Iterator<Item = (&[i8], i32)> {
        self.components.chunks_exact(self.dim).zip(self.offsets.iter().copied())
    }
}

/// The fastest implementation that this CPU has. Chosen once, when an engine is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kernel {
    /// Plain Rust.
    Scalar,
    /// 256-bit integer SIMD.
    #[cfg(target_arch = "x86_64")]
    Avx2(avx2::Avx2),
    /// 512-bit integer SIMD with dot-product instructions.
    #[cfg(target_arch = "x86_64")]
    Avx512(avx512::Avx512),
    /// 128-bit SIMD of 64-bit ARM.
    #[cfg(target_arch = "aarch64")]
    Neon(neon::Neon),
}

macro_rules! dispatch {
    ($self:ident, $name:ident($($argument:expr),*)) => {
        match $self {
            Self::Scalar => scalar::$name($($argument),*),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2(kernel) => kernel.$name($($argument),*),
            #[cfg(target_arch = "x86_64")]
            Self::Avx512(kernel) => kernel.$name($($argument),*),
            #[cfg(target_arch = "aarch64")]
            Self::Neon(kernel) => kernel.$name($($argument),*),
        }
    };
}

impl Kernel {
    /// Asks the CPU.
    pub(crate) fn detect() -> Self {
        Self::available().last().copied().unwrap_or(Self::Scalar)
    }

    /// All that this CPU has, slowest first.
    pub(crate) fn available() -> Vec<Self> {
        let mut all = vec![Self::Scalar];
        #[cfg(target_arch = "x86_64")]
        {
            all.extend(avx2::Avx2::new().map(Self::Avx2));
            all.extend(avx512::Avx512::new().map(Self::Avx512));
        }
        #[cfg(target_arch = "aarch64")]
        all.extend(neon::Neon::new().map(Self::Neon));
        all
    }

    /// Sum of products of two rows; of the shorter length where they differ.
    #[inline]
    pub(crate) fn dot(self, a: &[i8], b: &[i8]) -> i32 {
        dispatch!(self, dot(a, b))
    }

    /// [`Self::dot`] of a row with each of others, into `out`; of the fewer where numbers differ.
    #[inline]
    pub(crate) fn dots(self, row: &[i8], others: &Rows, out: &mut [i32]) {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Avx512(kernel) if row.len() == others.dim => kernel.dots(row, others, out),
            _ => others.each().zip(out).for_each(|((other, _), out)| *out = self.dot(row, other)),
        }
    }

    /// Sum of what tables of steps say of the values that they look at.
    #[inline]
    pub(crate) fn steps(self, tables: &[Steps], values: &[i32]) -> i64 {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Avx2(kernel) => kernel.steps(tables, values),
            #[cfg(target_arch = "x86_64")]
            Self::Avx512(kernel) => kernel.steps(tables, values),
            _ => scalar::steps(tables, values),
        }
    }

    /// As [`Self::dot`], with a query of 16 bits.
    #[inline]
    pub(crate) fn dot_wide(self, query: &[i16], row: &[i8]) -> i32 {
        dispatch!(self, dot_wide(query, row))
    }

    /// [`Self::dot`] with each of the rows that follow each other in `rows`, into `out`; of the fewer where numbers differ.
    #[inline]
    pub(crate) fn dots_narrow(self, query: &[i8], rows: &[i8], out: &mut [i32]) {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Avx512(kernel) => kernel.dots_narrow(query, rows, out),
            _ => {
                let rows = rows.chunks_exact(query.len().max(1));
                rows.zip(out).for_each(|(row, out)| *out = self.dot(query, row));
            }
        }
    }

    /// Sum of products with unsigned nibbles: low nibbles are the first half of the components, high ones the second.
    #[inline]
    pub(crate) fn dot_nibbles(self, query: &[i16], nibbles: &[u8]) -> i32 {
        dispatch!(self, dot_nibbles(query, nibbles))
    }

    /// Scores a run of blocks: `base + (2 * codes * query - offset) * step << shift`, into `scores`, and into `better` one bit
    /// for each product whose score is above the bar. Of the shortest where lengths differ.
    #[inline]
    pub(crate) fn scan(
        self,
        query: &CodeQuery,
        run: Run<'_>,
        scores: &mut [[i32; BLOCK]],
        better: &mut [u16],
    ) {
        match self {
            Self::Scalar => {
                let each = |codes: &[u8], sums: &mut [i32; BLOCK]| scalar::scan_block(codes, query, sums);
                scan_by_block(query, run, scores, better, each);
            }
            #[cfg(target_arch = "x86_64")]
            Self::Avx2(kernel) => {
                let each = |codes: &[u8], sums: &mut [i32; BLOCK]| kernel.scan_block(codes, query, sums);
                scan_by_block(query, run, scores, better, each);
            }
            #[cfg(target_arch = "x86_64")]
            Self::Avx512(kernel) => kernel.scan(query, run, scores, better),
            #[cfg(target_arch = "aarch64")]
            Self::Neon(kernel) => {
                let each = |codes: &[u8], sums: &mut [i32; BLOCK]| kernel.scan_block(codes, query, sums);
                scan_by_block(query, run, scores, better, each);
            }
        }
    }

    /// The name that `inspect` prints.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Scalar => "scalar",
            #[cfg(target_arch = "x86_64")]
            Self::Avx2(_) => "avx2",
            #[cfg(target_arch = "x86_64")]
            Self::Avx512(_) => "avx512",
            #[cfg(target_arch = "aarch64")]
            Self::Neon(_) => "neon",
        }
    }
}

/// Asks for memory that will be read soon. A hint: without effect where the CPU has none.
#[inline]
pub(crate) fn prefetch<T>(memory: &[T]) {
    #[cfg(target_arch = "x86_64")]
    avx2::prefetch(memory);
    #[cfg(not(target_arch = "x86_64"))]
    let _ = memory;
}

/// Asks for one element, where there is one.
#[inline]
pub(crate) fn prefetch_at<T>(all: &[T], at: usize) {
    prefetch(all.get(at..=at).unwrap_or(&[]));
}

/// Blocks, their steps, and where their results go.
fn scan_by_block(
    query: &CodeQuery,
    run: Run<'_>,
    scores: &mut [[i32; BLOCK]],
    better: &mut [u16],
    sum_block: impl Fn(&[u8], &mut [i32; BLOCK]),
) {
    let Some(bytes) = run.codes.len().checked_div(scores.len()).filter(|bytes| *bytes > 0) else { return };
    let blocks = run.codes.chunks_exact(bytes).zip(run.steps);
    for ((codes, steps), (scores, better)) in blocks.zip(scores.iter_mut().zip(better)) {
        sum_block(codes, scores);
        *better = 0;
        for (lane, (score, step)) in scores.iter_mut().zip(steps).enumerate() {
            let centred = score.wrapping_mul(2).wrapping_sub(query.offset);
            let scaled = centred.wrapping_mul((*step).into()).wrapping_shl(query.shift);
            *score = run.base.wrapping_add(scaled);
            *better |= u16::from(*score > run.bar) << lane;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pseudo-random bytes.
    fn noise(count: usize, seed: u32) -> Vec<u8> {
        (0..count as u32).map(|i| ((i ^ seed).wrapping_mul(2_654_435_761) >> 24) as u8).collect()
    }

    fn signed(bytes: &[u8]) -> Vec<i8> {
        bytes.iter().map(|b| *b as i8).collect()
    }

    #[test]
    fn no_level_that_this_cpu_has_is_left_out() {
        let names: Vec<&str> = Kernel::available().iter().map(|k| k.name()).collect();
        #[cfg(target_arch = "x86_64")]
        {
            assert_eq!(names.contains(&"avx2"), std::arch::is_x86_feature_detected!("avx2"));
            let vnni = std::arch::is_x86_feature_detected!("avx512vnni")
                && std::arch::is_x86_feature_detected!("avx512bw");
            assert_eq!(names.contains(&"avx512"), vnni);
        }
        #[cfg(target_arch = "aarch64")]
        assert!(names.contains(&"neon"), "{names:?}");
        assert_eq!(names.first(), Some(&"scalar"));
    }

    #[test]
    fn every_kernel_equals_scalar_at_every_length_and_alignment() {
        let values = signed(&noise(1200, 0));
        let wide: Vec<i16> = noise(600, 7).iter().map(|v| i16::from(*v) * 16 - 2040).collect();
        for kernel in Kernel::available() {
            for length in 0..=256 {
                for skew in 0..32 {
                    let (a, b) = (&values[skew..skew + length], &values[300 - skew..300 - skew + length]);
                    let plain: i32 = a.iter().zip(b).map(|(x, y)| i32::from(*x) * i32::from(*y)).sum();
                    assert_eq!(kernel.dot(a, b), plain, "{}, length {length}, skew {skew}", kernel.name());
                    let q = &wide[skew..skew + length];
                    let (found, plain) = (kernel.dot_wide(q, a), scalar::dot_wide(q, a));
                    assert_eq!(found, plain, "{}, wide, length {length}, skew {skew}", kernel.name());
                }
            }
            for dim in [0, 1, 16, 64, 100, 128] {
                let (q, mut found) = (&values[500..500 + dim], [7; 5]);
                kernel.dots_narrow(q, &values[..3 * dim + dim / 2], &mut found);
                let plain = |at: usize| scalar::dot(q, &values[at * dim..(at + 1) * dim]);
                let plain: Vec<i32> =
                    (0..5).map(|at| if at < 3 && dim > 0 { plain(at) } else { 7 }).collect();
                assert_eq!(found[..], plain, "{}, rows of {dim}", kernel.name());
            }
            for (dim, count) in [(1, 3), (64, 1), (100, 2), (128, 0), (128, 5), (512, 3)] {
                let mut rows = Rows::with_capacity(count);
                rows.clear(dim);
                let row_at = |at: usize| &values[at * 7..at * 7 + dim];
                (0..count).for_each(|at| rows.push(row_at(at)));
                for row in [&values[50..50 + dim], &[-128; 512][..dim], &values[..dim / 2]] {
                    let mut found = [7; 4];
                    kernel.dots(row, &rows, &mut found);
                    let plain = |at| if at < count { scalar::dot(row, row_at(at)) } else { 7 };
                    assert_eq!(found, std::array::from_fn(plain), "{}, {count} of {dim}", kernel.name());
                }
            }
            for half in 0..=256 {
                let (nibbles, q) = (noise(half, 9), &wide[..2 * half]);
                let (found, plain) = (kernel.dot_nibbles(q, &nibbles), scalar::dot_nibbles(q, &nibbles));
                assert_eq!(found, plain, "{}, nibbles, {half} bytes", kernel.name());
            }
        }
    }

    #[test]
    fn every_kernel_scans_as_scalar_does() {
        let mut words = [0; DIM_MAX / 4];
        for (word, bytes) in words.iter_mut().zip(noise(DIM_MAX, 3).as_chunks::<4>().0) {
            *word = i32::from_le_bytes(*bytes);
        }
        let sizes = [(64, 1), (64, 3), (128, 2), (320, 5), (512, 1)];
        for ((dim, blocks), planes) in sizes.into_iter().flat_map(|size| [(size, 4), (size, 8)]) {
            let query = CodeQuery { words, planes, offset: 77, shift: (dim / 64) as u32 };
            let (codes, steps) = (noise(16 * dim / planes * blocks, 5), noise(BLOCK * blocks, 11));
            let run = Run { codes: &codes, steps: steps.as_chunks().0, base: -5000, bar: 100_000 };
            let scan = |kernel: Kernel| {
                let (mut scores, mut better) = (vec![[0; BLOCK]; blocks], vec![0; blocks]);
                kernel.scan(&query, run, &mut scores, &mut better);
                (scores, better)
            };
            let plain = scan(Kernel::Scalar);
            assert!(plain.1.iter().any(|b| *b != 0 && *b != u16::MAX), "the bar must divide: {plain:?}");
            for kernel in Kernel::available() {
                assert_eq!(
                    scan(kernel),
                    plain,
                    "{}, {dim} components in {planes} planes, {blocks} blocks",
                    kernel.name()
                );
            }
        }
    }

    #[test]
    fn the_extremes_do_not_overflow() {
        let low = [-128i8; 512];
        let words = [i32::from_le_bytes([0x80; 4]); DIM_MAX / 4];
        let query = CodeQuery { words, planes: 4, offset: 0, shift: 0 };
        let run = Run { codes: &[0xFF; 4 * 512], steps: &[[1; BLOCK]], base: 0, bar: 0 };
        for kernel in Kernel::available() {
            assert_eq!(kernel.dot(&low, &low), 512 * 128 * 128, "{}", kernel.name());
            let mut dots = [0];
            kernel.dots_narrow(&low, &low, &mut dots);
            assert_eq!(dots, [512 * 128 * 128], "{}", kernel.name());
            let (mut scores, mut better) = ([[0; BLOCK]], [0]);
            kernel.scan(&query, run, &mut scores, &mut better);
            assert_eq!(scores[0], [2 * 3 * -128 * 512; BLOCK], "{}", kernel.name());
        }
    }

    #[test]
    fn mismatched_lengths_are_no_fault() {
        let query = CodeQuery { words: [1; DIM_MAX / 4], planes: 4, offset: 0, shift: 0 };
        for kernel in Kernel::available() {
            for (codes, steps, blocks) in [(0, 16, 1), (256, 0, 1), (100, 16, 1), (256, 16, 0), (512, 16, 2)]
            {
                let (codes, steps) = (vec![1; codes], vec![1; steps]);
                let run = Run { codes: &codes, steps: steps.as_chunks().0, base: 0, bar: 0 };
                let (mut scores, mut better) = (vec![[0; BLOCK]; blocks], vec![0; blocks]);
                kernel.scan(&query, run, &mut scores, &mut better);
            }
        }
    }
}
