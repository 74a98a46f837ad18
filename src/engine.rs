//! An opened catalog with its policy: shared, immutable, for any number of threads.

use std::path::Path;
use std::sync::Arc;

use crate::distance::Kernel;
use crate::experiment::Assignment;
#[cfg(feature = "log")]
use crate::experiment::BUCKETS;
use crate::index::format::{NONE, NameKind, SectionKind, rule, trigger};
use crate::index::{Catalog, Effort, OpenError, OpenOptions, View};
use crate::live::{Bound, Lease, LeaseError, Live, LiveError, Source};
use crate::model::{self, Model};
use crate::offer::{Generations, Item, Offer, OfferIx, ProductIx};
use crate::policy::{CompiledPolicy, Policy, PolicyError};
use crate::question::QuestionIx;
use crate::vocabulary::{ContentKind, Currency};

/// A catalog and a policy, ready for decisions. Immutable; `Send + Sync`. Making one allocates; using one does not.
#[derive(Debug, Clone)]
pub struct Engine {
    catalog: Arc<Catalog>,
    policy: CompiledPolicy,
    kernel: Kernel,
    effort: Effort,
    live: Option<Arc<Bound>>,
    model: Option<Arc<model::Bound>>,
}

impl Engine {
    /// Opens a catalog file with the policy that was built into it.
    ///
    /// # Errors
    /// [`OpenError`]: the file cannot be read, breaks a rule of the format, or holds a policy this version does not know.
    pub fn open(path: impl AsRef<Path>, options: OpenOptions) -> Result<Self, OpenError> {
        Self::new(Arc::new(Catalog::open(path, options)?))
    }

    /// Takes an opened catalog with the policy that was built into it. Where that has rules with conditions, it reads every
    /// product record, as [`Engine::with_policy`] does.
    ///
    /// # Errors
    /// [`OpenError::Policy`]: the stored policy is not one that this version knows.
    pub fn new(catalog: Arc<Catalog>) -> Result<Self, OpenError> {
        let view = catalog.view();
        if view.policy.iter().any(|record| record.kind.get() == rule::RULE) {
            read_products_ahead(&catalog);
        }
        let policy = CompiledPolicy::built_in(&view)?;
        let effort = view.effort;
        Ok(Self { catalog, policy, kernel: Kernel::detect(), effort, live: None, model: None })
    }

    /// The same catalog under another policy; partners' contracts stay in force, and so does what the catalog's own policy marks as
    /// sensitive, unless the other one says otherwise of a category. In-flight deciders keep theirs. Reads every product record, so it takes
    /// milliseconds for a million products, and as long as the disk needs where they are not in memory.
    ///
    /// # Errors
    /// [`PolicyError`]: a name that the catalog does not have, or a number out of range. Nothing is half-applied.
    pub fn with_policy(&self, policy: &Policy) -> Result<Self, PolicyError> {
        read_products_ahead(&self.catalog);
        let view = self.catalog.view();
        let mut rules = policy.resolve(&view)?;
        rules.extend(crate::policy::other_marks(view.policy, &rules));
        rules.extend(crate::policy::contracts_of(view.policy));
        let policy = CompiledPolicy::compile(&rules, &view)?;
        Ok(Self { policy, ..self.clone() })
    }

    /// The same engine deciding with a live overlay, which must be bound to the catalog. In-flight deciders keep theirs; a
    /// mapped overlay is let go with the last engine that has it.
    ///
    /// # Errors
    /// [`LiveError::OtherCatalog`]: the overlay is not bound to the catalog ([`Live::bind`]).
    pub fn with_live(&self, live: Arc<Live>) -> Result<Self, LiveError> {
        let bound = Bound::new(live, &self.catalog)?;
        Ok(Self { live: Some(Arc::new(bound)), ..self.clone() })
    }

    /// The same engine, deciding by how likely a model says that offers are accepted. As a `shadow` the model decides nothing: what it
    /// would have said is recorded beside what decided. Looks up every product once.
    #[must_use]
    pub fn with_model(&self, model: Arc<Model>, shadow: bool) -> Self {
        let bound = model::Bound::new(model, shadow, &self.view());
        Self { model: Some(Arc::new(bound)), ..self.clone() }
    }

    pub(crate) fn model(&self) -> Option<&model::Bound> {
        self.model.as_deref()
    }

    /// The same engine without an overlay.
    #[must_use]
    pub fn without_live(&self) -> Self {
        Self { live: None, ..self.clone() }
    }

    /// The same engine without a model.
    #[must_use]
    pub fn without_model(&self) -> Self {
        Self { model: None, ..self.clone() }
    }

    /// The live overlay, where there is one.
    #[must_use]
    pub fn live(&self) -> Option<&Arc<Live>> {
        Some(self.live.as_ref()?.live())
    }

    /// Takes a lease on the budgets of an offer and its partner: one accepted offer each, or the offer's value where the limit
    /// counts money. Without a limit, or an overlay, the lease holds nothing. It expires `for_ms` from `now_ms` (at most a
    /// day) and is then given back, also where its process died. Takes some microseconds; no allocation, no lock.
    ///
    /// # Errors
    /// [`LeaseError::Empty`] and [`LeaseError::Paused`]: do not show the offer. Others: see there.
    pub fn reserve(&self, offer: &Offer, now_ms: i64, for_ms: i64) -> Result<Lease, LeaseError> {
        self.reserve_item(offer.item, offer.value, now_ms, for_ms)
    }

    /// The same of an item and what it is worth, where the [`Offer`] itself was not kept.
    ///
    /// # Errors
    /// As [`Engine::reserve`].
    pub fn reserve_item(
        &self,
        item: Item,
        value: i64,
        now_ms: i64,
        for_ms: i64,
    ) -> Result<Lease, LeaseError> {
        let Some(bound) = &self.live else { return Ok(Lease::nothing()) };
        let view = self.view();
        let (partner, item) = match item {
            Item::Product(ProductIx(ix)) => (view.product(ix).map(|record| record.partner.get()), None),
            Item::Offer(OfferIx(ix)) => (view.offer(ix).map(|record| record.partner.get()), Some(ix)),
        };
        let account = |row, found: Option<u32>| {
            if row == NONE { Ok(None) } else { found.map(Some).ok_or(LeaseError::Foreign) }
        };
        let partner = partner.ok_or(LeaseError::Foreign)?;
        let partner = account(partner, bound.partner_account(partner))?;
        let item = item.map_or(Ok(None), |ix| account(ix, bound.offer_account(ix)))?;
        bound.live().reserve(partner, item, value, now_ms, for_ms)
    }

    /// Sets how many products a search compares, in place of what the builder measured. From the number of
    /// products on, every search is exact, and slow.
    #[must_use]
    pub fn with_visit_budget(mut self, products: u32) -> Self {
        let all = products >= self.view().product_count();
        self.effort = if all { Effort::EXACT } else { Effort { visits: products, ..self.view().effort } };
        self
    }

    /// The catalog.
    #[must_use]
    pub fn catalog(&self) -> &Arc<Catalog> {
        &self.catalog
    }

    /// What a decision of this engine is made with.
    #[must_use]
    pub fn generations(&self) -> Generations {
        let overlay = self.live.as_ref().map_or(0, |bound| bound.live().generation());
        let model = self.model.as_ref().map_or(0, |model| model.generation());
        Generations { index: self.catalog.build_id(), policy: self.policy.generation, overlay, model }
    }

    /// Experiment and arm of each layer in which a decision's unit stands, in the policy's order.
    pub fn arms<'a>(&'a self, assignment: &'a Assignment) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.policy.experiments.names(assignment).map(|(_, experiment, arm)| (experiment, arm))
    }

    /// Experiment, arm and the share of units it has, by number; `None` where the policy does not have them.
    #[cfg(feature = "log")]
    pub(crate) fn arm_in(&self, layer: usize, arm: u8) -> Option<(&str, &str, f64)> {
        let arms = &self.policy.experiments.layers.get(layer)?.arms;
        let own = arms.get(usize::from(arm))?;
        let from =
            usize::from(arm).checked_sub(1).and_then(|before| arms.get(before)).map_or(0, |arm| arm.until);
        Some((&own.experiment, &own.name, f64::from(own.until - from) / f64::from(BUCKETS)))
    }

    /// Share of units that the global holdout keeps.
    #[cfg(feature = "log")]
    pub(crate) fn holdout_share(&self) -> Option<f64> {
        let held = self.policy.experiments.holdout.as_ref()?;
        Some(f64::from(held.buckets) / f64::from(BUCKETS))
    }

    /// The row of a product id.
    #[must_use]
    pub fn find_product(&self, id: &str) -> Option<ProductIx> {
        self.view().find(NameKind::Product, id.as_bytes()).map(ProductIx)
    }

    /// The row of an offer id.
    #[must_use]
    pub fn find_offer(&self, id: &str) -> Option<OfferIx> {
        self.view().find(NameKind::Offer, id.as_bytes()).map(OfferIx)
    }

    /// Offers that are no products: rows `0..offer_count`.
    #[must_use]
    pub fn offer_count(&self) -> u32 {
        self.view().offers.len() as u32
    }

    /// Id of a product or offer; empty where the row is not of this catalog.
    #[must_use]
    pub fn id(&self, item: Item) -> &str {
        let view = self.view();
        match item {
            Item::Product(ProductIx(ix)) => view.product(ix).map_or("", |r| view.str(r.id)),
            Item::Offer(OfferIx(ix)) => view.offer(ix).map_or("", |r| view.str(r.id)),
        }
    }

    /// Title of a product or offer.
    #[must_use]
    pub fn title(&self, item: Item) -> &str {
        let view = self.view();
        match item {
            Item::Product(ProductIx(ix)) => view.product(ix).map_or("", |r| view.str(r.title)),
            Item::Offer(OfferIx(ix)) => view.offer(ix).map_or("", |r| view.str(r.title)),
        }
    }

    /// Category path of a product; empty for other offers and where not known.
    #[must_use]
    pub fn category(&self, item: Item) -> &str {
        let view = self.view();
        let Item::Product(ProductIx(ix)) = item else {
            return "";
        };
        let category = view.product(ix).and_then(|r| view.category(r.category.get()));
        category.map_or("", |r| view.str(r.path))
    }

    /// Distinct customers who bought a product in the orders that the catalog was built from; 0 for other offers.
    #[must_use]
    pub fn customers(&self, item: Item) -> u32 {
        let Item::Product(ProductIx(ix)) = item else { return 0 };
        self.view().product(ix).map_or(0, |record| record.popularity.get())
    }

    /// What a piece of inherited content is for; `None` for everything else.
    #[must_use]
    pub fn content_kind(&self, item: Item) -> Option<ContentKind> {
        let Item::Offer(OfferIx(ix)) = item else { return None };
        self.view().offer(ix).and_then(|record| ContentKind::from_code(record.content))
    }

    /// The content that holds for a product, whether or not a page has room for it: of each kind the nearest, its own before its model's, that
    /// before its category's. No allocation.
    pub fn content_of(&self, product: ProductIx) -> impl Iterator<Item = OfferIx> {
        let view = self.view();
        let own = view.triggered(trigger::CONTENT_OWN, product.0);
        let mut rest = view.triggered(trigger::CONTENT_KEPT, product.0);
        if own.is_empty() && rest.is_empty() {
            let category = view.product(product.0).map_or(NONE, |record| record.category.get());
            rest = view.triggered(trigger::CONTENT_CATEGORY, category);
        }
        own.iter().chain(rest).map(|entry| OfferIx(entry.offer.get()))
    }

    /// The currency of all amounts.
    #[must_use]
    pub fn currency(&self) -> Currency {
        self.view().currency
    }

    /// Id and text of a question of the policy; `None` where the row is not of this engine.
    #[must_use]
    pub fn question(&self, question: QuestionIx) -> Option<(&str, &str)> {
        let question = self.policy.questions.get(usize::from(question.0))?;
        Some((&question.id, &question.text))
    }

    /// Text and tag of each of its answers, in the policy's order.
    pub fn question_answers(&self, question: QuestionIx) -> impl Iterator<Item = (&str, &str)> {
        let question = self.policy.questions.get(usize::from(question.0));
        question.into_iter().flat_map(|q| &q.answers).map(|a| (a.text.as_str(), a.tag.as_str()))
    }

    /// Price in minor units, where known.
    #[must_use]
    pub fn price(&self, item: Item) -> Option<i64> {
        let view = self.view();
        let price = match item {
            Item::Product(ProductIx(ix)) => view.product(ix)?.price.get(),
            Item::Offer(OfferIx(ix)) => view.offer(ix)?.price.get(),
        };
        Some(price).filter(|price| *price >= 0)
    }

    /// Id of the partner behind an item; empty for the merchant's own.
    #[must_use]
    pub fn partner(&self, item: Item) -> &str {
        let view = self.view();
        let partner = match item {
            Item::Product(ProductIx(ix)) => view.product(ix).map(|r| r.partner.get()),
            Item::Offer(OfferIx(ix)) => view.offer(ix).map(|r| r.partner.get()),
        };
        let record = partner.and_then(|ix| view.partners.get(ix as usize));
        record.map_or("", |r| view.str(r.id))
    }

    /// The same, comparing vectors with another instruction set that this CPU has; `None` where it has none of this name. For
    /// comparisons: decisions are equal to the byte.
    #[must_use]
    pub fn with_kernel(mut self, name: &str) -> Option<Self> {
        self.kernel = Kernel::available().into_iter().find(|kernel| kernel.name() == name)?;
        Some(self)
    }

    /// Names of the instruction sets that compare vectors on this CPU, slowest first; the last one is used.
    #[must_use]
    pub fn kernel_names() -> Vec<&'static str> {
        Kernel::available().into_iter().map(Kernel::name).collect()
    }

    /// Name of the instruction set that compares vectors.
    #[must_use]
    pub fn kernel_name(&self) -> &'static str {
        self.kernel.name()
    }

    pub(crate) fn view(&self) -> View<'_> {
        self.catalog.view()
    }

    pub(crate) fn policy(&self) -> &CompiledPolicy {
        &self.policy
    }

    pub(crate) fn source(&self) -> Source<'_> {
        self.live.as_deref().map_or(Source::None, Source::Shared)
    }

    pub(crate) fn kernel(&self) -> Kernel {
        self.kernel
    }

    /// How hard its searches try.
    #[must_use]
    pub fn effort(&self) -> Effort {
        self.effort
    }
}

/// Asks for what a policy reads of every product: one by one, the pages of a cold file would take seconds.
fn read_products_ahead(catalog: &Catalog) {
    catalog.read_ahead(SectionKind::Products);
    catalog.read_ahead(SectionKind::ProductAttributes);
}
