//! The `aftercart` command: builds catalogs, looks into them, decides, and explains.

mod bars;
mod build;
mod decide;
mod demo;
#[cfg(feature = "embed")]
mod embed;
mod evaluate;
mod follow_ups;
mod inspect;
mod judge;
mod learn;
mod live;
mod log;
mod open;
mod policy;
mod pool;
mod print;
mod relevance;
mod replay;
#[cfg(feature = "report")]
mod report;
mod request;
mod serve;
mod simulate;
mod synth;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// What a command may fail with: prose for people.
pub(crate) type Failure = Box<dyn std::error::Error>;

#[derive(Parser)]
#[command(
    name = "aftercart",
    version,
    about = "Decides which few offers belong on a receipt page, or that none does.",
    after_help = "First steps:\n  aftercart demo\n  aftercart demo --serve\n  aftercart build --products products.csv.gz --orders orders.csv.gz --out shop.aftercart\n  aftercart decide --catalog shop.aftercart SKU1 SKU2\n  aftercart explain --catalog shop.aftercart --offer SKU3 SKU1 SKU2"
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Build a catalog file from a product feed and orders
    Build(build::Args),
    /// Make vectors of products' titles for `build --embeddings`, from a language model on this machine
    #[cfg(feature = "embed")]
    Embed(embed::Args),
    /// Not in this binary: `cargo build --release --features embed` makes one that has it
    #[cfg(not(feature = "embed"))]
    Embed(Missing),
    /// Show what a catalog holds and how it was made
    Inspect(inspect::Args),
    /// Check a catalog file against every rule of the format
    Verify(inspect::VerifyArgs),
    /// Decide for baskets: ids on the command line, JSON Lines on standard input, or the newest of an orders file
    Decide(decide::Args),
    /// Change what holds until the next catalog: pauses, stock, prices, bids, budgets
    Live(live::Args),
    /// Tell why a product or offer is, or is not, on the page
    Explain(decide::ExplainArgs),
    /// Make recorded decisions again: equal to the byte, with every reason
    Replay(replay::Args),
    /// Check a policy, or compare two
    Policy(policy::Args),
    /// Judge a catalog on held-out cases, beside other methods, and cut such cases from your orders
    Relevance(relevance::Args),
    /// Add what came of decisions to a log
    Events(log::EventsArgs),
    /// Put away what killed processes left in a log, and say what became of its decisions
    Log(log::LogArgs),
    /// Write what the page brought: lift with intervals, by parts, and why not more
    #[cfg(feature = "report")]
    Report(report::Args),
    /// Not in this binary: `cargo build --release --features report` makes one that has it
    #[cfg(not(feature = "report"))]
    Report(Missing),
    /// Estimate what another policy would have earned on the pages of a log
    Evaluate(evaluate::Args),
    /// Learn from a log what people accept when shown
    Learn(learn::Args),
    /// Make up a log over real baskets, with a lift that is known
    Simulate(simulate::Args),
    /// Multiply a real feed and its orders into a large, labelled synthetic shop
    Synth(synth::Args),
    /// Plan the days after orders: what to send, when, through which kind of channel, and why
    FollowUps(follow_ups::Args),
    /// Open a small shop in the browser over a catalog: buy, see what is decided and why, change the rules
    Serve(serve::Args),
    /// Build a catalog from the bundled real orders and decide for twenty real baskets
    Demo(demo::Args),
}

/// Whatever is given to a command that takes a feature which this binary lacks.
#[cfg(not(all(feature = "report", feature = "embed")))]
#[derive(clap::Args)]
struct Missing {
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, hide = true)]
    _given: Vec<std::ffi::OsString>,
}

#[cfg(not(all(feature = "report", feature = "embed")))]
fn missing(feature: &str) -> Result<(), Failure> {
    let way_out = format!("way out: cargo build --release --features {feature}");
    Err(format!("this binary was built without `{feature}`\n  {way_out}").into())
}

fn main() -> ExitCode {
    let outcome = match Cli::parse().command {
        Command::Build(args) => build::run(&args),
        #[cfg(feature = "embed")]
        Command::Embed(args) => embed::run(&args),
        #[cfg(not(feature = "embed"))]
        Command::Embed(_) => missing("embed"),
        Command::Inspect(args) => inspect::run(&args),
        Command::Verify(args) => inspect::verify(&args),
        Command::Decide(args) => decide::run(&args),
        Command::Live(args) => live::run(&args),
        Command::Explain(args) => decide::explain(&args),
        Command::Replay(args) => replay::run(&args),
        Command::Policy(args) => policy::run(&args),
        Command::Relevance(args) => relevance::run(&args),
        Command::Events(args) => log::events(&args),
        Command::Log(args) => log::log(&args),
        #[cfg(feature = "report")]
        Command::Report(args) => report::run(&args),
        #[cfg(not(feature = "report"))]
        Command::Report(_) => missing("report"),
        Command::Learn(args) => learn::run(&args),
        Command::Evaluate(args) => evaluate::run(&args),
        Command::Simulate(args) => simulate::run(&args),
        Command::Synth(args) => synth::run(&args),
        Command::FollowUps(args) => follow_ups::run(&args),
        Command::Serve(args) => serve::run(&args),
        Command::Demo(args) => demo::run(&args),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        // The reader of a pipe went away: that is how `| head` ends.
        Err(failure) if is_broken_pipe(&failure) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("aftercart: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn is_broken_pipe(failure: &Failure) -> bool {
    failure.downcast_ref::<std::io::Error>().is_some_and(|e| e.kind() == std::io::ErrorKind::BrokenPipe)
}
