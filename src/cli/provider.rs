//! `provider …`: the catalogue, one provider in words, a check of a provider file, a new one.

mod check;
mod grants;
mod list;
mod lists;
mod new;
mod show;
mod webhook;

use super::args::ProviderCommand;
use super::context::Context;
use super::report::{Exit, Report};
use crate::provider::schema::Flow;

/// Runs one of them.
pub fn run(context: &Context<'_>, command: &ProviderCommand) -> Result<Exit, Report> {
    match command {
        ProviderCommand::List => list::run(context),
        ProviderCommand::Show(args) => show::run(context, args),
        ProviderCommand::Check(args) => check::run(context, args),
        ProviderCommand::New(args) => new::run(context, args),
    }
}

/// A flow as provider files name it.
fn flow_name(flow: Flow) -> &'static str {
    match flow {
        Flow::AuthorizationCode => "authorization_code",
        Flow::DeviceCode => "device_code",
        Flow::ClientCredentials => "client_credentials",
        Flow::Password => "password",
        Flow::JwtBearer => "jwt_bearer",
        Flow::TokenExchange => "token_exchange",
        Flow::Import => "import",
    }
}
