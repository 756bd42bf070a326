//! The code flow: the browser and the paste at the same time, whichever answers first.

use std::time::Duration;

use url::Url;

use super::{Brought, EstablishError};
use crate::authorization_server::authorization_request::{
    Transaction, authorization_url, transaction,
};
use crate::authorization_server::authorization_response::{Judgement, NotOurs, judge};
use crate::authorization_server::token_request::token_request;
use crate::authorization_server::{ClientRegistration, Grant};
use crate::connection::{Connection, Entry, Notice, OpenThis};
use crate::http::printable::printable;
use crate::provider::schema::Authorize;
use crate::secret::Secret;
use crate::store::lock::Lock;
use crate::user_agent::browser::safe_to_open;
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
        // A locked keychain must be known before the person is asked for anything.
        self.drawer.store.prove()?;
        let before = self.drawer.read()?.map_or(0, |entry| entry.authorizations);
        let _one_tab = self.connect_lock(way.patience).await?;
        if let Some(entry) = self.connected_meanwhile(before)? {
            return Ok(entry);
        }
        self.token_prospect(&registration.client_id).await?;
        let mut endpoint = self.listen(&way.redirect_uri)?;
        let redirect_uri =
            endpoint.as_ref().map_or(&way.redirect_uri, RedirectionEndpoint::redirect_uri).clone();
        let transaction = transaction(
            &self.provider,
            &authorize,
            redirect_uri.as_str(),
            brought.scopes.clone(),
            &*self.system.random,
        );
        let url = self.authorization_url(&authorize, &registration, &transaction, way)?;
        let lane = self.paste_lane();
        if endpoint.is_none() && lane.is_none() {
            let redirect_uri = redirect_uri.as_str().to_owned();
            return Err(EstablishError::NobodyToPaste { redirect_uri });
        }
        self.send_person(&url, &transaction, &authorize, way, endpoint.as_ref(), lane.is_some());
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
        let done = self.exchange(answered.judgement, &registration, &transaction, brought).await;
        if let Some(reply) = answered.reply {
            reply.answer(self.outcome_page(&done));
        }
        if let Some(endpoint) = endpoint {
            endpoint.finish().await;
        }
        done
    }

    /// Held while a browser tab is open, so that parallel first logins open one.
    async fn connect_lock(&self, patience: Duration) -> Result<Lock, EstablishError> {
        // A folder of its own: no profile's name can be the name of another's tab.
        let tabs = self.system.home.locks().join("tabs");
        crate::store::durable::Folder::make(&tabs)?;
        let path = tabs.join(format!("{}.lock", self.name()));
        let lock = Lock::take(&path, patience, &*self.system.clock, |holder| {
            (self.notify)(Notice::WaitingForConnect(holder.cloned()));
        });
        Ok(lock.await?)
    }

    /// The connection that another process has made while this one waited for its turn.
    fn connected_meanwhile(&self, before: u64) -> Result<Option<Entry>, EstablishError> {
        let entry = self.drawer.read()?;
        Ok(entry.filter(|entry| entry.authorizations != before && entry.tokens.is_some()))
    }

    fn listen(
        &self,
        redirect_uri: &RedirectUri,
    ) -> Result<Option<RedirectionEndpoint>, EstablishError> {
        match redirect_uri.place() {
            Place::External(_) => Ok(None),
            Place::Loopback(_) => RedirectionEndpoint::bind(redirect_uri, &*self.system.random)
                .map(Some)
                .map_err(EstablishError::Bind),
        }
    }

    fn authorization_url(
        &self,
        authorize: &Authorize,
        registration: &ClientRegistration,
        transaction: &Transaction,
        way: &Way,
    ) -> Result<Url, EstablishError> {
        use crate::authorization_server::authorization_request::RequestError;
        let client_id = &registration.client_id;
        let url = authorization_url(authorize, &self.values, client_id, transaction, &way.params)
            .map_err(EstablishError::Request)?;
        safe_to_open(&url).map_err(|_| {
            EstablishError::Request(RequestError::Endpoint(printable(&authorize.url)))
        })?;
        Ok(url)
    }

    #[cfg(unix)]
    fn paste_lane(&self) -> Option<PasteLane> {
        self.system.person.as_ref()?;
        PasteLane::open(PasteMarks::Asked).ok().flatten()
    }

    #[cfg(not(unix))]
    fn paste_lane(&self) -> Option<std::convert::Infallible> {
        None
    }

    fn send_person(
        &self,
        url: &Url,
        transaction: &Transaction,
        authorize: &Authorize,
        way: &Way,
        endpoint: Option<&RedirectionEndpoint>,
        paste: bool,
    ) {
        (self.notify)(Notice::OpenThis(Box::new(OpenThis {
            url: url.clone(),
            scopes: transaction.scopes.clone(),
            redirect_uri: transaction.redirect_uri.clone(),
            browser: way.browser.clone(),
            port: endpoint.map(RedirectionEndpoint::port),
            paste,
            code_lifetime: authorize.code_lifetime,
        })));
        if way.browser.is_ok()
            && let Err(error) = self.system.browser.open(url)
        {
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
        brought: &Brought,
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
        let request = token_request(&self.provider, &self.values, registration, &grant)?;
        let tokens = self.tokens_of_code(registration, &request, &transaction.scopes).await?;
        let stored = self.store_first(tokens.clone(), registration, brought, false).await;
        if let Err(EstablishError::AccountChanged { was, is }) = &stored {
            self.end_discarded(tokens, registration, (was, is)).await;
        }
        stored
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
        Pasted::BareCode(code) if transaction.code_verifier.is_some() => Ok(Judgement::Code(code)),
        // Without PKCE nothing ties a bare code to this attempt.
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
            issuer: None,
            iss_required: false,
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
}
