//! What a person is told when tokens are of another account than those that are here, or may be.

use super::{Report, Situation};
use crate::connection::identity::{Identity, Likeness, words};
use crate::http::printable::printable;

/// Tokens that were not taken: they are another account's, or nobody can tell.
pub fn account_changed(
    was: &Identity,
    is: &Identity,
    likeness: Likeness,
    about: &Situation,
) -> Report {
    let shown = |account: &Identity| match words(account).as_str() {
        "" => None,
        words => Some(printable(words)),
    };
    let profile = &about.profile;
    let report = match likeness {
        Likeness::Unknown => Report::usage(format!(
            "it is not known whether this authorization is for the account of `{profile}`"
        )),
        Likeness::Same | Likeness::Different => {
            Report::usage(format!("`{profile}` belongs to another account"))
        }
    };
    let was = match shown(was) {
        Some(was) => format!("it is connected to {was}"),
        None => format!("{} did not say whose the tokens are that it has", about.provider),
    };
    let is = match shown(is) {
        Some(is) => format!("this authorization is for {is}"),
        None => "this authorization does not say for which account it is".to_owned(),
    };
    report
        .cause(format!("{was}; {is}"))
        .hint("nothing was changed; replace it on purpose, or use another profile name")
        .next(about.connect_with(&[("--yes", "")]))
}
