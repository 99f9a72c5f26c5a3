//! The person's side: a key that stays with the person, and the request for its certificate.

use std::path::Path;

use rcgen::{CertificateParams, DistinguishedName, KeyPair};
use zeroize::Zeroizing;

use super::RoleError;
use crate::authority::create_file;

/// Makes an ECDSA P-256 key in a new file (mode 0600), and the certificate request for it as PEM text. The request names
/// nobody: name and role are the operator's to give.
pub fn create_key(path: &Path) -> Result<String, RoleError> {
    let key = KeyPair::generate().map_err(|_| RoleError::MakeKey)?;
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    let request = params.serialize_request(&key).and_then(|request| request.pem()).map_err(|_| RoleError::MakeKey)?;
    create_file(path, Zeroizing::new(key.serialize_pem()).as_bytes())?;
    Ok(request)
}
