//! Compiles the driver of `ffi_sequence`.

fn main() {
    println!("cargo::rerun-if-changed=../../ffi/tests/c/sequence.c");
    cc::Build::new().file("../../ffi/tests/c/sequence.c").include("../../include").compile("sequence");
}
