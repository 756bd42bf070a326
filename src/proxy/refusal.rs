//! Why the proxy answers in place of the API, as facts.

use std::sync::Arc;

use hyper::StatusCode;

use super::allow::NotAllowed;
use super::path::PathError;
use crate::http::HttpError;
use crate::resource_server::{AuthorizationError, TargetError};

/// Why a request was not passed on, or its answer not passed back.
#[derive(Debug, Clone)]
pub enum Refusal {
    /// The Host header, or the address in the request line, is not the proxy's own.
    ForeignHost,
    /// A page in a browser sent it.
    FromBrowser,
    /// The secret of this run was not shown.
    NoSecret,
    /// Another secret was shown.
    WrongSecret,
    /// CONNECT: there is no tunnel through here.
    Tunnel,
    /// TRACE would bring the token back.
    Trace,
    /// The connection was to become another protocol, such as a websocket.
    Upgrade,
    /// The path can be read in two ways.
    Path(PathError),
    /// There is no such address on the API.
    Target(TargetError),
    /// The query names another method than the request's own.
    MethodInQuery,
    /// It is not among what is allowed.
    NotAllowed(NotAllowed),
    /// The granted scopes do not open it.
    MissingScope {
        /// Any one of these would.
        needed: Vec<String>,
    },
    /// The provider asks for a header whose value is not known.
    Header(AuthorizationError),
    /// The request's body did not arrive in time or whole.
    Body,
    /// There is no access token.
    NoToken(Arc<Failure>),
    /// The token is bound to a key that cannot sign: without its proof it is not sent.
    NoProof,
    /// The access token was not renewed in time.
    TokenLate,
    /// The proxy is about to end.
    Closing,
    /// The API gave no answer.
    NoAnswer(HttpError),
    /// The API answered with a redirect to another host.
    RedirectElsewhere {
        /// Scheme, host and port.
        host: String,
    },
    /// The answer is encoded in a way that cannot be looked through for secrets.
    Encoding(String),
    /// Audit lines cannot be written as fast as requests come.
    Busy,
}

/// Why there is no access token, in words that were made where the connection is.
#[derive(Debug, Clone)]
pub struct Failure {
    /// The failure's document.
    pub document: String,
    /// Its stable code.
    pub code: &'static str,
    /// Seconds until it is worth trying again, where that is known.
    pub retry_after: Option<u64>,
}

impl Refusal {
    /// The status that says it.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::ForeignHost => StatusCode::MISDIRECTED_REQUEST,
            Self::NoSecret | Self::WrongSecret => StatusCode::UNAUTHORIZED,
            Self::FromBrowser
            | Self::MethodInQuery
            | Self::NotAllowed(_)
            | Self::MissingScope { .. } => StatusCode::FORBIDDEN,
            Self::Path(_) | Self::Target(_) | Self::Body => StatusCode::BAD_REQUEST,
            Self::Trace => StatusCode::METHOD_NOT_ALLOWED,
            Self::Tunnel | Self::Upgrade => StatusCode::NOT_IMPLEMENTED,
            Self::NoToken(_)
            | Self::NoProof
            | Self::TokenLate
            | Self::Closing
            | Self::Header(_)
            | Self::Busy => StatusCode::SERVICE_UNAVAILABLE,
            Self::NoAnswer(HttpError::TimedOut { .. }) => StatusCode::GATEWAY_TIMEOUT,
            Self::NoAnswer(_) | Self::RedirectElsewhere { .. } | Self::Encoding(_) => {
                StatusCode::BAD_GATEWAY
            }
        }
    }

    /// When to come back, in seconds.
    pub fn retry_after(&self) -> Option<u64> {
        match self {
            Self::NoToken(failure) => failure.retry_after,
            Self::Busy => Some(1),
            _ => None,
        }
    }
}
