//! What one thing alone says of another, all other things of the basket being known: EASE (Steck, WWW 2019), the closed form of
//! a linear model that predicts each thing of a basket from the others.

use faer::linalg::solvers::DenseSolveCore;
use faer::{Mat, Side};

/// The weights among the most bought things.
#[derive(Debug)]
pub(super) struct Direct {
    /// Row of each thing, or `u32::MAX`.
    row_of: Vec<u32>,
    /// Thing of each row.
    things: Vec<u32>,
    /// Inverse of the ridged Gram matrix.
    inverse: Mat<f32>,
}

impl Direct {
    /// Solves for the `most` most counted things. `others(thing, add)` calls `add` for every thing of every basket that holds
    /// `thing`, itself included.
    pub(super) fn new(
        counts: &[u32],
        most: usize,
        least_count: u32,
        ridge: f32,
        others: impl Fn(u32, &mut dyn FnMut(u32)) + Sync,
    ) -> Self {
        let mut things: Vec<u32> =
            (0..counts.len() as u32).filter(|t| counts[*t as usize] >= least_count).collect();
        things.sort_by_key(|t| (std::cmp::Reverse(counts[*t as usize]), *t));
        things.truncate(most);
        let mut row_of = vec![u32::MAX; counts.len()];
        things.iter().zip(0..).for_each(|(thing, row)| row_of[*thing as usize] = row);
        let mut gram = Mat::<f32>::zeros(things.len(), things.len());
        for (at, thing) in things.iter().enumerate() {
            let column = gram.col_as_slice_mut(at);
            others(*thing, &mut |other| {
                if let Some(slot) = column.get_mut(row_of[other as usize] as usize) {
                    *slot += 1.0;
                }
            });
            column[at] += ridge;
        }
        // A ridged Gram matrix is positive definite; should rounding say otherwise, nothing is known.
        let inverse = gram.llt(Side::Lower).map(|factor| factor.inverse());
        match inverse {
            Ok(inverse) => Self { row_of, things, inverse },
            Err(_) => Self { row_of: vec![u32::MAX; counts.len()], things: Vec::new(), inverse: Mat::zeros(0, 0) },
        }
    }

    /// How much `from` alone says of each other thing: those above zero.
    pub(super) fn from(&self, from: u32) -> impl Iterator<Item = (u32, f32)> + '_ {
        let row = self.row_of[from as usize] as usize;
        let known = (row < self.things.len()).then_some(row);
        known.into_iter().flat_map(move |row| {
            // The inverse is symmetric: its column is the row.
            let column = self.inverse.col_as_slice(row);
            self.things.iter().enumerate().filter(move |(at, _)| *at != row).filter_map(move |(at, thing)| {
                let weight = -column[at] / self.inverse[(at, at)];
                (weight > 0.0).then_some((*thing, weight))
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Three things; 0 and 1 always together, 2 beside them by chance.
    #[test]
    fn what_comes_along_by_chance_says_nothing() {
        let baskets: Vec<Vec<u32>> =
            (0..40).map(|b| if b % 2 == 0 { vec![0, 1] } else { vec![2] }).chain([vec![0, 1, 2]]).collect();
        let mut counts = [0; 3];
        baskets.iter().flatten().for_each(|t| counts[*t as usize] += 1);
        let direct = Direct::new(&counts, 3, 1, 1.0, |thing, add| {
            baskets.iter().filter(|b| b.contains(&thing)).flatten().for_each(|t| add(*t));
        });
        let from_0: Vec<(u32, f32)> = direct.from(0).collect();
        assert_eq!(from_0.len(), 1, "{from_0:?}");
        assert!(from_0[0].0 == 1 && from_0[0].1 > 0.8, "{from_0:?}");
        // Against the definition: B = -P / diag(P), P the inverse of the ridged Gram matrix.
        let gram = nalgebra::matrix![22.0f64, 21.0, 1.0; 21.0, 22.0, 1.0; 1.0, 1.0, 22.0];
        let inverse = gram.try_inverse().expect("regular");
        let expected = -inverse[(0, 1)] / inverse[(1, 1)];
        assert!((f64::from(from_0[0].1) - expected).abs() < 1e-4, "{from_0:?} {expected}");
    }
}
