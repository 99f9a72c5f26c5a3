//! The coordinator's own identity and its built-in certificate authority, for studies that bring none.
//!
//! `STATE/authority/` holds the authority's key and certificate, the listener's key and certificate, and the Ed25519
//! key with which the coordinator signs every request and result. It is written once, whole or not at all.

mod certificate;
mod state;

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use getrandom::SysRng;
use getrandom::rand_core::UnwrapErr;
use jiff::Timestamp;
use rcgen::{DistinguishedName, Issuer, KeyPair, PublicKeyData};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use secagg::{Canonical, Digest, HexError, PublicIdentity, SigningIdentity};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::store::Store;
pub use state::StateError;
pub(crate) use state::{create_directory, create_file, list_toml, read_private, read_text, replace_file, take_turn};

/// Who has to act on an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Blame {
    /// The person who runs this program: an argument, a file, a permission.
    Operator,
    /// The other party sent something that is not acceptable.
    Peer,
    /// This program.
    Bug,
}

/// Why an authority could not be made, read or used.
#[derive(Debug, thiserror::Error)]
pub enum AuthorityError {
    /// The state directory already holds one.
    #[error("the state directory already holds an authority")]
    Exists,
    /// The state directory holds none.
    #[error("the state directory holds no authority")]
    Missing,
    /// A host is neither a DNS name nor an address.
    #[error("not a host name or address: {0}")]
    Host(String),
    /// No host was given.
    #[error("no host name given")]
    NoHost,
    /// The coordinator's name is empty, longer than 64 bytes, or has control characters.
    #[error("the coordinator's name is not 1 to 64 printable characters")]
    Name,
    /// A file cannot be read or written.
    #[error(transparent)]
    State(#[from] StateError),
    /// A file is there and does not hold what it should.
    #[error("{0} is damaged")]
    Damaged(&'static str),
    /// A certificate could not be made.
    #[error("cannot make a certificate")]
    Certificate(#[from] rcgen::Error),
}

impl AuthorityError {
    /// Stable name of the error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Exists => "authority_exists",
            Self::Missing => "authority_missing",
            Self::Host(_) => "authority_host",
            Self::NoHost => "authority_no_host",
            Self::Name => "authority_name",
            Self::State(_) => "authority_state",
            Self::Damaged(_) => "authority_damaged",
            Self::Certificate(_) => "authority_certificate",
        }
    }

    /// Who has to act.
    pub fn blame(&self) -> Blame {
        match self {
            Self::Certificate(_) => Blame::Bug,
            _ => Blame::Operator,
        }
    }

    /// What to do next.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Exists => "use another state directory; replacing an authority means enrolling every site again",
            Self::Missing => "create the authority first, or name the right state directory",
            Self::Host(_) | Self::NoHost => "give the names or addresses by which the sites reach this coordinator",
            Self::Name => "give a short name that the sites will recognise",
            Self::State(StateError::Exposed { .. }) => "set the file's mode to 600",
            Self::State(_) => "check the state directory's owner, permissions and free space",
            Self::Damaged(_) => "restore the state directory from a backup",
            Self::Certificate(_) => "report this as a bug",
        }
    }
}

/// What the coordinator's operator tells each site by another channel (telephone, paper): it covers the certificate
/// authority and the coordinator's signing key, so that a package altered on its way is refused.
///
/// SHA-256 of `"entente/v1/coordinator-fingerprint" | certificate (DER, length first) | signing key`. Text form: 16
/// groups of four hexadecimal digits joined by `-`; read with any grouping and in either case.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Fingerprint(pub Digest);

impl Fingerprint {
    /// The fingerprint of an authority's certificate and a signing key.
    pub fn of(certificate: &CertificateDer<'_>, identity: &PublicIdentity) -> Self {
        let encoding = Canonical::new("entente/v1/coordinator-fingerprint").bytes(certificate).array(&identity.0);
        Self(encoding.digest())
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, pair) in self.0.0.chunks(2).enumerate() {
            let dash = if i == 0 { "" } else { "-" };
            write!(f, "{dash}{:02x}{:02x}", pair[0], pair[1])?;
        }
        Ok(())
    }
}

impl FromStr for Fingerprint {
    type Err = HexError;

    fn from_str(text: &str) -> Result<Self, HexError> {
        let digits: String = text
            .chars()
            .filter(|c| !c.is_whitespace() && !matches!(c, '-' | ':'))
            .map(|c| c.to_ascii_lowercase())
            .collect();
        digits.parse().map(Self)
    }
}

/// The built-in authority of one coordinator, with its private keys.
pub struct Authority {
    state: PathBuf,
    name: String,
    hosts: Vec<String>,
    certificate: CertificateDer<'static>,
    certificate_pem: String,
    key: KeyPair,
    identity: SigningIdentity,
}

impl Authority {
    /// Makes all keys and certificates and writes them below `state_dir`. `hosts` are the DNS names or addresses by
    /// which sites reach the listener.
    pub fn create(state_dir: &Path, name: &str, hosts: &[String], now: Timestamp) -> Result<Self, AuthorityError> {
        check_name(name)?;
        check_hosts(hosts)?;
        let directory = directory(state_dir);
        if directory.exists() {
            return Err(AuthorityError::Exists);
        }
        let key = KeyPair::generate()?;
        let certificate = certificate::authority(name, &key, now)?;
        let identity = SigningIdentity::generate(&mut UnwrapErr(SysRng));
        let settings = Settings { name: name.to_owned(), hosts: hosts.to_vec() };

        create_directory(state_dir)?;
        state::close_directory(state_dir)?;
        let partial = state_dir.join("authority.partial");
        state::remove_leftover(&partial)?;
        create_directory(&partial)?;
        let write = |file, bytes: &[u8]| create_file(&partial.join(file), bytes);
        write(KEY, Zeroizing::new(key.serialize_pem()).as_bytes())?;
        write(CERTIFICATE, certificate.pem().as_bytes())?;
        write(IDENTITY, &*identity.to_bytes())?;
        let settings_text = toml::to_string(&settings).map_err(|_| AuthorityError::Damaged(SETTINGS))?;
        write(SETTINGS, settings_text.as_bytes())?;
        let authority = Self {
            state: state_dir.to_owned(),
            name: settings.name,
            hosts: settings.hosts,
            certificate_pem: certificate.pem(),
            certificate: certificate.into(),
            key,
            identity,
        };
        authority.write_server_certificate(&partial, now)?;
        Store::create(state_dir).map_err(|_| state::refused("create", &state_dir.join("coordinator.sqlite")))?;
        state::rename(&partial, &directory)?;
        Ok(authority)
    }

    /// Reads what [`create`](Self::create) wrote.
    pub fn load(state_dir: &Path) -> Result<Self, AuthorityError> {
        let directory = directory(state_dir);
        if !directory.exists() {
            return Err(AuthorityError::Missing);
        }
        let settings: Settings =
            toml::from_str(&read_text(&directory.join(SETTINGS))?).map_err(|_| AuthorityError::Damaged(SETTINGS))?;
        let certificate_pem = read_text(&directory.join(CERTIFICATE))?;
        let certificate = CertificateDer::from_pem_slice(certificate_pem.as_bytes())
            .map_err(|_| AuthorityError::Damaged(CERTIFICATE))?;
        let key = read_private(&directory.join(KEY))?;
        let key = str::from_utf8(&key)
            .ok()
            .and_then(|pem| KeyPair::from_pem(pem).ok())
            .ok_or(AuthorityError::Damaged(KEY))?;
        let identity = load_signing_identity(state_dir)?;
        let own = x509_parser::parse_x509_certificate(&certificate)
            .is_ok_and(|(_, c)| c.public_key().raw == key.subject_public_key_info());
        if !own {
            return Err(AuthorityError::Damaged(CERTIFICATE));
        }
        Ok(Self {
            state: state_dir.to_owned(),
            name: settings.name,
            hosts: settings.hosts,
            certificate,
            certificate_pem,
            key,
            identity,
        })
    }

    /// What sites compare before they accept a package.
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(&self.certificate, &self.identity.public())
    }

    /// The coordinator's name, as given when the authority was made.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The names and addresses in the listener's certificate.
    pub fn hosts(&self) -> &[String] {
        &self.hosts
    }

    /// The authority's certificate (DER).
    pub fn certificate(&self) -> &CertificateDer<'static> {
        &self.certificate
    }

    /// The authority's certificate as PEM text.
    pub fn certificate_pem(&self) -> &str {
        &self.certificate_pem
    }

    /// The key with which the coordinator signs requests and results.
    pub fn identity(&self) -> &SigningIdentity {
        &self.identity
    }

    /// The state directory that holds this authority.
    pub fn state_dir(&self) -> &Path {
        &self.state
    }

    /// Makes a new key and certificate for the listener; a running acceptor takes it up without a restart.
    pub fn renew_server_certificate(&self, now: Timestamp) -> Result<(), AuthorityError> {
        self.write_server_certificate(&directory(&self.state), now)
    }

    /// A client certificate for `site` over `key`, valid for `days` days from `now`.
    pub(crate) fn certify(
        &self,
        site: &str,
        key: &impl PublicKeyData,
        now: Timestamp,
        days: u32,
    ) -> Result<rcgen::Certificate, AuthorityError> {
        let certificate = certificate::site(site, key, &self.issuer()?, now, days)?;
        Ok(certificate)
    }

    /// A client certificate under a person's subject over `key`, valid for `days` days from `now`.
    pub(crate) fn certify_person(
        &self,
        subject: &DistinguishedName,
        key: &impl PublicKeyData,
        now: Timestamp,
        days: u32,
    ) -> Result<rcgen::Certificate, AuthorityError> {
        Ok(certificate::person(subject, key, &self.issuer()?, now, days)?)
    }

    /// Key and certificate go into one file, so that a listener that reloads never sees a pair that does not match.
    fn write_server_certificate(&self, directory: &Path, now: Timestamp) -> Result<(), AuthorityError> {
        let key = KeyPair::generate()?;
        let server = certificate::server(&self.name, &self.hosts, &key, &self.issuer()?, now)?;
        let both = Zeroizing::new(format!("{}{}", server.pem(), key.serialize_pem()));
        replace_file(&directory.join(SERVER), both.as_bytes())?;
        Ok(())
    }

    fn issuer(&self) -> Result<Issuer<'_, &KeyPair>, AuthorityError> {
        Ok(Issuer::from_ca_cert_der(&self.certificate, &self.key)?)
    }
}

impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Authority({}, ..)", self.name)
    }
}

/// The coordinator's signing key alone: what a running coordinator needs, without the authority's key.
pub fn load_signing_identity(state_dir: &Path) -> Result<SigningIdentity, AuthorityError> {
    let directory = directory(state_dir);
    if !directory.exists() {
        return Err(AuthorityError::Missing);
    }
    let secret = read_private(&directory.join(IDENTITY))?;
    let secret: &[u8; 32] = secret.as_slice().try_into().map_err(|_| AuthorityError::Damaged(IDENTITY))?;
    Ok(SigningIdentity::from_bytes(secret))
}

/// Where the authority's certificate is.
pub(crate) fn certificate_path(state_dir: &Path) -> PathBuf {
    directory(state_dir).join(CERTIFICATE)
}

/// Where the listener's certificate and private key are, in one file.
pub(crate) fn server_path(state_dir: &Path) -> PathBuf {
    directory(state_dir).join(SERVER)
}

const SETTINGS: &str = "authority.toml";
const KEY: &str = "ca.key.pem";
const CERTIFICATE: &str = "ca.pem";
const SERVER: &str = "server.pem";
const IDENTITY: &str = "identity.key";

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    name: String,
    hosts: Vec<String>,
}

fn directory(state_dir: &Path) -> PathBuf {
    state_dir.join("authority")
}

fn check_name(name: &str) -> Result<(), AuthorityError> {
    let good = !name.trim().is_empty() && name.len() <= 64 && !name.chars().any(char::is_control);
    if good { Ok(()) } else { Err(AuthorityError::Name) }
}

fn check_hosts(hosts: &[String]) -> Result<(), AuthorityError> {
    if hosts.is_empty() {
        return Err(AuthorityError::NoHost);
    }
    match hosts.iter().find(|h| ServerName::try_from(h.as_str()).is_err()) {
        None => Ok(()),
        Some(host) => Err(AuthorityError::Host(host.clone())),
    }
}

#[cfg(test)]
mod tests;
