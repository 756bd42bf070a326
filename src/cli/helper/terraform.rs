//! Credentials helpers of terraform and OpenTofu: `get HOST`, `store HOST`, `forget HOST`, a JSON
//! object on standard output (their "Credentials Helpers" documents).

use clap::Args;
use clap_complete::engine::ArgValueCompleter;
use serde_json::json;

use super::super::completions::complete_profile;
use super::super::report::helper::{no_action, no_end, no_password};
use super::{Asked, Context, Exit, Life, Report, answer, not_understood, parted, with_connected};

/// `helper terraform`.
#[derive(Debug, Args)]
#[command(
    override_usage = "keyfob helper terraform [OPTIONS] [PROFILE] <get|store|forget> HOST",
    after_help = "A file ~/.terraform.d/plugins/terraform-credentials-keyfob, executable:\n  #!/bin/sh\n  exec keyfob helper terraform \"$@\"\n\nIn ~/.terraformrc (or ~/.tofurc):\n  credentials_helper \"keyfob\" {\n    args = [\"shop\"]\n  }\n\nA host beside the API's own is named in the provider file:\n  [api]\n  hosts = [\"https://app.terraform.io\"]\n\nOther hosts get no credentials. `terraform login` and `logout` are not for this\nhelper: connect and revoke with keyfob."
)]
pub struct Terraform {
    /// The profile (or KEYFOB_PROFILE), then terraform's own words
    #[arg(value_name = "PROFILE", num_args = 2..=3, required = true, add = ArgValueCompleter::new(complete_profile))]
    words: Vec<String>,
    #[command(flatten)]
    life: Life,
}

/// Answers terraform.
pub fn run(context: &Context<'_>, args: &Terraform) -> Result<Exit, Report> {
    let (profile, words) = parted(&args.words, 2);
    let [action, host] = words else {
        return Err(not_understood("terraform", "its words are an action and a host"));
    };
    with_connected(context, profile, |connected| {
        let asked = Asked::Server { scheme: Some("https"), authority: host };
        match action.as_str() {
            "get" if !connected.is_for(&asked) => answer(context, &json!({}))?,
            "get" => {
                let credential = connected.credential(args.life.min_ttl)?;
                answer(context, &json!({ "token": credential.token.expose() }))?;
            }
            "store" => return Err(no_password("terraform", connected.profile())),
            "forget" => return Err(no_end("terraform", connected.profile())),
            other => return Err(no_action("terraform", other, "get, store, forget")),
        }
        Ok(Exit::Done)
    })
}
