//! The live overlay: what changes between two catalogs. Stock, prices, pauses, bids and budgets, in one small file that all
//! processes of a machine map and share.
//!
//! [`Live`] is that file, [`Live::edit`] changes it, and [`crate::Engine::with_live`] decides with it: a change is seen by the
//! next decision of every process. Everything in it belongs to an id, so it outlives catalogs: [`Live::bind`] makes it fit
//! tonight's catalog too, while processes still decide with today's. [`crate::Engine::reserve`] takes a [`Lease`] on the
//! budgets of an offer.
//!
//! Facts are single words that are read and written whole, so a process may die at any moment. A decision reads each fact
//! once; facts of different products may be of different moments. [`crate::Decider::live_facts`] tells what it read, and
//! [`crate::Decider::replay`] decides with that again.

mod bind;
mod budget;
mod edit;
mod facts;
mod format;
mod pacing;
mod pool;
#[cfg(feature = "redis")]
mod redis;
mod rules;
mod status;
pub(crate) mod words;

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use xxhash_rust::xxh3::xxh3_64;

use crate::index::Catalog;
use crate::index::format::SectionKind;
use crate::vocabulary::Currency;
use format::{AREAS, HEADER_WORDS, Layout, MAGIC, VERSION, header};
use words::{Word, Words};

pub use bind::Binding;
pub(crate) use bind::Bound;
pub use budget::{Lease, LeaseError};
pub use edit::{Change, Edit, Set};
pub use facts::LiveFact;
pub(crate) use facts::{Reading, Source, draw_ppm, may_show};
pub use format::{LiveCapacity, LiveKind, ProductState};
pub use pacing::Pacing;
pub use pool::{Ask, Grant, LeaseSource, PooledBudget, Refill, RefillError, Refilled};
#[cfg(feature = "redis")]
pub use redis::{PoolStatus, RedisPool};
pub use rules::LivePolicy;
pub(crate) use rules::LiveRules;
pub use status::AccountStatus;

/// Why an overlay cannot be used, or a change of it is refused. Names the place and the way out.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LiveError {
    /// The system refused.
    #[error("{}: {action} failed: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What was tried.
        action: &'static str,
        /// What the system said.
        source: std::io::Error,
    },
    /// Not an overlay, or a damaged one.
    #[error("{}: not a usable overlay: {part}: expected {expected}, found {found}; put the file aside and bind a new one", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Part of the file.
        part: &'static str,
        /// What must be there.
        expected: String,
        /// What is there.
        found: String,
    },
    /// Another version of the layout.
    #[error("{}: overlay version {found}, this library reads {readable}; use the aftercart that made it", path.display())]
    Version {
        /// The file.
        path: PathBuf,
        /// In the file.
        found: u64,
        /// Readable here.
        readable: u64,
    },
    /// The overlay was not bound to the catalog, or no longer is.
    #[error(
        "{}: not bound to the catalog of generation {catalog:016x}; run `aftercart live bind --live {} --catalog FILE`",
        path.display(), path.display()
    )]
    OtherCatalog {
        /// The file.
        path: PathBuf,
        /// Build id of the catalog.
        catalog: u64,
    },
    /// Prices in another currency cannot be carried over.
    #[error("{}: made for prices in {}, the catalog has {}; bind it to an overlay of its own", path.display(), overlay.as_str(), catalog.as_str())]
    Currency {
        /// The file.
        path: PathBuf,
        /// Of the overlay.
        overlay: Currency,
        /// Of the catalog.
        catalog: Currency,
    },
    /// No room.
    #[error("{}: room for {capacity} {what}, {needed} are needed; make a larger overlay beside it and load it", path.display())]
    TooSmall {
        /// The file.
        path: PathBuf,
        /// Of what.
        what: &'static str,
        /// What there is room for.
        capacity: u32,
        /// What is needed.
        needed: u32,
    },
    /// An id that no bound catalog has.
    #[error(
        "no product, offer or partner \"{id}\" in the bound catalogs; correct the id, or bind the catalog that has it"
    )]
    UnknownId {
        /// The id.
        id: String,
    },
    /// An id that names several things.
    #[error("\"{id}\" is both {a} and {b}; say which in `kind`")]
    Ambiguous {
        /// The id.
        id: String,
        /// One of them.
        a: &'static str,
        /// The other.
        b: &'static str,
    },
    /// A setting that the thing does not have, or a value out of range.
    #[error("{field}: {problem}")]
    Value {
        /// Which setting.
        field: &'static str,
        /// What is wrong, and what is allowed.
        problem: &'static str,
    },
}

/// An overlay file, mapped and shared. `Send + Sync`; reading and reserving neither lock nor allocate.
#[derive(Debug)]
pub struct Live {
    words: Words,
    layout: Layout,
    path: PathBuf,
    file: File,
    currency: Currency,
    identity: u64,
    /// Control plane only: one thread of this process changes bindings and settings at a time; the file's lock keeps other
    /// processes out, and the system releases it when they die.
    editing: Mutex<edit::Index>,
}

impl Live {
    /// Makes an overlay for a catalog, bound to it, that says nothing yet.
    ///
    /// # Errors
    /// [`LiveError::Io`] where the file is there already or cannot be written, [`LiveError::TooSmall`] where `capacity` does
    /// not hold the catalog.
    pub fn create(
        path: impl AsRef<Path>,
        catalog: &Catalog,
        capacity: Option<LiveCapacity>,
    ) -> Result<Self, LiveError> {
        let path = path.as_ref();
        let capacity = match capacity {
            Some(capacity) => capacity.rounded(),
            None => {
                let count = |kind: SectionKind| {
                    let entry = catalog.sections().find(|section| section.0 == kind.name());
                    entry.map_or(0, |entry| u32::try_from(entry.3).unwrap_or(u32::MAX))
                };
                let products = catalog.view().product_count();
                LiveCapacity::for_catalog(products, count(SectionKind::Offers), count(SectionKind::Partners))
            }
        };
        if !capacity.is_sane() {
            let problem =
                "at most 268,435,456 products, 1,048,576 accounts, 4,096 budgets, 65,536 leases each";
            return Err(LiveError::Value { field: "capacity", problem });
        }
        let io = |action| move |source| LiveError::Io { path: path.to_owned(), action, source };
        // Written beside, and linked into place when it is whole: nobody opens half of it, and no overlay is ever replaced.
        let beside = path.with_extension(format!("{}.new", std::process::id()));
        let mut file = File::create(&beside).map_err(io("create"))?;
        let written = write_new(&mut file, Layout { capacity }, catalog).and_then(|()| file.sync_all());
        let linked = written.and_then(|()| std::fs::hard_link(&beside, path));
        let _ = std::fs::remove_file(&beside); // what stays of it is never opened
        linked.map_err(io("create"))?;
        let live = Self::open(path)?;
        live.bind(catalog)?;
        Ok(live)
    }

    /// Opens an overlay. Costs as much for a million products as for one.
    ///
    /// # Errors
    /// [`LiveError`]: the file cannot be read and written, or is no whole overlay of this version.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, LiveError> {
        let path = path.as_ref();
        let io = |action| move |source| LiveError::Io { path: path.to_owned(), action, source };
        let named = std::fs::metadata(path).map_err(io("open"))?;
        if !named.is_file() {
            return Err(io("open")(std::io::Error::other("not a regular file")));
        }
        let file = OpenOptions::new().read(true).write(true).open(path).map_err(io("open"))?;
        let bytes = file.metadata().map_err(io("inspect"))?.len();
        let damaged = |part, expected: String, found: String| LiveError::Damaged {
            path: path.to_owned(),
            part,
            expected,
            found,
        };
        if bytes < (HEADER_WORDS * 8) as u64 {
            return Err(damaged("size", format!("{} bytes and more", HEADER_WORDS * 8), bytes.to_string()));
        }
        let head = Words::map(&file, HEADER_WORDS).map_err(io("map"))?;
        let at = |word: usize| head.all().get(word).map_or(0, Word::get);
        if at(0) != MAGIC {
            return Err(damaged("magic", format!("{MAGIC:016x}"), format!("{:016x}", at(0))));
        }
        if at(1) != VERSION {
            return Err(LiveError::Version { path: path.to_owned(), found: at(1), readable: VERSION });
        }
        let fixed: Vec<u64> = (0..header::FIXED).map(at).collect();
        if sum(&fixed) != at(header::FIXED) {
            let found = format!("{:016x}", at(header::FIXED));
            return Err(damaged("header", format!("sum {:016x}", sum(&fixed)), found));
        }
        let number = |word: usize| u32::try_from(at(word)).unwrap_or(u32::MAX);
        let capacity =
            LiveCapacity { products: number(2), accounts: number(3), budgets: number(4), leases: number(5) };
        let layout = Layout { capacity };
        if !capacity.is_sane() || at(6) != layout.words() as u64 * 8 {
            return Err(damaged("capacity", "numbers that fit each other".into(), format!("{capacity:?}")));
        }
        if bytes != at(6) {
            return Err(damaged("size", format!("{} bytes", at(6)), format!("{bytes} bytes")));
        }
        let words = Words::map(&file, layout.words()).map_err(io("map"))?;
        let letters = at(8).to_le_bytes();
        let currency = Currency([letters[0], letters[1], letters[2]]);
        let (identity, path) = (at(7), path.to_owned());
        Ok(Self { words, layout, path, file, currency, identity, editing: Mutex::new(edit::Index::none()) })
    }

    /// Counts the changes that writers made: equal numbers, equal settings. Leases do not count.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.word(header::GENERATION)
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// How much it has room for.
    #[must_use]
    pub fn capacity(&self) -> LiveCapacity {
        self.layout.capacity
    }

    /// Writes what changed to the disk, for what must survive a power cut; the end of a process loses nothing.
    ///
    /// # Errors
    /// [`LiveError::Io`].
    pub fn flush(&self) -> Result<(), LiveError> {
        self.words.flush().map_err(|source| self.io("flush", source))
    }

    fn io(&self, action: &'static str, source: std::io::Error) -> LiveError {
        LiveError::Io { path: self.path.clone(), action, source }
    }

    /// A word; 0 where the file has none.
    #[inline]
    fn word(&self, at: usize) -> u64 {
        self.words.all().get(at).map_or(0, Word::get)
    }

    #[inline]
    fn at(&self, at: usize) -> Option<&Word> {
        self.words.all().get(at)
    }

    fn put(&self, at: usize, value: u64) {
        if let Some(word) = self.at(at) {
            word.set(value);
        }
    }

    /// The only one who changes settings and bindings, on this machine, until it is dropped.
    fn lock(&self) -> Result<Lock<'_>, LiveError> {
        let index = self.editing.lock().unwrap_or_else(PoisonError::into_inner);
        // Opened anew: a process that was forked shares the lock of its parent's open file.
        let file = File::open(&self.path).map_err(|source| self.io("open", source))?;
        file.lock().map_err(|source| self.io("lock", source))?;
        Ok(Lock { live: self, index, _file: file })
    }

    /// Accounts in use.
    fn accounts(&self) -> u32 {
        (self.word(header::ACCOUNTS).min(self.layout.capacity.accounts.into())) as u32
    }

    /// A word of an account; 0 where there is none.
    #[inline]
    fn account(&self, account: u32, word: usize) -> u64 {
        if account >= self.layout.capacity.accounts {
            return 0;
        }
        self.word(self.layout.account(account) + word)
    }

    /// Id of an account.
    fn account_id(&self, account: u32) -> String {
        let length = usize::from(self.config(account).id_length);
        let words = self.layout.account(account) + format::account::ID..;
        let bytes = words.take(length.div_ceil(8)).flat_map(|at| self.word(at).to_le_bytes()).take(length);
        String::from_utf8_lossy(&bytes.collect::<Vec<u8>>()).into_owned()
    }

    #[inline]
    fn config(&self, account: u32) -> format::Config {
        format::Config::unpack(self.account(account, format::account::CONFIG))
    }
}

/// The right to change an overlay.
#[derive(Debug)]
struct Lock<'a> {
    live: &'a Live,
    index: MutexGuard<'a, edit::Index>,
    /// Locked until it is closed.
    _file: File,
}

/// Checksum of words.
fn sum(words: &[u64]) -> u64 {
    xxh3_64(&words.iter().flat_map(|word| word.to_le_bytes()).collect::<Vec<u8>>())
}

/// Everything but the areas, which take no room on the disk before a catalog is bound.
fn write_new(file: &mut File, layout: Layout, catalog: &Catalog) -> std::io::Result<()> {
    let capacity = layout.capacity;
    let currency = catalog.view().currency.0;
    let letters = u64::from_le_bytes([currency[0], currency[1], currency[2], 0, 0, 0, 0, 0]);
    let made = file.metadata()?.modified()?.duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    let identity = sum(&[catalog.build_id(), made.as_nanos() as u64, std::process::id().into()]);
    let mut head = vec![MAGIC, VERSION];
    head.extend([capacity.products, capacity.accounts, capacity.budgets, capacity.leases].map(u64::from));
    head.extend([layout.words() as u64 * 8, identity, letters]);
    head.push(sum(&head));
    let mut bytes: Vec<u8> = head.iter().flat_map(|word| word.to_le_bytes()).collect();
    bytes.resize(layout.area(0) * 8, 0); // written, so that a full disk says so now and not when a word is changed
    file.write_all(&bytes)?;
    file.set_len(layout.words() as u64 * 8)
}

const _: () = assert!(AREAS > 1);
