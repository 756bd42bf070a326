//! What a person is told when the API wants the person to be authenticated in another way (RFC 9470).

use super::super::command_line;
use super::call::api;
use super::{Exit, Report, Situation};
use crate::connection::call::Refused;
use crate::http::printable::printable;
use crate::resource_server::refusal::StepUp;

/// The command that asks for it; no browser is ever opened from a call.
pub fn step_up(wanted: &StepUp, refused: &Refused, about: &Situation) -> Report {
    let mut report = api(Exit::AuthorizationNeeded, "step-up-needed", refused, about);
    report.message = format!("the API wants a stronger authorization of `{}`", about.profile);
    if let Some(acr_values) = &wanted.acr_values {
        report = report.cause(format!("it accepts the authentication {}", printable(acr_values)));
    }
    if let Some(max_age) = wanted.max_age {
        let span = super::span(max_age);
        report = report.cause(format!("the person must have been authenticated within {span}"));
    }
    if about.imports {
        return report.hint("make a token in that way and import it").next(about.connect());
    }
    let asked = [
        ("acr_values", wanted.acr_values.clone()),
        ("max_age", wanted.max_age.map(|seconds| seconds.to_string())),
    ];
    let params: Vec<String> = asked
        .into_iter()
        .filter_map(|(name, value)| Some(format!("{name}={}", command_line::word(&value?))))
        .collect();
    let plus: Vec<(&str, &str)> = params.iter().map(|it| ("--param", it.as_str())).collect();
    let hint = match plus.is_empty() {
        true => "authorise it again, in the way that the API wants; its documents name it",
        false => "a person must authorise it so; if it was just done, ask who runs the API",
    };
    report.hint(hint).next(about.connect_with(&plus))
}
