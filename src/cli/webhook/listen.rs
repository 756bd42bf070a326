//! `webhook listen`: receives deliveries until it is interrupted.

use clap::{Args, ValueHint};
use clap_complete::engine::ArgValueCompleter;

use super::account::Account;
use super::desk::{Desk, Way};
use super::forward::Forward;
use super::{scheme, secret};
use crate::cli::completions::complete_profile;
use crate::cli::context::{Context, title};
use crate::cli::report::{self, Exit, Report};
use crate::connection::deliveries::Deliveries;
use crate::webhook::receiver::{Expected, Limits, Receiver};

/// `webhook listen`.
#[derive(Debug, Args)]
#[command(
    after_help = "Each delivery that verifies is a line of JSON on stdout:\n  {\"id\":…,\"event\":…,\"received_at\":…,\"account\":{…},\"body\":…}\nThe body is the vendor's JSON as it came (another text is `text`, other bytes\nare `base64`). With --forward it goes on to a program, byte for byte and with\nits headers; a 2xx of that program is a 200 to the vendor, anything else a 502,\nso that the vendor tries again. What does not verify is answered 401. A delivery\nid that was done is answered 200 and not done again, after a restart too. Bodies\nend at 1 MiB. Only this machine is listened on: a vendor elsewhere needs a\ntunnel that leads here. Ctrl-C ends it with a count.\n\nExamples:\n  keyfob webhook listen shop --port 8977 | jq -c '.body'\n  keyfob webhook listen shop --port 8977 --forward http://127.0.0.1:8000/hook"
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
    let way = Way { webhook, forward, account, only_this_account: args.only_this_account };
    let mut desk = Desk::new(context, way, deliveries);
    let from = title(&chosen.provider);
    let ended = context.system.run(async {
        let receiver = Receiver::bind(args.port, expected, Limits::default())
            .map_err(|error| report::not_bound(&error, args.port))?;
        desk.tell_start(&receiver, &from, &chosen.name, &args.path);
        let ended = desk.receive(receiver).await;
        desk.tell_tally();
        ended
    });
    match ended {
        Some(ended) => ended?,
        // A signal is how a receiver is meant to end.
        None => {
            let ended = desk.interrupted();
            desk.tell_tally();
            ended?;
        }
    }
    Ok(Exit::Done)
}

fn no_account(profile: &str) -> Report {
    Report::new(Exit::SetUp, "no-account", format!("the account of `{profile}` is not known"))
        .cause("--only-this-account compares each delivery with the connected account")
        .hint("connect the profile first, or leave the flag out")
        .next(format!("keyfob connect {profile}"))
}
