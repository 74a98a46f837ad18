//! `aftercart replay`: recorded decisions, made again.

use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use aftercart::{
    Decider, Degraded, Engine, Item, LiveFact, Offers, OpenMode, OpenOptions, Placement, Prefault, Verify,
};
use serde_json::{Value, json};

use crate::Failure;
use crate::live::{facts_json, facts_of_json};
use crate::open;
use crate::print;
use crate::request::Basket;

/// A file of records to add to.
pub(crate) fn append(path: &Path) -> Result<File, Failure> {
    let file = File::options().create(true).append(true).open(path);
    Ok(file.map_err(|e| format!("{}: {e}", path.display()))?)
}

/// All that the decision just made depends on, and what it was, as one line.
pub(crate) fn line(
    decider: &Decider,
    placement: Placement<'_>,
    visit_budget: Option<u32>,
    basket: &Basket,
    offers: &Offers,
) -> String {
    let engine = decider.engine();
    let live = engine.live().is_some().then(|| facts_json(engine, decider.live_facts()));
    let record = json!({
        "request": basket.to_json(),
        "at_ms": basket.at_ms(),
        "slots": placement.slots,
        "min_relevance": placement.min_relevance,
        "visit_budget": visit_budget,
        "late": [offers.degraded.search, offers.degraded.candidates],
        "live": live,
        "answer": print::object(engine, basket, offers, true),
    });
    format!("{record}\n")
}

#[derive(clap::Args)]
#[command(
    after_help = "Give the catalog and the policy that decided; their generations are in the record, and others are refused.\n\nExample:\n  aftercart decide --catalog shop.aftercart --record page.jsonl SKU1 SKU2\n  aftercart replay --catalog shop.aftercart --why page.jsonl"
)]
pub(crate) struct Args {
    /// Records that `aftercart decide --record` wrote
    #[arg(value_name = "FILE")]
    records: PathBuf,
    /// Catalog file
    #[arg(long, value_name = "FILE")]
    catalog: PathBuf,
    /// The policy that decided, where it was not the catalog's own
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// The model that decided, where there was one
    #[arg(long, value_name = "FILE")]
    model: Option<PathBuf>,
    /// Print each decision, and every reason against each candidate that the record names
    #[arg(long)]
    why: bool,
}

/// One record, read.
struct Record {
    basket: Basket,
    placement: Placement<'static>,
    degraded: Degraded,
    /// `None` = decided without an overlay.
    facts: Option<Vec<LiveFact>>,
    answer: Value,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let options = OpenOptions { mode: OpenMode::Map, verify: Verify::Full, prefault: Prefault::Background };
    let engine = open::engine_under(&args.catalog, options, args.policy.as_deref())?;
    let engine = Arc::new(open::with_model(engine, args.model.as_deref(), false)?);
    let name = args.records.display();
    let file = File::open(&args.records).map_err(|e| format!("{name}: {e}"))?;
    let mut out = BufWriter::new(std::io::stdout().lock());
    let (mut equal, mut other) = (0u64, 0u64);
    let (mut budget, mut decider) = (None, decider_with(&engine, None));
    for (number, text) in (1u64..).zip(BufReader::new(file).lines()) {
        let text = text.map_err(|e| format!("{name}:{number}: {e}"))?;
        if text.trim().is_empty() {
            continue;
        }
        let record: Value = serde_json::from_str(&text).map_err(|e| format!("{name}:{number}: {e}"))?;
        let wanted = visit_budget(&record);
        if wanted != budget {
            (budget, decider) = (wanted, decider_with(&engine, wanted));
        }
        let record = read(&engine, &record).map_err(|e| format!("{name}:{number}: {e}"))?;
        let answer = again(&mut decider, &record)?;
        if answer == record.answer {
            equal += 1;
        } else {
            other += 1;
            writeln!(out, "{name}:{number}: another decision\n  was {}\n  is  {answer}", record.answer)?;
        }
        if args.why {
            why(&mut decider, &record, &mut out)?;
        }
    }
    writeln!(out, "{equal} decisions made again, equal to the byte; {other} others")?;
    out.flush()?;
    if other > 0 { Err(format!("{other} decisions came out otherwise").into()) } else { Ok(()) }
}

fn visit_budget(record: &Value) -> Option<u32> {
    record.get("visit_budget").and_then(Value::as_u64).and_then(|budget| u32::try_from(budget).ok())
}

fn decider_with(engine: &Arc<Engine>, visit_budget: Option<u32>) -> Decider {
    Decider::new(match visit_budget {
        Some(budget) => Arc::new(Engine::clone(engine).with_visit_budget(budget)),
        None => Arc::clone(engine),
    })
}

fn read(engine: &Engine, record: &Value) -> Result<Record, Failure> {
    let field = |name: &str| {
        record.get(name).ok_or_else(|| format!("no \"{name}\": is this a record of `decide --record`?"))
    };
    let answer = field("answer")?.clone();
    let own = engine.generations();
    for (what, own) in [("index", own.index), ("policy", own.policy)] {
        let of = answer.pointer(&format!("/generations/{what}")).and_then(Value::as_str).unwrap_or("");
        let own = format!("{own:016x}");
        if of != own {
            let (given, flag) =
                if what == "index" { ("catalog", "--catalog") } else { ("policy", "--policy") };
            return Err(format!("decided with the {given} of generation {of}; {flag} has {own}").into());
        }
    }
    let number = |name: &str| record.get(name).and_then(Value::as_u64);
    let late = |at: usize| record.pointer(&format!("/late/{at}")).and_then(Value::as_bool).unwrap_or(false);
    let facts = match field("live")? {
        Value::Null => None,
        facts => Some(facts_of_json(engine, facts).ok_or("\"live\": names what the catalog does not have")?),
    };
    let at_ms = record.get("at_ms").and_then(Value::as_i64).unwrap_or(0);
    Ok(Record {
        basket: Basket::parse(&field("request")?.to_string(), at_ms)?,
        placement: Placement {
            slots: number("slots").and_then(|n| u8::try_from(n).ok()).unwrap_or(0),
            min_relevance: number("min_relevance").and_then(|n| u16::try_from(n).ok()),
            ..Placement::default()
        },
        degraded: Degraded { search: late(0), candidates: late(1) },
        facts,
        answer,
    })
}

/// The answer, anew.
fn again(decider: &mut Decider, record: &Record) -> Result<Value, Failure> {
    let facts = record.facts.as_deref();
    let mut offers = record.basket.with(record.placement, |transaction, profile| match facts {
        Some(facts) => decider.replay(transaction, profile, record.degraded, facts),
        None => decider.decide(transaction, profile),
    })?;
    // The overlay has gone on; what was read of it is in the record.
    let overlay = record.answer.pointer("/generations/overlay").and_then(Value::as_u64);
    offers.generations.overlay = overlay.unwrap_or(0);
    Ok(print::object(decider.engine(), &record.basket, &offers, true))
}

/// The page, and every reason against each candidate that the record names as refused.
fn why(decider: &mut Decider, record: &Record, out: &mut impl Write) -> Result<(), Failure> {
    let engine = Arc::clone(decider.engine());
    let facts = record.facts.as_deref().unwrap_or(&[]);
    let basket = &record.basket;
    let offers = basket.with(record.placement, |t, p| decider.replay(t, p, record.degraded, facts))?;
    writeln!(out, "{}refused", print::pretty(&engine, basket, &offers))?;
    for rejected in offers.rejected() {
        let item: Item = rejected.item;
        let all = basket.with(record.placement, |transaction, profile| {
            decider.explain_replayed(transaction, profile, record.degraded, facts, item)
        })?;
        let mut reasons: Vec<String> = all.reasons.iter().map(ToString::to_string).collect();
        reasons.extend(all.rules.iter().map(|rule| format!("by rule \"{rule}\"")));
        writeln!(
            out,
            "    {}  #{}: {}",
            print::describe(&engine, item),
            engine.id(item),
            reasons.join("; ")
        )?;
    }
    writeln!(out)?;
    Ok(())
}
