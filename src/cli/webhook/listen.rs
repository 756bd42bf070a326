//! `webhook listen`: receives deliveries until it is interrupted; each id is printed or forwarded once.
//!
//! An id is remembered when its line was written, or when the program behind took it: whatever
//! breaks before that, the vendor's next try brings the delivery again.

use std::collections::HashSet;
use std::io::{self, ErrorKind, Write};

use clap::{Args, ValueHint};
use clap_complete::engine::ArgValueCompleter;
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;

use super::account::Account;
use super::forward::Forward;
use super::line;
use super::tally::Tally;
use super::{scheme, secret};
use crate::cli::completions::complete_profile;
use crate::cli::context::{Context, title};
use crate::cli::output::unwritten;
use crate::cli::report::{self, Exit, Report};
use crate::connection::deliveries::Deliveries;
use crate::http::HttpError;
use crate::http::printable::printable;
use crate::provider::schema::Webhook;
use crate::webhook::receiver::{Arrival, Delivery, Expected, Limits, Outcome, Receiver, Refusal};

/// `webhook listen`.
#[derive(Debug, Args)]
#[command(
    after_help = "Each delivery that verifies is a line of JSON on stdout:\n  {\"id\":…,\"event\":…,\"received_at\":…,\"account\":{…},\"body\":…}\nThe body is the vendor's JSON as it came (another text is `text`, other bytes are `base64`).\nWith --forward it goes on to a program, byte for byte and with its headers; a 2xx of that\nprogram is a 200 to the vendor, anything else a 502, so that the vendor tries again.\nWhat does not verify is answered 401. A delivery id that was done is answered 200 and not done\nagain, after a restart too. Bodies end at 1 MiB. Only this machine is listened on: a vendor\nelsewhere needs a tunnel that leads here. Ctrl-C ends it with a count.\n\nExamples:\n  keyfob webhook listen shop --port 8977 | jq -c '.body'\n  keyfob webhook listen shop --port 8977 --path /hook --forward http://127.0.0.1:8000/inkress"
)]
pub struct Listen {
    /// The profile (or KEYFOB_PROFILE)
    #[arg(value_name = "PROFILE", add = ArgValueCompleter::new(complete_profile))]
    pub profile: Option<String>,
    /// The port of 127.0.0.1 to listen on, 0 for any
    #[arg(long, value_name = "N")]
    pub port: u16,
    /// The path that deliveries come to
    #[arg(long, value_name = "PATH", default_value = "/", value_parser = absolute)]
    pub path: String,
    /// Post each delivery to this URL (https, or loopback) in place of printing it
    #[arg(long, value_name = "URL", value_hint = ValueHint::Url)]
    pub forward: Option<String>,
    /// Pass over deliveries for accounts other than the connected one
    #[arg(long)]
    pub only_this_account: bool,
}

fn absolute(text: &str) -> Result<String, String> {
    let plain = |c: char| c.is_ascii_graphic() && !matches!(c, '?' | '#');
    match text.starts_with('/') && text.chars().all(plain) {
        true => Ok(text.to_owned()),
        false => Err("write it as /hook".into()),
    }
}

/// Receives until a signal comes, or nobody reads on.
pub fn run(context: &Context<'_>, args: &Listen) -> Result<Exit, Report> {
    let chosen = context.chosen(args.profile.as_deref())?;
    let webhook = scheme(&chosen)?;
    let account = Account::of(&chosen, &webhook);
    if args.only_this_account && !account.as_ref().is_some_and(Account::is_known) {
        return Err(no_account(&chosen.name));
    }
    let forward = args.forward.as_deref().map(|url| Forward::new(context, url, args.port));
    let forward = forward.transpose()?;
    let expected = Expected {
        key: secret::key(context, &chosen, &webhook)?,
        webhook: webhook.clone(),
        path: args.path.clone(),
        clock: context.system.clock.clone(),
    };
    let deliveries =
        Deliveries::open(context.system, &chosen.name).map_err(|error| report::keeping(&error))?;
    let mut desk = Desk {
        context,
        webhook,
        forward,
        account,
        only_this_account: args.only_this_account,
        deliveries,
        in_hand: HashSet::new(),
        stdout: None,
        tally: Tally::default(),
    };
    let from = title(&chosen.provider);
    let received = context.system.run(async {
        let receiver = Receiver::bind(args.port, expected, Limits::default())
            .map_err(|error| report::not_bound(&error, args.port))?;
        desk.tell_start(&receiver, &from, &chosen.name, &args.path);
        let ended = desk.receive(receiver).await;
        desk.tell_tally();
        ended
    });
    match received {
        Some(ended) => ended?,
        // A signal is how a receiver is meant to end.
        None => desk.tell_tally(),
    }
    Ok(Exit::Done)
}

fn no_account(profile: &str) -> Report {
    Report::new(Exit::SetUp, "no-account", format!("the account of `{profile}` is not known"))
        .cause("--only-this-account compares each delivery with the connected account")
        .hint("connect the profile first, or leave the flag out")
        .next(format!("keyfob connect {profile}"))
}

/// How many deliveries go on at a time.
const FORWARDS: usize = 16;

type Stdout = Box<dyn Write + Send>;

/// Takes what the receiver hands over.
struct Desk<'a> {
    context: &'a Context<'a>,
    webhook: Webhook,
    forward: Option<Forward>,
    account: Option<Account>,
    only_this_account: bool,
    deliveries: Deliveries,
    /// Ids that are on their way to the program behind.
    in_hand: HashSet<String>,
    /// Taken from the system when the first line is written.
    stdout: Option<Stdout>,
    tally: Tally,
}

impl Desk<'_> {
    fn note(&self, line: &str) {
        self.context.output.note(self.context.system, line);
    }

    fn tell_start(&self, receiver: &Receiver, from: &str, profile: &str, path: &str) {
        let address = receiver.address();
        self.note(&format!(
            "listening on http://{address}{path} for {} webhooks of `{profile}` until Ctrl-C",
            printable(from)
        ));
        if let Some(forward) = &self.forward {
            self.note(&format!("each goes on to {}", forward.shown()));
        }
    }

    fn tell_tally(&self) {
        self.note(&self.tally.line());
    }

    /// Ends where standard output is closed.
    async fn receive(&mut self, mut receiver: Receiver) -> Result<(), Report> {
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
            self.in_hand.extend(delivery.headers.id.clone());
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

    /// Answers what was done before, is being done, or is not for this account.
    fn wanted(&mut self, delivery: Delivery) -> Option<Delivery> {
        let name = named(&delivery);
        if let Some(id) = &delivery.headers.id {
            if self.deliveries.contains(id) {
                self.tally.repeated += 1;
                self.note(&format!("{name} came again: it was done before"));
                delivery.answer(Outcome::Done);
                return None;
            }
            if self.in_hand.contains(id) {
                delivery.answer(Outcome::NotNow);
                return None;
            }
        }
        let account = self.account.as_ref();
        let theirs = account.and_then(|it| it.other(&it.in_body(&delivery.body)?));
        match theirs {
            Some(theirs) if self.only_this_account => {
                self.tally.passed_over += 1;
                self.note(&format!("{name} is for {theirs}: passed over"));
                delivery.answer(Outcome::Done);
                None
            }
            Some(theirs) => {
                self.note(&format!("{name} is for {theirs}, not for the connected account"));
                Some(delivery)
            }
            None => Some(delivery),
        }
    }

    /// Writes a delivery's line; false where nobody reads on, and the vendor is to try again.
    async fn print(&mut self, delivery: Delivery) -> Result<bool, Report> {
        let received_at = self.context.system.clock.now().to_string();
        let account = self.account.as_ref();
        let account = account.and_then(|it| Some(it.shown(&it.in_body(&delivery.body)?)));
        let line = line::written(&delivery, &received_at, account)
            .map_err(|error| Report::unexpected(error.to_string()))?;
        match self.write(line).await {
            Ok(()) => self.done(delivery).map(|()| true),
            Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(false),
            Err(error) => Err(unwritten(&error)),
        }
    }

    /// In a thread of its own: a reader who takes his time must not keep a signal from being heard.
    async fn write(&mut self, line: Vec<u8>) -> io::Result<()> {
        let take = || self.context.system.stdout.replace(Box::new(io::sink()));
        let mut stdout = self.stdout.take().unwrap_or_else(take);
        let writing = tokio::task::spawn_blocking(move || {
            let written = stdout.write_all(&line).and_then(|()| stdout.flush());
            (stdout, written)
        });
        let (stdout, written) = writing.await.map_err(io::Error::other)?;
        self.stdout = Some(stdout);
        written
    }

    fn passed(&mut self, delivery: Delivery, passed: Result<u16, HttpError>) -> Result<(), Report> {
        if let Some(id) = &delivery.headers.id {
            self.in_hand.remove(id);
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
        let kept = match &delivery.headers.id {
            Some(id) => self.deliveries.add(id).map_err(|error| report::store(&error)),
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
