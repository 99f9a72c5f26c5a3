//! Which positions of a vector only the sites may open.

use std::ops::Range;

use crate::stream::{Buffer, Sign, Stream};

/// Whether `ranges` ascend, do not overlap and end within `words`. Only then is every sealed word padded once.
pub(crate) fn is_layout(ranges: &[Range<usize>], words: usize) -> bool {
    let mut end = 0;
    ranges.iter().all(|range| {
        let fits = end <= range.start && range.start <= range.end && range.end <= words;
        end = range.end;
        fits
    })
}

/// Adds the seal to the words of `ranges`, in order, or takes it off. `ranges` must be a layout of `words`.
pub(crate) fn apply(buffer: &mut Buffer, stream: &mut Stream, sign: Sign, words: &mut [u128], ranges: &[Range<usize>]) {
    for range in ranges {
        buffer.apply(stream, sign, &mut words[range.clone()]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[expect(clippy::reversed_empty_ranges, clippy::single_range_in_vec_init, reason = "layouts, good and bad")]
    fn layouts() {
        assert!(is_layout(&[], 0));
        assert!(is_layout(&[0..2, 2..2, 3..5], 5));
        assert!(!is_layout(&[0..2, 1..3], 5));
        assert!(!is_layout(&[3..4, 0..1], 5));
        assert!(!is_layout(&[4..6], 5));
        assert!(!is_layout(&[3..2], 5));
    }
}
