//! Calls of the C library in any order, with any bytes, on live handles: each has an answer. The driver is C, as callers are.
#![no_main]

use std::ffi::{CString, c_char};
use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;

use aftercart_ffi as _; // the functions that the driver calls

unsafe extern "C" {
    fn aftercart_sequence(catalog: *const c_char, bytes: *const u8, length: usize) -> i32;
}

/// The shop of the conformance tests with its model, in files of this process.
fn catalog() -> &'static CString {
    static CATALOG: OnceLock<CString> = OnceLock::new();
    CATALOG.get_or_init(|| {
        let name = format!("fuzz-{}.aftercart", std::process::id());
        let (path, model) = (std::env::temp_dir().join(&name), std::env::temp_dir().join(name + ".model"));
        std::fs::write(&path, include_bytes!("../../../tests/conformance/shop.aftercart"))
            .expect("room for it");
        std::fs::write(model, include_bytes!("../../../tests/conformance/model.bin")).expect("room for it");
        CString::new(path.into_os_string().into_encoded_bytes()).expect("no zero byte")
    })
}

fuzz_target!(|bytes: &[u8]| {
    // SAFETY: the driver reads `length` bytes and keeps what the header asks of a caller.
    unsafe { aftercart_sequence(catalog().as_ptr(), bytes.as_ptr(), bytes.len()) };
});
