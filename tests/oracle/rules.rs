//! The rules once more, read from feeds and policy by name, with obvious code: what may not be shown, and why.
//!
//! Shares nothing with the engine's gate. Only what orders taught (role, interval, median price) is asked of the file.
#![allow(
    dead_code,
    unreachable_pub,
    missing_docs,
    missing_debug_implementations,
    reason = "each test binary uses its own part"
)]

use std::collections::{HashMap, HashSet};

use aftercart::build::feed::{FrequencyCap, Partner, PartnerOffer, Product};
use aftercart::limits::{ANSWERS_MAX, DECLINES_MAX, EXPOSURES_MAX, OPT_OUTS_MAX, PURCHASES_MAX};
use aftercart::policy::{SensitiveRule, Unknown};
use aftercart::testing::{self, Facts};
use aftercart::vocabulary::{
    AgeBand, Availability, Country, Currency, CustomerKind, OfferKind, Party, Purpose, Role, SensitiveClass,
};
use aftercart::{Engine, GIFT, Item, Policy, ProductIx, Profile, Reason, Transaction};

use super::conditions::{self, Called};
use crate::common::{DAY, Told, ToldAccount, ToldProduct, World};

pub type Path = Vec<String>;

pub fn path(text: &str) -> Path {
    text.split('>').map(|l| l.trim().to_owned()).filter(|l| !l.is_empty()).collect()
}

pub fn below(root: &Path, path: &Path) -> bool {
    path.starts_with(root)
}

/// What makes two products look alike.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Kind {
    Category(Path),
    Title(String),
}

/// A catalog by name.
pub struct Shop<'a> {
    pub world: &'a World,
    pub products: HashMap<&'a str, usize>,
    pub offers: HashMap<&'a str, usize>,
    pub partners: HashMap<&'a str, &'a Partner>,
    /// Category of each row.
    pub category: Vec<Option<Path>>,
    pub kind: Vec<Kind>,
    pub group: Vec<Option<usize>>,
    pub brand: Vec<Option<String>>,
    pub facts: Vec<Facts>,
    pub ix: Vec<ProductIx>,
    pub row_of: HashMap<ProductIx, usize>,
    pub known_categories: HashSet<String>,
    pub known_brands: HashSet<String>,
    pub known_kinds: HashSet<Kind>,
}

impl<'a> Shop<'a> {
    pub fn new(world: &'a World) -> Self {
        let rows = &world.inputs.products;
        let category: Vec<Option<Path>> =
            rows.iter().map(|p| Some(path(&p.category_path)).filter(|p| !p.is_empty())).collect();
        let kind = rows.iter().zip(&category).map(|(p, category)| match category {
            Some(path) => Kind::Category(path.clone()),
            None if p.title.trim().is_empty() => Kind::Title(p.id.clone()),
            None => Kind::Title(p.title.trim().to_lowercase()),
        });
        let kind: Vec<Kind> = kind.collect();
        let group = groups(rows);
        let ix: Vec<ProductIx> =
            rows.iter().map(|p| world.engine.find_product(&p.id).expect("every product is found")).collect();
        Self {
            world,
            products: rows.iter().enumerate().map(|(row, p)| (p.id.as_str(), row)).collect(),
            offers: world
                .inputs
                .partners
                .offers
                .iter()
                .enumerate()
                .map(|(n, o)| (o.id.as_str(), n))
                .collect(),
            partners: world.inputs.partners.partners.iter().map(|p| (p.id.as_str(), p)).collect(),
            group,
            brand: rows.iter().map(|p| Some(p.brand.trim().to_owned()).filter(|b| !b.is_empty())).collect(),
            facts: ix.iter().map(|ix| testing::facts(&world.engine, *ix).expect("facts")).collect(),
            row_of: ix.iter().enumerate().map(|(row, ix)| (*ix, row)).collect(),
            ix,
            known_categories: world.categories.iter().cloned().collect(),
            known_brands: world.brands.iter().cloned().collect(),
            known_kinds: kind.iter().cloned().collect(),
            category,
            kind,
        }
    }
}

/// A bought line as the rules see it.
#[derive(Debug, Clone)]
pub struct Line {
    pub number: u16,
    pub row: Option<usize>,
    pub category: Option<Path>,
    pub brand: Option<String>,
    pub kind: Option<Kind>,
    pub group: Option<usize>,
    pub role: Role,
    pub sensitive: bool,
    pub value: i64,
}

/// Earlier purchases of one product.
#[derive(Debug, Clone)]
pub struct Past {
    pub row: usize,
    pub times: usize,
    pub last_at_ms: i64,
}

/// A request as the rules see it.
#[derive(Clone)]
pub struct Case<'a> {
    pub shop: &'a Shop<'a>,
    pub policy: &'a Policy,
    pub transaction: &'a Transaction<'a>,
    pub profile: &'a Profile<'a>,
    pub lines: Vec<Line>,
    pub past: Vec<Past>,
    pub declined: HashSet<String>,
    pub opted_out: Vec<Path>,
    pub opt_out_unknown: bool,
    pub order_value: Option<i64>,
    pub gift: bool,
    pub now: Option<i64>,
    /// A rule that is left out, to see whether the tests would notice.
    pub without: Option<Reason>,
    /// What the live overlay was told, where there is one.
    pub live: Option<&'a Told>,
    /// What chance is drawn from.
    pub group_id: u128,
}

impl<'a> Case<'a> {
    pub fn new(
        shop: &'a Shop<'a>,
        policy: &'a Policy,
        transaction: &'a Transaction<'a>,
        profile: &'a Profile<'a>,
    ) -> Self {
        let now = (transaction.created_at_ms > 0).then_some(transaction.created_at_ms);
        let mut past: Vec<Past> = Vec::new();
        for purchase in profile.purchases.iter().rev().take(PURCHASES_MAX) {
            let Some(row) = shop.products.get(purchase.item_id).copied() else { continue };
            match past.iter_mut().find(|p| p.row == row) {
                Some(known) => {
                    known.times += 1;
                    known.last_at_ms = known.last_at_ms.max(purchase.at_ms);
                }
                None => past.push(Past { row, times: 1, last_at_ms: purchase.at_ms }),
            }
        }
        let recent = |at_ms: i64| now.is_none_or(|now| at_ms <= 0 || now - at_ms <= 90 * DAY);
        let sum = || {
            let prices = transaction.lines.iter().map(|l| Some(l.unit_price? * i64::from(l.quantity)));
            prices.sum::<Option<i64>>()
        };
        let mut case = Self {
            shop,
            policy,
            transaction,
            profile,
            lines: Vec::new(),
            past,
            declined: profile
                .declines
                .iter()
                .rev()
                .take(DECLINES_MAX)
                .filter(|d| recent(d.at_ms))
                .map(|d| d.id.to_owned())
                .collect(),
            opted_out: profile.opt_out_categories.iter().map(|c| path(c)).collect(),
            opt_out_unknown: profile.opt_out_categories.len() > OPT_OUTS_MAX
                || profile.opt_out_categories.iter().any(|c| !shop.known_categories.contains(*c)),
            order_value: transaction.value.or_else(sum),
            gift: transaction.is_gift || profile.answers.iter().take(ANSWERS_MAX).any(|a| a.tag == GIFT),
            now,
            without: None,
            live: None,
            group_id: 0,
        };
        case.lines = (0..transaction.lines.len()).map(|n| case.line(n)).collect();
        case
    }

    fn line(&self, number: usize) -> Line {
        let (shop, item) = (self.shop, &self.transaction.lines[number]);
        let row = shop.products.get(item.item_id).copied();
        let said = Some(item.category).filter(|c| shop.known_categories.contains(*c)).map(path);
        let category = row.and_then(|row| shop.category[row].clone()).or(said);
        let brand = row.and_then(|row| shop.brand[row].clone());
        let brand = brand.or(Some(item.brand.to_owned()).filter(|b| shop.known_brands.contains(b)));
        let by_category = category.clone().map(Kind::Category).filter(|k| shop.known_kinds.contains(k));
        let product = row.map(|row| &shop.world.inputs.products[row]);
        let role = row.map_or(Role::Unknown, |row| shop.facts[row].role);
        let none = SensitiveClass::None;
        let sensitive = item.sensitive != none
            || product.is_some_and(|p| p.sensitive != none)
            || category.as_ref().is_some_and(|c| self.mark(c).0 != none);
        Line {
            number: number as u16,
            row,
            kind: row.map(|row| shop.kind[row].clone()).or(by_category),
            group: row.and_then(|row| shop.group[row]),
            role: if item.role == Role::Unknown { role } else { item.role },
            sensitive,
            value: (item.unit_price.unwrap_or(0) * i64::from(item.quantity)).max(0),
            category,
            brand,
        }
    }

    /// What the policy marks as sensitive, and what the catalog's own does beyond it.
    fn marks(&self) -> impl Iterator<Item = &SensitiveRule> {
        let own = &self.policy.sensitive;
        let others = self.shop.world.inputs.policy.iter().flat_map(|policy| &policy.sensitive);
        own.iter().chain(others.filter(|m| own.iter().all(|o| path(&o.category) != path(&m.category))))
    }

    /// Class and age of a category: the nearest mark.
    pub fn mark(&self, category: &Path) -> (SensitiveClass, u8) {
        let marks = self.marks().filter(|m| below(&path(&m.category), category));
        let nearest = marks.max_by_key(|m| path(&m.category).len());
        nearest.map_or((SensitiveClass::None, 0), |m| (m.class, m.age_min))
    }

    /// In this request, or in `any`.
    fn class_allowed(&self, class: SensitiveClass, any: bool) -> bool {
        class == SensitiveClass::None
            || self.policy.allow_sensitive.contains(&class)
            || conditions::classes(self, any).contains(&class)
    }

    fn too_young(&self, classes: &[SensitiveClass], age_min: u8) -> bool {
        use SensitiveClass as S;
        let grown_up = [S::Alcohol, S::Tobacco, S::Adult, S::Weapons, S::Gambling, S::Credit];
        let restricted = age_min > 0 || classes.iter().any(|c| grown_up.contains(c));
        restricted && self.profile.age_band != AgeBand::Adult
    }

    fn here(&self, regions: &[Country]) -> bool {
        regions.is_empty() || self.transaction.country.is_some_and(|c| regions.contains(&c))
    }

    fn partner_excluded(&self, id: &str) -> bool {
        let active = self.shop.partners.get(id).is_some_and(|p| p.active);
        !active || self.policy.suppress.partners.iter().any(|p| p == id)
    }

    /// Whether the partner refuses what was bought, or the country.
    fn partner_refuses(&self, id: &str) -> bool {
        let Some(partner) = self.shop.partners.get(id) else { return true };
        let beside = |line: &Line| {
            let by_category = partner
                .blocked_categories
                .iter()
                .any(|root| line.category.as_ref().is_none_or(|c| below(&path(root), c)));
            let by_brand = partner.blocked_brands.iter().any(|b| line.brand.as_ref().is_none_or(|l| l == b));
            by_category || by_brand
        };
        !self.here(&partner.regions)
            || conditions::answer(self, &partner.when) != Some(true)
            || self.lines.iter().any(beside)
    }

    /// Whether a customer met a partner, or an offer, as often as the caps allow.
    fn capped(&self, caps: &[FrequencyCap], counts: impl Fn(&str) -> bool) -> bool {
        caps.iter().any(|cap| {
            let recent =
                |at_ms: i64| self.now.is_none_or(|now| at_ms <= 0 || now - at_ms < i64::from(cap.days) * DAY);
            let events = self.profile.exposures.iter().rev().take(EXPOSURES_MAX);
            let counted = events.filter(|e| e.event == cap.event && counts(e.id) && recent(e.at_ms));
            counted.count() >= cap.most as usize
        })
    }

    fn partner_capped(&self, id: &str) -> bool {
        let shop = self.shop;
        let partner_of = |exposed: &str| match (shop.offers.get(exposed), shop.products.get(exposed)) {
            (Some(number), _) => shop.world.inputs.partners.offers[*number].partner.clone(),
            (None, Some(row)) => shop.world.inputs.products[*row].seller.clone(),
            (None, None) => String::new(),
        };
        shop.partners.get(id).is_some_and(|p| self.capped(&p.caps, |exposed| partner_of(exposed) == id))
    }

    pub fn due(&self, past: &Past) -> bool {
        // A week where the type's rhythm is not known.
        let days = match self.shop.facts[past.row].replenish_days {
            0 => 7,
            days => i64::from(days),
        };
        past.last_at_ms > 0 && self.now.is_some_and(|now| now - past.last_at_ms >= days * DAY)
    }

    fn keep(&self, all: Vec<(bool, Reason)>) -> Vec<Reason> {
        let held = all.into_iter().filter(|(refused, reason)| *refused && Some(*reason) != self.without);
        held.map(|(_, reason)| reason).collect()
    }

    /// What refuses a product whatever the basket is, and the rules with conditions: what retrieval leaves out. Classes that a
    /// rule may allow are left to the gate.
    pub fn standing(&self, row: usize) -> Vec<Reason> {
        self.merchant(row, true)
    }

    fn merchant(&self, row: usize, any_class: bool) -> Vec<Reason> {
        let (policy, product) = (self.policy, &self.shop.world.inputs.products[row]);
        let (category, brand) = (&self.shop.category[row], &self.shop.brand[row]);
        let in_any = |roots: &[String]| {
            category.as_ref().is_some_and(|c| roots.iter().any(|root| below(&path(root), c)))
        };
        let ruled = !policy.suppress.categories.is_empty()
            || !policy.allow_only.categories.is_empty()
            || self.marks().next().is_some();
        let marked = category.as_ref().map_or(SensitiveClass::None, |c| self.mark(c).0);
        let bad_stock = match product.availability {
            Availability::InStock => false,
            Availability::Unknown => policy.unknown.availability == Unknown::Deny,
            _ => true,
        };
        let (suppress, only) = (&policy.suppress, &policy.allow_only.categories);
        let outside = !only.is_empty() && category.is_some() && !in_any(only);
        let brand_out = brand.as_ref().map_or(!suppress.brands.is_empty(), |b| suppress.brands.contains(b));
        let no_price = self.price(row).is_none() && policy.unknown.price == Unknown::Deny;
        let class_ok =
            self.class_allowed(product.sensitive, any_class) && self.class_allowed(marked, any_class);
        let refusals = conditions::refusals(self, &Called::product(self, row));
        let mut reasons = self.keep(refusals.into_iter().map(|reason| (true, reason)).collect());
        reasons.extend(self.keep(vec![
            (!class_ok, Reason::SensitiveContext),
            (suppress.products.contains(&product.id), Reason::ProductExcluded),
            (suppress.kinds.contains(&OfferKind::Product), Reason::KindExcluded),
            (ruled && category.is_none(), Reason::UnknownCategory),
            (in_any(&suppress.categories) || outside, Reason::CategoryExcluded),
            (brand_out, Reason::BrandExcluded),
            (!product.seller.is_empty() && self.partner_excluded(&product.seller), Reason::PartnerExcluded),
            (bad_stock, Reason::OutOfStock),
            (no_price, Reason::PriceUnknown),
        ]));
        reasons
    }

    pub fn price(&self, row: usize) -> Option<i64> {
        let stated = self.shop.world.inputs.products[row].price;
        stated.or_else(|| self.shop.world.engine.price(Item::Product(self.shop.ix[row])))
    }

    fn told_product(&self, row: usize) -> ToldProduct {
        let told = self.live.and_then(|live| live.products.get(&self.shop.world.inputs.products[row].id));
        told.cloned().unwrap_or_default()
    }

    pub fn told_offer(&self, id: &str) -> ToldAccount {
        self.live.and_then(|live| live.offers.get(id)).cloned().unwrap_or_default()
    }

    fn told_partner(&self, id: &str) -> ToldAccount {
        self.live.and_then(|live| live.partners.get(id)).cloned().unwrap_or_default()
    }

    /// Nothing can be reserved: nothing was spent, so a limit is empty where it is 0, or where nobody knows what day it is.
    fn is_empty(&self, account: &ToldAccount) -> bool {
        account.daily.is_some_and(|daily| daily == 0 || self.now.is_none())
    }

    /// What the live overlay says against a product.
    fn live_product(&self, row: usize) -> Vec<(bool, Reason)> {
        let (told, seller) = (self.told_product(row), &self.shop.world.inputs.products[row].seller);
        let partner = self.told_partner(seller);
        let most = i64::from(self.policy.live.price_max_age_minutes) * 60_000;
        let fresh = told.price.is_some() && self.now.is_some_and(|now| now - told.priced_at_ms <= most);
        vec![
            (told.paused || told.killed, Reason::Paused),
            (partner.paused || partner.killed, Reason::PartnerExcluded),
            (told.stock == Some(0), Reason::OutOfStock),
            (most > 0 && !fresh, Reason::PriceUnknown),
            (self.is_empty(&partner), Reason::LeaseEmpty),
        ]
    }

    fn live_offer(&self, offer: &PartnerOffer) -> Vec<(bool, Reason)> {
        let (own, partner) = (self.told_offer(&offer.id), self.told_partner(&offer.partner));
        vec![
            (own.paused || own.killed, Reason::Paused),
            (partner.paused || partner.killed, Reason::PartnerExcluded),
            (self.is_empty(&own) || self.is_empty(&partner), Reason::LeaseEmpty),
        ]
    }

    /// The live price, else the catalog's.
    pub fn price_now(&self, row: usize) -> Option<i64> {
        self.told_product(row).price.or_else(|| self.price(row))
    }

    /// All that refuses a product.
    pub fn product(&self, row: usize, as_refill: bool) -> Vec<Reason> {
        let shop = self.shop;
        let product: &Product = &shop.world.inputs.products[row];
        let (category, third) = (&shop.category[row], !product.seller.is_empty());
        let (class, age) = category.as_ref().map_or((SensitiveClass::None, 0), |c| self.mark(c));
        let wishes = self.opt_out_unknown || !self.opted_out.is_empty();
        let unwanted = self.opt_out_unknown
            || category.as_ref().is_none_or(|c| self.opted_out.iter().any(|root| below(root, c)));
        let repeat = self.past.iter().any(|past| past.row == row);
        let consumable = shop.facts[row].role == Role::Consumable;
        let for_device = consumable && self.lines.iter().any(|l| l.role == Role::Durable);
        let limit = i64::from(self.policy.value.max_price_percent);
        let affordable = || Some(self.price_now(row)? <= self.order_value? * limit / 100);
        let minor = self.profile.age_band == AgeBand::Minor;
        let young = self.too_young(&[product.sensitive, class], age.max(product.age_min));
        let group = &shop.group[row];
        let mut reasons = self.keep(vec![
            (self.foreign(), Reason::Currency),
            (young || (third && minor), Reason::Age),
            ((third && self.profile.opt_out_third_party) || (wishes && unwanted), Reason::OptedOut),
            (self.unconsented(third, OfferKind::Product), Reason::ConsentMissing),
            (!self.here(&product.eligible_regions), Reason::Region),
            (third && self.partner_refuses(&product.seller), Reason::PartnerContext),
            (third && self.partner_capped(&product.seller), Reason::FrequencyCap),
            (self.lines.iter().any(|l| l.row == Some(row)), Reason::SameItem),
            (group.is_some() && self.lines.iter().any(|l| l.group == *group), Reason::SameGroup),
            (self.lines.iter().any(|l| l.kind.as_ref() == Some(&shop.kind[row])), Reason::SameType),
            (self.owned(row), Reason::Owned),
            (self.declined.contains(&product.id), Reason::Declined),
            (self.gift && (as_refill || repeat || for_device), Reason::GiftSuppressesRefill),
            (limit > 0 && affordable() != Some(true), Reason::PriceTooHigh),
        ]);
        reasons.extend(self.merchant(row, false));
        reasons.extend(self.keep(self.live_product(row)));
        reasons
    }

    /// Whether a purpose that the party or the kind needs was refused, or may not go unasked.
    fn unconsented(&self, third: bool, kind: OfferKind) -> bool {
        let (needed, said) = (&self.policy.consent, &self.profile.consent);
        let party = if third { Party::Third } else { Party::First };
        let lists = needed.parties.get(&party).into_iter().chain(needed.kinds.get(&kind));
        lists.flatten().any(|purpose| match (said.asked.has(*purpose), said.granted.has(*purpose)) {
            _ if said.gpc && *purpose == Purpose::SaleOfData => true,
            (true, granted) => !granted,
            (false, _) => needed.not_asked == Unknown::Deny,
        })
    }

    /// Whether catalog or policy give a product a sensitive class.
    pub fn is_sensitive(&self, row: usize) -> bool {
        let marked = self.shop.category[row].as_ref().map_or(SensitiveClass::None, |c| self.mark(c).0);
        self.shop.world.inputs.products[row].sensitive != SensitiveClass::None
            || marked != SensitiveClass::None
    }

    fn owned(&self, row: usize) -> bool {
        let shop = self.shop;
        let role = shop.facts[row].role;
        if let Some(past) = self.past.iter().find(|past| past.row == row) {
            let never = self.transaction.placement.repeat == aftercart::Repeat::Never;
            return never || !self.used_up(past) || !self.due(past);
        }
        role != Role::Consumable
            && self.past.iter().any(|past| {
                let alike = role == Role::Durable && shop.kind[past.row] == shop.kind[row];
                alike || (shop.group[row].is_some() && shop.group[past.row] == shop.group[row])
            })
    }

    /// A consumable, or what the customer came back for where nobody knows what it is.
    pub fn used_up(&self, past: &Past) -> bool {
        match self.shop.facts[past.row].role {
            Role::Consumable => true,
            Role::Unknown => past.times >= 2,
            _ => false,
        }
    }

    fn foreign(&self) -> bool {
        let ours = self.shop.world.inputs.currency.unwrap_or(Currency::USD);
        self.transaction.currency.is_some_and(|c| c != ours)
    }

    /// All that refuses an offer that is not a product.
    pub fn offer(&self, number: usize) -> Vec<Reason> {
        let offer: &PartnerOffer = &self.shop.world.inputs.partners.offers[number];
        let third = !offer.partner.is_empty();
        let suppress = &self.policy.suppress;
        let timed = offer.starts_at_ms != 0 || offer.ends_at_ms != 0;
        let runs = |now| now >= offer.starts_at_ms && (offer.ends_at_ms == 0 || now <= offer.ends_at_ms);
        let valued = offer.order_value_min.is_some() || offer.order_value_max.is_some();
        let fits = |v| {
            offer.order_value_min.is_none_or(|least| v >= least)
                && offer.order_value_max.is_none_or(|most| v <= most)
        };
        let others = offer.customers != CustomerKind::Any && offer.customers != self.profile.customer;
        let member = (offer.kind == OfferKind::Loyalty && self.profile.loyalty_member == Some(true))
            || (offer.kind == OfferKind::AppPrompt && self.profile.has_app == Some(true));
        let minor = self.profile.age_band == AgeBand::Minor;
        let repeats = self.gift && offer.kind == OfferKind::Subscription && !third;
        let refusals = conditions::refusals(self, &Called::offer(self, number));
        let mut reasons = self.keep(refusals.into_iter().map(|reason| (true, reason)).collect());
        reasons.extend(self.keep(self.live_offer(offer)));
        reasons.extend(self.keep(vec![
            (self.foreign(), Reason::Currency),
            ((third && minor) || self.too_young(&[offer.sensitive], offer.age_min), Reason::Age),
            (third && self.profile.opt_out_third_party, Reason::OptedOut),
            (self.unconsented(third, offer.kind), Reason::ConsentMissing),
            (!self.here(&offer.regions), Reason::Region),
            (timed && !self.now.is_some_and(runs), Reason::OutsideFlight),
            (!self.class_allowed(offer.sensitive, false), Reason::SensitiveContext),
            (suppress.kinds.contains(&offer.kind), Reason::KindExcluded),
            (suppress.offers.contains(&offer.id), Reason::ProductExcluded),
            (third && self.partner_excluded(&offer.partner), Reason::PartnerExcluded),
            (third && self.partner_refuses(&offer.partner), Reason::PartnerContext),
            (third && self.partner_capped(&offer.partner), Reason::FrequencyCap),
            (conditions::answer(self, &offer.when) != Some(true), Reason::OfferCondition),
            (self.capped(&offer.caps, |exposed| exposed == offer.id), Reason::FrequencyCap),
            (valued && !self.order_value.is_some_and(fits), Reason::OrderValue),
            (others, Reason::CustomerKind),
            (self.declined.contains(&offer.id), Reason::Declined),
            (member, Reason::AlreadyMember),
            (repeats, Reason::GiftSuppressesRefill),
        ]));
        reasons
    }

    pub fn slots(&self) -> usize {
        let asked = self.transaction.placement.slots;
        let named = conditions::named(self.policy, self).flatten().and_then(|placement| placement.slots);
        usize::from(if asked == 0 { named.unwrap_or(self.policy.placement.slots) } else { asked })
    }

    /// The least that any position asks for.
    pub fn floor(&self) -> u16 {
        conditions::positions(self).iter().map(|p| p.floor).min().unwrap_or(u16::MAX)
    }

    pub fn least_p_accept_ppm(&self) -> u32 {
        (self.policy.placement.min_p_accept * 1e6).round() as u32
    }

    pub fn reserve(&self) -> i64 {
        conditions::positions(self).iter().map(|p| p.reserve).min().unwrap_or(i64::MAX)
    }
}

/// What a slate's limits look at.
#[derive(Debug, Clone, Default)]
pub struct Traits {
    pub kind: Option<Kind>,
    pub brand: Option<String>,
    pub partner: Option<String>,
    pub refill: bool,
}

impl Case<'_> {
    pub fn traits(&self, item: Item, refill: bool) -> Traits {
        let shop = self.shop;
        let partner = |id: &String| Some(id.clone()).filter(|id| !id.is_empty());
        match item {
            Item::Product(ix) => {
                let row = shop.row_of[&ix];
                Traits {
                    kind: Some(shop.kind[row].clone()),
                    brand: shop.brand[row].clone(),
                    partner: partner(&shop.world.inputs.products[row].seller),
                    refill,
                }
            }
            Item::Offer(_) => {
                let number = shop.offers[shop.world.engine.id(item)];
                Traits {
                    partner: partner(&shop.world.inputs.partners.offers[number].partner),
                    ..Traits::default()
                }
            }
        }
    }

    /// Slots that a share comes to on this page, and the probability that there is one more than the whole ones.
    pub fn share(&self, partner: &str, stream: &str, bps: u16) -> (usize, u32) {
        let slots = self.slots() * usize::from(bps);
        let (whole, part_ppm) = (slots / 10_000, (slots % 10_000 * 100) as u32);
        let rows = &self.shop.world.inputs.partners.partners;
        let row = rows.iter().position(|p| p.id == partner).expect("known") as u32;
        let mut bytes =
            [self.group_id.to_le_bytes().to_vec(), row.to_le_bytes().to_vec(), stream.into()].concat();
        bytes.resize(32, 0);
        let drawn = (u128::from(xxhash_rust::xxh3::xxh3_64(&bytes)) * 1_000_000) >> 64;
        (whole + usize::from(drawn < u128::from(part_ppm)), part_ppm)
    }

    fn share_is_full(&self, slate: &[Traits], partner: &Option<String>) -> bool {
        let Some(id) = partner else { return false };
        let most = self.shop.partners[id.as_str()].max_share_bps;
        let shown = slate.iter().filter(|other| other.partner == *partner).count();
        most > 0 && shown >= self.share(id, "greatest", most).0
    }

    /// The limits that a slate with one more offer would exceed.
    pub fn over(&self, slate: &[Traits], more: &Traits) -> Vec<Reason> {
        let policy = &self.policy.slate;
        let full = |limit: u8, count: usize| limit > 0 && count >= usize::from(limit);
        let count = |alike: &dyn Fn(&Traits) -> bool| slate.iter().filter(|t| alike(t)).count();
        let own = more.partner.as_ref().map_or(0, |p| self.shop.partners[p.as_str()].max_per_slate);
        let of_partner = if own == 0 { policy.max_per_partner } else { own };
        // A share, but one where there is any.
        let percent = usize::from(policy.max_refill_percent);
        let refills = if percent == 0 { 0 } else { (self.slots() * percent / 100).max(1) };
        let of_type = match policy.max_per_type {
            255 if self.transaction.placement.repeat == aftercart::Repeat::Never => 1,
            255 if self.slots() <= 8 => 1,
            255 => 3,
            limit => limit,
        };
        let (third, refilled) = (more.partner.is_some(), more.refill && count(&|t| t.refill) >= refills);
        self.keep(vec![
            (more.kind.is_some() && full(of_type, count(&|t| t.kind == more.kind)), Reason::TypeQuota),
            (
                more.brand.is_some() && full(policy.max_per_brand, count(&|t| t.brand == more.brand)),
                Reason::BrandQuota,
            ),
            (third && full(of_partner, count(&|t| t.partner == more.partner)), Reason::PartnerQuota),
            (self.share_is_full(slate, &more.partner), Reason::PartnerQuota),
            (
                third && count(&|t| t.partner.is_some()) >= usize::from(policy.max_third_party),
                Reason::ThirdPartyQuota,
            ),
            (refilled, Reason::RefillQuota),
        ])
    }
}

/// One number for all that share a group or a GTIN, directly or through others: the least row, passed on until nothing changes.
fn groups(rows: &[Product]) -> Vec<Option<usize>> {
    let named = |p: &Product| !p.item_group_id.is_empty() || !p.gtin.is_empty();
    let mut group: Vec<Option<usize>> =
        rows.iter().enumerate().map(|(row, p)| named(p).then_some(row)).collect();
    let alike = |a: &Product, b: &Product| {
        (!a.item_group_id.is_empty() && a.item_group_id == b.item_group_id)
            || (!a.gtin.is_empty() && a.gtin == b.gtin)
    };
    loop {
        let mut changed = false;
        for a in (0..rows.len()).filter(|a| named(&rows[*a])) {
            for b in (0..rows.len()).filter(|b| named(&rows[*b])) {
                if alike(&rows[a], &rows[b]) && group[a] < group[b] {
                    group[b] = group[a];
                    changed = true;
                }
            }
        }
        if !changed {
            return group;
        }
    }
}

/// Checks a whole result against every rule; says what is wrong with it.
pub fn breach(case: &Case<'_>, engine: &Engine, offers: &aftercart::Offers) -> Option<String> {
    let case = &Case { group_id: offers.group_id, ..case.clone() };
    let slate = offers.slate();
    if !slate.is_empty() && case.policy.kill_switch {
        return Some("shown although the kill switch is on".into());
    }
    if slate.len() > case.slots() {
        return Some(format!("{} offers in {} slots", slate.len(), case.slots()));
    }
    if !slate.is_empty() && conditions::named(case.policy, case).is_none() {
        return Some("shown although the policy does not have the placement".into());
    }
    let positions = conditions::positions(case);
    let mut before: Vec<Traits> = Vec::new();
    let mut seen = HashSet::new();
    for (at, offer) in slate.iter().enumerate() {
        let called = Called::item(case, offer.item);
        let Some(position) = positions.get(usize::from(offer.position)) else {
            return Some(format!("position {} of {}", offer.position, positions.len()));
        };
        let id = engine.id(offer.item);
        let refill = offer.because.relation == aftercart::Relation::Refill;
        let (mut wrong, house) = match offer.item {
            Item::Product(ix) => (case.product(case.shop.row_of[&ix], refill), false),
            Item::Offer(_) => {
                let number = case.shop.offers[id];
                (case.offer(number), case.shop.world.inputs.partners.offers[number].house)
            }
        };
        let traits = case.traits(offer.item, refill);
        wrong.extend(case.over(&before, &traits));
        before.push(traits);
        if !house && offer.relevance < position.floor {
            wrong.push(Reason::BelowRelevance);
        }
        if !house && offer.p_accept_ppm < case.least_p_accept_ppm() {
            wrong.push(Reason::BelowAcceptance);
        }
        if !house && offer.ev_micros < position.reserve {
            wrong.push(Reason::BelowReserve);
        }
        if !position.takes(&called) {
            wrong.push(Reason::PositionExcluded);
        }
        if slate[..at].iter().any(|other| conditions::apart(case, &called, &Called::item(case, other.item))) {
            wrong.push(Reason::CompetitiveSeparation);
        }
        let gap = case.policy.placements.is_empty() && usize::from(offer.position) != at;
        let after = at.checked_sub(1).is_none_or(|before| slate[before].position < offer.position);
        if gap || !after || !seen.insert(offer.item) {
            return Some(format!("{id} at position {} is misplaced or there twice", offer.position));
        }
        if !wrong.is_empty() {
            return Some(format!("{id} is shown although {wrong:?}"));
        }
    }
    None
}
