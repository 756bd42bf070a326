//! The words for what happens on the way and is no failure.

use std::cell::RefCell;

use url::Url;

use super::enter_code::enter_code;
use super::output::Output;
use super::report::{left, span, userinfo};
use crate::connection::identity::difference;
use crate::connection::leftover::Leftover;
use crate::connection::{Notice, OpenThis};
use crate::http::printable::printable;
use crate::store::lock::Holder;
use crate::system::System;

/// Tells the notices of one connection.
pub struct Teller<'a> {
    output: Output,
    system: &'a System,
    profile: &'a str,
    provider: &'a str,
    /// The address that was left to a browser without a word.
    silent: RefCell<Option<Url>>,
}

impl<'a> Teller<'a> {
    /// Nothing was told yet.
    pub fn new(output: Output, system: &'a System, profile: &'a str, provider: &'a str) -> Self {
        Self { output, system, profile, provider, silent: RefCell::new(None) }
    }

    /// Tells a notice to the person.
    pub fn tell(&self, notice: Notice) {
        match &notice {
            // Under --json the failure's document is all that standard error holds, so the
            // address is printed only where nothing else would bring a person to it.
            Notice::OpenThis(open) if self.output.json && open.browser.is_ok() => {
                self.silent.replace(Some(open.url.clone()));
            }
            Notice::BrowserNotStarted(_) => {
                if let Some(url) = self.silent.take() {
                    self.output.say(self.system, url.as_str());
                }
                tell(self.output, self.system, self.profile, self.provider, notice);
            }
            _ => tell(self.output, self.system, self.profile, self.provider, notice),
        }
    }
}

/// Tells a notice that needs no earlier one.
pub fn tell(output: Output, system: &System, profile: &str, provider: &str, notice: Notice) {
    match notice {
        Notice::OpenThis(open) => open_this(output, system, profile, provider, &open),
        Notice::EnterCode(code) => enter_code(output, system, profile, provider, &code),
        Notice::GrantedLess(scopes) => output
            .warn(system, &format!("{provider} did not grant {}", printable(&scopes.join(", ")))),
        Notice::Issued(kind) => output
            .note(system, &format!("{provider} issued a token of the type {}", printable(&kind))),
        Notice::NoRefreshToken => output.warn(
            system,
            &format!("{provider} gave no refresh token: when the access token ends, connect again"),
        ),
        Notice::NoneImported => output.warn(
            system,
            "the import holds no refresh token: when the access token ends, import or connect again",
        ),
        Notice::ContextNotImported(name) => output.warn(
            system,
            &format!(
                "the import holds no `{name}`: a path that needs it cannot be called; import again with \"{name}\" among the members"
            ),
        ),
        Notice::CountsAlone(why) => output.warn(
            system,
            &format!(
                "the request limits of {provider} are kept by this command alone: {}",
                printable(&why)
            ),
        ),
        Notice::NotIdentified => output.note(
            system,
            "who connected is not known: the provider file has no [id_token] that says how to check it",
        ),
        Notice::UserinfoDiscarded(trouble) => output.warn(
            system,
            &format!("what {provider} says of the person was not used: {}", userinfo(&trouble)),
        ),
        Notice::MetadataElsewhere { named, trusted } => output.warn(
            system,
            &format!(
                "{provider}'s refusal points to an authorization server by way of {}; that is ignored, and `{profile}` stays with {}",
                printable(&named),
                printable(&trusted)
            ),
        ),
        Notice::AccountCorrected { was, is } => output.warn(
            system,
            &format!(
                "{provider} says that the tokens of `{profile}` are of {}; that is kept now, and what was imported was not right",
                printable(&difference(&was, &is))
            ),
        ),
        Notice::RegistrationCutShort { at } => output.warn(
            system,
            &format!(
                "a registration at {provider} was begun at {at} and its answer is not known: a client that nobody uses may be left there"
            ),
        ),
        Notice::OtherKeyNext => output.warn(
            system,
            &format!(
                "{provider} gave no usable answer when the key of `{profile}` was changed there, and may know the client by the other of the two: that one is used from the next command on"
            ),
        ),
        Notice::RegistrationUpdateLost { at } => output.warn(
            system,
            &format!(
                "the registration at {provider} was to be changed or read at {at}, and the answer was lost: the client may live on there, under a new token that keyfob does not have"
            ),
        ),
        other => output.note(system, &line(profile, provider, other)),
    }
}

fn line(profile: &str, provider: &str, notice: Notice) -> String {
    match notice {
        Notice::WaitingForLock(holder) => {
            format!("waiting: {} is refreshing `{profile}`", who(holder))
        }
        Notice::WaitingForConnect(holder) => {
            format!("waiting: {} is connecting `{profile}`", who(holder))
        }
        Notice::Recovered => format!(
            "an earlier command was cut short: its new tokens for `{profile}` were in the journal and are stored now"
        ),
        Notice::ServedOld => {
            format!("`{profile}` could not be refreshed now; its access token still serves")
        }
        Notice::CallRefused => {
            format!("{provider} refused the access token: refreshed, and sent once more")
        }
        Notice::Waiting { seconds, why } => {
            format!("{}: trying again in {seconds:.1} s", printable(&why))
        }
        Notice::Replayed => {
            format!("{provider} replayed its stored answer to this Idempotency-Key")
        }
        Notice::Pacing { seconds, per_minute: Some(per_minute) } => format!(
            "{provider} allows {per_minute} requests a minute, and they are used up: going on in {seconds:.0} s"
        ),
        Notice::Pacing { seconds, per_minute: None } => {
            format!("{provider} asked for a pause: going on in {seconds:.0} s")
        }
        Notice::WaitingClientGone => format!(
            "{provider} knows the client no more that was registered for `{profile}` and had no tokens yet"
        ),
        Notice::BrowserNotStarted(why) => {
            format!("no browser was started ({}): open the address yourself", printable(&why))
        }
        Notice::Leftover { which, ended } => leftover(provider, which, ended),
        Notice::PasteRefused(why) => format!(
            "that was no answer, and went nowhere: {} Paste the address that the browser ends at, and press Enter",
            printable(&why)
        ),
        Notice::OpenThis(_)
        | Notice::EnterCode(_)
        | Notice::GrantedLess(_)
        | Notice::NoRefreshToken
        | Notice::NoneImported
        | Notice::ContextNotImported(_)
        | Notice::Issued(_)
        | Notice::NotIdentified
        | Notice::UserinfoDiscarded(_)
        | Notice::AccountCorrected { .. }
        | Notice::RegistrationCutShort { .. }
        | Notice::RegistrationUpdateLost { .. }
        | Notice::OtherKeyNext
        | Notice::MetadataElsewhere { .. }
        | Notice::CountsAlone(_) => String::new(),
    }
}

fn leftover(provider: &str, which: Leftover, ended: bool) -> String {
    let grant = match which {
        Leftover::Replaced => "the authorization that this one replaces",
        Leftover::Discarded => "the authorization that was not wanted",
    };
    match ended {
        true => format!("{grant} was revoked at {provider}"),
        false => format!("{grant} was not revoked and may live on at {provider}"),
    }
}

fn who(holder: Option<Holder>) -> String {
    holder.map_or("another process".into(), |it| format!("process {}", it.process))
}

/// What the person will be asked to allow.
pub fn asks(profile: &str, provider: &str, scopes: &[String]) -> String {
    let scopes = match scopes.is_empty() {
        true => "its default scopes".to_owned(),
        false => scopes.join(", "),
    };
    format!("`{profile}` asks {provider} for {}", printable(&scopes))
}

/// The address stands on a line of its own, so that it can be copied whole.
fn open_this(output: Output, system: &System, profile: &str, provider: &str, open: &OpenThis) {
    output.note(system, &asks(profile, provider, &open.scopes));
    match &open.browser {
        Ok(()) => output
            .note(system, "your browser opens this address; if it does not, open it yourself:"),
        Err(why) => output.note(system, &format!("open this address in a browser ({why}):")),
    }
    output.say(system, open.url.as_str());
    if let Some(seconds) = open.good_for {
        output.note(system, &format!("it can be opened once, within {}", span(seconds)));
    }
    if let (Some(port), Err(_)) = (open.port, &open.browser) {
        output.note(
            system,
            &format!("if that browser is on another machine, run there first: ssh -L {port}:127.0.0.1:{port} HOST"),
        );
    }
    if open.device_flow && open.browser.is_err() {
        output.note(
            system,
            "or start again with --flow device: a code is shown, and typed on any other device",
        );
    }
    if open.paste {
        output.note(
            system,
            "or paste the address that the browser ends at here (it is not shown), and press Enter",
        );
    }
    if let (true, Some(seconds)) = (open.paste, open.code_lifetime) {
        output.note(
            system,
            &format!("be quick with a paste: the code in it lives {seconds} seconds"),
        );
    }
    output.note(
        system,
        &format!(
            "waiting {} for you to allow it there; Ctrl-C ends it: {}",
            span(open.seconds),
            left(open.leaves)
        ),
    );
}
