//! Which counts of a table to hide, so that no small one follows from those that are shown.
//!
//! A table is a list of counts with the equations that everybody knows to hold among them (rows, columns, totals). Counts
//! that are small are hidden first. Then further ones are, the smallest that still count somebody first, until no equation
//! leaves a small sum of hidden counts and no small count is the only solution of all equations together.

use std::collections::BTreeSet;

/// Counts, their groups and their equations.
#[derive(Debug, Clone, Default)]
pub(super) struct Table {
    cells: Vec<Cell>,
    equations: Vec<Vec<Part>>,
    /// Groups below this number are hidden only where others do not suffice.
    spared: usize,
}

/// A count and its sign in an equation.
type Part = (usize, i8);

#[derive(Debug, Clone)]
struct Cell {
    count: u64,
    /// Cells of one group are hidden together.
    group: usize,
    hidden: bool,
}

impl Table {
    /// Adds a count that is shown unless it is hidden; it has a number.
    pub(super) fn shown(&mut self, count: u64, group: usize) -> usize {
        self.push(count, group, false)
    }

    /// Adds a count that is not shown by itself but could follow from others.
    pub(super) fn implied(&mut self, count: u64, group: usize) -> usize {
        self.push(count, group, true)
    }

    fn push(&mut self, count: u64, group: usize, hidden: bool) -> usize {
        self.cells.push(Cell { count, group, hidden });
        self.cells.len() - 1
    }

    /// The sum of these counts, with their signs, is known.
    pub(super) fn known(&mut self, parts: Vec<Part>) {
        self.equations.push(parts);
    }

    /// Groups below this number are hidden last.
    pub(super) fn spare(&mut self, groups: usize) {
        self.spared = groups;
    }

    /// Is this count hidden?
    pub(super) fn hides(&self, cell: usize) -> bool {
        self.cells[cell].hidden
    }

    /// Hides what is below `minimum`, but for 0, and what it would follow from.
    pub(super) fn suppress(&mut self, minimum: u64) {
        let small = |count: u64| (1..minimum).contains(&count);
        for at in 0..self.cells.len() {
            if small(self.cells[at].count) {
                self.hide(self.cells[at].group);
            }
        }
        while let Some(group) = self.small_sum(small).or_else(|| self.solved(small)) {
            self.hide(group);
        }
    }

    fn hide(&mut self, group: usize) {
        self.cells.iter_mut().filter(|cell| cell.group == group).for_each(|cell| cell.hidden = true);
    }

    /// A further group to hide, for an equation whose hidden counts have a small sum.
    fn small_sum(&self, small: impl Fn(u64) -> bool) -> Option<usize> {
        self.equations.iter().find_map(|parts| {
            let hidden = || parts.iter().filter(|(cell, _)| self.cells[*cell].hidden);
            let one_sign = hidden().all(|(_, sign)| *sign > 0) || hidden().all(|(_, sign)| *sign < 0);
            let sum = hidden().map(|(cell, _)| self.cells[*cell].count).sum();
            let candidates = parts.iter().map(|(cell, _)| *cell);
            (one_sign && small(sum)).then(|| self.smallest_shown(candidates)).flatten()
        })
    }

    /// A further group to hide, where all equations together have one solution for a small count.
    fn solved(&self, small: impl Fn(u64) -> bool) -> Option<usize> {
        let mut found = self.determined().into_iter().filter(|cell| small(self.cells[*cell].count));
        found.find_map(|cell| self.smallest_shown(self.connected(cell).into_iter()))
    }

    /// Cells of the equations that a hidden cell is in, and of those of the hidden cells there, and so on.
    fn connected(&self, cell: usize) -> BTreeSet<usize> {
        let (mut reached, mut open) = (BTreeSet::from([cell]), vec![cell]);
        while let Some(next) = open.pop() {
            for parts in self.equations.iter().filter(|parts| parts.iter().any(|(cell, _)| *cell == next)) {
                for (cell, _) in parts {
                    if reached.insert(*cell) && self.cells[*cell].hidden {
                        open.push(*cell);
                    }
                }
            }
        }
        reached
    }

    /// Among cells that are shown, the group of the one that counts fewest, but somebody if there is one; spared ones last.
    fn smallest_shown(&self, cells: impl Iterator<Item = usize>) -> Option<usize> {
        let of_group =
            |group: usize| -> u64 { self.cells.iter().filter(|cell| cell.group == group).map(|cell| cell.count).sum() };
        let shown = cells.filter(|cell| !self.cells[*cell].hidden).map(|cell| self.cells[cell].group);
        shown.min_by_key(|group| (of_group(*group) == 0, *group < self.spared, of_group(*group), *group))
    }

    /// Hidden cells whose counts follow from the equations, by elimination modulo a prime far above every count.
    fn determined(&self) -> Vec<usize> {
        let hidden: Vec<usize> = (0..self.cells.len()).filter(|cell| self.cells[*cell].hidden).collect();
        let column = |cell: usize| hidden.binary_search(&cell).ok();
        let mut rows: Vec<Vec<u64>> = Vec::new();
        for parts in &self.equations {
            let mut row = vec![0; hidden.len()];
            for (cell, sign) in parts {
                if let Some(column) = column(*cell) {
                    row[column] = add(row[column], if *sign > 0 { 1 } else { PRIME - 1 });
                }
            }
            rows.push(row);
        }
        let pivots = eliminate(&mut rows, hidden.len());
        let alone = |row: &Vec<u64>| row.iter().filter(|x| **x != 0).count() == 1;
        pivots.into_iter().filter(|(row, _)| alone(&rows[*row])).map(|(_, column)| hidden[column]).collect()
    }
}

/// 2^61 - 1. Signs are 1 and -1, so that a minor of a few cells is no multiple of it.
const PRIME: u64 = (1 << 61) - 1;

fn add(a: u64, b: u64) -> u64 {
    (a + b) % PRIME
}

fn times(a: u64, b: u64) -> u64 {
    (u128::from(a) * u128::from(b) % u128::from(PRIME)) as u64
}

/// a^(p - 2), by squaring.
fn inverse(a: u64) -> u64 {
    let (mut power, mut square, mut exponent) = (1, a, PRIME - 2);
    while exponent > 0 {
        if exponent & 1 == 1 {
            power = times(power, square);
        }
        square = times(square, square);
        exponent >>= 1;
    }
    power
}

/// Brings the rows into reduced echelon form; row and column of each pivot.
fn eliminate(rows: &mut [Vec<u64>], columns: usize) -> Vec<(usize, usize)> {
    let mut pivots = Vec::new();
    for column in 0..columns {
        let next = pivots.len();
        let Some(found) = (next..rows.len()).find(|row| rows[*row][column] != 0) else { continue };
        rows.swap(next, found);
        let scale = inverse(rows[next][column]);
        let pivot: Vec<u64> = rows[next].iter().map(|x| times(*x, scale)).collect();
        for (at, row) in rows.iter_mut().enumerate() {
            let factor = row[column];
            if at == next {
                row.clone_from(&pivot);
            } else if factor != 0 {
                for (x, p) in row.iter_mut().zip(&pivot) {
                    *x = add(*x, PRIME - times(factor, *p));
                }
            }
        }
        pivots.push((next, column));
    }
    pivots
}

#[cfg(test)]
mod tests;
