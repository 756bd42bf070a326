//! A recipe on its way: scopes first, then step after step, values taken from each answer, the last answer given out.

use std::collections::BTreeMap;

use serde_json::json;
use zeroize::Zeroizing;

use super::values::Known;
use super::{Asked, same_client, shown, understood};
use crate::cli::call::jq::Strings;
use crate::cli::call::{self, scopes};
use crate::cli::context::Context;
use crate::cli::report::{self, Exit, Report};
use crate::connection::call::Manner;
use crate::connection::keeping;
use crate::connection::pages::Page;
use crate::connection::{Connection, Entry};
use crate::provider::schema::Step;
use crate::random::uuid_v4;
use crate::resource_server::Items;
use crate::resource_server::idempotency::is_read;
use crate::resource_server::request::{self, ApiRequest};
use crate::secret::Secret;

/// One run.
pub struct Running<'a> {
    asked: &'a Asked<'a>,
    connection: &'a Connection<'a>,
    /// The key of the first write; further ones are made from it.
    key: Option<String>,
}

impl<'a> Running<'a> {
    /// Prepares a run; nothing is read or sent yet.
    pub fn new(asked: &'a Asked<'a>, connection: &'a Connection<'a>) -> Self {
        let takes_keys = connection.provider.api.idempotency.is_some();
        let made = || takes_keys.then(|| uuid_v4(&*asked.context.system.random));
        let key = asked.args.idempotency_key.clone().or_else(made);
        Self { asked, connection, key }
    }

    /// Runs every step.
    pub fn to_the_end(&self, mut known: Known) -> Result<Exit, Report> {
        let Asked { context, recipe, .. } = self.asked;
        self.check_scopes(&self.entry()?)?;
        let Some((last, before)) = recipe.steps.split_last() else { return Ok(Exit::Done) };
        if !last.keep.is_empty() {
            self.prove_store()?;
        }
        for (place, step) in before.iter().enumerate() {
            if !known.has_all_of(step) {
                let taken = context.wait(self.step(place, step, &known))?;
                for (name, json) in taken.map_err(|report| self.cut_short(report, place, &known))? {
                    known.set(&name, json);
                }
            }
        }
        let done = match last.keep.is_empty() {
            true => self.give_out(last, &known),
            false => context.wait(self.keep(last, &known))?,
        }?;
        if !recipe.note.is_empty() {
            context.output.note(context.system, &recipe.note);
        }
        Ok(done)
    }

    fn entry(&self) -> Result<Entry, Report> {
        let Self { asked, connection, .. } = self;
        connection.entry().map_err(|error| report::fresh(&error, &connection.provider, asked.about))
    }

    /// All of them before the first step: half a recipe is worse than none.
    fn check_scopes(&self, entry: &Entry) -> Result<(), Report> {
        let Asked { args, recipe, about, .. } = self.asked;
        let granted = entry.tokens.as_ref().and_then(|tokens| tokens.granted.as_ref());
        let Some(granted) = granted.filter(|_| !args.force) else { return Ok(()) };
        let missing: Vec<String> =
            recipe.needs.iter().filter(|needed| !granted.contains(needed)).cloned().collect();
        match missing.is_empty() {
            true => Ok(()),
            false => Err(report::recipe_scopes(recipe, &missing, &scopes(entry), about)),
        }
    }

    /// A secret that is made must have a place.
    fn prove_store(&self) -> Result<(), Report> {
        let proved = self.connection.drawer.store.prove();
        proved.map_err(|error| report::store_of(&error, self.asked.about))
    }

    fn manner(&self) -> Manner {
        let args = self.asked.args;
        args.attempts.manner(args.force)
    }

    /// The key of a step that writes: the same whenever the recipe is run again with the same key.
    fn key_of(&self, step: &Step) -> Option<String> {
        let idempotency = self.connection.provider.api.idempotency.as_ref()?;
        let writes = |it: &&Step| {
            idempotency.methods.contains(&it.method) && !is_read(Some(idempotency), Some(&it.path))
        };
        let steps = self.asked.recipe.steps.iter();
        let place = steps.filter(writes).position(|it| std::ptr::eq(it, step))?;
        let key = self.key.as_ref()?;
        Some(if place == 0 { key.clone() } else { format!("{key}-{place}") })
    }

    async fn request(
        &self,
        entry: &Entry,
        step: &Step,
        known: &Known,
    ) -> Result<ApiRequest, Report> {
        let Self { asked, connection, .. } = self;
        let values = connection.call_values(entry);
        let address = known
            .address(step, &values)
            .map_err(|missing| report::missing_value(&missing.0, asked.about))?;
        let key = self.key_of(step);
        let call = request::Call {
            api: &connection.provider.api,
            settings: &connection.provider.settings,
            values: &values,
            method: Some(&step.method),
            path: &address,
            items: Items::default(),
            body: shown::body(asked, step, known).await?,
            form: false,
            idempotency_key: key.as_deref(),
        };
        let request = ApiRequest::new(call, &*asked.context.system.random);
        let mut request = request.map_err(|error| report::request(&error, asked.about))?;
        request.needs.clone_from(&asked.recipe.needs);
        Ok(request)
    }

    /// Sends a step and reads its whole answer, which must be a good one.
    async fn answer(&self, step: &Step, known: &Known) -> Result<Page, Report> {
        let Self { asked, connection, .. } = self;
        let (provider, about) = (&connection.provider, asked.about);
        let entry = self.entry()?;
        let scopes = scopes(&entry);
        let mut request = self.request(&entry, step, known).await?;
        let called = connection.call(entry, &mut request, self.manner()).await;
        let called = called.map_err(|error| report::call(&error, provider, &scopes, about))?;
        let page = Page::of(called).await;
        let page = page.map_err(|error| report::http("the answer's body broke off", &error))?;
        match (page.is_good(), &page.refusal) {
            (true, _) => Ok(page),
            (false, Some(refused)) => Err(report::refusal(refused, &scopes, about)),
            (false, None) => Err(report::no_answer(page.status, about)),
        }
    }

    /// Sends a step that is not the last, and takes out of its answer what later ones need.
    async fn step(
        &self,
        place: usize,
        step: &Step,
        known: &Known,
    ) -> Result<BTreeMap<String, String>, Report> {
        let page = self.answer(step, known).await?;
        let mut taken = BTreeMap::new();
        for (name, expression) in step.take.iter().filter(|(name, _)| !known.has(name)) {
            let found = self.found(step, expression, page.body.clone()).await?;
            let text = String::from_utf8_lossy(&found);
            let values: Vec<&str> = text.lines().filter(|line| *line != "null").collect();
            let [one] = values.as_slice() else {
                let recipe = self.asked.recipe;
                let given = known.items(recipe);
                return Err(report::not_taken(
                    recipe,
                    place,
                    name,
                    &values,
                    &given,
                    self.asked.about,
                ));
            };
            taken.insert(name.clone(), (*one).to_owned());
        }
        Ok(taken)
    }

    async fn found(
        &self,
        step: &Step,
        expression: &str,
        body: Vec<u8>,
    ) -> Result<Zeroizing<Vec<u8>>, Report> {
        let recipe = self.asked.recipe;
        let jq = understood(recipe, step, expression)?;
        let results = jq.results(body, Strings::Quoted).await;
        let results = results
            .map_err(|error| report::recipe_answer(&recipe.name, &step.path, &error.to_string()))?;
        Ok(Zeroizing::new(results))
    }

    /// Nothing more is sent; the same key makes a repetition safe.
    fn cut_short(&self, report: Report, place: usize, known: &Known) -> Report {
        let Asked { recipe, about, .. } = self.asked;
        let written = recipe.steps[..=place].iter().any(|step| self.key_of(step).is_some());
        let report = report::recipe_cut_short(report, recipe, place);
        match (&self.key, written && report.code != "scope-missing") {
            (Some(key), true) => {
                let line = report::recipe_line(recipe, about, &known.items(recipe));
                let mut report = report.next(format!("{line} --idempotency-key {key}"));
                report.idempotency_key = Some(key.clone());
                report
            }
            _ => report,
        }
    }

    /// The last step is a call like any other: its answer goes where flags say.
    fn give_out(&self, step: &Step, known: &Known) -> Result<Exit, Report> {
        let Self { asked, connection, .. } = self;
        let values = connection.call_values(&self.entry()?);
        let address = known
            .address(step, &values)
            .map_err(|missing| report::missing_value(&missing.0, asked.about))?;
        let body = asked.context.wait(shown::body(asked, step, known))??;
        let data = match &body {
            crate::http::Body::Bytes(bytes) => Some(String::from_utf8_lossy(bytes).into_owned()),
            _ => None,
        };
        let mut args = asked.args.clone();
        args.data = data;
        args.idempotency_key = self.key_of(step);
        let (context, about): (&Context<'_>, _) = (asked.context, asked.about);
        call::send_step(context, &args, &step.method, &address, connection, about)
    }

    /// Puts secrets of the last answer into the store; the answer itself is shown nowhere.
    async fn keep(&self, step: &Step, known: &Known) -> Result<Exit, Report> {
        let Self { asked, connection, .. } = self;
        let Asked { context, recipe, about, .. } = asked;
        let keyed = |mut report: Report| {
            report.idempotency_key = self.key_of(step);
            report
        };
        let body = Zeroizing::new(self.answer(step, known).await.map_err(keyed)?.body);
        let mut profiles = vec![about.profile.clone()];
        for (name, expression) in &step.keep {
            let found = self.found(step, expression, body.to_vec()).await.map_err(keyed)?;
            let lines: Vec<&[u8]> =
                found.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).collect();
            let secret = match lines.as_slice() {
                [one] => serde_json::from_slice::<String>(one).ok().map(Secret::new),
                _ => None,
            };
            let secret = secret.filter(|secret| !secret.is_empty());
            let secret = secret.ok_or_else(|| keyed(self.nothing_to_keep(step, known, name)))?;
            context.mask(&secret);
            let kept = keeping::keep_secret(
                context.system,
                &connection.drawer,
                connection.notify,
                &connection.provider,
                name,
                secret.clone(),
            );
            let not_kept = |report| keyed(self.not_kept(report, step, known, name));
            kept.await.map_err(|error| not_kept(report::keeping(&error)))?;
            for other in same_client::holders(context, connection, name).map_err(not_kept)? {
                let kept = same_client::keep(context, connection, &other, name, &secret).await;
                kept.map_err(not_kept)?;
                profiles.push(other.0.name);
            }
        }
        let names: Vec<&String> = step.keep.keys().collect();
        let store = connection.drawer.store.kind().name();
        let document = json!({
            "profile": about.profile,
            "kept": names,
            "store": store,
            "profiles": profiles,
        });
        match context.output.json {
            true => context.output.document(context.system, &document)?,
            false => {
                let names: Vec<&str> = names.iter().map(|name| name.as_str()).collect();
                let says = format!(
                    "{}: the new {} of `{}` is kept in the {store} store",
                    recipe.name,
                    names.join(" and "),
                    about.profile
                );
                context.output.note(context.system, &says);
                for other in profiles.iter().skip(1) {
                    let says = format!("and of `{other}`, which is of the same client");
                    context.output.note(context.system, &says);
                }
            }
        }
        Ok(Exit::Done)
    }

    fn nothing_to_keep(&self, step: &Step, known: &Known, name: &str) -> Report {
        let again = self.same_answer(step, known);
        report::nothing_to_keep(name, again.as_deref(), self.asked.about)
    }

    fn not_kept(&self, report: Report, step: &Step, known: &Known, name: &str) -> Report {
        let again = self.same_answer(step, known);
        report::secret_not_kept(report, name, again.as_deref(), self.asked.about)
    }

    /// The recipe once more with the same key: the vendor gives its stored answer again.
    fn same_answer(&self, step: &Step, known: &Known) -> Option<String> {
        let replays = self.connection.provider.api.idempotency.as_ref()?;
        replays.replay_header.as_ref()?;
        let key = self.key_of(step)?;
        let Asked { recipe, about, .. } = self.asked;
        let line = report::recipe_line(recipe, about, &known.items(recipe));
        Some(format!("{line} --idempotency-key {key}"))
    }
}
