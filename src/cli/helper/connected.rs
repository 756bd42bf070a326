//! What every protocol needs: whose host is asked for, and a token that is good now.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};
use url::Url;

use super::super::context::Context;
use super::super::report::{self, Report, Situation};
use super::super::token::good;
use crate::connection::{Connection, Entry, FreshError, Wanted};
use crate::resource_server::authorization::{header_lines, without_proof};
use crate::resource_server::request::RequestError;
use crate::resource_server::{OwnHosts, TargetError};
use crate::secret::Secret;
use crate::token_set::TokenSet;

/// A token that is younger and refused is refused for another reason than its age.
const YOUNG: SignedDuration = SignedDuration::from_secs(60);

/// The server that a program wants a credential for.
pub enum Asked<'a> {
    /// The whole address.
    Address(&'a Url),
    /// Its name alone.
    Server {
        /// Where it is known.
        scheme: Option<&'a str>,
        /// `host` or `host:port`.
        authority: &'a str,
    },
}

/// The connection of a profile and the hosts that its tokens belong to.
pub struct Connected<'a> {
    context: &'a Context<'a>,
    connection: &'a Connection<'a>,
    about: Situation,
    /// The provider's own hosts.
    pub hosts: OwnHosts,
    /// Whether somebody has authorised the profile.
    pub is_connected: bool,
}

/// A token that is good now.
pub struct Credential {
    /// The access token.
    pub token: Secret,
    /// The scheme it is shown with, `Bearer` as a rule.
    pub scheme: String,
    /// When it ends; unknown where nobody said.
    pub expires_at: Option<Timestamp>,
}

/// Runs `work` with the connection of a profile; nothing is read from the store yet.
pub fn with_connected<T>(
    context: &Context<'_>,
    profile: Option<&str>,
    work: impl FnOnce(&Connected<'_>) -> Result<T, Report>,
) -> Result<T, Report> {
    let chosen = context.chosen(profile)?;
    let about = chosen.situation(context.system);
    let is_connected = chosen.record.connected;
    context.with_connection(chosen, None, |connection| {
        let hosts = OwnHosts::of(&connection.provider.api, &connection.values)
            .map_err(|error| no_host(error, &about))?;
        work(&Connected { context, connection, about, hosts, is_connected })
    })
}

fn no_host(error: TargetError, about: &Situation) -> Report {
    report::request(&RequestError::Target(error), about)
}

impl Connected<'_> {
    /// Whether a server may be given the token.
    pub fn is_for(&self, asked: &Asked<'_>) -> bool {
        match asked {
            Asked::Address(url) => self.hosts.include(url),
            Asked::Server { scheme, authority } => self.hosts.include_server(*scheme, authority),
        }
    }

    /// The profile, for what a person is told.
    pub fn profile(&self) -> &str {
        self.connection.name()
    }

    /// A token that is good now, refreshed where it must be.
    pub fn credential(&self, least: Option<Duration>) -> Result<Credential, Report> {
        without_proof(&self.connection.provider.api)
            .map_err(|error| report::request(&RequestError::Authorization(error), &self.about))?;
        let tokens = self.tokens(&self.entry(least)?)?;
        Ok(Credential {
            token: tokens.access_token,
            scheme: self.connection.provider.api.authorization.scheme.clone(),
            expires_at: tokens.access_expires_at,
        })
    }

    /// Every header of a request by name, the token's among them, and when the token ends.
    pub fn headers(
        &self,
        least: Option<Duration>,
    ) -> Result<(Map<String, Value>, Option<Timestamp>), Report> {
        let entry = self.entry(least)?;
        let tokens = self.tokens(&entry)?;
        let values = self.connection.call_values(&entry);
        let lines = header_lines(&self.connection.provider.api, &values, &tokens.access_token)
            .map_err(|error| report::request(&RequestError::Authorization(error), &self.about))?;
        let headers = lines.iter().map(|(name, text)| (name.clone(), json!(text.expose())));
        Ok((headers.collect(), tokens.access_expires_at))
    }

    fn entry(&self, least: Option<Duration>) -> Result<Entry, Report> {
        good(self.context, self.connection, &Wanted::Good(least), &self.about)
    }

    fn tokens(&self, entry: &Entry) -> Result<TokenSet, Report> {
        entry.tokens.clone().ok_or_else(|| Report::unexpected("a connection without tokens"))
    }

    /// What a person is told whose configuration sends the token elsewhere.
    pub fn not_own(&self, server: &str) -> Report {
        let own: Vec<String> =
            self.hosts.origins().map(|own| own.origin().ascii_serialization()).collect();
        report::helper::not_own(self.profile(), server, &own)
    }

    /// Renews the token if it is the very one that a server has refused.
    ///
    /// One that is younger than a minute stays: the server refuses the connection, and rolling
    /// its tokens again and again would not change that.
    pub fn renew_refused(&self, refused: &Secret) -> Result<(), Report> {
        let report = |error| report::fresh(&error, &self.connection.provider, &self.about);
        let entry = match self.connection.entry() {
            Err(FreshError::NotConnected) => return Ok(()),
            entry => entry.map_err(report)?,
        };
        let now = self.context.system.clock.now();
        let is_young = |issued: Timestamp| now.duration_since(issued).abs() < YOUNG;
        if entry.tokens.as_ref().is_none_or(|tokens| is_young(tokens.issued_at)) {
            return Ok(());
        }
        let wanted = Wanted::NotThis(refused.clone());
        self.context.wait(self.connection.fresh_from(entry, &wanted))?.map_err(report)?;
        Ok(())
    }

    /// Whether a secret is the access token as it is stored.
    pub fn holds(&self, secret: &Secret) -> bool {
        let entry = self.connection.entry().ok();
        entry.and_then(|it| it.tokens).is_some_and(|it| it.access_token == *secret)
    }
}
