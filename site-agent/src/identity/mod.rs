//! A site's identity: its keys, made on this machine and never leaving it, and what the coordinator certified.
//!
//! `STATE/identity/` holds the TLS key, the Ed25519 key with which the site signs, the request that was made of both,
//! the key of the site's draws, and, once accepted, the coordinator's package. A renewal sends the same request again and accepts the new package.

mod draws;
mod error;
mod state;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use getrandom::SysRng;
use getrandom::rand_core::UnwrapErr;
use jiff::{SignedDuration, Timestamp};
use rcgen::{KeyPair, PublicKeyData};
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::{CertificateError, RootCertStore};
use secagg::SigningIdentity;
use study::roster::{Member, is_site_id};
use tracing::warn;
use zeroize::Zeroizing;

pub(crate) use draws::make_draw_key;
pub use draws::{draw_key, store_draw_key};
pub use error::{Blame, IdentityError};
pub use state::StateError;

use crate::connect::check_url;
use crate::enrol::{Coordinator, Package, PackageError, member_of_request, parse_fingerprint, request_text};

/// A certificate that ends sooner than this is reported each time the identity is loaded.
const RENEW_WITHIN: SignedDuration = SignedDuration::from_hours(30 * 24);

const KEY: &str = "tls.key.pem";
const IDENTITY: &str = "identity.key";
const REQUEST: &str = "request.toml";
const PACKAGE: &str = "package.toml";

/// A request that waits for the coordinator's approval.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Who asks.
    pub member: Member,
    /// The file to send to the coordinator's operator; nothing in it is secret.
    pub text: String,
    /// Where it is.
    pub path: PathBuf,
}

impl Request {
    /// What the site tells the coordinator's operator by another channel: the fingerprint of its identity key.
    pub fn fingerprint(&self) -> String {
        self.member.identity.fingerprint()
    }
}

/// Makes the site's keys and its request below `state_dir`.
pub fn create(state_dir: &Path, site: &str, legal_name: &str) -> Result<Request, IdentityError> {
    check_site(site)?;
    check_legal_name(legal_name)?;
    let directory = directory(state_dir);
    if directory.exists() {
        return Err(IdentityError::Exists);
    }
    let key = KeyPair::generate()?;
    let identity = SigningIdentity::generate(&mut UnwrapErr(SysRng));
    let member = Member { id: site.to_owned(), legal_name: legal_name.to_owned(), identity: identity.public() };
    let text = request_text(&member, &key, &identity)?;

    state::private_directory(state_dir)?;
    let partial = state_dir.join("identity.partial");
    state::remove_leftover(&partial)?;
    state::private_directory(&partial)?;
    let write = |file, bytes: &[u8]| state::create_file(&partial.join(file), bytes);
    write(KEY, Zeroizing::new(key.serialize_pem()).as_bytes())?;
    write(IDENTITY, &*identity.to_bytes())?;
    write(REQUEST, text.as_bytes())?;
    draws::create(&partial)?;
    state::rename(&partial, &directory)?;
    Ok(Request { member, text, path: directory.join(REQUEST) })
}

/// The request that [`create`] made, to be sent again.
pub fn request(state_dir: &Path) -> Result<Request, IdentityError> {
    let path = existing(state_dir)?.join(REQUEST);
    let text = state::read_text(&path)?;
    let member = member_of_request(&text).ok_or(IdentityError::Damaged(REQUEST))?;
    Ok(Request { member, text, path })
}

/// Accepts the coordinator's package if it is the one whose fingerprint was told by another channel and answers this
/// site's request.
pub fn accept(
    state_dir: &Path,
    package_text: &str,
    fingerprint: &str,
    now: Timestamp,
) -> Result<Identity, IdentityError> {
    let told = parse_fingerprint(fingerprint)?;
    let package = Package::parse(package_text)?;
    if package.fingerprint() != told {
        return Err(PackageError::Fingerprint.into());
    }
    let identity = Identity::assemble(Keys::read(state_dir)?, package, now)?;

    let partial = directory(state_dir).join("package.toml.partial");
    state::remove_leftover(&partial)?;
    state::create_file(&partial, package_text.as_bytes())?;
    state::rename(&partial, &directory(state_dir).join(PACKAGE))?;
    Ok(identity)
}

/// The identity of an enrolled site, with a certificate that is valid at `now`.
pub fn load(state_dir: &Path, now: Timestamp) -> Result<Identity, IdentityError> {
    let keys = Keys::read(state_dir)?;
    let text = match state::read_text(&directory(state_dir).join(PACKAGE)) {
        Err(e) if e.is_missing() => return Err(IdentityError::NotEnrolled),
        other => other?,
    };
    let package = Package::parse(&text).map_err(|_| IdentityError::Damaged(PACKAGE))?;
    let identity = Identity::assemble(keys, package, now)?;
    if identity.renewal_due(now) {
        warn!(expires = %identity.not_after, "this site's certificate ends soon: send the request again");
    }
    Ok(identity)
}

/// A site that can connect and sign.
pub struct Identity {
    member: Member,
    signing: SigningIdentity,
    key: KeyPair,
    certificate: CertificateDer<'static>,
    authority: CertificateDer<'static>,
    coordinator: Coordinator,
    not_after: Timestamp,
}

impl Identity {
    /// Puts together what is on this machine and what the coordinator certified, if they belong together.
    fn assemble(keys: Keys, package: Package, now: Timestamp) -> Result<Self, IdentityError> {
        let Keys { member, signing, key } = keys;
        let Package { roster, coordinator, certificate, authority } = package;
        if roster != member {
            return Err(PackageError::RosterEntry.into());
        }
        if check_url(&coordinator.url).is_err() {
            return Err(PackageError::Url.into());
        }
        let not_after = check_certificate(&certificate, &authority, &member.id, &key, now)?;
        Ok(Self { member, signing, key, certificate, authority, coordinator, not_after })
    }

    /// The site as the roster has it.
    pub fn member(&self) -> &Member {
        &self.member
    }

    /// The site's identifier.
    pub fn site(&self) -> &str {
        &self.member.id
    }

    /// The key with which the site signs.
    pub fn signing(&self) -> &SigningIdentity {
        &self.signing
    }

    /// The coordinator that enrolled this site, its signing key pinned.
    pub fn coordinator(&self) -> &Coordinator {
        &self.coordinator
    }

    /// When the certificate ends.
    pub fn not_after(&self) -> Timestamp {
        self.not_after
    }

    /// Whether the certificate ends within 30 days of `now`.
    pub fn renewal_due(&self, now: Timestamp) -> bool {
        self.not_after.duration_since(now) < RENEW_WITHIN
    }

    /// The certificate with which the agent connects (DER).
    pub fn certificate(&self) -> &CertificateDer<'static> {
        &self.certificate
    }

    /// The authority that the coordinator's certificate must come from (DER).
    pub(crate) fn authority(&self) -> &CertificateDer<'static> {
        &self.authority
    }

    /// The private key of the certificate.
    pub(crate) fn key(&self) -> PrivatePkcs8KeyDer<'static> {
        self.key.serialize_der().into()
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Identity({}, ..)", self.member.id)
    }
}

/// What [`create`] wrote.
struct Keys {
    member: Member,
    signing: SigningIdentity,
    key: KeyPair,
}

impl Keys {
    fn read(state_dir: &Path) -> Result<Self, IdentityError> {
        let directory = existing(state_dir)?;
        let member = request(state_dir)?.member;
        let secret = state::read_private(&directory.join(IDENTITY))?;
        let secret: &[u8; 32] = secret.as_slice().try_into().map_err(|_| IdentityError::Damaged(IDENTITY))?;
        let signing = SigningIdentity::from_bytes(secret);
        if signing.public() != member.identity {
            return Err(IdentityError::Damaged(IDENTITY));
        }
        let pem = state::read_private(&directory.join(KEY))?;
        let key =
            str::from_utf8(&pem).ok().and_then(|pem| KeyPair::from_pem(pem).ok()).ok_or(IdentityError::Damaged(KEY))?;
        Ok(Self { member, signing, key })
    }
}

/// Checks that the certificate is for our key and site, and one that the coordinator's listener would take at `now`.
/// Returns when it ends.
fn check_certificate(
    certificate: &CertificateDer<'static>,
    authority: &CertificateDer<'static>,
    site: &str,
    key: &KeyPair,
    now: Timestamp,
) -> Result<Timestamp, IdentityError> {
    let (_, parsed) = x509_parser::parse_x509_certificate(certificate).map_err(|_| PackageError::Format)?;
    if parsed.public_key().raw != key.subject_public_key_info() {
        return Err(PackageError::OtherKey.into());
    }
    let mut names = parsed.subject().iter_common_name();
    let named = names.next().and_then(|name| name.as_str().ok()) == Some(site);
    if !named || names.next().is_some() {
        return Err(PackageError::OtherSite.into());
    }
    let instant = |seconds| Timestamp::from_second(seconds).map_err(|_| PackageError::Format);
    let not_before = instant(parsed.validity().not_before.timestamp())?;
    let not_after = instant(parsed.validity().not_after.timestamp())?;
    match chain_fault(certificate, authority, now) {
        None => Ok(not_after),
        Some(CertificateError::Expired | CertificateError::ExpiredContext { .. }) => {
            Err(IdentityError::Expired(not_after))
        }
        Some(CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. }) => {
            Err(IdentityError::NotYetValid(not_before))
        }
        Some(_) => Err(PackageError::Certificate.into()),
    }
}

/// What a listener that trusts `authority` would find wrong at `now`.
fn chain_fault(
    certificate: &CertificateDer<'static>,
    authority: &CertificateDer<'static>,
    now: Timestamp,
) -> Option<CertificateError> {
    let mut roots = RootCertStore::empty();
    if roots.add(authority.clone()).is_err() {
        return Some(CertificateError::UnknownIssuer);
    }
    let provider = Arc::new(ring::default_provider());
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build();
    let Ok(verifier) = verifier else {
        return Some(CertificateError::UnknownIssuer);
    };
    let seconds = u64::try_from(now.as_second()).unwrap_or(0);
    let now = UnixTime::since_unix_epoch(Duration::from_secs(seconds));
    match verifier.verify_client_cert(certificate, &[], now) {
        Ok(_) => None,
        Err(rustls::Error::InvalidCertificate(fault)) => Some(fault),
        Err(_) => Some(CertificateError::BadEncoding),
    }
}

/// A roster's identifier that is also a plain file name and argument.
fn check_site(site: &str) -> Result<(), IdentityError> {
    if is_site_id(site) && !site.starts_with('-') { Ok(()) } else { Err(IdentityError::SiteName) }
}

/// A legal name is 1 to 200 bytes without control characters and without space at its ends.
fn check_legal_name(name: &str) -> Result<(), IdentityError> {
    let good = (1..=200).contains(&name.len()) && name.trim() == name && !name.chars().any(char::is_control);
    if good { Ok(()) } else { Err(IdentityError::LegalName) }
}

fn directory(state_dir: &Path) -> PathBuf {
    state_dir.join("identity")
}

fn existing(state_dir: &Path) -> Result<PathBuf, IdentityError> {
    let directory = directory(state_dir);
    if directory.exists() { Ok(directory) } else { Err(IdentityError::Missing) }
}

#[cfg(test)]
mod tests;
