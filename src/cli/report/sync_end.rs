//! What a person is told when everything that came was printed, and it is not known to be all there is.

use super::{Exit, Report, Situation};
use crate::connection::sync::more::Sign;
use crate::http::printable::printable;
use crate::provider::Provider;

/// How a provider file says how lists go on.
const STYLES: &str = "[api.pages] style = \"page_number\" parameter = \"page\"  (or offset, cursor, next_url, link_header)";

/// An answer that says that there is more.
pub fn more(sign: &Sign, provider: &Provider, about: &Situation) -> Report {
    let said = match provider.api.sync.as_ref().is_some_and(|words| words.whole) {
        true => "says that lists come whole ([api.sync] whole = true)",
        false => "does not say how lists are paged ([api.pages])",
    };
    let instead = if said.contains("whole") { " in place of `whole`" } else { "" };
    Report::new(
        Exit::SetUp,
        "list-goes-on",
        format!("{} has more records than came, and it is not known how to ask for them", about.provider),
    )
    .cause(printable(&format!("its answer says {} = {}", sign.at, sign.says)))
    .cause(format!("its provider file {said}"))
    .hint(format!("say it in a provider file of your own{instead}:  {STYLES}; link_header also where what the answer says is something else: then its Link header alone counts"))
}

/// An answer that may be a part, and says nothing.
pub fn nothing_says(about: &Situation) -> Report {
    Report::new(
        Exit::SetUp,
        "pages-unknown",
        format!("it is not known whether {} has more records than came", about.provider),
    )
    .cause("no Link header leads on, and its provider file does not say how lists are paged")
    .hint(format!("say it in a provider file of your own:  {STYLES}; or, where lists come whole in one answer:  [api.sync] whole = true"))
}

/// A list that shifted in every walk.
pub fn shifting(walks: u32, about: &Situation) -> Report {
    Report::new(
        Exit::TryLater,
        "list-shifts",
        format!("the list of {} kept shifting while it was read", about.provider),
    )
    .cause(format!("it was read {walks} times, and no two readings in a row agree: a record may lie between two pages"))
    .hint("run this again when less is changed; larger pages ([api.pages] size_parameter, size) or a filter make it shorter, and a list that the vendor cuts by cursor does not shift")
}

/// A list that may have shifted, too long to find out.
pub fn too_long(records: usize, about: &Situation) -> Report {
    Report::new(
        Exit::Usage,
        "list-too-long",
        format!("the list of {} is too long to be read without gaps", about.provider),
    )
    .cause(format!("lists that are cut by page number or offset can shift: they are read twice and compared, up to {records} records"))
    .hint("narrow it with name==value, or begin later with --since TIME")
}
