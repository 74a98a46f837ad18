//! Gives the shared library its soname; rustc sets none.

/// The ABI number. A test compares it with `aftercart_abi_version`.
const ABI: u32 = 1;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let os = std::env::var("CARGO_CFG_TARGET_OS").unwrap_or_default();
    let elf = ["linux", "android", "freebsd", "netbsd", "openbsd", "dragonfly", "illumos"];
    if elf.contains(&os.as_str()) {
        println!("cargo::rustc-cdylib-link-arg=-Wl,-soname,libaftercart.so.{ABI}");
        // Its threads and hooks would go on in memory that is gone: unloading it does nothing.
        println!("cargo::rustc-cdylib-link-arg=-Wl,-z,nodelete");
    }
}
