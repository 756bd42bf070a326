//! `provider list`: the shipped providers and the user's own, which stand before them.

use serde_json::{Value, json};

use super::flow_name;
use crate::cli::context::Context;
use crate::cli::layout::table;
use crate::cli::report::{Exit, Report};
use crate::http::printable::printable;
use crate::provider::{Provider, catalogue};

/// A provider of the list; the user's own may be unreadable.
struct Line {
    name: String,
    own: bool,
    provider: Result<Provider, Report>,
}

/// Lists them by name.
pub fn run(context: &Context<'_>) -> Result<Exit, Report> {
    let lines = lines(context);
    if context.output.json {
        let rows: Vec<Value> = lines.iter().map(row).collect();
        context.output.document(context.system, &json!({ "providers": rows }))?;
        return Ok(Exit::Done);
    }
    for line in &lines {
        if let Err(report) = &line.provider {
            context.output.failure(context.system, report);
        }
    }
    let rows = lines.iter().map(cells).collect();
    let head = ["name", "title", "flows", "from", "summary"];
    let width = context.output.width(context.system);
    context.output.page(context.system, &table(width, &head, rows))?;
    Ok(Exit::Done)
}

fn lines(context: &Context<'_>) -> Vec<Line> {
    let own = context.own_provider_names();
    let shipped = catalogue::names().filter(|name| !own.iter().any(|it| it == name));
    let mut names: Vec<(String, bool)> = shipped.map(|name| (name.to_owned(), false)).collect();
    names.extend(own.iter().map(|name| (name.clone(), true)));
    names.sort();
    names
        .into_iter()
        .map(|(name, own)| {
            let provider = context.provider(&name);
            Line { name, own, provider }
        })
        .collect()
}

fn flows(provider: &Provider) -> Vec<&'static str> {
    provider.flows.iter().map(|flow| flow_name(*flow)).collect()
}

fn origin(line: &Line) -> &'static str {
    if line.own { "own file" } else { "keyfob" }
}

fn row(line: &Line) -> Value {
    let origin = if line.own { "own" } else { "shipped" };
    match &line.provider {
        Ok(provider) => json!({
            "name": line.name,
            "title": provider.title,
            "flows": flows(provider),
            "summary": provider.summary,
            "origin": origin,
        }),
        Err(report) => {
            json!({"name": line.name, "origin": origin, "error": report.document()["error"]})
        }
    }
}

fn cells(line: &Line) -> Vec<String> {
    let name = printable(&line.name);
    match &line.provider {
        Ok(provider) => vec![
            name,
            printable(&provider.title),
            flows(provider).join(", "),
            origin(line).to_owned(),
            printable(&provider.summary),
        ],
        Err(_) => vec![name, "-".into(), "-".into(), origin(line).into(), "does not pass".into()],
    }
}
