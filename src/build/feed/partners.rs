//! The partners file: who pays for offers, and the offers that are not catalog products.

use std::ops::Range;
use std::path::Path;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::value::Datetime;

use super::{
    BuildError, FrequencyCap, Map, NotBeside, Partner, PartnerOffer, Partners, field_error, id_problem,
    in_words, io_error, listed, map, parse_price, parse_timestamp, shown,
};
use crate::policy::{Condition, cel};
use crate::vocabulary::{Country, CustomerKind, Exposure, OfferKind, SensitiveClass};

/// A TOML file, to find the line of what is wrong.
pub(super) struct Document<'p> {
    path: &'p Path,
    text: String,
}

impl<'p> Document<'p> {
    pub(super) fn read(path: &'p Path) -> Result<Self, BuildError> {
        let bytes = std::fs::read(path).map_err(|e| io_error(path, "read", e))?;
        let text = String::from_utf8(bytes).map_err(|e| {
            let valid = &e.as_bytes()[..e.utf8_error().valid_up_to()];
            field_error(path, line_after(valid), "file", "is not UTF-8", "save the file as UTF-8")
        })?;
        let text = text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text);
        Ok(Self { path, text })
    }

    pub(super) fn parse<T: DeserializeOwned>(&self) -> Result<T, BuildError> {
        toml::from_str(&self.text).map_err(|e| {
            let span = e.span().unwrap_or(0..0);
            let key = self.line(span.start).split('=').next().unwrap_or("").trim();
            let field = if key.is_empty() { "file" } else { key };
            self.error(&span, field, in_words(e.message().trim()).replace('\n', ", "), "correct the line")
        })
    }

    pub(super) fn error(
        &self,
        span: &Range<usize>,
        field: &str,
        problem: impl Into<String>,
        way_out: impl Into<String>,
    ) -> BuildError {
        let before = self.text.as_bytes().get(..span.start).unwrap_or_default();
        field_error(self.path, line_after(before), field, problem, way_out)
    }

    /// The line that holds the byte.
    fn line(&self, byte: usize) -> &str {
        let before = self.text.get(..byte).unwrap_or("");
        let start = before.rfind('\n').map_or(0, |i| i + 1);
        self.text[start..].lines().next().unwrap_or("")
    }
}

fn line_after(bytes: &[u8]) -> u64 {
    1 + bytes.iter().filter(|b| **b == b'\n').count() as u64
}

type Text = Spanned<String>;
type Texts = Vec<Spanned<String>>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFile {
    #[serde(default)]
    partner: Vec<RawPartner>,
    #[serde(default)]
    offer: Vec<RawOffer>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPartner {
    id: Text,
    #[serde(default)]
    name: String,
    active: Option<bool>,
    #[serde(default)]
    blocked_categories: Vec<String>,
    #[serde(default)]
    blocked_brands: Vec<String>,
    #[serde(default)]
    regions: Texts,
    #[serde(default)]
    max_per_slate: u8,
    min_share: Option<Spanned<f64>>,
    max_share: Option<Spanned<f64>>,
    #[serde(default)]
    domains: Vec<String>,
    #[serde(default)]
    not_beside: RawNotBeside,
    when: Option<Text>,
    #[serde(default)]
    caps: Vec<Spanned<RawCap>>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct RawNotBeside {
    categories: Vec<String>,
    brands: Vec<String>,
    partners: Vec<String>,
    domains: Vec<String>,
    other_partners: bool,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawCap {
    event: Exposure,
    most: u32,
    days: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawOffer {
    id: Text,
    kind: Text,
    partner: Option<Text>,
    #[serde(default)]
    title: String,
    payout: Option<Spanned<toml::Value>>,
    accept_rate: Option<Spanned<f64>>,
    price: Option<Spanned<toml::Value>>,
    #[serde(default)]
    trigger_any: bool,
    #[serde(default)]
    trigger_categories: Vec<String>,
    #[serde(default)]
    trigger_products: Vec<String>,
    #[serde(default)]
    trigger_brands: Vec<String>,
    #[serde(default)]
    trigger_answers: Vec<String>,
    order_value_min: Option<Spanned<toml::Value>>,
    order_value_max: Option<Spanned<toml::Value>>,
    #[serde(default)]
    regions: Texts,
    customers: Option<Text>,
    #[serde(default)]
    age_min: u8,
    sensitive_class: Option<Text>,
    starts_at: Option<Spanned<toml::Value>>,
    ends_at: Option<Spanned<toml::Value>>,
    #[serde(default)]
    house: bool,
    #[serde(default)]
    exclusive_group: String,
    when: Option<Text>,
    #[serde(default)]
    caps: Vec<Spanned<RawCap>>,
}

/// Reads the partners file, TOML with `[[partner]]` and `[[offer]]` tables:
///
/// ```toml
/// [[partner]]
/// id = "acme-warranty"
/// name = "Acme Warranty"         # optional, like all below
/// active = true                  # the default
/// blocked_categories = ["Baby"]
/// blocked_brands = ["Acme"]
/// regions = ["US", "CA"]
/// max_per_slate = 1
/// min_share = 0.05               # of a placement's slots, over many pages; of what passes every rule and floor
/// max_share = 0.2
/// domains = ["acme.example"]
/// not_beside = { categories = [], brands = ["Bolt"], partners = [], domains = ["bolt.example"], other_partners = false }   # on one page
/// when = 'order.value >= 50.0 && order.country == "US"'   # as a condition of the policy; under every policy
/// caps = [{ event = "shown", most = 3, days = 7 }]       # shown, engaged or accepted
///
/// [[offer]]
/// id = "plan-2y"
/// kind = "warranty"              # as OfferKind, but not `product`
/// partner = "acme-warranty"      # optional, like all below; without it the offer is the merchant's own
/// title = "Two years of protection"
/// payout = 4.50                  # major units
/// accept_rate = 0.031            # 0 to 1
/// price = 19.99
/// trigger_any = false
/// trigger_categories = ["Electronics > Cameras"]
/// trigger_products = []
/// trigger_brands = []
/// trigger_answers = ["gift"]
/// order_value_min = 50
/// order_value_max = 2000
/// regions = ["US"]
/// customers = "any"
/// age_min = 0
/// sensitive_class = "insurance"
/// starts_at = 2026-01-01T00:00:00Z
/// ends_at = 2026-12-31T23:59:59Z
/// house = false
/// exclusive_group = "protection"  # of these, one page shows at most one
/// when = '!order.gift'
/// caps = [{ event = "accepted", most = 1, days = 365 }]
/// ```
///
/// # Errors
/// [`BuildError::Io`] where the file cannot be read; [`BuildError::Field`] with the line for anything that is
/// not TOML, an unknown key or value, an id that comes twice, a partner that is not in the file, bounds in
/// the wrong order, and an offer that nothing triggers.
pub fn read_partners(path: &Path) -> Result<Partners, BuildError> {
    let document = Document::read(path)?;
    let raw: RawFile = document.parse()?;
    let file = Reader { document: &document };
    file.unique(raw.partner.iter().map(|partner| &partner.id))?;
    file.unique(raw.offer.iter().map(|offer| &offer.id))?;
    let partners: Vec<Partner> =
        raw.partner.into_iter().map(|p| file.partner(p)).collect::<Result<_, _>>()?;
    let offer = |offer| file.offer(offer, &partners);
    let offers = raw.offer.into_iter().map(offer).collect::<Result<_, _>>()?;
    Ok(Partners { partners, offers })
}

struct Reader<'d> {
    document: &'d Document<'d>,
}

impl Reader<'_> {
    fn unique<'i>(&self, ids: impl Iterator<Item = &'i Text>) -> Result<(), BuildError> {
        let mut seen: Map<&str, &Text> = map();
        for id in ids {
            if let Some(problem) = id_problem(id.get_ref()) {
                return Err(self.document.error(&id.span(), "id", problem, "give an id of 1 to 64 bytes"));
            }
            if let Some(first) = seen.insert(id.get_ref(), id) {
                let line = line_after(&self.document.text.as_bytes()[..first.span().start]);
                return Err(self.document.error(
                    &id.span(),
                    "id",
                    format!("{} was already in line {line}", shown(id.get_ref())),
                    "give each an id of its own",
                ));
            }
        }
        Ok(())
    }

    fn partner(&self, raw: RawPartner) -> Result<Partner, BuildError> {
        let (min_share_bps, max_share_bps) = self.shares(raw.min_share.as_ref(), raw.max_share.as_ref())?;
        Ok(Partner {
            min_share_bps,
            max_share_bps,
            id: raw.id.into_inner(),
            name: raw.name,
            active: raw.active.unwrap_or(true),
            blocked_categories: raw.blocked_categories,
            blocked_brands: raw.blocked_brands,
            regions: self.regions(&raw.regions)?,
            max_per_slate: raw.max_per_slate,
            domains: raw.domains.iter().map(|domain| domain.trim().to_lowercase()).collect(),
            not_beside: NotBeside {
                categories: raw.not_beside.categories,
                brands: raw.not_beside.brands,
                partners: raw.not_beside.partners,
                domains: raw.not_beside.domains,
                other_partners: raw.not_beside.other_partners,
            },
            when: self.condition(raw.when.as_ref())?,
            caps: self.caps(&raw.caps)?,
        })
    }

    /// Least and greatest share of the slots in basis points, 0 where none is stated.
    fn shares(
        &self,
        least: Option<&Spanned<f64>>,
        greatest: Option<&Spanned<f64>>,
    ) -> Result<(u16, u16), BuildError> {
        let bps = |field, share: Option<&Spanned<f64>>| match share {
            None => Ok(0),
            Some(share) if (0.0001..=1.0).contains(share.get_ref()) => {
                Ok((share.get_ref() * 10_000.0).round() as u16)
            }
            Some(share) => Err(self.document.error(
                &share.span(),
                field,
                format!("{} is not a share", share.get_ref()),
                "write 0.0001 to 1, or leave it out; `active = false` pauses a partner",
            )),
        };
        let (min, max) = (bps("min_share", least)?, bps("max_share", greatest)?);
        match least.filter(|_| max > 0 && min > max) {
            None => Ok((min, max)),
            Some(share) => Err(self.document.error(
                &share.span(),
                "min_share",
                "is more than max_share",
                "lower it, or raise max_share",
            )),
        }
    }

    fn offer(&self, raw: RawOffer, partners: &[Partner]) -> Result<PartnerOffer, BuildError> {
        self.check(&raw, partners)?;
        let (order_value_min, order_value_max) = self.bounds(&raw)?;
        let (starts_at_ms, ends_at_ms) = self.flight(&raw)?;
        // A product stands in the product feed, so that kind is none of these.
        let kinds = &OfferKind::ALL[1..];
        Ok(PartnerOffer {
            kind: self.named("kind", &raw.kind, kinds, OfferKind::name)?,
            payout: self.money("payout", raw.payout.as_ref())?.unwrap_or(0),
            accept_rate_ppm: self.rate(raw.accept_rate.as_ref())?,
            price: self.money("price", raw.price.as_ref())?,
            order_value_min,
            order_value_max,
            regions: self.regions(&raw.regions)?,
            customers: match &raw.customers {
                Some(text) => self.named("customers", text, CustomerKind::ALL, CustomerKind::name)?,
                None => CustomerKind::Any,
            },
            sensitive: match &raw.sensitive_class {
                Some(text) => {
                    self.named("sensitive_class", text, SensitiveClass::ALL, SensitiveClass::name)?
                }
                None => SensitiveClass::None,
            },
            starts_at_ms,
            ends_at_ms,
            id: raw.id.into_inner(),
            partner: raw.partner.map(Spanned::into_inner).unwrap_or_default(),
            title: raw.title,
            trigger_any: raw.trigger_any,
            trigger_categories: raw.trigger_categories,
            trigger_products: raw.trigger_products,
            trigger_brands: raw.trigger_brands,
            trigger_answers: raw.trigger_answers,
            age_min: raw.age_min,
            house: raw.house,
            exclusive_group: raw.exclusive_group,
            when: self.condition(raw.when.as_ref())?,
            caps: self.caps(&raw.caps)?,
            content: None,
        })
    }

    /// What an offer must have to be shown at all: a partner that exists, and a trigger.
    fn check(&self, raw: &RawOffer, partners: &[Partner]) -> Result<(), BuildError> {
        if let Some(partner) = raw.partner.as_ref().filter(|id| !id.get_ref().is_empty())
            && !partners.iter().any(|known| known.id == *partner.get_ref())
        {
            return Err(self.document.error(
                &partner.span(),
                "partner",
                format!("{} is not a partner of this file", shown(partner.get_ref())),
                match partners {
                    [] => "add a [[partner]] with this id; the file has none so far".to_owned(),
                    all => format!(
                        "add a [[partner]] with this id, or use one of: {}",
                        listed(all.iter().map(|known| known.id.as_str()))
                    ),
                },
            ));
        }
        let triggers =
            [&raw.trigger_categories, &raw.trigger_products, &raw.trigger_brands, &raw.trigger_answers];
        if raw.trigger_any || raw.house || triggers.iter().any(|list| !list.is_empty()) {
            return Ok(());
        }
        Err(self.document.error(
            &raw.id.span(),
            "trigger_any",
            format!("nothing triggers the offer {}, so it would never be shown", shown(raw.id.get_ref())),
            "set trigger_any = true, or one of trigger_categories, trigger_products, trigger_brands, trigger_answers",
        ))
    }

    fn bounds(&self, raw: &RawOffer) -> Result<(Option<i64>, Option<i64>), BuildError> {
        let low = self.money("order_value_min", raw.order_value_min.as_ref())?;
        let high = self.money("order_value_max", raw.order_value_max.as_ref())?;
        match (low, high, &raw.order_value_max) {
            (Some(low), Some(high), Some(at)) if low > high => Err(self.document.error(
                &at.span(),
                "order_value_max",
                "is below order_value_min",
                "put the lower bound into order_value_min",
            )),
            _ => Ok((low, high)),
        }
    }

    fn flight(&self, raw: &RawOffer) -> Result<(i64, i64), BuildError> {
        let starts = self.moment("starts_at", raw.starts_at.as_ref())?;
        let ends = self.moment("ends_at", raw.ends_at.as_ref())?;
        match &raw.ends_at {
            Some(at) if ends <= starts => Err(self.document.error(
                &at.span(),
                "ends_at",
                "is not after starts_at",
                "name a later moment, or drop it for an offer without end",
            )),
            _ => Ok((starts, ends)),
        }
    }

    fn named<T: Copy>(
        &self,
        key: &str,
        text: &Text,
        all: &[T],
        name: impl Fn(T) -> &'static str,
    ) -> Result<T, BuildError> {
        let hit = all.iter().find(|value| name(**value).eq_ignore_ascii_case(text.get_ref()));
        hit.copied().ok_or_else(|| {
            self.document.error(
                &text.span(),
                key,
                format!("{} is not a known value", shown(text.get_ref())),
                format!("use one of: {}", listed(all.iter().map(|value| name(*value)))),
            )
        })
    }

    /// A number in major units as minor units.
    fn money(&self, key: &str, value: Option<&Spanned<toml::Value>>) -> Result<Option<i64>, BuildError> {
        let Some(value) = value else { return Ok(None) };
        let text = match value.get_ref() {
            toml::Value::Integer(number) => number.to_string(),
            toml::Value::Float(number) => number.to_string(),
            other => other.to_string(),
        };
        let price = match value.get_ref() {
            toml::Value::Integer(_) | toml::Value::Float(_) => parse_price(&text).map_err(|e| e.to_string()),
            _ => Err("is not a number".to_owned()),
        };
        match price {
            Ok((minor, _)) => Ok(Some(minor)),
            Err(problem) => Err(self.document.error(
                &value.span(),
                key,
                format!("{} {problem}", shown(&text)),
                "write an amount in major units without currency, like 4.50",
            )),
        }
    }

    fn condition(&self, text: Option<&Text>) -> Result<Condition, BuildError> {
        let Some(text) = text else { return Ok(Condition::Always) };
        cel::parse(text.get_ref()).map_err(|error| {
            let problem = format!("column {} of the condition: {}", error.column, error.problem);
            self.document.error(&text.span(), "when", problem, error.way_out)
        })
    }

    fn caps(&self, raw: &[Spanned<RawCap>]) -> Result<Vec<FrequencyCap>, BuildError> {
        let cap = |cap: &Spanned<RawCap>| {
            let RawCap { event, most, days } = *cap.get_ref();
            if days == 0 || days > 3650 || most >= 1 << 24 {
                let (problem, way_out) =
                    ("the window is no number of days", "write days = 1 to 3650, most below 16 million");
                return Err(self.document.error(&cap.span(), "caps", problem, way_out));
            }
            Ok(FrequencyCap { event, most, days })
        };
        raw.iter().map(cap).collect()
    }

    fn rate(&self, value: Option<&Spanned<f64>>) -> Result<u32, BuildError> {
        let Some(value) = value else { return Ok(0) };
        let rate = *value.get_ref();
        if !(0.0..=1.0).contains(&rate) {
            return Err(self.document.error(
                &value.span(),
                "accept_rate",
                format!("`{rate}` is not a probability"),
                "write a number from 0 to 1, like 0.031",
            ));
        }
        Ok((rate * 1e6).round() as u32)
    }

    /// A date with time and zone, as TOML date or as text, in Unix milliseconds; 0 where not given.
    fn moment(&self, key: &str, value: Option<&Spanned<toml::Value>>) -> Result<i64, BuildError> {
        let Some(value) = value else { return Ok(0) };
        let stated = match value.get_ref() {
            toml::Value::Datetime(moment) => Some(*moment),
            toml::Value::String(text) => text.parse::<Datetime>().ok(),
            _ => None,
        };
        let whole = stated.filter(|m| m.date.is_some() && m.time.is_some() && m.offset.is_some());
        let at_ms = whole.and_then(|moment| parse_timestamp(&moment.to_string()).ok());
        at_ms.ok_or_else(|| {
            self.document.error(
                &value.span(),
                key,
                format!("{} is not a moment with date, time and zone", shown(&value.get_ref().to_string())),
                "write it as RFC 3339 says, like 2026-01-31T18:00:00+01:00",
            )
        })
    }

    fn regions(&self, codes: &[Text]) -> Result<Vec<Country>, BuildError> {
        let mut regions = Vec::new();
        for code in codes {
            regions.push(Country::parse(code.get_ref()).ok_or_else(|| {
                self.document.error(
                    &code.span(),
                    "regions",
                    format!("{} is not a country code", shown(code.get_ref())),
                    "write ISO 3166-1 codes of two letters, like [\"US\", \"CA\"]",
                )
            })?);
        }
        regions.sort_unstable();
        regions.dedup();
        Ok(regions)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::testing::Files;
    use super::*;

    fn read(text: impl AsRef<[u8]>) -> Result<Partners, String> {
        let files = Files::new();
        let path = files.add("partners.toml", text);
        read_partners(&path).map_err(|e| files.text(&e))
    }

    #[test]
    fn a_whole_file_reads() {
        let text = "\u{feff}[[partner]]\nid = 'acme'\nname = 'Acme'\nactive = false\nblocked_categories = ['Baby']\n\
            blocked_brands = ['B']\nregions = ['us', 'CA', 'US']\nmax_per_slate = 1\n\
            [[partner]]\nid = 'bare'\n\
            [[offer]]\nid = 'plan'\nkind = 'warranty'\npartner = 'acme'\ntitle = 'Plan'\npayout = 4.50\n\
            accept_rate = 0.031\nprice = 19.99\ntrigger_categories = ['A > B']\ntrigger_products = ['p']\n\
            trigger_brands = ['b']\ntrigger_answers = ['gift']\norder_value_min = 50\norder_value_max = 2000.5\n\
            regions = ['DE']\ncustomers = 'new'\nage_min = 18\nsensitive_class = 'insurance'\n\
            starts_at = 2026-01-01T01:00:00+01:00\nends_at = '2026-01-02T00:00:00Z'\n\
            [[offer]]\nid = 'hello'\nkind = 'content'\nhouse = true\n";
        let read = read(text).unwrap();
        let acme = Partner {
            id: "acme".into(),
            name: "Acme".into(),
            active: false,
            blocked_categories: vec!["Baby".into()],
            blocked_brands: vec!["B".into()],
            regions: vec![Country(*b"CA"), Country(*b"US")],
            max_per_slate: 1,
            ..Partner::default()
        };
        let bare = Partner { id: "bare".into(), active: true, ..Partner::default() };
        assert_eq!(read.partners, [acme, bare]);
        let plan = PartnerOffer {
            id: "plan".into(),
            kind: OfferKind::Warranty,
            partner: "acme".into(),
            title: "Plan".into(),
            payout: 450,
            accept_rate_ppm: 31_000,
            price: Some(1999),
            trigger_any: false,
            trigger_categories: vec!["A > B".into()],
            trigger_products: vec!["p".into()],
            trigger_brands: vec!["b".into()],
            trigger_answers: vec!["gift".into()],
            order_value_min: Some(5000),
            order_value_max: Some(200_050),
            regions: vec![Country(*b"DE")],
            customers: CustomerKind::New,
            age_min: 18,
            sensitive: SensitiveClass::Insurance,
            starts_at_ms: 1_767_225_600_000,
            ends_at_ms: 1_767_312_000_000,
            house: false,
            ..PartnerOffer::default()
        };
        let hello = PartnerOffer {
            id: "hello".into(),
            kind: OfferKind::Content,
            house: true,
            ..PartnerOffer::default()
        };
        assert_eq!(read.offers, [plan, hello]);
        assert_eq!(
            super::super::read_partners(&Files::new().add("empty.toml", "")).unwrap(),
            Partners::default()
        );
    }

    #[test]
    fn wrong_files_are_refused_with_their_line() {
        for (text, want) in [
            ("x", "1: x: key with no value, expected `=`\n  way out: correct the line"),
            (
                "[[partner]]\nid = 'a'\npayout = 1\n",
                "3: payout: unknown field `payout`, expected one of `id`, `name`, `active`, `blocked_categories`, \
                 `blocked_brands`, `regions`, `max_per_slate`, `min_share`, `max_share`, `domains`, `not_beside`, `when`, `caps`\n  way out: correct the line",
            ),
            ("[[partner]]\nname = 'a'\n", "1: [[partner]]: missing field `id`\n  way out: correct the line"),
            ("[[partner]]\n\nid = ''\n", "3: id: is empty\n  way out: give an id of 1 to 64 bytes"),
            (
                "[[partner]]\nid = 'a'\n[[partner]]\nid = 'a'\n",
                "4: id: `a` was already in line 2\n  way out: give each an id of its own",
            ),
            (
                "[[partner]]\nid = 'a'\nregions = [\n'US',\n'Mars']\n",
                "5: regions: `Mars` is not a country code\n  \
                 way out: write ISO 3166-1 codes of two letters, like [\"US\", \"CA\"]",
            ),
            (
                "[[partner]]\nid = 'a'\nmax_per_slate = 300\n",
                "3: max_per_slate: invalid value: integer `300`, expected a whole number from 0 to 255\n  way out: correct the line",
            ),
        ] {
            assert_eq!(read(text), Err(format!("partners.toml:{want}")));
        }
        assert_eq!(
            read(b"[[partner]]\nid = '\xff'\n"),
            Err("partners.toml:2: file: is not UTF-8\n  way out: save the file as UTF-8".to_owned()),
        );
    }

    #[test]
    fn wrong_offers_are_refused_with_their_line() {
        for (line, want) in [
            (
                "partner = 'b'",
                "partner: `b` is not a partner of this file\n  \
                 way out: add a [[partner]] with this id, or use one of: a",
            ),
            (
                "payout = -1",
                "payout: `-1` is negative\n  \
                 way out: write an amount in major units without currency, like 4.50",
            ),
            (
                "price = '4 USD'",
                "price: `\\\"4 USD\\\"` is not a number\n  \
                 way out: write an amount in major units without currency, like 4.50",
            ),
            (
                "payout = nan",
                "payout: `NaN` is not a decimal number\n  \
                 way out: write an amount in major units without currency, like 4.50",
            ),
            (
                "accept_rate = 3.1",
                "accept_rate: `3.1` is not a probability\n  way out: write a number from 0 to 1, like 0.031",
            ),
            (
                "customers = 'old'",
                "customers: `old` is not a known value\n  way out: use one of: any, new, returning",
            ),
            (
                "starts_at = 2026-01-01",
                "starts_at: `2026-01-01` is not a moment with date, time and zone\n  \
                 way out: write it as RFC 3339 says, like 2026-01-31T18:00:00+01:00",
            ),
            (
                "ends_at = 2026-01-01T00:00:00",
                "ends_at: `2026-01-01T00:00:00` is not a moment with date, time and zone\n  \
                 way out: write it as RFC 3339 says, like 2026-01-31T18:00:00+01:00",
            ),
        ] {
            let head = "[[partner]]\nid = 'a'\n[[offer]]\nid = 'o'\nkind = 'service'\ntrigger_any = true\n";
            assert_eq!(read(format!("{head}{line}\n")), Err(format!("partners.toml:7: {want}")));
        }
        for (offer, want) in [
            (
                "kind = 'product'",
                "3: kind: `product` is not a known value\n  way out: use one of: add_on, warranty, service, \
                 subscription, payment_incentive, loyalty, app_prompt, content, next_purchase",
            ),
            (
                "kind = 'service'",
                "2: trigger_any: nothing triggers the offer `o`, so it would never be shown\n  way out: \
                 set trigger_any = true, or one of trigger_categories, trigger_products, trigger_brands, \
                 trigger_answers",
            ),
            (
                "kind = 'service'\norder_value_min = 2\norder_value_max = 1\nhouse = true",
                "5: order_value_max: is below order_value_min\n  \
                 way out: put the lower bound into order_value_min",
            ),
            (
                "kind = 'service'\nhouse = true\nstarts_at = 2026-01-01T00:00:00Z\nends_at = 2026-01-01T00:00:00Z",
                "6: ends_at: is not after starts_at\n  \
                 way out: name a later moment, or drop it for an offer without end",
            ),
        ] {
            let offer = offer.replace("kind = 'product'", "kind = 'product'\nhouse = true");
            assert_eq!(read(format!("[[offer]]\nid = 'o'\n{offer}\n")), Err(format!("partners.toml:{want}")));
        }
    }

    proptest! {
        #[test]
        fn any_text_is_survived(text in "(\\[\\[(offer|partner)\\]\\]|\n|id = |kind = |price = |'.'|.){0,30}") {
            let _ = read(text);
        }
    }
}
