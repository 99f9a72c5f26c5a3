//! How a person stands in a certificate.

use rcgen::{DistinguishedName, DnType};
use rustls::pki_types::CertificateDer;
use x509_parser::x509::X509Name;

use super::{Person, Role};

/// Organizational unit of every person's certificate, and of no site's.
pub const UNIT: &str = "Entente person";

/// The subject of a person's certificate.
pub(super) fn of(person: &Person) -> DistinguishedName {
    let mut subject = DistinguishedName::new();
    subject.push(DnType::OrganizationalUnitName, UNIT);
    subject.push(DnType::CommonName, format!("{} ({})", person.name(), person.role()));
    subject
}

/// The person that a certificate names; `None` if it is not one that [`super::issue`] makes.
pub fn person_of(certificate: &CertificateDer<'_>) -> Option<Person> {
    let (_, certificate) = x509_parser::parse_x509_certificate(certificate).ok()?;
    let subject = certificate.subject();
    let unit = only(subject.iter_organizational_unit().map(|unit| unit.as_str().ok()))??;
    let name = only(subject.iter_common_name().map(|name| name.as_str().ok()))??;
    if unit != UNIT {
        return None;
    }
    let (name, role) = name.strip_suffix(')')?.rsplit_once(" (")?;
    Person::new(name, role.parse::<Role>().ok()?).ok()
}

/// Whether a subject claims to be a person's, well formed or not.
pub(crate) fn is_of_a_person(subject: &X509Name<'_>) -> bool {
    subject.iter_organizational_unit().any(|unit| unit.as_str().is_ok_and(|unit| unit.eq_ignore_ascii_case(UNIT)))
}

/// The one element of an iterator that has one.
fn only<T>(mut elements: impl Iterator<Item = T>) -> Option<T> {
    let first = elements.next()?;
    elements.next().is_none().then_some(first)
}
