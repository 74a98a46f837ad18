//! `aftercart events` and `aftercart log`: what came of decisions, and what became of them; and the log of `decide --log`.

use std::fs::File;
use std::io::{BufReader, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant, SystemTime};

use aftercart::log::{Drain, Drained, Log, Recovered};
use aftercart::record::ring;
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
        let name = ring::name(SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default());
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
    let log = open::existing_log(&args.log)?;
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
#[command(
    after_help = "Processes in C, Java, Go, PHP, Python and Node leave their decisions and events in the folder; this puts them into files, while they live too. Run it with --every beside them:\n  aftercart log --log /srv/log --catalog shop.aftercart --every 5"
)]
pub(crate) struct LogArgs {
    /// Folder of the log
    #[arg(long, value_name = "DIR")]
    log: PathBuf,
    /// Catalogs whose items the records name: for what processes left when they were killed, and for those that live
    #[arg(long, value_name = "FILE")]
    catalog: Vec<PathBuf>,
    /// Go on, every so many seconds; catalogs that are replaced are opened anew
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=3600))]
    every: Option<u64>,
}

/// Puts away what processes left behind or leave to this one, and says what became of every decision.
pub(crate) fn log(args: &LogArgs) -> Result<(), Failure> {
    // Who waits for decisions may come before the first one.
    let log = if args.every.is_some() { Log::open(&args.log)? } else { open::existing_log(&args.log)? };
    let mut catalogs = args.catalog.iter().map(|path| Known::open(path)).collect::<Result<Vec<_>, _>>()?;
    loop {
        let engines: Vec<_> = catalogs.iter().flat_map(|known| known.engines.iter().cloned()).collect();
        drain(&log, &engines)?;
        let Some(seconds) = args.every else { break };
        std::thread::sleep(Duration::from_secs(seconds));
        for known in &mut catalogs {
            known.look_again();
        }
    }
    let counts = log.counts()?;
    println!(
        "{} decisions made: {} in files, {} in rings, {} dropped because a ring was full",
        counts.made(),
        counts.drained,
        counts.waiting(),
        counts.dropped
    );
    Ok(())
}

fn drain(log: &Log, engines: &[Arc<Engine>]) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    for Recovered { ring, lives, drained } in log.recover(engines)? {
        match drained {
            Ok(drained) if lives && drained == Drained::default() => {}
            Ok(drained) => writeln!(
                out,
                "{} {ring}: {} decisions, {} without ids, {} unreadable",
                if lives { "emptied" } else { "recovered" },
                drained.decisions,
                drained.unnamed,
                drained.unreadable
            )?,
            Err(error) => writeln!(out, "left where it is, {ring}: {error}")?,
        }
    }
    let taken = log.take_events()?;
    for problem in &taken.problems {
        eprintln!("an event was left out, {problem}");
    }
    if taken.new + taken.repeated > 0 {
        writeln!(out, "{} new events, {} that were there already", taken.new, taken.repeated)?;
    }
    Ok(())
}

/// Engines of the catalogs that were at a path: the newest, and the one before, whose decisions may wait yet.
struct Known {
    path: PathBuf,
    engines: Vec<Arc<Engine>>,
    /// Of the file that was opened last.
    changed: Option<SystemTime>,
}

impl Known {
    fn open(path: &Path) -> Result<Self, Failure> {
        let changed = Self::changed(path);
        let engine = Arc::new(open::engine(path, open::structure())?);
        Ok(Self { path: path.to_owned(), engines: vec![engine], changed })
    }

    fn changed(path: &Path) -> Option<SystemTime> {
        std::fs::metadata(path).and_then(|file| file.modified()).ok()
    }

    fn look_again(&mut self) {
        if Self::changed(&self.path) == self.changed {
            return;
        }
        match Self::open(&self.path) {
            Ok(Self { engines, changed, .. }) => {
                self.engines = engines.into_iter().chain(self.engines.drain(..).take(1)).collect();
                self.changed = changed;
            }
            Err(error) => eprintln!("{error}"), // decisions of a catalog that is not known wait
        }
    }
}
