//! What `provider show` says of lists and recipes.

use crate::provider::Provider;
use crate::provider::schema::{Filter, FilterFormat};

/// Filters, and how a list is asked for what changed.
pub fn lists(provider: &Provider) -> Vec<String> {
    let mut lines: Vec<String> = provider.api.filters.iter().map(filter).collect();
    lines.extend(provider.api.sync.as_ref().map(|sync| {
        format!(
            "`keyfob sync` asks with {}, and goes back {} s behind the last {}",
            sync.parameter, sync.overlap, sync.time
        )
    }));
    lines
}

fn filter(filter: &Filter) -> String {
    let value = match (&filter.only_value, filter.format) {
        (Some(only), _) => format!("{}=={only}", filter.name),
        (None, Some(FilterFormat::Rfc3339)) => format!("{}==TIME (RFC 3339)", filter.name),
        (None, None) => format!("{}==VALUE", filter.name),
    };
    if filter.meaning.is_empty() { value } else { format!("{value}: {}", filter.meaning) }
}

/// Recipes by name.
pub fn recipes(provider: &Provider) -> Vec<String> {
    provider.recipes.iter().map(|recipe| format!("@{}: {}", recipe.name, recipe.does)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::catalogue::shipped;

    #[test]
    fn filters_and_recipes_are_told() {
        let inkress = shipped("inkress").unwrap().unwrap();
        let lines = lists(&inkress);
        assert_eq!(lines[0], "app==me: only what this app created");
        assert!(lines[1].starts_with("updated_since==TIME (RFC 3339): "));
        assert!(lines[2].contains("asks with updated_since, and goes back 60 s"), "{lines:?}");
        assert!(recipes(&inkress)[0].starts_with("@payout: ask for a payout"));
    }
}
