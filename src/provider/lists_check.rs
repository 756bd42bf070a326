//! `[[api.filters]]` and `[api.sync]`: a parameter is described once, and no word stands there without effect.

use super::Provider;
use super::file::Finding;
use super::schema::FilterFormat;

/// The first rule that a file breaks.
pub(super) fn lists(provider: &Provider) -> Option<Finding> {
    filters(provider).or_else(|| sync(provider))
}

fn filters(provider: &Provider) -> Option<Finding> {
    let filters = &provider.api.filters;
    filters.iter().enumerate().find_map(|(place, filter)| {
        let at = place.to_string();
        let finding = |says: String| Some(Finding::at(&["api", "filters", &at], says));
        if filter.name.is_empty() {
            return finding("a filter has a name".into());
        }
        if filters[..place].iter().any(|earlier| earlier.name == filter.name) {
            return finding(format!("the filter `{}` is described twice", filter.name));
        }
        if filter.only_value.is_some() && filter.format.is_some() {
            return finding("`format` has no effect beside `only_value`".into());
        }
        if filter.only_value.is_none() && filter.format.is_none() && filter.meaning.is_empty() {
            return finding("a filter needs `only_value`, `format` or `meaning`".into());
        }
        None
    })
}

fn sync(provider: &Provider) -> Option<Finding> {
    let sync = provider.api.sync.as_ref()?;
    let finding = |key: &str, says: &str| Some(Finding::at(&["api", "sync", key], says));
    let filter = provider.api.filters.iter().find(|filter| filter.name == sync.parameter);
    if sync.parameter.is_empty() {
        return finding("parameter", "`parameter` takes the time since which records are wanted");
    }
    if sync.id.is_empty() {
        return finding("id", "`id` is the member that identifies a record");
    }
    if sync.time.is_empty() {
        return finding("time", "`time` is the member that says when a record last changed");
    }
    if filter.is_some_and(|filter| filter.format != Some(FilterFormat::Rfc3339)) {
        return finding("parameter", "this parameter takes a time, and its filter says otherwise");
    }
    if sync.whole && provider.api.pages.is_some() {
        return finding("whole", "`whole` has no effect beside [api.pages]");
    }
    match sync.overlap {
        1..=604_800 => None,
        _ => finding("overlap", "an overlap is between 1 second and 7 days"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::example::finding;

    #[test]
    fn what_has_no_effect_is_refused_with_its_line() {
        let cases = [
            ("[[api.filters]]\nname = ''", 1, "a filter has a name"),
            (
                "[[api.filters]]\nname = 'x'",
                1,
                "a filter needs `only_value`, `format` or `meaning`",
            ),
            (
                "[[api.filters]]\nname = 'a'\nonly_value = 'me'\n\n[[api.filters]]\nname = 'a'\nonly_value = 'me'",
                5,
                "the filter `a` is described twice",
            ),
            (
                "[[api.filters]]\nname = 'a'\nonly_value = 'me'\nformat = 'rfc3339'",
                1,
                "`format` has no effect beside `only_value`",
            ),
            (
                "[api.sync]\nparameter = ''",
                2,
                "`parameter` takes the time since which records are wanted",
            ),
            (
                "[api.sync]\nparameter = 's'\noverlap = 0",
                3,
                "an overlap is between 1 second and 7 days",
            ),
            (
                "[api.sync]\nparameter = 's'\n[[api.filters]]\nname = 's'\nonly_value = 'x'",
                2,
                "this parameter takes a time, and its filter says otherwise",
            ),
            (
                "[api.sync]\nparameter = 's'\nwhole = true\n[api.pages]\nstyle = 'link_header'",
                3,
                "`whole` has no effect beside [api.pages]",
            ),
            ("[api.sync]\nparameter = 's'\nparamter = 'x'", 3, "unknown key `paramter`"),
        ];
        for (tables, line, message) in cases {
            assert_eq!(finding(tables), Some((line, message.to_owned())), "{tables}");
        }
        let sound = "[[api.filters]]\nname = 's'\nformat = 'rfc3339'\n[api.sync]\nparameter = 's'";
        assert_eq!(finding(sound), None);
    }
}
