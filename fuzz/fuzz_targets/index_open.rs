//! Any bytes: opening them ends, and ends without a panic.
#![no_main]

use aftercart::{Catalog, Verify};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = Catalog::from_bytes(bytes.to_vec(), Verify::Structure);
    let _ = Catalog::from_bytes(bytes.to_vec(), Verify::Full);
});
