//! Lays out partners, their offers, and what triggers them.

use std::collections::HashMap;

use zerocopy::little_endian::{I64, U16, U32};

use super::catalogue::Layout;
use super::content;
use super::dictionary::Dictionary;
use super::error::BuildError;
use super::feed::{FrequencyCap, NONE, Partner, PartnerOffer, Partners};
use crate::days::DAY_MS;
use crate::index::format::{
    BlockRecord, NameKind, OfferRecord, PartnerRecord, PolicyRecord, SectionKind as S, TriggerRecord,
    answer_key, trigger,
};
use crate::limits::{CONDITION_STACK_MAX, ID_BYTES_MAX, PARTNER_BLOCKS_MAX, TRIGGER_OFFERS_MAX};
use crate::partner::block;
use crate::policy::names::among;
use crate::policy::{Cap, Condition, ContractDraft, Op, did_you_mean, write_contract};

/// Puts the partner sections.
pub(crate) fn put(layout: &mut Layout<'_>) -> Result<(), BuildError> {
    let names = Names::new(layout);
    let mut blocks = Vec::new();
    let mut partners = Vec::new();
    for partner in &layout.inputs.partners.partners {
        let start = blocks.len();
        for path in &partner.blocked_categories {
            blocks.push(block_record(
                block::CATEGORY,
                names.category(path, "blocked_categories", &partner.id)?,
            ));
        }
        for name in &partner.blocked_brands {
            blocks.push(block_record(block::BRAND, names.brand(name, "blocked_brands", &partner.id)?));
        }
        beside(layout, &names, partner, &mut blocks)?;
        if blocks.len() - start > PARTNER_BLOCKS_MAX {
            return Err(input(
                format!("partner \"{}\" has more than {PARTNER_BLOCKS_MAX} blocks", partner.id),
                "block higher categories",
            ));
        }
        partners.push(PartnerRecord {
            id: layout.strings.add(&partner.id),
            name: layout.strings.add(&partner.name),
            blocks_start: U32::new(start as u32),
            blocks_count: U32::new((blocks.len() - start) as u32),
            region_set: U16::new(layout.regions.add(&partner.regions)?),
            active: partner.active.into(),
            max_per_slate: partner.max_per_slate,
            min_share_bps: U16::new(partner.min_share_bps),
            max_share_bps: U16::new(partner.max_share_bps),
            reserved: [0; 8],
        });
    }
    let triggers = triggers(layout, &names)?;
    drop(names);
    let offers = offers(layout)?;
    let ids = |list: Vec<&str>| list.into_iter().map(str::to_owned).collect::<Vec<_>>();
    let partner_ids = ids(layout.inputs.partners.partners.iter().map(|p| p.id.as_str()).collect());
    layout.names.extend(NameKind::Partner, partner_ids.iter().map(String::as_str));
    layout.names.extend(NameKind::Offer, layout.inputs.partners.offers.iter().map(|o| o.id.as_str()));
    layout.writer.put(S::Partners, &partners);
    layout.writer.put(S::PartnerBlocks, &blocks);
    layout.writer.put(S::Offers, &offers);
    layout.writer.put(S::Triggers, &triggers);
    Ok(())
}

/// What a partner does not stand beside.
fn beside(
    layout: &Layout<'_>,
    names: &Names<'_>,
    partner: &Partner,
    blocks: &mut Vec<BlockRecord>,
) -> Result<(), BuildError> {
    let (of, all) = (&partner.not_beside, &layout.inputs.partners.partners);
    for path in &of.categories {
        let category = names.category(path, "not_beside.categories", &partner.id)?;
        blocks.push(block_record(block::BESIDE_CATEGORY, category));
    }
    for name in &of.brands {
        let brand = names.brand(name, "not_beside.brands", &partner.id)?;
        blocks.push(block_record(block::BESIDE_BRAND, brand));
    }
    if of.other_partners {
        blocks.push(block_record(block::BESIDE_OTHERS, 0));
    }
    let mut add = |field: &str, name: &str, is: &dyn Fn(&Partner) -> bool| {
        let before = blocks.len();
        let others = (0u32..).zip(all).filter(|(_, other)| other.id != partner.id && is(other));
        blocks.extend(others.map(|(ix, _)| block_record(block::BESIDE_PARTNER, ix)));
        if blocks.len() > before {
            return Ok(());
        }
        Err(input(
            format!("partners: \"{}\": {field}: no other partner is \"{name}\"", partner.id),
            "correct the name, or drop it: a rule that names nothing would never apply",
        ))
    };
    for id in &of.partners {
        add("not_beside.partners", id, &|other| other.id == *id)?;
    }
    for domain in &of.domains {
        let domain = domain.trim().to_lowercase();
        let below = format!(".{domain}");
        let is = |other: &Partner| other.domains.iter().any(|own| *own == domain || own.ends_with(&below));
        add("not_beside.domains", &domain, &is)?;
    }
    Ok(())
}

/// What partners and offers ask of a request, as the file stores it.
pub(crate) fn contracts(partners: &Partners) -> Result<Vec<PolicyRecord>, BuildError> {
    let mut records = Vec::new();
    let mut write = |row: u32, of: (&str, bool), when: &Condition, caps: &[FrequencyCap]| {
        let mut ops = Vec::new();
        if *when != Condition::Always {
            Op::write(when, &mut ops);
        }
        if ops.len() > CONDITION_STACK_MAX {
            let problem = format!("partners: \"{}\": when: it has {} steps", of.0, ops.len());
            return Err(input(problem, "at most 64: say it shorter"));
        }
        let cap = |cap: &FrequencyCap| Cap {
            event: cap.event,
            most: cap.most.min((1 << 24) - 1),
            window_ms: i64::from(cap.days) * DAY_MS,
        };
        let draft = ContractDraft { row, of_offer: of.1, ops, caps: caps.iter().map(cap).collect() };
        write_contract(&draft, &mut records);
        Ok(())
    };
    for (row, partner) in (0..).zip(&partners.partners) {
        write(row, (&partner.id, false), &partner.when, &partner.caps)?;
    }
    for (row, offer) in (0..).zip(&partners.offers) {
        write(row, (&offer.id, true), &offer.when, &offer.caps)?;
    }
    Ok(records)
}

fn block_record(kind: u32, key: u32) -> BlockRecord {
    BlockRecord { kind: U32::new(kind), key: U32::new(key) }
}

fn input(problem: String, way_out: impl Into<String>) -> BuildError {
    BuildError::Input { problem, way_out: way_out.into() }
}

/// What the partners file may name.
pub(super) struct Names<'a> {
    dictionary: &'a Dictionary<'a>,
    /// Lower case, as are brands.
    categories: HashMap<String, u32>,
    brands: HashMap<String, u32>,
    products: HashMap<&'a str, u32>,
}

impl<'a> Names<'a> {
    fn new(layout: &Layout<'a>) -> Self {
        let (inputs, dictionary, placed) = (layout.inputs, layout.dictionary, layout.placed);
        let names = |o: &PartnerOffer| !o.trigger_products.is_empty() || o.content.is_some();
        let named = inputs.partners.offers.iter().any(names);
        let rows = if named { inputs.products.as_slice() } else { &[] };
        Self {
            dictionary,
            categories: dictionary.taxonomy.paths.iter().map(|path| path.to_lowercase()).zip(0..).collect(),
            brands: dictionary.brands.iter().map(|name| name.to_lowercase()).zip(0..).collect(),
            products: rows.iter().zip(&placed.ix_of).map(|(p, ix)| (p.id.as_str(), *ix)).collect(),
        }
    }

    pub(super) fn category(&self, name: &str, field: &str, of: &str) -> Result<u32, BuildError> {
        let found = self.categories.get(&name.trim().to_lowercase());
        let all = self.dictionary.taxonomy.paths.iter().map(String::as_str);
        found.copied().ok_or_else(|| unknown("category", name, field, of, all))
    }

    fn brand(&self, name: &str, field: &str, of: &str) -> Result<u32, BuildError> {
        let found = self.brands.get(&name.trim().to_lowercase());
        found
            .copied()
            .ok_or_else(|| unknown("brand", name, field, of, self.dictionary.brands.iter().copied()))
    }

    pub(super) fn product(&self, id: &str, field: &str, of: &str) -> Result<u32, BuildError> {
        let found = self.products.get(id.trim());
        found.copied().ok_or_else(|| unknown("product", id, field, of, self.products.keys().copied()))
    }
}

/// The error for a name that a partner or an offer gives, and the feed does not have.
fn unknown<'n>(
    what: &str,
    name: &str,
    field: &str,
    of: &str,
    all: impl Iterator<Item = &'n str>,
) -> BuildError {
    let way_out = match did_you_mean(&among(all, name)) {
        Some(question) => format!("{question} Correct the name, or drop it"),
        None => "correct the name, or drop it".to_owned(),
    };
    let way_out = way_out + ": a rule that names nothing would never apply";
    input(format!("partners: \"{of}\": {field}: the product feed has no {what} \"{name}\""), way_out)
}

fn triggers(layout: &Layout<'_>, names: &Names<'_>) -> Result<Vec<TriggerRecord>, BuildError> {
    let mut keys: Vec<(u32, u32, u32)> = Vec::new();
    for (offer, ix) in layout.inputs.partners.offers.iter().zip(0u32..) {
        if offer.trigger_any {
            keys.push((trigger::ANY, 0, ix));
        }
        for name in &offer.trigger_categories {
            keys.push((trigger::CATEGORY, names.category(name, "trigger_categories", &offer.id)?, ix));
        }
        for name in &offer.trigger_products {
            keys.push((trigger::PRODUCT, names.product(name, "trigger_products", &offer.id)?, ix));
        }
        for name in &offer.trigger_brands {
            keys.push((trigger::BRAND, names.brand(name, "trigger_brands", &offer.id)?, ix));
        }
        keys.extend(
            offer.trigger_answers.iter().map(|tag| (trigger::ANSWER, answer_key(tag.as_bytes()), ix)),
        );
    }
    keys.extend(content::triggers(layout, names)?);
    keys.sort_unstable();
    keys.dedup();
    for group in keys.chunk_by(|a, b| (a.0, a.1) == (b.0, b.1)) {
        if group.len() > TRIGGER_OFFERS_MAX {
            return Err(input(
                format!("{} offers share one trigger", group.len()),
                "at most 64 offers may share one: name narrower triggers",
            ));
        }
    }
    let record = |(kind, key, offer): (u32, u32, u32)| TriggerRecord {
        kind: U32::new(kind),
        key: U32::new(key),
        offer: U32::new(offer),
    };
    Ok(keys.into_iter().map(record).collect())
}

fn offers(layout: &mut Layout<'_>) -> Result<Vec<OfferRecord>, BuildError> {
    let partners = &layout.inputs.partners;
    let numbers: HashMap<&str, u32> = partners.partners.iter().map(|p| p.id.as_str()).zip(0..).collect();
    let mut records = Vec::with_capacity(partners.offers.len());
    let mut groups: HashMap<&str, u32> = HashMap::new();
    for offer in &partners.offers {
        if offer.id.is_empty() || offer.id.len() > ID_BYTES_MAX {
            return Err(input(format!("partners: offer id \"{}\"", offer.id), "ids have 1 to 64 bytes"));
        }
        let partner = match offer.partner.as_str() {
            "" => NONE,
            id => *numbers.get(id).ok_or_else(|| {
                input(
                    format!("partners: \"{}\": partner: there is no partner \"{id}\"", offer.id),
                    "add the partner, or leave the field empty for an offer of the merchant",
                )
            })?,
        };
        records.push(OfferRecord {
            id: layout.strings.add(&offer.id),
            title: layout.strings.add(&offer.title),
            partner: U32::new(partner),
            accept_rate_ppm: U32::new(offer.accept_rate_ppm.min(1_000_000)),
            payout: I64::new(offer.payout),
            price: I64::new(offer.price.unwrap_or(-1)),
            order_value_min: I64::new(offer.order_value_min.unwrap_or(-1)),
            order_value_max: I64::new(offer.order_value_max.unwrap_or(-1)),
            starts_at_ms: I64::new(offer.starts_at_ms),
            ends_at_ms: I64::new(offer.ends_at_ms),
            region_set: U16::new(layout.regions.add(&offer.regions)?),
            kind: offer.kind.code(),
            customers: offer.customers.code(),
            age_min: offer.age_min,
            sensitive: offer.sensitive.code(),
            house: offer.house.into(),
            exclusive_group: U32::new(match offer.exclusive_group.as_str() {
                "" => 0,
                name => {
                    let next = groups.len() as u32 + 1;
                    *groups.entry(name).or_insert(next)
                }
            }),
            content: offer.content.as_ref().map_or(0, |holds| holds.kind.code()),
            reserved: [0; 28],
        });
    }
    Ok(records)
}
