//! A profile, authorised: how a connection comes to be, stays good, is used and ends.
//!
//! `establish` runs the provider's flow, `fresh` gives an access token that is good now and is
//! the only place that refreshes, `call` sends with it, `end` revokes and forgets.

pub mod blob;
pub mod call;
mod certificate;
pub mod cooldown;
pub mod deliveries;
pub mod drawer;
mod elsewhere;
mod elsewhere_named;
pub mod end;
pub mod entry;
pub mod establish;
pub mod export;
pub mod fresh;
pub mod identity;
pub mod introspect;
pub mod keeping;
mod known_client;
pub mod leftover;
pub mod organization;
mod other_key;
pub mod pace;
pub mod pages;
pub mod prover;
mod refused_for_good;
mod refused_renewal;
pub mod registered_client;
pub mod registration;
pub mod roll;
pub mod saving;
mod server;
pub mod share;
pub mod sync;
mod unfit_update;
#[cfg(unix)]
pub mod worker;

use std::cell::{Cell, OnceCell};
use std::path::PathBuf;

use url::Url;

pub use drawer::Drawer;
use entry::Bound;
pub use entry::Entry;
pub use fresh::{FreshError, Wanted};
use saving::Saving;

use crate::http::{Client, HttpError};
use crate::profile::{Profile, settings};
use crate::provider::{MissingValue, Provider, Values};
use crate::secret::Secret;
use crate::store::StoreError;
use crate::store::lock::Holder;
use crate::system::System;

/// One profile with everything that is needed to use it.
pub struct Connection<'a> {
    /// The outside.
    pub system: &'a System,
    /// The vendor.
    pub provider: Provider,
    /// What the user said.
    pub profile: Profile,
    /// Settings and their defaults.
    pub values: Values,
    /// Public; from flag, environment or profile.
    pub client_id: Option<String>,
    /// Where the connection is kept.
    pub drawer: Drawer,
    /// Hears what a person may want to know.
    pub notify: &'a dyn Fn(Notice),
    /// How much of the traffic is told.
    pub verbose: u8,
    /// Hears the traffic.
    trace_sink: &'a dyn Fn(String),
    /// Hears every entry that is read or made, before anything is told: where secrets must be masked.
    pub hears_entries: Option<&'a dyn Fn(&Entry)>,
    /// Says where a refreshed connection is saved; asked only when one is to be refreshed.
    pub make_saving: Option<&'a dyn Fn() -> Result<Option<Saving>, StoreError>>,
    saving: OnceCell<Option<Saving>>,
    http: OnceCell<Client>,
    pub(super) keys: prover::Keys,
    certificate: certificate::Held,
    /// Whether tokens of a new authorization were stored.
    has_stored: Cell<bool>,
    make_http: &'a dyn Fn() -> Result<Client, HttpError>,
}

/// Who hears what happens on the way.
#[derive(Clone, Copy)]
pub struct Ears<'a> {
    /// Hears what a person may want to know.
    pub notify: &'a dyn Fn(Notice),
    /// How much of the traffic is told.
    pub verbose: u8,
    /// Hears the traffic.
    pub trace: &'a dyn Fn(String),
}

/// Something that happened on the way and is no failure.
#[derive(Debug, Clone)]
pub enum Notice {
    /// Another process is at it.
    WaitingForLock(Option<Holder>),
    /// Tokens came from the journal of a command that was cut short.
    Recovered,
    /// A refresh did not succeed, and the access token still serves.
    ServedOld,
    /// A refused call is sent again with a new token.
    CallRefused,
    /// A call is sent again after a wait.
    Waiting {
        /// In seconds.
        seconds: f64,
        /// What the server answered, or what failed.
        why: String,
    },
    /// The answer is the stored one of an earlier identical write.
    Replayed,
    /// A vendor's limit is used up.
    Pacing {
        /// Until the next request may go, in seconds.
        seconds: f64,
        /// Requests a minute, where the vendor says how many.
        per_minute: Option<u32>,
    },
    /// A vendor's limit cannot be counted together with other processes.
    CountsAlone(String),
    /// The URL a person opens, and what to know about it.
    OpenThis(Box<OpenThis>),
    /// The code a person types elsewhere, and what to know about it.
    EnterCode(Box<EnterCode>),
    /// A browser was started or not.
    BrowserNotStarted(String),
    /// A pasted value was no answer.
    PasteRefused(String),
    /// The provider granted less than was asked for.
    GrantedLess(Vec<String>),
    /// No refresh token came.
    NoRefreshToken,
    /// An import holds no refresh token, and nobody was asked for one.
    NoneImported,
    /// An import lacks what comes with the vendor's own answer, by its name.
    ContextNotImported(String),
    /// What a token exchange issued, by its type.
    Issued(String),
    /// `openid` was asked for, and the provider file does not say how an ID token is checked.
    NotIdentified,
    /// What the userinfo endpoint said was not used.
    UserinfoDiscarded(establish::identified::UserinfoTrouble),
    /// The provider names another account than whoever imported the tokens did.
    AccountCorrected {
        /// What was claimed.
        was: identity::Identity,
        /// What the provider says.
        is: identity::Identity,
    },
    /// A grant that nothing here holds any more was to be ended at the provider.
    Leftover {
        /// Which one.
        which: leftover::Leftover,
        /// Whether the provider did it.
        ended: bool,
    },
    /// Another process of the same profile is connecting.
    WaitingForConnect(Option<Holder>),
    /// The API's refusal points to metadata on another host, which is not followed.
    MetadataElsewhere {
        /// The host it names.
        named: String,
        /// The host that this connection's tokens come from.
        trusted: String,
    },
    /// A registration was begun earlier, and its end is not known.
    RegistrationCutShort {
        /// When it began.
        at: jiff::Timestamp,
    },
    /// A client that waited for its first tokens is one of the server's no more.
    WaitingClientGone,
    /// The server did not know the client by its key; the next command uses another one that it may know.
    OtherKeyNext,
    /// A registration token is refused, and a later one may have come with an answer that was lost.
    RegistrationUpdateLost {
        /// When that was asked for.
        at: jiff::Timestamp,
    },
}

/// What a person needs to authorise.
#[derive(Debug, Clone)]
pub struct OpenThis {
    /// The authorization URL.
    pub url: Url,
    /// What will be asked for.
    pub scopes: Vec<String>,
    /// Where the browser comes back to.
    pub redirect_uri: String,
    /// Whether keyfob starts a browser; else why not.
    pub browser: Result<(), String>,
    /// The loopback port, for a tunnel.
    pub port: Option<u16>,
    /// Whether a paste is accepted.
    pub paste: bool,
    /// Seconds the code lives, where the vendor says so.
    pub code_lifetime: Option<u64>,
    /// Whether the provider has a flow without a browser on this machine.
    pub device_flow: bool,
    /// Seconds in which the URL can be opened, where it was pushed.
    pub good_for: Option<u64>,
    /// How long it is waited, in seconds.
    pub seconds: u64,
    /// What is left where nothing comes of it.
    pub leaves: Leaves,
}

/// What a command leaves behind that ends without a connection.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Leaves {
    /// All is as it was before.
    #[default]
    Nothing,
    /// What it registered at the server, or changed there; the profile names it.
    Registration,
}

/// What a person needs to authorise on another device.
#[derive(Debug, Clone)]
pub struct EnterCode {
    /// What was asked for.
    pub scopes: Vec<String>,
    /// What is typed there; safe for a terminal.
    pub user_code: String,
    /// Where it is typed.
    pub verification_uri: Url,
    /// The same with the code in it.
    pub complete: Option<Url>,
    /// How long it is waited, in seconds.
    pub seconds: u64,
    /// Whether the Enter key opens the page here.
    pub opens: bool,
    /// What is left where nothing comes of it.
    pub leaves: Leaves,
}

impl<'a> Connection<'a> {
    /// Puts a connection together; nothing is read, parsed or connected yet.
    pub fn new(
        system: &'a System,
        provider: Provider,
        profile: Profile,
        client_id: Option<String>,
        drawer: Drawer,
        ears: Ears<'a>,
        make_http: &'a dyn Fn() -> Result<Client, HttpError>,
    ) -> Self {
        let Ears { notify, verbose, trace: trace_sink } = ears;
        let mut provider = profile.at(provider);
        let values = settings::values(&provider, &profile.settings, client_id.as_deref());
        let http = OnceCell::new();
        prover::bind(&mut provider, &profile);
        Self {
            system,
            provider,
            profile,
            values,
            client_id,
            drawer,
            notify,
            verbose,
            trace_sink,
            hears_entries: None,
            make_saving: None,
            saving: OnceCell::new(),
            http,
            keys: prover::Keys::default(),
            certificate: certificate::Held::default(),
            has_stored: Cell::new(false),
            make_http,
        }
    }

    /// Whether this command has stored tokens of a new authorization, whatever became of it afterwards.
    pub fn has_stored(&self) -> bool {
        self.has_stored.get()
    }

    /// Lets the secrets of an entry be known before anything is told.
    fn hear(&self, entry: &Entry) {
        if let Some(hears) = self.hears_entries {
            hears(entry);
        }
    }

    /// Tells lines of the traffic.
    fn trace(&self, lines: Vec<String>) {
        for line in lines {
            (self.trace_sink)(line);
        }
    }

    /// Who hears the traffic of token requests.
    fn tracing(&self) -> server::Tracing<'_> {
        server::Tracing { level: self.verbose, sink: self.trace_sink }
    }

    /// The profile's name.
    pub fn name(&self) -> &str {
        &self.drawer.name.profile
    }

    /// The one client of this command.
    pub fn http(&self) -> Result<&Client, FreshError> {
        if let Some(client) = self.http.get() {
            return Ok(client);
        }
        let client = self.own_http().map_err(FreshError::Http)?;
        Ok(self.http.get_or_init(|| client))
    }

    /// A client secret from the environment stands before the stored one.
    pub fn client_secret_override(&self) -> Option<Secret> {
        self.system.environment.get("KEYFOB_CLIENT_SECRET").map(Secret::new)
    }

    /// The lock of this connection; the file store's is beside its file.
    pub fn lock_path(&self) -> PathBuf {
        keeping::lock_path(&self.system.home, &self.drawer)
    }

    /// The endpoints that tokens of this profile may be sent to.
    pub fn bound(&self) -> Result<Bound, MissingValue> {
        Ok(Bound {
            token_endpoint: self.token_endpoint()?,
            api_origin: self.api_origin()?,
            revocation_endpoint: self.revocation_endpoint(),
            introspection_endpoint: self.introspection_endpoint(),
            other_hosts: Some(self.provider.api.hosts.clone()),
        })
    }

    fn token_endpoint(&self) -> Result<String, MissingValue> {
        self.values.render_url(&self.provider.token.url)
    }

    fn revocation_endpoint(&self) -> Option<String> {
        let revoke = self.provider.revoke.as_ref()?;
        self.values.render_url(&revoke.url).ok()
    }

    fn pushed_endpoint(&self) -> Option<String> {
        let pushed_url = self.provider.authorize.as_ref()?.pushed_url.as_ref()?;
        self.values.render_url(pushed_url).ok()
    }

    fn device_endpoint(&self) -> Option<String> {
        let device = self.provider.device.as_ref()?;
        self.values.render_url(&device.url).ok()
    }

    fn introspection_endpoint(&self) -> Option<String> {
        let introspect = self.provider.introspect.as_ref()?;
        self.values.render_url(&introspect.url).ok()
    }

    fn api_origin(&self) -> Result<String, MissingValue> {
        api_origin(&self.provider, &self.values)
    }

    /// Settings and contexts together, for paths and headers of calls.
    pub fn call_values(&self, entry: &Entry) -> Values {
        let mut values = self.values.clone();
        for (name, value) in entry.tokens.iter().flat_map(|tokens| &tokens.contexts) {
            match value {
                serde_json::Value::String(text) => values.set(name, text),
                other => values.set(name, other.to_string()),
            }
        }
        values
    }
}

/// Scheme, host and port of the resource server; what follows them may name values that are not known yet.
pub fn api_origin(provider: &Provider, values: &Values) -> Result<String, MissingValue> {
    let template = &provider.api.base_url;
    let start = template.find("://").map_or(0, |at| at + 3);
    let end = template[start..].find('/').map_or(template.len(), |at| at + start);
    let host = values.render(&template[..end])?;
    Ok(Url::parse(&host).map(|url| url.origin().ascii_serialization()).unwrap_or(host))
}
