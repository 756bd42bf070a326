//! `--jq EXPR`: an answer filtered by a jq program, which can read the answer and nothing else.
//!
//! The language is a library's. What would let an expression see more than the answer is not there:
//! neither the environment, which may hold a store's key, nor files, nor further input.

use std::sync::Arc;

use jaq_core::data::JustLut;
use jaq_core::load::{Arena, File, Loader, import, lex, parse};
use jaq_core::{Compiler, Ctx, Filter, Vars, load, unwrap_valr};
use jaq_json::{Val, read};

use crate::http::printable::printable;
use crate::provider::nearest::nearest;

/// Filters that see or do what is no business of an expression, or would be silent here.
const LEFT_OUT: [&str; 10] = [
    "env",
    "halt",
    "halt_error",
    "debug",
    "debug_empty",
    "stderr",
    "stderr_empty",
    "input",
    "inputs",
    "input_filename",
];

/// What jq itself has and the library leaves to programs.
const OWN: &str = include_str!("jq/own.jq");

/// What the results of one answer may take, in bytes.
const MOST_RESULTS: usize = 256 << 20;

/// How deep an answer may be nested; jq's own reader goes down a stack.
const DEEPEST: usize = 1000;

/// The stack of the thread that runs an expression, in bytes; what is not used costs nothing.
const STACK: usize = 256 << 20;

type Kind = JustLut<Val>;

/// A program that was understood.
#[derive(Clone)]
pub struct Jq(Arc<Filter<Kind>>);

/// An expression that was not understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotUnderstood {
    /// What is wrong.
    pub what: String,
    /// Where, in bytes from the start.
    pub at: usize,
    /// Whether it is a name that there is not.
    pub is_name: bool,
    /// The name that was probably meant.
    pub nearest: Option<String>,
}

/// Why an answer has no results.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JqError {
    /// There is nothing to filter.
    #[error("the answer is not JSON")]
    NotJson,
    /// It is nested too deeply.
    #[error("the answer is nested more than {DEEPEST} deep")]
    TooDeep,
    /// The expression ended in an error.
    #[error("{0}")]
    Failed(String),
    /// The results never end, or nearly so.
    #[error("the results are larger than {} MiB", MOST_RESULTS >> 20)]
    TooMuch,
    /// The thread that ran it did not come to an end.
    #[error("the expression was broken off")]
    BrokenOff,
}

/// How results are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strings {
    /// As they are, like `jq -r`.
    Raw,
    /// As JSON.
    Quoted,
}

impl Jq {
    /// Understands an expression.
    pub fn compile(expression: &str) -> Result<Self, NotUnderstood> {
        let arena = Arena::default();
        let loader = Loader::new(definitions());
        let program = File { code: expression, path: () };
        let modules =
            loader.load(&arena, program).map_err(|errors| not_loaded(expression, errors))?;
        let no_files =
            |_: load::Import<'_, &str, ()>| Err("an expression reads no file".to_owned());
        import(&modules, no_files).map_err(|errors| not_loaded(expression, errors))?;
        let compiler = Compiler::default().with_funs(functions());
        let filter = compiler.compile(modules).map_err(|errors| {
            let undefined = errors.into_iter().flat_map(|(_, errors)| errors).next();
            let (name, kind) =
                undefined.map_or(("", "symbol"), |(name, undefined)| (name, undefined.as_str()));
            let near = nearest(name, names().iter().map(String::as_str)).map(str::to_owned);
            let what = format!("there is no {kind} `{name}`");
            NotUnderstood { is_name: true, nearest: near, ..found(expression, name, what) }
        })?;
        Ok(Self(Arc::new(filter)))
    }

    /// Filters one answer, on a thread of its own: an expression that never ends must not keep a signal from being heard.
    pub async fn results(&self, body: Vec<u8>, strings: Strings) -> Result<Vec<u8>, JqError> {
        let (filter, (done, results)) = (self.clone(), tokio::sync::oneshot::channel());
        let thread = std::thread::Builder::new().name("jq".into()).stack_size(STACK);
        let started = thread.spawn(move || done.send(filter.run(&body, strings)));
        started.map_err(|error| JqError::Failed(error.to_string()))?;
        results.await.unwrap_or(Err(JqError::BrokenOff))
    }

    /// An empty answer has no results.
    fn run(&self, body: &[u8], strings: Strings) -> Result<Vec<u8>, JqError> {
        if body.iter().all(u8::is_ascii_whitespace) {
            return Ok(Vec::new());
        }
        // The library reads more than JSON, and goes down a stack for it.
        serde_json::from_slice::<serde::de::IgnoredAny>(body).map_err(|_| JqError::NotJson)?;
        if depth(body) > DEEPEST {
            return Err(JqError::TooDeep);
        }
        let input = read::parse_single(body).map_err(|_| JqError::NotJson)?;
        let context = Ctx::<Kind>::new(&self.0.lut, Vars::new([]));
        let mut results = Vec::new();
        for result in self.0.id.run((context, input)).map(unwrap_valr) {
            let result = result.map_err(|error| JqError::Failed(words(error)))?;
            write(&mut results, &result, strings);
            if results.len() > MOST_RESULTS {
                return Err(JqError::TooMuch);
            }
        }
        Ok(results)
    }
}

/// One result on a line of its own.
fn write(results: &mut Vec<u8>, result: &Val, strings: Strings) {
    match (result, strings) {
        (Val::TStr(text), Strings::Raw) => results.extend_from_slice(text),
        _ => results.extend_from_slice(result.to_string().as_bytes()),
    }
    results.push(b'\n');
}

/// What an error says; one that an expression makes of a text is that text.
fn words(error: jaq_json::Error) -> String {
    match error.into_val() {
        Val::TStr(text) => printable(&String::from_utf8_lossy(&text)),
        other => printable(&other.to_string()),
    }
}

/// How deep lists and objects lie in each other in sound JSON.
fn depth(json: &[u8]) -> usize {
    let (mut depth, mut deepest, mut in_text, mut escaped) = (0_usize, 0, false, false);
    for byte in json {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = in_text,
            b'"' => in_text = !in_text,
            b'[' | b'{' if !in_text => depth += 1,
            b']' | b'}' if !in_text => depth = depth.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    deepest
}

fn is_left_out(name: &str) -> bool {
    LEFT_OUT.contains(&name)
}

fn definitions() -> impl Iterator<Item = parse::Def<&'static str>> {
    let own = load::parse(OWN, |parser| parser.defs()).unwrap_or_default();
    let shipped = jaq_core::defs().chain(jaq_std::defs()).chain(jaq_json::defs());
    shipped.filter(|definition| !is_left_out(definition.name)).chain(own)
}

fn functions() -> impl Iterator<Item = jaq_core::native::Fun<Kind>> {
    let shipped = jaq_core::funs().chain(jaq_std::funs()).chain(jaq_json::funs());
    shipped.filter(|(name, ..)| !is_left_out(name))
}

/// The names that an expression may use.
fn names() -> Vec<String> {
    let defined = definitions().map(|definition| definition.name.to_owned());
    let native = functions().map(|(name, ..)| name.to_owned());
    defined.chain(native).collect()
}

fn not_loaded(expression: &str, errors: load::Errors<&str, ()>) -> NotUnderstood {
    let first = errors.into_iter().map(|(_, error)| error).next();
    match first {
        Some(load::Error::Lex(errors)) => match errors.into_iter().next() {
            Some((lex::Expect::Delim(opened), _)) => {
                found(expression, opened, format!("`{opened}` is never closed"))
            }
            Some((expected, at)) => {
                found(expression, at, format!("expected {}", expected.as_str()))
            }
            None => found(expression, "", "it cannot be read".into()),
        },
        Some(load::Error::Parse(errors)) => match errors.into_iter().next() {
            Some((parse::Expect::Nothing, at)) => {
                found(expression, at, "nothing may follow".into())
            }
            Some((expected, at)) => {
                found(expression, at, format!("expected {}", expected.as_str()))
            }
            None => found(expression, "", "it cannot be read".into()),
        },
        Some(load::Error::Io(errors)) => {
            let at = errors.first().map_or("", |(path, _)| *path);
            found(expression, at, "an expression reads no file".into())
        }
        None => found(expression, "", "it cannot be read".into()),
    }
}

/// The place of a part of the expression; what is no part of it stands at the end.
fn found(expression: &str, part: &str, what: String) -> NotUnderstood {
    let start = expression.as_ptr() as usize;
    let place = (part.as_ptr() as usize).checked_sub(start);
    let at = place.filter(|at| !part.is_empty() && *at <= expression.len());
    NotUnderstood { what, at: at.unwrap_or(expression.len()), is_name: false, nearest: None }
}

#[cfg(test)]
mod tests;
