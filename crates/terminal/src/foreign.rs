//! What a file is that was meant to be text, by its first bytes.

/// So many first bytes tell every format that is known here.
pub const HEAD: usize = 512;

/// A file that is no UTF-8 text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Foreign {
    /// Text in another encoding, by its name.
    Encoding(&'static str),
    /// Something else, with its article.
    Format(&'static str),
}

/// Formats with a signature at the start of the file.
const SIGNATURES: [(&[u8], &str); 30] = [
    (b"PAR1", "a Parquet file"),
    (b"PARE", "an encrypted Parquet file"),
    (b"PK\x03\x04", "an Excel workbook (.xlsx) or another zip archive"),
    (b"PK\x05\x06", "an empty zip archive"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an Excel workbook (.xls) or another old Office document"),
    (b"\x1f\x8b", "a gzip file (R's .rds and .RData are such files, too)"),
    (b"BZh", "a bzip2 file"),
    (b"\xfd7zXZ\0", "an xz file"),
    (b"\x28\xb5\x2f\xfd", "a zstd file"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    (b"Rar!\x1a\x07", "a RAR archive"),
    (b"%PDF-", "a PDF document"),
    (b"{\\rtf", "an RTF document"),
    (b"SQLite format 3\0", "an SQLite database"),
    (b"ARROW1", "an Arrow file (Feather)"),
    (b"FEA1", "a Feather file"),
    (b"Obj\x01", "an Avro file"),
    (b"ORC\x0a", "an ORC file"),
    (b"\x89HDF\r\n\x1a\n", "an HDF5 file"),
    (b"$FL2@(#)", "an SPSS file (.sav)"),
    (b"$FL3@(#)", "an SPSS file (.zsav)"),
    (b"<stata_dta>", "a Stata file (.dta)"),
    (b"HEADER RECORD*******LIB", "a SAS transport file (.xpt)"),
    (b"RDX2\n", "an R workspace (.RData)"),
    (b"RDX3\n", "an R workspace (.RData)"),
    (b"X\n\0\0", "an R object (.rds)"),
    (b"\x00\x01\x00\x00Standard ", "an Access database"),
    (b"-----BEGIN PGP MESSAGE", "an encrypted message"),
    (b"Salted__", "an encrypted file"),
    (b"\x80\x04\x95", "a Python pickle"),
];

/// Beginnings of marked-up text, in lower case.
const MARKUP: [&[u8]; 4] = [b"<!doctype", b"<html", b"<table", b"<?xml"];

/// What the first bytes of a file say that is no UTF-8 table; none where they say nothing.
pub fn foreign(head: &[u8]) -> Option<Foreign> {
    let signature = SIGNATURES.iter().find(|(signature, _)| head.starts_with(signature));
    if let Some((_, name)) = signature {
        return Some(Foreign::Format(name));
    }
    if head.get(12..16) == Some(b"\xc2\xea\x81\x60") && head[..12].iter().all(|b| *b == 0) {
        return Some(Foreign::Format("a SAS file (.sas7bdat)"));
    }
    if head.get(8..12) == Some(b"DUCK") {
        return Some(Foreign::Format("a DuckDB database"));
    }
    if let [0x69..=0x73, 1 | 2, 1, 0, ..] = head {
        return Some(Foreign::Format("a Stata file (.dta)"));
    }
    match head {
        [0xff, 0xfe, 0, 0, ..] | [0, 0, 0xfe, 0xff, ..] => return Some(Foreign::Encoding("UTF-32")),
        // with a mark, or as text of which every other byte is 0
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => return Some(Foreign::Encoding("UTF-16")),
        [a, 0, b, 0, ..] | [0, a, 0, b, ..] if *a > 0 && *b > 0 => return Some(Foreign::Encoding("UTF-16")),
        _ => {}
    }
    let text = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).trim_ascii_start();
    let lower = text[..text.len().min(16)].to_ascii_lowercase();
    if MARKUP.iter().any(|markup| lower.starts_with(markup)) {
        return Some(Foreign::Format("a web page or an XML file"));
    }
    let inside = |rest: &[u8]| rest.trim_ascii_start().first().copied();
    match text {
        [b'{', rest @ ..] if matches!(inside(rest), Some(b'"' | b'}')) => Some(Foreign::Format("a JSON file")),
        [b'[', rest @ ..] if inside(rest) == Some(b'{') => Some(Foreign::Format("a JSON file")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_told_by_their_first_bytes() {
        let named = |head: &[u8]| match foreign(head) {
            Some(Foreign::Format(name) | Foreign::Encoding(name)) => name,
            None => "",
        };
        for (head, name) in [
            (&b"PAR1\x15\x04"[..], "a Parquet file"),
            (b"PK\x03\x04\x14\0", "an Excel workbook (.xlsx) or another zip archive"),
            (b"\xff\xfep\0i\0", "UTF-16"),
            (b"\xfe\xff\0p\0i", "UTF-16"),
            (b"p\0i\0d\0,\0", "UTF-16"),
            (b"\xff\xfe\0\0p\0\0\0", "UTF-32"),
            (b"[ {\"pid\": 1}]", "a JSON file"),
            (b"\xef\xbb\xbf{\"pid\": 1}", "a JSON file"),
            (b"\n<!DOCTYPE html>", "a web page or an XML file"),
            (b"\0\0\0\0\0\0\0\0\0\0\0\0\xc2\xea\x81\x60\xb3\x14", "a SAS file (.sas7bdat)"),
            (b"\x72\x02\x01\x00", "a Stata file (.dta)"),
        ] {
            assert_eq!(named(head), name, "{head:?}");
        }
    }

    #[test]
    fn tables_are_left_alone() {
        for head in [
            &b"pid,arm,age\n"[..],
            b"\xef\xbb\xbf\"pid\",arm",
            b"",
            b"p",
            b"ORCHID,arm",
            b"[pid],arm",
            b"\xe9t\xe9,arm",
        ] {
            assert_eq!(foreign(head), None, "{head:?}");
        }
    }
}
