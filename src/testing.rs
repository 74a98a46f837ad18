//! Read access for this crate's own tests. Not part of the interface: it may change at any time.

use crate::context;
use crate::engine::Engine;
use crate::features;
use crate::index::SearchCounters;
use crate::index::search::{key_ix, key_score};
use crate::offer::{Counters, Item, ProductIx, Relation};
use crate::profile::Profile;
use crate::ranking;
use crate::record;
use crate::retrieve;
use crate::scratch::{Candidate, NO_LINE, Scratch};
use crate::transaction::Transaction;
use crate::vocabulary::Role;

/// What ranking says of one product, whatever the rules say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Score {
    /// Thousandths.
    pub relevance: u16,
    /// What orders products of equal contribution.
    pub score: i32,
    /// Parts per million.
    pub p_accept_ppm: u32,
    /// Minor units.
    pub value: i64,
    /// Millionths of a minor unit.
    pub ev_micros: i64,
    /// Bought line behind it.
    pub line: Option<u16>,
    /// How it leads there.
    pub relation: Relation,
}

/// What retrieval takes from the basket and the history as a whole.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Learnt {
    /// Types that go with what was bought, with what makes each worth asking.
    pub worth: Vec<(u32, u64)>,
    /// Direction of the earlier purchases.
    pub taste: Option<Vec<i8>>,
    /// Weight of the earlier purchases of each product.
    pub bought_before: Vec<(ProductIx, i32)>,
    /// What the types of the earlier purchases say of other types.
    pub past_types: Vec<(u32, u32)>,
    /// Products of the item-item lists, with what makes each worth a place: by the basket, by the earlier purchases.
    pub linked: Vec<(ProductIx, [i32; 2])>,
    /// Products that most customers bought lately.
    pub best_sellers: Vec<ProductIx>,
}

/// What the file says of one product.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Facts {
    /// Number of its type.
    pub kind: u32,
    /// Stated or learnt role.
    pub role: Role,
    /// Distinct customers.
    pub popularity: u32,
    /// Lower quartile of its type's intervals in days.
    pub replenish_days: u16,
    /// Products in its own item-item list.
    pub associates: usize,
}

/// Scores products, which retrieval may or may not have found.
#[must_use]
pub fn scores(
    engine: &Engine,
    transaction: &Transaction<'_>,
    profile: &Profile<'_>,
    products: &[ProductIx],
) -> Vec<Score> {
    let mut scratch = Scratch::new(engine);
    let Scratch { context, work } = &mut scratch;
    let context = context::resolve(engine.view(), engine.policy(), transaction, profile, context);
    retrieve::from_lists(&context, engine.effort(), work);
    let learnt = work.learnt();
    let score = |ix: &ProductIx| {
        let mut candidate = Candidate::new(Item::Product(*ix), Relation::BoughtTogether, NO_LINE);
        if let Some(record) = context.view.product(ix.0) {
            ranking::score_product(&context, engine.kernel(), learnt, record, &mut candidate);
        }
        Score {
            relevance: candidate.relevance,
            score: candidate.score,
            p_accept_ppm: candidate.p_accept_ppm,
            value: candidate.value,
            ev_micros: candidate.ev_micros,
            line: (candidate.line != NO_LINE).then_some(candidate.line),
            relation: candidate.relation,
        }
    };
    products.iter().map(score).collect()
}

/// What a decision finds by vectors for its lines: from lists of what lies near, and by a search.
#[must_use]
pub fn nearest(engine: &Engine, transaction: &Transaction<'_>, profile: &Profile<'_>) -> Vec<ProductIx> {
    let mut scratch = Scratch::new(engine);
    let Scratch { context, work } = &mut scratch;
    let context = context::resolve(engine.view(), engine.policy(), transaction, profile, context);
    let mut counters = Counters::default();
    work.candidates.clear();
    retrieve::near_products(&context, engine.effort(), work);
    let of_product = |candidate: &Candidate| match candidate.item {
        Item::Product(ix) => Some(ix),
        Item::Offer(_) => None,
    };
    let mut found: Vec<ProductIx> = work.candidates.list.iter().filter_map(of_product).collect();
    let effort = context.effort(engine.effort());
    retrieve::complements(&context, engine.kernel(), effort, work, &mut counters);
    found.extend(work.hits.iter().map(|key| ProductIx(key_ix(*key))));
    found
}

/// The same with all lines asking, also those for which lists would speak: with their scores, best first, and what it cost.
#[must_use]
pub fn searched(
    engine: &Engine,
    transaction: &Transaction<'_>,
    profile: &Profile<'_>,
) -> (Vec<(i32, ProductIx)>, SearchCounters) {
    let mut scratch = Scratch::new(engine);
    let Scratch { context, work } = &mut scratch;
    let context = context::resolve(engine.view(), engine.policy(), transaction, profile, context);
    let mut counters = Counters::default();
    work.candidates.clear();
    work.wide = true;
    let effort = context.effort(engine.effort());
    retrieve::complements(&context, engine.kernel(), effort, work, &mut counters);
    (work.hits.iter().map(|key| (key_score(*key), ProductIx(key_ix(*key)))).collect(), counters.search)
}

/// Facts of a product.
#[must_use]
pub fn facts(engine: &Engine, product: ProductIx) -> Option<Facts> {
    let view = engine.view();
    let record = view.product(product.0)?;
    let kind = view.type_of(product.0);
    Some(Facts {
        kind,
        role: Role::from_code(record.role)?,
        popularity: record.popularity.get(),
        replenish_days: view.types.get(kind as usize)?.replenish_days[0].get(),
        associates: view.associates_of(product.0).len(),
    })
}

/// What retrieval makes of a request.
#[must_use]
pub fn learnt(engine: &Engine, transaction: &Transaction<'_>, profile: &Profile<'_>) -> Learnt {
    let mut scratch = Scratch::new(engine);
    let Scratch { context, work } = &mut scratch;
    let context = context::resolve(engine.view(), engine.policy(), transaction, profile, context);
    retrieve::learn(&context, work);
    let taste = work.taste.get(..context.view.dim).filter(|_| work.has_taste);
    Learnt {
        worth: work.pooled.list.iter().map(|kind| (kind.to, ranking::type_worth(kind))).collect(),
        taste: taste.map(<[i8]>::to_vec),
        bought_before: context
            .past
            .iter()
            .map(|past| (ProductIx(past.product), features::bought_before(past)))
            .collect(),
        past_types: work.past_kinds.list.iter().map(|kind| (kind.product, kind.direct)).collect(),
        linked: work.links.list.iter().map(|l| (ProductIx(l.product), retrieve::link_worth(l))).collect(),
        best_sellers: context.view.best_sellers.iter().map(|ix| ProductIx(ix.get())).collect(),
    }
}

/// Products that the earlier baskets most like this one held: their share of those baskets, each by how like it is, in 1/65,536,
/// and how many held it.
#[must_use]
pub fn similar(engine: &Engine, transaction: &Transaction<'_>) -> Vec<(ProductIx, u32, u32)> {
    let mut scratch = Scratch::new(engine);
    let Scratch { context, work } = &mut scratch;
    let profile = Profile::default();
    let context = context::resolve(engine.view(), engine.policy(), transaction, &profile, context);
    work.links.clear();
    crate::similar::add(&context, work);
    work.links.list.iter().map(|link| (ProductIx(link.product), link.similar.0, link.similar.1)).collect()
}

/// The id of a group of decisions.
#[must_use]
pub fn group_id(engine: &Engine, transaction: &Transaction<'_>) -> u128 {
    record::group_id(engine.generations(), transaction)
}

/// Rows of a product: IN, then OUT.
#[must_use]
pub fn rows(engine: &Engine, product: ProductIx) -> (Vec<i8>, Vec<i8>) {
    let view = engine.view();
    let row = |row: Option<&[i8]>| row.unwrap_or(&[]).to_vec();
    (row(view.in_vector(product.0)), row(view.out_vector(product.0)))
}

/// Dot product of two rows of similarity 1.
#[must_use]
pub fn unit_dot(engine: &Engine) -> u32 {
    engine.view().unit_dot
}
