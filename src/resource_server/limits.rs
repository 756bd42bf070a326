//! How many requests a minute a vendor allows, by path.

use crate::provider::schema::Limit;

/// The limit of a call below the API base: the longest path that it begins with, else `*`.
/// One of zero says nothing.
pub fn limit_for<'a>(limits: &'a [Limit], below: Option<&str>) -> Option<&'a Limit> {
    let below = below.unwrap_or_default();
    let covers = |limit: &&Limit| {
        let rest = limit.path.starts_with('/').then(|| below.strip_prefix(limit.path.as_str()));
        rest.flatten().is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?', '.']))
    };
    let particular = limits.iter().filter(covers).max_by_key(|limit| limit.path.len());
    particular.or_else(|| limits.iter().find(|limit| limit.path == "*"))
}

/// The limit of the token endpoint.
pub fn token_limit(limits: &[Limit]) -> Option<&Limit> {
    limits.iter().find(|limit| limit.path == "token")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::catalogue::shipped;

    #[test] // RR18
    fn the_most_particular_limit_counts() {
        let limits = shipped("inyo").unwrap().unwrap().api.limits;
        let cases = [
            (Some("/v2/fx"), 200),
            (Some("/v2/fx/usd"), 200),
            (Some("/v2/fxx"), 400),
            (Some("/v2/payment"), 400),
            (Some("/token"), 400),
            (Some("*"), 400),
            (None, 400),
        ];
        for (below, per_minute) in cases {
            assert_eq!(limit_for(&limits, below).unwrap().per_minute, per_minute, "{below:?}");
        }
        assert_eq!(token_limit(&limits).unwrap().per_minute, 60);
        assert_eq!(limit_for(&[], Some("/x")), None);
    }
}
