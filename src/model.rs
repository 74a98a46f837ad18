//! What people accept when shown, learnt from the log: a model file, checked when opened, bound to a catalog, and read by
//! decisions. Everything that it looks at is in the log too, so the same numbers come out there, to the part per million.
//!
//! The log odds that an offer is accepted are a sum: those of the catalog's own `p_accept`, scaled; what each level of a hierarchy
//! (placement, kind, partner, type, item) adds; and weights of crosses of the offer with the order, found by hash
//! (Weinberger et al., ICML 2009). In 1/65,536 of a factor of two, in integers: the same on every machine.
//!
//! ```text
//! 0    magic, 8 bytes; version, u32; log2 of the number of weights, u32; number of factors, u32; generation, u32
//! 24   bias, i32; scale of the catalog's log odds, i32; 16 positions, i32 each; learnt until, Unix ms, i64; reserved, 8 bytes
//! 112  factors: key u64, i32, four zeros; ascending by key. Then the weights, i32 each. Then XXH3-64 of all before.
//! ```

use std::path::{Path, PathBuf};
use std::sync::Arc;

use xxhash_rust::xxh3::xxh3_64;

use crate::context::Context;
use crate::experiment::{half_to_the, log2_q16};
use crate::index::View;
use crate::index::format::NONE;
use crate::limits::SLOTS_MAX;
use crate::offer::{Item, OfferIx, ProductIx, Relation};
use crate::ranking;
use crate::record::{PLACEMENT_BYTES, TYPES_LOGGED};
use crate::scratch::Candidate;
use crate::vocabulary::OfferKind;

const MAGIC: [u8; 8] = *b"\x89aftmdl\n";
const VERSION: u32 = 1;
const HEAD: usize = 112;
const FACTOR: usize = 16;
/// log2 of the most weights of a model: 16 MiB.
const BITS_MAX: u32 = 22;
/// One nat in units of the model.
#[cfg(feature = "log")]
pub(crate) const NAT: f64 = 65_536.0 / std::f64::consts::LN_2;

/// Why a model cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ModelError {
    /// The system refused.
    #[error("{}: {action} failed: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What was tried.
        action: &'static str,
        /// What the system said.
        source: std::io::Error,
    },
    /// Not a model, or a damaged one.
    #[error("{}: not a usable model: {problem}; learn it again, or leave it out", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: &'static str,
    },
}

/// Levels of the hierarchy, outermost first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Level {
    Placement = 0,
    Kind = 1,
    Partner = 2,
    Type = 3,
    Item = 4,
}

impl Level {
    #[cfg(feature = "log")]
    pub(crate) const ALL: [Self; 5] = [Self::Placement, Self::Kind, Self::Partner, Self::Type, Self::Item];

    /// The key of a name: XXH3-64 of the level's number and the name.
    pub(crate) fn key(self, name: &str) -> u64 {
        let mut hash = xxhash_rust::xxh3::Xxh3Default::new();
        hash.update(&[self as u8]);
        hash.update(name.as_bytes());
        hash.digest()
    }
}

/// A learnt model. Immutable; `Send + Sync`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Model {
    pub(crate) bits: u32,
    pub(crate) bias: i32,
    pub(crate) scale: i32,
    /// What a position adds; it does not order offers, so decisions leave it out.
    pub(crate) positions: [i32; SLOTS_MAX],
    pub(crate) until_ms: i64,
    /// By key.
    pub(crate) factors: Vec<(u64, i32)>,
    pub(crate) weights: Vec<i32>,
    generation: u32,
}

impl Model {
    #[cfg(feature = "log")]
    pub(crate) fn new(bits: u32, positions: [i32; SLOTS_MAX], until_ms: i64) -> Self {
        let weights = vec![0; 1 << bits];
        Self {
            bits,
            bias: 0,
            scale: 65_536,
            positions,
            until_ms,
            factors: Vec::new(),
            weights,
            generation: 0,
        }
    }

    /// Opens a model file and checks it whole. Reads it into memory: no other process can change it afterwards.
    ///
    /// # Errors
    /// [`ModelError`]: the file cannot be read, or is not a whole model of this version.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, ModelError> {
        let path = path.as_ref();
        let io = |source| ModelError::Io { path: path.to_owned(), action: "read", source };
        let bytes = std::fs::read(path).map_err(io)?;
        Self::read(&bytes).map_err(|problem| ModelError::Damaged { path: path.to_owned(), problem })
    }

    /// Names its content; 0 is no model.
    #[must_use]
    pub fn generation(&self) -> u32 {
        self.generation
    }

    /// Unix milliseconds of the newest page that it learnt from.
    #[must_use]
    pub fn until_ms(&self) -> i64 {
        self.until_ms
    }

    /// Puts it into a file: a reader sees the old one or the new one, whole.
    ///
    /// # Errors
    /// [`ModelError::Io`].
    #[cfg(feature = "log")]
    pub fn write(&self, path: impl AsRef<Path>) -> Result<(), ModelError> {
        let path = path.as_ref();
        let refused = |action, source| ModelError::Io { path: path.to_owned(), action, source };
        crate::replace::replace(path, &self.to_bytes(), crate::replace::Readers::All, refused, |_| Ok(()))
    }

    /// As a file.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        let head = [
            VERSION,
            self.bits,
            self.factors.len() as u32,
            0,
            self.bias.cast_unsigned(),
            self.scale.cast_unsigned(),
        ];
        head.iter().for_each(|word| bytes.extend(word.to_le_bytes()));
        self.positions.iter().for_each(|word| bytes.extend(word.to_le_bytes()));
        bytes.extend(self.until_ms.to_le_bytes());
        bytes.resize(HEAD, 0);
        for (key, factor) in &self.factors {
            bytes.extend(key.to_le_bytes());
            bytes.extend(factor.to_le_bytes());
            bytes.extend([0; 4]);
        }
        self.weights.iter().for_each(|weight| bytes.extend(weight.to_le_bytes()));
        // Of everything but itself; never 0, which is "no model".
        let generation = (xxh3_64(&bytes) as u32 & 0x7FFF_FFFF).max(1);
        if let Some(place) = bytes.get_mut(20..24) {
            place.copy_from_slice(&generation.to_le_bytes());
        }
        let sum = xxh3_64(&bytes);
        bytes.extend(sum.to_le_bytes());
        bytes
    }

    /// From the bytes of a file, or what is wrong with them.
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, &'static str> {
        let word =
            |at: usize| bytes.get(at..at + 4).and_then(|word| word.try_into().ok()).map(u32::from_le_bytes);
        let long =
            |at: usize| bytes.get(at..at + 8).and_then(|word| word.try_into().ok()).map(u64::from_le_bytes);
        if bytes.get(..8) != Some(&MAGIC) {
            return Err("it does not begin like one");
        }
        let (Some(version), Some(bits), Some(count), Some(generation)) =
            (word(8), word(12), word(16), word(20))
        else {
            return Err("it is cut short");
        };
        if version != VERSION {
            return Err("it is of another version");
        }
        if bits > BITS_MAX {
            return Err("it has too many weights");
        }
        let weights_at = HEAD + count as usize * FACTOR;
        let end = weights_at + (4 << bits);
        if bytes.len() != end + 8 || long(end) != Some(xxh3_64(bytes.get(..end).unwrap_or(&[]))) {
            return Err("its bytes are not those that were written");
        }
        let number = |at: usize| word(at).map_or(0, u32::cast_signed);
        let factors = (HEAD..weights_at).step_by(FACTOR);
        let factors: Vec<(u64, i32)> = factors.map(|at| (long(at).unwrap_or(0), number(at + 8))).collect();
        if !factors.is_sorted_by(|one, next| one.0 < next.0) || generation == 0 || generation >> 31 != 0 {
            return Err("its keys are not in order");
        }
        Ok(Self {
            bits,
            bias: number(24),
            scale: number(28),
            positions: std::array::from_fn(|position| number(32 + 4 * position)),
            until_ms: long(96).map_or(0, u64::cast_signed),
            factors,
            weights: (weights_at..end).step_by(4).map(number).collect(),
            generation,
        })
    }

    /// What a name of a level adds; 0 where it was not seen.
    pub(crate) fn factor(&self, level: Level, name: &str) -> i32 {
        let at = self.factors.binary_search_by_key(&level.key(name), |(key, _)| *key);
        at.ok().and_then(|at| self.factors.get(at)).map_or(0, |(_, factor)| *factor)
    }

    /// Log odds, in units of the model.
    pub(crate) fn log_odds(&self, catalog_ppm: u32, placement: i32, about: &About, asked: &Asked) -> i64 {
        let own = (log_odds(catalog_ppm) * i64::from(self.scale)) >> 16;
        let crosses = crosses(self.bits, about, asked);
        let weights: i64 =
            crosses.map(|at| self.weights.get(at).map_or(0, |weight| i64::from(*weight))).sum();
        i64::from(self.bias) + own + i64::from(placement) + i64::from(about.factor) + weights
    }
}

/// Log odds of a probability, in units of the model.
pub(crate) fn log_odds(ppm: u32) -> i64 {
    let ppm = i64::from(ppm.clamp(1, 999_999));
    log2_q16(ppm) - log2_q16(1_000_000 - ppm)
}

/// The probability of log odds, parts per million, 1 to 999,999.
pub(crate) fn probability_ppm(log_odds: i64) -> u32 {
    let half = half_to_the(log_odds.unsigned_abs());
    let (for_it, all) = if log_odds >= 0 { (1 << 40, (1 << 40) + half) } else { (half, (1 << 40) + half) };
    ((for_it * 1_000_000 + all / 2) / all).clamp(1, 999_999) as u32
}

/// What a model looks at of an offer.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct About {
    /// What kind, partner, type and item add.
    pub(crate) factor: i32,
    /// Stands for the type of a product, or for an offer.
    pub(crate) key: u32,
    /// Thousandths.
    pub(crate) relevance: u16,
    pub(crate) refill: bool,
}

/// What it looks at of an order: hashes.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Asked {
    cells: [u32; TYPES_LOGGED + 2],
    count: usize,
}

impl Asked {
    /// Of a placement's id, the value of the order and the types of its first lines that are not sensitive.
    pub(crate) fn new(placement: &str, order_value: Option<i64>, types: impl Iterator<Item = u32>) -> Self {
        // Values count by their order of magnitude: a step is a factor of two.
        let value = order_value.map_or(0, |value| 1 + value.max(1).unsigned_abs().ilog2());
        let mut asked = Self { cells: [0; TYPES_LOGGED + 2], count: 0 };
        for cell in
            [xxh3_64(placement.as_bytes()) as u32, value].into_iter().chain(types).take(TYPES_LOGGED + 2)
        {
            if let Some(place) = asked.cells.get_mut(asked.count) {
                *place = cell;
                asked.count += 1;
            }
        }
        asked
    }
}

/// Places of the weights that speak for an offer beside an order: its key with each cell, its relevance in steps of 64, and whether
/// it is a refill. A type counts alike wherever its line stands.
pub(crate) fn crosses(bits: u32, about: &About, asked: &Asked) -> impl Iterator<Item = usize> {
    let (key, cells, count) = (about.key, asked.cells, asked.count);
    let place = move |number: u32, a: u32, b: u32| {
        let mixed = (a ^ number.wrapping_mul(0x27D4_EB2F)).wrapping_mul(0x9E37_79B1).rotate_left(15) ^ b;
        let mixed = mixed.wrapping_mul(0x85EB_CA6B);
        (u64::from((mixed ^ mixed >> 13).wrapping_mul(0xC2B2_AE35)) << bits >> 32) as usize
    };
    let own = [place(3, u32::from(about.relevance / 64), 0), place(4, u32::from(about.refill), 0)];
    let with = (0..count).map(move |at| place(at.min(2) as u32, key, cells.get(at).copied().unwrap_or(0)));
    with.chain(own)
}

/// Names of a catalog as numbers that are the same in every catalog.
#[derive(Debug, Clone, Default)]
pub(crate) struct Keys {
    /// Of each type.
    types: Vec<u32>,
    /// Of each offer.
    offers: Vec<u32>,
}

impl Keys {
    pub(crate) fn new(view: &View<'_>) -> Self {
        let of_type = |kind| Level::Type.key(type_name(view, kind)) as u32;
        Self {
            types: (0..view.types.len() as u32).map(of_type).collect(),
            offers: view.offers.iter().map(|offer| Level::Item.key(view.str(offer.id)) as u32).collect(),
        }
    }

    /// Of a type; `None` where there is none.
    pub(crate) fn of_type(&self, kind: u32) -> Option<u32> {
        self.types.get(kind as usize).copied()
    }

    pub(crate) fn of(&self, view: &View<'_>, item: Item) -> u32 {
        match item {
            Item::Product(ProductIx(ix)) => self.of_type(view.type_of(ix)),
            Item::Offer(OfferIx(ix)) => self.offers.get(ix as usize).copied(),
        }
        .unwrap_or(0)
    }
}

/// The name of a type: its category's path, or the title that it is made of.
pub(crate) fn type_name<'a>(view: &View<'a>, kind: u32) -> &'a str {
    let Some(record) = view.types.get(kind as usize) else { return "" };
    if let Some(category) = view.category(record.category.get()) {
        return view.str(category.path);
    }
    let first = view.products_of_type(record).first().and_then(|product| view.product(product.get()));
    first.map_or("", |product| view.str(product.title))
}

/// The names of an item at the levels below the placement.
pub(crate) fn names<'a>(view: &View<'a>, item: Item) -> [(Level, &'a str); 4] {
    let (kind, partner, kind_of_product, id) = match item {
        Item::Product(ProductIx(ix)) => {
            let record = view.product(ix);
            let (partner, id) = record.map_or((NONE, ""), |r| (r.partner.get(), view.str(r.id)));
            (OfferKind::Product, partner, type_name(view, view.type_of(ix)), id)
        }
        Item::Offer(OfferIx(ix)) => {
            let record = view.offer(ix);
            let kind = record.and_then(|r| OfferKind::from_code(r.kind)).unwrap_or_default();
            let (partner, id) = record.map_or((NONE, ""), |r| (r.partner.get(), view.str(r.id)));
            (kind, partner, "", id)
        }
    };
    let partner = view.partners.get(partner as usize).map_or("", |partner| view.str(partner.id));
    [(Level::Kind, kind.name()), (Level::Partner, partner), (Level::Type, kind_of_product), (Level::Item, id)]
}

/// A model, bound to a catalog: what it adds to each item is looked up once.
#[derive(Debug)]
pub(crate) struct Bound {
    model: Arc<Model>,
    /// It only says what it would say.
    pub(crate) shadow: bool,
    keys: Keys,
    products: Vec<i32>,
    offers: Vec<i32>,
}

impl Bound {
    pub(crate) fn new(model: Arc<Model>, shadow: bool, view: &View<'_>) -> Self {
        let sum = |item| names(view, item).iter().map(|(level, name)| model.factor(*level, name)).sum();
        Self {
            shadow,
            keys: Keys::new(view),
            products: (0..view.product_count()).map(|ix| sum(Item::Product(ProductIx(ix)))).collect(),
            offers: (0..view.offers.len() as u32).map(|ix| sum(Item::Offer(OfferIx(ix)))).collect(),
            model,
        }
    }

    pub(crate) fn generation(&self) -> u32 {
        self.model.generation
    }

    /// What it looks at of an item.
    pub(crate) fn about(&self, view: &View<'_>, item: Item, relevance: u16, refill: bool) -> About {
        let factor = match item {
            Item::Product(ProductIx(ix)) => self.products.get(ix as usize),
            Item::Offer(OfferIx(ix)) => self.offers.get(ix as usize),
        };
        About {
            factor: factor.copied().unwrap_or(0),
            key: self.keys.of(view, item),
            relevance: relevance.min(1023),
            refill,
        }
    }

    /// Makes it ready for one request.
    pub(crate) fn ask(&self, context: &Context<'_>, placement: &[u8; PLACEMENT_BYTES]) -> Asking<'_> {
        let end = placement.iter().position(|byte| *byte == 0).unwrap_or(PLACEMENT_BYTES);
        let placement = std::str::from_utf8(placement.get(..end).unwrap_or(&[])).unwrap_or("");
        let lines = context.lines.iter().take(TYPES_LOGGED).filter(|line| !line.sensitive);
        let types = lines.filter_map(|line| self.keys.of_type(line.kind));
        let asked = Asked::new(placement, context.order_value, types);
        Asking { bound: self, asked, placement: self.model.factor(Level::Placement, placement) }
    }
}

/// A model, asked about one request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asking<'a> {
    bound: &'a Bound,
    asked: Asked,
    placement: i32,
}

impl Asking<'_> {
    /// Says how likely a candidate is accepted, and what it is worth then. A shadow leaves the candidate as it was.
    pub(crate) fn weigh(&self, view: &View<'_>, candidate: &mut Candidate) {
        let refill = candidate.relation == Relation::Refill;
        let about = self.bound.about(view, candidate.item, candidate.relevance, refill);
        let own = candidate.p_accept_ppm;
        let odds = self.bound.model.log_odds(own, self.placement, &about, &self.asked);
        let learnt = probability_ppm(odds);
        if self.bound.shadow {
            candidate.p_other_ppm = learnt;
            return;
        }
        (candidate.p_accept_ppm, candidate.p_other_ppm) = (learnt, own);
        candidate.ev_micros = ranking::expected(learnt, candidate.value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn log_odds_and_probabilities_are_those_of_the_reals() {
        for ppm in [1u32, 10, 500, 20_000, 500_000, 800_000, 999_999] {
            let p = f64::from(ppm) / 1e6;
            let want = (p / (1.0 - p)).log2() * 65_536.0;
            assert!((log_odds(ppm) as f64 - want).abs() < 3.0, "{ppm}");
            assert!(probability_ppm(log_odds(ppm)).abs_diff(ppm) <= 1 + ppm / 20_000, "{ppm}");
        }
        assert_eq!((probability_ppm(i64::MIN), probability_ppm(i64::MAX)), (1, 999_999));
    }

    #[cfg(feature = "log")]
    #[test]
    fn a_file_reads_as_it_was_written_and_no_other_does() {
        let mut model = Model::new(4, [7; SLOTS_MAX], 99);
        model.factors = vec![(3, -5), (9, 5)];
        model.weights[3] = -1;
        let bytes = model.to_bytes();
        let read = Model::read(&bytes).expect("whole");
        assert!(read.generation > 0);
        assert_eq!(Model { generation: 0, ..read }, model);
        for at in 0..bytes.len() {
            assert!(Model::read(&bytes[..at]).is_err(), "cut at {at}");
            let mut damaged = bytes.clone();
            damaged[at] ^= 0x10;
            assert!(Model::read(&damaged).is_err(), "byte {at}");
        }
    }
}
