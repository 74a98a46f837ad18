//! `aftercart live`: what changes between two catalogs.

use std::fs::File;
use std::io::{BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aftercart::build::feed::{self, LiveReport};
use aftercart::live::{AccountStatus, Live, LiveCapacity, LiveKind};
use aftercart::{Catalog, Engine, Item, LiveFact, OpenOptions, Prefault, Verify};
use clap::Subcommand;
use serde_json::json;

use crate::Failure;
use crate::bars::Bars;
use crate::pool;
use crate::request::money;

#[derive(clap::Args)]
#[command(
    after_help = "First steps:\n  aftercart live bind   --live shop.live --catalog shop.aftercart      # makes it; again for every new catalog\n  aftercart live set    --live shop.live SKU1 --stock 0\n  aftercart live set    --live shop.live summer-deal --paused true\n  aftercart live set    --live shop.live acme --daily-budget 2000 --pacing even --utc-offset +02:00\n  aftercart live load   --live shop.live stock.csv.gz\n  aftercart live watch  --live shop.live changes.jsonl\n  aftercart live status --live shop.live\n\nEvery process on this machine that decides with the overlay sees a change with its next decision."
)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Make an overlay for a catalog, or make it fit one more: what it knows carries over by id
    Bind(BindArgs),
    /// Change products, offers or partners
    Set(Box<SetArgs>),
    /// Change what the rows of files say: CSV, TSV or JSON Lines, plain, .gz or .zst
    Load(LoadArgs),
    /// Change what lines of JSON say as they are written to a file or a pipe
    Watch(WatchArgs),
    /// Show what is paused, spent, reserved and left
    Status(StatusArgs),
    /// Budgets that several machines share: set them, take them out, see what is granted
    Pool(pool::PoolArgs),
    /// Keep this machine's part of pooled budgets filled
    Refill(pool::RefillArgs),
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    match &args.command {
        Command::Bind(args) => bind(args),
        Command::Set(args) => set(args),
        Command::Load(args) => load(args),
        Command::Watch(args) => watch(args),
        Command::Status(args) => status(args),
        Command::Pool(args) => pool::run(args),
        Command::Refill(args) => pool::refill(args),
    }
}

pub(crate) fn now_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as i64)
}

#[derive(clap::Args)]
#[command(
    after_help = "An overlay fits up to three catalogs at once, so that processes with yesterday's catalog and such with today's share its budgets; a fourth takes the place of the one that was bound first.\n\nKeep it on a local disk or in memory (/dev/shm), writable for the users whose processes decide. Never truncate, copy over or replace it: their processes would die, or go on with the old one."
)]
struct BindArgs {
    /// Overlay file; made where there is none
    #[arg(long, value_name = "FILE")]
    live: PathBuf,
    /// Catalog file
    #[arg(long, value_name = "FILE")]
    catalog: PathBuf,
    /// New overlays: products that there is room for, instead of a quarter more than there are
    #[arg(long, value_name = "N")]
    products: Option<u32>,
    /// New overlays: offers and partners that there is room for, instead of four times as many as there are
    #[arg(long, value_name = "N")]
    accounts: Option<u32>,
    /// New overlays: limits that there is room for, instead of 64
    #[arg(long, value_name = "N")]
    budgets: Option<u32>,
    /// New overlays: leases of one limit that can be out at a time, instead of 1,024
    #[arg(long, value_name = "N")]
    leases: Option<u32>,
}

fn bind(args: &BindArgs) -> Result<(), Failure> {
    let options =
        OpenOptions { verify: Verify::Structure, prefault: Prefault::None, ..OpenOptions::default() };
    let catalog =
        Catalog::open(&args.catalog, options).map_err(|e| format!("{}: {e}", args.catalog.display()))?;
    let live = if args.live.exists() {
        let live = Live::open(&args.live)?;
        live.bind(&catalog)?;
        live
    } else {
        let count = |name: &str| {
            let section = catalog.sections().find(|section| section.0 == name);
            section.map_or(0, |section| u32::try_from(section.3).unwrap_or(u32::MAX))
        };
        let products = catalog.view().product_count();
        let usual = LiveCapacity::for_catalog(products, count("offers"), count("partners"));
        let capacity = LiveCapacity {
            products: args.products.unwrap_or(usual.products),
            accounts: args.accounts.unwrap_or(usual.accounts),
            budgets: args.budgets.unwrap_or(usual.budgets),
            leases: args.leases.unwrap_or(usual.leases),
        };
        Live::create(&args.live, &catalog, Some(capacity))?
    };
    let bound: Vec<String> = live.bindings().iter().map(|b| format!("{:016x}", b.catalog)).collect();
    println!("{}: fits {}", args.live.display(), bound.join(", "));
    Ok(())
}

#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  aftercart live set --live shop.live SKU1 SKU2 --paused true\n  aftercart live set --live shop.live SKU1 --price 12.99 --stock 40\n  aftercart live set --live shop.live SKU1 --price none --stock none          # as the catalog says\n  aftercart live set --live shop.live summer-deal --bid 1.50\n  aftercart live set --live shop.live acme --daily-budget 500.00 --budget-unit money --utc-offset -05:00\n  aftercart live set --live shop.live acme --daily-budget 2000 --pacing 0,0,0,0,0,1,2,4,6,8,9,9,9,8,8,8,9,10,12,12,9,6,3,1\n  aftercart live set --live shop.live acme --daily-budget none"
)]
struct SetArgs {
    /// Overlay file
    #[arg(long, value_name = "FILE")]
    live: PathBuf,
    /// Ids of products, offers or partners
    #[arg(value_name = "ID", required = true)]
    ids: Vec<String>,
    /// product, offer or partner, where an id is several of them
    #[arg(long)]
    kind: Option<String>,
    /// Products: units in stock, in_stock, out_of_stock, or none
    #[arg(long)]
    stock: Option<String>,
    /// Products: price in the catalog's currency, or none
    #[arg(long, allow_negative_numbers = true)]
    price: Option<String>,
    /// Products: when the price was stated, instead of now
    #[arg(long, value_name = "TIME")]
    priced_at: Option<String>,
    /// Offers: what is earned when it is accepted, or none
    #[arg(long)]
    bid: Option<String>,
    /// Not to be shown for now: true or false
    #[arg(long)]
    paused: Option<String>,
    /// Not to be shown any more: true or false
    #[arg(long)]
    killed: Option<String>,
    /// Offers and partners: accepted offers (or money) a day, or none
    #[arg(long, value_name = "N")]
    daily_budget: Option<String>,
    /// Offers and partners: the same over all days
    #[arg(long, value_name = "N")]
    total_budget: Option<String>,
    /// What budgets count: accepts or money
    #[arg(long, value_name = "UNIT")]
    budget_unit: Option<String>,
    /// Spread the daily budget over the day's traffic: even, or 24 or 96 weights from midnight on, or none
    #[arg(long, value_name = "WEIGHTS")]
    pacing: Option<String>,
    /// When the day of the budget begins: +02:00. Change it where daylight saving begins or ends
    #[arg(long, value_name = "OFFSET", allow_hyphen_values = true)]
    utc_offset: Option<String>,
}

fn set(args: &SetArgs) -> Result<(), Failure> {
    let get = |name| {
        let option = match name {
            "kind" => &args.kind,
            "stock" => &args.stock,
            "price" => &args.price,
            "priced_at" => &args.priced_at,
            "bid" => &args.bid,
            "paused" => &args.paused,
            "killed" => &args.killed,
            "daily_budget" => &args.daily_budget,
            "total_budget" => &args.total_budget,
            "budget_unit" => &args.budget_unit,
            "pacing" => &args.pacing,
            "utc_offset" => &args.utc_offset,
            _ => &None,
        };
        option.as_deref().unwrap_or("")
    };
    let (kind, change) = feed::read_change(get, now_ms())?;
    let live = Live::open(&args.live)?;
    let mut edit = live.edit()?;
    for id in &args.ids {
        let kind = edit.set(kind, id, &change, now_ms()).map_err(|e| format!("{id}: {e}"))?;
        println!("{} {id} changed", kind.name());
    }
    Ok(())
}

#[derive(clap::Args)]
#[command(
    after_help = "Columns: id, and any of kind (product, offer, partner), stock (or availability), price, priced_at, bid, paused, killed, daily_budget, total_budget, budget_unit (accepts, money), pacing, utc_offset. An empty field stays as it is; none takes the value back, so that the catalog's holds. Rows whose id no bound catalog has are counted and left out.\n\nExample:\n  printf 'id,stock,price\\nSKU1,0,\\nSKU2,14,12.99\\n' > stock.csv\n  aftercart live load --live shop.live stock.csv"
)]
struct LoadArgs {
    /// Overlay file
    #[arg(long, value_name = "FILE")]
    live: PathBuf,
    /// Files of rows
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
}

fn load(args: &LoadArgs) -> Result<(), Failure> {
    let live = Live::open(&args.live)?;
    let report = feed::load_live(&live, &args.files, now_ms(), &Bars::new(true))?;
    println!("{}", summary(&report));
    Ok(())
}

fn summary(report: &LiveReport) -> String {
    let [products, offers, partners] = report.changed;
    let mut text = format!("{} rows: {products} products, {offers} offers, {partners} partners", report.rows);
    if let Some(example) = &report.unknown_example {
        text.push_str(&format!("; {} left out, since no catalog has them (\"{example}\")", report.unknown));
    }
    text
}

#[derive(clap::Args)]
#[command(
    after_help = "A line is an object with the fields of `aftercart live load`: {\"id\":\"SKU1\",\"stock\":0}. A line that cannot be understood is told on standard error, and the next one is read. A file is followed as it grows, and read from its start; a pipe until it ends.\n\nExample:\n  stock-events | aftercart live watch --live shop.live"
)]
struct WatchArgs {
    /// Overlay file
    #[arg(long, value_name = "FILE")]
    live: PathBuf,
    /// File of JSON lines that grows; standard input where there is none
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
}

/// A file that has no end: what is not there yet is waited for.
struct Growing {
    file: File,
}

impl Read for Growing {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        loop {
            match self.file.read(buffer)? {
                0 => std::thread::sleep(Duration::from_millis(50)),
                count => return Ok(count),
            }
        }
    }
}

fn watch(args: &WatchArgs) -> Result<(), Failure> {
    let live = Live::open(&args.live)?;
    let (name, input): (&Path, Box<dyn Read>) = match &args.file {
        Some(path) => {
            let file = File::open(path).map_err(|e| format!("{}: open failed: {e}", path.display()))?;
            (path, Box::new(Growing { file }))
        }
        None => (Path::new("standard input"), Box::new(std::io::stdin())),
    };
    let mut bad = 0u64;
    let mut told = |row: Result<&LiveReport, aftercart::build::error::BuildError>| {
        if let Err(error) = row {
            bad += 1;
            eprintln!("{error}");
        }
    };
    let report = feed::watch_live(&live, name, input, now_ms, &mut told)?;
    println!("{}", summary(&report));
    if bad > 0 {
        return Err(format!("{bad} lines could not be understood; standard error says why").into());
    }
    Ok(())
}

#[derive(clap::Args)]
#[command(
    after_help = "spent: activated today / ever. reserved: held by leases that are out. overspend: by how much the limit can be exceeded at most when all of them are activated; 0, unless a limit was lowered below what was spent and reserved."
)]
struct StatusArgs {
    /// Overlay file
    #[arg(long, value_name = "FILE")]
    live: PathBuf,
    /// Also offers and partners of which the overlay says nothing
    #[arg(long)]
    all: bool,
    /// Write JSON instead of text
    #[arg(long)]
    json: bool,
}

fn status(args: &StatusArgs) -> Result<(), Failure> {
    let live = Live::open(&args.live)?;
    let mut out = BufWriter::new(std::io::stdout().lock());
    let [stopped, sold_out, priced] = live.product_counts()?;
    let mut accounts = live.status(now_ms());
    accounts.retain(|account| args.all || !account.is_silent());
    accounts.sort_by(|a, b| (a.kind, &a.id).cmp(&(b.kind, &b.id)));
    if args.json {
        let bound: Vec<_> = live.bindings().iter().map(|b| format!("{:016x}", b.catalog)).collect();
        let accounts: Vec<_> = accounts.iter().map(account_json).collect();
        let products = json!({ "stopped": stopped, "out_of_stock": sold_out, "live_price": priced });
        let all = json!({ "generation": live.generation(), "catalogs": bound, "products": products, "accounts": accounts });
        writeln!(out, "{all}")?;
    } else {
        let file = args.live.display();
        writeln!(
            out,
            "{file}: {} changes so far, fits {} catalogs",
            live.generation(),
            live.bindings().len()
        )?;
        writeln!(
            out,
            "products: {stopped} paused or killed, {sold_out} out of stock, {priced} with a live price"
        )?;
        for account in &accounts {
            writeln!(out, "{}", account_text(account))?;
        }
    }
    out.flush()?;
    Ok(())
}

/// An amount of an account: money or a count.
fn amount(account: &AccountStatus, amount: u64) -> String {
    if account.money { money(i64::try_from(amount).unwrap_or(i64::MAX)) } else { amount.to_string() }
}

fn account_text(account: &AccountStatus) -> String {
    let mut text = format!("{} {}", account.kind.name(), account.id);
    for (is, word) in [(account.paused, "paused"), (account.killed, "killed")] {
        if is {
            text.push_str(&format!(", {word}"));
        }
    }
    if let Some(bid) = account.bid {
        text.push_str(&format!(", bid {}", money(bid)));
    }
    if account.daily.is_none() && account.total.is_none() {
        return text;
    }
    let by = if account.pooled { " granted by the pool" } else { "" };
    let limit = |limit: Option<u64>| {
        limit.map_or("no limit".into(), |limit| format!("{}{by}", amount(account, limit)))
    };
    let of = |n| amount(account, n);
    text.push_str(&format!("\n  today     {} spent of {}", of(account.spent_today), limit(account.daily)));
    text.push_str(&format!("\n  ever      {} spent of {}", of(account.spent), limit(account.total)));
    text.push_str(&format!(
        "\n  reserved  {} in {} outstanding leases",
        of(account.reserved),
        account.outstanding
    ));
    text.push_str(&format!("\n  overspend at most {}", of(account.overspend_bound)));
    if account.paced {
        text.push_str(&format!(
            "\n  pacing    turns {:.1} % away now",
            f64::from(account.throttle_ppm) / 1e4
        ));
    }
    text
}

fn account_json(account: &AccountStatus) -> serde_json::Value {
    json!({
        "kind": account.kind.name(), "id": account.id, "paused": account.paused, "killed": account.killed,
        "bid": account.bid.map(money), "unit": if account.money { "money" } else { "accepts" },
        "daily_budget": account.daily.map(|n| amount(account, n)),
        "total_budget": account.total.map(|n| amount(account, n)),
        "spent_today": amount(account, account.spent_today), "spent": amount(account, account.spent),
        "reserved": amount(account, account.reserved), "outstanding": account.outstanding,
        "overspend_bound": amount(account, account.overspend_bound),
        "pooled": account.pooled, "paced": account.paced, "throttle": f64::from(account.throttle_ppm) / 1e6,
        "utc_offset_minutes": account.utc_offset_minutes,
    })
}

/// What a decision read of the overlay, for logs.
pub(crate) fn facts_json(engine: &Engine, facts: &[LiveFact]) -> serde_json::Value {
    let of = |fact: &LiveFact| {
        let kind = match fact.item {
            Item::Product(_) => LiveKind::Product,
            Item::Offer(_) => LiveKind::Offer,
        };
        json!({
            "kind": kind.name(), "id": engine.id(fact.item), "own": format!("{:016x}", fact.own),
            "partner": format!("{:016x}", fact.partner), "bid": (fact.bid >= 0).then_some(fact.bid),
        })
    };
    facts.iter().map(of).collect()
}

/// The same, read back; `None` where it is not such, or of another catalog.
pub(crate) fn facts_of_json(engine: &Engine, facts: &serde_json::Value) -> Option<Vec<LiveFact>> {
    let of = |fact: &serde_json::Value| {
        let text = |name: &str| fact.get(name).and_then(serde_json::Value::as_str);
        let word = |name: &str| u64::from_str_radix(text(name)?, 16).ok();
        let item = match text("kind")? {
            "product" => Item::Product(engine.find_product(text("id")?)?),
            "offer" => Item::Offer(engine.find_offer(text("id")?)?),
            _ => return None,
        };
        let bid = fact.get("bid").and_then(serde_json::Value::as_i64).unwrap_or(-1);
        Some(LiveFact { item, own: word("own")?, partner: word("partner")?, bid })
    };
    facts.as_array()?.iter().map(of).collect()
}
