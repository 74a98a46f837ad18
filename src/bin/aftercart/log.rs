//! `aftercart events` and `aftercart log`: what came of decisions, and what became of them; and the log of `decide --log`.

use std::fs::File;
use std::io::{BufReader, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use aftercart::log::{Drain, Log};
use aftercart::{Decider, Engine};

use crate::{Failure, open};

/// Records of a ring: 3.4 MB.
const RING: usize = 4096;

/// The log of one decider of this process.
pub(crate) struct Recording {
    drain: Drain,
    engine: Arc<Engine>,
}

impl Recording {
    /// Records a decider's decisions from now on.
    pub(crate) fn start(folder: &Path, decider: &mut Decider) -> Result<Self, Failure> {
        let since = std::time::SystemTime::UNIX_EPOCH.elapsed().map_or(0, |time| time.as_nanos());
        let name = format!("{}-{}-{since}", machine(), std::process::id());
        let (writer, drain) = Log::open(folder)?.ring(&name, RING)?;
        decider.record_to(Some(writer));
        decider.time_with(Some(now_ns));
        Ok(Self { drain, engine: Arc::clone(decider.engine()) })
    }

    /// Empties the ring where it is time to.
    pub(crate) fn go_on(&mut self) -> Result<(), Failure> {
        if self.drain.is_due() {
            self.drain.empty(std::slice::from_ref(&self.engine))?;
        }
        Ok(())
    }

    /// Empties the ring and puts it away.
    pub(crate) fn end(mut self, decider: &mut Decider) -> Result<(), Failure> {
        drop(decider.record_to(None));
        self.drain.empty(std::slice::from_ref(&self.engine))?;
        Ok(self.drain.finish()?)
    }
}

/// Nanoseconds since the first call.
fn now_ns() -> u64 {
    static START: OnceLock<Instant> = OnceLock::new();
    START.get_or_init(Instant::now).elapsed().as_nanos() as u64
}

/// A name for this machine that may stand in a file's name.
fn machine() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let name: String = name.chars().filter(char::is_ascii_alphanumeric).take(24).collect();
    if name.is_empty() { "here".to_owned() } else { name }
}

#[derive(clap::Args)]
pub(crate) struct EventsArgs {
    #[command(subcommand)]
    command: EventsCommand,
}

#[derive(clap::Subcommand)]
enum EventsCommand {
    /// Add events to a log: late, out of order and repeated ones are welcome
    Import(ImportArgs),
}

#[derive(clap::Args)]
#[command(
    after_help = "A line is like\n  {\"event_id\":\"e-1\",\"decision_id\":\"<32 digits>\",\"at\":\"2026-11-22T10:00:00Z\",\"event\":\"converted\",\"item_id\":\"SKU1\",\"value\":12.99,\"margin\":3.10}\nevent is activated, engaged, accepted, accept_failed (code), converted (value, margin, payout), returned (the same), dismissed (code), survey_answered (question, answer) or ordered (value, margin). Amounts are in major units."
)]
struct ImportArgs {
    /// Events, JSON Lines; - = standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Folder of the log
    #[arg(long, value_name = "DIR")]
    log: PathBuf,
}

pub(crate) fn events(args: &EventsArgs) -> Result<(), Failure> {
    let EventsCommand::Import(args) = &args.command;
    let log = Log::open(&args.log)?;
    let imported = if args.file == Path::new("-") {
        log.import_events(&mut std::io::stdin().lock(), Path::new("standard input"))?
    } else {
        let file = File::open(&args.file).map_err(|e| format!("{}: {e}", args.file.display()))?;
        log.import_events(&mut BufReader::new(file), &args.file)?
    };
    for problem in &imported.problems {
        eprintln!("{}: {problem}", args.file.display());
    }
    println!("{} new events, {} that were there already", imported.new, imported.repeated);
    match imported.problems.len() {
        0 => Ok(()),
        bad => {
            Err(format!("{bad} lines were left out; correct and import them again: the others count once")
                .into())
        }
    }
}

#[derive(clap::Args)]
pub(crate) struct LogArgs {
    /// Folder of the log
    #[arg(long, value_name = "DIR")]
    log: PathBuf,
    /// Catalogs whose items the records name, so that what processes left when they were killed gets its ids
    #[arg(long, value_name = "FILE")]
    catalog: Vec<PathBuf>,
}

/// Puts away what processes left behind, and says what became of every decision.
pub(crate) fn log(args: &LogArgs) -> Result<(), Failure> {
    let log = Log::open(&args.log)?;
    let open = |path: &PathBuf| open::engine(path, open::structure()).map(Arc::new);
    let engines = args.catalog.iter().map(open).collect::<Result<Vec<_>, _>>()?;
    let mut out = std::io::stdout().lock();
    for recovered in log.recover(&engines)? {
        match recovered.drained {
            Ok(drained) => writeln!(
                out,
                "recovered {}: {} decisions, {} without ids, {} unreadable",
                recovered.ring, drained.decisions, drained.unnamed, drained.unreadable
            )?,
            Err(error) => writeln!(out, "left where it is, {}: {error}", recovered.ring)?,
        }
    }
    let counts = log.counts()?;
    writeln!(
        out,
        "{} decisions made: {} in files, {} in rings, {} dropped because a ring was full",
        counts.made(),
        counts.drained,
        counts.written - counts.drained,
        counts.dropped
    )?;
    Ok(())
}
