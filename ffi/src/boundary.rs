//! Where C ends: the one place that believes a pointer from outside, and where a panic is caught.
//!
//! An exported function says once that its caller keeps the contract of the header ([`call`]) and gets a [`Caller`].
//! Its methods check what can be checked (null, alignment, sizes, overflow) and copy: no reference to a C struct is ever made.
#![allow(unsafe_code)]

use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;

use zerocopy::{FromBytes, Immutable, IntoBytes};

use crate::status::Status;

/// A struct that crosses: any bytes are a valid value, and none is padding.
pub(crate) trait Plain: FromBytes + IntoBytes + Immutable + Copy {}

impl<T: FromBytes + IntoBytes + Immutable + Copy> Plain for T {}

/// Alignment of pointers to structs, and of element sizes.
const ALIGNMENT: usize = 8;
/// Largest struct that is read: what is beyond is a size that nobody set.
const SIZE_MAX: usize = 4096;

/// Runs the body of an exported function. A panic becomes [`Status::Internal`] and stays silent.
///
/// # Safety
/// For as long as `work` runs: every pointer that is given to the [`Caller`] is what the header asks for, as far as the
/// `Caller` cannot see for itself. It points to memory of at least the stated size that no other thread changes,
/// and handles came from this library.
pub(crate) unsafe fn call(work: impl FnOnce(&Caller) -> Result<Status, Status>) -> i32 {
    static QUIET: Once = Once::new();
    // A guest does not write to its host's standard error. This library has its own copy of std, so its own hook.
    QUIET.call_once(|| std::panic::set_hook(Box::new(|_| {})));
    match catch_unwind(AssertUnwindSafe(|| work(&Caller { contract: PhantomData }))) {
        Ok(Ok(status) | Err(status)) => status.code(),
        Err(payload) => {
            // Dropping what was thrown could throw again.
            if let Err(again) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
                std::mem::forget(again);
            }
            Status::Internal.code()
        }
    }
}

/// Proof that a C caller is bound by the header. Lives as long as the call, and so does all that is read through it.
#[derive(Debug)]
pub(crate) struct Caller {
    contract: PhantomData<*const ()>,
}

impl Caller {
    /// Bytes of the caller. The pointer does not matter where the length is 0.
    pub(crate) fn bytes(&self, pointer: *const u8, length: usize) -> Result<&[u8], Status> {
        if length == 0 {
            return Ok(&[]);
        }
        check_range(pointer, length)?;
        // SAFETY: not null, does not wrap, at most `isize::MAX` bytes; `call` vouches that they are there, and unchanged
        // while `self` lives.
        Ok(unsafe { std::slice::from_raw_parts(pointer, length) })
    }

    /// A struct that starts with its own size.
    pub(crate) fn read<T: Plain>(&self, pointer: *const T) -> Result<T, Status> {
        let size = self.struct_size(pointer.cast())?;
        grow(self.bytes(pointer.cast(), size)?)
    }

    /// A struct that may be absent.
    pub(crate) fn read_optional<T: Plain>(&self, pointer: *const T) -> Result<Option<T>, Status> {
        if pointer.is_null() { Ok(None) } else { self.read(pointer).map(Some) }
    }

    /// An array of structs. Pointer and size do not matter where the count is 0.
    pub(crate) fn read_array<T: Plain>(
        &self,
        pointer: *const T,
        size: usize,
        count: usize,
    ) -> Result<Array<'_, T>, Status> {
        let length = array_length(pointer.cast(), size, count)?;
        Ok(Array { bytes: self.bytes(pointer.cast(), length)?, size: size.max(1), element: PhantomData })
    }

    /// Room for a struct that starts with its own size, already set.
    pub(crate) fn room<T: Plain>(&self, pointer: *mut T) -> Result<Room<'_, T>, Status> {
        let size = self.struct_size(pointer.cast_const().cast())?;
        Ok(Room { pointer: pointer.cast(), size, contents: PhantomData })
    }

    /// Room that may be absent.
    pub(crate) fn room_optional<T: Plain>(&self, pointer: *mut T) -> Result<Option<Room<'_, T>>, Status> {
        if pointer.is_null() { Ok(None) } else { self.room(pointer).map(Some) }
    }

    /// Room for an array of structs. Pointer and size do not matter where the capacity is 0.
    pub(crate) fn room_array<T: Plain>(
        &self,
        pointer: *mut T,
        size: usize,
        capacity: usize,
    ) -> Result<RoomArray<'_, T>, Status> {
        array_length(pointer.cast_const().cast(), size, capacity)?;
        Ok(RoomArray { pointer: pointer.cast(), size, capacity, contents: PhantomData })
    }

    /// Writes one number or handle.
    pub(crate) fn set<T: Copy>(&self, pointer: *mut T, value: T) -> Result<(), Status> {
        check_range(pointer.cast_const().cast(), size_of::<T>())?;
        if !pointer.is_aligned() {
            return Err(Status::Misaligned);
        }
        // SAFETY: not null, aligned; `call` vouches that the caller's variable is there.
        unsafe { pointer.write(value) };
        Ok(())
    }

    /// Writes text and a zero byte, cut at `capacity` bytes. Whether all of it fitted.
    pub(crate) fn set_text(&self, pointer: *mut u8, capacity: usize, text: &str) -> Result<bool, Status> {
        let Some(most) = capacity.checked_sub(1) else {
            return Ok(false);
        };
        check_range(pointer, capacity)?;
        let cut = cut(text, most).len();
        // SAFETY: not null; `call` vouches for `capacity` bytes, and `cut < capacity`. The text is this library's own memory,
        // so it does not overlap the caller's.
        unsafe {
            pointer.copy_from_nonoverlapping(text.as_ptr(), cut);
            pointer.add(cut).write(0);
        }
        Ok(cut == text.len())
    }

    /// The size that a struct states, in its first four bytes.
    fn struct_size(&self, pointer: *const u8) -> Result<usize, Status> {
        check_range(pointer, size_of::<u32>())?;
        if !pointer.addr().is_multiple_of(ALIGNMENT) {
            return Err(Status::Misaligned);
        }
        let stated = u32::read_from_bytes(self.bytes(pointer, size_of::<u32>())?);
        let size = stated.map_err(|_| Status::Internal)? as usize;
        if (ALIGNMENT..=SIZE_MAX).contains(&size) { Ok(size) } else { Err(Status::BadSize) }
    }
}

/// An array of the caller.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Array<'c, T> {
    bytes: &'c [u8],
    size: usize,
    element: PhantomData<T>,
}

impl<T: Plain> Array<'_, T> {
    /// Elements.
    pub(crate) fn len(&self) -> usize {
        self.bytes.len() / self.size
    }

    /// The elements, in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Result<T, Status>> + '_ {
        self.bytes.chunks_exact(self.size).map(grow)
    }
}

/// Room of the caller for a struct.
#[derive(Debug)]
pub(crate) struct Room<'c, T> {
    pointer: *mut u8,
    size: usize,
    contents: PhantomData<(&'c Caller, T)>,
}

impl<T: Plain> Room<'_, T> {
    /// Bytes that the caller has.
    pub(crate) fn size(&self) -> usize {
        self.size
    }

    /// Fills in everything but the stated size.
    pub(crate) fn fill(&self, value: &T) {
        self.put(value, size_of::<u32>());
    }

    /// Writes what fits from byte `from` on, and zeros where the caller knows of more.
    fn put(&self, value: &T, from: usize) {
        let bytes = value.as_bytes();
        let common = bytes.len().min(self.size);
        let own = bytes.get(from..common).unwrap_or(&[]);
        // SAFETY: `room` and `room_array` checked pointer and size, and `call` vouches for the memory;
        // `from + own.len() <= size` and `common <= size`. The value is this library's own memory.
        unsafe {
            self.pointer.add(from.min(self.size)).copy_from_nonoverlapping(own.as_ptr(), own.len());
            self.pointer.add(common).write_bytes(0, self.size - common);
        }
    }
}

/// Room of the caller for an array of structs.
#[derive(Debug)]
pub(crate) struct RoomArray<'c, T> {
    pointer: *mut u8,
    size: usize,
    capacity: usize,
    contents: PhantomData<(&'c Caller, T)>,
}

impl<T: Plain> RoomArray<'_, T> {
    /// Elements that fit.
    pub(crate) fn capacity(&self) -> usize {
        self.capacity
    }

    /// Writes an element; nothing where it does not fit.
    pub(crate) fn fill(&self, index: usize, value: &T) {
        if index < self.capacity {
            // SAFETY: `room_array` checked that `capacity * size` bytes do not wrap, and `call` vouches for them.
            let pointer = unsafe { self.pointer.add(index * self.size) };
            Room { pointer, size: self.size, contents: PhantomData }.put(value, 0);
        }
    }
}

/// The longest part of a text, from its start, that has at most `most` bytes.
pub(crate) fn cut(text: &str, most: usize) -> &str {
    (0..=most.min(text.len())).rev().find_map(|end| text.get(..end)).unwrap_or("")
}

/// Reads a struct from fewer or more bytes than it has: what is missing is zero, what is unknown must be.
fn grow<T: Plain>(bytes: &[u8]) -> Result<T, Status> {
    // Of the same size, as nearly always: the compiler knows how many bytes to copy.
    if let Ok(value) = T::read_from_bytes(bytes) {
        return Ok(value);
    }
    let mut value = T::new_zeroed();
    let own = value.as_mut_bytes();
    let common = own.len().min(bytes.len());
    let (known, unknown) = bytes.split_at(common);
    own.split_at_mut(common).0.copy_from_slice(known);
    if unknown.iter().all(|byte| *byte == 0) { Ok(value) } else { Err(Status::UnsupportedField) }
}

fn check_range(pointer: *const u8, length: usize) -> Result<(), Status> {
    if pointer.is_null() {
        return Err(Status::NullPointer);
    }
    let fits = isize::try_from(length).is_ok() && pointer.addr().checked_add(length).is_some();
    if fits { Ok(()) } else { Err(Status::BadSize) }
}

fn array_length(pointer: *const u8, size: usize, count: usize) -> Result<usize, Status> {
    if count == 0 {
        return Ok(0);
    }
    if size == 0 || size > SIZE_MAX {
        return Err(Status::BadSize);
    }
    let length = size.checked_mul(count).ok_or(Status::BadSize)?;
    check_range(pointer, length)?;
    if !size.is_multiple_of(ALIGNMENT) || !pointer.addr().is_multiple_of(ALIGNMENT) {
        return Err(Status::Misaligned);
    }
    Ok(length)
}
