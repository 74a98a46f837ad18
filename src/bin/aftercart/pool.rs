//! `aftercart live pool` and `aftercart live refill`: budgets that several machines share.

use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use aftercart::Live;
use aftercart::build::feed;
use aftercart::live::{LiveKind, PoolStatus, PooledBudget, RedisPool, Refill, Refilled};
use clap::Subcommand;

use crate::Failure;
use crate::live::now_ms;
use crate::request::money;

#[derive(clap::Args)]
pub(crate) struct PoolArgs {
    #[command(subcommand)]
    command: PoolCommand,
}

#[derive(Subcommand)]
enum PoolCommand {
    /// Put a budget into the pool, or change it
    Set(PoolSetArgs),
    /// Take a budget out of the pool; machines keep what they were granted
    Remove(PoolRemoveArgs),
    /// Show what is granted and used, all machines together
    Status(PoolStatusArgs),
}

#[derive(clap::Args)]
struct Server {
    /// Redis or Valkey server: redis://host:6379, rediss://user:password@host, redis+unix:///run/redis.sock
    #[arg(long, value_name = "URL", env = "AFTERCART_REDIS", hide_env_values = true)]
    redis: String,
    /// First part of all keys, for several shops on one server
    #[arg(long, value_name = "TEXT", default_value = "aftercart")]
    prefix: String,
}

impl Server {
    fn open(&self) -> Result<RedisPool, Failure> {
        let pool = RedisPool::new(&self.redis).map_err(|e| format!("--redis: {e}"))?;
        Ok(pool.with_prefix(&self.prefix))
    }
}

#[derive(clap::Args)]
#[command(
    after_help = "Example:\n  aftercart live pool set acme --kind partner --daily-budget 2000 --redis redis://10.0.0.5:6379\n\nEvery machine then runs `aftercart live refill`. A budget is granted in parts that get smaller as it runs out."
)]
struct PoolSetArgs {
    #[command(flatten)]
    server: Server,
    /// Id of the offer or partner
    id: String,
    /// offer or partner
    #[arg(long)]
    kind: String,
    /// Accepted offers (or money) a day, all machines together
    #[arg(long, value_name = "N")]
    daily_budget: Option<String>,
    /// The same over all days
    #[arg(long, value_name = "N")]
    total_budget: Option<String>,
    /// What budgets count: accepts or money
    #[arg(long, value_name = "UNIT")]
    budget_unit: Option<String>,
    /// Spread the daily budget over the day's traffic: even, or 24 or 96 weights from midnight on
    #[arg(long, value_name = "WEIGHTS")]
    pacing: Option<String>,
    /// When the day of the budget begins: +02:00
    #[arg(long, value_name = "OFFSET", allow_hyphen_values = true)]
    utc_offset: Option<String>,
    /// Least part that a machine is given at a time: for money, more than the dearest offer, in minor units
    #[arg(long, value_name = "N")]
    least: Option<u64>,
}

#[derive(clap::Args)]
struct PoolRemoveArgs {
    #[command(flatten)]
    server: Server,
    /// Id of the offer or partner
    id: String,
    /// offer or partner
    #[arg(long)]
    kind: String,
}

#[derive(clap::Args)]
struct PoolStatusArgs {
    #[command(flatten)]
    server: Server,
}

pub(crate) fn run(args: &PoolArgs) -> Result<(), Failure> {
    match &args.command {
        PoolCommand::Set(args) => set(args),
        PoolCommand::Remove(args) => {
            let (kind, id) = (kind_of(&args.kind)?, &args.id);
            args.server.open()?.remove(kind, id).map_err(unanswered)?;
            println!("{} {id} taken out", kind.name());
            Ok(())
        }
        PoolCommand::Status(args) => status(args),
    }
}

fn unanswered(error: impl std::fmt::Display) -> Failure {
    format!("the pool's server: {error}").into()
}

fn kind_of(name: &str) -> Result<LiveKind, Failure> {
    match name {
        "offer" => Ok(LiveKind::Offer),
        "partner" => Ok(LiveKind::Partner),
        other => Err(format!("--kind: \"{other}\"; offer or partner").into()),
    }
}

fn set(args: &PoolSetArgs) -> Result<(), Failure> {
    let get = |name| {
        let option = match name {
            "kind" => return args.kind.as_str(),
            "daily_budget" => &args.daily_budget,
            "total_budget" => &args.total_budget,
            "budget_unit" => &args.budget_unit,
            "pacing" => &args.pacing,
            "utc_offset" => &args.utc_offset,
            _ => &None,
        };
        option.as_deref().unwrap_or("")
    };
    let kind = kind_of(&args.kind)?;
    let (_, change) = feed::read_change(get, now_ms())?;
    let budget = PooledBudget {
        kind,
        id: args.id.clone(),
        money: change.money.unwrap_or(false),
        utc_offset_minutes: change.utc_offset_minutes.unwrap_or(0),
        pacing: change.pacing.flatten(),
    };
    let least = args.least.unwrap_or(if budget.money { 10_000 } else { 1 });
    let mut pool = args.server.open()?;
    pool.set(&budget, change.daily.flatten(), change.total.flatten(), least).map_err(unanswered)?;
    println!("{} {} is in the pool", kind.name(), args.id);
    Ok(())
}

fn status(args: &PoolStatusArgs) -> Result<(), Failure> {
    let all = args.server.open()?.status(now_ms()).map_err(unanswered)?;
    let mut out = std::io::stdout().lock();
    for status in &all {
        let of = |n: u64| {
            if status.budget.money { money(i64::try_from(n).unwrap_or(i64::MAX)) } else { n.to_string() }
        };
        let PoolStatus { budget, machines, .. } = status;
        writeln!(out, "{} {}, {machines} machines", budget.kind.name(), budget.id)?;
        for (name, limit, granted, used) in [
            ("today", status.daily, status.granted_today, status.used_today),
            ("ever ", status.total, status.granted, status.used),
        ] {
            if let Some(limit) = limit {
                writeln!(out, "  {name}  {} used, {} granted of {}", of(used), of(granted), of(limit))?;
            }
        }
    }
    Ok(())
}

#[derive(clap::Args)]
#[command(
    after_help = "Run one on each machine, as a service. It asks the pool for what the machine needs in the next seconds and gives back what it does not; decisions and leases never wait for it. While the server does not answer, the machine goes on with what it was granted, and nothing is granted for a new day.\n\nExample:\n  aftercart live refill --live shop.live --redis redis://10.0.0.5:6379"
)]
pub(crate) struct RefillArgs {
    #[command(flatten)]
    server: Server,
    /// Overlay file
    #[arg(long, value_name = "FILE")]
    live: PathBuf,
    /// Milliseconds between two refills
    #[arg(long, value_name = "MS", default_value_t = 1_000)]
    every_ms: u64,
    /// Refill once and end
    #[arg(long)]
    once: bool,
}

pub(crate) fn refill(args: &RefillArgs) -> Result<(), Failure> {
    let live = Arc::new(Live::open(&args.live)?);
    let mut refill = Refill::new(live, args.server.open()?)?;
    let mut last: Option<Result<Refilled, String>> = None;
    loop {
        let outcome = refill.refill(now_ms()).map_err(|error| error.to_string());
        if args.once {
            println!("{}", summary(&outcome?));
            return Ok(());
        }
        // Said when it changes, not each second.
        if last.as_ref() != Some(&outcome) {
            match &outcome {
                Ok(done) => println!("{}", summary(done)),
                Err(error) => eprintln!("{error}"),
            }
            last = Some(outcome);
        }
        std::thread::sleep(Duration::from_millis(args.every_ms));
    }
}

fn summary(done: &Refilled) -> String {
    let mut text = format!("{} budgets refilled", done.budgets);
    if done.unknown > 0 {
        text.push_str(&format!("; {} are of offers or partners that no bound catalog has", done.unknown));
    }
    for (what, why) in &done.refused {
        text.push_str(&format!("\n{what}: {why}"));
    }
    text
}
