//! What goes with what, learnt from orders.

mod cold;
mod cooccurrence;
mod factor;
mod transitions;

use crate::build::error::BuildError;
use crate::build::feed::{Embeddings, NONE, Orders};
use crate::build::progress::{Progress, Unit};
use crate::vocabulary::Role;

/// What is known of the products. All numbers are dense; [`NONE`] = not there.
#[derive(Debug, Clone, Copy)]
pub struct AffinityInput<'a> {
    /// Number of products.
    pub products: usize,
    /// Per product: its type, below `types`. Products of one type are look-alikes.
    pub type_of: &'a [u32],
    /// Number of types.
    pub types: usize,
    /// Per category: its parent, or [`NONE`] at a root.
    pub category_parent: &'a [u32],
    /// Per product: its category, or [`NONE`].
    pub category_of: &'a [u32],
    /// Per product: its brand, or [`NONE`].
    pub brand_of: &'a [u32],
    /// Row i for product i, where there are any.
    pub embeddings: Option<&'a Embeddings>,
    /// What was bought.
    pub orders: &'a Orders,
}

/// How to learn. The defaults were measured on a grocer's orders.
#[derive(Debug, Clone, PartialEq)]
pub struct AffinityOptions {
    /// Values per vector, a multiple of 64. Default 64.
    pub dim: usize,
    /// Seed of the random start of the factorisation. Default 1.
    pub seed: u64,
    /// Subspace iterations of the factorisation (0 to 8). Default 3.
    pub iterations: usize,
    /// Singular values enter both factors with this power. Default 0.5.
    pub spectrum_power: f64,
    /// Added to a product's customers before normalising. Default 20.
    pub shrinkage: f32,
    /// Power of (customers + `shrinkage`) that a product's counts are divided by; 0.5 = cosine. Default 0.5.
    pub popularity_power: f32,
    /// A product bought in n baskets of one customer counts n^-power in each; 0.5 = as one customer. Default 0.5.
    pub repeat_power: f32,
    /// Pairs of a basket of n lines count n^-power. Default 0.
    pub basket_power: f32,
    /// Baskets with more lines count less in vectors and not at all in transitions. Default 100.
    pub large_basket: u32,
    /// Weight of a customer's next basket beside the same basket (1). Default 0.
    pub next_weight: f32,
    /// The next basket counts within so many days. Default 14.
    pub next_days: u16,
    /// Most transitions per type. Default 16.
    pub transitions: usize,
    /// Pseudo-customers that draw a lift towards 1. Default 5.
    pub transition_shrinkage: f32,
    /// Transitions are ordered by ln(lift) × probability^power. Default 0.5.
    pub transition_power: f32,
    /// Least named customers (with purchases on two days or more) for a role. Default 20.
    pub role_support: u32,
    /// Consumable from this share of customers who come back for the type. Default 0.2.
    pub consumable_share: f64,
    /// Durable up to this share. Default 0.05.
    pub durable_share: f64,
    /// Pseudo-customers that draw a product's vector towards its type, category, brand and text. Default 5.
    pub prior_strength: f32,
    /// Pseudo-products that draw a type's or brand's mean towards the level above. Default 3.
    pub group_strength: f32,
    /// Ridge penalty of the map from embeddings, in units of the mean squared feature. Default 1.
    pub ridge: f64,
}

impl Default for AffinityOptions {
    fn default() -> Self {
        Self {
            dim: 64,
            seed: 1,
            iterations: 3,
            spectrum_power: 0.5,
            shrinkage: 20.0,
            popularity_power: 0.5,
            repeat_power: 0.5,
            basket_power: 0.0,
            large_basket: 100,
            next_weight: 0.0,
            next_days: 14,
            transitions: 16,
            transition_shrinkage: 5.0,
            transition_power: 0.5,
            role_support: 20,
            consumable_share: 0.2,
            durable_share: 0.05,
            prior_strength: 5.0,
            group_strength: 3.0,
            ridge: 1.0,
        }
    }
}

/// What the orders taught, one entry per product row or per type.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Affinity {
    /// Values per vector.
    pub dim: usize,
    /// IN (as bought), row-major, unit length (or all zero where nothing at all is known).
    pub in_vectors: Vec<f32>,
    /// OUT (as offered), row-major, unit length (or all zero).
    pub out_vectors: Vec<f32>,
    /// Distinct customers (baskets where anonymous) who bought the product.
    pub popularity: Vec<u32>,
    /// Per type: learnt role, for types where no product's feed states one.
    pub type_roles: Vec<Role>,
    /// Per type: what goes with it, best first.
    pub transitions: Vec<Vec<Transition>>,
    /// Per type: days between purchases by one customer, quartiles; zeros where unknown.
    pub replenish_days: Vec<[u16; 3]>,
    /// Share of products whose vectors come from their own orders, in parts per million.
    pub learnt_ppm: u32,
}

/// Who buys one type also buys this type.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Transition {
    /// The type offered.
    pub to: u32,
    /// How many times likelier than by chance, shrunk for small counts.
    pub lift: f32,
    /// Probability that a basket (or the customer's next one) with the first type holds the second, shrunk.
    pub probability: f32,
    /// Distinct customers behind it.
    pub support: u32,
}

/// Learns vectors, type transitions and rhythms from orders.
///
/// IN and OUT are the factors of a randomised singular value decomposition (Halko, Martinsson, Tropp, SIAM
/// Review 2011) of the co-purchase counts normalised like cosine with shrinkage; products with few or no orders
/// are drawn towards what their type, category, brand and embedding suggest. The same input, options and seed give
/// the same bytes for any number of threads.
///
/// # Errors
///
/// [`BuildError::Input`] where lengths or numbers do not fit together.
pub fn learn(
    input: &AffinityInput<'_>,
    options: &AffinityOptions,
    progress: &dyn Progress,
) -> Result<Affinity, BuildError> {
    check(input, options)?;
    let categories = cold::parents_first(input.category_parent)?;
    progress.start("learning from orders", 4, Unit::Items);
    let log = cooccurrence::Log::new(input);
    let popularity = log.popularity();
    progress.at(1);
    let facts = transitions::learn(&log, input, options);
    progress.at(2);
    let operator = cooccurrence::Operator::new(&log, input, options);
    let factors = factor::factorise(
        input.products,
        options.dim,
        options.spectrum_power,
        options.iterations,
        options.seed,
        &|v, k, transpose| operator.apply(v, k, transpose),
    );
    progress.at(3);
    let (mut in_vectors, mut out_vectors) = (factors.left, factors.right);
    cold::unit_rows(&mut in_vectors, options.dim);
    cold::unit_rows(&mut out_vectors, options.dim);
    let learnt = in_vectors.chunks_exact(options.dim).filter(|row| row.iter().any(|&x| x != 0.0)).count();
    if learnt == 0 {
        in_vectors = cold::from_content(input, options);
        out_vectors.clone_from(&in_vectors);
    } else {
        for vectors in [&mut in_vectors, &mut out_vectors] {
            cold::fill(vectors, &popularity, &categories, input, options);
        }
    }
    progress.at(4);
    let mut affinity = Affinity {
        dim: options.dim,
        in_vectors,
        out_vectors,
        popularity,
        learnt_ppm: (learnt as u64 * 1_000_000 / input.products.max(1) as u64) as u32,
        ..Affinity::default()
    };
    for fact in facts {
        affinity.type_roles.push(fact.role);
        affinity.replenish_days.push(fact.replenish_days);
        affinity.transitions.push(fact.transitions);
    }
    progress.finish(&format!(
        "{learnt} of {} products learnt from {} baskets",
        input.products,
        log.baskets()
    ));
    Ok(affinity)
}

fn check(input: &AffinityInput<'_>, options: &AffinityOptions) -> Result<(), BuildError> {
    let below = |values: &[u32], end: usize| values.iter().all(|&x| (x as usize) < end);
    let below_or_none = |values: &[u32], end: usize| values.iter().all(|&x| x == NONE || (x as usize) < end);
    let orders = input.orders;
    let per_product = [input.type_of, input.category_of, input.brand_of];
    let embeddings_fit =
        input.embeddings.is_none_or(|e| e.dim > 0 && e.values.len() == e.dim * input.products);
    let lines_fit = orders.lines.len() < NONE as usize
        && orders.lines.iter().all(|l| {
            (l.product as usize) < input.products
                && l.basket < orders.baskets
                && (l.customer == NONE || l.customer < orders.customers)
        });
    let rules = [
        (options.dim > 0 && options.dim.is_multiple_of(64), "dim is not a multiple of 64"),
        (
            per_product.iter().all(|x| x.len() == input.products),
            "type_of, category_of and brand_of differ in length from the products",
        ),
        (below(input.type_of, input.types), "a type number is out of range"),
        (
            below_or_none(input.category_parent, input.category_parent.len())
                && below_or_none(input.category_of, input.category_parent.len()),
            "a category number is out of range",
        ),
        (embeddings_fit, "there is not one embedding row per product"),
        (lines_fit, "an order line is out of range"),
    ];
    match rules.iter().find(|(holds, _)| !holds) {
        None => Ok(()),
        Some((_, problem)) => Err(BuildError::Input {
            problem: (*problem).into(),
            way_out: "number products, types, categories, brands and orders densely from 0".into(),
        }),
    }
}
