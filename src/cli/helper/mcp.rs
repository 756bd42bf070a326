//! The `headersHelper` of an MCP host: one flat JSON object of headers, a name and a text each.

use clap::Args;
use clap_complete::engine::ArgValueCompleter;

use super::super::completions::complete_profile;
use super::{Asked, Context, Exit, Life, Report, answer, with_connected};

/// The address of the server, from hosts that say it.
const SERVER: &str = "CLAUDE_CODE_MCP_SERVER_URL";

/// `helper mcp`.
#[derive(Debug, Args)]
#[command(
    after_help = "In the host's configuration (.mcp.json):\n  {\n    \"mcpServers\": {\n      \"shop\": {\n        \"type\": \"http\",\n        \"url\": \"https://mcp.example.com/mcp\",\n        \"headersHelper\": \"keyfob helper mcp shop\"\n      }\n    }\n  }\n\nA host beside the API's own is named in the provider file:\n  [api]\n  hosts = [\"https://mcp.example.com\"]\n\nA host program that says which server it is for (CLAUDE_CODE_MCP_SERVER_URL)\ngets headers for the provider's own hosts alone."
)]
pub struct Mcp {
    /// The profile (or KEYFOB_PROFILE)
    #[arg(value_name = "PROFILE", add = ArgValueCompleter::new(complete_profile))]
    profile: Option<String>,
    #[command(flatten)]
    life: Life,
}

/// Prints the headers.
pub fn run(context: &Context<'_>, args: &Mcp) -> Result<Exit, Report> {
    with_connected(context, args.profile.as_deref(), |connected| {
        if let Some(server) = context.system.environment.get(SERVER) {
            let url = server.parse().ok();
            if !url.is_some_and(|url| connected.is_for(&Asked::Address(&url))) {
                return Err(connected.not_own(server));
            }
        }
        let (headers, _) = connected.headers(args.life.min_ttl)?;
        answer(context, &headers.into())?;
        Ok(Exit::Done)
    })
}
