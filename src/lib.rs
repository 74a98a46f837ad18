//! aftercart decides which few offers belong on a receipt page, or that none does.

pub mod vocabulary;

#[cfg(feature = "build")]
pub mod build;
