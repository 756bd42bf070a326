//! What a person is told about recipes: how to call one in full, and why one stopped.

use super::super::call::jq::NotUnderstood;
use super::super::command_line;
use super::sync::TIME;
use super::{Exit, Report, Situation};
use crate::http::printable::printable;
use crate::provider::schema::{Parameter, ParameterKind, Recipe};
use crate::resource_server::filters::WrongFilter;

/// The whole command, ready to paste.
pub fn recipe_line(recipe: &Recipe, about: &Situation, items: &[String]) -> String {
    let profile = command_line::word(&about.profile);
    let words = items.iter().map(|item| match item.split_once('=') {
        Some((name, value)) => format!(" {name}={}", command_line::typed(value)),
        None => format!(" {}", command_line::typed(item)),
    });
    format!("keyfob call {profile} @{}{}", recipe.name, words.collect::<String>())
}

/// An item for every parameter that cannot be left out.
pub fn examples(recipe: &Recipe) -> Vec<String> {
    recipe.parameters.iter().filter(|it| it.required).map(example).collect()
}

fn example(parameter: &Parameter) -> String {
    let shown = match (parameter.example.as_str(), parameter.kind) {
        ("", ParameterKind::Text) => "…",
        ("", ParameterKind::Number) => "1",
        (example, _) => example,
    };
    match parameter.kind {
        ParameterKind::Text => format!("{}={shown}", parameter.name),
        ParameterKind::Number => format!("{}:={shown}", parameter.name),
    }
}

fn in_full(report: Report, recipe: &Recipe, about: &Situation) -> Report {
    report.hint("write it like this").next(recipe_line(recipe, about, &examples(recipe)))
}

/// No recipe of that name.
pub fn unknown_recipe(name: &str, near: Option<&str>, about: &Situation) -> Report {
    let report = Report::usage(format!(
        "the provider file of {} has no recipe `{}`",
        about.provider,
        printable(name)
    ));
    let report = match near {
        Some(near) => report.hint(format!("did you mean @{near}? All of them:")),
        None => report.hint("these are there"),
    };
    report.next(format!("keyfob recipes {}", command_line::word(&about.profile)))
}

/// Parameters that were not given.
pub fn parameter_missing(recipe: &Recipe, missing: &[&Parameter], about: &Situation) -> Report {
    let names: Vec<&str> = missing.iter().map(|it| it.name.as_str()).collect();
    let mut report = Report::usage(format!("@{} needs {}", recipe.name, names.join(" and ")));
    for parameter in missing.iter().filter(|it| !it.does.is_empty()) {
        report = report.cause(printable(&format!("{}: {}", parameter.name, parameter.does)));
    }
    in_full(report, recipe, about)
}

/// A parameter that the recipe does not have.
pub fn parameter_unknown(
    recipe: &Recipe,
    name: &str,
    near: Option<&str>,
    about: &Situation,
) -> Report {
    let report = Report::usage(format!("@{} has no parameter `{}`", recipe.name, printable(name)));
    let report = match near {
        Some(near) => report.cause(format!("`{near}` is probably meant")),
        None => report,
    };
    in_full(report, recipe, about)
}

/// A text where a number belongs.
pub fn no_number(recipe: &Recipe, parameter: &Parameter, about: &Situation) -> Report {
    in_full(Report::usage(format!("`{}` is a number", parameter.name)), recipe, about)
}

/// A value that the vendor does not take in the query parameter which it goes into.
pub fn recipe_filter(
    mut error: WrongFilter,
    recipe: &Recipe,
    parameter: &Parameter,
    about: &Situation,
) -> Report {
    let (WrongFilter::Value { name, .. } | WrongFilter::Time { name, .. }) = &mut error;
    name.clone_from(&parameter.name);
    let report = super::sync::wrong(&error);
    let shown = match (&error, parameter.example.is_empty()) {
        (WrongFilter::Value { only, .. }, _) => only.clone(),
        (WrongFilter::Time { .. }, true) => TIME.into(),
        (WrongFilter::Time { .. }, false) => parameter.example.clone(),
    };
    let others = recipe.parameters.iter().filter(|it| it.required && it.name != parameter.name);
    let mut items: Vec<String> = others.map(example).collect();
    items.push(format!("{}={shown}", parameter.name));
    report
        .hint("write it like this; --force sends it all the same")
        .next(recipe_line(recipe, about, &items))
}

/// A query or a header.
pub fn recipe_takes_parameters(recipe: &Recipe, about: &Situation) -> Report {
    let report = Report::usage("a recipe takes parameters, and neither a query nor headers")
        .cause("parameters are name=value or name:=json");
    in_full(report, recipe, about)
}

/// Scopes that the recipe's steps need, all at once.
pub fn recipe_scopes(
    recipe: &Recipe,
    missing: &[String],
    scopes: &[String],
    about: &Situation,
) -> Report {
    let report = Report::new(
        Exit::Refused,
        "scope-missing",
        format!("`{}` was not granted {}", about.profile, printable(&missing.join(" and "))),
    )
    .cause(format!(
        "@{} needs it; nothing was sent, and --force sends it all the same",
        recipe.name
    ));
    super::call::grantable(report, scopes.iter().chain(missing), about)
}

/// A value that an answer does not hold, or holds more than once.
pub fn not_taken(
    recipe: &Recipe,
    place: usize,
    name: &str,
    found: &[&str],
    given: &[String],
    about: &Situation,
) -> Report {
    const SHOWN: usize = 5;
    let step = &recipe.steps[place];
    let (what, example) = match found {
        [] => (format!("found no {name}"), "12"),
        [first, ..] => (format!("found several values for {name}"), *first),
    };
    let mut report = Report::new(
        Exit::SetUp,
        "recipe-value",
        format!("step {} of @{} {what}", place + 1, recipe.name),
    );
    if !step.does.is_empty() {
        report = report.cause(format!("it was to {}: {} {}", step.does, step.method, step.path));
    }
    if !found.is_empty() {
        let mut shown: Vec<String> = found.iter().take(SHOWN).map(|it| printable(it)).collect();
        if found.len() > SHOWN {
            shown.push("…".into());
        }
        report = report.cause(format!("it could be {}", shown.join(", ")));
    }
    let mut items = given.to_vec();
    items.push(format!("{name}:={example}"));
    let look = format!(
        "keyfob call {} {} {}",
        command_line::word(&about.profile),
        step.method,
        command_line::word(&step.path)
    );
    report
        .hint("look at the answer, and give the value by hand")
        .next(look)
        .next(recipe_line(recipe, about, &items))
}

/// A step that failed on the way.
pub fn recipe_cut_short(mut report: Report, recipe: &Recipe, place: usize) -> Report {
    let does = &recipe.steps[place].does;
    let what = if does.is_empty() { String::new() } else { format!(" ({does})") };
    if report.code != "recipe-value" {
        report.causes.push(format!("this was step {} of @{}{what}", place + 1, recipe.name));
    }
    report.causes.push("nothing further was sent".into());
    report
}

/// An expression of the provider file that jq does not understand.
pub fn recipe_not_understood(recipe: &str, path: &str, why: String) -> Report {
    Report::new(
        Exit::SetUp,
        "bad-provider-file",
        format!("an expression of @{recipe} ({path}) cannot be understood"),
    )
    .cause(printable(&why))
    .hint("correct it in the provider file, and check that")
    .next("keyfob provider check FILE")
}

/// What jq says about an expression.
#[cfg(feature = "jq")]
pub fn jq_words(error: &NotUnderstood) -> String {
    format!("{} (at byte {})", error.what, error.at)
}

/// There is no jq that could say anything.
#[cfg(not(feature = "jq"))]
pub fn jq_words(_: &NotUnderstood) -> String {
    "this keyfob was built without jq".into()
}

/// A body that an expression does not make.
pub fn recipe_body(recipe: &str, path: &str, why: &str) -> Report {
    Report::new(Exit::SetUp, "bad-provider-file", format!("@{recipe} makes no body for {path}"))
        .cause(printable(why))
        .hint("correct `body` in the provider file")
}

/// An answer that an expression cannot read.
pub fn recipe_answer(recipe: &str, path: &str, why: &str) -> Report {
    Report::new(
        Exit::ApiFailed,
        "recipe-answer",
        format!("@{recipe} cannot read the answer of {path}"),
    )
    .cause(printable(why))
    .hint("look at that answer with `keyfob call`; the vendor may have changed it")
}

/// A redirect, where an answer was wanted.
pub fn no_answer(status: u16, about: &Situation) -> Report {
    let mut report = Report::new(
        Exit::ApiRefused,
        "api-redirect",
        format!("{} answered with a redirect: HTTP {status}", about.provider),
    )
    .hint("redirects are never followed with a token");
    report.http_status = Some(status);
    report
}

/// A secret that was made and cannot be found in the answer.
pub fn nothing_to_keep(name: &str, again: Option<&str>, about: &Situation) -> Report {
    let report = Report::new(
        Exit::ApiFailed,
        "no-secret",
        format!("the answer of {} holds no {name} that can be told", about.provider),
    )
    .cause(format!("the vendor may have made one all the same; the stored {name} is as it was"));
    by_hand(report, name, again, about)
}

/// A secret that was made and could not be stored.
pub fn secret_not_kept(
    report: Report,
    name: &str,
    again: Option<&str>,
    about: &Situation,
) -> Report {
    let report = report.cause(format!("{} has made a new {name}", about.provider));
    match again {
        Some(again) => Report { hint: None, next: Vec::new(), ..report }
            .hint("once that is mended, the same key brings the same answer again")
            .next(again),
        None => by_hand(report, name, None, about),
    }
}

fn by_hand(report: Report, name: &str, again: Option<&str>, about: &Situation) -> Report {
    let report = match again {
        Some(again) => report
            .hint("the same key brings the same answer again; or take the secret from the vendor's dashboard and keep it")
            .next(again),
        None => report.hint("take it from the vendor's dashboard and keep it"),
    };
    let profile = command_line::word(&about.profile);
    report.next(format!("keyfob profile secret {profile} {name}"))
}
