//! From feeds to the bytes of a catalog: names are numbered, affinities learnt, products grouped into cells, and all of it laid out.

use std::collections::HashSet;

use zerocopy::IntoBytes;
use zerocopy::little_endian::{I32, I64, U16, U32, U64};

use super::affinity::{self, Affinity, AffinityInput, AffinityOptions};
use super::associates;
use super::attributes;
use super::baskets;
use super::cells::{self, Cells};
use super::codes::{self, Codes};
pub(crate) use super::dictionary::Dictionary;
use super::error::BuildError;
use super::feed::{Embeddings, NONE, Orders, Partners, Product};
use super::names::{self, NameTable, RegionSets, Strings};
use super::near;
use super::offers;
use super::placement::Placement;
use super::progress::Progress;
use super::provenance::Provenance;
use super::quantize::{self, Rotation, Rows};
use super::ranker::{self, Ranker};
use super::rehearse;
use super::tune;
use super::write::{Facts, Writer};
use crate::distance::BLOCK;
use crate::index::format::{
    AreaRecord, CategoryRecord, CellRecord, MetaRecord, NameKind, NameRecord, PolicyRecord, ProductRecord,
    SectionKind as S, TransitionRecord, TypeRecord,
};
use crate::index::{Catalog, Verify};
use crate::limits::{DIM_MAX, DIM_STEP, ID_BYTES_MAX, PRODUCTS_MAX, RERANK, VISIT_BUDGET};
use crate::policy::{CompiledPolicy, Policy};
use crate::vocabulary::{Currency, Role};

/// Everything a catalog is made of.
#[derive(Debug, Clone, Default)]
pub struct Inputs {
    /// The product feed.
    pub products: Vec<Product>,
    /// Currency of all prices; `None` = US dollar.
    pub currency: Option<Currency>,
    /// The orders; may be empty.
    pub orders: Orders,
    /// Partners and their offers; may be empty.
    pub partners: Partners,
    /// The merchant's policy; `None` = the default.
    pub policy: Option<Policy>,
    /// Product embeddings for products without orders.
    pub embeddings: Option<Embeddings>,
    /// IN and OUT vectors made elsewhere, in place of learning them from the orders.
    pub vectors: Option<Vectors>,
}

/// Vectors of all products, row-major, one unit-length row per product.
#[derive(Debug, Clone, Default)]
pub struct Vectors {
    /// Components of a row: a multiple of 64, at most 512.
    pub dim: usize,
    /// OUT (as offered).
    pub out_rows: Vec<f32>,
    /// IN (as bought); `None` = the same as OUT.
    pub in_rows: Option<Vec<f32>>,
}

/// How a catalog is made.
#[derive(Debug, Clone)]
pub struct BuildOptions {
    /// How affinities are learnt.
    pub affinity: AffinityOptions,
    /// Seed of everything random.
    pub seed: u64,
    /// Name and version of the category vocabulary, which policies must name.
    pub taxonomy: String,
    /// Contribution margin in basis points where the feed gives no cost. Default 3,000.
    pub margin_bps: u16,
    /// Share of the true ten nearest products that a search is to find: the builder measures how many products it must
    /// compare for that. Default 0.95.
    pub recall: f64,
    /// Keep a list of what lies near each product of which orders say little, so that decisions search only where rules leave too
    /// little of it. 196 bytes for each such product, once for those that ask alike. Default true.
    pub near_lists: bool,
    /// Keep earlier baskets, without who bought them, so that decisions can look for the ones most like their own. Default true.
    pub baskets: bool,
    /// Keep four more bits of each OUT component: for a recall above 0.97 of vectors made elsewhere. Default false.
    pub fine_rows: bool,
    /// Learn the probability of acceptance from held-out orders; else a cautious table is used. Default true.
    pub calibrate: bool,
    /// Where orders say little of a type, go by what usually goes with its category (`src/build/prior`). Default true.
    pub prior: bool,
}

impl BuildOptions {
    /// How affinities are learnt, under the one seed.
    fn learning(&self) -> AffinityOptions {
        AffinityOptions { seed: self.seed, ..self.affinity.clone() }
    }
}

impl Default for BuildOptions {
    fn default() -> Self {
        Self {
            affinity: AffinityOptions::default(),
            seed: 1,
            taxonomy: "merchant".into(),
            margin_bps: 3000,
            recall: 0.95,
            near_lists: true,
            baskets: true,
            fine_rows: false,
            calibrate: true,
            prior: true,
        }
    }
}

/// Builds the bytes of a catalog file. The same inputs and options give the same bytes.
///
/// # Errors
/// [`BuildError`]: inputs that do not fit together, or exceed a limit of the format.
pub fn build(
    inputs: &Inputs,
    options: &BuildOptions,
    progress: &dyn Progress,
) -> Result<Vec<u8>, BuildError> {
    check(inputs, options)?;
    if inputs.orders.lines.len() >= rehearse::WORTH_LINES {
        rehearse::rehearse(inputs, options)?;
    }
    let dictionary = Dictionary::new(inputs, options)?;
    let ranker = if options.calibrate {
        ranker::learn(inputs, &dictionary, options, progress)?
    } else {
        Ranker::default()
    };
    let writer = assemble(inputs, &dictionary, &inputs.orders, options, &ranker, progress)?;
    let contracts = super::offers::contracts(&inputs.partners)?;
    finish(writer, inputs.policy.as_ref(), &contracts, options, progress)
}

fn check(inputs: &Inputs, options: &BuildOptions) -> Result<(), BuildError> {
    let wrong = |problem: String, way_out: &str| Err(BuildError::Input { problem, way_out: way_out.into() });
    let dim = inputs.vectors.as_ref().map_or(options.affinity.dim, |vectors| vectors.dim);
    if inputs.products.is_empty() {
        return wrong("the product feed has no products".into(), "give a feed with at least one product");
    }
    if inputs.products.len() > PRODUCTS_MAX as usize {
        return wrong(format!("{} products", inputs.products.len()), "a catalog holds at most 268,435,456");
    }
    if !(0.5..=0.999).contains(&options.recall) {
        return wrong(format!("recall {}", options.recall), "choose a share from 0.5 to 0.999");
    }
    if let Some(vectors) = &inputs.vectors {
        let rows = |values: &Vec<f32>| values.len() == inputs.products.len() * vectors.dim;
        let fit = rows(&vectors.out_rows) && vectors.in_rows.as_ref().is_none_or(rows);
        if !fit || !vectors.out_rows.iter().chain(vectors.in_rows.iter().flatten()).all(|v| v.is_finite()) {
            return wrong("vectors that do not fit".into(), "give one row of finite values for each product");
        }
    }
    if dim == 0 || dim > DIM_MAX || !dim.is_multiple_of(DIM_STEP) {
        return wrong(format!("dimension {dim}"), "choose a multiple of 64 up to 512");
    }
    let partners = &inputs.partners;
    check_ids("product", inputs.products.iter().map(|p| p.id.as_str()))?;
    check_ids("partner", partners.partners.iter().map(|p| p.id.as_str()))?;
    check_ids("offer", partners.offers.iter().map(|o| o.id.as_str()))?;
    let offers: HashSet<&str> = partners.offers.iter().map(|o| o.id.as_str()).collect();
    match inputs.products.iter().find(|p| offers.contains(p.id.as_str())) {
        None => Ok(()),
        Some(p) => wrong(format!("\"{}\" is the id of a product and of an offer", p.id), "rename the offer"),
    }
}

/// A rule finds what it names by its id: of two with one id, it would miss the second.
fn check_ids<'a>(what: &str, ids: impl Iterator<Item = &'a str>) -> Result<(), BuildError> {
    let mut seen = HashSet::new();
    for id in ids {
        let problem = if id.is_empty() || id.len() > ID_BYTES_MAX {
            format!("{what} id \"{id}\" has {} bytes", id.len())
        } else if seen.insert(id) {
            continue;
        } else {
            format!("{what} id \"{id}\" is there twice")
        };
        return Err(BuildError::Input { problem, way_out: "give each its own id of 1 to 64 bytes".into() });
    }
    Ok(())
}

/// Learns from `orders` and lays everything out. The policy section is empty yet.
pub(crate) fn assemble(
    inputs: &Inputs,
    dictionary: &Dictionary<'_>,
    orders: &Orders,
    options: &BuildOptions,
    ranker: &Ranker,
    progress: &dyn Progress,
) -> Result<Writer, BuildError> {
    let tree = &dictionary.taxonomy;
    let input = AffinityInput {
        products: inputs.products.len(),
        type_of: &tree.type_of,
        types: tree.type_category.len(),
        category_parent: &tree.parents,
        category_of: &tree.category_of,
        brand_of: &dictionary.brand_of,
        embeddings: inputs.embeddings.as_ref(),
        words: Some(&dictionary.words),
        orders,
        vectors_given: inputs.vectors.is_some(),
        prior: &dictionary.prior,
    };
    let mut affinity = affinity::learn(&input, &options.learning(), progress)?;
    let (out_vectors, in_vectors) = match &inputs.vectors {
        Some(given) => {
            affinity.dim = given.dim;
            (&given.out_rows, given.in_rows.as_ref().unwrap_or(&given.out_rows))
        }
        None => (&affinity.out_vectors, &affinity.in_vectors),
    };
    let rotation = Rotation::new(affinity.dim, options.seed);
    let (out_rows, fine) = quantize::quantize_fine(out_vectors, &rotation, options.fine_rows);
    let in_rows = quantize::quantize(in_vectors, &rotation);
    let grouped = cells::group(&out_rows, options.seed, progress);
    let placed = Placement::new(&grouped.cell_of, &tree.type_of, grouped.centroids.len());
    let facts = Facts {
        dimension: affinity.dim as u32,
        products: inputs.products.len() as u32,
        cells: grouped.centroids.len() as u32,
        areas: grouped.areas.len() as u32,
        fine: options.fine_rows,
        // Not the clock: equal inputs give equal bytes.
        created_at_ms: inputs.orders.lines.iter().map(|line| line.at_ms).max().unwrap_or(0),
    };
    let mut layout = Layout {
        inputs,
        dictionary,
        affinity: &affinity,
        placed: &placed,
        writer: Writer::new(facts),
        strings: Strings::default(),
        names: NameTable::default(),
        regions: RegionSets::default(),
    };
    layout.put_vectors(out_rows, &fine, &in_rows, &grouped.centroids);
    layout.put_cells(&grouped);
    layout.put_types();
    associates::put(&mut layout);
    if options.baskets {
        baskets::put(&mut layout);
    }
    layout.put_categories_and_brands();
    layout.put_products()?;
    attributes::put(&mut layout);
    offers::put(&mut layout)?;
    layout.put_meta(options, orders, ranker);
    let said = Provenance::new(inputs, options, &affinity, ranker.measured).encode()?;
    layout.writer.put_bytes(S::Provenance, said);
    layout.finish()
}

/// The sections under construction.
#[derive(Debug)]
pub(crate) struct Layout<'a> {
    pub(crate) inputs: &'a Inputs,
    pub(crate) dictionary: &'a Dictionary<'a>,
    pub(crate) affinity: &'a Affinity,
    pub(crate) placed: &'a Placement,
    pub(crate) writer: Writer,
    pub(crate) strings: Strings,
    pub(crate) names: NameTable,
    pub(crate) regions: RegionSets,
}

/// As [`ProductRecord::share_of_type`] keeps it, drawn towards little by ten customers of the type that bought nothing.
fn share_of_type(customers: u32, of_type: u64) -> u8 {
    let share = (f64::from(customers) + 0.5) / (of_type as f64 + 10.0);
    (255.0 + 16.0 * share.log2()).clamp(0.0, 255.0) as u8
}

impl Layout<'_> {
    fn put_vectors(&mut self, out_rows: Rows, fine: &[u8], in_rows: &Rows, centroids: &Rows) {
        let dim = out_rows.dim;
        let out_rows = Rows { dim, values: self.placed.in_order(&out_rows.values, dim) };
        let Codes { codes, steps } = codes::encode(&out_rows, centroids, &self.placed.cells);
        self.writer.put_bytes(S::OutCodes, codes);
        self.writer.put(S::OutSteps, &steps);
        if fine.is_empty() {
            self.writer.put(S::OutVectors, &out_rows.values);
        } else {
            let fine = self.placed.in_order(fine, dim / 2);
            let rows = out_rows.values.as_bytes().chunks_exact(dim).zip(fine.chunks_exact(dim / 2));
            self.writer.put_bytes(S::OutVectors, rows.flat_map(|(row, fine)| [row, fine].concat()).collect());
        }
        self.writer.put(S::InVectors, &self.placed.in_order(&in_rows.values, dim));
        self.writer.put(S::Centroids, &centroids.values);
    }

    fn put_refill(&mut self) {
        if let Some(refill) = &self.affinity.refill {
            let days: Vec<U16> = self.placed.in_order(&refill.days, 1).into_iter().map(U16::new).collect();
            self.writer.put(S::RefillDays, &days);
            self.writer.put(S::RefillWeights, &refill.weights.map(I32::new));
        }
    }

    fn put_cells(&mut self, grouped: &Cells) {
        let mut block_start = 0;
        let cells = self.placed.cells.iter().map(|(start, count)| {
            let block_start = advance(&mut block_start, *count);
            CellRecord { start: U32::new(*start), count: U32::new(*count), block_start }
        });
        self.writer.put(S::Cells, &cells.collect::<Vec<_>>());
        let mut block_start = 0;
        let areas = grouped.areas.iter().map(|(start, count)| {
            let block_start = advance(&mut block_start, *count);
            AreaRecord { start: U32::new(*start), count: U32::new(*count), block_start }
        });
        self.writer.put(S::Areas, &areas.collect::<Vec<_>>());
        self.writer.put(S::AreaCentroids, &grouped.area_centroids.values);
        let Codes { codes, steps } =
            codes::encode(&grouped.centroids, &grouped.area_centroids, &grouped.areas);
        self.writer.put_bytes(S::CellCodes, codes);
        self.writer.put(S::CellSteps, &steps);
    }

    fn put_types(&mut self) {
        self.put_refill();
        let tree = &self.dictionary.taxonomy;
        let types = tree.type_category.len();
        let mut members: Vec<Vec<u32>> = vec![Vec::new(); types];
        for (ix, row) in self.placed.row_of.iter().enumerate() {
            members[tree.type_of[*row as usize] as usize].push(ix as u32);
        }
        let popularity = |ix: &u32| self.affinity.popularity[self.placed.row_of[*ix as usize] as usize];
        let (mut records, mut products, mut transitions) = (Vec::new(), Vec::new(), Vec::new());
        for (kind, mut own) in members.into_iter().enumerate() {
            own.sort_by_key(|ix| (std::cmp::Reverse(popularity(ix)), *ix));
            let goes_with = &self.affinity.transitions[kind];
            records.push(TypeRecord {
                category: U32::new(tree.type_category[kind]),
                products_start: U32::new(products.len() as u32),
                products_count: U32::new(own.len() as u32),
                transitions_start: U32::new(transitions.len() as u32),
                transitions_count: U16::new(goes_with.len() as u16),
                replenish_days: self.affinity.replenish_days[kind].map(U16::new),
                role: self.affinity.type_roles[kind].code(),
                bought: u8::from(own.first().is_some_and(|ix| popularity(ix) > 0)),
                reserved: [0; 6],
            });
            products.extend(own.into_iter().map(U32::new));
            transitions.extend(goes_with.iter().map(|t| TransitionRecord {
                to: U32::new(t.to),
                lift_q8: U32::new((f64::from(t.lift) * 256.0).round() as u32),
                probability_ppm: U32::new((f64::from(t.probability) * 1e6).round() as u32),
                support: U16::new(t.support.min(u16::MAX.into()) as u16),
                direct_q16: U16::new((t.direct * 65_536.0).min(65_535.0) as u16),
            }));
        }
        self.writer.put(S::Types, &records);
        self.writer.put(S::TypeProducts, &products);
        self.writer.put(S::Transitions, &transitions);
        let type_of = self.placed.row_of.iter().map(|row| U32::new(tree.type_of[*row as usize]));
        self.writer.put(S::TypeOf, &type_of.collect::<Vec<_>>());
    }

    fn put_categories_and_brands(&mut self) {
        let tree = &self.dictionary.taxonomy;
        let count = tree.paths.len();
        let mut type_of = vec![NONE; count];
        for (kind, category) in tree.type_category.iter().enumerate().filter(|(_, c)| **c != NONE) {
            type_of[*category as usize] = kind as u32;
        }
        // Most bought product of each subtree, children before parents.
        let (mut products, mut stand_in) = (vec![0u32; count], vec![(0u32, NONE); count]);
        for (row, category) in tree.category_of.iter().enumerate().filter(|(_, c)| **c != NONE) {
            let (popularity, ix) = (self.affinity.popularity[row], self.placed.ix_of[row]);
            products[*category as usize] += 1;
            better(&mut stand_in[*category as usize], (popularity, ix));
        }
        for category in (0..count).rev() {
            let parent = tree.parents[category] as usize;
            if parent < count {
                products[parent] += products[category];
                let own = stand_in[category];
                better(&mut stand_in[parent], own);
            }
        }
        let records: Vec<CategoryRecord> = (0..count)
            .map(|ix| CategoryRecord {
                path: self.strings.add(&tree.paths[ix]),
                parent: U32::new(tree.parents[ix]),
                subtree_end: U32::new(tree.ends[ix]),
                type_ix: U32::new(type_of[ix]),
                stand_in: U32::new(stand_in[ix].1),
                products: U32::new(products[ix]),
                reserved: [0; 12],
            })
            .collect();
        self.names.extend(NameKind::Category, tree.paths.iter().map(String::as_str));
        self.writer.put(S::Categories, &records);
        let brands: Vec<NameRecord> =
            self.dictionary.brands.iter().map(|name| NameRecord { name: self.strings.add(name) }).collect();
        self.names.extend(NameKind::Brand, self.dictionary.brands.iter().copied());
        self.writer.put(S::Brands, &brands);
    }

    fn put_products(&mut self) -> Result<(), BuildError> {
        let mut records = Vec::with_capacity(self.placed.row_of.len());
        let mut of_type = vec![0u64; self.affinity.type_roles.len()];
        for (popularity, kind) in self.affinity.popularity.iter().zip(&self.dictionary.taxonomy.type_of) {
            of_type[*kind as usize] += u64::from(*popularity);
        }
        for row in self.placed.row_of.iter().map(|row| *row as usize) {
            let product = &self.inputs.products[row];
            let kind = self.dictionary.taxonomy.type_of[row] as usize;
            let popularity = self.affinity.popularity[row];
            let (learnt_role, facts) = (self.affinity.type_roles[kind], &self.affinity.facts[row]);
            records.push(ProductRecord {
                id: self.strings.add(&product.id),
                title: self.strings.add(&product.title),
                price: I64::new(self.dictionary.price_of[row].unwrap_or(-1)),
                category: U32::new(self.dictionary.taxonomy.category_of[row]),
                brand: U32::new(self.dictionary.brand_of[row]),
                group: U32::new(self.dictionary.group_of[row]),
                partner: U32::new(self.dictionary.partner_of[row]),
                popularity: U32::new(popularity),
                margin_bps: U16::new(product.margin_bps.unwrap_or(u16::MAX)),
                region_set: U16::new(self.regions.add(&product.eligible_regions)?),
                popularity_log_q8: U16::new(
                    (f64::from(popularity).ln_1p() / std::f64::consts::LN_2 * 256.0) as u16,
                ),
                availability: product.availability.code(),
                role: if product.role == Role::Unknown { learnt_role } else { product.role }.code(),
                sensitive: product.sensitive.code(),
                age_min: product.age_min,
                learnt: u8::from(popularity > 0),
                came_back: (facts.came_back * 255.0) as u8,
                type_ix: U32::new(kind as u32),
                trend: (facts.trend * 16.0 + 128.0).clamp(0.0, 255.0) as u8,
                share_of_type: share_of_type(popularity, of_type[kind]),
                gap_days: U16::new(facts.gap_days.round().min(65_535.0) as u16),
            });
        }
        let ids = self.placed.row_of.iter().map(|row| self.inputs.products[*row as usize].id.as_str());
        self.names.extend(NameKind::Product, ids);
        self.writer.put(S::Products, &records);
        Ok(())
    }

    fn put_meta(&mut self, options: &BuildOptions, orders: &Orders, ranker: &Ranker) {
        let mut known: Vec<i64> = self.dictionary.price_of.iter().flatten().copied().collect();
        known.sort_unstable();
        let median = known.get(known.len() / 2).copied().unwrap_or(1000);
        let meta = MetaRecord {
            currency: self.inputs.currency.unwrap_or(Currency::USD).0,
            reserved8: 0,
            taxonomy: self.strings.add(&options.taxonomy),
            typical_contribution: I64::new(
                (i128::from(median) * i128::from(options.margin_bps) / 10_000).clamp(1, i64::MAX.into())
                    as i64,
            ),
            margin_bps: U32::new(options.margin_bps.into()),
            unit_dot: U32::new(quantize::unit_dot(self.affinity.dim)),
            visit_budget: U32::new(VISIT_BUDGET),
            rerank: U32::new(RERANK),
            recall_ppm: U32::new(0),
            customers: U32::new(orders.customers),
            baskets: U64::new(orders.baskets.into()),
            reserved: [0; 76],
        };
        self.writer.put(S::Meta, &[meta]);
        self.writer.put(S::Calibration, &ranker.calibration.map(U32::new));
        self.writer.put(S::Ranker, &ranker.tables);
    }

    fn finish(mut self) -> Result<Writer, BuildError> {
        self.writer.put(S::Names, &self.names.table());
        self.writer.put_bytes(S::RegionSets, self.regions.bytes());
        self.writer.put_bytes(S::Strings, names::finish(self.strings)?);
        Ok(self.writer)
    }
}

/// First block of a range of `count` rows; the next range begins after its last.
fn advance(next: &mut u32, count: u32) -> U32 {
    let here = *next;
    *next += count.div_ceil(BLOCK as u32);
    U32::new(here)
}

/// Keeps the more popular of two; the lower index where equal.
fn better(kept: &mut (u32, u32), other: (u32, u32)) {
    if kept.1 == NONE
        || (other.1 != NONE && (other.0, std::cmp::Reverse(other.1)) > (kept.0, std::cmp::Reverse(kept.1)))
    {
        *kept = other;
    }
}

/// Resolves the policy against the catalog that was laid out, measures how hard its searches must try, and writes the file
/// with both.
pub(crate) fn finish(
    mut writer: Writer,
    policy: Option<&Policy>,
    contracts: &[PolicyRecord],
    options: &BuildOptions,
    progress: &dyn Progress,
) -> Result<Vec<u8>, BuildError> {
    writer.put::<PolicyRecord>(S::Policy, &[]);
    let unusable = |problem: String| BuildError::Input {
        problem,
        way_out: "this is a defect of aftercart: report it".into(),
    };
    writer.put(S::PolicyAllowed, &vec![U64::new(u64::MAX); writer.products().div_ceil(64)]);
    let draft = Catalog::from_bytes(writer.finish(), Verify::Structure);
    let draft = draft.map_err(|error| unusable(error.to_string()))?;
    let view = draft.view();
    let policy = policy.cloned().unwrap_or_default();
    let mut rules = policy.resolve(&view)?;
    rules.extend_from_slice(contracts);
    let compiled = CompiledPolicy::compile(&rules, &view).map_err(|error| unusable(error.to_string()))?;
    let allowed: Vec<U64> = compiled.allowed_bits(&view).into_iter().map(U64::new).collect();
    let mut meta = draft.meta();
    let tuned = tune::measure(&draft, options.recall, progress);
    let near = options.near_lists.then(|| near::lists(&draft, progress));
    (meta.visit_budget, meta.rerank) = (U32::new(tuned.effort.visits), U32::new(tuned.effort.rerank));
    meta.recall_ppm = U32::new(tuned.recall_ppm);
    drop(draft);
    if let Some((numbers, lists)) = near {
        writer.put(S::NearOf, &numbers);
        writer.put(S::Near, &lists);
    }
    writer.put(S::Policy, &rules);
    writer.put(S::PolicyAllowed, &allowed);
    writer.put(S::Meta, &[meta]);
    Ok(writer.finish())
}

#[cfg(test)]
mod tests {
    use super::share_of_type;

    #[test]
    fn twice_the_share_of_a_type_is_sixteen_more() {
        let share = |customers| share_of_type(customers, 1_000_000);
        assert_eq!([share(500_000), share(250_000), share(125_000)], [238, 222, 206]);
        assert_eq!((share_of_type(u32::MAX, u64::from(u32::MAX)), share_of_type(0, u64::MAX)), (254, 0));
        assert!(
            share_of_type(0, 0) < share_of_type(1, 1),
            "nobody bought anything of it, or one customer this"
        );
    }
}
