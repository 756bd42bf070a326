//! `demo`: the main job from end to end against a sandbox in this process, told step by step.
//!
//! Each step is a command line that is really run, with the words a person would read. Nothing
//! of it touches the user's own home, keychain or network; a browser is used where there is one.

mod world;

use std::ffi::OsString;

use serde_json::{Value, json};

use super::context::Context;
use super::report::{Exit, Report};
use crate::sandbox::{Endpoint, Options, Sandbox};
use world::World;

/// One step: what it shows, the command line, and what it should exit with.
struct Step {
    title: &'static str,
    command: &'static str,
    expected: Exit,
    before: Option<fn(&Sandbox)>,
}

const STEPS: [Step; 10] = [
    Step {
        title: "Connect: your consent in the browser, a code back to this machine, tokens for it.",
        command: "keyfob connect shop --provider inkress --scope orders:read --scope orders:write",
        expected: Exit::Done,
        before: None,
    },
    Step {
        title: "Call: the token goes along, to the API's own host alone.",
        command: "keyfob call shop GET /orders app==me",
        expected: Exit::Done,
        before: None,
    },
    Step {
        title: "Write: an Idempotency-Key makes it safe to repeat.",
        command: "keyfob call shop POST /orders total:=12.5 currency_code=JMD --idempotency-key order-1",
        expected: Exit::Done,
        before: None,
    },
    Step {
        title: "Write it again, as after a lost answer: the stored answer comes back, no second order.",
        command: "keyfob call shop POST /orders total:=12.5 currency_code=JMD --idempotency-key order-1",
        expected: Exit::Done,
        before: None,
    },
    Step {
        title: "A call that the granted scopes do not open is not sent, and spends nothing.",
        command: "keyfob call shop GET /users",
        expected: Exit::Refused,
        before: None,
    },
    Step {
        title: "The access token has ended at the vendor: one refresh, and the call goes through.",
        command: "keyfob call shop GET /orders/5001",
        expected: Exit::Done,
        before: Some(Sandbox::expire_access_tokens),
    },
    Step {
        title: "Refresh by hand: the single-use refresh token is rolled.",
        command: "keyfob refresh shop",
        expected: Exit::Done,
        before: None,
    },
    Step {
        title: "Status: what is known, without network or keychain.",
        command: "keyfob status",
        expected: Exit::Done,
        before: None,
    },
    Step {
        title: "Revoke: ended at the vendor first, then forgotten here.",
        command: "keyfob revoke shop",
        expected: Exit::Done,
        before: None,
    },
    Step {
        title: "Nothing is left to use.",
        command: "keyfob token shop",
        expected: Exit::AuthorizationNeeded,
        before: None,
    },
];

/// Runs the steps; the first that does not do what it should ends the demo.
pub fn run(context: &Context<'_>) -> Result<Exit, Report> {
    let redirect_uri = world::redirect_uri().map_err(|error| failed(&error.to_string()))?;
    let options = Options { redirect_uris: vec![redirect_uri.clone()], ..Options::default() };
    let sandbox = Sandbox::start("inkress", options).map_err(|error| failed(&error.to_string()))?;
    let mut world = World::new(context, &sandbox, &redirect_uri)?;
    let mut told = Vec::new();
    tell(
        context,
        &format!(
            "A stand-in for Inkress listens at {}. Nothing leaves this machine.\n",
            sandbox.origin()
        ),
    )?;
    for (number, step) in STEPS.iter().enumerate() {
        if let Some(before) = step.before {
            before(&sandbox);
        }
        tell(context, &format!("\n{}. {}\n   $ {}\n", number + 1, step.title, step.command))?;
        let done = world.run(step.command);
        tell(context, &indented(&done.text))?;
        if step.expected != Exit::Done {
            tell(context, &format!("   (exit code {})\n", done.exit))?;
        }
        if done.exit == Exit::Interrupted as u8 {
            return Err(Report::new(Exit::Interrupted, "interrupted", "interrupted"));
        }
        if done.exit != step.expected as u8 {
            return Err(failed(&format!("`{}` ended with exit code {}", step.command, done.exit)));
        }
        told.push(json!({"command": step.command, "exit": done.exit, "output": done.text}));
    }
    summary(context, &sandbox, told)?;
    Ok(Exit::Done)
}

fn summary(context: &Context<'_>, sandbox: &Sandbox, told: Vec<Value>) -> Result<(), Report> {
    let requests = sandbox.counts(Endpoint::Token);
    let (rotations, spent) = (sandbox.rotations(), sandbox.spent_tokens_seen());
    if context.output.json {
        let document = json!({
            "steps": told,
            "token_requests": requests,
            "rotations": rotations,
            "spent_tokens_seen": spent,
        });
        return context.output.document(context.system, &document);
    }
    tell(
        context,
        &format!(
            "\nThe stand-in saw {requests} token requests, {rotations} rotations, and {spent} spent refresh tokens.\n\
             Now with a vendor of yours: `keyfob provider list`, then `keyfob connect`.\n"
        ),
    )
}

/// Under `--json` the whole story is one document at the end.
fn tell(context: &Context<'_>, text: &str) -> Result<(), Report> {
    match context.output.json {
        true => Ok(()),
        false => context.output.product(context.system, text),
    }
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("   {line}\n")).collect()
}

fn failed(why: &str) -> Report {
    Report::unexpected("the demo did not run to its end")
        .cause(crate::http::printable::printable(why))
        .hint(
            "this is a fault of keyfob's own, or another program holds its ports: please report it",
        )
}

/// A command line of the demo as arguments; none of them needs quoting.
fn arguments(command: &str) -> Vec<OsString> {
    command.split(' ').map(OsString::from).collect()
}
