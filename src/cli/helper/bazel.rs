//! The credential helper protocol of bazel and other build tools: an address in, headers out
//! (EngFlow's credential-helper-spec).

use clap::Args;
use clap_complete::engine::ArgValueCompleter;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use url::Url;

use super::super::completions::complete_profile;
use super::super::report::helper::no_action;
use super::{
    Asked, Context, Exit, Life, Report, answer, not_understood, parted, question, with_connected,
};

/// `helper bazel`.
#[derive(Debug, Args)]
#[command(
    override_usage = "keyfob helper bazel [OPTIONS] [PROFILE] get",
    after_help = "A file `keyfob-shop` on PATH, executable:\n  #!/bin/sh\n  exec keyfob helper bazel shop \"$@\"\n\nIn .bazelrc, for the provider's own host:\n  common --credential_helper=cache.example.com=keyfob-shop\n\nA host beside the API's own is named in the provider file:\n  [api]\n  hosts = [\"https://cache.example.com\"]\n\nOther hosts get no headers."
)]
pub struct Bazel {
    /// The profile (or KEYFOB_PROFILE), then bazel's own word
    #[arg(value_name = "PROFILE", num_args = 1..=2, required = true, add = ArgValueCompleter::new(complete_profile))]
    words: Vec<String>,
    #[command(flatten)]
    life: Life,
}

/// What is asked; more may stand beside it.
#[derive(Deserialize)]
struct Request {
    uri: String,
}

/// Answers bazel.
pub fn run(context: &Context<'_>, args: &Bazel) -> Result<Exit, Report> {
    let (profile, words) = parted(&args.words, 1);
    if words != ["get"] {
        return Err(no_action("bazel", &words.join(" "), "get"));
    }
    let request: Request = serde_json::from_str(question(context, "bazel")?.expose())
        .map_err(|_| not_understood("bazel", "it is no JSON object with a `uri`"))?;
    let address = over_http(&request.uri)
        .ok_or_else(|| not_understood("bazel", &format!("`{}` is no address", request.uri)))?;
    with_connected(context, profile, |connected| {
        let mut reply = json!({ "headers": {} });
        if connected.is_for(&Asked::Address(&address)) {
            let (headers, expires_at) = connected.headers(args.life.min_ttl)?;
            let lists = headers.into_iter().map(|(name, value)| (name, json!([value])));
            reply["headers"] = Value::Object(lists.collect::<Map<_, _>>());
            if let Some(end) = expires_at {
                reply["expires"] = json!(end);
            }
        }
        answer(context, &reply)?;
        Ok(Exit::Done)
    })
}

/// gRPC runs over HTTP, with TLS or without.
fn over_http(uri: &str) -> Option<Url> {
    let (scheme, rest) = uri.split_once("://")?;
    let scheme = match scheme {
        "grpcs" => "https",
        "grpc" => "http",
        other => other,
    };
    Url::parse(&format!("{scheme}://{rest}")).ok().filter(Url::has_host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grpc_is_judged_as_what_it_runs_over() {
        let read = |uri: &str| over_http(uri).map(|url| url.to_string());
        let service = "grpcs://cache.example:8980/build.bazel.remote.execution.v2.Capabilities";
        assert!(read(service).unwrap().starts_with("https://cache.example:8980/build"));
        assert_eq!(read("grpc://127.0.0.1:1").unwrap(), "http://127.0.0.1:1/");
        assert_eq!(read("https://own.example/x?y").unwrap(), "https://own.example/x?y");
        for text in ["", "own.example", "unix:/run/x", "https://", "grpcs:own.example"] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
