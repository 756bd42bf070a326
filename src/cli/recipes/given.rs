//! What a person gives to a recipe, as items; checked before anything is sent.

use super::values::Known;
use crate::cli::report::{self, Report, Situation};
use crate::provider::nearest::nearest;
use crate::provider::schema::{Filter, Parameter, ParameterKind, Recipe};
use crate::resource_server::items::Field;
use crate::resource_server::{Items, filters};

/// Reads the items: parameters, and values that the recipe would otherwise take out of an answer.
pub fn given(recipe: &Recipe, items: &[String], about: &Situation) -> Result<Known, Report> {
    let items = Items::parse(items.iter().map(String::as_str), &no_file)
        .map_err(|error| report::item(&error))?;
    if !items.query.is_empty() || !items.headers.is_empty() {
        return Err(report::recipe_takes_parameters(recipe, about));
    }
    let mut known = Known::default();
    for (name, field) in items.fields {
        if known.has(&name) {
            return Err(Report::usage(format!("`{name}` is given twice")).hint("give it once"));
        }
        let parameter = recipe.parameters.iter().find(|it| it.name == name);
        let is_taken = recipe.steps.iter().any(|step| step.take.contains_key(&name));
        let json = match parameter {
            Some(parameter) => value(parameter, field, recipe, about)?,
            None if is_taken => as_json(field),
            None => return Err(unknown(recipe, &name, about)),
        };
        known.set(&name, json);
    }
    stand_in(recipe, &mut known);
    let missing: Vec<&Parameter> =
        recipe.parameters.iter().filter(|it| it.required && !known.has(&it.name)).collect();
    match missing.is_empty() {
        true => Ok(known),
        false => Err(report::parameter_missing(recipe, &missing, about)),
    }
}

/// Checks what goes into query parameters whose values the vendor fixes.
pub fn check_filters(
    recipe: &Recipe,
    known: &Known,
    all: &[Filter],
    about: &Situation,
) -> Result<(), Report> {
    let queries = recipe.steps.iter().flat_map(|step| &step.query);
    for (name, template) in queries {
        let Some(filter) = all.iter().find(|filter| filter.name == *name) else { continue };
        let is_it = |it: &&Parameter| *template == format!("{{{}}}", it.name);
        let Some(parameter) = recipe.parameters.iter().find(is_it) else { continue };
        let Some(given) = known.text(&parameter.name) else { continue };
        filters::value(filter, &given)
            .map_err(|error| report::recipe_filter(error, recipe, parameter, about))?;
    }
    Ok(())
}

fn no_file(_: &str) -> std::io::Result<Vec<u8>> {
    Err(std::io::Error::other("a recipe's parameters are typed"))
}

fn as_json(field: Field) -> String {
    match field {
        Field::Text(text) => serde_json::Value::from(text).to_string(),
        Field::Json(json) => json,
    }
}

/// `total=5000` is a number too where a number is wanted.
fn value(
    parameter: &Parameter,
    field: Field,
    recipe: &Recipe,
    about: &Situation,
) -> Result<String, Report> {
    let is_number = |text: &str| text.parse::<serde_json::Number>().is_ok();
    match (parameter.kind, field) {
        (ParameterKind::Number, Field::Text(text) | Field::Json(text)) if is_number(&text) => {
            Ok(text)
        }
        (ParameterKind::Number, _) => Err(report::no_number(recipe, parameter, about)),
        (ParameterKind::Text, field) => Ok(as_json(field)),
    }
}

fn stand_in(recipe: &Recipe, known: &mut Known) {
    for parameter in &recipe.parameters {
        if let (Some(default), false) = (&parameter.default, known.has(&parameter.name)) {
            let json = match parameter.kind {
                ParameterKind::Number => default.clone(),
                ParameterKind::Text => serde_json::Value::from(default.as_str()).to_string(),
            };
            known.set(&parameter.name, json);
        }
    }
}

fn unknown(recipe: &Recipe, name: &str, about: &Situation) -> Report {
    let parameters = recipe.parameters.iter().map(|it| it.name.as_str());
    let taken = recipe.steps.iter().flat_map(|step| step.take.keys()).map(String::as_str);
    report::parameter_unknown(recipe, name, nearest(name, parameters.chain(taken)), about)
}
