//! A search for planted values in every byte of a folder, in the encodings in which a program could let them out.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

/// A needle has at least as many bytes: fewer would be found by chance.
const SHORTEST: usize = 8;

/// What must not be found, by name.
#[derive(Debug, Clone, Default)]
pub struct Canaries {
    needles: Vec<(String, Vec<u8>)>,
}

impl Canaries {
    /// A text.
    ///
    /// # Panics
    /// When it is too short to be found by anything but chance.
    pub fn text(&mut self, name: &str, text: &str) {
        self.add(name, text.as_bytes());
    }

    /// Secret bytes: as they are, as hexadecimal digits, as a list of numbers, and in Base64 at each alignment.
    ///
    /// # Panics
    /// When they are too few to be found by anything but chance.
    pub fn secret(&mut self, name: &str, bytes: &[u8]) {
        self.add(name, bytes);
        let digit = |half: u8| char::from(b"0123456789abcdef"[usize::from(half)]);
        let hex: String = bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect();
        self.text(&format!("{name}, hexadecimal"), &hex);
        self.text(&format!("{name}, capital hexadecimal"), &hex.to_uppercase());
        let list = format!("{bytes:?}");
        self.text(&format!("{name}, as a list"), list.trim_matches(['[', ']']));
        for skip in 0..3 {
            self.add(&format!("{name}, Base64"), &base64(&bytes[skip..]));
        }
    }

    /// A number: its digits, its bits, and its word of a masked vector.
    ///
    /// # Panics
    /// When it has too few digits to be found by anything but chance.
    pub fn number(&mut self, name: &str, value: f64) {
        self.text(&format!("{name}, digits"), &format!("{value}"));
        self.add(&format!("{name}, bits"), &value.to_le_bytes());
        self.add(&format!("{name}, bits, big-endian"), &value.to_be_bytes());
        self.word(name, secagg::encode(value, value.abs() + 1.0).expect("within its own bound"));
    }

    /// A word of a vector: its bytes and its digits.
    ///
    /// # Panics
    /// When it has too few digits to be found by anything but chance.
    pub fn word(&mut self, name: &str, word: i128) {
        self.add(&format!("{name}, word"), &word.to_le_bytes());
        self.add(&format!("{name}, word, big-endian"), &word.to_be_bytes());
        self.text(&format!("{name}, word, digits"), &word.to_string());
    }

    /// Number of needles.
    pub fn len(&self) -> usize {
        self.needles.len()
    }

    /// Is there nothing to look for?
    pub fn is_empty(&self) -> bool {
        self.needles.is_empty()
    }

    fn add(&mut self, name: &str, bytes: &[u8]) {
        assert!(bytes.len() >= SHORTEST, "{name} has {} bytes", bytes.len());
        self.needles.push((name.to_owned(), bytes.to_vec()));
    }

    /// Names of the needles that a text holds.
    pub fn in_bytes(&self, bytes: &[u8]) -> Vec<&str> {
        self.index().search(bytes)
    }

    /// Needles in all files below a folder, `leave_out` not looked at: path and name. Also gives how many bytes were
    /// searched.
    ///
    /// # Panics
    /// When a file cannot be read.
    pub fn in_folder(&self, folder: &Path, leave_out: &[PathBuf]) -> (Vec<(PathBuf, String)>, u64) {
        let (index, mut found, mut searched) = (self.index(), Vec::new(), 0);
        let mut folders = vec![folder.to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(&folder).expect("the folder opens") {
                let path = entry.expect("an entry").path();
                if leave_out.contains(&path) {
                    continue;
                }
                if path.is_dir() {
                    folders.push(path);
                    continue;
                }
                let bytes = fs::read(&path).expect("the file opens");
                searched += bytes.len() as u64;
                found.extend(index.search(&bytes).into_iter().map(|name| (path.clone(), name.to_owned())));
            }
        }
        (found, searched)
    }

    fn index(&self) -> Index<'_> {
        let mut index = Index { starts: vec![false; 1 << 16], needles: HashMap::new() };
        for (name, needle) in &self.needles {
            let start: [u8; SHORTEST] = needle[..SHORTEST].try_into().expect("long enough");
            index.starts[usize::from(u16::from_le_bytes([start[0], start[1]]))] = true;
            index.needles.entry(start).or_default().push((name, needle));
        }
        index
    }
}

/// Needles by their first bytes.
struct Index<'a> {
    starts: Vec<bool>,
    needles: HashMap<[u8; SHORTEST], Vec<(&'a str, &'a [u8])>>,
}

impl<'a> Index<'a> {
    fn search(&self, bytes: &[u8]) -> Vec<&'a str> {
        let mut found = Vec::new();
        for (at, start) in bytes.windows(SHORTEST).enumerate() {
            if !self.starts[usize::from(u16::from_le_bytes([start[0], start[1]]))] {
                continue;
            }
            for (name, needle) in self.needles.get(start).into_iter().flatten() {
                if bytes[at..].starts_with(needle) && !found.contains(name) {
                    found.push(*name);
                }
            }
        }
        found
    }
}

/// Base64 of whole groups of three bytes (RFC 4648): what stands in the middle of a longer text too.
fn base64(bytes: &[u8]) -> Vec<u8> {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let groups = bytes.as_chunks::<3>().0.iter().map(|[a, b, c]| u32::from_be_bytes([0, *a, *b, *c]));
    groups.flat_map(|group| [18, 12, 6, 0].map(|shift| DIGITS[(group >> shift) as usize & 63])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_encoding_of_a_planted_value_is_found() {
        let (secret, number): (Vec<u8>, f64) = ((60..92).collect(), 61.739_148_26);
        let mut canaries = Canaries::default();
        canaries.secret("key", &secret);
        canaries.number("age", number);
        canaries.text("patient", "PATIENT-7351");
        let word = (number * 2_f64.powi(64)) as i128;
        let planted: [&[u8]; 9] = [
            &secret,
            b"..3c3d3e3f404142434445464748494a4b4c4d4e4f505152535455565758595a5b..",
            b"Key([60, 61, 62, 63, 64, 65, 66, 67, 68, 69, 70, 71, 72, 73, 74, 75, 76, 77, 78, 79, 80, 81, 82, 83, 84, 85, 86, 87, 88, 89, 90, 91])",
            b"PD0+P0BBQkNERUZHSElKS0xNTk9QUVJTVFVWV1hZWls=",
            b"AAA8PT4/QEFCQ0RFRkdISUpLTE1OT1BRUlNUVVZXWFlaWw==",
            b"age = 61.73914826,",
            &number.to_le_bytes(),
            &word.to_le_bytes(),
            b"`PATIENT-7351`",
        ];
        for (i, text) in planted.into_iter().enumerate() {
            let padded = [b"xyz".as_slice(), text, b"z"].concat();
            assert!(!canaries.in_bytes(&padded).is_empty(), "text {i}");
            let dir = tempfile::tempdir().unwrap();
            fs::create_dir(dir.path().join("inner")).unwrap();
            let path = dir.path().join("inner/file");
            fs::write(&path, &padded).unwrap();
            let (found, searched) = canaries.in_folder(dir.path(), &[]);
            assert_eq!((found[0].0.clone(), searched), (path.clone(), padded.len() as u64));
            assert_eq!(canaries.in_folder(dir.path(), &[path]), (Vec::new(), 0));
        }
        assert!(canaries.in_bytes(b"PATIENT-735 61.7391482 3c3d3e3f").is_empty());
    }
}
