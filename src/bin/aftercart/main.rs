//! The `aftercart` command.
fn main() {}
