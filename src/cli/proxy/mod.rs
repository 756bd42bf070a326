//! `proxy`: a loopback address at which programs use the API without holding the token.

mod aside;
mod secret_file;

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use clap::{Args, ValueHint};
use clap_complete::engine::ArgValueCompleter;
use serde_json::json;
use tokio::sync::mpsc;

use super::completions::complete_profile;
use super::context::Context;
use super::report::{self, Exit, Report, Situation};
use aside::Aside;
use secret_file::SecretFile;

use crate::connection::{Connection, Wanted};
use crate::proxy::{
    Allowed, Failure, GrantError, Keeper, Line, Options, Proxy as Running, Refusal, Rule,
    SECRET_HEADER, Words, listen,
};
use crate::random::token_256;
use crate::secret::Secret;

/// How many audit lines may wait to be written.
const LINES: usize = 1024;

/// `proxy`.
#[derive(Debug, Args)]
#[command(
    after_help = "Give a program the printed address as its base URL, and the printed secret as\nits token:\n  keyfob proxy shop --read-only\n  curl -H 'Authorization: Bearer SECRET' http://127.0.0.1:PORT/orders\n\nPaths are those of `keyfob call`. A rule's path may hold *, which stands for any\ncharacters:\n  keyfob proxy shop --allow 'GET /orders*' --allow 'POST /*/balances'"
)]
pub struct Proxy {
    /// The profile (or KEYFOB_PROFILE)
    #[arg(value_name = "PROFILE", add = ArgValueCompleter::new(complete_profile))]
    pub profile: Option<String>,
    /// The port [default: a free one]
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true)]
    pub port: u16,
    /// Pass only requests that a rule names: a method or *, and a path (repeatable)
    #[arg(long, value_name = "RULE")]
    pub allow: Vec<String>,
    /// Pass only GET, HEAD and OPTIONS, and other methods that a rule names
    #[arg(long)]
    pub read_only: bool,
    /// Write the secret into this file, for this user alone, and not on stdout
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub secret_file: Option<PathBuf>,
}

/// Serves until a signal comes.
pub fn run(context: &Context<'_>, args: &Proxy) -> Result<Exit, Report> {
    let allowed = allowed(args)?;
    let chosen = context.chosen(args.profile.as_deref())?;
    let about = chosen.situation(context.system);
    context.with_connection(chosen, None, |connection| {
        serve(context, args, connection, &allowed, &about)
    })
}

fn allowed(args: &Proxy) -> Result<Allowed, Report> {
    let rule = |line: &String| line.parse::<Rule>().map_err(|error| report::rule(&error, line));
    let rules = args.allow.iter().map(rule).collect::<Result<_, Report>>()?;
    Ok(Allowed { rules, read_only: args.read_only })
}

fn serve(
    context: &Context<'_>,
    args: &Proxy,
    connection: &Connection<'_>,
    allowed: &Allowed,
    about: &Situation,
) -> Result<Exit, Report> {
    let provider = &connection.provider;
    let failed = |error| report::grant(&GrantError::Fresh(error), provider, about);
    // Whether there is a connection is known before anybody can knock.
    let entry = connection.entry().map_err(failed)?;
    let listener = listen(args.port).map_err(|error| report::listening(&error, args.port))?;
    let fresh = connection.fresh_from(entry, &Wanted::Good(None));
    let entry = context.wait(fresh)?.map_err(failed)?;
    let scopes = super::call::scopes(&entry);
    let secret = Secret::new(token_256(&*context.system.random));
    context.mask(&secret);
    let told = |error: &GrantError| failure(&report::grant(error, provider, about));
    let (keeper, tokens) = Keeper::new(connection, &entry, allowed, &secret, &told)
        .map_err(|error| report::grant(&error, provider, about))?;
    // It may run for days: what renews its token is read again when that is needed.
    drop(entry);
    let (audit, lines) = lines(context);
    let proxy = Running::start(Options {
        listener,
        secret: secret.clone(),
        provider: provider.clone(),
        client: connection
            .own_http()
            .map_err(|error| report::http("no HTTP client can be made", &error))?,
        clock: context.system.clock.clone(),
        random: context.system.random.clone(),
        tokens,
        words: words(scopes, about.clone()),
        audit,
    })
    .map_err(|error| report::proxy_ended(&error))?;
    let mut kept = None;
    let telling = |proxy: &Running| {
        kept = tell(context, args, proxy, &secret, about)?;
        Ok(())
    };
    run_until_signal(context, proxy, keeper, lines, telling)
}

/// How serving came to its end.
#[derive(PartialEq, Eq)]
enum Ended {
    /// After a signal, when the last request had ended or its time was over.
    Stopped,
    /// By a second signal, which waits for nobody.
    CutOff,
    /// Without a signal.
    ByItself,
}

/// Answers requests for tokens: until a signal, and then until the last request has ended or a
/// second signal comes. Nobody is told of the proxy before a signal is heard.
fn run_until_signal(
    context: &Context<'_>,
    proxy: Running,
    mut keeper: Keeper<'_>,
    lines: mpsc::Receiver<Line>,
    tell: impl FnOnce(&Running) -> Result<(), Report>,
) -> Result<Exit, Report> {
    let system = context.system;
    let aside = Aside::start(system, lines).map_err(|error| report::proxy_ended(&error))?;
    let served = system.run_hearing(async {
        let first = system.interruption.came();
        tell(&proxy)?;
        let mut serving = std::pin::pin!(keeper.serve());
        tokio::select! {
            biased;
            () = &mut serving => return Ok(Ended::ByItself),
            () = first => {}
        }
        // Listened for before anybody can see that the first one was heard: it ends the wait for
        // those who are inside.
        let second = system.interruption.came();
        proxy.stop();
        match system.unless(second, serving).await {
            Some(()) => Ok(Ended::Stopped),
            None => Ok(Ended::CutOff),
        }
    });
    let ended = match served {
        Ok(ended) => ended,
        Err(report) => {
            aside.end();
            return Err(report);
        }
    };
    if ended == Ended::CutOff {
        let cut_off = "a second signal: requests that had not ended are cut off";
        context.output.note(system, cut_off);
    }
    if ended != Ended::ByItself {
        context.output.note(system, "the proxy is closed; its secret opens nothing now");
    }
    aside.end();
    match ended {
        Ended::Stopped | Ended::CutOff => Ok(Exit::Done),
        Ended::ByItself => {
            let ended = proxy.ended().unwrap_or(Ok(()));
            let error = ended.err().unwrap_or_else(|| io::Error::other("its thread has ended"));
            Err(report::proxy_ended(&error))
        }
    }
}

/// A way for audit lines; without a sender where nobody wants them.
fn lines(context: &Context<'_>) -> (Option<mpsc::Sender<Line>>, mpsc::Receiver<Line>) {
    let (sender, lines) = mpsc::channel(LINES);
    // Under --json standard error is kept for a failure's document.
    let wanted = !context.output.quiet && !context.output.json;
    (wanted.then_some(sender), lines)
}

/// What a program gets for an answer where the proxy refuses.
fn words(scopes: Vec<String>, about: Situation) -> Words {
    Arc::new(move |refusal: &Refusal| match refusal {
        Refusal::NoToken(failure) => Failure::clone(failure),
        _ => failure(&report::proxied(refusal, &scopes, &about)),
    })
}

fn failure(report: &Report) -> Failure {
    Failure {
        document: format!("{:#}\n", report.document()),
        code: report.code,
        retry_after: report.retry_after_seconds,
    }
}

/// Tells where the proxy is and what to show it; the file with the secret goes with the value.
fn tell(
    context: &Context<'_>,
    args: &Proxy,
    proxy: &Running,
    secret: &Secret,
    about: &Situation,
) -> Result<Option<SecretFile>, Report> {
    let file = match &args.secret_file {
        Some(path) => Some(SecretFile::write(path, secret)?),
        None => None,
    };
    let (address, output) = (proxy.address(), context.output);
    match (output.json, &args.secret_file) {
        (true, None) => {
            let document = json!({ "url": address, "secret": secret.expose() });
            output.document(context.system, &document)?;
        }
        (true, Some(path)) => {
            let document = json!({ "url": address, "secret_file": path.display().to_string() });
            output.document(context.system, &document)?;
        }
        (false, None) => {
            let text = zeroize::Zeroizing::new(format!("{address}\n{}\n", secret.expose()));
            output.product(context.system, &text)?;
        }
        (false, Some(_)) => output.product(context.system, &format!("{address}\n"))?,
    }
    let place = match &args.secret_file {
        Some(path) => format!("in {}", path.display()),
        None => "in the second line".to_owned(),
    };
    for line in [
        format!(
            "programs use `{}` at this address until you press Ctrl-C, with the secret {place}",
            about.profile
        ),
        format!("as their token, or in the header {SECRET_HEADER}; the real token stays here"),
    ] {
        output.note(context.system, &line);
    }
    Ok(file)
}
