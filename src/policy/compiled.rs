//! A policy made ready for decisions on one catalog: bitmaps and small tables.

use std::collections::HashMap;

use zerocopy::IntoBytes;

use super::PolicyError;
use super::bits;
use super::classes::Classes;
use super::consent::ConsentRules;
use super::contracts::Contracts;
use super::facts::text_hash;
use super::placements::{self, Placed, Slot, ladder_of};
use super::questions;
use super::resolve::setting;
use super::rules::{Holding, Rules, all_refusals};
use super::selectors::{By, Member, Selectors};
use super::stored::Reader;
use super::zone::Zone;
use crate::experiment::{self, Experiments};
use crate::index::format::{NONE, PolicyRecord, rule};
use crate::index::{AllowList, View};
use crate::limits::APART_MAX;
use crate::live::LiveRules;
use crate::offer::{Item, OfferIx, ProductIx};
use crate::suppression;
use crate::transaction::Placement;
use crate::vocabulary::{OfferKind, SensitiveClass};

/// Every second bit.
const EVEN: u64 = 0x5555_5555_5555_5555;

/// A bit per side of a pair: pair p has bits 2p and 2p + 1.
type Sides = [u64; APART_MAX / 32];

/// A policy ready for decisions on one catalog. Immutable.
#[derive(Debug, Clone)]
pub(crate) struct CompiledPolicy {
    pub(crate) generation: u64,
    pub(crate) kill_switch: bool,
    pub(crate) min_p_accept_ppm: u32,
    pub(crate) max_per_type: u8,
    pub(crate) max_per_brand: u8,
    pub(crate) max_per_partner: u8,
    pub(crate) max_third_party: u8,
    pub(crate) max_refill_percent: u8,
    pub(crate) value_by_margin: bool,
    pub(crate) max_price_percent: u32,
    pub(crate) deny_unknown_availability: bool,
    pub(crate) deny_unknown_price: bool,
    pub(crate) consent: ConsentRules,
    pub(crate) live: LiveRules,
    /// Roots of suppressed and solely allowed subtrees, sorted.
    pub(crate) suppressed_categories: Vec<u32>,
    pub(crate) allowed_categories: Vec<u32>,
    pub(crate) suppressed_brands: Vec<u32>,
    pub(crate) suppressed_partners: Vec<u32>,
    pub(crate) suppressed_products: Vec<u32>,
    pub(crate) suppressed_offers: Vec<u32>,
    /// Bit per [`OfferKind`] code.
    pub(crate) suppressed_kinds: u32,
    /// Bit per [`SensitiveClass`] code.
    pub(crate) allowed_sensitive: u32,
    /// Per category: class and least age, inherited from above; the nearest mark wins.
    pub(crate) category_marks: Vec<(SensitiveClass, u8)>,
    /// The marks themselves: category, class, least age.
    pub(crate) marks: Vec<(u32, SensitiveClass, u8)>,
    /// Per category: no suppressed subtree holds it, and a solely allowed one does where there are any.
    pub(crate) category_open: Vec<bool>,
    /// Products that no rule that is known beforehand refuses.
    pub(crate) allowed: AllowList,
    /// Rules with conditions.
    pub(crate) rules: Rules,
    /// What those refuse, as a search asks for it.
    pub(crate) classes: Classes,
    /// Pairs that may not meet: pair p has sets 2p and 2p + 1.
    pub(crate) apart: Selectors,
    /// The names of the pairs' sets once more, plainly, for the final check.
    pub(crate) apart_members: Vec<Member>,
    /// Names of the pairs.
    apart_names: Vec<String>,
    /// The default one first.
    pub(crate) placements: Vec<Placed>,
    pub(crate) zone: Zone,
    /// Some partner is owed a least share of the slots.
    pub(crate) has_least_shares: bool,
    /// What partners and their offers ask, under every policy.
    pub(crate) contracts: Contracts,
    pub(crate) experiments: Experiments,
    pub(crate) questions: Vec<questions::Ready>,
}

impl CompiledPolicy {
    /// Compiles stored rules: reads each product once.
    pub(crate) fn compile(rules: &[PolicyRecord], view: &View<'_>) -> Result<Self, PolicyError> {
        let mut policy = Self::compile_rules(rules, view)?;
        policy.allow(policy.allowed_bits(view), view);
        Ok(policy)
    }

    /// Takes the policy that was built into the catalog, and from there what it allows. Reads products only where rules have
    /// conditions, to sort them into classes.
    pub(crate) fn built_in(view: &View<'_>) -> Result<Self, PolicyError> {
        let mut policy = Self::compile_rules(view.policy, view)?;
        policy.allow(view.policy_allowed.iter().map(|word| word.get()).collect(), view);
        Ok(policy)
    }

    fn allow(&mut self, bits: Vec<u64>, view: &View<'_>) {
        self.allowed = AllowList::new(view, bits);
        self.classes = Classes::new(&self.rules, &self.allowed, view);
    }

    fn compile_rules(rules: &[PolicyRecord], view: &View<'_>) -> Result<Self, PolicyError> {
        let mut policy = Self::empty(xxhash_rust::xxh3::xxh3_64(rules.as_bytes()));
        let mut marks: HashMap<u32, (SensitiveClass, u8), ahash::RandomState> =
            HashMap::with_hasher(ahash::RandomState::with_seeds(1, 2, 3, 4));
        let (mut reader, mut experiments) = (Reader::default(), experiment::Reader::default());
        let mut questions = questions::Reader::default();
        for (row, rule) in rules.iter().enumerate() {
            let taken = policy.apply(rule, view, &mut marks).or_else(|| reader.take(rule, view));
            let taken = taken.or_else(|| experiments.take(rule)).or_else(|| questions.take(rule));
            taken.ok_or(PolicyError::BadRecord { row })?;
        }
        policy.experiments = experiments.finish().ok_or(PolicyError::BadRecord { row: rules.len() })?;
        policy.questions = questions.finish().ok_or(PolicyError::BadRecord { row: rules.len() })?;
        policy.take_conditional(reader.finish().ok_or(PolicyError::BadRecord { row: rules.len() })?, view);
        for list in [
            &mut policy.suppressed_categories,
            &mut policy.allowed_categories,
            &mut policy.suppressed_brands,
            &mut policy.suppressed_partners,
            &mut policy.suppressed_products,
            &mut policy.suppressed_offers,
        ] {
            list.sort_unstable();
            list.dedup();
        }
        policy.marks = marks.iter().map(|(category, (class, age))| (*category, *class, *age)).collect();
        policy.marks.sort_unstable_by_key(|mark| mark.0);
        policy.inherit_categories(view, &marks);
        Ok(policy)
    }

    fn take_conditional(&mut self, read: Reader, view: &View<'_>) {
        self.rules = Rules::new(&read.rules, view);
        for (at, pair) in (0..).step_by(2).zip(&read.pairs) {
            self.apart_names.push(String::from_utf8_lossy(&pair.name).into_owned());
            let member = |bit| move |(by, row): &(By, u32)| Member { bit, by: *by, row: *row, only: false };
            self.apart_members.extend(pair.these.iter().map(member(at)));
            self.apart_members.extend(pair.those.iter().map(member(at + 1)));
        }
        self.apart = Selectors::new(2 * read.pairs.len(), &self.apart_members, view);
        self.placements.extend(read.placements);
        self.zone = read.zone;
        self.has_least_shares = view.partners.iter().any(|partner| partner.min_share_bps.get() > 0);
        self.contracts = Contracts::new(&read.contracts);
    }

    fn empty(generation: u64) -> Self {
        Self {
            generation,
            kill_switch: false,
            min_p_accept_ppm: 0,
            max_per_type: 0,
            max_per_brand: 0,
            max_per_partner: 0,
            max_third_party: 0,
            max_refill_percent: 100,
            value_by_margin: false,
            max_price_percent: 0,
            deny_unknown_availability: false,
            deny_unknown_price: false,
            consent: ConsentRules::default(),
            live: LiveRules::default(),
            suppressed_categories: Vec::new(),
            allowed_categories: Vec::new(),
            suppressed_brands: Vec::new(),
            suppressed_partners: Vec::new(),
            suppressed_products: Vec::new(),
            suppressed_offers: Vec::new(),
            suppressed_kinds: 0,
            allowed_sensitive: 0,
            category_marks: Vec::new(),
            marks: Vec::new(),
            category_open: Vec::new(),
            allowed: AllowList::default(),
            rules: Rules::default(),
            classes: Classes::default(),
            apart: Selectors::default(),
            apart_members: Vec::new(),
            apart_names: Vec::new(),
            placements: vec![Placed::default()],
            zone: Zone::default(),
            has_least_shares: false,
            contracts: Contracts::default(),
            experiments: Experiments::default(),
            questions: Vec::new(),
        }
    }

    /// Takes one stored rule; `None` where it makes no sense.
    fn apply(
        &mut self,
        rule: &PolicyRecord,
        view: &View<'_>,
        marks: &mut HashMap<u32, (SensitiveClass, u8), ahash::RandomState>,
    ) -> Option<()> {
        let (key, value) = (rule.key.get(), rule.value.get());
        let put = |list: &mut Vec<u32>, rows: usize| ((key as usize) < rows).then(|| list.push(key));
        match rule.kind.get() {
            rule::SUPPRESS_CATEGORY => put(&mut self.suppressed_categories, view.categories.len()),
            rule::ALLOW_CATEGORY => put(&mut self.allowed_categories, view.categories.len()),
            rule::SUPPRESS_BRAND => put(&mut self.suppressed_brands, view.brands.len()),
            rule::SUPPRESS_PARTNER => put(&mut self.suppressed_partners, view.partners.len()),
            rule::SUPPRESS_PRODUCT => put(&mut self.suppressed_products, view.products.len()),
            rule::SUPPRESS_OFFER => put(&mut self.suppressed_offers, view.offers.len()),
            rule::SUPPRESS_KIND => {
                self.suppressed_kinds |= 1 << OfferKind::from_code(u8::try_from(key).ok()?)?.code();
                Some(())
            }
            rule::ALLOW_SENSITIVE => {
                self.allowed_sensitive |= 1 << SensitiveClass::from_code(u8::try_from(key).ok()?)?.code();
                Some(())
            }
            rule::MARK_SENSITIVE => {
                view.category(key)?;
                let class = SensitiveClass::from_code((value & 0xFF) as u8)?;
                marks.insert(key, (class, u8::try_from(value >> 8).ok()?));
                Some(())
            }
            rule::CONSENT => self.consent.take(key, value),
            rule::SETTING => self.set(key, value),
            _ => None,
        }
    }

    fn set(&mut self, key: u32, value: i64) -> Option<()> {
        let byte = || u8::try_from(value).ok();
        match key {
            setting::KILL_SWITCH => self.kill_switch = value != 0,
            setting::SLOTS => self.placements.first_mut()?.slots = byte()?,
            setting::MIN_RELEVANCE => {
                let least = u16::try_from(value).ok()?;
                self.default_positions().for_each(|slot| slot.min_relevance = least);
            }
            setting::MIN_P_ACCEPT_PPM => self.min_p_accept_ppm = u32::try_from(value).ok()?,
            setting::RESERVE_MICROS => {
                self.default_positions().for_each(|slot| slot.reserve_micros = value);
            }
            setting::MAX_PER_TYPE => self.max_per_type = byte()?,
            setting::MAX_PER_BRAND => self.max_per_brand = byte()?,
            setting::MAX_PER_PARTNER => self.max_per_partner = byte()?,
            setting::MAX_THIRD_PARTY => self.max_third_party = byte()?,
            setting::MAX_REFILL_PERCENT => self.max_refill_percent = byte()?,
            setting::VALUE_BY_MARGIN => self.value_by_margin = value != 0,
            setting::MAX_PRICE_PERCENT => self.max_price_percent = u32::try_from(value).ok()?,
            setting::DENY_UNKNOWN_AVAILABILITY => self.deny_unknown_availability = value != 0,
            setting::DENY_UNKNOWN_PRICE => self.deny_unknown_price = value != 0,
            setting::FALLBACK => self.placements.first_mut()?.fallback = ladder_of(value)?,
            setting::CONSENT_NOT_ASKED => self.consent.allow_not_asked = value != 0,
            _ => self.live.set(key, value)?,
        }
        Some(())
    }

    fn default_positions(&mut self) -> impl Iterator<Item = &mut Slot> {
        self.placements.first_mut().into_iter().flat_map(|placed| &mut placed.positions)
    }

    /// Categories come parent first, so one pass inherits everything.
    fn inherit_categories(
        &mut self,
        view: &View<'_>,
        marks: &HashMap<u32, (SensitiveClass, u8), ahash::RandomState>,
    ) {
        let everything = self.allowed_categories.is_empty();
        let mut allowed = Vec::with_capacity(view.categories.len());
        let mut suppressed = Vec::with_capacity(view.categories.len());
        for (ix, category) in view.categories.iter().enumerate() {
            let (ix, parent) = (ix as u32, category.parent.get() as usize);
            let above = |of: &Vec<bool>| of.get(parent).copied().unwrap_or(false);
            allowed.push(above(&allowed) || self.allowed_categories.binary_search(&ix).is_ok());
            suppressed.push(above(&suppressed) || self.suppressed_categories.binary_search(&ix).is_ok());
            let mark = self.category_marks.get(parent).copied().unwrap_or_default();
            self.category_marks.push(marks.get(&ix).copied().unwrap_or(mark));
        }
        let open = allowed.iter().zip(&suppressed);
        self.category_open =
            open.map(|(allowed, suppressed)| (everything || *allowed) && !suppressed).collect();
    }

    /// One bit per product: set where no rule that is known beforehand refuses it.
    pub(crate) fn allowed_bits(&self, view: &View<'_>) -> Vec<u64> {
        let mut allowed = vec![0u64; view.products.len().div_ceil(64)];
        for (product, record) in view.products.iter().enumerate() {
            let refused = suppression::standing_refusal(self, view, product as u32, record).is_some();
            if !refused {
                bits::set(&mut allowed, product);
            }
        }
        allowed
    }

    /// The placement of a request; `None` = the policy names placements, and not this one.
    pub(crate) fn placement(&self, asked: &Placement<'_>) -> Option<&Placed> {
        let id = (!asked.id.is_empty()).then(|| text_hash(asked.id));
        placements::find(&self.placements, id, asked.stage)
    }

    /// Slots of a request: as it says, or as its placement does.
    pub(crate) fn slots(&self, asked: &Placement<'_>) -> u8 {
        placements::slots_of(asked, self.placement(asked))
    }

    /// Whether any rule or contract asks for facts of the request.
    pub(crate) fn asks(&self) -> bool {
        !self.rules.is_empty() || !self.contracts.is_empty()
    }

    /// Whether an item may not stand beside one of those that stand there.
    pub(crate) fn clash(&self, view: &View<'_>, there: impl Iterator<Item = Item>, item: Item) -> bool {
        !self.apart_members.is_empty() && self.clashes(view, there, item) != Sides::default()
    }

    /// Names of the pairs that keep an item from those that stand there.
    pub(crate) fn clashing_pairs(
        &self,
        view: &View<'_>,
        there: impl Iterator<Item = Item>,
        item: Item,
    ) -> Vec<String> {
        let clashes = self.clashes(view, there, item);
        let clash = |pair: usize| bits::has(&clashes, 2 * pair) || bits::has(&clashes, 2 * pair + 1);
        let names = self.apart_names.iter().enumerate().filter(|(pair, _)| clash(*pair));
        names.map(|(_, name)| name.clone()).collect()
    }

    /// The sides on which those that stand there have the item on the other side.
    fn clashes(&self, view: &View<'_>, there: impl Iterator<Item = Item>, item: Item) -> Sides {
        let other_sides = self.sides(view, item).map(|w| (w & EVEN) << 1 | (w >> 1 & EVEN));
        there.map(|one| self.sides(view, one)).fold(Sides::default(), |[a, b], sides| {
            [a | sides[0] & other_sides[0], b | sides[1] & other_sides[1]]
        })
    }

    /// Names of the rules that hold and refuse an item.
    pub(crate) fn refusing_rules(&self, view: &View<'_>, holding: &Holding, item: Item) -> Vec<String> {
        let refused = self.rules.refused();
        let names = |sets: &[(By, &[u64])]| {
            all_refusals(&holding.refusing, sets).map(|rule| self.rules.name(rule).to_owned()).collect()
        };
        match item {
            _ if self.rules.is_empty() => Vec::new(),
            Item::Product(ProductIx(ix)) => {
                view.product(ix).map_or_else(Vec::new, |record| names(&refused.of_product(view, ix, record)))
            }
            Item::Offer(OfferIx(ix)) => {
                view.offer(ix).map_or_else(Vec::new, |record| names(&refused.of_offer(ix, record)))
            }
        }
    }

    /// The sides of pairs on which an item stands: pair p has bits 2p and 2p + 1.
    fn sides(&self, view: &View<'_>, item: Item) -> Sides {
        let mut bits = Sides::default();
        let mut add = |row: &[u64]| bits.iter_mut().zip(row).for_each(|(bits, word)| *bits |= word);
        match item {
            Item::Product(ProductIx(ix)) => {
                let sets = view.product(ix).map(|record| self.apart.of_product(view, ix, record));
                sets.iter().flatten().for_each(|(_, row)| add(row));
            }
            Item::Offer(OfferIx(ix)) => {
                let sets = view.offer(ix).map(|record| self.apart.of_offer(ix, record));
                sets.iter().flatten().for_each(|(_, row)| add(row));
            }
        }
        bits
    }

    /// Whether any rule depends on knowing a product's category.
    pub(crate) fn has_category_rules(&self) -> bool {
        !self.suppressed_categories.is_empty()
            || !self.allowed_categories.is_empty()
            || !self.marks.is_empty()
    }

    pub(crate) fn is_allowed(&self, product: u32) -> bool {
        self.allowed.contains(product)
    }

    pub(crate) fn kind_suppressed(&self, kind: OfferKind) -> bool {
        self.suppressed_kinds >> kind.code() & 1 == 1
    }

    /// Class and least age that the policy's marks give a category.
    pub(crate) fn mark_of(&self, category: u32) -> (SensitiveClass, u8) {
        if category == NONE {
            return (SensitiveClass::None, 0);
        }
        self.category_marks.get(category as usize).copied().unwrap_or_default()
    }

    /// What holds for every request: the rules without conditions; and of the classes all that any rule may allow.
    pub(crate) fn standing(&self) -> Holding {
        self.rules.standing()
    }

    /// A class is shown only where the policy names it, or a rule that holds.
    pub(crate) fn sensitive_allowed(&self, class: SensitiveClass, holding: &Holding) -> bool {
        let allowed = self.allowed_sensitive | holding.allow_sensitive;
        class == SensitiveClass::None || allowed >> class.code() & 1 == 1
    }
}
