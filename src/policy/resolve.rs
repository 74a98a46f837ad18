//! From names to rows of a catalog: a policy as the flat list of rules that a file stores.

use std::collections::HashSet;

use super::condition::{Condition, Fact, NumberFact, TextFact};
use super::facts::text_hash;
use super::names;
use super::placements::{Placed, Slot, is_before_payment, ladder_code, party_bit};
use super::questions;
use super::rules::{Op, is_sound};
use super::selectors::By;
use super::stored::{record, role, write_name, write_named, write_op, write_placement, write_zone};
use super::zone::Zone;
use super::{FirstPartyValue, NamedPlacement, Names, Policy, PolicyError, Rule, Rung, Unknown};
use crate::experiment;
use crate::index::View;
use crate::index::format::{NameKind, PolicyRecord, StrRef, rule};
use crate::limits::{APART_MAX, PLACEMENTS_MAX, POLICY_RULES_MAX, RULE_NAME_MAX, RULES_MAX, SLOTS_MAX};

/// Numbers of the settings in a stored policy. Never reused.
pub(super) mod setting {
    pub(in crate::policy) const KILL_SWITCH: u32 = 1;
    pub(in crate::policy) const SLOTS: u32 = 2;
    pub(in crate::policy) const MIN_RELEVANCE: u32 = 3;
    pub(in crate::policy) const RESERVE_MICROS: u32 = 4;
    pub(in crate::policy) const MAX_PER_TYPE: u32 = 5;
    pub(in crate::policy) const MAX_PER_BRAND: u32 = 6;
    pub(in crate::policy) const MAX_PER_PARTNER: u32 = 7;
    pub(in crate::policy) const MAX_THIRD_PARTY: u32 = 8;
    pub(in crate::policy) const MAX_REFILL_PERCENT: u32 = 9;
    pub(in crate::policy) const VALUE_BY_MARGIN: u32 = 10;
    pub(in crate::policy) const MAX_PRICE_PERCENT: u32 = 11;
    pub(in crate::policy) const DENY_UNKNOWN_AVAILABILITY: u32 = 12;
    pub(in crate::policy) const DENY_UNKNOWN_PRICE: u32 = 13;
    pub(in crate::policy) const MIN_P_ACCEPT_PPM: u32 = 14;
    pub(in crate::policy) const CONSENT_NOT_ASKED: u32 = 15;
    pub(in crate::policy) const FALLBACK: u32 = 16;
}

impl Policy {
    /// Turns names into indices of a catalog.
    ///
    /// # Errors
    /// [`PolicyError`]: a name that the catalog does not have, another taxonomy, a number out of range, or a rule that makes
    /// no sense.
    pub fn resolve(&self, view: &View<'_>) -> Result<Vec<PolicyRecord>, PolicyError> {
        self.check_numbers()?;
        self.check_taxonomy(view)?;
        let mut rules = self.settings();
        let mut add = |field, by, kind, names: &[String]| {
            for name in names {
                rules.push(record(kind, row_of(view, field, by, name)?, 0));
            }
            Ok::<_, PolicyError>(())
        };
        let s = &self.suppress;
        add("suppress.categories", By::Category, rule::SUPPRESS_CATEGORY, &s.categories)?;
        add("suppress.brands", By::Brand, rule::SUPPRESS_BRAND, &s.brands)?;
        add("suppress.partners", By::Partner, rule::SUPPRESS_PARTNER, &s.partners)?;
        add("suppress.products", By::Product, rule::SUPPRESS_PRODUCT, &s.products)?;
        add("suppress.offers", By::Offer, rule::SUPPRESS_OFFER, &s.offers)?;
        let only = &self.allow_only.categories;
        add("allow_only.categories", By::Category, rule::ALLOW_CATEGORY, only)?;
        for mark in &self.sensitive {
            let key = row_of(view, "sensitive.category", By::Category, &mark.category)?;
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
        rules.extend(self.consent.records());
        self.write_conditional(view, &mut rules)?;
        if rules.len() > POLICY_RULES_MAX {
            return Err(PolicyError::OutOfRange { field: "rules", allowed: "at most 262,144" });
        }
        Ok(rules)
    }

    /// Rules, pairs, placements and the zone. What `[suppress]` and `[allow_only]` say beyond the lists above becomes a rule
    /// without condition.
    fn write_conditional(&self, view: &View<'_>, to: &mut Vec<PolicyRecord>) -> Result<(), PolicyError> {
        let names = self.rules.iter().map(|r| ("rule", &r.name));
        let names = names.chain(self.apart.iter().map(|pair| ("apart", &pair.name)));
        let names = names.chain(self.questions.iter().map(|question| ("question", &question.id)));
        check_names(names.chain(self.placements.iter().map(|p| ("placements", &p.id))))?;
        let check = |ok: bool, field, allowed| {
            if ok { Ok(()) } else { Err(PolicyError::OutOfRange { field, allowed }) }
        };
        let ruled: usize = self.apart.iter().map(|pair| pair.rules().count()).sum();
        check(
            self.rules.len() + ruled < RULES_MAX,
            "rule",
            "at most 1,023 rules, pairs with `bought` among them",
        )?;
        check(self.apart.len() <= APART_MAX, "apart", "at most 64 pairs")?;
        check(self.placements.len() <= PLACEMENTS_MAX, "placements", "at most 64 placements")?;
        let plain = Rule {
            name: "suppress and allow_only".into(),
            suppress: Names {
                parties: self.suppress.parties.clone(),
                attributes: self.suppress.attributes.clone(),
                ..Names::default()
            },
            allow_only: Names { categories: Vec::new(), ..self.allow_only.clone() },
            ..Rule::default()
        };
        if !plain.suppress.is_empty() || !plain.allow_only.is_empty() {
            write_rule(&plain, view, to)?;
        }
        for rule in &self.rules {
            self.check_rule(rule)?;
            write_rule(rule, view, to).map_err(|error| in_rule(&rule.name, error))?;
        }
        for pair in &self.apart {
            let error = |problem: &str| rule_error("apart", &pair.name, problem);
            if pair.these.is_empty() {
                return Err(error("these: names nothing; name what may not stand beside those"));
            }
            for rule in pair.rules() {
                if !is_of_lines(&rule.bought) {
                    return Err(error(LINES_ONLY));
                }
                write_rule(&rule, view, to).map_err(|error| in_rule(&pair.name, error))?;
            }
            write_name(rule::APART, &pair.name, to);
            write_names("apart.these", &pair.these, role::THESE, view, to)
                .and_then(|()| write_names("apart.those", pair.other(), role::THOSE, view, to))
                .map_err(|error| in_rule(&pair.name, error))?;
        }
        for (at, placement) in self.placements.iter().enumerate() {
            let before =
                self.placements[..at].iter().find(|p| p.stage.is_some() && p.stage == placement.stage);
            if let Some(other) = before {
                let problem =
                    format!("stage: placement \"{}\" has it already; give it to one of the two", other.id);
                return Err(rule_error("placements", &placement.id, &problem));
            }
            write_placement(&self.placed(placement)?, to);
        }
        if let Some(zone) = &self.time_zone {
            write_zone(&Zone::named(zone)?, to);
        }
        experiment::check(&self.holdout, &self.explore, &self.experiments)
            .map_err(|(id, problem)| rule_error("experiment", &id, &problem))?;
        experiment::write(&self.holdout, &self.explore, &self.experiments, to);
        self.write_questions(to)
    }

    fn write_questions(&self, to: &mut Vec<PolicyRecord>) -> Result<(), PolicyError> {
        for question in &self.questions {
            let mut conditions = question.signs.iter().map(|sign| &sign.when).chain([&question.ask_if]);
            if self.time_zone.is_none() && conditions.any(asks_clock) {
                let problem =
                    "a condition reads the clock; say where: time_zone = \"America/New_York\" at the top";
                return Err(rule_error("question", &question.id, problem));
            }
        }
        let placements: Vec<String> = self.placements.iter().map(|placement| placement.id.clone()).collect();
        questions::write(&self.questions, &placements, to)
    }

    /// Names of all rules and pairs.
    pub(crate) fn all_names(&self) -> impl Iterator<Item = &Names> {
        let rules = self.rules.iter().flat_map(|r| [&r.bought, &r.suppress, &r.allow_only]);
        let pairs = self.apart.iter().flat_map(|pair| [&pair.these, &pair.those]);
        [&self.suppress, &self.allow_only].into_iter().chain(rules).chain(pairs)
    }

    fn check_taxonomy(&self, view: &View<'_>) -> Result<(), PolicyError> {
        let catalog = view.str(view.taxonomy);
        let named = !self.sensitive.is_empty() || self.all_names().any(|names| !names.categories.is_empty());
        match self.taxonomy.as_deref() {
            Some(policy) if policy != catalog => {
                Err(PolicyError::Taxonomy { policy: policy.into(), catalog: catalog.into() })
            }
            None if named => Err(PolicyError::NoTaxonomy { catalog: catalog.into() }),
            _ => Ok(()),
        }
    }

    fn check_rule(&self, rule: &Rule) -> Result<(), PolicyError> {
        let error = |problem: &str| Err(rule_error("rule", &rule.name, problem));
        if rule.suppress.is_empty() && rule.allow_only.is_empty() && rule.allow_sensitive.is_empty() {
            return error("it does nothing; give it suppress, allow_only or allow_sensitive");
        }
        if !is_of_lines(&rule.bought) {
            return error(LINES_ONLY);
        }
        if asks_clock(&rule.when) && self.time_zone.is_none() {
            return error("when: it reads the clock; say where: time_zone = \"America/New_York\" at the top");
        }
        Ok(())
    }

    /// A placement with all that it leaves out.
    fn placed(&self, named: &NamedPlacement) -> Result<Placed, PolicyError> {
        let error = |problem: &str| Err(rule_error("placements", &named.id, problem));
        let slots = named.slots.unwrap_or(self.placement.slots);
        if !(1..=SLOTS_MAX as u8).contains(&slots) {
            return error("slots: must be 1 to 16");
        }
        if !named.min_relevance.iter().all(|least| (0.0..=1.0).contains(least)) {
            return error("min_relevance: must be a share, 0 to 1 (0.6, not 60)");
        }
        if !named.reserve.iter().all(|least| (0.0..=1e9).contains(least)) {
            return error("reserve: must be 0 to 1,000,000,000");
        }
        let lengths =
            [named.min_relevance.len(), named.reserve.len(), named.kinds.len(), named.parties.len()];
        if lengths.iter().any(|length| *length > SLOTS_MAX) {
            return error("a list by position: must have at most 16 entries");
        }
        if named.kinds.iter().any(Vec::is_empty) || named.parties.iter().any(Vec::is_empty) {
            return error(
                "kinds, parties: a position with an empty list would take nothing: name what it takes",
            );
        }
        let before = named.stage.is_some_and(is_before_payment);
        let everybody = if before { party_bit(false) } else { u8::MAX };
        let mut placed =
            Placed { id: Some(text_hash(&named.id)), stage: named.stage, slots, ..Placed::default() };
        for (position, slot) in placed.positions.iter_mut().enumerate() {
            let relevance = at(&named.min_relevance, position).unwrap_or(&self.placement.min_relevance);
            let reserve = at(&named.reserve, position).unwrap_or(&self.placement.reserve);
            *slot = Slot {
                min_relevance: thousandths(*relevance),
                reserve_micros: micros(*reserve),
                kinds: at(&named.kinds, position)
                    .map_or(u32::MAX, |kinds| kinds.iter().fold(0, |bits, kind| bits | 1 << kind.code())),
                parties: at(&named.parties, position)
                    .map_or(everybody, |list| list.iter().fold(0, |bits, party| bits | 1 << party.code())),
            };
        }
        if let Some(rungs) = named.fallback.as_ref().or(self.placement.fallback.as_ref()) {
            let Some(ladder) = ladder(rungs) else {
                return error("fallback: name each rung once: \"house\", \"content\"");
            };
            placed.fallback = ladder;
        }
        Ok(placed)
    }

    fn check_numbers(&self) -> Result<(), PolicyError> {
        let check = |ok: bool, field, allowed| {
            if ok { Ok(()) } else { Err(PolicyError::OutOfRange { field, allowed }) }
        };
        let placement = &self.placement;
        check(self.version == 1, "version", "1")?;
        check((1..=SLOTS_MAX as u8).contains(&placement.slots), "placement.slots", "1 to 16")?;
        check(
            (0.0..=1.0).contains(&placement.min_relevance),
            "placement.min_relevance",
            "a share, 0 to 1 (0.6, not 60)",
        )?;
        check(
            (0.0..=1.0).contains(&placement.min_p_accept),
            "placement.min_p_accept",
            "a share, 0 to 1 (0.02, not 2)",
        )?;
        check((0.0..=1e9).contains(&placement.reserve), "placement.reserve", "0 to 1,000,000,000")?;
        let rungs = placement.fallback.as_ref().is_none_or(|rungs| ladder(rungs).is_some());
        check(rungs, "placement.fallback", "\"house\" and \"content\", each once")?;
        check(self.slate.max_refill_percent <= 100, "slate.max_refill_percent", "0 to 100")
    }

    fn settings(&self) -> Vec<PolicyRecord> {
        let (placement, slate) = (&self.placement, &self.slate);
        let likely_ppm = (placement.min_p_accept * 1e6).round() as i64;
        [
            (setting::KILL_SWITCH, i64::from(self.kill_switch)),
            (setting::SLOTS, placement.slots.into()),
            (setting::MIN_RELEVANCE, thousandths(placement.min_relevance).into()),
            (setting::RESERVE_MICROS, micros(placement.reserve)),
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
        .into_iter()
        // A policy without it stays the policy that it was.
        .chain(Some((setting::MIN_P_ACCEPT_PPM, likely_ppm)).filter(|(_, ppm)| *ppm != 0))
        .chain((self.consent.not_asked == Unknown::Allow).then_some((setting::CONSENT_NOT_ASKED, 1)))
        .chain(self.fallback())
        .chain(self.live.settings())
        .map(|(key, value)| record(rule::SETTING, key, value))
        .collect()
    }

    /// The default placement's ladder, where the policy says which.
    fn fallback(&self) -> Option<(u32, i64)> {
        Some((setting::FALLBACK, ladder_code(ladder(self.placement.fallback.as_ref()?)?)))
    }
}

/// Rungs as a placement has them; `None` where one is there twice.
fn ladder(rungs: &[Rung]) -> Option<[Option<bool>; 2]> {
    let rung = |at: usize| rungs.get(at).map(|rung| *rung == Rung::Content);
    let ladder = [rung(0), rung(1)];
    (rungs.len() <= 2 && (rungs.len() < 2 || ladder[0] != ladder[1])).then_some(ladder)
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

/// The row of a name.
fn row_of(view: &View<'_>, field: &'static str, by: By, name: &str) -> Result<u32, PolicyError> {
    let (what, kind) = match by {
        By::Category => ("category", NameKind::Category),
        By::Brand => ("brand", NameKind::Brand),
        By::Partner => ("partner", NameKind::Partner),
        By::Product => ("product", NameKind::Product),
        By::Offer | By::Kind | By::Party | By::Attribute => ("offer", NameKind::Offer),
    };
    let row = find_spelled(view, kind, name.trim());
    row.ok_or_else(|| PolicyError::UnknownName {
        field,
        rule: None,
        what,
        name: name.to_owned(),
        like: names::like(view, by, name.trim()),
    })
}

const LINES_ONLY: &str = "bought: a line is known by categories, brands and products only";

/// Whether these are names by which bought lines are known.
fn is_of_lines(names: &Names) -> bool {
    let Names { categories, brands, products, .. } = names.clone();
    *names == Names { categories, brands, products, ..Names::default() }
}

fn write_rule(rule: &Rule, view: &View<'_>, to: &mut Vec<PolicyRecord>) -> Result<(), PolicyError> {
    let mut ops = Vec::new();
    Op::write(&rule.when, &mut ops);
    if !is_sound(&ops) {
        return Err(rule_error("rule", &rule.name, "when: it is too wide; split the rule"));
    }
    write_name(rule::RULE, &rule.name, to);
    ops.iter().for_each(|op| write_op(*op, to));
    write_names("rule.bought", &rule.bought, role::BOUGHT, view, to)?;
    write_names("rule.suppress", &rule.suppress, role::SUPPRESS, view, to)?;
    write_names("rule.allow_only", &rule.allow_only, role::ALLOW_ONLY, view, to)?;
    for class in &rule.allow_sensitive {
        write_named(By::Category, role::ALLOW_SENSITIVE, class.code().into(), to);
    }
    Ok(())
}

fn write_names(
    field: &'static str,
    names: &Names,
    role: u8,
    view: &View<'_>,
    to: &mut Vec<PolicyRecord>,
) -> Result<(), PolicyError> {
    for (by, list) in [
        (By::Category, &names.categories),
        (By::Brand, &names.brands),
        (By::Partner, &names.partners),
        (By::Product, &names.products),
        (By::Offer, &names.offers),
    ] {
        for name in list {
            write_named(by, role, row_of(view, field, by, name)?, to);
        }
    }
    for (attribute, list) in &names.attributes {
        for name in list {
            let unknown = || PolicyError::UnknownName {
                field,
                rule: None,
                what: attribute.name(),
                name: name.clone(),
                like: Vec::new(),
            };
            let rows = attribute.values(name).map(|value| view.find_attribute(*attribute, &value));
            let rows: Vec<u32> =
                rows.collect::<Option<_>>().filter(|r: &Vec<u32>| !r.is_empty()).ok_or_else(unknown)?;
            rows.into_iter().for_each(|row| write_named(By::Attribute, role, row, to));
        }
    }
    names.kinds.iter().for_each(|kind| write_named(By::Kind, role, kind.code().into(), to));
    names.parties.iter().for_each(|party| write_named(By::Party, role, party.code().into(), to));
    Ok(())
}

/// Each has a name of its own.
fn check_names<'n>(names: impl Iterator<Item = (&'static str, &'n String)>) -> Result<(), PolicyError> {
    let mut seen = HashSet::new();
    for (field, name) in names {
        if !(1..=RULE_NAME_MAX).contains(&name.len()) {
            return Err(rule_error(field, name, "give each a name of 1 to 64 bytes"));
        }
        if !seen.insert((field, name)) {
            return Err(rule_error(field, name, "the name is there twice; give each its own"));
        }
    }
    Ok(())
}

/// Says in which rule a name is unknown.
fn in_rule(in_rule: &str, error: PolicyError) -> PolicyError {
    match error {
        PolicyError::UnknownName { field, what, name, like, .. } => {
            PolicyError::UnknownName { field, rule: Some(in_rule.to_owned()), what, name, like }
        }
        other => other,
    }
}

fn rule_error(field: &'static str, name: &str, problem: &str) -> PolicyError {
    PolicyError::Rule { field, name: name.to_owned(), problem: problem.to_owned() }
}

fn asks_clock(condition: &Condition) -> bool {
    condition.has(&mut |part| match part {
        Condition::Number { fact, .. } | Condition::Known(Fact::Number(fact)) => {
            matches!(fact, NumberFact::TimeHour | NumberFact::TimeMinute)
        }
        Condition::Text { fact, .. } | Condition::Known(Fact::Text(fact)) => *fact == TextFact::TimeWeekday,
        _ => false,
    })
}

/// What a list by position says of one; its last entry holds for all further ones.
fn at<T>(list: &[T], position: usize) -> Option<&T> {
    list.get(position).or(list.last())
}

fn thousandths(relevance: f64) -> u16 {
    (relevance * 1000.0).round() as u16
}

/// Millionths of a minor unit.
fn micros(major: f64) -> i64 {
    (major * 1e8).round() as i64
}
