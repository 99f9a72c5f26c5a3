//! The declared baseline table.

use crate::dictionary::VariableId;

/// `kind = "baseline"`: variables compared between the arms, before and after weighting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaselineAnalysis {
    /// Its name in results, such as `baseline`.
    pub name: String,
    /// Variables in the order of the table: continuous, categorical or binary, not the treatment.
    pub variables: Vec<VariableId>,
    /// Is the table made with the study's weights, too?
    pub weighted: bool,
    /// Does the Mann-Whitney test take half a pair off?
    pub continuity: bool,
    /// How categories are tested.
    pub category_test: CategoryTest,
}

/// Test of a category in two arms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CategoryTest {
    /// Pearson's chi-square.
    Pearson,
    /// The same with Yates' correction of 2 x 2 tables.
    Yates,
    /// Fisher's exact test.
    Fisher,
}
