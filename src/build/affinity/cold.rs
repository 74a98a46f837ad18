//! Vectors for products that the orders say little or nothing of.

use nalgebra::DMatrix;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use super::cooccurrence::{CHUNK, add, row_of};
use super::factor::{cross, multiply, orthonormal};
use super::{AffinityInput, AffinityOptions};
use crate::build::error::BuildError;
use crate::build::feed::{Embeddings, NONE};

/// Most products that the ridge regression learns from.
const RIDGE_ROWS: usize = 50_000;

/// A running weighted mean per group.
struct Means {
    sum: Vec<f32>,
    weight: Vec<f32>,
}

impl Means {
    fn new(groups: usize, dim: usize) -> Self {
        Self { sum: vec![0.0; groups * dim], weight: vec![0.0; groups] }
    }

    fn add(&mut self, group: u32, weight: f32, row: &[f32]) {
        let (g, dim) = (group as usize, row.len());
        add(&mut self.sum[g * dim..(g + 1) * dim], weight, row);
        self.weight[g] += weight;
    }

    /// Mean of a group, drawn towards `parent` (zero without one) by `shrink` pseudo-products.
    fn estimate(&self, group: u32, parent: Option<&[f32]>, shrink: f32, dim: usize) -> Vec<f32> {
        let mut row = row_of(&self.sum, group, dim).to_vec();
        if let Some(parent) = parent {
            add(&mut row, shrink, parent);
        }
        let total = self.weight[group as usize] + shrink;
        row.iter_mut().for_each(|x| *x /= total);
        row
    }
}

/// Categories, parents first. Fails on a circle.
pub(super) fn parents_first(parent: &[u32]) -> Result<Vec<u32>, BuildError> {
    let mut depth = vec![0u32; parent.len()];
    for c in 0..parent.len() {
        let mut at = parent[c];
        while at != NONE {
            depth[c] += 1;
            if depth[c] as usize > parent.len() {
                return Err(BuildError::Input {
                    problem: format!("category {c} is its own ancestor"),
                    way_out: "give every category a parent nearer to the root".into(),
                });
            }
            at = parent[at as usize];
        }
    }
    let mut order: Vec<u32> = (0..parent.len() as u32).collect();
    order.sort_by_key(|&c| (depth[c as usize], c));
    Ok(order)
}

/// Fills and smooths `vectors` (products × dim, unit rows, or zero where the orders taught nothing).
///
/// What is known of a product without orders is the mean of its type, drawn towards the means of its category
/// and that one's ancestors, plus its brand's mean deviation from there, plus what a ridge regression from its
/// embedding adds. A product with orders is `support / (support + prior_strength)` itself and that for the rest.
pub(super) fn fill(
    vectors: &mut [f32],
    support: &[u32],
    categories: &[u32],
    input: &AffinityInput<'_>,
    options: &AffinityOptions,
) {
    let dim = options.dim;
    let trust: Vec<f32> = (0..input.products)
        .map(|p| {
            let known = row_of(vectors, p as u32, dim).iter().any(|&x| x != 0.0);
            let n = if known { support[p] as f32 } else { 0.0 };
            n / (n + options.prior_strength)
        })
        .collect();
    let mut prior = tree_prior(vectors, &trust, categories, input, options);
    add_brands(&mut prior, vectors, &trust, input, options);
    if let Some(embeddings) = input.embeddings {
        add_ridge(&mut prior, vectors, &trust, embeddings, options);
    }
    vectors.par_chunks_mut(dim).zip(prior.par_chunks(dim)).zip(&trust).for_each(|((row, prior), &trust)| {
        row.iter_mut().zip(prior).for_each(|(x, p)| *x = trust * *x + (1.0 - trust) * p);
        unit(row);
    });
}

fn tree_prior(
    vectors: &[f32],
    trust: &[f32],
    categories: &[u32],
    input: &AffinityInput<'_>,
    options: &AffinityOptions,
) -> Vec<f32> {
    let (dim, shrink) = (options.dim, options.group_strength);
    let mut types = Means::new(input.types, dim);
    let mut nodes = Means::new(input.category_parent.len(), dim);
    for (p, &weight) in trust.iter().enumerate() {
        let row = row_of(vectors, p as u32, dim);
        types.add(input.type_of[p], weight, row);
        if input.category_of[p] != NONE {
            nodes.add(input.category_of[p], weight, row);
        }
    }
    for &c in categories.iter().rev() {
        let parent = input.category_parent[c as usize];
        if parent != NONE {
            let (row, weight) = (row_of(&nodes.sum, c, dim).to_vec(), nodes.weight[c as usize]);
            nodes.add(parent, 1.0, &row);
            nodes.weight[parent as usize] += weight - 1.0;
        }
    }
    let mut estimates = vec![0.0; nodes.sum.len()];
    for &c in categories {
        let parent = input.category_parent[c as usize];
        let above = (parent != NONE).then(|| row_of(&estimates, parent, dim));
        let row = nodes.estimate(c, above, shrink, dim);
        estimates[c as usize * dim..(c as usize + 1) * dim].copy_from_slice(&row);
    }
    let mut prior = vec![0.0; vectors.len()];
    prior.par_chunks_mut(dim).enumerate().for_each(|(p, row)| {
        let category = input.category_of[p];
        let above = (category != NONE).then(|| row_of(&estimates, category, dim));
        row.copy_from_slice(&types.estimate(input.type_of[p], above, shrink, dim));
    });
    prior
}

fn add_brands(
    prior: &mut [f32],
    vectors: &[f32],
    trust: &[f32],
    input: &AffinityInput<'_>,
    options: &AffinityOptions,
) {
    let dim = options.dim;
    let brands = input.brand_of.iter().filter(|&&b| b != NONE).max();
    let Some(&last) = brands else { return };
    let mut means = Means::new(last as usize + 1, dim);
    let mut rest = vec![0.0; dim];
    for (p, &brand) in input.brand_of.iter().enumerate() {
        if brand != NONE && trust[p] > 0.0 {
            rest.copy_from_slice(row_of(vectors, p as u32, dim));
            add(&mut rest, -1.0, row_of(prior, p as u32, dim));
            means.add(brand, trust[p], &rest);
        }
    }
    prior.par_chunks_mut(dim).enumerate().for_each(|(p, row)| {
        let brand = input.brand_of[p];
        if brand != NONE {
            let mean = means.estimate(brand, None, options.group_strength, dim);
            add(row, 1.0, &mean);
        }
    });
}

/// Ridge regression from embedding (and a constant) to what the prior leaves over, learnt on products with orders.
fn add_ridge(
    prior: &mut [f32],
    vectors: &[f32],
    trust: &[f32],
    embeddings: &Embeddings,
    options: &AffinityOptions,
) {
    let (dim, from) = (options.dim, embeddings.dim + 1);
    let known: Vec<usize> = (0..trust.len()).filter(|&p| trust[p] > 0.0).collect();
    let step = known.len().div_ceil(RIDGE_ROWS).max(1);
    let (mut x, mut y) = (Vec::new(), Vec::new());
    for &p in known.iter().step_by(step) {
        let root = trust[p].sqrt();
        x.extend(with_constant(embeddings, p).map(|e| e * root));
        let rest = row_of(vectors, p as u32, dim).iter().zip(row_of(prior, p as u32, dim));
        y.extend(rest.map(|(v, q)| (v - q) * root));
    }
    let mut gram = cross(&x, from, &x, from);
    // In units of the mean feature strength, so that embeddings of any length are treated alike.
    let ridge = options.ridge * (gram.trace() / from as f64).max(f64::MIN_POSITIVE);
    (0..from).for_each(|i| gram[(i, i)] += ridge);
    let Some(solver) = gram.cholesky() else {
        return;
    };
    let map: DMatrix<f64> = solver.solve(&cross(&x, from, &y, dim));
    prior.par_chunks_mut(CHUNK * dim).enumerate().for_each(|(chunk, rows)| {
        let products = chunk * CHUNK..chunk * CHUNK + rows.len() / dim;
        let x: Vec<f32> = products.flat_map(|p| with_constant(embeddings, p)).collect();
        add(rows, 1.0, &multiply(&x, &map));
    });
}

fn with_constant(embeddings: &Embeddings, product: usize) -> impl Iterator<Item = f32> + '_ {
    let row = row_of(&embeddings.values, product as u32, embeddings.dim);
    row.iter().copied().chain([1.0])
}

/// Vectors where no orders taught anything: the principal components of the embeddings, or, without embeddings,
/// a sum of random directions, one per category level and one for the brand.
pub(super) fn from_content(input: &AffinityInput<'_>, options: &AffinityOptions) -> Vec<f32> {
    let dim = options.dim;
    let mut vectors = if let Some(embeddings) = input.embeddings {
        principal(embeddings, input, options)
    } else {
        let brands = input.brand_of.iter().filter(|&&b| b != NONE).max();
        let brands = brands.map_or(0, |&b| b as usize + 1);
        let mut rng = ChaCha8Rng::seed_from_u64(options.seed);
        let mut random =
            |rows: usize| -> Vec<f32> { (0..rows * dim).map(|_| rng.random_range(-1.0..1.0)).collect() };
        let (levels, brands) = (random(input.category_parent.len()), random(brands));
        let mut vectors = vec![0.0; input.products * dim];
        for (p, row) in vectors.chunks_exact_mut(dim).enumerate() {
            let mut category = input.category_of[p];
            while category != NONE {
                add(row, 1.0, row_of(&levels, category, dim));
                category = input.category_parent[category as usize];
            }
            if input.brand_of[p] != NONE {
                add(row, 0.5, row_of(&brands, input.brand_of[p], dim));
            }
        }
        vectors
    };
    unit_rows(&mut vectors, dim);
    vectors
}

/// How much of its category's mean is taken from an embedding: what is left says less of what a thing is and more of what it is
/// made for. Measured on bundles that people made: 0.25 to 0.75 are alike.
const OF_CATEGORY: f32 = 0.5;
/// Rounds of the subspace iteration.
const ROUNDS: usize = 8;

/// The directions in which the embeddings differ most, their category's mean half taken out.
fn principal(embeddings: &Embeddings, input: &AffinityInput<'_>, options: &AffinityOptions) -> Vec<f32> {
    let (from, dim) = (embeddings.dim, options.dim);
    let mut mean = Means::new(1, from);
    let mut means = Means::new(input.category_parent.len(), from);
    let is_known = |row: &[f32]| row.iter().any(|x| *x != 0.0);
    for (p, category) in input.category_of.iter().enumerate() {
        let row = row_of(&embeddings.values, p as u32, from);
        if !is_known(row) {
            continue;
        }
        mean.add(0, 1.0, row);
        if *category != NONE {
            means.add(*category, 1.0, row);
        }
    }
    let mean = mean.estimate(0, None, f32::MIN_POSITIVE, from);
    let of_category: Vec<Vec<f32>> = (0..input.category_parent.len() as u32)
        .map(|category| means.estimate(category, Some(&mean), options.group_strength, from))
        .collect();
    // Of a product without an embedding nothing is known: its row stays zero.
    let rest = |p: usize| {
        let mut row = row_of(&embeddings.values, p as u32, from).to_vec();
        if is_known(&row) {
            match of_category.get(input.category_of[p] as usize) {
                Some(own) => {
                    add(&mut row, OF_CATEGORY - 1.0, &mean);
                    add(&mut row, -OF_CATEGORY, own);
                }
                None => add(&mut row, -1.0, &mean),
            }
        }
        row
    };
    let step = input.products.div_ceil(RIDGE_ROWS).max(1);
    let some: Vec<f32> = (0..input.products).step_by(step).flat_map(rest).collect();
    let spread: Vec<f32> = cross(&some, from, &some, from).iter().map(|x| *x as f32).collect();
    let mut rng = ChaCha8Rng::seed_from_u64(options.seed);
    let mut directions: Vec<f32> = (0..from * dim).map(|_| rng.random_range(-1.0..1.0)).collect();
    let as_map = |directions: &[f32]| DMatrix::from_row_slice(from, dim, directions).map(f64::from);
    for _ in 0..ROUNDS {
        directions = orthonormal(multiply(&spread, &as_map(&directions)), dim);
    }
    let map = as_map(&directions);
    let mut vectors = vec![0.0; input.products * dim];
    vectors.par_chunks_mut(CHUNK * dim).enumerate().for_each(|(chunk, rows)| {
        let x: Vec<f32> = (chunk * CHUNK..chunk * CHUNK + rows.len() / dim).flat_map(rest).collect();
        rows.copy_from_slice(&multiply(&x, &map));
    });
    vectors
}

/// Gives every row length 1; zero rows stay zero.
pub(super) fn unit_rows(vectors: &mut [f32], dim: usize) {
    vectors.par_chunks_mut(dim).for_each(unit);
}

fn unit(row: &mut [f32]) {
    let length = row.iter().map(|x| x * x).sum::<f32>().sqrt();
    if length > 0.0 {
        row.iter_mut().for_each(|x| *x /= length);
    }
}
