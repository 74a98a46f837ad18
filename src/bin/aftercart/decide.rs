//! `aftercart decide` and `aftercart explain`.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use aftercart::build::feed::{self, ColumnMap, Product, parse_timestamp};
use aftercart::build::progress::Silent;
use aftercart::{Decider, Engine, Item, Live, OpenMode, OpenOptions, Placement, Prefault, Verify};
use hdrhistogram::Histogram;
use serde_json::{Value, json};

use crate::Failure;
use crate::log::Recording;
use crate::open;
use crate::print;
use crate::replay;
use crate::request::Basket;

/// What both commands need to decide.
#[derive(clap::Args)]
pub(crate) struct Decision {
    /// Catalog file
    #[arg(long, value_name = "FILE")]
    catalog: PathBuf,
    /// A policy instead of the catalog's own
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// A live overlay that fits the catalog
    #[arg(long, value_name = "FILE")]
    live: Option<PathBuf>,
    /// A model that `aftercart learn` wrote: it says how likely offers are accepted
    #[arg(long, value_name = "FILE")]
    model: Option<PathBuf>,
    /// The model decides nothing; what it would say is in the log
    #[arg(long, requires = "model")]
    shadow: bool,
    /// Slots, 1 to 16, instead of the policy's
    #[arg(long, value_parser = clap::value_parser!(u8).range(1..=16))]
    slots: Option<u8>,
    /// Least relevance, 0 to 1, instead of the policy's
    #[arg(long)]
    floor: Option<f64>,
    /// When the purchase happened, for baskets that do not say
    #[arg(long, value_name = "TIME")]
    at: Option<String>,
    /// Read the file into memory instead of mapping it
    #[arg(long)]
    copy: bool,
    /// Skip the checks that read the whole file
    #[arg(long)]
    trust: bool,
    /// Products that a search may look at; 4294967295 makes it exact
    #[arg(long, value_name = "N")]
    visit_budget: Option<u32>,
}

impl Decision {
    fn decider(&self) -> Result<Decider, Failure> {
        let options = OpenOptions {
            mode: if self.copy { OpenMode::Copy } else { OpenMode::Map },
            verify: if self.trust { Verify::Structure } else { Verify::Full },
            prefault: Prefault::Background,
        };
        let mut engine = open::engine_under(&self.catalog, options, self.policy.as_deref())?;
        if let Some(path) = &self.live {
            engine = engine.with_live(Arc::new(Live::open(path)?))?;
        }
        engine = open::with_model(engine, self.model.as_deref(), self.shadow)?;
        if let Some(budget) = self.visit_budget {
            engine = engine.with_visit_budget(budget);
        }
        Ok(Decider::new(Arc::new(engine)))
    }

    fn placement(&self) -> Result<Placement<'static>, Failure> {
        let min_relevance = match self.floor {
            None => None,
            Some(floor) if (0.0..=1.0).contains(&floor) => Some((floor * 1000.0).round() as u16),
            Some(floor) => return Err(format!("--floor {floor}: must be 0 to 1").into()),
        };
        Ok(Placement { slots: self.slots.unwrap_or(0), min_relevance, ..Placement::default() })
    }

    /// Budgets and pacing need a time: beside an overlay it is now, where nobody says otherwise.
    fn at_ms(&self) -> Result<i64, Failure> {
        let Some(text) = &self.at else {
            let now = std::time::SystemTime::UNIX_EPOCH.elapsed().map_or(0, |time| time.as_millis() as i64);
            return Ok(if self.live.is_some() { now } else { 0 });
        };
        Ok(parse_timestamp(text).map_err(|error| format!("--at \"{text}\": {error}"))?)
    }
}

#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  aftercart decide --catalog shop.aftercart SKU1 SKU2\n  aftercart decide --catalog shop.aftercart --orders orders.csv.gz --last 20\n  echo '{\"case_id\":1,\"lines\":[{\"product_id\":\"SKU1\"}]}' | aftercart decide --catalog shop.aftercart --jsonl\n\nA JSON request has lines [{product_id, quantity, unit_price, category, brand}] and optionally case_id, at, history [{product_id, at}], value, currency, country, payment, rechargeable, tags, placement, stage, customer (new, returning), age_band (minor, adult), orders, loyalty_member, loyalty_tier, has_app, segments, is_gift, answers [{question, tag}], asked [{question, at}], declines [{id, at}], exposures [{id, event, at}], consent {purpose: true or false} (preferences, analytics, marketing, sale_of_data), gpc, opt_out_third_party, opt_out_categories (paths as the catalog writes them), unit_key, session_key (any text: hashed, only for experiments)."
)]
pub(crate) struct Args {
    #[command(flatten)]
    decision: Decision,
    /// Bought product ids
    #[arg(value_name = "PRODUCT_ID", conflicts_with_all = ["jsonl", "orders"])]
    bought: Vec<String>,
    /// Read requests from standard input and write answers, one JSON object a line
    #[arg(long, conflicts_with = "orders")]
    jsonl: bool,
    /// Decide for the newest baskets of an orders file
    #[arg(long, value_name = "FILE")]
    orders: Option<PathBuf>,
    /// How many of them
    #[arg(long, default_value_t = 20, requires = "orders")]
    last: usize,
    /// Write JSON instead of text
    #[arg(long)]
    json: bool,
    /// Add a line to this file for each decision: all that `aftercart replay` needs to make it again
    #[arg(long, value_name = "FILE", conflicts_with = "time")]
    record: Option<PathBuf>,
    /// With --json or --jsonl: add the refused candidates and their codes
    #[arg(long)]
    rejected: bool,
    /// Add the question whose answer is expected to make the page worth most, or none; ask, and decide again with answers and asked
    #[arg(long, conflicts_with = "time")]
    question: bool,
    /// Record every decision in the log in this folder, which is made where it is not there
    #[arg(long, value_name = "DIR", conflicts_with = "time")]
    log: Option<PathBuf>,
    /// Measure: decide everything once to warm up, then again, and print percentiles to standard error
    #[arg(long)]
    time: bool,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let mut decider = args.decision.decider()?;
    let placement = args.decision.placement()?;
    let at_ms = args.decision.at_ms()?;
    let mut out = BufWriter::new(std::io::stdout().lock());
    let mut recording = args.log.as_ref().map(|folder| Recording::start(folder, &mut decider)).transpose()?;
    let mut record = args.record.as_deref().map(replay::append).transpose()?;
    if args.jsonl && !args.time {
        let streamed = stream(args, &mut decider, &mut recording, placement, at_ms, &mut out, &mut record);
        return recording.map_or(Ok(()), |recording| recording.end(&mut decider)).and(streamed);
    }
    let baskets = if args.jsonl {
        std::io::stdin()
            .lock()
            .lines()
            .map(|line| Ok(Basket::parse(&line?, at_ms)?))
            .collect::<Result<_, Failure>>()?
    } else if let Some(path) = &args.orders {
        newest(path, decider.engine(), args.last)?
    } else if args.bought.is_empty() {
        return Err(
            "nothing bought: give product ids, --orders FILE, or --jsonl with requests on standard input"
                .into(),
        );
    } else {
        vec![Basket::of(&args.bought, at_ms)]
    };
    if args.time {
        return time(&mut decider, placement, &baskets);
    }
    for basket in &baskets {
        answer(args, &mut decider, placement, basket, &mut out, &mut record)?;
        recording.iter_mut().try_for_each(Recording::go_on)?;
    }
    out.flush()?;
    recording.map_or(Ok(()), |recording| recording.end(&mut decider))
}

fn answer(
    args: &Args,
    decider: &mut Decider,
    placement: Placement,
    basket: &Basket,
    out: &mut impl Write,
    record: &mut Option<File>,
) -> Result<(), Failure> {
    let offers = basket.with(placement, |transaction, profile| decider.decide(transaction, profile))?;
    let next = |decider: &mut Decider| basket.with(placement, |t, p| decider.next_question(t, p));
    let engine = &Arc::clone(decider.engine());
    if let Some(file) = record {
        let line = replay::line(decider, placement, args.decision.visit_budget, basket, &offers);
        file.write_all(line.as_bytes())?;
    }
    if args.json || args.jsonl {
        let mut object = print::object(engine, basket, &offers, args.rejected);
        if engine.live().is_some() {
            object["live"] = crate::live::facts_json(engine, decider.live_facts());
        }
        if args.question {
            object["question"] = print::question(engine, next(decider)?);
        }
        writeln!(out, "{object}")?;
    } else {
        write!(out, "{}", print::pretty(engine, basket, &offers))?;
        if args.question {
            let question = next(decider)?;
            write!(out, "{}", print::pretty_question(engine, question))?;
        }
        writeln!(out)?;
    }
    Ok(())
}

/// Answers line by line. A bad line is answered with an error, so that answers stay in step with requests.
fn stream(
    args: &Args,
    decider: &mut Decider,
    recording: &mut Option<Recording>,
    placement: Placement,
    at_ms: i64,
    out: &mut impl Write,
    record: &mut Option<File>,
) -> Result<(), Failure> {
    let mut bad = 0u64;
    for (number, line) in (1u64..).zip(std::io::stdin().lock().split(b'\n')) {
        let line = line?;
        if line.trim_ascii().is_empty() {
            continue;
        }
        let outcome = std::str::from_utf8(&line)
            .map_err(Failure::from)
            .and_then(|text| Ok(Basket::parse(text, at_ms)?))
            .and_then(|basket| answer(args, decider, placement, &basket, out, record))
            .and_then(|()| recording.iter_mut().try_for_each(Recording::go_on));
        if let Err(failure) = outcome {
            if crate::is_broken_pipe(&failure) {
                return Err(failure);
            }
            bad += 1;
            let problem = format!("standard input:{number}: {failure}");
            let case_id = serde_json::from_slice::<Value>(&line).ok().and_then(|v| v.get("case_id").cloned());
            writeln!(
                out,
                "{}",
                json!({ "case_id": case_id, "status": "ERROR", "error": problem, "offers": [] })
            )?;
        }
    }
    out.flush()?;
    if bad > 0 {
        return Err(format!("{bad} requests could not be read; their answers say why").into());
    }
    Ok(())
}

/// The newest baskets of an orders file, oldest of them first.
pub(crate) fn newest(path: &Path, engine: &Engine, count: usize) -> Result<Vec<Basket>, Failure> {
    let ids = engine.catalog().product_ids().map(|id| Product { id: id.to_owned(), ..Product::default() });
    let products: Vec<Product> = ids.collect();
    let (orders, _) = feed::read_orders(&[path.to_owned()], &ColumnMap::default(), &products, &Silent)?;
    let mut baskets: Vec<(u32, Basket)> = Vec::new();
    let mut at: HashMap<u32, usize> = HashMap::new();
    for line in orders.lines.iter().rev() {
        if !at.contains_key(&line.basket) {
            if baskets.len() == count {
                continue; // older lines of kept baskets may still come
            }
            baskets.push((line.basket, Basket::of(&[], line.at_ms)));
        }
        let place = *at.entry(line.basket).or_insert(baskets.len() - 1);
        let id = &products[line.product as usize].id;
        baskets[place].1.push(id.clone(), line.quantity, line.unit_price);
    }
    Ok(baskets.into_iter().rev().map(|(_, basket)| basket).collect())
}

fn time(decider: &mut Decider, placement: Placement, baskets: &[Basket]) -> Result<(), Failure> {
    let mut nanos = Histogram::<u64>::new_with_bounds(1, 60_000_000_000, 3)?;
    let (mut shown, mut rounds) = (0usize, 0u32);
    let since = Instant::now();
    while rounds < 2 || (since.elapsed().as_secs() < 5 && rounds < 1000) {
        for basket in baskets {
            let (offers, elapsed) = basket.with(placement, |transaction, profile| {
                let begun = Instant::now();
                let offers = decider.decide(transaction, profile);
                (offers, begun.elapsed())
            });
            let offers = offers?;
            if rounds > 0 {
                nanos.record(elapsed.as_nanos() as u64)?;
                shown += usize::from(!offers.slate().is_empty());
            }
        }
        rounds += 1;
    }
    let us = |q: f64| nanos.value_at_quantile(q) as f64 / 1000.0;
    eprintln!(
        "{} baskets, {} decisions, {:.1} % with an offer; decide p50 {:.1} us, p99 {:.1} us, p99.9 {:.1} us, max {:.1} us ({})",
        baskets.len(),
        nanos.len(),
        100.0 * shown as f64 / nanos.len().max(1) as f64,
        us(0.5),
        us(0.99),
        us(0.999),
        nanos.max() as f64 / 1000.0,
        decider.engine().kernel_name()
    );
    Ok(())
}

#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  aftercart explain --catalog shop.aftercart --offer SKU9 SKU1 SKU2\n  aftercart explain --catalog shop.aftercart --offer SKU9 --request request.json"
)]
pub(crate) struct ExplainArgs {
    #[command(flatten)]
    decision: Decision,
    /// Product or offer to explain
    #[arg(long, value_name = "ID")]
    offer: String,
    /// Bought product ids
    #[arg(value_name = "PRODUCT_ID", required_unless_present = "request")]
    bought: Vec<String>,
    /// A request as `decide --jsonl` reads it, from a file
    #[arg(long, value_name = "FILE", conflicts_with = "bought")]
    request: Option<PathBuf>,
    /// Write JSON instead of text
    #[arg(long)]
    json: bool,
}

pub(crate) fn explain(args: &ExplainArgs) -> Result<(), Failure> {
    let mut out = BufWriter::new(std::io::stdout().lock());
    let mut decider = args.decision.decider()?;
    let basket = match &args.request {
        None => Basket::of(&args.bought, args.decision.at_ms()?),
        Some(path) => {
            let text = std::fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))?;
            Basket::parse(text.trim(), args.decision.at_ms()?)
                .map_err(|e| format!("{}: {e}", path.display()))?
        }
    };
    let engine = Arc::clone(decider.engine());
    let product = engine.find_product(&args.offer).map(Item::Product);
    let item = product.or_else(|| engine.find_offer(&args.offer).map(Item::Offer));
    let item = item.ok_or_else(|| {
        let way_out = "give an id of the product feed or of the partners file";
        format!("the catalog has no product or offer \"{}\"\n  way out: {way_out}", args.offer)
    })?;
    let placement = args.decision.placement()?;
    let why = basket.with(placement, |transaction, profile| decider.explain(transaction, profile, item))?;
    if args.json {
        let reasons: Vec<_> =
            why.reasons.iter().map(|r| json!({ "code": r.code(), "text": r.text() })).collect();
        let features: serde_json::Map<_, _> =
            why.contributions.iter().map(|c| (c.feature.to_owned(), json!([c.value, c.weight]))).collect();
        writeln!(
            out,
            "{}",
            json!({
                "id": args.offer, "shown": why.position.is_some(), "position": why.position, "reasons": reasons, "rules": why.rules,
                "relevance": f64::from(why.relevance) / 1000.0, "p_accept": f64::from(why.p_accept_ppm) / 1e6,
                "ev": why.ev_micros as f64 / 1e8, "features": features,
                "because": why.because.map(|b| json!({ "line": b.line, "relation": b.relation.name() })),
            })
        )?;
        return Ok(());
    }
    writeln!(out, "{}: {}", args.offer, print::describe(&engine, item))?;
    match why.position {
        Some(position) => writeln!(out, "  shown in slot {}", position + 1)?,
        None => writeln!(out, "  not shown:")?,
    }
    for reason in &why.reasons {
        writeln!(out, "    {reason}")?;
    }
    for rule in &why.rules {
        writeln!(out, "    by rule \"{rule}\"")?;
    }
    writeln!(
        out,
        "  relevance {:.3}, p_accept {:.3} %, expected contribution {:.4}",
        f64::from(why.relevance) / 1000.0,
        f64::from(why.p_accept_ppm) / 10_000.0,
        why.ev_micros as f64 / 1e8
    )?;
    for (name, value) in why.contributions.iter().map(|c| (c.feature, c.value)) {
        writeln!(out, "    {name:<22} {value}")?;
    }
    Ok(())
}
