//! The data dictionary: one row per patient, every column declared with its kind and range.

pub use stats::descriptive::grid::{GridError, ValueGrid};

/// One declared column of the patient table.
#[derive(Debug, Clone, PartialEq)]
pub struct Variable {
    /// Column name in the file and in eligibility expressions.
    pub name: String,
    /// What a person reads; the name where the protocol gives none.
    pub label: String,
    /// Type and range.
    pub kind: Kind,
}

/// What a column may hold. An empty field is missing for every kind.
#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    /// A decimal number with a point, inside `low..=high`.
    Continuous {
        /// Unit of measurement, for tables.
        unit: String,
        /// Smallest value accepted.
        low: f64,
        /// Largest value accepted.
        high: f64,
        /// Step of the value grid on which quartiles and rank tests are computed, where one is declared.
        resolution: Option<f64>,
        /// May values be finer than the grid? Then they count at the nearest step, and results say so.
        rounded: bool,
    },
    /// One of the declared levels, spelled exactly so; the first is the reference.
    Categorical {
        /// Values as they stand in the file.
        levels: Vec<String>,
        /// What a person reads for each level.
        labels: Vec<String>,
        /// True for `kind = "binary"`: two levels, 0 and 1 unless `codes` are declared, of which the second is the event;
        /// named in results by the variable alone.
        binary: bool,
    },
    /// Whole days since time zero, `0..=high`.
    Days {
        /// Largest number of days accepted.
        high: u32,
    },
}

impl Variable {
    /// Levels of a categorical variable; empty otherwise.
    pub fn levels(&self) -> &[String] {
        match &self.kind {
            Kind::Categorical { levels, .. } => levels,
            Kind::Continuous { .. } | Kind::Days { .. } => &[],
        }
    }

    /// Grid of the values of a continuous variable; none for other kinds, an error where range and resolution make none.
    pub fn grid(&self) -> Option<Result<ValueGrid, NoGrid>> {
        match &self.kind {
            Kind::Continuous { low, high, resolution, .. } => Some(grid(*low, *high, *resolution)),
            Kind::Categorical { .. } | Kind::Days { .. } => None,
        }
    }

    /// The step to which finer values are rounded, where the protocol allows that.
    pub fn rounded_to(&self) -> Option<f64> {
        match &self.kind {
            Kind::Continuous { resolution, rounded: true, .. } => *resolution,
            Kind::Continuous { .. } | Kind::Categorical { .. } | Kind::Days { .. } => None,
        }
    }

    /// Name of a level's term in results: the variable alone when binary, `variable:level` otherwise.
    pub fn term(&self, level: usize) -> String {
        match &self.kind {
            Kind::Categorical { levels, binary: false, .. } => format!("{}:{}", self.name, levels[level]),
            Kind::Categorical { .. } | Kind::Continuous { .. } | Kind::Days { .. } => self.name.clone(),
        }
    }
}

/// Why the values of a continuous variable have no grid, and what to write.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum NoGrid {
    /// The values of the grid are no multiples of its step.
    #[error(
        "the grid begins at {low}, the smallest value of `range`, which is no multiple of `resolution`: {low}, {next}, ...; \
         begin the range at a multiple, or write a finer `resolution`"
    )]
    Uneven {
        /// First value.
        low: f64,
        /// Second value.
        next: f64,
    },
    /// Bounds and step make none.
    #[error("{0}; see its `range` and `resolution`")]
    Bounds(GridError),
}

/// The step where none is declared. A site whose values are finer says so and refuses.
pub const WHOLE: f64 = 1.0;

fn grid(low: f64, high: f64, resolution: Option<f64>) -> Result<ValueGrid, NoGrid> {
    let grid = ValueGrid::new(low, high, resolution.unwrap_or(WHOLE)).map_err(NoGrid::Bounds)?;
    if resolution.is_none() {
        return Ok(grid);
    }
    // A grid of multiples has the value 0, or would have it if it went on.
    let steps = low / (grid.value(1) - low);
    if (steps - steps.round()).abs() > 1e-6 {
        return Err(NoGrid::Uneven { low, next: grid.value(1) });
    }
    Ok(grid)
}

/// Position of a variable in the dictionary.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct VariableId(pub usize);

/// All declared variables, in the order of the protocol.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Dictionary {
    variables: Vec<Variable>,
}

impl Dictionary {
    /// A dictionary of variables with distinct names (the protocol's parser checks that).
    pub(crate) fn new(variables: Vec<Variable>) -> Dictionary {
        Dictionary { variables }
    }

    /// All variables in order.
    pub fn variables(&self) -> &[Variable] {
        &self.variables
    }

    /// The variable of an id that this dictionary gave out.
    pub fn variable(&self, id: VariableId) -> &Variable {
        &self.variables[id.0]
    }

    /// The id of a name.
    pub fn find(&self, name: &str) -> Option<VariableId> {
        self.variables.iter().position(|v| v.name == name).map(VariableId)
    }
}
