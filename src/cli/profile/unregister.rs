//! Before a profile goes: the client that keyfob registered for it is ended at the server (RFC 7592 section 2.3).

use super::keep::Kept;
use crate::cli::command_line;
use crate::cli::connect::register::registrar;
use crate::cli::context::Context;
use crate::cli::report::{self, Report};
use crate::connection::Drawer;
use crate::connection::registration::RegistrationError;

/// Ends the client; where the server does not let go of it, the profile stays.
pub fn run(context: &Context<'_>, kept: &Kept, drawer: &Drawer) -> Result<(), Report> {
    let provider = kept.profile.provider.as_str();
    let ended =
        registrar(context, &kept.name, provider, drawer, |desk| context.wait(desk.unregister()))?;
    let says = match ended {
        Ok(()) => format!("the client of `{}` is ended at {provider}", kept.name),
        Err(RegistrationError::Gone) => {
            format!("the client of `{}` was known at {provider} no more", kept.name)
        }
        Err(error) => {
            let yes = if context.global.yes { " --yes" } else { "" };
            let remove = format!("keyfob profile remove {}{yes}", command_line::word(&kept.name));
            let again = format!("{remove} --unregister");
            return Err(report::unregistration(&error, provider, &again, &remove));
        }
    };
    context.output.note(context.system, &says);
    Ok(())
}
