//! The scope table asked before a call is sent: which scopes open this method and path.

use percent_encoding::percent_decode_str;

use crate::provider::schema::Scope;

/// What the table says about a call.
#[derive(Debug, Clone, PartialEq)]
pub enum Judgement<'a> {
    /// A granted scope opens it.
    Covered,
    /// The table says nothing about it.
    NotListed,
    /// The table lists the path, and no scope opens it for this method.
    NoneOpens,
    /// None of the granted scopes opens it; any one of these would.
    Missing {
        /// In the table's order, never empty.
        needed: Vec<&'a Scope>,
    },
    /// The table lists it, but nobody knows what was granted.
    Unknown,
}

/// Judges a call by method and path below the API base (`None`: outside of it).
pub fn judge<'a>(
    table: &'a [Scope],
    granted: Option<&[String]>,
    method: &str,
    below: Option<&str>,
) -> Judgement<'a> {
    let below = below.unwrap_or_default();
    let needed = scopes_for(table, method, below);
    match granted {
        _ if needed.is_empty() && lists(table, below) => Judgement::NoneOpens,
        _ if needed.is_empty() => Judgement::NotListed,
        None => Judgement::Unknown,
        Some(granted) if needed.iter().any(|scope| granted.contains(&scope.name)) => {
            Judgement::Covered
        }
        Some(_) => Judgement::Missing { needed },
    }
}

/// Judges a call that the table does not list by the scopes that it is said to need.
pub fn judge_needs<'a>(
    table: &'a [Scope],
    granted: Option<&[String]>,
    needs: &[String],
) -> Judgement<'a> {
    let is_missing = |scope: &&Scope| {
        needs.contains(&scope.name) && granted.is_some_and(|it| !it.contains(&scope.name))
    };
    let needed: Vec<&Scope> = table.iter().filter(is_missing).collect();
    match needed.is_empty() {
        true => Judgement::NotListed,
        false => Judgement::Missing { needed },
    }
}

/// The scopes that open a call, any one of which suffices; none where the table does not list it.
///
/// `/orders/5` counts as `/orders`; of several listed endpoints the most particular counts, so
/// that `/merchants/account/balances` is not taken for `/merchants/{merchant_id}`. HEAD counts as GET.
pub fn scopes_for<'a>(table: &'a [Scope], method: &str, below: &str) -> Vec<&'a Scope> {
    let path = segments(below);
    let method = if method == "HEAD" { "GET" } else { method };
    let (mut best, mut found) = (None, Vec::new());
    for scope in table {
        let likest = scope.endpoints.iter().filter_map(|endpoint| likeness(endpoint, &path)).max();
        if likest > best {
            (best, found) = (likest, Vec::new());
        }
        let opens = !scope.reserved && scope.methods.iter().any(|opened| opened == method);
        if likest.is_some() && likest == best && opens {
            found.push(scope);
        }
    }
    found
}

/// Whether the table has an endpoint for a path, whatever the method.
fn lists(table: &[Scope], below: &str) -> bool {
    let path = segments(below);
    table
        .iter()
        .any(|scope| scope.endpoints.iter().any(|endpoint| likeness(endpoint, &path).is_some()))
}

/// The decoded segments of a path, its query left out.
fn segments(path: &str) -> Vec<String> {
    let path = path.split(['?', '#']).next().unwrap_or_default();
    let decoded = |segment: &str| percent_decode_str(segment).decode_utf8_lossy().into_owned();
    path.split('/').filter(|segment| !segment.is_empty()).map(decoded).collect()
}

/// How well an endpoint describes a path: how many segments it has, and for each of them from the
/// left whether it is named in full. More segments are a better likeness, then names before
/// placeholders. Asked for every call and every endpoint of the table, so nothing is allocated.
fn likeness(endpoint: &str, path: &[String]) -> Option<(usize, u64)> {
    // Most endpoints begin otherwise, and are not taken apart.
    let start = endpoint.as_bytes();
    let start = *start.strip_prefix(b"/").unwrap_or(start).first()?;
    if !matches!(start, b'{' | b'%' | b'/') && start != *path.first()?.as_bytes().first()? {
        return None;
    }
    let (mut count, mut named) = (0, 0);
    for wanted in endpoint.split('/').filter(|segment| !segment.is_empty()) {
        let given = path.get(count)?;
        let is_placeholder = wanted.starts_with('{') && wanted.ends_with('}');
        let is_same = || wanted == given || percent_decode_str(wanted).eq(given.bytes());
        if !is_placeholder && !is_same() {
            return None;
        }
        named = named << 1 | u64::from(!is_placeholder);
        count += 1;
    }
    (count > 0).then_some((count, named))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::catalogue::shipped;

    fn table() -> Vec<Scope> {
        shipped("inkress").unwrap().unwrap().scope
    }

    #[test] // RR25, AT-4a
    fn every_line_of_the_inkress_table_is_found() {
        let cases = [
            ("GET", "/orders", "orders:read"),
            ("GET", "/orders/5", "orders:read"),
            ("GET", "/orders/5/lines?x=/users", "orders:read"),
            ("GET", "/orders?app=me", "orders:read"),
            ("HEAD", "/orders/", "orders:read"),
            ("GET", "/%6frders", "orders:read"),
            ("POST", "/orders", "orders:write"),
            ("PUT", "/order_lines/7", "orders:write"),
            ("GET", "/users/1", "customers:read"),
            ("POST", "/financial_requests", "payouts:create"),
            ("POST", "/merchants/account/balances", "wallet:read"),
            ("POST", "/merchants/account/contribution", "wallet:read"),
            ("GET", "/merchants/183", "merchant_profile:read"),
            ("PUT", "/merchants/183", "merchant_profile:write"),
            ("DELETE", "/webhook_urls/9", "webhooks:manage"),
            ("GET", "/merchants/account/balances", ""),
            ("DELETE", "/orders/5", ""),
            ("PATCH", "/orders/5", ""),
            ("get", "/orders", ""),
            ("GET", "/order", ""),
            ("GET", "/ordersx", ""),
            ("GET", "/merchants", ""),
            ("GET", "/x/orders", ""),
            ("GET", "/", ""),
            ("GET", "", ""),
        ];
        let table = table();
        for (method, path, expected) in cases {
            let found: Vec<_> =
                scopes_for(&table, method, path).iter().map(|scope| scope.name.as_str()).collect();
            assert_eq!(found.join(" "), expected, "{method} {path}");
        }
    }

    #[test] // RR25, AT-4a
    fn a_call_is_judged_by_what_was_granted() {
        let table = table();
        let granted = ["orders:read".to_owned(), "offline_access".to_owned()];
        let judge = |granted, method, path| judge(&table, granted, method, path);
        let missing = Judgement::Missing { needed: vec![&table[1]] };
        assert_eq!(judge(Some(&granted), "GET", Some("/orders")), Judgement::Covered);
        assert_eq!(judge(Some(&granted), "POST", Some("/orders")), missing);
        assert_eq!(judge(Some(&[]), "POST", Some("/orders")), missing);
        assert_eq!(judge(Some(&granted), "GET", Some("/elsewhere")), Judgement::NotListed);
        assert_eq!(judge(Some(&granted), "GET", None), Judgement::NotListed);
        assert_eq!(judge(None, "GET", Some("/orders")), Judgement::Unknown);
        assert_eq!(judge(None, "GET", Some("/elsewhere")), Judgement::NotListed);
        assert_eq!(judge(Some(&granted), "DELETE", Some("/orders/5")), Judgement::NoneOpens);
    }

    #[test]
    fn any_one_of_several_scopes_suffices_and_a_reserved_one_opens_nothing() {
        let mut table = table();
        table[1].methods.push("GET".into());
        let needed = scopes_for(&table, "GET", "/orders");
        assert_eq!(needed.len(), 2);
        let granted = ["orders:write".to_owned()];
        assert_eq!(judge(&table, Some(&granted), "GET", Some("/orders")), Judgement::Covered);
        table[0].reserved = true;
        assert_eq!(scopes_for(&table, "GET", "/orders").len(), 1);
    }
}
