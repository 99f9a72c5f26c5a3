//! Which of its declared columns a model has.
//!
//! R drops the levels that nobody has, takes the first of the others for the reference, and leaves out (`NA`) a column that
//! the columns before it determine. So does this, and says so: what follows from the counts of the first round before a
//! model starts, what its first sums show then.

use stats::alias::Aliased;

use super::Facts;
use super::unit::FitKey;
use crate::dictionary::VariableId;
use crate::protocol::Protocol;
use crate::term::Term;

/// A declared column that a model does not have.
#[derive(Debug, Clone, PartialEq)]
pub struct LeftOut {
    /// The column.
    pub term: Term,
    /// Why.
    pub why: Reason,
    /// What it is made of, among the columns that stay; empty when it is constant.
    combination: Vec<(Term, f64)>,
}

/// Why a column is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// No analysed patient has the level.
    Empty,
    /// Its level is the reference, because nobody has the first one.
    Reference,
    /// Of a product: an arm has nobody at the level. 0 is the control arm.
    Cell(usize),
    /// All analysed patients have the same value.
    Constant,
    /// Patients that the model compares with each other have the same value.
    Uninformative,
    /// The other columns determine it.
    Dependent,
}

impl Reason {
    /// Number in a layout.
    pub fn code(self) -> u8 {
        match self {
            Reason::Empty => 0,
            Reason::Reference => 1,
            Reason::Cell(0) => 2,
            Reason::Cell(_) => 3,
            Reason::Constant => 4,
            Reason::Uninformative => 5,
            Reason::Dependent => 6,
        }
    }

    /// Of its number in a layout.
    pub fn of_code(code: u8) -> Option<Reason> {
        let all = [
            Reason::Empty,
            Reason::Reference,
            Reason::Cell(0),
            Reason::Cell(1),
            Reason::Constant,
            Reason::Uninformative,
            Reason::Dependent,
        ];
        all.get(usize::from(code)).copied()
    }
}

/// Smaller coefficients of a combination, in standard deviations, are rounding.
const ROUNDING: f64 = 1e-6;

impl LeftOut {
    fn new(facts: &Facts, term: &Term, why: Reason, combination: Vec<(Term, f64)>) -> LeftOut {
        let cell = match term {
            Term::Product(_, level) if why != Reason::Empty && why != Reason::Reference => empty_arm(facts, level),
            _ => None,
        };
        LeftOut { term: term.clone(), why: cell.map_or(why, Reason::Cell), combination }
    }

    /// Of a model that is followed from its sums: why is told, what it is made of is computed.
    pub(crate) fn told(term: Term, why: Reason, combination: Vec<(Term, f64)>) -> LeftOut {
        LeftOut { term, why, combination }
    }

    /// One line for people; none where another column's line says the same.
    pub fn text(&self, protocol: &Protocol, sites: bool) -> Option<String> {
        let named = |id: VariableId, level: usize| {
            let variable = protocol.dictionary.variable(id);
            format!("level {} of `{}`", variable.levels()[level], variable.name)
        };
        let name = self.term.name(protocol);
        Some(match (&self.term, self.why) {
            (Term::Product(..), Reason::Empty | Reason::Reference) => return None,
            (Term::Level(id, level), Reason::Reference) => {
                let reference = &protocol.dictionary.variable(*id).levels()[*level];
                format!("{}: no analysed patient; {reference} is the reference", named(*id, 0))
            }
            (Term::Level(id, level), Reason::Empty) => format!("{}: no analysed patient; left out", named(*id, *level)),
            (Term::Product(_, level), Reason::Cell(arm)) => {
                let arms = [protocol.treatment.control, protocol.treatment.treated];
                let arm = &protocol.dictionary.variable(protocol.treatment.variable).levels()[arms[arm]];
                let Term::Level(id, level) = **level else { return None };
                format!("{}: no analysed patient in the {arm} arm; `{name}` left out", named(id, level))
            }
            (_, Reason::Uninformative) if sites => {
                format!("`{name}`: the same value for all patients of each site; left out")
            }
            (_, Reason::Uninformative) => {
                format!("`{name}`: the same value for all patients whom the model compares; left out")
            }
            (_, Reason::Dependent) => {
                let others: Vec<String> = self.combination.iter().map(|(term, _)| term.name(protocol)).collect();
                format!("`{name}`: a linear combination of {}; left out", others.join(", "))
            }
            (_, Reason::Empty | Reason::Reference | Reason::Cell(_) | Reason::Constant) => {
                format!("`{name}`: the same value for every analysed patient; left out")
            }
        })
    }
}

/// The arm that has nobody at a level, if one has.
fn empty_arm(facts: &Facts, level: &Term) -> Option<usize> {
    let Term::Level(id, level) = level else { return None };
    let arms = facts.levels.get(id)?;
    arms.iter().position(|counts| counts.get(*level) == Some(&0))
}

/// The columns that a model starts with, and those that the first round's counts leave out.
pub(super) fn columns(facts: &Facts, declared: &[Term]) -> (Vec<Term>, Vec<LeftOut>) {
    let (mut terms, mut left_out) = (Vec::new(), Vec::new());
    for term in declared {
        match reason(facts, term) {
            None => terms.push(term.clone()),
            Some(why) => left_out.push(LeftOut::new(facts, term, why, Vec::new())),
        }
    }
    (terms, left_out)
}

/// Do the first round's counts leave a column out?
pub(super) fn lacks(facts: &Facts, term: &Term) -> bool {
    reason(facts, term).is_some()
}

fn reason(facts: &Facts, term: &Term) -> Option<Reason> {
    let level = match term {
        Term::Intercept | Term::Treatment => return None,
        Term::Product(_, level) => level,
        term => term,
    };
    if let Term::Level(id, level) = level {
        let counts = facts.level_counts(*id);
        if counts.get(*level) == Some(&0) {
            return Some(Reason::Empty);
        }
        if facts.reference(*id) == Some(*level) {
            return Some(Reason::Reference);
        }
    }
    (facts.scale(term) == 0.0).then_some(Reason::Constant)
}

/// What the first sums of a model with these columns leave out; `scale` holds the SD of each in its unit.
pub(super) fn aliases(facts: &Facts, terms: &[Term], scale: &[f64], aliased: &[Aliased]) -> Vec<LeftOut> {
    let unit: Vec<f64> = terms.iter().map(|term| facts.unit(term)).collect();
    let left_out = |alias: &Aliased| {
        let parts = combination(terms, scale, &unit, alias);
        let why = if parts.is_empty() { Reason::Uninformative } else { Reason::Dependent };
        LeftOut::new(facts, &terms[alias.column], why, parts)
    };
    aliased.iter().map(left_out).collect()
}

/// What a column is made of. `unit` is what each column is measured in, `scale` its SD in it.
pub(crate) fn combination(terms: &[Term], scale: &[f64], unit: &[f64], alias: &Aliased) -> Vec<(Term, f64)> {
    let Aliased { column, combination } = alias;
    let parts = combination.iter().enumerate().filter(|(j, g)| (*g * scale[*j] / scale[*column]).abs() > ROUNDING);
    // from columns in their units to columns as they are
    let raw = |j: usize, g: f64| (terms[j].clone(), g * unit[*column] / unit[j]);
    parts.filter(|(j, _)| terms[*j] != Term::Intercept).map(|(j, g)| raw(j, *g)).collect()
}

/// A level or value of an effect modifier at which the treatment's effect is wanted.
pub(crate) struct Place {
    /// Level, or value.
    pub(crate) name: String,
    product: Term,
    value: f64,
}

impl Place {
    /// Factor of a column in the effect at this place.
    pub(crate) fn factor(&self, term: &Term) -> f64 {
        match term {
            Term::Treatment => 1.0,
            other if *other == self.product => self.value,
            _ => 0.0,
        }
    }
}

impl FitKey {
    /// Places of the model's effect modifier: levels that somebody has, the reference first, or declared values; none for
    /// a model without.
    pub(crate) fn places(&self, protocol: &Protocol) -> Vec<Place> {
        let Some(modifier) = &self.modifier else { return Vec::new() };
        let place = |name: String, column: Term, value: f64| Place {
            name,
            product: Term::Product(Box::new(Term::Treatment), Box::new(column)),
            value,
        };
        let values = modifier.at.iter().map(|x| place(x.to_string(), Term::Number(modifier.variable), *x));
        let nobody = |level: usize| {
            self.left_out.iter().any(|left| match (&left.term, left.why) {
                (Term::Level(id, of), Reason::Empty) => (*id, *of) == (modifier.variable, level),
                (Term::Level(id, _), Reason::Reference) => *id == modifier.variable && level == 0,
                _ => false,
            })
        };
        let levels = protocol.dictionary.variable(modifier.variable).levels().iter().enumerate();
        let levels = levels.filter(|(level, _)| !nobody(*level));
        // The reference has no column, so its effect is the treatment's coefficient alone.
        values.chain(levels.map(|(l, name)| place(name.clone(), Term::Level(modifier.variable, l), 1.0))).collect()
    }

    /// Does a combination of the declared columns have one value, whatever is left out? What a column that is left out is
    /// made of must have the same factors as the column itself.
    pub(crate) fn estimable(&self, factor: impl Fn(&Term) -> f64) -> bool {
        self.left_out.iter().filter(|left| left.why != Reason::Reference).all(|left| {
            let own = factor(&left.term);
            let parts: Vec<f64> = left.combination.iter().map(|(term, g)| g * factor(term)).collect();
            let size = own.abs() + parts.iter().map(|part| part.abs()).sum::<f64>();
            (own - parts.iter().sum::<f64>()).abs() <= ROUNDING * size
        })
    }

    /// Has the coefficient of a column a meaning of its own? Columns without treatment are read as R gives them.
    pub(crate) fn meant(&self, term: &Term) -> bool {
        !of_treatment(term) || self.estimable(|other| f64::from(u8::from(other == term)))
    }

    /// What is left out, one line each, and where the effect modifier has no effect.
    pub fn notes(&self, protocol: &Protocol) -> Vec<String> {
        let sites = self.within_sites();
        let mut notes: Vec<String> = self.left_out.iter().filter_map(|left| left.text(protocol, sites)).collect();
        let without = self.places(protocol).into_iter().filter(|place| !self.estimable(|term| place.factor(term)));
        notes.extend(without.map(|place| format!("no effect at {}:{}", self.modifier_name(protocol), place.name)));
        notes
    }

    /// The columns that keep the treatment's effect from being told, where it cannot be told anywhere.
    pub(super) fn inseparable(&self, protocol: &Protocol) -> Option<Vec<String>> {
        self.terms.contains(&Term::Treatment).then_some(())?;
        let places = self.places(protocol);
        let told = self.meant(&Term::Treatment) || places.iter().any(|place| self.estimable(|t| place.factor(t)));
        let guilty = self.left_out.iter().filter(|left| left.combination.iter().any(|(term, _)| of_treatment(term)));
        (!told).then(|| guilty.map(|left| left.term.name(protocol)).collect())
    }
}

fn of_treatment(term: &Term) -> bool {
    matches!(term, Term::Treatment | Term::Product(..))
}
