//! `aftercart policy check` and `aftercart policy diff`.

use std::collections::BTreeMap;
use std::io::{BufWriter, Write};
use std::path::PathBuf;
use std::sync::Arc;

use aftercart::{Decider, Engine, Item, OfferIx, OpenOptions, Placement, Policy, ProductIx};

use crate::request::Basket;
use crate::{Failure, decide, open};

#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    /// Read a policy as the engine would, and say what it does and what is probably not meant
    #[command(
        after_help = "Fails where the policy cannot be used; with --strict also where there are warnings.\n\nExample:\n  aftercart policy check policy.toml --catalog shop.aftercart"
    )]
    Check(CheckArgs),
    /// Say what changes between two policies: what may newly appear or no longer may, and on how many real orders
    #[command(
        after_help = "Example:\n  aftercart policy diff old.toml new.toml --catalog shop.aftercart --orders orders.csv.gz --last 2000"
    )]
    Diff(DiffArgs),
}

#[derive(clap::Args)]
struct CheckArgs {
    /// Policy (TOML)
    #[arg(value_name = "POLICY")]
    policy: PathBuf,
    /// Catalog file that it is for
    #[arg(long, value_name = "FILE")]
    catalog: PathBuf,
    /// Fail where there are warnings
    #[arg(long)]
    strict: bool,
}

#[derive(clap::Args)]
struct DiffArgs {
    /// Policy (TOML)
    #[arg(value_name = "OLD")]
    old: PathBuf,
    /// Policy (TOML)
    #[arg(value_name = "NEW")]
    new: PathBuf,
    /// Catalog file that both are for
    #[arg(long, value_name = "FILE")]
    catalog: PathBuf,
    /// Orders, of which the newest are decided under both
    #[arg(long, value_name = "FILE")]
    orders: Option<PathBuf>,
    /// How many of them
    #[arg(long, default_value_t = 1000, requires = "orders")]
    last: usize,
    /// Names shown of each list
    #[arg(long, default_value_t = 10)]
    show: usize,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    match &args.command {
        Command::Check(args) => check(args),
        Command::Diff(args) => diff(args),
    }
}

fn check(args: &CheckArgs) -> Result<(), Failure> {
    let (policy, engine) = open::under(&open::engine(&args.catalog, OpenOptions::default())?, &args.policy)?;
    let review = engine.review(&policy);
    let mut out = BufWriter::new(std::io::stdout().lock());
    writeln!(out, "products that may appear  {:>9} of {}", review.products_allowed, review.products)?;
    writeln!(out, "other offers that may     {:>9} of {}", review.offers_allowed, review.offers)?;
    if !review.rules.is_empty() {
        writeln!(out, "\nwhere it holds              refuses products    offers   lets in products")?;
    }
    for rule in &review.rules {
        writeln!(out, "  {:<24} {:>17} {:>9} {:>18}", rule.name, rule.products, rule.offers, rule.allows)?;
    }
    for warning in &review.warnings {
        writeln!(out, "\nwarning: {warning}")?;
    }
    out.flush()?;
    if args.strict && !review.warnings.is_empty() {
        return Err(format!("{} warnings", review.warnings.len()).into());
    }
    Ok(())
}

fn diff(args: &DiffArgs) -> Result<(), Failure> {
    let engine = open::engine(&args.catalog, OpenOptions::default())?;
    let (before, old) = open::under(&engine, &args.old)?;
    let (after, new) = open::under(&engine, &args.new)?;
    let mut out = BufWriter::new(std::io::stdout().lock());
    let items = || {
        let products = (0..engine.catalog().view().product_count()).map(|ix| Item::Product(ProductIx(ix)));
        (0..engine.offer_count()).map(|ix| Item::Offer(OfferIx(ix))).chain(products)
    };
    changed_rules(&before, &after, &mut out)?;
    for (title, from, to) in [("no longer reachable", &old, &new), ("newly reachable", &new, &old)] {
        let changed: Vec<(Item, _)> = items()
            .filter(|item| from.always_refused(*item).is_none())
            .filter_map(|item| Some((item, to.always_refused(item)?)))
            .collect();
        writeln!(out, "{title}: {}", changed.len())?;
        for (item, reason) in changed.iter().take(args.show) {
            writeln!(out, "    {}  {}  ({})", engine.id(*item), engine.title(*item), reason.text())?;
        }
        if changed.len() > args.show {
            writeln!(out, "    and {} more", changed.len() - args.show)?;
        }
    }
    if let Some(orders) = &args.orders {
        let baskets = decide::newest(orders, &engine, args.last)?;
        compare(&old, &new, &baskets, args.show, &mut out)?;
    }
    out.flush()?;
    Ok(())
}

/// Everything that holds for all requests, by its name in the file.
fn sections(policy: &Policy) -> BTreeMap<String, String> {
    let Policy { taxonomy, time_zone, kill_switch, suppress, allow_only, sensitive, .. } = policy;
    let Policy { allow_sensitive, consent, placement, slate, value, unknown, live, .. } = policy;
    let Policy { holdout, experiments, explore, questions, .. } = policy;
    let sections: [(&str, &dyn std::fmt::Debug); 17] = [
        ("taxonomy", taxonomy),
        ("time_zone", time_zone),
        ("kill_switch", kill_switch),
        ("[suppress]", suppress),
        ("[allow_only]", allow_only),
        ("[[sensitive]]", sensitive),
        ("allow_sensitive", allow_sensitive),
        ("[consent]", consent),
        ("[placement]", placement),
        ("[slate]", slate),
        ("[value]", value),
        ("[unknown]", unknown),
        ("[live]", live),
        ("[holdout]", holdout),
        ("[[experiment]]", experiments),
        ("[explore]", explore),
        ("[[question]]", questions),
    ];
    sections.into_iter().map(|(name, section)| (name.to_owned(), format!("{section:?}"))).collect()
}

/// Sections, rules with conditions, pairs and placements that are new, gone or different.
fn changed_rules(before: &Policy, after: &Policy, out: &mut impl Write) -> Result<(), Failure> {
    fn named(policy: &Policy) -> BTreeMap<String, String> {
        let rules = policy.rules.iter().map(|r| (format!("rule \"{}\"", r.name), format!("{r:?}")));
        let pairs = policy.apart.iter().map(|p| (format!("apart \"{}\"", p.name), format!("{p:?}")));
        let placements =
            policy.placements.iter().map(|p| (format!("placement \"{}\"", p.id), format!("{p:?}")));
        sections(policy).into_iter().chain(rules).chain(pairs).chain(placements).collect()
    }
    let (before, after) = (named(before), named(after));
    let mut changes: Vec<String> = Vec::new();
    for (name, was) in &before {
        match after.get(name) {
            None => changes.push(format!("gone       {name}")),
            Some(is) if is != was => changes.push(format!("different  {name}")),
            Some(_) => {}
        }
    }
    changes
        .extend(after.keys().filter(|name| !before.contains_key(*name)).map(|n| format!("new        {n}")));
    if !changes.is_empty() {
        writeln!(out, "{}", changes.join("\n"))?;
        writeln!(
            out,
            "(orders carry no country, segments, age, consent or placement: what a policy asks of those, they cannot show, and what is \
             reachable for some customers counts as reachable)\n"
        )?;
    }
    Ok(())
}

/// Decides real orders under both policies.
fn compare(
    old: &Engine,
    new: &Engine,
    baskets: &[Basket],
    show: usize,
    out: &mut impl Write,
) -> Result<(), Failure> {
    let mut deciders = [old, new].map(|engine| Decider::new(Arc::new(engine.clone())));
    let (mut changed, mut filled) = (0, [0; 2]);
    let mut moved: [BTreeMap<String, u32>; 2] = Default::default();
    for basket in baskets {
        let mut slates: [Vec<String>; 2] = Default::default();
        for (slate, decider) in slates.iter_mut().zip(&mut deciders) {
            let offers = basket.with(Placement::default(), |t, p| decider.decide(t, p))?;
            slate.extend(offers.slate().iter().map(|o| decider.engine().id(o.item).to_owned()));
        }
        changed += u32::from(slates[0] != slates[1]);
        for (side, other) in [(0, 1), (1, 0)] {
            filled[side] += u32::from(!slates[side].is_empty());
            for id in slates[side].iter().filter(|id| !slates[other].contains(id)) {
                *moved[side].entry(id.clone()).or_default() += 1;
            }
        }
    }
    writeln!(
        out,
        "\nof the newest {} orders, {changed} change; with offers: {} before, {} after",
        baskets.len(),
        filled[0],
        filled[1]
    )?;
    for (title, moved) in ["shown before, not after", "shown after, not before"].iter().zip(&moved) {
        let mut most: Vec<_> = moved.iter().collect();
        most.sort_by_key(|(id, times)| (std::cmp::Reverse(**times), *id));
        writeln!(out, "{title}: {} different", most.len())?;
        for (id, times) in most.into_iter().take(show) {
            let item = old.find_product(id).map(Item::Product).or(old.find_offer(id).map(Item::Offer));
            writeln!(out, "    {times:>5} x {id}  {}", item.map_or("", |item| old.title(item)))?;
        }
    }
    Ok(())
}
