//! Which catalogs an overlay fits: rows of a catalog to words of the overlay.

use std::io::{Seek, SeekFrom, Write};
use std::sync::Arc;

use super::edit::{Map, new_map};
use super::format::{self, AREAS, Config, LiveKind, account, header};
use super::words::Word;
use super::{Live, LiveError, Lock, sum};
use crate::index::Catalog;
use crate::index::format::SectionKind;

/// A catalog that an overlay is bound to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Binding {
    /// Build id of the catalog.
    pub catalog: u64,
    /// Its products.
    pub products: u32,
    /// Greater = bound later.
    pub order: u64,
    pub(super) area: usize,
}

impl Live {
    /// Makes the overlay fit another catalog, beside those that it fits already: what is known of a product carries over by its
    /// id, and so do the pauses, bids and budgets of offers and partners. Takes some 0.2 s for a million products. Processes
    /// that decide meanwhile are not disturbed; of four catalogs the one that was bound first is given up, and an engine
    /// that still has it refuses everything.
    ///
    /// # Errors
    /// [`LiveError::TooSmall`], [`LiveError::Currency`], or [`LiveError::Io`] where the system refuses (a full disk).
    pub fn bind(&self, catalog: &Catalog) -> Result<(), LiveError> {
        let mut lock = self.lock()?;
        if self.binding_of(catalog.build_id()).is_some() {
            return Ok(());
        }
        let view = catalog.view();
        if view.currency != self.currency {
            let (overlay, catalog) = (self.currency, view.currency);
            return Err(LiveError::Currency { path: self.path.clone(), overlay, catalog });
        }
        self.fits("products", self.layout.capacity.products, view.product_count())?;
        self.add_accounts(catalog)?;
        lock.refresh();
        catalog.read_ahead(SectionKind::Products);
        catalog.read_ahead(SectionKind::Strings);
        let rows = view.products.len();
        let (mut states, mut hashes) = (vec![0u64; rows], vec![0u64; rows]);
        let known = self.bindings();
        let words = view.products.iter().zip(states.iter_mut().zip(hashes.iter_mut()));
        for (record, (state, hash)) in words {
            *hash = format::key(LiveKind::Product, view.str(record.id));
            // The newest binding that knows the id.
            let found =
                known.iter().find_map(|binding| lock.index.row(*hash, binding.area).zip(Some(binding)));
            *state =
                found.map_or(0, |(row, binding)| self.word(self.layout.area(binding.area) + row as usize));
        }
        let free = |area: &usize| known.iter().all(|binding| binding.area != *area);
        let oldest = || known.last().map_or(0, |binding| binding.area);
        let area = (0..AREAS).find(free).unwrap_or_else(oldest);
        let order = known.first().map_or(1, |binding| binding.order + 1);
        self.publish(area, order, catalog, [&states, &hashes])
    }

    /// Fills an area, and then says whose it is.
    fn publish(
        &self,
        area: usize,
        order: u64,
        catalog: &Catalog,
        columns: [&[u64]; 2],
    ) -> Result<(), LiveError> {
        let at = header::BINDINGS + area * 4;
        self.put(header::BINDINGS_CHANGED, self.word(header::BINDINGS_CHANGED) + 1);
        self.put(at, 0); // whoever still decides with it finds this before it trusts what it read
        for (column, start) in columns.into_iter().zip([0, self.layout.capacity.products as usize]) {
            let bytes: Vec<u8> = column.iter().flat_map(|word| word.to_le_bytes()).collect();
            // Written, not stored through the mapping: a full disk then is an error and not a signal.
            let mut file = &self.file;
            file.seek(SeekFrom::Start((self.layout.area(area) + start) as u64 * 8))
                .and_then(|_| file.write_all(&bytes))
                .map_err(|source| self.io("write", source))?;
        }
        let products = u64::from(catalog.view().product_count());
        self.put(at + 1, products);
        self.put(at + 2, order);
        self.put(at + 3, binding_sum(area, catalog.build_id(), products, order, self.identity));
        self.put(at, catalog.build_id());
        self.put(header::GENERATION, self.word(header::GENERATION) + 1);
        Ok(())
    }

    fn fits(&self, what: &'static str, capacity: u32, needed: u32) -> Result<(), LiveError> {
        if needed <= capacity {
            return Ok(());
        }
        Err(LiveError::TooSmall { path: self.path.clone(), what, capacity, needed })
    }

    /// An account for each offer and partner of a catalog that has none yet.
    fn add_accounts(&self, catalog: &Catalog) -> Result<(), LiveError> {
        let view = catalog.view();
        let offers = view.offers.iter().map(|record| (LiveKind::Offer, view.str(record.id)));
        let partners = view.partners.iter().map(|record| (LiveKind::Partner, view.str(record.id)));
        let known = self.account_index();
        let new: Vec<_> = offers
            .chain(partners)
            .filter(|(kind, id)| !known.contains_key(&format::key(*kind, id)))
            .collect();
        let used = self.accounts();
        self.fits("accounts", self.layout.capacity.accounts, used.saturating_add(new.len() as u32))?;
        for (at, (kind, id)) in (used..).zip(new) {
            let start = self.layout.account(at);
            for (word, bytes) in (start + account::ID..).zip(id.as_bytes().chunks(8)) {
                let mut whole = [0; 8];
                whole.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
                self.put(word, u64::from_le_bytes(whole));
            }
            let config = Config {
                paused: false,
                killed: false,
                paced: false,
                pooled: false,
                money: false,
                kind: kind as u8,
                id_length: id.len() as u8,
                budget: None,
                utc_offset: 0,
            };
            self.put(start + account::CONFIG, config.pack());
            self.put(start + account::KEY, format::key(kind, id));
            self.put(header::ACCOUNTS, u64::from(at) + 1);
        }
        Ok(())
    }

    /// Accounts by key.
    pub(super) fn account_index(&self) -> Map<u32> {
        let mut index = new_map();
        for at in 0..self.accounts() {
            index.insert(self.account(at, account::KEY), at);
        }
        index
    }

    /// The catalogs that it is bound to, newest first.
    #[must_use]
    pub fn bindings(&self) -> Vec<Binding> {
        let mut found: Vec<Binding> = (0..AREAS).filter_map(|area| self.binding(area)).collect();
        found.sort_by_key(|binding| std::cmp::Reverse(binding.order));
        found
    }

    /// What an area is bound to; nothing where its numbers do not belong together.
    fn binding(&self, area: usize) -> Option<Binding> {
        let at = header::BINDINGS + area * 4;
        let (catalog, products, order) = (self.word(at), self.word(at + 1), self.word(at + 2));
        let whole = self.word(at + 3) == binding_sum(area, catalog, products, order, self.identity);
        let products =
            u32::try_from(products).ok().filter(|products| *products <= self.layout.capacity.products)?;
        (catalog != 0 && whole).then_some(Binding { catalog, products, order, area })
    }

    fn binding_of(&self, catalog: u64) -> Option<Binding> {
        (0..AREAS).filter_map(|area| self.binding(area)).find(|binding| binding.catalog == catalog)
    }
}

fn binding_sum(area: usize, catalog: u64, products: u64, order: u64, identity: u64) -> u64 {
    sum(&[area as u64, catalog, products, order, identity])
}

impl Lock<'_> {
    /// Brings the index of ids up to what is bound.
    pub(super) fn refresh(&mut self) {
        let changed = self.live.word(header::BINDINGS_CHANGED);
        if self.index.is_of(changed) {
            return;
        }
        self.index.clear(changed, self.live.account_index());
        for binding in self.live.bindings() {
            let hashes = self.live.layout.area(binding.area) + self.live.layout.capacity.products as usize;
            for row in 0..binding.products {
                self.index.add(self.live.word(hashes + row as usize), binding.area, row);
            }
        }
    }
}

/// An overlay as one catalog sees it.
#[derive(Debug)]
pub(crate) struct Bound {
    live: Arc<Live>,
    catalog: u64,
    area: usize,
    /// Where the states begin.
    states: usize,
    products: u32,
    /// Account of each offer and of each partner of the catalog.
    offers: Box<[u32]>,
    partners: Box<[u32]>,
}

impl Bound {
    pub(crate) fn new(live: Arc<Live>, catalog: &Catalog) -> Result<Self, LiveError> {
        let other = || LiveError::OtherCatalog { path: live.path.clone(), catalog: catalog.build_id() };
        let view = catalog.view();
        let binding = live.binding_of(catalog.build_id()).ok_or_else(other)?;
        if binding.products != view.product_count() {
            return Err(other());
        }
        let index = live.account_index();
        let account = |kind, id| index.get(&format::key(kind, view.str(id))).copied().ok_or_else(other);
        let offers = view.offers.iter().map(|record| account(LiveKind::Offer, record.id));
        let partners = view.partners.iter().map(|record| account(LiveKind::Partner, record.id));
        let (offers, partners) = (offers.collect::<Result<_, _>>()?, partners.collect::<Result<_, _>>()?);
        let (area, states) = (binding.area, live.layout.area(binding.area));
        let (catalog, products) = (binding.catalog, binding.products);
        Ok(Self { catalog, area, states, products, offers, partners, live })
    }

    pub(crate) fn live(&self) -> &Arc<Live> {
        &self.live
    }

    /// Whether its area is still that of the catalog. Asked before and after a decision: where it was so after, all that was
    /// read between belongs to the catalog.
    pub(crate) fn is_current(&self) -> bool {
        std::sync::atomic::fence(std::sync::atomic::Ordering::SeqCst);
        self.live.word(header::BINDINGS + self.area * 4) == self.catalog
    }

    /// State of a product; what is out of range says nothing, since the catalog does not have it either.
    #[inline]
    pub(crate) fn product(&self, row: u32) -> u64 {
        self.state(row).first().map_or(0, Word::get)
    }

    /// The word behind [`Self::product`], to ask memory for it.
    #[inline]
    pub(crate) fn state(&self, row: u32) -> &[Word] {
        let at = self.states + row as usize;
        self.live.words.all().get(at..=at).filter(|_| row < self.products).unwrap_or(&[])
    }

    pub(crate) fn offer_account(&self, row: u32) -> Option<u32> {
        self.offers.get(row as usize).copied()
    }

    pub(crate) fn partner_account(&self, row: u32) -> Option<u32> {
        self.partners.get(row as usize).copied()
    }
}
