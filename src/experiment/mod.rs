//! Experiments: which units see offers, which see nothing or the page as it was, and which see explored slates.
//!
//! A unit is the customer's key, else the session's, else the order's id. Nothing is stored: a unit's bucket follows from its
//! bytes, so it is the same in every process and language. [`bucket`] gives the bytes; `tests/assignment/vectors.tsv` has
//! 2,000 answers.

mod explore;
mod plain;
mod stored;

use xxhash_rust::xxh3::Xxh3Default;

use crate::limits::LAYERS_MAX;
use crate::profile::Profile;
use crate::transaction::Transaction;

#[cfg(feature = "log")]
pub(crate) use explore::TICKETS;
pub(crate) use explore::{Mix, fill, half_to_the, log2_q16};
pub use plain::{Arm, Experiment, Explore, Holdout};
pub(crate) use plain::{check, write};
pub(crate) use stored::Reader;

#[cfg(feature = "policy")]
pub(crate) use plain::deserialize;

/// Units fall into so many buckets: ranges of arms are in ten-thousandths.
pub const BUCKETS: u16 = 10_000;

/// Name of the layer of the global holdout.
pub const HOLDOUT_LAYER: &str = "holdout";

/// The bucket of a unit, below [`BUCKETS`]: `(h * 10,000) >> 64` in 128 bits, where h is XXH3-64 with seed 0 of
/// `len salt len layer len unit`. Each len is a byte count, 32 bits, little-endian. Texts are UTF-8 as given, neither
/// normalised nor folded; a customer's or session's key is its 16 bytes, an order's id its text.
#[must_use]
pub fn bucket(salt: &str, layer: &str, unit: &[u8]) -> u16 {
    ((u128::from(hash(salt, layer, unit)) * u128::from(BUCKETS)) >> 64) as u16
}

fn hash(salt: &str, layer: &str, unit: &[u8]) -> u64 {
    let mut hash = Xxh3Default::new();
    for part in [salt.as_bytes(), layer.as_bytes(), unit] {
        hash.update(&(part.len() as u32).to_le_bytes());
        hash.update(part);
    }
    hash.digest()
}

/// What is shown to a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "policy", derive(serde::Deserialize))]
#[cfg_attr(feature = "policy", serde(rename_all = "snake_case"))]
#[repr(u8)]
pub enum Shows {
    /// What was decided.
    #[default]
    Offers = 0,
    /// Nothing: what the page brings at all is measured against this.
    Nothing = 1,
    /// The page as it was before: what deciding brings is measured against this. The host shows it.
    Earlier = 2,
}

impl Shows {
    /// The name that policies and logs use.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Offers => "offers",
            Self::Nothing => "nothing",
            Self::Earlier => "earlier",
        }
    }

    /// From its number.
    #[must_use]
    pub const fn from_code(code: u8) -> Option<Self> {
        match code {
            0 => Some(Self::Offers),
            1 => Some(Self::Nothing),
            2 => Some(Self::Earlier),
            _ => None,
        }
    }
}

/// What was assigned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[repr(u8)]
pub enum Unit {
    /// Nothing: the request has no key and no order id. Such a decision belongs to no arm.
    #[default]
    None = 0,
    /// The customer: the same arm in every order.
    Customer = 1,
    /// The session.
    Session = 2,
    /// This order alone.
    Order = 3,
}

impl Unit {
    /// The name that logs use.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Customer => "customer",
            Self::Session => "session",
            Self::Order => "order",
        }
    }

    /// From its number.
    #[must_use]
    pub const fn from_code(code: u8) -> Option<Self> {
        match code {
            0 => Some(Self::None),
            1 => Some(Self::Customer),
            2 => Some(Self::Session),
            3 => Some(Self::Order),
            _ => None,
        }
    }
}

/// Where a unit stands in one layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Assigned {
    /// Below [`BUCKETS`].
    pub bucket: u16,
    /// Number of the arm within the layer; [`crate::Engine::arms`] names them.
    pub arm: u8,
}

/// Where the unit of a decision stands. `Default`: nowhere, and it sees offers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Assignment {
    /// What was assigned.
    pub unit: Unit,
    /// A number that stands for the unit in logs: XXH3-64 of `len "unit" len "" len unit`. Not a secret: who has keys can
    /// compute it.
    pub unit_hash: u64,
    /// What it is shown.
    pub shows: Shows,
    /// Bucket of the global holdout, where the policy has one.
    pub holdout_bucket: Option<u16>,
    /// Per layer of the policy, in its order. `None` past the last, and where the global holdout keeps the unit.
    pub layers: [Option<Assigned>; LAYERS_MAX],
}

/// An arm, compiled: it ends before bucket `until`, where the next one begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Range {
    pub(crate) experiment: String,
    pub(crate) name: String,
    pub(crate) until: u16,
    pub(crate) shows: Shows,
    pub(crate) mix: Option<Mix>,
}

/// Experiments that share units: each unit is in one arm.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Layer {
    pub(crate) id: String,
    pub(crate) salt: String,
    /// In the order of their buckets.
    pub(crate) arms: Vec<Range>,
}

/// The first buckets are held out of everything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Held {
    pub(crate) salt: String,
    pub(crate) buckets: u16,
    pub(crate) shows: Shows,
}

/// Experiments of a policy, compiled.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Experiments {
    pub(crate) holdout: Option<Held>,
    pub(crate) layers: Vec<Layer>,
    /// Exploration where no arm says otherwise.
    pub(crate) mix: Option<Mix>,
}

impl Experiments {
    /// Stage 0: where the unit of a request stands. The global holdout comes first: its units are in no experiment.
    pub(crate) fn assign(&self, transaction: &Transaction<'_>, profile: &Profile<'_>) -> Assignment {
        let (unit, bytes): (Unit, &[u8]) =
            match (&profile.unit_key, &profile.session.session_key, transaction.order_id) {
                (Some(key), ..) => (Unit::Customer, key),
                (None, Some(key), _) => (Unit::Session, key),
                (None, None, "") => return Assignment::default(),
                (None, None, order) => (Unit::Order, order.as_bytes()),
            };
        let mut assigned = Assignment { unit, unit_hash: hash("unit", "", bytes), ..Assignment::default() };
        if let Some(holdout) = &self.holdout {
            let bucket = bucket(&holdout.salt, HOLDOUT_LAYER, bytes);
            assigned.holdout_bucket = Some(bucket);
            if bucket < holdout.buckets {
                assigned.shows = holdout.shows;
                return assigned;
            }
        }
        for (layer, place) in self.layers.iter().zip(&mut assigned.layers) {
            let bucket = bucket(&layer.salt, &layer.id, bytes);
            let arm = layer.arms.partition_point(|arm| arm.until <= bucket);
            *place = Some(Assigned { bucket, arm: arm as u8 });
            if let Some(arm) = layer.arms.get(arm).filter(|arm| arm.shows != Shows::Offers) {
                assigned.shows = arm.shows;
            }
        }
        assigned
    }

    /// How the slates of a unit are explored, where they are: as its arm says, else as the policy does.
    pub(crate) fn mix(&self, assigned: &Assignment) -> Option<&Mix> {
        let arms = self.layers.iter().zip(assigned.layers.iter().flatten());
        let mut own = arms.filter_map(|(layer, place)| layer.arms.get(usize::from(place.arm))?.mix.as_ref());
        own.next().or(self.mix.as_ref()).filter(|mix| mix.best > 1)
    }

    /// Layer, experiment and arm of each place of a unit.
    pub(crate) fn names<'a>(
        &'a self,
        assigned: &'a Assignment,
    ) -> impl Iterator<Item = (&'a str, &'a str, &'a str)> {
        let places = self.layers.iter().zip(assigned.layers.iter().flatten());
        places.filter_map(|(layer, place)| {
            let arm = layer.arms.get(usize::from(place.arm))?;
            Some((layer.id.as_str(), arm.experiment.as_str(), arm.name.as_str()))
        })
    }
}
