//! What no curl command can say.

use super::super::command_line;
use super::recipes::recipe_line;
use super::{Report, Situation};
use crate::http::printable::printable;
use crate::provider::schema::{Recipe, Step};

/// A step whose answer a later one needs: its values are not known before it was sent.
pub fn curl_takes(
    recipe: &Recipe,
    step: &Step,
    taken: &[&str],
    given: &[String],
    about: &Situation,
) -> Report {
    let names = printable(&taken.join(" and "));
    let by_hand: String = taken.iter().map(|name| format!(" {}:=…", printable(name))).collect();
    Report::usage(format!("no curl command does what @{} does", recipe.name))
        .cause(format!("the answer of {} {} gives {names}", step.method, step.path))
        .hint("look at that answer and give the values by hand, or see the steps with --dry-run")
        .next(format!(
            "keyfob call {} {} {}",
            command_line::word(&about.profile),
            step.method,
            command_line::word(&step.path)
        ))
        .next(format!("{}{by_hand} --curl", recipe_line(recipe, about, given)))
        .next(format!("{} --dry-run", recipe_line(recipe, about, given)))
}

/// A step whose answer holds a secret: curl would show it, and the store would keep the old one.
pub fn curl_keeps(recipe: &Recipe, given: &[String], about: &Situation) -> Report {
    Report::usage(format!("no curl command does what @{} does", recipe.name))
        .cause("its answer holds a secret that is put into the store and shown nowhere")
        .hint("run it without --curl, or see the steps with --dry-run")
        .next(format!("{} --dry-run", recipe_line(recipe, about, given)))
}
