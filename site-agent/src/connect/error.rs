//! Why there is no connection to the coordinator, in words for the person who runs the agent.

use std::error::Error as StdError;
use std::fmt;
use std::io;

use rustls::{AlertDescription, CertificateError, Error};

use crate::identity::Blame;

/// Why there is no connection to the coordinator.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConnectError {
    /// The coordinator does not accept this site's certificate.
    #[error("the coordinator refused this site's certificate: {0}")]
    Refused(Refused),
    /// The server's certificate is not that of the coordinator which enrolled this site.
    #[error("the server is not the coordinator that enrolled this site: {0}")]
    WrongServer(WrongServer),
    /// No connection to the address.
    #[error("cannot reach {target}: {reason}")]
    Unreachable {
        /// `HOST:PORT` of the coordinator or of the proxy.
        target: String,
        /// What the operating system says.
        reason: io::ErrorKind,
    },
    /// No answer in time.
    #[error("no answer from {target} within {seconds} s")]
    Timeout {
        /// `HOST:PORT` of the coordinator or of the proxy.
        target: String,
        /// How long the agent waited.
        seconds: u64,
    },
    /// The proxy did not open a connection to the coordinator.
    #[error("the proxy did not connect to the coordinator: {}", ProxyAnswer(*status))]
    Proxy {
        /// The proxy's HTTP status; `None` if it did not answer in HTTP.
        status: Option<u16>,
    },
    /// The two ends have no TLS version in common: something between them, or the wrong port.
    #[error("{target} does not speak tls 1.3")]
    NoTls13 {
        /// `HOST:PORT` of the coordinator.
        target: String,
    },
    /// The connection ended before the first byte of the protocol.
    #[error("{target} closed the connection without a reason")]
    Closed {
        /// `HOST:PORT` of the coordinator.
        target: String,
    },
    /// The coordinator's address is not `https://HOST:PORT`, or the proxy's not `http://HOST:PORT`.
    #[error("the address of the {0} is not usable")]
    Address(&'static str),
    /// The keys or certificates of this site are not usable for TLS.
    #[error("this site's key or certificate cannot be used")]
    Identity,
    /// The coordinator has a connection of another agent with this site's keys.
    #[error("another agent with this site's identity is connected to the coordinator")]
    SecondAgent,
    /// The connection was there and the protocol on it failed.
    #[error("the connection to the coordinator failed")]
    Protocol,
}

impl ConnectError {
    /// Stable name of the error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Refused(Refused::Expired) => "connect_refused_expired",
            Self::Refused(Refused::UnknownIssuer) => "connect_refused_unknown_issuer",
            Self::Refused(Refused::Revoked) => "connect_refused_revoked",
            Self::Refused(Refused::Missing) => "connect_refused_missing",
            Self::Refused(Refused::NotASite) => "connect_refused_not_a_site",
            Self::Refused(Refused::Other) => "connect_refused",
            Self::WrongServer(_) => "connect_wrong_server",
            Self::Unreachable { .. } => "connect_unreachable",
            Self::Timeout { .. } => "connect_timeout",
            Self::Proxy { .. } => "connect_proxy",
            Self::NoTls13 { .. } => "connect_no_tls13",
            Self::Closed { .. } => "connect_closed",
            Self::Address(_) => "connect_address",
            Self::Identity => "connect_identity",
            Self::SecondAgent => "connect_second_agent",
            Self::Protocol => "connect_protocol",
        }
    }

    /// Who has to act.
    pub fn blame(&self) -> Blame {
        match self {
            Self::Refused(_) | Self::Address(_) | Self::Proxy { .. } | Self::Identity | Self::SecondAgent => {
                Blame::Operator
            }
            _ => Blame::Peer,
        }
    }

    /// What to do next.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Refused(Refused::Expired) => {
                "check this machine's clock; then send the request file to the coordinator's operator again and accept the new package"
            }
            Self::Refused(Refused::UnknownIssuer) => {
                "the coordinator has another authority now: ask its operator for a new package"
            }
            Self::Refused(Refused::Revoked) => "ask the coordinator's operator why; a new enrolment needs new keys",
            Self::Refused(_) => "ask the coordinator's operator for the reason in the log",
            Self::WrongServer(WrongServer::UnknownIssuer) => {
                "check the address; a firewall that inspects tls must let this connection pass untouched"
            }
            Self::WrongServer(WrongServer::Expired) => {
                "check this machine's clock; otherwise the coordinator must renew its certificate"
            }
            Self::WrongServer(_) => "check the coordinator's address",
            Self::Unreachable { .. } | Self::Timeout { .. } => {
                "check the address, the firewall's outbound rule and whether a proxy is needed"
            }
            Self::Proxy { .. } => "ask the network's operator to allow CONNECT to the coordinator's host and port",
            Self::NoTls13 { .. } | Self::Closed { .. } => {
                "check the address and port, and whether something between rewrites the connection"
            }
            Self::Address(_) => "write https://HOST:PORT for the coordinator and http://HOST:PORT for a proxy",
            Self::Identity => "accept the package again, or enrol again",
            Self::SecondAgent => {
                "look for a second agent or a copy of this state directory, such as a cloned machine, and stop it; this one waits until the other is gone, a connection that broke off within a minute"
            }
            Self::Protocol => "try again; if it stays, ask the coordinator's operator",
        }
    }

    /// Whether the same attempt can succeed later without anybody doing anything at this site.
    pub fn is_transient(&self) -> bool {
        matches!(
            self,
            Self::Unreachable { .. }
                | Self::Timeout { .. }
                | Self::Closed { .. }
                | Self::Protocol
                | Self::Proxy { .. }
                | Self::SecondAgent
        )
    }

    /// The error of this kind among the causes of another one, for example of a `tonic::Status`.
    pub fn among_causes<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a Self> {
        let mut next = Some(error);
        while let Some(error) = next {
            if let Some(found) = error.downcast_ref() {
                return Some(found);
            }
            next = error.source();
        }
        None
    }

    /// The error behind a failed read or write under TLS with `target`.
    pub(super) fn of_io(error: &io::Error, target: &str) -> Self {
        let target = target.to_owned();
        match error.get_ref().and_then(|e| e.downcast_ref::<Error>()) {
            Some(Error::AlertReceived(alert)) => Self::of_alert(*alert, target),
            Some(Error::InvalidCertificate(fault)) => Self::WrongServer(fault.into()),
            Some(_) => Self::NoTls13 { target },
            None => match error.kind() {
                io::ErrorKind::UnexpectedEof
                | io::ErrorKind::ConnectionReset
                | io::ErrorKind::ConnectionAborted
                | io::ErrorKind::BrokenPipe => Self::Closed { target },
                reason => Self::Unreachable { target, reason },
            },
        }
    }

    /// In TLS 1.3 the server's verdict on our certificate is an alert that follows the handshake.
    fn of_alert(alert: AlertDescription, target: String) -> Self {
        Self::Refused(match alert {
            AlertDescription::CertificateExpired => Refused::Expired,
            AlertDescription::UnknownCA => Refused::UnknownIssuer,
            AlertDescription::CertificateRevoked => Refused::Revoked,
            AlertDescription::CertificateRequired => Refused::Missing,
            AlertDescription::AccessDenied | AlertDescription::UnsupportedCertificate => Refused::NotASite,
            AlertDescription::BadCertificate
            | AlertDescription::CertificateUnknown
            | AlertDescription::DecryptError => Refused::Other,
            AlertDescription::CloseNotify | AlertDescription::UserCanceled => {
                return Self::Closed { target };
            }
            _ => return Self::NoTls13 { target },
        })
    }
}

/// What the coordinator finds wrong with a site's certificate, as far as its alert says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// It has ended, or by the coordinator's clock not begun.
    #[error("expired")]
    Expired,
    /// It comes from another authority.
    #[error("issued by an unknown authority")]
    UnknownIssuer,
    /// It was revoked.
    #[error("revoked")]
    Revoked,
    /// None was shown.
    #[error("none was shown")]
    Missing,
    /// It is not one of a site.
    #[error("not one of a site")]
    NotASite,
    /// Something else.
    #[error("not acceptable")]
    Other,
}

/// What is wrong with the server's certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WrongServer {
    /// Another authority issued it.
    #[error("its certificate comes from another authority")]
    UnknownIssuer,
    /// It is for another name.
    #[error("its certificate is for another name")]
    OtherName,
    /// It has ended or not begun.
    #[error("its certificate is not valid at this time")]
    Expired,
    /// Something else.
    #[error("its certificate is not acceptable")]
    Other,
}

impl From<&CertificateError> for WrongServer {
    fn from(fault: &CertificateError) -> Self {
        match fault {
            CertificateError::UnknownIssuer => Self::UnknownIssuer,
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => Self::OtherName,
            CertificateError::Expired
            | CertificateError::ExpiredContext { .. }
            | CertificateError::NotValidYet
            | CertificateError::NotValidYetContext { .. } => Self::Expired,
            _ => Self::Other,
        }
    }
}

struct ProxyAnswer(Option<u16>);

impl fmt::Display for ProxyAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(status) => write!(f, "status {status}"),
            None => f.write_str("no http answer"),
        }
    }
}
