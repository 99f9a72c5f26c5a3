//! The files behind the listener, and what they hold at one moment.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use rustls::{RootCertStore, ServerConfig};
use secagg::{Canonical, Digest};
use zeroize::Zeroizing;

use super::audience::Audience;
use super::verifier::Verifier;
use crate::authority::{Blame, StateError, certificate_path, read_private, read_text, server_path};
use crate::enrol::{parse_revoked, revoked_path};

/// Where the listener's files are. A study with its own certificate authority names its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// The listener's certificate, with intermediates if there are any (PEM).
    pub certificate: PathBuf,
    /// The listener's private key (PEM); it may be the same file.
    pub key: PathBuf,
    /// The certificates of the authorities that issue the clients' certificates (PEM).
    pub authority: PathBuf,
    /// SHA-256 of each revoked certificate, one per line; a missing file is an empty list.
    pub revoked: PathBuf,
}

impl TlsFiles {
    /// The files of the built-in authority below a state directory.
    pub fn of(state_dir: &Path) -> Self {
        Self {
            certificate: server_path(state_dir),
            key: server_path(state_dir),
            authority: certificate_path(state_dir),
            revoked: revoked_path(state_dir),
        }
    }
}

/// Why the listener's files cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read.
    #[error(transparent)]
    State(#[from] StateError),
    /// A file holds something else than it should.
    #[error("{} holds no usable {what}", path.display())]
    Content {
        /// What is missing in it.
        what: &'static str,
        /// The file.
        path: PathBuf,
    },
    /// The certificate and the private key do not belong together, or the key cannot be used.
    #[error("the listener's certificate and key cannot be used together")]
    Pair(#[source] rustls::Error),
}

impl TlsError {
    /// Stable name of the error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::State(_) => "tls_file",
            Self::Content { .. } => "tls_content",
            Self::Pair(_) => "tls_pair",
        }
    }

    /// Who has to act.
    pub fn blame(&self) -> Blame {
        Blame::Operator
    }

    /// What to do next.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::State(StateError::Exposed { .. }) => "set the file's mode to 600",
            Self::State(_) => "check the path and the file's owner and permissions",
            Self::Content { .. } => "check that this is the right file, in pem",
            Self::Pair(_) => "renew the listener's certificate, or name the key that belongs to it",
        }
    }
}

/// What the files hold at one moment, ready for use.
pub(super) struct Trust {
    pub(super) config: Arc<ServerConfig>,
    pub(super) revoked: Arc<BTreeSet<Digest>>,
    /// Of all bytes read: whether a later reading differs.
    pub(super) source: Digest,
}

impl Trust {
    pub(super) fn read<A: Audience>(files: &TlsFiles) -> Result<Self, TlsError> {
        let certificate = read_text(&files.certificate)?;
        let key = read_private(&files.key)?;
        let authority = read_text(&files.authority)?;
        let revoked = match read_text(&files.revoked) {
            Err(e) if e.is_missing() => String::new(),
            other => other?,
        };
        let source = Canonical::new("entente/v1/tls-files")
            .str(&certificate)
            .digest_field(&Digest::of(&key))
            .str(&authority)
            .str(&revoked)
            .digest();
        let revoked = parse_revoked(&revoked)
            .map(Arc::new)
            .ok_or_else(|| content("list of revoked certificates", &files.revoked))?;
        let chain = certificates(&certificate, &files.certificate)?;
        let roots = certificates(&authority, &files.authority)?;
        let config = config::<A>(files, chain, &key, roots, &revoked)?;
        Ok(Self { config: Arc::new(config), revoked, source })
    }
}

fn config<A: Audience>(
    files: &TlsFiles,
    chain: Vec<CertificateDer<'static>>,
    key: &Zeroizing<Vec<u8>>,
    authorities: Vec<CertificateDer<'static>>,
    revoked: &Arc<BTreeSet<Digest>>,
) -> Result<ServerConfig, TlsError> {
    let key = PrivateKeyDer::from_pem_slice(key).map_err(|_| content("private key", &files.key))?;
    let mut roots = RootCertStore::empty();
    for authority in authorities {
        roots.add(authority).map_err(|_| content("certificate", &files.authority))?;
    }
    let provider = Arc::new(ring::default_provider());
    let chain_verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider));
    let chain_verifier = if A::STRANGER.is_some() { chain_verifier.allow_unauthenticated() } else { chain_verifier };
    let chain_verifier = chain_verifier.build().map_err(|_| content("certificate", &files.authority))?;
    let verifier = Verifier {
        chain: chain_verifier,
        revoked: Arc::clone(revoked),
        known: |certificate| A::peer(certificate).is_some(),
    };
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(TlsError::Pair)?
        .with_client_cert_verifier(Arc::new(verifier))
        .with_single_cert(chain, key)
        .map_err(TlsError::Pair)?;
    config.alpn_protocols = A::PROTOCOLS.iter().map(|protocol| protocol.to_vec()).collect();
    // A resumed session would not show its certificate again, and a revoked client could come back with it.
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    Ok(config)
}

fn certificates(text: &str, path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let all: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(text.as_bytes()).collect();
    match all {
        Ok(all) if !all.is_empty() => Ok(all),
        _ => Err(content("certificate", path)),
    }
}

fn content(what: &'static str, path: &Path) -> TlsError {
    TlsError::Content { what, path: path.to_owned() }
}
