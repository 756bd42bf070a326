//! `webhook …`: signatures checked and made, deliveries received on loopback, test events sent.
//!
//! What a signature is belongs to the room `webhook`; here is what is typed and what is read back.

mod account;
mod desk;
mod forward;
mod line;
mod listen;
mod secret;
mod send;
mod sign;
mod tally;
mod verify;

use std::io::Read as _;

use clap::Subcommand;

use super::context::{Chosen, Context};
use super::report::{self, Exit, Report};
use crate::http::printable::printable;
use crate::provider::schema::Webhook;
use crate::system::System;

/// `webhook …`.
#[derive(Debug, Subcommand)]
pub enum WebhookCommand {
    /// Check the signature of a delivery whose body is on standard input
    Verify(verify::Verify),
    /// Sign a body from standard input as the vendor would
    Sign(sign::Sign),
    /// Receive deliveries on loopback: verify, print or forward, each once
    Listen(listen::Listen),
    /// Post a signed test event to a receiver
    Send(send::Send),
}

/// Runs one of them.
pub fn run(context: &Context<'_>, command: &WebhookCommand) -> Result<Exit, Report> {
    match command {
        WebhookCommand::Verify(args) => verify::run(context, args),
        WebhookCommand::Sign(args) => sign::run(context, args),
        WebhookCommand::Listen(args) => listen::run(context, args),
        WebhookCommand::Send(args) => send::run(context, args),
    }
}

/// The longest body that standard input or a file may hold, in bytes.
const LONGEST_BODY: u64 = 64 << 20;

/// How the vendor of a profile signs.
fn scheme(chosen: &Chosen) -> Result<Webhook, Report> {
    chosen.provider.webhook.clone().ok_or_else(|| report::no_scheme(&chosen.provider))
}

/// A body as it is, to the last byte, from standard input.
fn standard_input(system: &System) -> Result<Vec<u8>, Report> {
    if system.terminals.stdin {
        return Err(Report::usage("the body comes on standard input, and that is a terminal")
            .hint("give the bytes as they came, for instance with < body.json"));
    }
    let mut stdin = system.stdin.borrow_mut();
    bounded(&mut *stdin, "standard input")
}

fn bounded(source: &mut dyn std::io::Read, name: &str) -> Result<Vec<u8>, Report> {
    let mut body = Vec::new();
    match source.take(LONGEST_BODY + 1).read_to_end(&mut body) {
        Ok(_) if body.len() as u64 <= LONGEST_BODY => Ok(body),
        Ok(_) => Err(Report::usage(format!("{name} holds more than {} MiB", LONGEST_BODY >> 20))
            .hint("no webhook is as long")),
        Err(error) => Err(Report::usage(format!("{name} cannot be read"))
            .cause(printable(&error.to_string()))
            .hint("give the body as it came")),
    }
}

/// A flag for something that the scheme does not know would be passed over in silence.
fn refuse_idle(flag: &str, given: bool, known: bool, chosen: &Chosen) -> Result<(), Report> {
    match given && !known {
        true => Err(Report::usage(format!(
            "{flag} has no effect: the provider `{}` has no such header",
            chosen.profile.provider
        ))
        .hint("leave it out")),
        false => Ok(()),
    }
}
