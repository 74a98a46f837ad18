//! The functions that need no decider: versions, names, and the engine.
#![allow(unsafe_code, reason = "exported functions: each is one `call`, whose SAFETY line is the header")]

use std::ffi::{CStr, c_char};
use std::sync::Arc;

use engine::index::format::SectionKind;
use engine::{
    Engine, Item, Model, ModelError, OfferIx, OpenError, OpenMode, OpenOptions, Prefault, ProductIx,
    QuestionIx, Reason, Verify,
};
use zerocopy::FromZeros;

use crate::boundary::{Caller, Room, call, cut};
use crate::handle::{self, Opaque};
use crate::request::flags;
use crate::status::Status;
use crate::types::*;

impl Opaque for aftercart_engine {
    const TAG: u64 = u64::from_le_bytes(*b"ac-engin");
    type Inside = Arc<Engine>;
}

/// The ABI of the library that runs. Refuse to go on where it is not `AFTERCART_ABI_VERSION`.
#[unsafe(no_mangle)]
pub extern "C" fn aftercart_abi_version() -> u32 {
    AFTERCART_ABI_VERSION
}

/// Version of the library that runs, for people. Static.
#[unsafe(no_mangle)]
pub extern "C" fn aftercart_version() -> *const c_char {
    const VERSION: &CStr =
        match CStr::from_bytes_with_nul(concat!(env!("CARGO_PKG_VERSION"), "\0").as_bytes()) {
            Ok(version) => version,
            Err(_) => panic!("a version has no zero byte"),
        };
    VERSION.as_ptr()
}

/// Name of a status without its prefix, for logs. `"?"` for a number that is none. Static.
#[unsafe(no_mangle)]
pub extern "C" fn aftercart_status_name(status: i32) -> *const c_char {
    Status::ALL.iter().find(|known| known.code() == status).map_or(c"?", |known| known.name()).as_ptr()
}

/// What a reason says, in one English line. `"?"` for a number that is none. Static.
#[unsafe(no_mangle)]
pub extern "C" fn aftercart_reason_text(reason: u32) -> *const c_char {
    let at = Reason::ALL.iter().position(|known| u32::from(known.code()) == reason);
    let text = at.and_then(|at| REASON_TEXTS.get(at)).and_then(|text| CStr::from_bytes_until_nul(text).ok());
    text.unwrap_or(c"?").as_ptr()
}

/// Opens a catalog file, with the policy that was built into it.
///
/// `path` has `path_length` bytes and needs no zero byte. `options` may be null. `*engine` is a new handle, or null where
/// the function fails. `error` may be null.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aftercart_engine_open(
    path: *const c_char,
    path_length: usize,
    options: *const aftercart_options,
    engine: *mut *mut aftercart_engine,
    error: *mut aftercart_error,
) -> i32 {
    let open = |caller: &Caller| {
        let path = caller.bytes(path.cast(), path_length)?;
        let (options, visit_budget) = open_options(caller, options)?;
        Ok(handle::create::<aftercart_engine>(self::open(path_of(path)?, options, visit_budget)?)?)
    };
    // SAFETY: the contract of the header.
    unsafe { call(|caller| construct(caller, engine, error, open)) }
}

/// Makes an engine that decides with a model, a file that the command `aftercart learn` made: by how likely it says that offers
/// are accepted. The engine that was given stays as it is; both share the catalog.
///
/// `path` has `path_length` bytes and needs no zero byte. With `shadow` = 1 the model decides nothing, and what it would have said
/// is recorded; else 0. `*with_model` is a new handle, or null where the function fails. `error` may be null. The file is read into
/// memory, and each product is looked up once.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aftercart_engine_with_model(
    engine: *const aftercart_engine,
    path: *const c_char,
    path_length: usize,
    shadow: u32,
    with_model: *mut *mut aftercart_engine,
    error: *mut aftercart_error,
) -> i32 {
    let make = |caller: &Caller| {
        let engine = handle::borrow(caller, engine)?;
        let [shadow] = flags(shadow, [1])?;
        let model = Model::open(path_of(caller.bytes(path.cast(), path_length)?)?)?;
        Ok(handle::create::<aftercart_engine>(Arc::new(engine.with_model(Arc::new(model), shadow)))?)
    };
    // SAFETY: the contract of the header.
    unsafe { call(|caller| construct(caller, with_model, error, make)) }
}

/// Gives an engine back. Its deciders keep what they need of it, so the order does not matter. Null is allowed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aftercart_engine_close(engine: *mut aftercart_engine) -> i32 {
    // SAFETY: the contract of the header.
    unsafe {
        call(|caller| {
            if !engine.is_null() {
                handle::destroy(caller, engine)?;
            }
            Ok(Status::Ok)
        })
    }
}

/// Says what an engine is. Set `info->struct_size` before.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aftercart_engine_info(
    engine: *const aftercart_engine,
    info: *mut aftercart_info,
) -> i32 {
    // SAFETY: the contract of the header.
    unsafe {
        call(|caller| {
            let engine = handle::borrow(caller, engine)?;
            caller.room(info)?.fill(&describe(engine));
            Ok(Status::Ok)
        })
    }
}

/// Writes a text of a product, offer, question or answer, ended by a zero byte, into `buffer`, which has `capacity` bytes.
///
/// `item_kind` and `item_row` come from an offer or question of a decider of this engine; `text` is `AFTERCART_TEXT_...`. `*length`,
/// where not null, is the number of bytes without the zero byte, even where not all of them fitted (`AFTERCART_TRUNCATED`).
/// A row that is not there has empty texts.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aftercart_item_text(
    engine: *const aftercart_engine,
    item_kind: u32,
    item_row: u32,
    text: u32,
    buffer: *mut c_char,
    capacity: usize,
    length: *mut usize,
) -> i32 {
    // SAFETY: the contract of the header.
    unsafe {
        call(|caller| {
            let engine = handle::borrow(caller, engine)?;
            let text = text_of(engine, item_kind, item_row, text)?;
            if !length.is_null() {
                caller.set(length, text.len())?;
            }
            let whole = caller.set_text(buffer.cast(), capacity, text)?;
            Ok(if whole { Status::Ok } else { Status::Truncated })
        })
    }
}

fn text_of(engine: &Engine, item_kind: u32, item_row: u32, text: u32) -> Result<&str, Status> {
    let item = match item_kind {
        AFTERCART_ITEM_PRODUCT => Item::Product(ProductIx(item_row)),
        AFTERCART_ITEM_OFFER => Item::Offer(OfferIx(item_row)),
        AFTERCART_ITEM_QUESTION | AFTERCART_ITEM_ANSWER => {
            let (id, title) = asked_of(engine, item_kind, item_row).unwrap_or_default();
            return match text {
                AFTERCART_TEXT_ID => Ok(id),
                AFTERCART_TEXT_TITLE => Ok(title),
                AFTERCART_TEXT_CATEGORY | AFTERCART_TEXT_PARTNER => Ok(""),
                _ => Err(Status::BadValue),
            };
        }
        _ => return Err(Status::BadValue),
    };
    match text {
        AFTERCART_TEXT_ID => Ok(engine.id(item)),
        AFTERCART_TEXT_TITLE => Ok(engine.title(item)),
        AFTERCART_TEXT_CATEGORY => Ok(engine.category(item)),
        AFTERCART_TEXT_PARTNER => Ok(engine.partner(item)),
        _ => Err(Status::BadValue),
    }
}

/// Id and words of a question; tag and words of an answer, whose row has the question's in its upper bits.
fn asked_of(engine: &Engine, item_kind: u32, item_row: u32) -> Option<(&str, &str)> {
    if item_kind == AFTERCART_ITEM_QUESTION {
        return engine.question(QuestionIx(u8::try_from(item_row).ok()?));
    }
    let question = QuestionIx(u8::try_from(item_row >> ANSWER_BITS).ok()?);
    let answer = (item_row & ((1 << ANSWER_BITS) - 1)) as usize;
    engine.question_answers(question).nth(answer).map(|(text, tag)| (tag, text))
}

/// Bits of an answer's row that number it within its question.
pub(crate) const ANSWER_BITS: u32 = 8;

/// Opens a catalog file. A visit budget of 0 is that of the file.
pub(crate) fn open(
    path: &std::path::Path,
    options: OpenOptions,
    visit_budget: u32,
) -> Result<Arc<Engine>, OpenError> {
    let opened = Engine::open(path, options)?;
    Ok(Arc::new(if visit_budget > 0 { opened.with_visit_budget(visit_budget) } else { opened }))
}

/// Why a function of the control plane failed, in words.
#[derive(Debug)]
pub(crate) struct Failure {
    status: Status,
    os_error: i32,
    rule: u8,
    offset: u64,
    part: &'static str,
    message: String,
}

impl From<Status> for Failure {
    fn from(status: Status) -> Self {
        Self { status, os_error: 0, rule: 0, offset: 0, part: "", message: status.text().to_owned() }
    }
}

impl From<OpenError> for Failure {
    fn from(error: OpenError) -> Self {
        let status = match &error {
            OpenError::Io { .. } => Status::SystemError,
            OpenError::Invalid { .. } => Status::BadCatalog,
            OpenError::Version { .. } => Status::CatalogVersion,
            OpenError::Policy(_) => Status::BadPolicy,
            OpenError::OutOfMemory { .. } => Status::OutOfMemory,
            _ => Status::Internal,
        };
        let mut failure = Self { message: error.to_string(), ..Self::from(status) };
        match &error {
            OpenError::Io { source, .. } => failure.os_error = source.raw_os_error().unwrap_or(0),
            OpenError::Invalid { rule, part, offset, .. } => {
                (failure.rule, failure.part, failure.offset) = (*rule, part, *offset);
            }
            _ => {}
        }
        failure
    }
}

impl From<ModelError> for Failure {
    fn from(error: ModelError) -> Self {
        let (status, os_error) = match &error {
            ModelError::Io { source, .. } => (Status::SystemError, source.raw_os_error().unwrap_or(0)),
            _ => (Status::BadModel, 0),
        };
        Self::new(status, os_error, error.to_string())
    }
}

impl Failure {
    pub(crate) fn new(status: Status, os_error: i32, message: String) -> Self {
        Self { os_error, message, ..Self::from(status) }
    }

    /// The system refused to tell about a file.
    pub(crate) fn system(path: &std::path::Path, error: &std::io::Error) -> Self {
        Self {
            os_error: error.raw_os_error().unwrap_or(0),
            message: format!("{}: {error}", path.display()),
            ..Self::from(match error.kind() {
                std::io::ErrorKind::OutOfMemory => Status::OutOfMemory,
                _ => Status::SystemError,
            })
        }
    }

    fn report(&self, room: &Room<'_, aftercart_error>) {
        let mut report = aftercart_error::new_zeroed();
        report.status = self.status.code();
        report.os_error = self.os_error;
        report.rule = self.rule.into();
        report.offset = self.offset;
        report.part = chars(self.part, 32);
        // A shorter struct of the caller ends within the message, which still ends with a zero byte.
        let space = room.size().saturating_sub(std::mem::offset_of!(aftercart_error, message));
        report.message = chars(&self.message, space);
        room.fill(&report);
    }
}

/// Makes an object for C: null first, then the handle, or else the error.
pub(crate) fn construct<O: Opaque>(
    caller: &Caller,
    out: *mut *mut O,
    error: *mut aftercart_error,
    make: impl FnOnce(&Caller) -> Result<*mut O, Failure>,
) -> Result<Status, Status> {
    let error = caller.room_optional(error)?;
    let made = caller.set(out, std::ptr::null_mut()).map_err(Failure::from).and_then(|()| make(caller));
    match made {
        Ok(object) => caller.set(out, object).and(Ok(Status::Ok)),
        Err(failure) => {
            if let Some(room) = error {
                failure.report(&room);
            }
            Err(failure.status)
        }
    }
}

/// Runs work of the control plane that makes no object, and reports its failure.
pub(crate) fn reported(
    caller: &Caller,
    error: *mut aftercart_error,
    work: impl FnOnce(&Caller) -> Result<(), Failure>,
) -> Result<Status, Status> {
    let error = caller.room_optional(error)?;
    work(caller).map(|()| Status::Ok).map_err(|failure| {
        if let Some(room) = error {
            failure.report(&room);
        }
        failure.status
    })
}

pub(crate) fn open_options(
    caller: &Caller,
    options: *const aftercart_options,
) -> Result<(OpenOptions, u32), Status> {
    let Some(given) = caller.read_optional(options)? else {
        return Ok((OpenOptions::default(), 0));
    };
    let mode = match given.mode {
        AFTERCART_OPEN_MAP => OpenMode::Map,
        AFTERCART_OPEN_COPY => OpenMode::Copy,
        _ => return Err(Status::BadValue),
    };
    let verify = match given.verify {
        AFTERCART_VERIFY_FULL => Verify::Full,
        AFTERCART_VERIFY_STRUCTURE => Verify::Structure,
        _ => return Err(Status::BadValue),
    };
    let prefault = match given.prefault {
        AFTERCART_PREFAULT_BACKGROUND => Prefault::Background,
        AFTERCART_PREFAULT_WHOLE => Prefault::Whole,
        AFTERCART_PREFAULT_NONE => Prefault::None,
        _ => return Err(Status::BadValue),
    };
    Ok((OpenOptions { mode, verify, prefault }, u32::try_from(given.visit_budget).unwrap_or(u32::MAX)))
}

#[cfg(unix)]
pub(crate) fn path_of(bytes: &[u8]) -> Result<&std::path::Path, Status> {
    use std::os::unix::ffi::OsStrExt;
    Ok(std::path::Path::new(std::ffi::OsStr::from_bytes(bytes)))
}

#[cfg(not(unix))]
pub(crate) fn path_of(bytes: &[u8]) -> Result<&std::path::Path, Status> {
    std::str::from_utf8(bytes).map(std::path::Path::new).map_err(|_| Status::BadUtf8)
}

fn describe(engine: &Engine) -> aftercart_info {
    let catalog = engine.catalog();
    let name = SectionKind::Offers.name();
    let offers = catalog.sections().find(|section| section.0 == name).map_or(0, |section| section.3);
    let generations = engine.generations();
    let mut info = aftercart_info::new_zeroed();
    info.products = catalog.view().product_count();
    info.offers = u32::try_from(offers).unwrap_or(u32::MAX);
    info.currency = chars(engine.currency().as_str(), 4);
    info.index_generation = generations.index;
    info.policy_generation = generations.policy;
    info.created_at_ms = catalog.created_at_ms();
    info.file_bytes = catalog.file_bytes() as u64;
    info.kernel = chars(engine.kernel_name(), 16);
    info
}

/// Text as a C array that ends with a zero byte within the first `space` bytes.
pub(crate) fn chars<const N: usize>(text: &str, space: usize) -> [c_char; N] {
    let text = cut(text, space.min(N).saturating_sub(1));
    let mut array = [0; N];
    for (to, from) in array.iter_mut().zip(text.as_bytes()) {
        *to = *from as c_char;
    }
    array
}

/// Bytes for the longest reason.
const REASON_BYTES: usize = 80;

/// The engine's texts, each ended by a zero byte, in the order of [`Reason::ALL`].
static REASON_TEXTS: [[u8; REASON_BYTES]; Reason::ALL.len()] = reason_texts();

const fn reason_texts() -> [[u8; REASON_BYTES]; Reason::ALL.len()] {
    let mut texts = [[0; REASON_BYTES]; Reason::ALL.len()];
    let mut at = 0;
    while at < texts.len() {
        let text = Reason::ALL[at].text().as_bytes();
        assert!(text.len() < REASON_BYTES);
        let mut byte = 0;
        while byte < text.len() {
            texts[at][byte] = text[byte];
            byte += 1;
        }
        at += 1;
    }
    texts
}
