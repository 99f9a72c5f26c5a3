//! Text that is safe in a spreadsheet.

/// Text that a spreadsheet would run as a formula gets a leading apostrophe, which spreadsheets read as "this is text".
pub fn neutral(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']) { format!("'{text}") } else { text.to_owned() }
}
