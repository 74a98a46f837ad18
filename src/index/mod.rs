//! The catalog file: its format, its validation, and the views through which everything else reads it.
//!
//! Bytes in, view out: [`Catalog`] owns bytes (mapped or copied) that passed [`validate`](self), and hands out [`View`]s.

pub mod format;
mod map;
mod nearest;
mod read_ahead;
pub(crate) mod search;
pub(crate) mod validate;
mod view;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::ranker::Ranker;

pub use nearest::Nearest;
pub use read_ahead::Prefault;
pub(crate) use search::RefusedClasses;
pub use search::{AllowList, Effort, SearchCounters};
pub use validate::Verify;
pub use view::View;

/// How a catalog file comes into memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OpenMode {
    /// Mapped read-only; its pages are shared by all processes of the machine. The file must never be
    /// truncated or rewritten in place: publish by rename.
    #[default]
    Map,
    /// Read into this process's memory: for network file systems and for files that others may rewrite.
    Copy,
    /// As [`Self::Copy`], in huge pages where the system has them: a search then misses fewer address translations. For one
    /// large process of a machine; every process has its own copy.
    CopyHuge,
}

/// Options of [`Catalog::open`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct OpenOptions {
    /// Mapped or copied.
    pub mode: OpenMode,
    /// How much is checked.
    pub verify: Verify,
    /// What is read from disk before decisions ask for it.
    pub prefault: Prefault,
}

/// Why a catalog could not be opened. Names the rule, the part, the place, and what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The system refused.
    #[error("{}: {action} failed: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// `open`, `inspect`, `map` or `read`.
        action: &'static str,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file breaks a rule of the format.
    #[error(
        "not a usable catalog (rule {rule}): {part} at {offset}: expected {expected}, found {found}; {way_out}"
    )]
    Invalid {
        /// Number of the rule, 1 to 15.
        rule: u8,
        /// Header field or section.
        part: &'static str,
        /// Byte offset in the file, or row of the section.
        offset: u64,
        /// What the rule wants.
        expected: String,
        /// What is there.
        found: String,
        /// What to do.
        way_out: &'static str,
    },
    /// Another major version of the format (rule 3).
    #[error(
        "catalog format {found}, this library reads {readable}; build the catalog again with the aftercart you run"
    )]
    Version {
        /// In the file.
        found: u16,
        /// Readable here.
        readable: u16,
    },
    /// The policy in the file, or one given later, cannot be used.
    #[error(transparent)]
    Policy(#[from] crate::policy::PolicyError),
    /// No memory for a copy.
    #[error("no memory for {bytes} bytes")]
    OutOfMemory {
        /// Bytes asked for.
        bytes: u64,
    },
}

/// A validated catalog: immutable, shared by any number of threads.
#[derive(Debug)]
pub struct Catalog {
    bytes: Arc<map::Bytes>,
    wanted: Arc<read_ahead::Wanted>,
    layout: validate::Layout,
    ranker: Ranker,
}

impl Catalog {
    /// Opens a catalog file. With [`Verify::Structure`] it reads about a MB of a mapped file, else all of it. By default it
    /// starts a thread that reads a large mapped file ahead: see [`Prefault`].
    ///
    /// # Errors
    /// [`OpenError`]: the file cannot be read, or breaks a rule of the format.
    pub fn open(path: impl AsRef<Path>, options: OpenOptions) -> Result<Self, OpenError> {
        let bytes = match options.mode {
            OpenMode::Map => map::Bytes::map(path.as_ref())?,
            OpenMode::Copy => map::Bytes::copy(path.as_ref())?,
            OpenMode::CopyHuge => map::Bytes::copy_huge(path.as_ref())?,
        };
        if options.verify == Verify::Structure {
            bytes.expect_jumps();
            read_ahead::ask_for_start(&bytes);
            let (_, entries) = validate::table(bytes.as_slice())?;
            read_ahead::ask_for_opening(&bytes, &entries);
        }
        let layout = validate::validate(bytes.as_slice(), options.verify)?;
        bytes.expect_jumps();
        let (bytes, wanted) = (Arc::new(bytes), Arc::new(read_ahead::Wanted::new()));
        match options.prefault {
            Prefault::Background => read_ahead::in_background(&bytes, &wanted, &layout),
            Prefault::Whole => read_ahead::read(&bytes, 0..bytes.as_slice().len()),
            Prefault::None => {}
        }
        Ok(Self::of(bytes, wanted, layout))
    }

    fn of(bytes: Arc<map::Bytes>, wanted: Arc<read_ahead::Wanted>, layout: validate::Layout) -> Self {
        let ranker = Ranker::new(View::new(bytes.as_slice(), &layout).ranker_records);
        Self { bytes, wanted, layout, ranker }
    }

    /// Reads a whole section of a mapped file from disk, for what goes through all of it: page by page would take long.
    pub(crate) fn read_ahead(&self, kind: format::SectionKind) {
        read_ahead::read(&self.bytes, self.layout.range(kind));
    }

    /// Takes a catalog that is already in memory.
    ///
    /// # Errors
    /// [`OpenError`]: the bytes break a rule of the format.
    pub fn from_bytes(bytes: Vec<u8>, verify: Verify) -> Result<Self, OpenError> {
        let layout = validate::validate(&bytes, verify)?;
        let (bytes, wanted) = (Arc::new(map::Bytes::Owned(bytes)), Arc::new(read_ahead::Wanted::new()));
        Ok(Self::of(bytes, wanted, layout))
    }

    /// The typed view. Costs some tens of nanoseconds; allocates nothing.
    #[must_use]
    pub fn view(&self) -> View<'_> {
        let mut view = View::new(self.bytes.as_slice(), &self.layout);
        view.wanted = self.wanted.while_read();
        view.ranker = &self.ranker;
        view
    }

    /// How hard the builder found that its searches must try, and the share of the true ten nearest products that they find
    /// then; 0 where that was not measured.
    #[must_use]
    pub fn tuned(&self) -> (Effort, f64) {
        (self.view().effort, f64::from(self.layout.meta.recall_ppm.get()) / 1e6)
    }

    #[cfg(feature = "build")]
    pub(crate) fn meta(&self) -> format::MetaRecord {
        self.layout.meta
    }

    /// Hash of the content: the index generation of a decision.
    #[must_use]
    pub fn build_id(&self) -> u64 {
        self.layout.build_id
    }

    /// When it was built, Unix milliseconds.
    #[must_use]
    pub fn created_at_ms(&self) -> i64 {
        self.layout.created_at_ms
    }

    /// Bytes of the file.
    #[must_use]
    pub fn file_bytes(&self) -> usize {
        self.bytes.as_slice().len()
    }

    /// Id of each product, in the order of the rows. Reads all products of a mapped file.
    pub fn product_ids(&self) -> impl Iterator<Item = &str> + '_ {
        self.read_ahead(format::SectionKind::Products);
        self.read_ahead(format::SectionKind::Strings);
        let view = self.view();
        view.products.iter().map(move |product| view.str(product.id))
    }

    /// Name of the category vocabulary, as policies must name it.
    #[must_use]
    pub fn taxonomy(&self) -> &str {
        let view = self.view();
        view.str(view.taxonomy)
    }

    /// Path of each category and the number of products in its subtree.
    pub fn categories(&self) -> impl Iterator<Item = (&str, u32)> + '_ {
        let view = self.view();
        view.categories.iter().map(move |category| (view.str(category.path), category.products.get()))
    }

    /// Name, offset, bytes and element count of each section, as `inspect` prints them.
    pub fn sections(&self) -> impl Iterator<Item = (&'static str, u64, u64, u64)> + '_ {
        self.layout.entries.iter().map(|e| {
            let name =
                format::SectionKind::from_u32(e.kind.get()).map_or("(unknown)", format::SectionKind::name);
            (name, e.offset.get(), e.length.get(), e.count.get())
        })
    }
}
