//! Addresses of the coordinator and of a proxy.

use tonic::transport::Uri;

use super::ConnectError;

/// A host, without the brackets of an IPv6 address, and a port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct HostPort {
    pub(super) host: String,
    pub(super) port: u16,
    /// `HOST:PORT` as in a URL.
    pub(super) text: String,
}

/// Reads `https://HOST:PORT` of a coordinator.
pub(crate) fn check_url(url: &str) -> Result<Uri, ConnectError> {
    let (uri, _) = parse(url, "https").ok_or(ConnectError::Address("coordinator"))?;
    Ok(uri)
}

/// Reads `https://HOST:PORT` of a coordinator.
pub(super) fn coordinator(url: &str) -> Result<(Uri, HostPort), ConnectError> {
    parse(url, "https").ok_or(ConnectError::Address("coordinator"))
}

/// Reads `http://HOST:PORT` of a proxy.
pub(super) fn proxy(url: &str) -> Result<HostPort, ConnectError> {
    let (_, address) = parse(url, "http").ok_or(ConnectError::Address("proxy"))?;
    Ok(address)
}

fn parse(url: &str, scheme: &str) -> Option<(Uri, HostPort)> {
    let uri: Uri = url.parse().ok()?;
    let authority = uri.authority()?;
    let plain = uri.path() == "/" && uri.query().is_none() && !authority.as_str().contains('@');
    if uri.scheme_str() != Some(scheme) || !plain {
        return None;
    }
    let host = authority.host();
    let address = HostPort {
        host: host.trim_matches(['[', ']']).to_owned(),
        port: authority.port_u16()?,
        text: authority.as_str().to_owned(),
    };
    Some((uri, address))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_and_ports() {
        let (_, named) = coordinator("https://study.example.org:7443").unwrap();
        assert_eq!((named.host.as_str(), named.port), ("study.example.org", 7443));
        let (_, v6) = coordinator("https://[::1]:7443/").unwrap();
        assert_eq!((v6.host.as_str(), v6.port), ("::1", 7443));
        assert_eq!(v6.text, "[::1]:7443");
        assert_eq!(proxy("http://proxy:3128").unwrap().port, 3128);
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for url in [
            "",
            "study.example.org:7443",
            "http://study.example.org:7443",
            "https://study.example.org",
            "https://study.example.org:7443/path",
            "https://user:secret@study.example.org:7443",
            "https://study.example.org:99999",
        ] {
            let error = coordinator(url).unwrap_err();
            assert_eq!(error, ConnectError::Address("coordinator"), "{url:?}");
        }
        assert_eq!(proxy("https://proxy:3128").unwrap_err(), ConnectError::Address("proxy"));
    }
}
