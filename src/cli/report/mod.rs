//! Every error becomes what happened, why, what to do next, and an exit code: here and nowhere else.
//!
//! Each function is one exhaustive match over the errors of one room, so that a new error does
//! not compile until its advice is written. Advice is printed only if it would work.

mod account;
mod call;
mod client_key;
mod curl;
mod device;
mod establish;
pub mod exec;
mod fresh;
pub mod helper;
mod identity;
mod keeping;
mod kept_secret;
mod left;
mod limits;
mod profile;
mod proxy;
mod pushed;
mod recipes;
mod registration;
mod sealed;
mod shaped;
mod step_up;
mod store;
mod sync;
mod sync_end;
mod webhook;

use serde_json::{Map, Value, json};

use super::command_line::{Given, Plus};

pub use call::{call, item, list, refusal, request};
pub use client_key::client_key;
pub use curl::{curl_keeps, curl_takes};
pub use establish::{establish, reserved_parameter};
pub use fresh::{fresh, missing_value};
pub use identity::{identity, introspect, introspected, userinfo};
pub use keeping::keeping;
pub use kept_secret::put_right;
pub use left::{interrupted, left};
pub use profile::{client_id, profile, provider_file, scope, setting};
pub use proxy::{grant, listening, proxied, proxy_ended, rule, secret_file};
pub use registration::{
    has_a_client, no_registration, register_or_environment, registered_elsewhere, registered_key,
    registration, registration_change, registration_lacks, unregistration,
};
pub use sealed::{blob, blob_key, provider_collision, rolled_meanwhile};
pub use shaped::{
    answer_too_large, envelope, jq_failed, jq_not_understood, no_envelope, not_pageable, page,
    pages,
};
pub use store::{for_me_alone, lock, store, store_of};
pub use webhook::{
    answered, no_scheme, not_bound, receiving, unsignable, unverified, webhook_header, webhook_key,
    webhook_secret_missing,
};

pub use recipes::{
    examples, jq_words, no_answer, no_number, not_taken, nothing_to_keep, parameter_missing,
    parameter_unknown, recipe_answer, recipe_body, recipe_cut_short, recipe_filter, recipe_line,
    recipe_not_understood, recipe_scopes, recipe_takes_parameters, secret_not_kept, unknown_recipe,
};
pub use sync::{app_filter, filter, no_app_filter, no_sync_words, sync};

use crate::connection::Leaves;
use crate::http::error_response::ErrorResponse;
use crate::http::printable::{harmless, printable};
use crate::http::{HttpError, IdentityError};
use crate::provider::schema::Flow;

/// What a command exits with; relied on from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Done.
    Done = 0,
    /// An unexpected fault.
    Unexpected = 1,
    /// The command line was not understood.
    Usage = 2,
    /// Set-up.
    SetUp = 3,
    /// A person must authorise.
    AuthorizationNeeded = 4,
    /// Authorization refused.
    Refused = 5,
    /// Store or lock.
    Store = 6,
    /// Try later.
    TryLater = 7,
    /// The API refused the call.
    ApiRefused = 8,
    /// The API failed.
    ApiFailed = 9,
    /// `exec`: the command is there and cannot be run.
    NotStarted = 126,
    /// `exec`: there is no such command.
    NotFound = 127,
    /// Interrupted.
    Interrupted = 130,
}

/// A failure as a person or a script meets it.
#[derive(Debug, Clone)]
pub struct Report {
    /// Stable, for scripts.
    pub code: &'static str,
    /// What happened.
    pub message: String,
    /// Why.
    pub causes: Vec<String>,
    /// What to do, one sentence.
    pub hint: Option<String>,
    /// Commands to paste.
    pub next: Vec<String>,
    /// What the command exits with.
    pub exit: Exit,
    /// The provider's status.
    pub http_status: Option<u16>,
    /// The provider's code.
    pub oauth_error: Option<String>,
    /// When to come back.
    pub retry_after_seconds: Option<u64>,
    /// The key that makes a repetition safe.
    pub idempotency_key: Option<String>,
}

/// How a command line names the save command.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum SavingFlags {
    /// Not at all: the environment or a file does, and will again.
    #[default]
    None,
    /// With these flags, each word quoted and a space before each.
    Given(String),
    /// On several lines, which cannot stand in one to paste.
    OnLines,
}

/// What advice may take for granted.
#[derive(Debug, Clone, Default)]
pub struct Situation {
    /// The profile, where there is one.
    pub profile: String,
    /// The provider's title.
    pub provider: String,
    /// Whether a person sits at a terminal.
    pub person: bool,
    /// The flags of this command line that name a save command and its key.
    pub saving: SavingFlags,
    /// Whether the profile is connected, so that a secret can be put right without authorising again.
    pub connected: bool,
    /// Whether the client secret is the environment's, which stands before the stored one.
    pub secret_of_environment: bool,
    /// Whether the profile's tokens are made elsewhere and imported.
    pub imports: bool,
    /// Whether the tokens are the client's own, and nobody's rights are behind them.
    pub is_the_client: bool,
    /// Whether the provider has a table of scopes.
    pub has_scopes: bool,
    /// The flags of this command line that no file says yet.
    pub given: Given,
    /// The flags that make the profile anew where it was removed.
    pub anew: Given,
    /// The settings that the command line has otherwise than the profile, for once.
    pub set_for_once: Vec<String>,
    /// How the tokens were to be had, where that is what failed.
    pub flow: Option<Flow>,
    /// Where the browser was to come back to, where there is a browser in it.
    pub redirect_uri: Option<String>,
    /// The provider's settings.
    pub settings: Vec<String>,
    /// What comes with the provider's tokens.
    pub contexts: Vec<String>,
    /// The names of all values that there are.
    pub known: Vec<String>,
    /// The scopes that were granted, where that is known.
    pub granted: Option<Vec<String>>,
    /// The only scopes that can be asked for, where the provider's table has them all.
    pub scopes: Option<Vec<String>>,
    /// Settings whose values the vendor lists, and the path of each list.
    pub lists: Vec<(String, String)>,
    /// What is left where no connection comes to be.
    pub leaves: Leaves,
}

impl Situation {
    /// The command that authorises again.
    pub fn connect(&self) -> String {
        self.connect_with(&[])
    }

    /// The same with what the advice adds.
    pub fn connect_with(&self, plus: Plus<'_>) -> String {
        self.given.command(self.verb(), &self.profile, plus)
    }

    /// The command that connects once the profile was removed.
    pub fn connect_anew(&self) -> String {
        self.anew.command(self.verb(), &self.profile, &[])
    }

    /// Whether `connect` takes a scope.
    pub fn may_ask_for(&self, scope: &str) -> bool {
        self.scopes.as_ref().is_none_or(|all| all.iter().any(|it| it == scope))
    }

    fn verb(&self) -> &'static str {
        if self.imports { "import" } else { "connect" }
    }
}

impl Report {
    /// A failure without anything but its name.
    pub fn new(exit: Exit, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            causes: Vec::new(),
            hint: None,
            next: Vec::new(),
            exit,
            http_status: None,
            oauth_error: None,
            retry_after_seconds: None,
            idempotency_key: None,
        }
    }

    /// A command line that was not understood.
    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, "usage", message)
    }

    /// A fault nobody expected.
    pub fn unexpected(message: impl Into<String>) -> Self {
        Self::new(Exit::Unexpected, "unexpected", message)
    }

    /// Adds a reason.
    pub fn cause(mut self, cause: impl Into<String>) -> Self {
        self.causes.push(cause.into());
        self
    }

    /// Says what to do.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Adds a command to paste.
    pub fn next(mut self, command: impl Into<String>) -> Self {
        self.next.push(command.into());
        self
    }

    /// Adds what the provider said: its code, its words, what is wrong field by field.
    pub fn vendor(mut self, error: &ErrorResponse) -> Self {
        self.http_status = Some(error.status);
        self.oauth_error = error.code.as_deref().map(printable);
        self.retry_after_seconds = error.retry_after.map(|wait| wait.as_secs());
        let code = error.code.as_deref().map(printable).unwrap_or_else(|| "no error code".into());
        self.causes.push(format!("it answered {code} (HTTP {})", error.status));
        if let Some(description) = &error.description {
            self.causes.push(format!("\"{}\"", printable(description)));
        }
        self.causes.extend(error.fields.iter().map(|field| printable(field)));
        if let Some(id) = &error.request_id {
            self.causes.push(format!("request id {}", printable(id)));
        }
        self
    }

    /// The document of `--json`; keys that are not known are left out.
    pub fn document(&self) -> Value {
        let mut error = Map::new();
        error.insert("code".into(), json!(self.code));
        error.insert("message".into(), json!(self.message));
        error.insert("causes".into(), json!(self.causes));
        let steps: Vec<&String> = self.hint.iter().chain(&self.next).collect();
        error.insert("next".into(), json!(steps));
        error.insert("exit".into(), json!(self.exit as u8));
        let known = [
            ("http_status", self.http_status.map(Value::from)),
            ("oauth_error", self.oauth_error.clone().map(Value::from)),
            ("retry_after_seconds", self.retry_after_seconds.map(Value::from)),
            ("idempotency_key", self.idempotency_key.clone().map(Value::from)),
        ];
        for (key, value) in known {
            if let Some(value) = value {
                error.insert(key.into(), value);
            }
        }
        json!({ "error": error })
    }

    /// The lines for a person.
    pub fn lines(&self, paint: Paint) -> Vec<String> {
        let line = |label: String, text: &str| format!("{label} {}", harmless(text));
        let mut lines = vec![line(paint.red("error:"), &self.message)];
        lines.extend(self.causes.iter().map(|cause| line(paint.dim("cause:"), cause)));
        if let Some(key) = &self.idempotency_key {
            lines.push(line(paint.dim("note: "), &format!("Idempotency-Key {key}")));
        }
        if let Some(hint) = &self.hint {
            lines.push(line(paint.green("hint: "), hint));
        } else if !self.next.is_empty() {
            lines.push(line(paint.green("hint: "), "run"));
        }
        lines.extend(self.next.iter().map(|command| line(" ".repeat(6), command)));
        lines
    }
}

/// Colours, or none.
#[derive(Debug, Clone, Copy)]
pub struct Paint(pub bool);

impl Paint {
    fn with(self, code: &str, text: &str) -> String {
        match self.0 {
            true => format!("\u{1b}[{code}m{text}\u{1b}[0m"),
            false => text.to_owned(),
        }
    }

    /// Red and bold.
    pub fn red(self, text: &str) -> String {
        self.with("1;31", text)
    }

    /// Green.
    pub fn green(self, text: &str) -> String {
        self.with("32", text)
    }

    /// Yellow.
    pub fn yellow(self, text: &str) -> String {
        self.with("33", text)
    }

    /// Dim.
    pub fn dim(self, text: &str) -> String {
        self.with("2", text)
    }
}

/// A request without an answer.
pub fn http(what: &str, error: &HttpError) -> Report {
    let (exit, code, hint) = match error {
        HttpError::Dns { .. } | HttpError::Refused { .. } | HttpError::Unreachable { .. } => {
            (Exit::TryLater, "network", "check the network and the host, then try again")
        }
        HttpError::TimedOut { .. } => (Exit::TryLater, "timeout", "try again later"),
        HttpError::Reset { .. }
        | HttpError::NotTaken { .. }
        | HttpError::CutOff { .. }
        | HttpError::Malformed { .. } => (Exit::TryLater, "network", "try again"),
        HttpError::BodyTooLarge { .. } | HttpError::Other { .. } => {
            (Exit::TryLater, "network", "try again later")
        }
        HttpError::Proxy { .. } => {
            (Exit::TryLater, "proxy", "check HTTPS_PROXY and NO_PROXY, then try again")
        }
        HttpError::ProxyNotUnderstood { .. } => {
            (Exit::SetUp, "proxy", "nothing was sent; name the proxy as it is, or none")
        }
        HttpError::Tls { .. } => (
            Exit::TryLater,
            "tls",
            "if a proxy of your network signs certificates, add its certificate: --cacert FILE",
        ),
        HttpError::AuthorityAsServer { .. } => (
            Exit::TryLater,
            "tls",
            "no --cacert makes it a server's: the server needs one with CA:FALSE (openssl req -x509 -addext basicConstraints=critical,CA:FALSE)",
        ),
        HttpError::Certificates { .. } => {
            (Exit::SetUp, "certificates", "name a readable PEM file with --cacert or SSL_CERT_FILE")
        }
        HttpError::Identity { problem } => {
            (Exit::SetUp, "client-certificate", client_certificate(problem))
        }
        HttpError::InsecureUrl { .. } => {
            (Exit::SetUp, "insecure-url", "use https; plain http is only for loopback addresses")
        }
        HttpError::Inward { .. } => (
            Exit::SetUp,
            "inward-address",
            "nothing was sent; if the server is meant to be there, describe it in a provider file of your own",
        ),
        HttpError::InvalidRequest { .. } | HttpError::RequestBody { .. } => {
            (Exit::Usage, "usage", "correct the request and try again")
        }
    };
    let report = Report::new(exit, code, what).cause(printable(&error.to_string())).hint(hint);
    match error {
        HttpError::ProxyNotUnderstood { variable } => report.next(format!("unset {variable}")),
        _ => report,
    }
}

fn client_certificate(problem: &IdentityError) -> &'static str {
    match problem {
        IdentityError::Unreadable(_) | IdentityError::NoCertificate | IdentityError::NoKey => {
            "name PEM files with the certificate chain and its private key"
        }
        IdentityError::NotPem => "make PEM of it: openssl pkcs12 -in FILE.p12 -out FILE.pem -noenc",
        IdentityError::EncryptedKey => {
            "take the passphrase off, into a file that only you can read: openssl pkey -in FILE -out FILE.key"
        }
        IdentityError::OldCertificate => {
            "have a certificate of version 3 made, for instance with openssl x509 -req -extfile"
        }
        IdentityError::Refused(_) => {
            "see until when it is good (openssl x509 -noout -dates -in FILE), and ask the vendor which authority must have signed it"
        }
        IdentityError::Unusable(_) => "check that the private key belongs to the certificate",
    }
}

/// Seconds as a person reads them.
pub fn span(seconds: u64) -> String {
    match seconds {
        0..=119 => format!("{seconds} s"),
        120..=7199 => format!("{} min", seconds / 60),
        7200..=172_799 => format!("{} h", seconds / 3600),
        _ => format!("{} days", seconds / 86_400),
    }
}
