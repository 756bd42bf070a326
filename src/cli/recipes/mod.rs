//! Recipes: `recipes` lists what a provider file has, and `call PROFILE @NAME` runs one.

mod given;
mod listing;
mod running;
mod same_client;
mod shown;
mod values;

use clap::Args;
use clap_complete::engine::ArgValueCompleter;

use super::args::Call;
use super::call::jq::Jq;
use super::call::{self, Words};
use super::completions::complete_profile;
use super::context::{Chosen, Context};
use super::report::{self, Exit, Report, Situation};
use crate::provider::Provider;
use crate::provider::nearest::nearest;
use crate::provider::schema::{Recipe, Step};
use given::{check_filters, given};
use running::Running;

/// `recipes`.
#[derive(Debug, Args)]
#[command(after_help = "Run one:\n  keyfob call shop @payout total:=5000 currency_code=JMD")]
pub struct Recipes {
    /// The profile (or KEYFOB_PROFILE)
    #[arg(value_name = "PROFILE", add = ArgValueCompleter::new(complete_profile))]
    pub profile: Option<String>,
}

/// Lists the recipes of a profile's provider.
pub fn list(context: &Context<'_>, args: &Recipes) -> Result<Exit, Report> {
    listing::run(context, args)
}

/// What a person asked for, and where.
struct Asked<'a> {
    context: &'a Context<'a>,
    args: &'a Call,
    recipe: &'a Recipe,
    about: &'a Situation,
}

/// Runs a recipe.
pub fn run(
    context: &Context<'_>,
    args: &Call,
    chosen: Chosen,
    words: &Words<'_>,
) -> Result<Exit, Report> {
    let about = chosen.situation(context.system);
    refuse_flags(args, words)?;
    let recipe = named(&chosen.provider, words.path.trim_start_matches('@'), &about)?.clone();
    call::check_answer_flags(args, &chosen.provider, &about)?;
    let given = given(&recipe, words.items, &about)?;
    if !args.force {
        check_filters(&recipe, &given, &chosen.provider.api.filters, &about)?;
    }
    let asked = Asked { context, args, recipe: &recipe, about: &about };
    // What cannot be evaluated is told before anything is sent.
    for (step, expression) in expressions(&recipe) {
        understood(&recipe, step, expression)?;
    }
    if args.dry_run || args.curl {
        return shown::run(&asked, &chosen, &given);
    }
    context.with_connection(chosen, None, |connection| {
        Running::new(&asked, connection).to_the_end(given)
    })
}

/// What would change the recipe's calls has no place beside it.
fn refuse_flags(args: &Call, words: &Words<'_>) -> Result<(), Report> {
    let flags = [
        (words.method.is_some(), "a method"),
        (!args.headers.is_empty(), "-H"),
        (args.data.is_some(), "-d"),
        (args.form, "--form"),
    ];
    match flags.iter().find(|(given, _)| *given) {
        Some((_, flag)) => Err(Report::usage(format!("{flag} does not go with a recipe"))
            .cause("a recipe says itself what is sent")
            .hint("give its parameters as name=value or name:=json")),
        None => Ok(()),
    }
}

fn named<'a>(provider: &'a Provider, name: &str, about: &Situation) -> Result<&'a Recipe, Report> {
    let found = provider.recipes.iter().find(|recipe| recipe.name == name);
    let near = || nearest(name, provider.recipes.iter().map(|recipe| recipe.name.as_str()));
    found.ok_or_else(|| report::unknown_recipe(name, near(), about))
}

/// Every expression of a recipe, with its step.
fn expressions(recipe: &Recipe) -> impl Iterator<Item = (&Step, &str)> {
    recipe.steps.iter().flat_map(|step| {
        let all = step.body.iter().chain(step.take.values()).chain(step.keep.values());
        all.map(move |expression| (step, expression.as_str()))
    })
}

fn understood(recipe: &Recipe, step: &Step, expression: &str) -> Result<Jq, Report> {
    Jq::compile(expression).map_err(|error| {
        report::recipe_not_understood(&recipe.name, &step.path, report::jq_words(&error))
    })
}

/// The first expression of a provider's recipes that jq does not understand: the keys that lead to it, and why.
pub fn not_understood(provider: &Provider) -> Option<(Vec<String>, String)> {
    let keys = |place: usize, step: usize, rest: &[&str]| {
        let head = ["recipes".to_owned(), place.to_string(), "steps".into(), step.to_string()];
        head.into_iter().chain(rest.iter().map(|key| (*key).to_owned())).collect::<Vec<_>>()
    };
    let why = |expression: &str| {
        let error = Jq::compile(expression).err()?;
        Some(format!("jq does not understand `{expression}`: {}", report::jq_words(&error)))
    };
    provider.recipes.iter().enumerate().find_map(|(place, recipe)| {
        recipe.steps.iter().enumerate().find_map(|(at, step)| {
            let body = step.body.iter().map(|it| (vec!["body"], it));
            let take = step.take.iter().map(|(name, it)| (vec!["take", name.as_str()], it));
            let keep = step.keep.iter().map(|(name, it)| (vec!["keep", name.as_str()], it));
            let all = body.chain(take).chain(keep);
            all.into_iter().find_map(|(path, it)| Some((keys(place, at, &path), why(it)?)))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::catalogue::{SHIPPED, shipped};
    use crate::resource_server::scope::scopes_for;

    #[test]
    fn every_shipped_recipe_is_understood_and_needs_what_its_calls_need() {
        for (name, _) in SHIPPED {
            let provider = shipped(name).unwrap().unwrap();
            assert_eq!(not_understood(&provider), None, "{name}");
            for recipe in &provider.recipes {
                for step in &recipe.steps {
                    let opened = scopes_for(&provider.scope, &step.method, &step.path);
                    let is_needed = opened.iter().any(|it| recipe.needs.contains(&it.name));
                    assert!(opened.is_empty() || is_needed, "{name} @{}", recipe.name);
                }
            }
        }
    }
}
