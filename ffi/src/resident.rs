//! Handles that outlive what the host remembers: the language of some hosts (PHP) forgets all it knows between two requests,
//! while the process lives on. The library keeps their handles for them, and knows when the file was replaced.
#![allow(unsafe_code, reason = "an exported function: one `call`, whose SAFETY line is the header")]

use std::ffi::c_char;
use std::path::{Path, PathBuf};
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, ThreadId};

use engine::{Engine, Live, Model};

use crate::boundary::{Caller, call};
use crate::decider;
use crate::engine::{Failure, construct, open_options, path_of};
use crate::follow_up::{self, aftercart_programmes};
use crate::handle;
use crate::request::flags;
use crate::status::Status;
use crate::types::*;

/// What this process keeps. Found by looking through: it has a path or two, and as many threads as decide.
static RESIDENTS: Mutex<Vec<Resident>> = Mutex::new(Vec::new());

/// The handles of one thread for one path.
#[derive(Debug)]
struct Resident {
    thread: ThreadId,
    key: Key,
    files: Files,
    engine: AtomicPtr<aftercart_engine>,
    decider: AtomicPtr<aftercart_decider>,
    programmes: Vec<Kept>,
}

/// Programmes that were made ready for a resident's engine.
#[derive(Debug)]
struct Kept {
    path: PathBuf,
    file: Identity,
    handle: AtomicPtr<aftercart_programmes>,
}

/// What a host asks for by name: a catalog, and perhaps an overlay, and a model, which may be a shadow.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Key {
    path: PathBuf,
    live: Option<PathBuf>,
    model: Option<(PathBuf, bool)>,
}

/// What lies there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Files {
    catalog: Identity,
    live: Option<Identity>,
    model: Option<Identity>,
}

/// Which file lies at a path. Publishing by rename always changes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Identity([u64; 5]);

/// Gives the engine and the decider that this process keeps for a catalog file: for hosts that cannot keep a handle from one
/// request to the next (PHP). The first call of a thread opens the file; later calls ask the system whether another file
/// lies at `path`, and give the same handles while there is none. Else they open it, and give the former handles back:
/// do not use them any more.
///
/// With a `live_length`, the engine decides with the live overlay at `live`: see `aftercart_engine_with_live`. Bind it to a new
/// catalog before you publish that, or you get `AFTERCART_BAD_LIVE`.
///
/// Both handles belong to the library: neither close nor free them. They are for the calling thread. `options` count where
/// a file is opened, and may be null; threads share what is opened. At most `AFTERCART_RESIDENTS_MAX` are kept, then you
/// get `AFTERCART_OUT_OF_MEMORY`. `error` may be null.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aftercart_resident(
    path: *const c_char,
    path_length: usize,
    live: *const c_char,
    live_length: usize,
    options: *const aftercart_options,
    engine: *mut *mut aftercart_engine,
    decider: *mut *mut aftercart_decider,
    error: *mut aftercart_error,
) -> i32 {
    // SAFETY: as below, of which this is the case without a model.
    unsafe {
        aftercart_resident_model(
            path,
            path_length,
            live,
            live_length,
            ptr::null(),
            0,
            0,
            options,
            engine,
            decider,
            error,
        )
    }
}

/// Likewise, deciding with the model at `model`, where it has a `model_length`: see `aftercart_engine_with_model` for it and for
/// `shadow`. A model that was replaced is opened anew, as a catalog is.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aftercart_resident_model(
    path: *const c_char,
    path_length: usize,
    live: *const c_char,
    live_length: usize,
    model: *const c_char,
    model_length: usize,
    shadow: u32,
    options: *const aftercart_options,
    engine: *mut *mut aftercart_engine,
    decider: *mut *mut aftercart_decider,
    error: *mut aftercart_error,
) -> i32 {
    let find = |caller: &Caller| {
        caller.set(engine, ptr::null_mut())?;
        let given = |path: *const c_char, length| {
            Ok::<_, Status>(path_of(caller.bytes(path.cast(), length)?)?.to_owned())
        };
        let some = |path: PathBuf| Some(path).filter(|path| !path.as_os_str().is_empty());
        let [shadow] = flags(shadow, [1])?;
        let key = Key {
            path: given(path, path_length)?,
            live: some(given(live, live_length)?),
            model: some(given(model, model_length)?).map(|path| (path, shadow)),
        };
        let files = Files {
            catalog: Identity::of(&key.path)?,
            live: key.live.as_deref().map(Identity::of_changing).transpose()?,
            model: key.model.as_ref().map(|(path, _)| Identity::of(path)).transpose()?,
        };
        // A panic cannot leave the list half-way: entries are whole before they go in.
        let mut residents = RESIDENTS.lock().unwrap_or_else(PoisonError::into_inner);
        let thread = thread::current().id();
        let at = residents.iter().position(|kept| kept.thread == thread && kept.key == key);
        let at = match at {
            Some(at) if residents[at].files == files && residents[at].is_sound(caller) => at,
            at => {
                let fresh = Resident::new(caller, thread, key, files, options, &residents)?;
                keep(caller, &mut residents, at, fresh)?
            }
        };
        caller.set(engine, residents[at].engine.load(Ordering::Relaxed))?;
        Ok(residents[at].decider.load(Ordering::Relaxed))
    };
    // SAFETY: the contract of the header.
    unsafe { call(|caller| construct(caller, decider, error, find)) }
}

/// Gives the programmes that this process keeps for an engine of `aftercart_resident` or `aftercart_resident_model`, as it keeps the
/// engine. The first call reads the file at `path`, as `aftercart_programmes_open` does; later calls ask the system whether another
/// file lies there, and give the same handle while there is none. Else they read it, and give the former handle back: do not
/// use it any more. A file that cannot be read leaves the former handle as it is.
///
/// The handle belongs to the library: do not free it. It is for the calling thread, and ends with its engine: ask again after you
/// asked for that. At most `AFTERCART_RESIDENTS_MAX` are kept for an engine, then you get `AFTERCART_OUT_OF_MEMORY`.
/// `AFTERCART_BAD_HANDLE`: the engine is not one that is kept for this thread. `error` may be null.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aftercart_resident_programmes(
    engine: *const aftercart_engine,
    path: *const c_char,
    path_length: usize,
    programmes: *mut *mut aftercart_programmes,
    error: *mut aftercart_error,
) -> i32 {
    let find = |caller: &Caller| {
        let opened = handle::borrow(caller, engine)?;
        let path = path_of(caller.bytes(path.cast(), path_length)?)?;
        let mut residents = RESIDENTS.lock().unwrap_or_else(PoisonError::into_inner);
        let thread = thread::current().id();
        let own = |kept: &&mut Resident| {
            kept.thread == thread && ptr::eq(kept.engine.load(Ordering::Relaxed), engine)
        };
        residents.iter_mut().find(own).ok_or(Status::BadHandle)?.programmes(caller, opened, path)
    };
    // SAFETY: the contract of the header.
    unsafe { call(|caller| construct(caller, programmes, error, find)) }
}

/// Puts a resident in the place of a former one, whose handles end here, or at the end of the list.
fn keep(
    caller: &Caller,
    residents: &mut Vec<Resident>,
    at: Option<usize>,
    fresh: Resident,
) -> Result<usize, Failure> {
    if let Some(at) = at {
        std::mem::replace(&mut residents[at], fresh).free(caller);
        return Ok(at);
    }
    if residents.len() >= AFTERCART_RESIDENTS_MAX as usize || residents.try_reserve(1).is_err() {
        fresh.free(caller);
        return Err(Status::OutOfMemory.into());
    }
    residents.push(fresh);
    Ok(residents.len() - 1)
}

impl Resident {
    /// Opens the file, unless another thread has.
    fn new(
        caller: &Caller,
        thread: ThreadId,
        key: Key,
        files: Files,
        options: *const aftercart_options,
        residents: &[Self],
    ) -> Result<Self, Failure> {
        let same = residents.iter().find(|kept| kept.key == key && kept.files == files);
        let shared = match same {
            Some(kept) => {
                Arc::clone(handle::borrow(caller, kept.engine.load(Ordering::Relaxed).cast_const())?)
            }
            None => {
                // With another overlay or model, or without one, the catalog is the same.
                let other = |kept: &&Self| kept.key.path == key.path && kept.files.catalog == files.catalog;
                let opened = match residents.iter().find(other) {
                    Some(kept) => {
                        Arc::clone(handle::borrow(caller, kept.engine.load(Ordering::Relaxed).cast_const())?)
                    }
                    None => {
                        let (options, visit_budget) = open_options(caller, options)?;
                        crate::engine::open(&key.path, options, visit_budget)?
                    }
                };
                let opened = match &key.live {
                    Some(live) => opened.with_live(Arc::new(Live::open(live)?))?,
                    None => opened.without_live(),
                };
                Arc::new(match &key.model {
                    Some((model, shadow)) => opened.with_model(Arc::new(Model::open(model)?), *shadow),
                    None => opened.without_model(),
                })
            }
        };
        let decider = decider::create(Arc::clone(&shared))?;
        let engine = match handle::create::<aftercart_engine>(shared) {
            Ok(engine) => engine,
            Err(status) => {
                handle::destroy(caller, decider)?;
                return Err(status.into());
            }
        };
        let (engine, decider) = (engine.into(), decider.into());
        Ok(Self { thread, key, files, engine, decider, programmes: Vec::new() })
    }

    /// Reads the file, unless it has.
    fn programmes(
        &mut self,
        caller: &Caller,
        engine: &Engine,
        path: &Path,
    ) -> Result<*mut aftercart_programmes, Failure> {
        let file = Identity::of(path)?; // before it is read, so that a change in between is seen the next time
        let at = self.programmes.iter().position(|kept| kept.path == path);
        if let Some(kept) = at.map(|at| &self.programmes[at]).filter(|kept| kept.file == file) {
            return Ok(kept.handle.load(Ordering::Relaxed));
        }
        let full = self.programmes.len() >= AFTERCART_RESIDENTS_MAX as usize;
        if at.is_none() && (full || self.programmes.try_reserve(1).is_err()) {
            return Err(Status::OutOfMemory.into());
        }
        let made = handle::create::<aftercart_programmes>(follow_up::read(path, engine)?)?;
        let fresh = Kept { path: path.to_owned(), file, handle: made.into() };
        match at {
            Some(at) => std::mem::replace(&mut self.programmes[at], fresh).free(caller),
            None => self.programmes.push(fresh),
        }
        Ok(made)
    }

    /// Whether no defect has left the decider half-way.
    fn is_sound(&self, caller: &Caller) -> bool {
        let decider = handle::borrow(caller, self.decider.load(Ordering::Relaxed).cast_const());
        decider.is_ok_and(|decider| !decider.is_poisoned())
    }

    fn free(self, caller: &Caller) {
        self.programmes.into_iter().for_each(|kept| kept.free(caller));
        // Where the host freed them against the rule, there is nothing left to do.
        let _ = handle::destroy(caller, self.decider.into_inner());
        let _ = handle::destroy(caller, self.engine.into_inner());
    }
}

impl Kept {
    fn free(self, caller: &Caller) {
        let _ = handle::destroy(caller, self.handle.into_inner()); // as above
    }
}

impl Identity {
    /// Of a file that is written to all the time: what lies there, whenever it was changed.
    fn of_changing(path: &Path) -> Result<Self, Failure> {
        let Self([device, file, size, ..]) = Self::of(path)?;
        Ok(Self([device, file, size, 0, 0]))
    }

    #[cfg(unix)]
    fn of(path: &Path) -> Result<Self, Failure> {
        use std::os::unix::fs::MetadataExt;
        let file = std::fs::metadata(path).map_err(|error| Failure::system(path, &error))?;
        let changed = [file.mtime().cast_unsigned(), file.mtime_nsec().cast_unsigned()];
        Ok(Self([file.dev(), file.ino(), file.size(), changed[0], changed[1]]))
    }

    #[cfg(not(unix))]
    fn of(path: &Path) -> Result<Self, Failure> {
        let file = std::fs::metadata(path).map_err(|error| Failure::system(path, &error))?;
        let changed = file.modified().ok().and_then(|at| at.duration_since(std::time::UNIX_EPOCH).ok());
        let changed = changed.unwrap_or_default();
        Ok(Self([0, 0, file.len(), changed.as_secs(), changed.subsec_nanos().into()]))
    }
}
