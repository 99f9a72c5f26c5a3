//! Who the analysed rows are. The identifiers stay in memory until the site has marked them.

use std::collections::BTreeSet;
use std::fmt;

use study::policy::Mark;

/// Identifiers of the analysed patients: of the main analysis, then of each scenario.
#[derive(Clone)]
pub struct Patients(pub(super) Vec<Vec<String>>);

impl Patients {
    /// Their marks under the site's secret, which lead back to nobody without it.
    pub fn marks(&self, salt: &[u8; 32]) -> Vec<BTreeSet<Mark>> {
        self.0.iter().map(|keys| keys.iter().map(|key| Mark::new(salt, key)).collect()).collect()
    }
}

impl fmt::Debug for Patients {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Patients({} sets, redacted)", self.0.len())
    }
}
