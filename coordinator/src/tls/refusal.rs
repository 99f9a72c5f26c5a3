//! Why a handshake was refused, as one word for the log. Nothing that the peer sent is ever part of it.

use std::io;

use rustls::{AlertDescription, CertificateError, Error};

/// The reason class of a refused handshake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The client showed no certificate.
    NoCertificate,
    /// The client's certificate has ended.
    Expired,
    /// The client's certificate has not begun.
    NotYetValid,
    /// Another authority issued the client's certificate.
    UnknownIssuer,
    /// The client's certificate is on the list of revoked ones.
    Revoked,
    /// The certificate is not one of a site: its usage or its name is not that of a site.
    NotASite,
    /// The certificate is not one of a person with a role.
    NotAPerson,
    /// The client does not speak TLS 1.3.
    ProtocolVersion,
    /// The client did not accept our certificate.
    ByClient,
    /// What came was not TLS, or broke its rules.
    NotTls,
    /// The client did not finish in time.
    Timeout,
    /// The client went away.
    Disconnected,
    /// Another fault of the certificate, a bad signature for example.
    BadCertificate,
}

impl Refusal {
    /// Stable name, as logged.
    pub fn code(self) -> &'static str {
        match self {
            Self::NoCertificate => "no_certificate",
            Self::Expired => "expired",
            Self::NotYetValid => "not_yet_valid",
            Self::UnknownIssuer => "unknown_issuer",
            Self::Revoked => "revoked",
            Self::NotASite => "not_a_site",
            Self::NotAPerson => "not_a_person",
            Self::ProtocolVersion => "protocol_version",
            Self::ByClient => "refused_by_client",
            Self::NotTls => "not_tls",
            Self::Timeout => "timeout",
            Self::Disconnected => "disconnected",
            Self::BadCertificate => "bad_certificate",
        }
    }

    /// The class of a failed handshake's error; `foreign` where the certificate is of another kind of client.
    pub(super) fn of(error: &io::Error, foreign: Self) -> Self {
        match error.get_ref().and_then(|e| e.downcast_ref::<Error>()) {
            None => Self::Disconnected,
            Some(Error::NoCertificatesPresented) => Self::NoCertificate,
            Some(Error::InvalidCertificate(fault)) => Self::of_certificate(fault, foreign),
            Some(Error::PeerIncompatible(_)) => Self::ProtocolVersion,
            Some(Error::AlertReceived(alert)) => Self::of_alert(*alert),
            Some(_) => Self::NotTls,
        }
    }

    fn of_certificate(fault: &CertificateError, foreign: Self) -> Self {
        match fault {
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => Self::Expired,
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => Self::NotYetValid,
            CertificateError::UnknownIssuer => Self::UnknownIssuer,
            CertificateError::Revoked => Self::Revoked,
            CertificateError::ApplicationVerificationFailure
            | CertificateError::InvalidPurpose
            | CertificateError::InvalidPurposeContext { .. } => foreign,
            _ => Self::BadCertificate,
        }
    }

    fn of_alert(alert: AlertDescription) -> Self {
        match alert {
            AlertDescription::ProtocolVersion => Self::ProtocolVersion,
            AlertDescription::CloseNotify | AlertDescription::UserCanceled => Self::Disconnected,
            _ => Self::ByClient,
        }
    }
}
