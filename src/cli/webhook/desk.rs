//! What becomes of each delivery that was received: printed or forwarded, remembered, answered.
//!
//! A delivery is remembered when its line was written, or when the program behind took it: whatever
//! breaks before that, the vendor's next try brings the delivery again.

use std::collections::HashSet;
use std::io::{self, ErrorKind, Write};
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use tokio::task::JoinHandle;

use super::account::Account;
use super::forward::Forward;
use super::line;
use super::tally::Tally;
use crate::cli::context::Context;
use crate::cli::output::unwritten;
use crate::cli::report::{self, Report};
use crate::connection::deliveries::Deliveries;
use crate::http::HttpError;
use crate::http::printable::printable;
use crate::provider::schema::Webhook;
use crate::webhook::delivery_ids::DeliveryName;
use crate::webhook::receiver::{Arrival, Delivery, Outcome, Receiver, Refusal};

/// How many deliveries go on at a time.
const FORWARDS: usize = 16;
/// How long a line that is being written is waited for when a signal ends the receiving.
const LAST_LINE: Duration = Duration::from_secs(1);

/// Standard output comes back when the line is written.
type Writing = JoinHandle<(Box<dyn Write + Send>, io::Result<()>)>;

/// Takes what the receiver hands over.
pub struct Desk<'a> {
    context: &'a Context<'a>,
    webhook: Webhook,
    forward: Option<Forward>,
    account: Option<Account>,
    only_this_account: bool,
    deliveries: Deliveries,
    /// Those that are on their way to the program behind.
    in_hand: HashSet<DeliveryName>,
    /// Taken from the system when the first line is written.
    stdout: Option<Box<dyn Write + Send>>,
    /// The delivery whose line is being written.
    printing: Option<(Delivery, Writing)>,
    tally: Tally,
}

/// What a desk works with.
pub struct Way {
    /// How deliveries are signed, and which headers name them.
    pub webhook: Webhook,
    /// Where they go on to; standard output where absent.
    pub forward: Option<Forward>,
    /// Where a payload names its account.
    pub account: Option<Account>,
    /// Whether those of other accounts are passed over.
    pub only_this_account: bool,
}

impl<'a> Desk<'a> {
    /// Nothing was taken yet.
    pub fn new(context: &'a Context<'a>, way: Way, deliveries: Deliveries) -> Self {
        let Way { webhook, forward, account, only_this_account } = way;
        let (in_hand, stdout, printing) = (HashSet::new(), None, None);
        Self {
            context,
            webhook,
            forward,
            account,
            only_this_account,
            deliveries,
            in_hand,
            stdout,
            printing,
            tally: Tally::default(),
        }
    }

    fn note(&self, line: &str) {
        self.context.output.note(self.context.system, line);
    }

    /// Says where it listens.
    pub fn tell_start(&self, receiver: &Receiver, from: &str, profile: &str, path: &str) {
        let address = receiver.address();
        self.note(&format!(
            "listening on http://{address}{path} for {} webhooks of `{profile}` until Ctrl-C",
            printable(from)
        ));
        if let Some(forward) = &self.forward {
            self.note(&format!("each goes on to {}", forward.shown()));
        }
    }

    /// Says what was done.
    pub fn tell_tally(&self) {
        self.note(&self.tally.line());
    }

    /// Takes what comes; ends where standard output is closed.
    pub async fn receive(&mut self, mut receiver: Receiver) -> Result<(), Report> {
        let forward = self.forward.take();
        let webhook = self.webhook.clone();
        let mut on_their_way = FuturesUnordered::new();
        loop {
            let arrival = tokio::select! {
                arrival = receiver.next(), if on_their_way.len() < FORWARDS => arrival,
                Some((delivery, passed)) = on_their_way.next() => {
                    self.passed(delivery, passed)?;
                    continue;
                }
            };
            let delivery = match arrival {
                None => return Ok(()),
                Some(Arrival::Refused(refusal)) => {
                    self.refused(&refusal);
                    continue;
                }
                Some(Arrival::Delivery(delivery)) => delivery,
            };
            let Some(delivery) = self.wanted(delivery) else { continue };
            let Some(forward) = &forward else {
                match self.print(delivery).await? {
                    true => continue,
                    false => return Ok(()),
                }
            };
            self.in_hand.extend(self.name(&delivery));
            let webhook = &webhook;
            on_their_way.push(async move {
                let passed = forward.pass(webhook, &delivery).await;
                (delivery, passed)
            });
        }
    }

    fn refused(&mut self, refusal: &Refusal) {
        self.tally.refused += 1;
        self.note(&format!("refused: {}", printable(&refusal.to_string())));
    }

    /// Answers what needs no work; gives what does.
    fn wanted(&mut self, delivery: Delivery) -> Option<Delivery> {
        match self.known(&delivery) {
            Some(outcome) => {
                delivery.answer(outcome);
                None
            }
            None => self.for_this_account(delivery),
        }
    }

    /// The answer to a delivery that was done before, or is being done.
    fn known(&mut self, delivery: &Delivery) -> Option<Outcome> {
        let name = self.name(delivery)?;
        if self.deliveries.contains(&name) {
            self.tally.repeated += 1;
            self.note(&format!("{} came again: it was done before", named(delivery)));
            return Some(Outcome::Done);
        }
        self.in_hand.contains(&name).then_some(Outcome::NotNow)
    }

    /// What it is known by; one without an id is new each time: two that are alike may both be meant.
    fn name(&self, delivery: &Delivery) -> Option<DeliveryName> {
        let id = delivery.headers.id.as_ref()?;
        Some(DeliveryName::of(&self.webhook, id, &delivery.body))
    }

    /// One for another account is told of, and passed over where that was asked for.
    fn for_this_account(&mut self, delivery: Delivery) -> Option<Delivery> {
        let account = self.account.as_ref();
        let theirs = account.and_then(|it| it.other(&it.in_body(&delivery.body)?));
        let Some(theirs) = theirs else { return Some(delivery) };
        let name = named(&delivery);
        if !self.only_this_account {
            self.note(&format!("{name} is for {theirs}, not for the connected account"));
            return Some(delivery);
        }
        self.tally.passed_over += 1;
        self.note(&format!("{name} is for {theirs}: passed over"));
        delivery.answer(Outcome::Done);
        None
    }

    /// Writes a delivery's line; false where nobody reads on, and the vendor is to try again.
    async fn print(&mut self, delivery: Delivery) -> Result<bool, Report> {
        let received_at = self.context.system.clock.now().to_string();
        let account = self.account.as_ref();
        let account = account.and_then(|it| Some(it.shown(&it.in_body(&delivery.body)?)));
        let line = line::written(&delivery, &received_at, account)
            .map_err(|error| Report::unexpected(error.to_string()))?;
        self.begin_to_write(delivery, line.into_bytes());
        self.printed().await
    }

    /// In a thread of its own: a reader who takes his time must not keep a signal from being heard.
    fn begin_to_write(&mut self, delivery: Delivery, line: Vec<u8>) {
        let take = || self.context.system.stdout.replace(Box::new(io::sink()));
        let mut stdout = self.stdout.take().unwrap_or_else(take);
        let writing = tokio::task::spawn_blocking(move || {
            let written = stdout.write_all(&line).and_then(|()| stdout.flush());
            (stdout, written)
        });
        self.printing = Some((delivery, writing));
    }

    /// Waits for the line that is being written; what was waited for in vain is still there afterwards.
    async fn printed(&mut self) -> Result<bool, Report> {
        let Some((_, writing)) = &mut self.printing else { return Ok(true) };
        let ended = writing.await.map_err(io::Error::other);
        let Some((delivery, _)) = self.printing.take() else { return Ok(true) };
        let written = ended.and_then(|(stdout, written)| {
            self.stdout = Some(stdout);
            written
        });
        match written {
            Ok(()) => self.done(delivery).map(|()| true),
            Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(false),
            Err(error) => Err(unwritten(&error)),
        }
    }

    /// A signal came: a line that somebody has read by now was delivered, and is remembered.
    pub fn interrupted(&mut self) -> Result<(), Report> {
        let system = self.context.system;
        let printed =
            system.run_hearing(async { tokio::time::timeout(LAST_LINE, self.printed()).await });
        printed.map_or(Ok(()), |printed| printed.map(|_| ()))
    }

    fn passed(&mut self, delivery: Delivery, passed: Result<u16, HttpError>) -> Result<(), Report> {
        if let Some(name) = self.name(&delivery) {
            self.in_hand.remove(&name);
        }
        let name = named(&delivery);
        let why = match passed {
            Ok(status) if (200..300).contains(&status) => {
                self.note(&format!("{name} went on: HTTP {status}"));
                return self.done(delivery);
            }
            Ok(status) => format!("HTTP {status}"),
            Err(error) => printable(&error.to_string()),
        };
        self.tally.not_taken += 1;
        self.context.output.warn(
            self.context.system,
            &format!("{name} was not taken ({why}); the vendor is asked to try again"),
        );
        delivery.answer(Outcome::NotTaken);
        Ok(())
    }

    /// Remembers first and answers then: an answer that is lost brings the delivery again, and it is known.
    fn done(&mut self, delivery: Delivery) -> Result<(), Report> {
        self.tally.done += 1;
        let kept = match self.name(&delivery) {
            Some(name) => self.deliveries.add(&name).map_err(|error| report::store(&error)),
            None => Ok(()),
        };
        delivery.answer(Outcome::Done);
        kept
    }
}

/// A delivery for people.
fn named(delivery: &Delivery) -> String {
    let headers = &delivery.headers;
    let words = [headers.event.as_deref(), headers.id.as_deref()].into_iter().flatten();
    match words.collect::<Vec<_>>().join(" ") {
        words if words.is_empty() => "a delivery".into(),
        words => printable(&words),
    }
}
