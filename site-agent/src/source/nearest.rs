//! Which known name a mistyped one probably means.

/// The known name that differs only in case or outer blanks, or else the one with the smallest edit distance when that
/// is near enough to be meant (at most one edit, and one more for every four letters).
pub(super) fn nearest<'w>(word: &str, known: impl Iterator<Item = &'w str>) -> Option<&'w str> {
    let word = word.trim().to_lowercase();
    known
        .map(|k| (distance(&word, &k.trim().to_lowercase()), k))
        .filter(|(d, k)| *d <= 1 + k.len() / 4 && *d < word.len())
        .min()
        .map(|(_, k)| k)
}

/// Levenshtein's distance, one row of the table at a time.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let substituted = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(row[j] + 1).min(row[j + 1] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_and_blanks_come_before_edits() {
        let header = ["agee", " Age ", "sex"];
        assert_eq!(nearest("age", header.into_iter()), Some(" Age "));
        assert_eq!(nearest("ages", header.into_iter()), Some(" Age "));
        assert_eq!(nearest("iss_stage", header.into_iter()), None);
        assert_eq!(nearest("t", ["s"].into_iter()), None);
    }
}
