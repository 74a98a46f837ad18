//! The C library of aftercart.
