//! Dot products of int8 rows. Integer sums are exact, so every instruction set gives the same bits.

#[cfg(target_arch = "x86_64")]
mod avx2;
mod scalar;

/// The fastest implementation that this CPU has. Chosen once, when an engine is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kernel {
    /// Plain Rust.
    Scalar,
    /// 256-bit integer SIMD.
    #[cfg(target_arch = "x86_64")]
    Avx2(avx2::Avx2),
}

impl Kernel {
    /// Asks the CPU.
    pub(crate) fn detect() -> Self {
        #[cfg(target_arch = "x86_64")]
        if let Some(kernel) = avx2::Avx2::new() {
            return Self::Avx2(kernel);
        }
        Self::Scalar
    }

    /// Sum of products of two rows; of the shorter length where they differ.
    #[inline]
    pub(crate) fn dot(self, a: &[i8], b: &[i8]) -> i32 {
        match self {
            Self::Scalar => scalar::dot(a, b),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2(kernel) => kernel.dot(a, b),
        }
    }

    /// The name that `inspect` prints.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Scalar => "scalar",
            #[cfg(target_arch = "x86_64")]
            Self::Avx2(_) => "avx2",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kernel_equals_scalar_at_every_length_and_alignment() {
        let detected = Kernel::detect();
        #[cfg(target_arch = "x86_64")]
        assert!(
            detected != Kernel::Scalar || !std::arch::is_x86_feature_detected!("avx2"),
            "this CPU has AVX2, so the test must exercise it"
        );
        let values: Vec<i8> =
            (0..600u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8 as i8).collect();
        for length in 0..=256 {
            for skew in 0..32 {
                let (a, b) = (&values[skew..skew + length], &values[300 - skew..300 - skew + length]);
                let plain: i32 = a.iter().zip(b).map(|(x, y)| i32::from(*x) * i32::from(*y)).sum();
                assert_eq!(scalar::dot(a, b), plain, "scalar, length {length}, skew {skew}");
                assert_eq!(detected.dot(a, b), plain, "{}, length {length}, skew {skew}", detected.name());
            }
        }
    }

    #[test]
    fn the_extremes_do_not_overflow() {
        let low = [-128i8; 512];
        assert_eq!(Kernel::detect().dot(&low, &low), 512 * 128 * 128);
    }
}
