//! The vendor's own side of webhooks: subscriptions checked, the secret rotated, what happens
//! signed and delivered, a failed delivery tried again a few times.
//!
//! Deliveries go to this machine alone, whatever a subscription names.

use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Map, Value, json};
use tokio::sync::mpsc::UnboundedSender;
use url::Url;

use super::json_template::fill;
use super::message::{Answer, Request};
use super::parameters::invalid;
use super::refusal::{Refusal, Refused};
use super::stand_in::{StandIn, Turn};
use super::state::keep_last;
use super::vendor::Vendor;
use crate::http::proxies::is_loopback;
use crate::http::{Client, Options, Proxies};
use crate::secret::Secret;
use crate::webhook::headers::Headers;
use crate::webhook::post::post;
use crate::webhook::{Key, sign, timestamp_of};

/// How often a delivery is tried.
const TRIES: u32 = 5;
/// The pause after the first failure; each next is twice as long.
const PAUSE: Duration = Duration::from_secs(1);
/// Deliveries that may be under way; what happens beyond it is not told.
const UNDER_WAY: usize = 256;

/// What a vendor's documents say about its webhooks beyond the provider file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WebhookFacts {
    /// The list that holds the subscriptions, each with `url` and `event`.
    pub subscriptions: String,
    /// The path that rotates the secret, once for each name of the client.
    pub rotate: Vec<String>,
    /// The scope that rotating needs.
    pub rotate_needs: String,
    /// The answer to a rotation: `{secret}`.
    pub rotated: Value,
    /// What is delivered: `{event}`, `{id}`, `{now}`, `{record}`.
    pub payload: Value,
    /// Calls that show a webhook, as typed after `keyfob call PROFILE`; `{receiver}` is its address.
    pub example: Vec<String>,
    /// What there is to tell.
    pub event: Vec<Event>,
}

/// Something that happens to a record.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Event {
    /// As subscriptions name it.
    pub name: String,
    /// The list of the record.
    pub list: String,
    /// The member that must become `equals`; a new record alone where absent.
    #[serde(default)]
    pub member: Option<String>,
    /// What it must become.
    #[serde(default)]
    pub equals: Value,
}

impl Event {
    fn is_so(&self, record: &Value) -> bool {
        self.member.as_ref().is_none_or(|member| record[member] == self.equals)
    }
}

/// A delivery that is to be made.
pub struct Due {
    url: Url,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    event: String,
    id: String,
}

/// A try of a delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Try {
    /// The event.
    pub event: String,
    /// The delivery's id, the same on every try.
    pub id: String,
    /// What the receiver answered; `None` where it did not.
    pub status: Option<u16>,
}

/// A delivery that did not arrive, as it can be told: no part of it is secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Undelivered {
    /// The event.
    pub event: String,
    /// The delivery's id; `None` where it never came to one.
    pub id: Option<String>,
    /// Where it was to go, without a query or a password.
    pub to: String,
    /// Why it did not arrive.
    pub why: String,
    /// Which try it was, and of how many; `None` where none was made.
    pub number: Option<(u32, u32)>,
    /// When it is tried again; `None` for never.
    pub again_in: Option<Duration>,
}

/// What is remembered about webhooks.
#[derive(Default)]
pub struct Outbox {
    /// Hears of deliveries that did not arrive.
    pub hears: Option<UnboundedSender<Undelivered>>,
    /// Signs deliveries.
    pub secret: Option<Secret>,
    /// Waits to be sent.
    due: Vec<Due>,
    /// Deliveries whose last try is still to come.
    under_way: usize,
    /// The last tries, oldest first.
    pub tries: std::collections::VecDeque<Try>,
}

impl Outbox {
    fn tell(&self, undelivered: Undelivered) {
        if let Some(hears) = &self.hears {
            // Whoever does not listen any more has ended the sandbox.
            let _ = hears.send(undelivered);
        }
    }
}

/// Where a URL leads, as it may be shown.
fn shown(url: &Url) -> String {
    format!("{}{}", url.origin().ascii_serialization(), url.path())
}

/// A subscription names where and what.
pub fn check_subscription(
    vendor: &Vendor,
    list: &str,
    body: &Map<String, Value>,
) -> Result<(), Refused> {
    let Some(facts) = &vendor.facts.webhook else { return Ok(()) };
    if vendor.path(&facts.subscriptions) != list {
        return Ok(());
    }
    let url = body.get("url").and_then(Value::as_str).and_then(|it| Url::parse(it).ok());
    if !url.is_some_and(|url| matches!(url.scheme(), "http" | "https") && url.host().is_some()) {
        return Err(invalid("`url` is where deliveries go"));
    }
    let known = |event: &str| facts.event.iter().any(|it| it.name == event);
    match body.get("event").and_then(Value::as_str) {
        Some(event) if known(event) => Ok(()),
        _ => {
            let names: Vec<&str> = facts.event.iter().map(|it| it.name.as_str()).collect();
            Err(invalid(format!("`event` is one of {}", names.join(", "))))
        }
    }
}

/// Gives a new secret where the path asks for one; the old one signs nothing from now on.
pub fn rotation(
    turn: &mut Turn<'_>,
    request: &Request,
    granted: &[String],
) -> Option<Result<Answer, Refused>> {
    let facts = turn.vendor.facts.webhook.as_ref()?;
    if !facts.rotate.iter().any(|path| turn.vendor.path(path) == request.path) {
        return None;
    }
    if request.method != "POST" {
        return Some(Err(Refused::new(Refusal::MethodNotAllowed, "only POST here")));
    }
    if !granted.contains(&facts.rotate_needs) {
        let because = format!("rotating needs the scope {}", facts.rotate_needs);
        return Some(Err(Refused::new(Refusal::InsufficientScope, because)));
    }
    let secret = turn.secret("webhook_secret");
    let body = fill(&facts.rotated, &|name| (name == "secret").then(|| json!(secret)));
    turn.state.webhooks.secret = Some(Secret::new(secret));
    Some(Ok(Answer::json(200, &body)))
}

/// Tells the subscribers of what happened to a record.
pub fn happened(turn: &mut Turn<'_>, list: &str, before: Option<&Value>, after: &Value) {
    let vendor = turn.vendor;
    let Some(facts) = &vendor.facts.webhook else { return };
    let happens = |event: &&Event| {
        vendor.path(&event.list) == list
            && event.is_so(after)
            && !before.is_some_and(|before| event.is_so(before))
    };
    for event in facts.event.iter().filter(happens) {
        for url in subscribers(turn, facts, &event.name) {
            put_down(turn, facts, &event.name, url, after);
        }
    }
}

/// The addresses on this machine that asked for an event.
fn subscribers(turn: &mut Turn<'_>, facts: &WebhookFacts, event: &str) -> Vec<Url> {
    let list = turn.vendor.path(&facts.subscriptions);
    let all = turn.state.records.get(&list).map(Vec::as_slice).unwrap_or_default();
    let asked = all.iter().filter(|it| it["event"] == event);
    let urls: Vec<Url> = asked.filter_map(|it| Url::parse(it["url"].as_str()?).ok()).collect();
    let (here, elsewhere): (Vec<Url>, Vec<Url>) = urls.into_iter().partition(is_loopback);
    for url in elsewhere {
        not_sent(turn, event, &url, "the sandbox delivers to this machine alone");
    }
    here
}

/// Notes and tells a delivery that is never tried.
fn not_sent(turn: &mut Turn<'_>, event: &str, url: &Url, why: &str) {
    let to = shown(url);
    turn.state.note_refusal(&format!("{event} is not delivered to {to}: {why}"));
    let (event, why) = (event.to_owned(), why.to_owned());
    let undelivered = Undelivered { event, id: None, to, why, number: None, again_in: None };
    turn.state.webhooks.tell(undelivered);
}

fn put_down(turn: &mut Turn<'_>, facts: &WebhookFacts, event: &str, url: Url, record: &Value) {
    if turn.state.webhooks.under_way == UNDER_WAY {
        not_sent(turn, event, &url, "too many others are under way");
        return;
    }
    let (id, now) = (turn.uuid(), turn.now);
    let payload = fill(&facts.payload, &|name| match name {
        "event" => Some(json!(event)),
        "id" => Some(json!(id)),
        "now" => Some(json!(now.to_string())),
        "record" => Some(record.clone()),
        _ => None,
    });
    let body = payload.to_string().into_bytes();
    match signed(turn, event, &id, &body) {
        Some(headers) => {
            turn.state.webhooks.under_way += 1;
            let due = Due { url, headers, body, event: event.to_owned(), id };
            turn.state.webhooks.due.push(due);
        }
        None => not_sent(turn, event, &url, "it could not be signed"),
    }
}

fn signed(turn: &Turn<'_>, event: &str, id: &str, body: &[u8]) -> Option<Vec<(String, String)>> {
    let webhook = turn.vendor.provider.webhook.as_ref()?;
    let key = Key::new(webhook, turn.state.webhooks.secret.as_ref()?).ok()?;
    let timestamp = timestamp_of(webhook, turn.now);
    let signature = sign(webhook, &key, Some(id), timestamp.as_deref(), body).ok()?;
    let headers = Headers {
        signature: Some(signature),
        timestamp,
        id: Some(id.to_owned()),
        event: Some(event.to_owned()),
    };
    let own = headers.lines(webhook).into_iter();
    let all = own.chain([("Content-Type", "application/json")]);
    Some(all.map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
}

/// Sends what is due; must be called within a Tokio runtime, which ends what is under way.
pub fn send_due(stand_in: &Arc<StandIn>) {
    let due = std::mem::take(&mut stand_in.state().webhooks.due);
    for delivery in due {
        let stand_in = Arc::clone(stand_in);
        tokio::spawn(async move {
            deliver(&stand_in, delivery).await;
            stand_in.state().webhooks.under_way -= 1;
        });
    }
}

/// Tries until the receiver takes it, or the tries are used up.
async fn deliver(stand_in: &StandIn, due: Due) {
    let options = Options {
        extra_roots: Vec::new(),
        user_agent: "keyfob-sandbox".into(),
        proxies: Proxies::none(),
    };
    let Ok(client) = Client::new(options) else { return };
    let mut pause = stand_in.behaviour.webhook_pause.unwrap_or(PAUSE);
    for number in 1..=TRIES {
        let answer = post(&client, &due.url, &due.headers, due.body.clone().into()).await;
        let status = answer.as_ref().ok().map(|answer| answer.status);
        let (event, id) = (due.event.clone(), due.id.clone());
        keep_last(&mut stand_in.state().webhooks.tries, Try { event, id, status });
        let why = match &answer {
            Ok(answer) if (200..300).contains(&answer.status) => return,
            Ok(answer) => format!("it answered HTTP {}", answer.status),
            Err(error) => error.to_string(),
        };
        let again_in = (number < TRIES).then_some(pause);
        stand_in.state().webhooks.tell(Undelivered {
            event: due.event.clone(),
            id: Some(due.id.clone()),
            to: shown(&due.url),
            why,
            number: Some((number, TRIES)),
            again_in,
        });
        if again_in.is_none() {
            return;
        }
        tokio::time::sleep(pause).await;
        pause *= 2;
    }
}
