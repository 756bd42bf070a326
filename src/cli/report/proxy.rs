//! What a person, and a program behind the proxy, is told about requests that were not passed on.

use std::io;
use std::path::Path;

use super::super::command_line;
use super::call::{missing_scope, request};
use super::fresh::{fresh, key_unreadable};
use super::{Exit, Report, Situation, http};
use crate::http::printable::printable;
use crate::provider::Provider;
use crate::proxy::allow::NotAllowed;
use crate::proxy::{GrantError, Refusal, RuleError, SECRET_HEADER};
use crate::resource_server::request::RequestError;

/// The proxy's own answer to a program: the failure's document, with words for whoever reads its log.
pub fn proxied(refusal: &Refusal, scopes: &[String], about: &Situation) -> Report {
    match refusal {
        Refusal::ForeignHost
        | Refusal::FromBrowser
        | Refusal::NoSecret
        | Refusal::WrongSecret
        | Refusal::Tunnel
        | Refusal::Trace
        | Refusal::Upgrade => stranger(refusal),
        Refusal::Path(error) => Report::usage(error.to_string())
            .hint("write the path plainly: what it says must be what the API reads"),
        Refusal::Target(error) => request(&RequestError::Target(error.clone()), about),
        Refusal::MethodInQuery => Report::new(
            Exit::Refused,
            "method-in-query",
            "the query names another method, as `_method` does",
        )
        .hint("send the request with the method that is meant, and without that parameter"),
        Refusal::NotAllowed(why) => not_allowed(*why),
        Refusal::MissingScope { needed } => {
            missing_scope(needed, scopes, about).cause("the request was not sent")
        }
        Refusal::Header(error) => request(&RequestError::Authorization(error.clone()), about),
        Refusal::Body => Report::usage("the body of the request did not arrive whole, or in time"),
        // Its document was made where the connection is.
        Refusal::NoToken(failure) => {
            Report::new(Exit::TryLater, failure.code, "there is no access token")
        }
        Refusal::NoProof => key_unreadable(about),
        Refusal::TokenLate => later("token-late", "the access token was not renewed in time"),
        Refusal::Closing => later("closing", "the proxy is about to end"),
        Refusal::Busy => later("busy", "audit lines cannot be written as fast as requests come"),
        Refusal::NoAnswer(error) => http(&format!("{} gave no answer", about.provider), error),
        Refusal::RedirectElsewhere { host } => Report::new(
            Exit::ApiRefused,
            "redirect-elsewhere",
            format!("{} answered with a redirect to {}", about.provider, printable(host)),
        )
        .hint("redirects that leave the API are not passed on"),
        Refusal::Encoding(encoding) => Report::new(
            Exit::ApiFailed,
            "encoded",
            format!("{} encoded its answer as {}", about.provider, printable(encoding)),
        )
        .hint("only plain answers and gzip can be looked through for secrets, and so passed on"),
    }
}

/// Who may not come in, or asks for what there is not.
fn stranger(refusal: &Refusal) -> Report {
    let refused = |code, message: &str| Report::new(Exit::Refused, code, message);
    match refusal {
        Refusal::ForeignHost => refused(
            "foreign-host",
            "this address is not the proxy's own, and requests to other hosts are not passed on",
        )
        .hint("use http://127.0.0.1 and the proxy's port as the base URL, not as an HTTP proxy"),
        Refusal::FromBrowser => refused("from-browser", "web pages may not use this proxy")
            .hint("Origin, Sec-Fetch-Site and preflights are refused, whatever they show"),
        Refusal::Tunnel => refused("no-tunnel", "this is a reverse proxy: there is no CONNECT")
            .hint("use its address as the base URL of the API"),
        Refusal::Trace => refused("no-trace", "TRACE is not passed on: it repeats the token"),
        Refusal::Upgrade => {
            refused("no-upgrade", "websockets and other upgrades are not passed on")
        }
        Refusal::NoSecret => {
            unknown("proxy-secret-missing", "the request does not show this proxy's secret")
        }
        _ => unknown("proxy-secret-wrong", "the request shows another secret than this proxy's"),
    }
}

fn unknown(code: &'static str, message: &str) -> Report {
    Report::new(Exit::Refused, code, message).hint(format!(
        "send the secret that `keyfob proxy` printed, as Authorization: Bearer SECRET or {SECRET_HEADER}: SECRET"
    ))
}

fn not_allowed(why: NotAllowed) -> Report {
    let refused = |message| Report::new(Exit::Refused, "not-allowed", message);
    match why {
        NotAllowed::NotListed => refused("the allow list of this proxy does not name this request")
            .hint("whoever starts the proxy can add it: --allow 'METHOD /PATH*'"),
        NotAllowed::ReadOnly => refused("this proxy only reads").hint(
            "a read that is a POST can be named by whoever starts it: --allow 'POST /PATH' beside --allow 'GET *'",
        ),
    }
}

fn later(code: &'static str, message: &str) -> Report {
    Report::new(Exit::TryLater, code, message).hint("try again later")
}

/// There is nothing to send with.
pub fn grant(error: &GrantError, provider: &Provider, about: &Situation) -> Report {
    match error {
        GrantError::Fresh(error) => fresh(error, provider, about),
        GrantError::Authorization(error) => {
            request(&RequestError::Authorization(error.clone()), about)
        }
        GrantError::Target(error) => request(&RequestError::Target(error.clone()), about),
        GrantError::Allow(error) => {
            request(&RequestError::Target(error.clone()), about).cause("that is a path of --allow")
        }
    }
}

/// A rule that is none.
pub fn rule(error: &RuleError, line: &str) -> Report {
    Report::usage(printable(&error.to_string()))
        .cause(format!("--allow {}", command_line::word(&printable(line))))
        .hint("write a method or *, and a path in which * stands for anything: --allow 'GET /orders*'")
}

/// The port cannot be had.
pub fn listening(error: &io::Error, port: u16) -> Report {
    let what = match port {
        0 => "no port of 127.0.0.1 can be had".to_owned(),
        port => format!("port {port} of 127.0.0.1 cannot be had"),
    };
    Report::new(Exit::SetUp, "port", what)
        .cause(printable(&error.to_string()))
        .hint("choose another port, or leave --port out")
}

/// The file for the secret cannot be written.
pub fn secret_file(error: &io::Error, path: &Path) -> Report {
    Report::new(Exit::SetUp, "secret-file", format!("{} cannot be written", path.display()))
        .cause(printable(&error.to_string()))
        .hint("name a file in a folder that can be written")
}

/// The proxy ended by itself.
pub fn proxy_ended(error: &io::Error) -> Report {
    Report::new(Exit::Unexpected, "proxy", "the proxy ended by itself")
        .cause(printable(&error.to_string()))
        .hint("start it again")
}
