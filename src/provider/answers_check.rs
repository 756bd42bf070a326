//! What answers are wrapped in, what tells a good one, how long to wait: nothing without effect.

use serde_json::Value;

use super::Provider;
use super::file::Finding;
use super::schema::{Success, TimeUnit};

/// The first rule that a file breaks.
pub(super) fn answers(provider: &Provider) -> Option<Finding> {
    envelope(provider).or_else(|| errors(provider)).or_else(|| waits(provider))
}

fn envelope(provider: &Provider) -> Option<Finding> {
    let envelope = provider.api.envelope.as_ref()?;
    if envelope.result.is_empty() {
        let message = "`result` is the path of what is wrapped";
        return Some(Finding::at(&["api", "envelope", "result"], message));
    }
    success(envelope.success.as_ref()?, &["api", "envelope", "success"])
}

fn errors(provider: &Provider) -> Option<Finding> {
    success(provider.errors.success.as_ref()?, &["errors", "success"])
}

fn success(success: &Success, at: &[&str]) -> Option<Finding> {
    let key = |key| [at, &[key]].concat();
    match &success.equals {
        _ if success.path.is_empty() => {
            Some(Finding::at(&key("path"), "`path` leads to the word that is compared"))
        }
        Value::String(_) | Value::Number(_) | Value::Bool(_) => None,
        _ => Some(Finding::at(&key("equals"), "`equals` is a text, a number or a truth value")),
    }
}

/// A unit is for the vendor's own headers: the unit of `Retry-After` is fixed.
fn waits(provider: &Provider) -> Option<Finding> {
    let retry = &provider.api.retry;
    let is_own = |name: &String| !name.eq_ignore_ascii_case("retry-after");
    let has_own = retry.after.iter().any(is_own) || retry.at.iter().any(is_own);
    if retry.unit != TimeUnit::Seconds && !has_own {
        let message =
            "`unit` has no effect without a header of the vendor's own in `after` or `at`";
        return Some(Finding::at(&["api", "retry", "unit"], message));
    }
    let standard = retry.at.iter().find(|name| !is_own(name))?;
    let message = format!("`{standard}` says how long: it belongs into `after`");
    Some(Finding::at(&["api", "retry", "at"], message))
}

#[cfg(test)]
mod tests {
    use super::super::example::finding;

    #[test]
    fn what_has_no_effect_is_refused_with_its_line() {
        let cases = [
            ("[api.envelope]\nresult = ''", 2, "`result` is the path of what is wrapped"),
            (
                "[api.envelope]\nresult = 'r'\n[api.envelope.success]\npath = ''\nequals = 1",
                4,
                "`path` leads to the word that is compared",
            ),
            (
                "[errors.success]\npath = 'ok'\nequals = [1]",
                3,
                "`equals` is a text, a number or a truth value",
            ),
            (
                "[api.retry]\nunit = 'milliseconds'",
                2,
                "`unit` has no effect without a header of the vendor's own in `after` or `at`",
            ),
            (
                "[api.retry]\nat = ['Retry-After']",
                2,
                "`Retry-After` says how long: it belongs into `after`",
            ),
        ];
        for (tables, line, message) in cases {
            assert_eq!(finding(tables), Some((line, message.to_owned())), "{tables}");
        }
        for sound in [
            "[api.envelope]\nresult = 'r'\nlist = 'entries'\nsuccess = { path = 'ok', equals = true }",
            "[errors.success]\npath = 'ok'\nequals = true",
            "[api.retry]\nafter = ['retry-after', 'x-wait']\nat = ['x-reset']\nunit = 'milliseconds'",
        ] {
            assert_eq!(finding(sound), None, "{sound}");
        }
    }
}
