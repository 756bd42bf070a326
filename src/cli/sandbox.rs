//! `sandbox`: a vendor's stand-in on loopback, until it is interrupted.

use serde_json::{Map, Value, json};

use super::args::Sandbox as Args;
use super::context::Context;
use super::report::{Exit, Report};
use crate::http::printable::printable;
use crate::provider::catalogue;
use crate::provider::nearest::nearest;
use crate::provider::schema::Flow;
use crate::sandbox::{HowToConnect, Options, Sandbox, SandboxError, Undelivered, vendors};

/// The port of the receiver in the lines to paste.
const RECEIVER: u16 = 8977;

/// Serves until a signal comes.
pub fn run(context: &Context<'_>, args: &Args) -> Result<Exit, Report> {
    let (undelivered, mut lost) = tokio::sync::mpsc::unbounded_channel();
    let options = Options {
        undelivered: Some(undelivered),
        port: args.port,
        clock: context.system.clock.clone(),
        random: context.system.random.clone(),
        ..Options::default()
    };
    let sandbox = Sandbox::start(&args.vendor, options).map_err(|error| failed(&error))?;
    match context.output.json {
        true => context.output.document(context.system, &document(&args.vendor, &sandbox))?,
        false => context.output.product(context.system, &format!("{}\n", sandbox.origin()))?,
    }
    for line in how(&args.vendor, &sandbox.how_to_connect(), &sandbox) {
        context.output.note(context.system, &line);
    }
    // Nothing ends this wait but a signal, which is how a sandbox is meant to end.
    let _ = context.wait(async {
        while let Some(undelivered) = lost.recv().await {
            context.output.warn(context.system, &not_delivered(&undelivered));
        }
        std::future::pending::<()>().await;
    });
    context
        .output
        .note(context.system, "the sandbox is closed; what it gave out is worth nothing now");
    Ok(Exit::Done)
}

/// Which webhook did not arrive, why, and what becomes of it.
fn not_delivered(undelivered: &Undelivered) -> String {
    let Undelivered { event, id, to, why, number, again_in } = undelivered;
    let id = id.as_ref().map(|id| format!(" (delivery {id})")).unwrap_or_default();
    let then = match (number, again_in) {
        (Some((number, of)), Some(pause)) => {
            format!("; this was try {number} of {of}, the next is in {} s", pause.as_secs_f64())
        }
        (Some((_, of)), None) => format!("; this was the last of {of} tries"),
        (None, _) => String::new(),
    };
    format!("{event}{id} did not reach {}: {}{then}", printable(to), printable(why))
}

fn failed(error: &SandboxError) -> Report {
    let report = Report::new(Exit::SetUp, "sandbox", "the sandbox could not start")
        .cause(printable(&error.to_string()));
    match error {
        SandboxError::UnknownVendor(name) => {
            let names: Vec<&str> = vendors::names().collect();
            match nearest(name, names.iter().copied()) {
                Some(near) => report.hint("did you mean").next(format!("keyfob sandbox {near}")),
                None => report.hint(format!("the vendors are {}", names.join(", "))),
            }
        }
        SandboxError::Port { .. } => report.hint("choose another port, or leave --port out"),
        _ => report.hint("this is a fault of keyfob's own: please report it"),
    }
}

/// What a script needs to use it; the secret is the sandbox's own and ends with it.
fn document(vendor: &str, sandbox: &Sandbox) -> Value {
    let how = sandbox.how_to_connect();
    let mut document = json!({
        "origin": sandbox.origin(),
        "vendor": vendor,
        "provider": provider_of(&how, sandbox).0,
        "client_id": how.client.client_id,
    });
    let settings: Map<String, Value> = provider_of(&how, sandbox)
        .1
        .iter()
        .map(|(name, value)| (name.clone(), Value::from(value.as_str())))
        .collect();
    let known = [
        ("client_secret", how.client.client_secret.as_ref().map(|it| Value::from(it.expose()))),
        (
            "redirect_uri",
            how.flows
                .contains(&Flow::AuthorizationCode)
                .then(|| Value::from(how.client.redirect_uri.as_str())),
        ),
        ("settings", Some(Value::Object(settings))),
        ("webhook_secret", sandbox.webhook_secret().map(|it| Value::from(it.expose()))),
        ("scopes", Some(json!(how.scopes))),
    ];
    for (name, value) in known {
        if let Some(value) = value {
            document[name] = value;
        }
    }
    document
}

/// A shipped provider and its settings; a server that no file describes is found by its API's address.
fn provider_of<'h>(how: &'h HowToConnect, sandbox: &Sandbox) -> (String, &'h [(String, String)]) {
    match catalogue::names().any(|name| name == how.provider) {
        true => (how.provider.clone(), how.settings.as_slice()),
        false => (sandbox.discovered_at(), [].as_slice()),
    }
}

/// What a person pastes to use it.
fn how(vendor: &str, how: &HowToConnect, sandbox: &Sandbox) -> Vec<String> {
    let (provider, settings) = provider_of(how, sandbox);
    let settings: String =
        settings.iter().map(|(name, value)| format!(" --set {name}={value}")).collect();
    let scopes: String = how.scopes.iter().map(|scope| format!(" --scope {scope}")).collect();
    let client = &how.client;
    let mut lines = vec![
        format!("this stands in for {vendor} until you press Ctrl-C; its client is"),
        format!("  client id      {}", client.client_id),
    ];
    if let Some(secret) = &client.client_secret {
        lines.push(format!("  client secret  {}", secret.expose()));
    }
    if how.flows.contains(&Flow::AuthorizationCode) {
        lines.push(format!("  redirect URI   {}", client.redirect_uri));
    }
    lines.push("in another terminal:".into());
    match how.flows.first() {
        Some(Flow::Import) => {
            let suggested: Vec<&str> = how.scopes.iter().map(String::as_str).collect();
            lines.push(format!(
                "  keyfob import {vendor} --provider {}{settings} --client-id {} <<'TOKENS'",
                provider, client.client_id
            ));
            let mut tokens = sandbox.dashboard_tokens(&suggested);
            if let (Some(object), Some(secret)) = (tokens.as_object_mut(), &client.client_secret) {
                object.insert("client_secret".into(), secret.expose().into());
            }
            lines.push(format!("  {tokens}"));
            lines.push("TOKENS".into());
        }
        _ => {
            let connect = format!(
                "  keyfob connect {vendor} --provider {provider}{settings} --client-id {}{scopes}",
                client.client_id
            );
            let by_device = how.flows.contains(&Flow::DeviceCode);
            let device = by_device.then(|| format!("{connect} --flow device"));
            lines.push(connect);
            if let Some(device) = device {
                lines.push("or with a code that is typed on another device:".into());
                lines.push(device);
            }
        }
    }
    if let Some(call) = sandbox.example_call() {
        lines.push("and once connected, for instance:".into());
        lines.push(format!("  keyfob call {vendor} {call}"));
    }
    lines.extend(webhooks(vendor, sandbox));
    lines
}

/// How to see a webhook arrive: a receiver, a subscription, and something that happens.
fn webhooks(vendor: &str, sandbox: &Sandbox) -> Vec<String> {
    let Some(secret) = sandbox.webhook_secret() else { return Vec::new() };
    let mut lines = vec![
        "its webhooks come to this machine; to see one arrive:".into(),
        format!("  export KEYFOB_WEBHOOK_SECRET={}", secret.expose()),
        format!("  keyfob webhook listen {vendor} --port {RECEIVER}"),
        "and in a third terminal:".into(),
    ];
    let calls = sandbox.webhook_example(&format!("http://127.0.0.1:{RECEIVER}/"));
    lines.extend(calls.iter().map(|call| format!("  keyfob call {vendor} {call}")));
    lines
}
