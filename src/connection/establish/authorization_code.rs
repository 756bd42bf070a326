//! The code flow: the browser and the paste at the same time, whichever answers first.

use std::time::Duration;

use url::Url;

use super::identified::{Granted, SignIn};
use super::turn::Turn;
use super::{Brought, EstablishError};
use crate::authorization_server::authorization_request::{
    RequestError, Transaction, authorization_parameters, authorization_url, max_age, transaction,
};
use crate::authorization_server::authorization_response::{Judgement, NotOurs, judge};
use crate::authorization_server::pushed_request::{Pushed, parameters_of};
use crate::authorization_server::token_request::token_request;
use crate::authorization_server::{ClientRegistration, Grant};
use crate::connection::entry::ShownAt;
use crate::connection::{Connection, Entry, Leaves, Notice, OpenThis};
use crate::http::printable::printable;
use crate::provider::schema::{Authorize, Flow, ResponseMode};
use crate::secret::Secret;
use crate::user_agent::browser::{UnsafeUrl, safe_to_open};
use crate::user_agent::callback_query::CallbackQuery;
use crate::user_agent::page::Page;
use crate::user_agent::paste::{Pasted, parse_pasted};
#[cfg(unix)]
use crate::user_agent::paste_lane::{PasteLane, PasteMarks};
use crate::user_agent::redirect_uri::{Place, RedirectUri};
use crate::user_agent::redirection_endpoint::{RedirectionEndpoint, Reply, Verdict};

/// How the person is to be sent to the provider.
pub struct Way {
    /// Where the browser comes back to.
    pub redirect_uri: RedirectUri,
    /// Whether a browser is started; else why not.
    pub browser: Result<(), String>,
    /// Extra parameters of the authorization request.
    pub params: Vec<(String, String)>,
    /// The longest wait for the person.
    pub patience: Duration,
    /// What is left where nobody comes back.
    pub leaves: Leaves,
}

/// Where the browser is sent.
struct Address<'a> {
    url: &'a Url,
    /// In seconds, where it was pushed.
    good_for: Option<u64>,
}

/// What ended the wait.
struct Answered {
    judgement: Judgement,
    reply: Option<Reply>,
}

impl Connection<'_> {
    /// Sends the person to the provider and exchanges the code that comes back.
    pub async fn establish_with_code(
        &self,
        brought: &Brought,
        way: &Way,
    ) -> Result<Entry, EstablishError> {
        let registration = self.registration(brought)?;
        let authorize = self
            .provider
            .authorize
            .clone()
            .ok_or_else(|| EstablishError::Fresh(crate::connection::FreshError::CannotRenew))?;
        let _one_tab = match self.turn_to_connect(&registration, brought, way.patience).await? {
            Turn::Ours(lock) => lock,
            Turn::Over(entry) => return Ok(*entry),
        };
        let mut endpoint = self.listen(&way.redirect_uri, authorize.response_mode)?;
        let redirect_uri =
            endpoint.as_ref().map_or(&way.redirect_uri, RedirectionEndpoint::redirect_uri).clone();
        let mut transaction = transaction(
            &self.provider,
            &authorize,
            redirect_uri.as_str(),
            brought.scopes.clone(),
            brought.wanted.clone(),
            &*self.system.random,
        );
        transaction.dpop_jkt = self.new_prover()?.map(|prover| prover.thumbprint());
        transaction.issuer = self.issuer()?;
        let lane = self.paste_lane(authorize.response_mode);
        if endpoint.is_none() && lane.is_none() {
            let redirect_uri = redirect_uri.as_str().to_owned();
            return Err(EstablishError::NobodyToPaste { redirect_uri });
        }
        let (url, pushed) =
            self.address(&authorize, &registration, &transaction, brought, way).await?;
        let address = Address { url: &url, good_for: pushed.and_then(|it| it.expires_in) };
        self.send_person(address, &transaction, &authorize, way, endpoint.as_ref(), lane.is_some());
        let waited = tokio::time::timeout(
            way.patience,
            self.answer(endpoint.as_mut(), lane, &transaction, &redirect_uri),
        );
        let Ok(answered) = waited.await else {
            return Err(EstablishError::TimedOut {
                after: way.patience.as_secs(),
                redirect_uri: redirect_uri.as_str().to_owned(),
                strays: endpoint.as_ref().map_or(0, |it| it.refused() as usize),
            });
        };
        let sign_in = SignIn {
            scopes: transaction.scopes.clone(),
            nonce: transaction.nonce.clone(),
            max_age: max_age(&authorize, &way.params),
            shown_at: ShownAt { pushed: self.pushed_endpoint(), codes: None },
        };
        let done = self
            .exchange(answered.judgement, &registration, &transaction, (brought, &sign_in))
            .await;
        if let Some(reply) = answered.reply {
            reply.answer(self.outcome_page(&done));
        }
        if let Some(endpoint) = endpoint {
            endpoint.finish().await;
        }
        done
    }

    fn listen(
        &self,
        redirect_uri: &RedirectUri,
        mode: ResponseMode,
    ) -> Result<Option<RedirectionEndpoint>, EstablishError> {
        match redirect_uri.place() {
            Place::External(_) => Ok(None),
            Place::Loopback(_) => {
                RedirectionEndpoint::bind(redirect_uri, mode, &*self.system.random)
                    .map(Some)
                    .map_err(EstablishError::Bind)
            }
        }
    }

    /// The URL for the browser: with the parameters in it, or with the name of the request that holds them.
    async fn address(
        &self,
        authorize: &Authorize,
        registration: &ClientRegistration,
        transaction: &Transaction,
        brought: &Brought,
        way: &Way,
    ) -> Result<(Url, Option<Pushed>), EstablishError> {
        let (values, client_id) = (&self.values, &registration.client_id);
        let parameters =
            authorization_parameters(authorize, values, client_id, transaction, &way.params)
                .map_err(EstablishError::Request)?;
        let pushed = match &authorize.pushed_url {
            None => None,
            Some(url) => Some(self.push(url, registration, brought, &parameters).await?),
        };
        let parameters = match &pushed {
            None => parameters,
            Some(pushed) => parameters_of(client_id, pushed),
        };
        let url = authorization_url(authorize, values, &parameters);
        let url = url.and_then(|url| match safe_to_open(&url) {
            Ok(()) => Ok(url),
            Err(UnsafeUrl::Length) => Err(RequestError::TooLong),
            Err(_) => Err(RequestError::Endpoint(printable(&authorize.url))),
        });
        Ok((url.map_err(EstablishError::Request)?, pushed))
    }

    #[cfg(unix)]
    fn paste_lane(&self, mode: ResponseMode) -> Option<PasteLane> {
        // An address bar shows nothing of a form that was posted.
        if mode == ResponseMode::FormPost {
            return None;
        }
        self.system.person.as_ref()?;
        PasteLane::open(PasteMarks::Asked).ok().flatten()
    }

    #[cfg(not(unix))]
    fn paste_lane(&self, _: ResponseMode) -> Option<std::convert::Infallible> {
        None
    }

    fn send_person(
        &self,
        address: Address<'_>,
        transaction: &Transaction,
        authorize: &Authorize,
        way: &Way,
        endpoint: Option<&RedirectionEndpoint>,
        paste: bool,
    ) {
        (self.notify)(Notice::OpenThis(Box::new(OpenThis {
            url: address.url.clone(),
            scopes: transaction.scopes.clone(),
            redirect_uri: transaction.redirect_uri.clone(),
            browser: way.browser.clone(),
            port: endpoint.map(RedirectionEndpoint::port),
            paste,
            code_lifetime: authorize.code_lifetime,
            device_flow: self.provider.flows.contains(&Flow::DeviceCode),
            good_for: address.good_for,
            seconds: way.patience.as_secs(),
            leaves: way.leaves,
        })));
        if way.browser.is_err() {
            return;
        }
        let browser = &self.system.browser;
        // The process list shows what a browser is started with: no parameter of the request (A7).
        let start_page = match endpoint {
            Some(endpoint) if browser.goes_by_start_page() => {
                Some(endpoint.start_page(address.url))
            }
            _ => None,
        };
        if let Err(error) = browser.open(start_page.as_ref().unwrap_or(address.url)) {
            (self.notify)(Notice::BrowserNotStarted(error.to_string()));
        }
    }

    /// Waits for the listener and the paste; a wrong answer ends neither.
    async fn answer(
        &self,
        endpoint: Option<&mut RedirectionEndpoint>,
        #[cfg(unix)] lane: Option<PasteLane>,
        #[cfg(not(unix))] lane: Option<std::convert::Infallible>,
        transaction: &Transaction,
        redirect_uri: &RedirectUri,
    ) -> Answered {
        let arrival = async {
            match endpoint {
                Some(endpoint) => {
                    let arrival = endpoint.wait(|query| verdict(query, transaction)).await;
                    let judgement = judge(arrival.query.pairs(), transaction);
                    Answered { judgement, reply: Some(arrival.reply) }
                }
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            answered = arrival => answered,
            answered = self.pasted(lane, transaction, redirect_uri) => answered,
        }
    }

    #[cfg(unix)]
    async fn pasted(
        &self,
        lane: Option<PasteLane>,
        transaction: &Transaction,
        redirect_uri: &RedirectUri,
    ) -> Answered {
        if let Some(mut lane) = lane {
            while let Some(text) = lane.pasted().await {
                match judge_pasted(&text, transaction, redirect_uri) {
                    Ok(judgement) => return Answered { judgement, reply: None },
                    Err(why) => (self.notify)(Notice::PasteRefused(why)),
                }
            }
        }
        std::future::pending().await
    }

    #[cfg(not(unix))]
    async fn pasted(
        &self,
        _: Option<std::convert::Infallible>,
        _: &Transaction,
        _: &RedirectUri,
    ) -> Answered {
        std::future::pending().await
    }

    async fn exchange(
        &self,
        judgement: Judgement,
        registration: &ClientRegistration,
        transaction: &Transaction,
        (brought, sign_in): (&Brought, &SignIn),
    ) -> Result<Entry, EstablishError> {
        let code = match judgement {
            Judgement::Code(code) => code,
            Judgement::Refused { error, description } => {
                return Err(EstablishError::Denied { error, description });
            }
            Judgement::WrongIssuer | Judgement::NotOurs(_) => {
                return Err(EstablishError::WrongIssuer);
            }
        };
        let grant = Grant::AuthorizationCode {
            code,
            redirect_uri: transaction.redirect_uri.clone(),
            code_verifier: transaction.code_verifier.clone(),
        };
        let grant = grant.wanting(transaction.wanted.resources_alone());
        let request = token_request(&self.provider, &self.values, registration, &grant)?;
        let (tokens, id_token) =
            self.tokens_of_code(registration, &request, &transaction.scopes).await?;
        let granted = Granted { tokens, id_token };
        self.store_identified(granted, registration, brought, sign_in).await
    }

    /// The page tells the true outcome: the exchange is over when it is made.
    fn outcome_page(&self, done: &Result<Entry, EstablishError>) -> Page {
        let failed = |what: &str| Page::Failed { what: what.to_owned() };
        match done {
            Ok(_) => Page::Connected { profile: self.name().to_owned() },
            Err(EstablishError::Denied { error, .. }) => {
                Page::Failed { what: format!("The provider answered {}.", printable(error)) }
            }
            Err(EstablishError::Refused(_)) => {
                failed("The provider did not give tokens for this authorization.")
            }
            Err(EstablishError::Identity(_)) => {
                failed("The provider did not prove who signed in, and nothing was stored.")
            }
            Err(EstablishError::AccountChanged { .. }) => {
                failed("This is another account than before, and nothing was changed.")
            }
            Err(_) => failed("The authorization came back, but no connection was made."),
        }
    }
}

/// Whether a request to the redirect URI ends the wait.
fn verdict(query: &CallbackQuery, transaction: &Transaction) -> Verdict {
    match judge(query.pairs(), transaction) {
        Judgement::NotOurs(why) => Verdict::Refuse(not_ours(why)),
        Judgement::Code(_) | Judgement::Refused { .. } | Judgement::WrongIssuer => Verdict::Accept,
    }
}

fn not_ours(why: NotOurs) -> &'static str {
    match why {
        NotOurs::Repeated => "A parameter came twice.",
        NotOurs::StateAbsent => "This request carries no state.",
        NotOurs::StateWrong => "This is from an earlier attempt.",
        NotOurs::Empty => "This request carries neither a code nor an error.",
    }
}

/// A paste goes through the checks of an arrival; a bare code only where PKCE protects it.
#[cfg(unix)]
fn judge_pasted(
    text: &Secret,
    transaction: &Transaction,
    redirect_uri: &RedirectUri,
) -> Result<Judgement, String> {
    match parse_pasted(text.expose(), redirect_uri) {
        Pasted::Query(query) => match judge(query.pairs(), transaction) {
            Judgement::NotOurs(why) => Err(not_ours(why).to_owned()),
            judgement => Ok(judgement),
        },
        // Without PKCE nothing ties a bare code to this attempt, and without the `iss` that it
        // should carry nothing tells whose it is (RFC 9207 section 2.4).
        Pasted::BareCode(code)
            if transaction.code_verifier.is_some() && !transaction.iss_required =>
        {
            Ok(Judgement::Code(code))
        }
        Pasted::BareCode(_) => Err("Paste the whole address, not only the code.".into()),
        Pasted::Unusable(why) => Err(format!("{why}.")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn transaction(code_verifier: Option<Secret>) -> Transaction {
        Transaction {
            state: Secret::new("s1"),
            state_may_be_dropped: false,
            code_verifier,
            redirect_uri: "https://me.example/cb".into(),
            scopes: vec![],
            wanted: crate::authorization_server::Wanted::default(),
            issuer: None,
            iss_required: false,
            dpop_jkt: None,
            nonce: None,
        }
    }

    // RL24, AT-6b, A8 (a bare code is taken where PKCE protects it, as the contract has it)
    #[test]
    fn a_paste_is_checked_like_an_arrival() {
        let redirect_uri: RedirectUri = "https://me.example/cb".parse().unwrap();
        let with_pkce = transaction(Some(Secret::new("v")));
        let judged = |text: &str| judge_pasted(&Secret::new(text), &with_pkce, &redirect_uri);
        let code = || Judgement::Code(Secret::new("c1"));
        assert_eq!(judged("https://me.example/cb?code=c1&state=s1"), Ok(code()));
        assert_eq!(judged("code=c1&state=s1"), Ok(code()));
        assert_eq!(judged("c1"), Ok(code()));
        assert_eq!(
            judged("https://me.example/cb?code=c1&state=s2"),
            Err("This is from an earlier attempt.".into())
        );
        assert!(judged("https://evil.example/cb?code=c1&state=s1").is_err());
        let without = transaction(None);
        assert!(judge_pasted(&Secret::new("c1"), &without, &redirect_uri).is_err());
    }

    #[test] // RL10, RL24, DS13
    fn a_paste_names_its_issuer_where_the_server_says_that_answers_do() {
        let redirect_uri: RedirectUri = "https://me.example/cb".parse().unwrap();
        let strict = Transaction {
            issuer: Some("https://as.test".into()),
            iss_required: true,
            ..transaction(Some(Secret::new("v")))
        };
        let judged = |text: &str| judge_pasted(&Secret::new(text), &strict, &redirect_uri);
        let right = "https://me.example/cb?code=c1&state=s1&iss=https%3A%2F%2Fas.test";
        assert_eq!(judged(right), Ok(Judgement::Code(Secret::new("c1"))));
        for wrong in ["", "&iss=", "&iss=https://as.test/", "&iss=https%253A%252F%252Fas.test"] {
            let text = format!("code=c1&state=s1{wrong}");
            assert_eq!(judged(&text), Ok(Judgement::WrongIssuer), "{text}");
        }
        assert_eq!(judged("c1#s1"), Ok(Judgement::WrongIssuer));
        assert!(judged("c1").is_err(), "a bare code says nothing of whose it is");
        assert!(judged(&format!("{right}&iss=https://as.test")).is_err());
    }
}
