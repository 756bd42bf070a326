//! What can go wrong between two machines, as facts. Words of advice are made elsewhere.

use std::io::ErrorKind;
use std::time::Duration;

use rustls::{AlertDescription, CertificateError};
use serde::{Deserialize, Serialize};

use super::identity::IdentityError;
use super::printable::printable;

/// Why a request has no answer, or only a part of one. Never holds a URL's query or a header.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum HttpError {
    /// The host's name has no address.
    #[error("the name `{host}` could not be resolved")]
    Dns {
        /// Name and port as in the URL.
        host: String,
    },
    /// Nobody listens there.
    #[error("`{host}` refused the connection")]
    Refused {
        /// Name and port as in the URL.
        host: String,
    },
    /// There is no way to the host.
    #[error("`{host}` cannot be reached: {detail}")]
    Unreachable {
        /// Name and port as in the URL.
        host: String,
        /// The operating system's words.
        detail: String,
    },
    /// The TLS handshake failed: nothing was sent.
    #[error("no secure connection to `{host}`: {detail}")]
    Tls {
        /// Name and port as in the URL.
        host: String,
        /// What the certificate check or the handshake found.
        detail: String,
    },
    /// The server's own certificate is one that only signs others: nothing was sent (RFC 5280 section 4.2.1.9).
    #[error("`{host}` shows a certificate that is made for an authority (CA:TRUE), as its own")]
    AuthorityAsServer {
        /// Name and port as in the URL.
        host: String,
    },
    /// A file or folder of trusted certificates cannot be used.
    #[error("the certificates in `{path}` cannot be used: {detail}")]
    Certificates {
        /// As the user named it.
        path: String,
        /// Why.
        detail: String,
    },
    /// The certificate that this client shows cannot be used: nothing was sent.
    #[error("the client certificate cannot be used: {problem}")]
    Identity {
        /// Why.
        problem: IdentityError,
    },
    /// The limit passed.
    #[error("`{host}` did not answer within {} s", .after.as_secs_f64())]
    TimedOut {
        /// Name and port as in the URL.
        host: String,
        /// The limit.
        after: Duration,
        /// Whether the connection was not made yet.
        connecting: bool,
    },
    /// The connection ended before an answer began; the request may have arrived.
    #[error("`{host}` closed the connection without an answer")]
    Reset {
        /// Name and port as in the URL.
        host: String,
    },
    /// The server sent the request back unread (RFC 9113 section 8.7).
    #[error("`{host}` did not take the request")]
    NotTaken {
        /// Name and port as in the URL.
        host: String,
    },
    /// The body is larger than the limit, counted after decompression.
    #[error("the answer of `{host}` is larger than {limit} bytes")]
    BodyTooLarge {
        /// Name and port as in the URL.
        host: String,
        /// In bytes.
        limit: usize,
    },
    /// The body broke off.
    #[error("the answer of `{host}` broke off")]
    CutOff {
        /// Name and port as in the URL.
        host: String,
    },
    /// What came is not HTTP, or not what its headers say.
    #[error("the answer of `{host}` cannot be read: {detail}")]
    Malformed {
        /// Name and port as in the URL.
        host: String,
        /// What is wrong.
        detail: String,
    },
    /// Neither https nor plain http to loopback.
    #[error("`{host}` is not reached over https")]
    InsecureUrl {
        /// Scheme, name and port as in the URL.
        host: String,
    },
    /// An issuer elsewhere named an address of this machine or its network: nothing was sent.
    #[error("`{host}` leads into this machine or its network, where the issuer is not")]
    Inward {
        /// Name and port as in the URL.
        host: String,
    },
    /// The proxy did not let the request through: nothing was sent.
    #[error("the proxy `{proxy}` did not connect to `{host}`: {detail}")]
    Proxy {
        /// The proxy's name and port, without credentials.
        proxy: String,
        /// Name and port as in the URL.
        host: String,
        /// What it answered, or what failed on the way to it.
        detail: String,
    },
    /// The environment names a proxy that is none: nothing was sent.
    #[error(
        "`{variable}` names no proxy: it is to be http://, https://, socks5:// or socks5h://, then host and port"
    )]
    ProxyNotUnderstood {
        /// The variable; its value may hold a password.
        variable: String,
    },
    /// The request cannot be written: nothing was sent.
    #[error("{detail}")]
    InvalidRequest {
        /// What is wrong with it.
        detail: String,
    },
    /// The request's own body could not be read to its end.
    #[error("the request body could not be read: {detail}")]
    RequestBody {
        /// The operating system's words.
        detail: String,
    },
    /// Anything else.
    #[error("the request to `{host}` failed: {detail}")]
    Other {
        /// Name and port as in the URL.
        host: String,
        /// The library's words without the URL.
        detail: String,
    },
}

impl HttpError {
    /// Tells whether the server certainly did not see the request.
    pub fn never_reached(&self) -> bool {
        match self {
            Self::Dns { .. }
            | Self::Refused { .. }
            | Self::Unreachable { .. }
            | Self::Tls { .. }
            | Self::AuthorityAsServer { .. }
            | Self::Certificates { .. }
            | Self::Identity { .. }
            | Self::InsecureUrl { .. }
            | Self::Inward { .. }
            | Self::Proxy { .. }
            | Self::ProxyNotUnderstood { .. }
            | Self::NotTaken { .. }
            | Self::InvalidRequest { .. } => true,
            Self::TimedOut { connecting, .. } => *connecting,
            Self::Reset { .. }
            | Self::BodyTooLarge { .. }
            | Self::CutOff { .. }
            | Self::Malformed { .. }
            | Self::RequestBody { .. }
            | Self::Other { .. } => false,
        }
    }

    /// Tells whether the same request may succeed a moment later.
    pub fn may_pass(&self) -> bool {
        match self {
            Self::Dns { .. }
            | Self::Refused { .. }
            | Self::Unreachable { .. }
            | Self::TimedOut { .. }
            | Self::Reset { .. }
            | Self::NotTaken { .. }
            | Self::CutOff { .. }
            | Self::Proxy { .. } => true,
            Self::Tls { .. }
            | Self::AuthorityAsServer { .. }
            | Self::Certificates { .. }
            | Self::Identity { .. }
            | Self::BodyTooLarge { .. }
            | Self::Malformed { .. }
            | Self::InsecureUrl { .. }
            | Self::Inward { .. }
            | Self::ProxyNotUnderstood { .. }
            | Self::InvalidRequest { .. }
            | Self::RequestBody { .. }
            | Self::Other { .. } => false,
        }
    }
}

/// What another library says.
pub(super) type Cause = Box<dyn std::error::Error + Send + Sync>;

/// Where a request failed, and what the library says.
#[derive(Debug)]
pub(super) enum Failure {
    /// No connection was made: nothing was sent.
    Connecting(Cause),
    /// No connection was made within the limit.
    ConnectingTooLong,
    /// Between the connection and the answer's head.
    Sending(hyper::Error),
    /// Known already.
    Known(HttpError),
}

/// What is known about a request when it fails.
pub(super) struct Circumstances<'a> {
    /// Name and port as in the URL.
    pub host: &'a str,
    /// The proxy on the way, without credentials.
    pub proxy: Option<&'a str>,
    /// The limit for making a connection.
    pub connect_timeout: Duration,
    /// Whether the server may see this client's certificate.
    pub is_shown_identity: bool,
}

/// The request's own body failed; travels through the HTTP library and is found again here.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct RequestBodyError(pub String);

/// A name has no address; travels through the HTTP library and is found again here.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct NoAddress(pub std::io::Error);

type AnyError = dyn std::error::Error + 'static;

/// The facts of a request that has no answer.
pub(super) fn of_request(failure: Failure, about: &Circumstances<'_>) -> HttpError {
    match failure {
        Failure::Known(error) => error,
        Failure::ConnectingTooLong => too_late(about),
        Failure::Connecting(cause) => while_connecting(Facts::of(&*cause), about),
        Failure::Sending(error) => {
            let (host, facts) = (about.host.to_owned(), Facts::of(&error));
            // In TLS 1.3 a server says only after the handshake what it makes of the certificate (RFC 8446 section 4.4.2.4).
            if let Some(detail) = facts.tls.filter(|_| facts.refuses_certificate) {
                return not_let_in(host, detail, about);
            }
            match (facts.request_body, facts.broke_off, facts.not_http) {
                (Some(detail), ..) => HttpError::RequestBody { detail },
                _ if facts.not_taken => HttpError::NotTaken { host },
                (None, true, _) => HttpError::Reset { host },
                (None, false, true) => HttpError::Malformed { host, detail: facts.words },
                (None, false, false) => HttpError::Other { host, detail: facts.words },
            }
        }
    }
}

/// The facts of an answer whose body could not be read to its end.
pub(super) fn of_answer(error: &AnyError, host: &str) -> HttpError {
    let (host, facts) = (host.to_owned(), Facts::of(error));
    match (facts.request_body, facts.broke_off) {
        (Some(detail), _) => HttpError::RequestBody { detail },
        (None, true) => HttpError::CutOff { host },
        (None, false) => HttpError::Malformed { host, detail: facts.words },
    }
}

fn too_late(about: &Circumstances<'_>) -> HttpError {
    let (host, after) = (about.host.to_owned(), about.connect_timeout);
    match about.proxy {
        None => HttpError::TimedOut { host, after, connecting: true },
        Some(proxy) => {
            let detail = format!("no connection within {} s", after.as_secs_f64());
            HttpError::Proxy { proxy: proxy.to_owned(), host, detail }
        }
    }
}

/// A server that wants a certificate takes none for an answer, or not this one.
fn not_let_in(host: String, detail: String, about: &Circumstances<'_>) -> HttpError {
    match about.is_shown_identity {
        true => HttpError::Identity { problem: IdentityError::Refused(detail) },
        false => HttpError::Tls { host, detail },
    }
}

fn while_connecting(facts: Facts, about: &Circumstances<'_>) -> HttpError {
    let host = about.host.to_owned();
    if facts.inward {
        return HttpError::Inward { host };
    }
    if facts.shows_authority {
        return HttpError::AuthorityAsServer { host };
    }
    if let Some(detail) = facts.tls {
        return match facts.refuses_certificate {
            true => not_let_in(host, detail, about),
            false => HttpError::Tls { host, detail },
        };
    }
    if let Some(proxy) = about.proxy {
        return HttpError::Proxy { proxy: proxy.to_owned(), host, detail: facts.words };
    }
    if facts.no_address {
        return HttpError::Dns { host };
    }
    match facts.io {
        Some(ErrorKind::TimedOut) => too_late(about),
        Some(ErrorKind::ConnectionRefused) => HttpError::Refused { host },
        Some(ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset | ErrorKind::BrokenPipe) => {
            HttpError::Tls { host, detail: "the handshake was broken off".into() }
        }
        _ => HttpError::Unreachable { host, detail: facts.words },
    }
}

/// What the chain of causes tells.
#[derive(Default)]
struct Facts {
    tls: Option<String>,
    io: Option<ErrorKind>,
    no_address: bool,
    /// The server wanted a certificate of ours and got none, or one that it does not take.
    refuses_certificate: bool,
    /// The server's certificate is one of an authority.
    shows_authority: bool,
    request_body: Option<String>,
    broke_off: bool,
    /// The server did nothing with the request.
    not_taken: bool,
    not_http: bool,
    inward: bool,
    /// The innermost cause's words.
    words: String,
}

/// What a server says of a client's certificate (RFC 8446 section 6.2).
fn refuses_certificate(error: &rustls::Error) -> bool {
    use AlertDescription as Alert;
    let rustls::Error::AlertReceived(alert) = error else { return false };
    matches!(
        alert,
        Alert::CertificateRequired
            | Alert::BadCertificate
            | Alert::UnsupportedCertificate
            | Alert::CertificateRevoked
            | Alert::CertificateExpired
            | Alert::CertificateUnknown
            | Alert::UnknownCA
            | Alert::AccessDenied
            | Alert::DecryptError
    )
}

/// Tells whether the server's certificate was made for an authority; the library has this among what it
/// names by another library's error, which shows itself in no other way.
fn is_of_an_authority(error: &rustls::Error) -> bool {
    let rustls::Error::InvalidCertificate(CertificateError::Other(other)) = error else {
        return false;
    };
    format!("{other:?}").contains("CaUsedAsEndEntity")
}

impl Facts {
    fn of(error: &AnyError) -> Self {
        let mut facts = Self::default();
        let mut next = Some(error);
        while let Some(cause) = next {
            facts.learn(cause);
            next = match cause.downcast_ref::<std::io::Error>().and_then(|io| io.get_ref()) {
                // An I/O error hides the error it carries: its `source` is that error's source.
                Some(carried) => Some(carried as &AnyError),
                None => cause.source(),
            };
        }
        facts
    }

    fn learn(&mut self, cause: &AnyError) {
        if let Some(tls) = cause.downcast_ref::<rustls::Error>() {
            self.refuses_certificate |= refuses_certificate(tls);
            self.shows_authority |= is_of_an_authority(tls);
            self.tls = Some(printable(&tls.to_string()));
        }
        self.inward |= cause.is::<super::inward::LeadsInward>();
        if let Some(body) = cause.downcast_ref::<RequestBodyError>() {
            self.request_body = Some(printable(&body.0));
        }
        if let Some(io) = cause.downcast_ref::<std::io::Error>() {
            self.io = Some(io.kind());
            self.broke_off |= matches!(
                io.kind(),
                ErrorKind::UnexpectedEof
                    | ErrorKind::ConnectionReset
                    | ErrorKind::ConnectionAborted
                    | ErrorKind::BrokenPipe
                    | ErrorKind::NotConnected
                    | ErrorKind::TimedOut
            );
        }
        if let Some(hyper) = cause.downcast_ref::<hyper::Error>() {
            self.broke_off |=
                hyper.is_incomplete_message() || hyper.is_closed() || hyper.is_canceled();
            self.not_http |= hyper.is_parse();
        }
        if let Some(http2) = cause.downcast_ref::<h2::Error>() {
            self.learn_of_http2(http2);
        }
        self.no_address |= cause.is::<NoAddress>();
        self.words = printable(&cause.to_string());
    }

    /// A stream that was refused, or that lies beyond the last one of a server that goes away, was
    /// not looked at (RFC 9113 section 8.7); a stream up to that last one ends as its connection does.
    fn learn_of_http2(&mut self, error: &h2::Error) {
        let reason = error.reason();
        let refused = error.is_reset() && reason == Some(h2::Reason::REFUSED_STREAM);
        let beyond_the_last = error.is_go_away() && reason == Some(h2::Reason::NO_ERROR);
        self.not_taken |= error.is_remote() && (refused || beyond_the_last);
        self.broke_off |= error.is_remote();
        // What came breaks the rules of HTTP/2.
        self.not_http |= error.is_library();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_never_sent_is_known() {
        let host = || "api.example".to_owned();
        let after = Duration::from_secs(1);
        let cases = [
            (HttpError::Dns { host: host() }, true),
            (HttpError::Refused { host: host() }, true),
            (HttpError::Tls { host: host(), detail: String::new() }, true),
            (HttpError::TimedOut { host: host(), after, connecting: true }, true),
            (HttpError::TimedOut { host: host(), after, connecting: false }, false),
            (HttpError::NotTaken { host: host() }, true),
            (HttpError::Reset { host: host() }, false),
            (HttpError::CutOff { host: host() }, false),
        ];
        for (error, never_reached) in cases {
            assert_eq!(error.never_reached(), never_reached, "{error}");
        }
    }
}
