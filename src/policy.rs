//! What the merchant wants and refuses: a plain [`Policy`], resolved against a catalog into rules, compiled into bitmaps.

use std::collections::HashMap;

use zerocopy::IntoBytes;
use zerocopy::little_endian::{I64, U32};

use crate::index::format::{NONE, NameKind, PolicyRecord, StrRef, rule};
use crate::index::{AllowList, View};
use crate::limits::{POLICY_RULES_MAX, SLOTS_MAX};
use crate::suppression;
use crate::vocabulary::{OfferKind, SensitiveClass};

/// The merchant's rules, by name. In a file it is TOML (see the README); in Rust it is this.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "build", derive(serde::Deserialize))]
#[cfg_attr(feature = "build", serde(deny_unknown_fields, default))]
pub struct Policy {
    /// Version of this vocabulary: 1.
    pub version: u32,
    /// Name of the category vocabulary; must equal the catalog's where given.
    pub taxonomy: Option<String>,
    /// Switches every offer off.
    pub kill_switch: bool,
    /// What may never appear.
    pub suppress: Names,
    /// Where not empty: only products in these category subtrees appear.
    pub allow_only_categories: Vec<String>,
    /// Category subtrees of a sensitive class.
    pub sensitive: Vec<SensitiveRule>,
    /// Sensitive classes that may appear nevertheless, to customers of the right age.
    pub allow_sensitive: Vec<SensitiveClass>,
    /// The placement.
    pub placement: PlacementPolicy,
    /// Limits within one slate.
    pub slate: SlatePolicy,
    /// How offers are valued.
    pub value: ValuePolicy,
    /// What to do where the feed does not say.
    pub unknown: UnknownPolicy,
}

/// Names of what is suppressed.
#[derive(Debug, Clone, Default, PartialEq)]
#[cfg_attr(feature = "build", derive(serde::Deserialize))]
#[cfg_attr(feature = "build", serde(deny_unknown_fields, default))]
pub struct Names {
    /// Category paths; each with its subtree.
    pub categories: Vec<String>,
    /// Brands.
    pub brands: Vec<String>,
    /// Partner ids.
    pub partners: Vec<String>,
    /// Product ids.
    pub products: Vec<String>,
    /// Offer ids.
    pub offers: Vec<String>,
    /// Kinds of offer.
    pub kinds: Vec<OfferKind>,
}

/// Marks a category subtree as sensitive.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "build", derive(serde::Deserialize))]
#[cfg_attr(feature = "build", serde(deny_unknown_fields))]
pub struct SensitiveRule {
    /// Category path.
    pub category: String,
    /// Its class.
    pub class: SensitiveClass,
    /// Above 0: for adults only. The number itself is not compared, since the host only says whether a customer is of age.
    #[cfg_attr(feature = "build", serde(default))]
    pub age_min: u8,
}

/// The placement's part of a policy.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "build", derive(serde::Deserialize))]
#[cfg_attr(feature = "build", serde(deny_unknown_fields, default))]
pub struct PlacementPolicy {
    /// Slots, 1 to 16.
    pub slots: u8,
    /// Least relevance, 0 to 1: whether an offer makes sense beside the basket.
    pub min_relevance: f64,
    /// Least `p_accept`, 0 to 1: whether an offer is likely enough. 0 (the default) = no such floor, since what is likely differs
    /// from shop to shop; `aftercart relevance` prints what each floor costs.
    pub min_p_accept: f64,
    /// Least expected contribution of an offer, in major units of the catalog's currency.
    pub reserve: f64,
}

/// Limits within one slate.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "build", derive(serde::Deserialize))]
#[cfg_attr(feature = "build", serde(deny_unknown_fields, default))]
pub struct SlatePolicy {
    /// Products of one type; 0 = no limit, 255 (the default) = one for every eight slots or part of them, and one alone where
    /// the placement asks for first purchases ([`crate::Repeat::Never`]).
    pub max_per_type: u8,
    /// Products of one brand; 0 = no limit.
    pub max_per_brand: u8,
    /// Offers of one partner, where it states no limit of its own; 0 = no limit.
    pub max_per_partner: u8,
    /// Offers of all third parties together; 0 = none.
    pub max_third_party: u8,
    /// Refills, as a share of the slots in percent, but at least one; 0 = none.
    pub max_refill_percent: u8,
}

/// How first-party products are valued.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "build", derive(serde::Deserialize))]
#[cfg_attr(feature = "build", serde(rename_all = "snake_case"))]
pub enum FirstPartyValue {
    /// All alike, at the catalog's typical contribution: relevance alone orders them.
    #[default]
    Typical,
    /// Each at its own price and margin.
    Margin,
}

/// The value part of a policy.
#[derive(Debug, Clone, PartialEq, Default)]
#[cfg_attr(feature = "build", derive(serde::Deserialize))]
#[cfg_attr(feature = "build", serde(deny_unknown_fields, default))]
pub struct ValuePolicy {
    /// How first-party products are valued.
    pub first_party: FirstPartyValue,
    /// Dearest product, in percent of the order value; 0 = no limit.
    pub max_price_percent: u32,
}

/// `allow` or `deny`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "build", derive(serde::Deserialize))]
#[cfg_attr(feature = "build", serde(rename_all = "snake_case"))]
pub enum Unknown {
    /// Offer it.
    #[default]
    Allow,
    /// Do not.
    Deny,
}

/// What to do where the feed does not say. An unknown category under a category rule is always denied.
#[derive(Debug, Clone, PartialEq, Default)]
#[cfg_attr(feature = "build", derive(serde::Deserialize))]
#[cfg_attr(feature = "build", serde(deny_unknown_fields, default))]
pub struct UnknownPolicy {
    /// Availability.
    pub availability: Unknown,
    /// Price.
    pub price: Unknown,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            version: 1,
            taxonomy: None,
            kill_switch: false,
            suppress: Names::default(),
            allow_only_categories: Vec::new(),
            sensitive: Vec::new(),
            allow_sensitive: Vec::new(),
            placement: PlacementPolicy::default(),
            slate: SlatePolicy::default(),
            value: ValuePolicy::default(),
            unknown: UnknownPolicy::default(),
        }
    }
}

impl Default for PlacementPolicy {
    fn default() -> Self {
        Self { slots: 3, min_relevance: 0.2, min_p_accept: 0.0, reserve: 0.0 }
    }
}

impl Default for SlatePolicy {
    fn default() -> Self {
        Self {
            max_per_type: u8::MAX,
            max_per_brand: 0,
            max_per_partner: 1,
            max_third_party: 1,
            max_refill_percent: 100,
        }
    }
}

/// Why a policy cannot be used. A rule that cannot be understood is never ignored.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyError {
    /// A name that the catalog does not have.
    #[error("{field}: the catalog has no {what} \"{name}\"; correct the name, or drop the rule")]
    UnknownName {
        /// Where in the policy.
        field: &'static str,
        /// Kind of thing.
        what: &'static str,
        /// The name.
        name: String,
    },
    /// Another vocabulary of categories.
    #[error(
        "taxonomy: the policy speaks of \"{policy}\", the catalog of \"{catalog}\"; write rules for the catalog's"
    )]
    Taxonomy {
        /// The policy's.
        policy: String,
        /// The catalog's.
        catalog: String,
    },
    /// A number outside its range.
    #[error("{field}: must be {allowed}")]
    OutOfRange {
        /// Where in the policy.
        field: &'static str,
        /// What is allowed.
        allowed: &'static str,
    },
    /// A stored rule that this version does not know, or a damaged one.
    #[error("stored policy: rule {row} is not one that this version knows; build the catalog again")]
    BadRecord {
        /// Row of the policy section.
        row: usize,
    },
}

/// Numbers of the settings in a stored policy. Never reused.
mod setting {
    pub(super) const KILL_SWITCH: u32 = 1;
    pub(super) const SLOTS: u32 = 2;
    pub(super) const MIN_RELEVANCE: u32 = 3;
    pub(super) const RESERVE_MICROS: u32 = 4;
    pub(super) const MAX_PER_TYPE: u32 = 5;
    pub(super) const MAX_PER_BRAND: u32 = 6;
    pub(super) const MAX_PER_PARTNER: u32 = 7;
    pub(super) const MAX_THIRD_PARTY: u32 = 8;
    pub(super) const MAX_REFILL_PERCENT: u32 = 9;
    pub(super) const VALUE_BY_MARGIN: u32 = 10;
    pub(super) const MAX_PRICE_PERCENT: u32 = 11;
    pub(super) const DENY_UNKNOWN_AVAILABILITY: u32 = 12;
    pub(super) const DENY_UNKNOWN_PRICE: u32 = 13;
    pub(super) const MIN_P_ACCEPT_PPM: u32 = 14;
}

impl Policy {
    /// Turns names into indices of a catalog.
    ///
    /// # Errors
    /// [`PolicyError`]: a name that the catalog does not have, another taxonomy, or a number out of range.
    pub fn resolve(&self, view: &View<'_>) -> Result<Vec<PolicyRecord>, PolicyError> {
        self.check_numbers()?;
        let catalog = view.str(view.taxonomy);
        if let Some(policy) = self.taxonomy.as_deref().filter(|name| *name != catalog) {
            return Err(PolicyError::Taxonomy { policy: policy.into(), catalog: catalog.into() });
        }
        let mut rules = self.settings();
        let mut add = |field, what, kind, rule, names: &[String]| {
            for name in names {
                let key = find_spelled(view, kind, name.trim());
                let key = key.ok_or_else(|| PolicyError::UnknownName { field, what, name: name.clone() })?;
                rules.push(record(rule, key, 0));
            }
            Ok(())
        };
        let s = &self.suppress;
        add("suppress.categories", "category", NameKind::Category, rule::SUPPRESS_CATEGORY, &s.categories)?;
        add("suppress.brands", "brand", NameKind::Brand, rule::SUPPRESS_BRAND, &s.brands)?;
        add("suppress.partners", "partner", NameKind::Partner, rule::SUPPRESS_PARTNER, &s.partners)?;
        add("suppress.products", "product", NameKind::Product, rule::SUPPRESS_PRODUCT, &s.products)?;
        add("suppress.offers", "offer", NameKind::Offer, rule::SUPPRESS_OFFER, &s.offers)?;
        add(
            "allow_only_categories",
            "category",
            NameKind::Category,
            rule::ALLOW_CATEGORY,
            &self.allow_only_categories,
        )?;
        for mark in &self.sensitive {
            let key = find_spelled(view, NameKind::Category, mark.category.trim());
            let key = key.ok_or_else(|| PolicyError::UnknownName {
                field: "sensitive.category",
                what: "category",
                name: mark.category.clone(),
            })?;
            let value = i64::from(mark.class.code()) | i64::from(mark.age_min) << 8;
            // Of two marks of one category only one could hold, and the laxer one might.
            if rules.iter().any(|r| r.kind.get() == rule::MARK_SENSITIVE && r.key.get() == key) {
                let (field, allowed) = ("sensitive.category", "named once per category");
                return Err(PolicyError::OutOfRange { field, allowed });
            }
            rules.push(record(rule::MARK_SENSITIVE, key, value));
        }
        rules.extend(s.kinds.iter().map(|kind| record(rule::SUPPRESS_KIND, kind.code().into(), 0)));
        rules.extend(self.allow_sensitive.iter().map(|c| record(rule::ALLOW_SENSITIVE, c.code().into(), 0)));
        if rules.len() > POLICY_RULES_MAX {
            return Err(PolicyError::OutOfRange { field: "rules", allowed: "at most 65,536" });
        }
        Ok(rules)
    }

    fn check_numbers(&self) -> Result<(), PolicyError> {
        let check = |ok: bool, field, allowed| {
            if ok { Ok(()) } else { Err(PolicyError::OutOfRange { field, allowed }) }
        };
        let placement = &self.placement;
        check(self.version == 1, "version", "1")?;
        check((1..=SLOTS_MAX as u8).contains(&placement.slots), "placement.slots", "1 to 16")?;
        check((0.0..=1.0).contains(&placement.min_relevance), "placement.min_relevance", "0 to 1")?;
        check((0.0..=1.0).contains(&placement.min_p_accept), "placement.min_p_accept", "0 to 1")?;
        check((0.0..=1e9).contains(&placement.reserve), "placement.reserve", "0 to 1,000,000,000")?;
        check(self.slate.max_refill_percent <= 100, "slate.max_refill_percent", "0 to 100")
    }

    fn settings(&self) -> Vec<PolicyRecord> {
        let (placement, slate) = (&self.placement, &self.slate);
        [
            (setting::KILL_SWITCH, i64::from(self.kill_switch)),
            (setting::SLOTS, placement.slots.into()),
            (setting::MIN_RELEVANCE, (placement.min_relevance * 1000.0).round() as i64),
            (setting::MIN_P_ACCEPT_PPM, (placement.min_p_accept * 1e6).round() as i64),
            (setting::RESERVE_MICROS, (placement.reserve * 1e8).round() as i64),
            (setting::MAX_PER_TYPE, slate.max_per_type.into()),
            (setting::MAX_PER_BRAND, slate.max_per_brand.into()),
            (setting::MAX_PER_PARTNER, slate.max_per_partner.into()),
            (setting::MAX_THIRD_PARTY, slate.max_third_party.into()),
            (setting::MAX_REFILL_PERCENT, slate.max_refill_percent.into()),
            (setting::VALUE_BY_MARGIN, i64::from(self.value.first_party == FirstPartyValue::Margin)),
            (setting::MAX_PRICE_PERCENT, self.value.max_price_percent.into()),
            (setting::DENY_UNKNOWN_AVAILABILITY, i64::from(self.unknown.availability == Unknown::Deny)),
            (setting::DENY_UNKNOWN_PRICE, i64::from(self.unknown.price == Unknown::Deny)),
        ]
        .map(|(key, value)| record(rule::SETTING, key, value))
        .to_vec()
    }
}

/// A name as the catalog writes it, else a brand or category that differs by case alone.
fn find_spelled(view: &View<'_>, kind: NameKind, name: &str) -> Option<u32> {
    view.find(kind, name.as_bytes()).or_else(|| {
        let folded = name.to_lowercase();
        let same = |at: StrRef| view.str(at).to_lowercase() == folded;
        let ix = match kind {
            NameKind::Category => view.categories.iter().position(|c| same(c.path)),
            NameKind::Brand => view.brands.iter().position(|b| same(b.name)),
            _ => None,
        };
        ix.map(|ix| ix as u32)
    })
}

fn record(kind: u32, key: u32, value: i64) -> PolicyRecord {
    PolicyRecord { kind: U32::new(kind), key: U32::new(key), value: I64::new(value) }
}

/// A policy ready for decisions on one catalog. Immutable.
#[derive(Debug, Clone)]
pub(crate) struct CompiledPolicy {
    pub(crate) generation: u64,
    pub(crate) kill_switch: bool,
    pub(crate) slots: u8,
    pub(crate) min_relevance: u16,
    pub(crate) min_p_accept_ppm: u32,
    pub(crate) reserve_micros: i64,
    pub(crate) max_per_type: u8,
    pub(crate) max_per_brand: u8,
    pub(crate) max_per_partner: u8,
    pub(crate) max_third_party: u8,
    pub(crate) max_refill_percent: u8,
    pub(crate) value_by_margin: bool,
    pub(crate) max_price_percent: u32,
    pub(crate) deny_unknown_availability: bool,
    pub(crate) deny_unknown_price: bool,
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
}

impl CompiledPolicy {
    /// Compiles stored rules: reads each product once.
    pub(crate) fn compile(rules: &[PolicyRecord], view: &View<'_>) -> Result<Self, PolicyError> {
        let mut policy = Self::compile_rules(rules, view)?;
        policy.allowed = AllowList::new(view, policy.allowed_bits(view));
        Ok(policy)
    }

    /// Takes the policy that was built into the catalog, and from there what it allows: products need not be read.
    pub(crate) fn built_in(view: &View<'_>) -> Result<Self, PolicyError> {
        let mut policy = Self::compile_rules(view.policy, view)?;
        policy.allowed = AllowList::new(view, view.policy_allowed.iter().map(|word| word.get()).collect());
        Ok(policy)
    }

    fn compile_rules(rules: &[PolicyRecord], view: &View<'_>) -> Result<Self, PolicyError> {
        let mut policy = Self::empty(xxhash_rust::xxh3::xxh3_64(rules.as_bytes()));
        let mut marks: HashMap<u32, (SensitiveClass, u8), ahash::RandomState> =
            HashMap::with_hasher(ahash::RandomState::with_seeds(1, 2, 3, 4));
        for (row, rule) in rules.iter().enumerate() {
            policy.apply(rule, view, &mut marks).ok_or(PolicyError::BadRecord { row })?;
        }
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

    fn empty(generation: u64) -> Self {
        Self {
            generation,
            kill_switch: false,
            slots: 1,
            min_relevance: 0,
            min_p_accept_ppm: 0,
            reserve_micros: 0,
            max_per_type: 0,
            max_per_brand: 0,
            max_per_partner: 0,
            max_third_party: 0,
            max_refill_percent: 100,
            value_by_margin: false,
            max_price_percent: 0,
            deny_unknown_availability: false,
            deny_unknown_price: false,
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
            rule::SETTING => self.set(key, value),
            _ => None,
        }
    }

    fn set(&mut self, key: u32, value: i64) -> Option<()> {
        let byte = || u8::try_from(value).ok();
        match key {
            setting::KILL_SWITCH => self.kill_switch = value != 0,
            setting::SLOTS => self.slots = byte()?,
            setting::MIN_RELEVANCE => self.min_relevance = u16::try_from(value).ok()?,
            setting::MIN_P_ACCEPT_PPM => self.min_p_accept_ppm = u32::try_from(value).ok()?,
            setting::RESERVE_MICROS => self.reserve_micros = value,
            setting::MAX_PER_TYPE => self.max_per_type = byte()?,
            setting::MAX_PER_BRAND => self.max_per_brand = byte()?,
            setting::MAX_PER_PARTNER => self.max_per_partner = byte()?,
            setting::MAX_THIRD_PARTY => self.max_third_party = byte()?,
            setting::MAX_REFILL_PERCENT => self.max_refill_percent = byte()?,
            setting::VALUE_BY_MARGIN => self.value_by_margin = value != 0,
            setting::MAX_PRICE_PERCENT => self.max_price_percent = u32::try_from(value).ok()?,
            setting::DENY_UNKNOWN_AVAILABILITY => self.deny_unknown_availability = value != 0,
            setting::DENY_UNKNOWN_PRICE => self.deny_unknown_price = value != 0,
            _ => return None,
        }
        Some(())
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
            if let Some(word) = allowed.get_mut(product / 64).filter(|_| !refused) {
                *word |= 1 << (product % 64);
            }
        }
        allowed
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

    /// A class is shown only where the policy names it.
    pub(crate) fn sensitive_allowed(&self, class: SensitiveClass) -> bool {
        class == SensitiveClass::None || self.allowed_sensitive >> class.code() & 1 == 1
    }
}
