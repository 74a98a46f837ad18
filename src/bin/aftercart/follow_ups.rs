//! `aftercart follow-ups`: the days after orders, as events for a mail service.

use std::io::{BufRead, BufWriter, Write};
use std::path::{Path, PathBuf};

use aftercart::build::feed::parse_timestamp;
use aftercart::follow_up::{FollowUp, FollowUps, MessageKind, Outlook, ProgrammeTable, Programmes, Withheld};
use aftercart::{Decider, Engine, Item, Placement};
use serde_json::{Value, json};

use crate::Failure;
use crate::judge::judge;
use crate::open;
use crate::request::Basket;

#[derive(clap::Args)]
#[command(
    after_help = "Example:\n  aftercart follow-ups --catalog shop.aftercart --programmes follow_ups.toml < orders.jsonl > messages.jsonl\n\nOrders are requests as `decide --jsonl` reads them, with order_id and at. Each planned message is one JSON object; the README maps its fields to GA4, Shopify and e-mail services."
)]
pub(crate) struct Args {
    /// Catalog file
    #[arg(long, value_name = "FILE")]
    catalog: PathBuf,
    /// What follows a purchase, by category (TOML)
    #[arg(long, value_name = "FILE", required_unless_present = "judge")]
    programmes: Option<PathBuf>,
    /// Promised delivery of all orders, where not as the programmes say
    #[arg(long, value_name = "TIME")]
    delivery: Option<String>,
    /// Also write what is withheld, and why
    #[arg(long)]
    withheld: bool,
    /// Plans nothing: says how near dates for refills are to when the things in this orders file were bought again, of a catalog built
    /// from orders before --from
    #[arg(long, value_name = "ORDERS", requires = "from", conflicts_with = "programmes")]
    judge: Option<PathBuf>,
    /// First day of the purchases that judge
    #[arg(long, value_name = "DATE")]
    from: Option<String>,
    /// Days within which something must have been bought again
    #[arg(long, value_name = "DAYS", default_value_t = 90)]
    within: u16,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let engine = open::engine(&args.catalog, open::structure())?;
    let mut out = BufWriter::new(std::io::stdout().lock());
    if let (Some(orders), Some(from)) = (&args.judge, &args.from) {
        judge(&mut Decider::new(engine.into()), orders, from, args.within, &mut out)?;
        return Ok(out.flush()?);
    }
    let programmes = read(args.programmes.as_deref().ok_or("--programmes: name a file")?, &engine)?;
    let delivery_at_ms = args.delivery.as_deref().map_or(Ok(0), parse_timestamp)?;
    let outlook = Outlook { delivery_at_ms, contacts: &[] };
    let mut decider = Decider::new(engine.into());
    for (number, line) in (1u64..).zip(std::io::stdin().lock().lines()) {
        let wrong = |e: &dyn std::fmt::Display| format!("standard input:{number}: {e}");
        let line = line?;
        if line.trim().is_empty() {
            continue;
        }
        let basket = Basket::parse(&line, 0).map_err(|e| wrong(&e))?;
        let plan = plan(&mut decider, &programmes, &basket, &outlook).map_err(|e| wrong(&e))?;
        for of in plan.planned() {
            writeln!(out, "{}", event(decider.engine(), &programmes, &basket, of, None))?;
        }
        for (of, reason) in plan.withheld().iter().filter(|_| args.withheld) {
            writeln!(out, "{}", event(decider.engine(), &programmes, &basket, of, Some(*reason)))?;
        }
    }
    out.flush()?;
    Ok(())
}

/// Reads programmes for a catalog.
pub(crate) fn read(path: &Path, engine: &Engine) -> Result<Programmes, Failure> {
    let text = std::fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))?;
    let table = ProgrammeTable::from_toml(&text).map_err(|e| format!("{}: {e}", path.display()))?;
    Ok(Programmes::new(&table, engine).map_err(|e| format!("{}: {e}", path.display()))?)
}

pub(crate) fn plan(
    decider: &mut Decider,
    programmes: &Programmes,
    basket: &Basket,
    outlook: &Outlook<'_>,
) -> Result<FollowUps, Failure> {
    let planned = basket.with(Placement::default(), |transaction, profile| {
        decider.plan_follow_ups(programmes, transaction, profile, outlook)
    });
    Ok(planned?)
}

/// One message as an event.
pub(crate) fn event(
    engine: &Engine,
    programmes: &Programmes,
    basket: &Basket,
    of: &FollowUp,
    withheld: Option<Withheld>,
) -> Value {
    let Some((programme, step)) = programmes.step_of(of) else { return Value::Null };
    let line = basket.lines.get(usize::from(of.line));
    let content = programmes.content_of(of, engine).map(Item::Offer);
    let advertises = matches!(step.kind, MessageKind::Suggestion | MessageKind::Refill);
    let cancels: &[&str] = match step.kind {
        MessageKind::Refill => &["returned", "purchased_again", "opted_out"],
        MessageKind::Suggestion => &["returned", "opted_out"],
        MessageKind::Delivery | MessageKind::Guidance => &["returned", "cancelled"],
    };
    let mut event = json!({
        "event": if withheld.is_some() { "follow_up_withheld" } else { "follow_up_planned" },
        "event_id": format!("{}:{programme}:{}", basket.order_id(), step.template),
        "order_id": basket.order_id(),
        "programme": programme,
        "template": step.template,
        "kind": step.kind.name(),
        "channel": step.channel.name(),
        "send_at_ms": of.at_ms,
        "expires_at_ms": of.expires_at_ms,
        "item_id": line.map(|line| &line.id),
        "item_name": of.product.map(|ix| engine.title(Item::Product(ix))),
        "content_id": content.map(|item| engine.id(item)),
        "content_name": content.map(|item| engine.title(item)),
        "decide_stage": advertises.then_some("email"),
        "reason": reason(step.kind, of),
        "cancelled_by": cancels,
    });
    if let Some(withheld) = withheld {
        event["withheld"] = withheld.text().into();
    }
    event
}

fn reason(kind: MessageKind, of: &FollowUp) -> String {
    match (kind, of.due_days) {
        (MessageKind::Delivery, _) => "the order is on its way".into(),
        (MessageKind::Guidance, _) => "how to use what was bought".into(),
        (MessageKind::Suggestion, _) => "what goes with it, decided when it is sent".into(),
        (MessageKind::Refill, None) => "it is bought again and again".into(),
        (MessageKind::Refill, Some(days)) if of.own_intervals == 0 => {
            format!("usually bought again after {days} days")
        }
        (MessageKind::Refill, Some(days)) => format!(
            "expected again after {days} days, from {} interval{} of the customer's own and the usual one",
            of.own_intervals,
            if of.own_intervals == 1 { "" } else { "s" }
        ),
    }
}
