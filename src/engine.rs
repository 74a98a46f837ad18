//! An opened catalog with its policy: shared, immutable, for any number of threads.

use std::path::Path;
use std::sync::Arc;

use crate::distance::Kernel;
use crate::index::format::{NameKind, SectionKind};
use crate::index::{Catalog, Effort, OpenError, OpenOptions, View};
use crate::offer::{Generations, Item, OfferIx, ProductIx};
use crate::policy::{CompiledPolicy, Policy, PolicyError};

/// A catalog and a policy, ready for decisions. Immutable; `Send + Sync`. Making one allocates; using one does not.
#[derive(Debug, Clone)]
pub struct Engine {
    catalog: Arc<Catalog>,
    policy: CompiledPolicy,
    kernel: Kernel,
    effort: Effort,
}

impl Engine {
    /// Opens a catalog file with the policy that was built into it.
    ///
    /// # Errors
    /// [`OpenError`]: the file cannot be read, breaks a rule of the format, or holds a policy this version does not know.
    pub fn open(path: impl AsRef<Path>, options: OpenOptions) -> Result<Self, OpenError> {
        Self::new(Arc::new(Catalog::open(path, options)?))
    }

    /// Takes an opened catalog with the policy that was built into it.
    ///
    /// # Errors
    /// [`OpenError::Policy`]: the stored policy is not one that this version knows.
    pub fn new(catalog: Arc<Catalog>) -> Result<Self, OpenError> {
        let view = catalog.view();
        let policy = CompiledPolicy::built_in(&view)?;
        let effort = view.effort;
        Ok(Self { catalog, policy, kernel: Kernel::detect(), effort })
    }

    /// The same catalog under another policy. In-flight deciders keep theirs. Reads every product record, so it takes
    /// milliseconds for a million products, and as long as the disk needs where they are not in memory.
    ///
    /// # Errors
    /// [`PolicyError`]: a name that the catalog does not have, or a number out of range. Nothing is half-applied.
    pub fn with_policy(&self, policy: &Policy) -> Result<Self, PolicyError> {
        self.catalog.read_ahead(SectionKind::Products);
        let view = self.catalog.view();
        let policy = CompiledPolicy::compile(&policy.resolve(&view)?, &view)?;
        Ok(Self { catalog: Arc::clone(&self.catalog), policy, kernel: self.kernel, effort: self.effort })
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
        Generations { index: self.catalog.build_id(), policy: self.policy.generation }
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

    pub(crate) fn kernel(&self) -> Kernel {
        self.kernel
    }

    /// How hard its searches try.
    #[must_use]
    pub fn effort(&self) -> Effort {
        self.effort
    }
}
