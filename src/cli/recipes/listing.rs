//! `recipes`: what each does, what it takes, what it needs. Neither keychain nor network.

use serde_json::{Value, json};

use super::Recipes;
use crate::cli::context::{Chosen, Context, title};
use crate::cli::layout::table;
use crate::cli::report::{self, Exit, Report};
use crate::http::printable::printable;
use crate::provider::schema::Recipe;

/// Lists the recipes.
pub fn run(context: &Context<'_>, args: &Recipes) -> Result<Exit, Report> {
    let chosen = context.chosen(args.profile.as_deref())?;
    let recipes = &chosen.provider.recipes;
    if context.output.json {
        let all: Vec<Value> = recipes.iter().map(|recipe| object(recipe, &chosen)).collect();
        let document = json!({
            "profile": chosen.name,
            "provider": chosen.provider.name,
            "recipes": all,
        });
        context.output.document(context.system, &document)?;
        return Ok(Exit::Done);
    }
    if recipes.is_empty() {
        let says = format!("the provider file of {} has no recipes", title(&chosen.provider));
        context.output.note(context.system, &printable(&says));
        return Ok(Exit::Done);
    }
    context.output.page(context.system, &shown(context.output.width(context.system), &chosen))?;
    let about = chosen.situation(context.system);
    let first = &recipes[0];
    let example = report::recipe_line(first, &about, &report::examples(first));
    context.output.note(context.system, &format!("run one: {example}"));
    Ok(Exit::Done)
}

/// Whether everything was granted that it needs; unknown where the vendor did not say.
fn granted(recipe: &Recipe, chosen: &Chosen) -> Option<bool> {
    let record = &chosen.record;
    match (record.connected, &record.granted) {
        _ if recipe.needs.is_empty() => Some(true),
        (false, _) => Some(false),
        (true, None) => None,
        (true, Some(granted)) => Some(recipe.needs.iter().all(|needed| granted.contains(needed))),
    }
}

fn object(recipe: &Recipe, chosen: &Chosen) -> Value {
    let parameters: Vec<Value> = recipe
        .parameters
        .iter()
        .map(|it| {
            json!({
                "name": it.name,
                "does": it.does,
                "kind": it.kind,
                "required": it.required,
                "default": it.default,
            })
        })
        .collect();
    let calls: Vec<String> =
        recipe.steps.iter().map(|step| format!("{} {}", step.method, step.path)).collect();
    json!({
        "name": recipe.name,
        "does": recipe.does,
        "note": Some(&recipe.note).filter(|note| !note.is_empty()),
        "parameters": parameters,
        "calls": calls,
        "needs": recipe.needs,
        "granted": granted(recipe, chosen),
    })
}

fn shown(width: Option<usize>, chosen: &Chosen) -> String {
    let head = ["recipe", "does", "parameters", "needs", "granted"];
    let or_dash = |text: String| if text.is_empty() { "-".to_owned() } else { printable(&text) };
    let rows = chosen.provider.recipes.iter().map(|recipe| {
        let granted = match granted(recipe, chosen) {
            Some(true) => "yes",
            Some(false) => "no",
            None => "not known",
        };
        vec![
            printable(&format!("@{}", recipe.name)),
            printable(&recipe.does),
            or_dash(parameters(recipe)),
            or_dash(recipe.needs.join(" ")),
            granted.to_owned(),
        ]
    });
    table(width, &head, rows.collect())
}

/// What may be left out stands in brackets.
fn parameters(recipe: &Recipe) -> String {
    let parameters = recipe.parameters.iter().map(|it| match it.required {
        true => it.name.clone(),
        false => format!("[{}]", it.name),
    });
    parameters.collect::<Vec<_>>().join(" ")
}
