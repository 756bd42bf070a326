//! What `--dry-run` and `--curl` show and `call` itself would not send: the granted scopes do not open it.

use crate::cli::args::Call;
use crate::cli::context::{Chosen, Context};
use crate::http::printable::printable;
use crate::resource_server::ApiRequest;
use crate::resource_server::scope::{self, Judgement};

/// Says so, on a line of standard error.
pub fn tell(context: &Context<'_>, args: &Call, chosen: &Chosen, request: &ApiRequest) {
    let record = &chosen.record;
    let granted = record.granted.as_deref().filter(|_| record.connected && !args.force);
    let below = request.target.below.as_deref();
    let judged = scope::judge(&chosen.provider.scope, granted, request.method.as_str(), below);
    let Judgement::Missing { needed } = judged else { return };
    let needed: Vec<&str> = needed.iter().map(|scope| scope.name.as_str()).collect();
    let says = format!(
        "`{}` was not granted {}: without --force this call is not sent",
        chosen.name,
        printable(&needed.join(" or "))
    );
    context.output.warn(context.system, &says);
}
