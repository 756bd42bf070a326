//! `--dry-run` and `--curl` of a recipe: every step as it would be sent, as far as that is known beforehand.

use serde_json::{Value, json};

use super::values::Known;
use super::{Asked, understood};
use crate::cli::call::curl;
use crate::cli::call::jq::Strings;
use crate::cli::context::Chosen;
use crate::cli::report::{self, Exit, Report};
use crate::http::Body;
use crate::profile::settings;
use crate::provider::Values;
use crate::provider::schema::Step;
use crate::resource_server::Items;
use crate::resource_server::request::{self, ApiRequest};

/// Shows the steps; nothing is sent, refreshed, or read from the store.
pub fn run(asked: &Asked<'_>, chosen: &Chosen, given: &Known) -> Result<Exit, Report> {
    let Asked { context, args, recipe, .. } = asked;
    if args.curl {
        refuse_curl(asked, given)?;
    }
    let values = values(asked, chosen);
    let mut known = given.clone();
    let mut texts = Vec::new();
    for step in &recipe.steps {
        if known.has_all_of(step) {
            continue;
        }
        let body = context.wait(body(asked, step, &known))??;
        let request = request(asked, chosen, step, &known, &values, body)?;
        texts.push(match args.curl {
            true => format!("{}\n", curl::command(context, chosen, &args.settings, &request)?),
            false => request.shown(),
        });
        // What only the answer can tell stands there by its name.
        for name in step.take.keys().filter(|name| !given.has(name)) {
            known.set(name, Value::from(format!("{{{name}}}")).to_string());
        }
    }
    match context.output.json {
        true => {
            let key = if args.curl { "curl" } else { "requests" };
            let texts: Vec<&str> = texts.iter().map(|text| text.trim_end()).collect();
            context.output.document(context.system, &json!({ key: texts }))?;
        }
        false => context.output.product(context.system, &texts.join("\n"))?,
    }
    Ok(Exit::Done)
}

/// What one curl command hands to the next, or to the store, it cannot hand on.
fn refuse_curl(asked: &Asked<'_>, given: &Known) -> Result<(), Report> {
    let Asked { recipe, about, .. } = asked;
    for step in &recipe.steps {
        if !step.keep.is_empty() {
            return Err(report::curl_keeps(recipe, &given.items(recipe), about));
        }
        let taken = step.take.keys().map(String::as_str);
        let taken: Vec<&str> = taken.filter(|name| !given.has(name)).collect();
        if !taken.is_empty() {
            return Err(report::curl_takes(recipe, step, &taken, &given.items(recipe), about));
        }
    }
    Ok(())
}

fn values(asked: &Asked<'_>, chosen: &Chosen) -> Values {
    let client_id = asked.context.client_id(None, &chosen.profile);
    let mut values =
        settings::values(&chosen.provider, &chosen.profile.settings, client_id.as_deref());
    for (name, value) in &chosen.record.account {
        values.set(name, value.as_str().map_or_else(|| value.to_string(), str::to_owned));
    }
    values
}

fn request(
    asked: &Asked<'_>,
    chosen: &Chosen,
    step: &Step,
    known: &Known,
    values: &Values,
    body: Body,
) -> Result<ApiRequest, Report> {
    let about = asked.about;
    let address =
        known.address(step, values).map_err(|missing| report::missing_value(&missing.0, about))?;
    let call = request::Call {
        api: &chosen.provider.api,
        settings: &chosen.provider.settings,
        values,
        method: Some(&step.method),
        path: &address,
        items: Items::default(),
        body,
        form: false,
        idempotency_key: asked.args.idempotency_key.as_deref(),
    };
    let request = ApiRequest::new(call, &*asked.context.system.random);
    request.map_err(|error| report::request(&error, about))
}

/// The body that a step's expression makes.
pub async fn body(asked: &Asked<'_>, step: &Step, known: &Known) -> Result<Body, Report> {
    let Some(expression) = &step.body else { return Ok(Body::Empty) };
    let jq = understood(asked.recipe, step, expression)?;
    let failed = |why: String| report::recipe_body(&asked.recipe.name, &step.path, &why);
    let results = jq.results(known.object(), Strings::Quoted).await;
    let results = results.map_err(|error| failed(error.to_string()))?;
    let text = String::from_utf8_lossy(&results);
    match text.lines().collect::<Vec<_>>().as_slice() {
        [one] => Ok(Body::Bytes(one.as_bytes().to_vec().into())),
        lines => Err(failed(format!("it makes {} bodies in place of one", lines.len()))),
    }
}
