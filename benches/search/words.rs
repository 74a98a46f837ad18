//! What options are given as.

/// Words between commas; `none` is nothing.
pub(crate) fn list(text: &str) -> Vec<String> {
    text.split(',').map(str::trim).filter(|v| !v.is_empty() && *v != "none").map(str::to_owned).collect()
}

/// A number, or a sentence that it is none.
pub(crate) fn number<T: std::str::FromStr>(text: &str) -> Result<T, String> {
    text.parse().map_err(|_| format!("{text} is not a number"))
}
