//! Who connected: the ID token is verified, userinfo asked where that is wanted, and what they say
//! becomes contexts of the tokens. An ID token that is wrong stops all of it.

use serde_json::{Map, Value};
use url::Url;

use super::{Brought, EstablishError};
use crate::authorization_server::authorization_request::OPENID;
use crate::authorization_server::id_token::{self, IdTokenError};
use crate::authorization_server::jose::jwks::{self, JwksError, Keys};
use crate::authorization_server::jose::verify;
use crate::authorization_server::userinfo::{self, BEARER, UserinfoError};
use crate::authorization_server::{ClientRegistration, dpop};
use crate::connection::entry::ShownAt;
use crate::connection::{Connection, Entry, FreshError, Notice, prover, server};
use crate::http::printable::printable;
use crate::http::{Answer, HttpError, Limits, Method, Request};
use crate::provider::openid_check::CLAIMS;
use crate::provider::schema::IdToken;
use crate::secret::Secret;
use crate::token_set::TokenSet;

/// What the sign-in was asked for, as far as the ID token must answer it.
#[derive(Debug, Clone, Default)]
pub(super) struct SignIn {
    /// The scopes of the request.
    pub scopes: Vec<String>,
    /// Where the request carried one.
    pub nonce: Option<Secret>,
    /// Seconds.
    pub max_age: Option<u64>,
    /// Where the client was proved on the way.
    pub shown_at: ShownAt,
}

/// What a person has just allowed.
pub(super) struct Granted {
    pub tokens: TokenSet,
    pub id_token: Option<Secret>,
}

/// Why it is not known who connected; nothing was stored.
#[derive(Debug)]
pub enum IdentityError {
    /// `openid` was asked for, and no ID token came (OpenID Connect Core section 3.1.3.3).
    Missing,
    /// It did not pass a check.
    Wrong(IdTokenError),
    /// The issuer's keys could not be had.
    Keys(KeysError),
}

/// Why there are no keys to check a signature with.
#[derive(Debug)]
pub enum KeysError {
    /// No answer.
    Http(HttpError),
    /// Another status than 200; a redirect is not followed.
    Status(u16),
    /// Not a set of keys.
    Unusable(JwksError),
}

/// Why userinfo was not used; the connection is made without it.
#[derive(Debug, Clone)]
pub enum UserinfoTrouble {
    /// No answer.
    Http(HttpError),
    /// An answer that is not to be used.
    Wrong(UserinfoError),
    /// It is signed, and the issuer's keys could not be had.
    NoKeys,
}

impl From<IdTokenError> for EstablishError {
    fn from(error: IdTokenError) -> Self {
        Self::Identity(IdentityError::Wrong(error))
    }
}

impl Connection<'_> {
    /// Stores what a person has just allowed, once it is known who that is; what is not stored is ended.
    pub(super) async fn store_identified(
        &self,
        granted: Granted,
        registration: &ClientRegistration,
        brought: &Brought,
        sign_in: &SignIn,
    ) -> Result<Entry, EstablishError> {
        let Granted { tokens, id_token } = granted;
        let given = tokens.clone();
        let identified = {
            // What was given is either stored or told to be left over, whatever signal comes.
            let _seen_through = self.system.critical.enter();
            self.identified(tokens, id_token, registration, sign_in).await
        };
        match identified {
            Ok(tokens) => {
                let shown_at = sign_in.shown_at.clone();
                self.store_granted(tokens, registration, brought, shown_at).await
            }
            Err(error) => {
                self.end_unidentified(given, registration).await;
                Err(error)
            }
        }
    }

    /// Adds to tokens what is known of the person; where `openid` was not asked for, an ID token
    /// is neither needed nor trusted.
    pub(super) async fn identified(
        &self,
        mut tokens: TokenSet,
        id_token: Option<Secret>,
        registration: &ClientRegistration,
        asked: &SignIn,
    ) -> Result<TokenSet, EstablishError> {
        if !asked.scopes.iter().any(|scope| scope == OPENID) {
            return Ok(tokens);
        }
        let Some(rules) = self.provider.id_token.clone() else {
            (self.notify)(Notice::NotIdentified);
            return Ok(tokens);
        };
        let Some(id_token) = id_token else {
            return match rules.required {
                true => Err(EstablishError::Identity(IdentityError::Missing)),
                false => Ok(tokens),
            };
        };
        let issuer = self.issuer()?.unwrap_or_default();
        let mut source = KeySource::new(self, &rules)?;
        let read = verify::read(&id_token, &rules.algorithms).map_err(IdTokenError::from)?;
        let mut verified = read.verified(source.keys().await?);
        if verified.as_ref().is_err_and(|error| error.may_be_rotation()) {
            verified = read.verified(source.newer_keys().await?);
        }
        let claims = verified.map_err(IdTokenError::from)?;
        let expected = id_token::Expected {
            issuer: &issuer,
            client_id: &registration.client_id,
            audiences: &rules.audiences,
            nonce: asked.nonce.as_ref(),
            max_age: asked.max_age,
            access_token: &tokens.access_token,
            leeway: rules.leeway,
            now: self.system.clock.now(),
        };
        let subject = id_token::judge(claims, read.algorithm, &expected)?.to_owned();
        adopt(&mut tokens, claims);
        let expected = userinfo::Expected {
            subject: &subject,
            issuer: &issuer,
            client_id: &registration.client_id,
            algorithms: &rules.algorithms,
        };
        match self.userinfo(&tokens.access_token, &mut source, &expected).await? {
            Some(Ok(claims)) => adopt(&mut tokens, &claims),
            Some(Err(trouble)) => (self.notify)(Notice::UserinfoDiscarded(trouble)),
            None => {}
        }
        Ok(tokens)
    }

    /// The issuer, with the settings in it.
    pub(in crate::connection) fn issuer(&self) -> Result<Option<String>, EstablishError> {
        let issuer = self.provider.discovery.as_ref().and_then(|it| it.issuer.as_ref());
        Ok(issuer.map(|template| self.values.render_url(template)).transpose()?)
    }

    /// What the userinfo endpoint says; `None` where nobody wants to know.
    async fn userinfo(
        &self,
        access_token: &Secret,
        source: &mut KeySource<'_, '_>,
        expected: &userinfo::Expected<'_>,
    ) -> Result<Option<Result<Map<String, Value>, UserinfoTrouble>>, EstablishError> {
        let wanted =
            |it: &&crate::provider::schema::Userinfo| it.at_connect || self.profile.userinfo;
        let Some(endpoint) = self.provider.userinfo.as_ref().filter(wanted) else {
            return Ok(None);
        };
        let url = self.endpoint(&endpoint.url)?;
        let answer = match self.ask_userinfo(&url, access_token).await? {
            Ok(answer) => answer,
            Err(error) => return Ok(Some(Err(UserinfoTrouble::Http(error)))),
        };
        // The keys that verified the ID token are there already.
        let judged = match source.keys().await {
            Ok(keys) => userinfo::judge(&answer, keys, expected),
            Err(_) => return Ok(Some(Err(UserinfoTrouble::NoKeys))),
        };
        let is_rotation = |error: &UserinfoError| matches!(error, UserinfoError::Signature(error) if error.may_be_rotation());
        let judged = match judged {
            Err(error) if is_rotation(&error) => match source.newer_keys().await {
                Ok(keys) => userinfo::judge(&answer, keys, expected),
                Err(_) => return Ok(Some(Err(UserinfoTrouble::NoKeys))),
            },
            judged => judged,
        };
        Ok(Some(judged.map_err(UserinfoTrouble::Wrong)))
    }

    /// Asks with the token, and with a proof where it is bound to a key; once more where only that was refused.
    async fn ask_userinfo(
        &self,
        url: &Url,
        access_token: &Secret,
    ) -> Result<Result<Answer, HttpError>, EstablishError> {
        let (http, tracing) = (self.http()?, self.tracing());
        let named_by = self.provider.named_by(&self.values)?;
        let Some(prover) = self.new_prover()? else {
            let bearer = userinfo::request(url.clone(), BEARER, access_token).named_by(named_by);
            return Ok(server::fetch(http, bearer, &tracing, limits()).await);
        };
        let system = self.system;
        let proven = || {
            let about = prover::Request { method: "GET", url, access_token: Some(access_token) };
            let proof = prover.header(&about, system.clock.now(), &*system.random);
            let request = userinfo::request(url.clone(), dpop::SCHEME, access_token);
            let request = request.named_by(named_by.clone());
            proof.map(|proof| request.secret_header(dpop::PROOF, proof))
        };
        let mut answer = None;
        for _ in 0..2 {
            let request = proven().map_err(|_| FreshError::NoKey)?;
            let sent = server::fetch(http, request, &tracing, limits()).await;
            let again = sent.as_ref().is_ok_and(|answer| {
                prover.learns(url, &answer.headers, system.clock.now())
                    && prover::refuses_the_proof(answer.status, &answer.headers)
            });
            answer = Some(sent);
            if !again {
                break;
            }
        }
        answer.ok_or(EstablishError::Fresh(FreshError::NoKey))
    }

    fn endpoint(&self, template: &str) -> Result<Url, EstablishError> {
        let url = self.values.render_url(template)?;
        Url::parse(&url).map_err(|_| {
            let detail = "an endpoint of the authorization server is no URL".into();
            EstablishError::Http(HttpError::InvalidRequest { detail })
        })
    }
}

/// The issuer's keys: fetched when they are needed, and once more where they may have changed.
struct KeySource<'c, 's> {
    connection: &'c Connection<'s>,
    url: Url,
    keys: Option<Keys>,
    /// A server that always names other keys is not asked without end.
    asked_again: bool,
}

impl<'c, 's> KeySource<'c, 's> {
    fn new(connection: &'c Connection<'s>, rules: &IdToken) -> Result<Self, EstablishError> {
        let url = connection.endpoint(&rules.jwks_url)?;
        Ok(Self { connection, url, keys: None, asked_again: false })
    }

    async fn keys(&mut self) -> Result<&Keys, EstablishError> {
        if self.keys.is_none() {
            self.keys = Some(self.fetch(false).await?);
        }
        Ok(self.keys.get_or_insert_default())
    }

    /// The keys as they are now; the ones that are there, where they were asked for again already.
    async fn newer_keys(&mut self) -> Result<&Keys, EstablishError> {
        if !self.asked_again {
            self.asked_again = true;
            self.keys = Some(self.fetch(true).await?);
        }
        self.keys().await
    }

    async fn fetch(&self, past_caches: bool) -> Result<Keys, EstablishError> {
        let failed = |error| EstablishError::Identity(IdentityError::Keys(error));
        let connection = self.connection;
        let mut request = Request::new(Method::GET, self.url.clone())
            .header("Accept", "application/jwk-set+json, application/json")
            .named_by(connection.provider.named_by(&connection.values)?);
        if past_caches {
            request = request.header("Cache-Control", "no-cache");
        }
        let limits = Limits { max_body: jwks::LARGEST, ..limits() };
        let answer = server::fetch(connection.http()?, request, &connection.tracing(), limits)
            .await
            .map_err(|error| failed(KeysError::Http(error)))?;
        match answer.status {
            200 => Keys::read(&answer.body).map_err(|error| failed(KeysError::Unusable(error))),
            status => Err(failed(KeysError::Status(status))),
        }
    }
}

/// As long as a token request: the browser waits for the outcome, and so does `docker stop`.
fn limits() -> Limits {
    Limits { total: server::TOKEN_REQUEST_TIME, ..Limits::default() }
}

/// Takes over what is there of the claims that `status` shows; what is known already stays.
fn adopt(tokens: &mut TokenSet, claims: &Map<String, Value>) {
    for name in CLAIMS {
        let text = claims.get(name).and_then(Value::as_str).map(printable).unwrap_or_default();
        if !text.is_empty() {
            tokens.contexts.entry(name.to_owned()).or_insert(Value::String(text));
        }
    }
}
