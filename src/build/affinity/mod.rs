//! What goes with what, learnt from orders.

use crate::vocabulary::Role;

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
