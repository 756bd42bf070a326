//! `[jwt_bearer]` and `[token_exchange]`: there for a flow, and no word without effect.

use super::Provider;
use super::file::Finding;
use super::reserved::is_reserved_in_an_exchange;
use super::schema::{Flow, Rotation};

/// The longest that an assertion is good for, in seconds; servers refuse more (RFC 7523 section 3).
const LONGEST: u32 = 3600;
/// The claims that keyfob writes.
const OWN_CLAIMS: [&str; 8] = ["iss", "sub", "aud", "exp", "iat", "nbf", "jti", "scope"];

/// The first rule that one of the two breaks.
pub(super) fn grants(provider: &Provider) -> Option<Finding> {
    let has = |flow| provider.flows.contains(&flow);
    let (bearer, exchange) = (&provider.jwt_bearer, &provider.token_exchange);
    let reissues = provider.refresh.rotation == Rotation::Reissue;
    let rules = [
        (
            bearer.is_some() && !has(Flow::JwtBearer),
            &["jwt_bearer"][..],
            "[jwt_bearer] has no effect without the flow `jwt_bearer`".to_owned(),
        ),
        (
            exchange.is_some() && !has(Flow::TokenExchange),
            &["token_exchange"],
            "[token_exchange] has no effect without the flow `token_exchange`".to_owned(),
        ),
        (
            reissues && (has(Flow::JwtBearer) || has(Flow::TokenExchange)),
            &["refresh", "rotation"],
            "`rotation = \"reissue\"` would give the client's own tokens in the place of somebody's: leave it out".to_owned(),
        ),
        (
            bearer.as_ref().is_some_and(|it| !(1..=LONGEST).contains(&it.lifetime)),
            &["jwt_bearer", "lifetime"],
            format!("`lifetime` is from 1 to {LONGEST} seconds"),
        ),
    ];
    let broken = rules.into_iter().find(|(broken, ..)| *broken);
    broken.map(|(_, path, says)| Finding::at(path, says)).or_else(|| names(provider))
}

fn names(provider: &Provider) -> Option<Finding> {
    let claim = provider.jwt_bearer.iter().flat_map(|it| it.claims.keys());
    let claim = claim.filter(|name| OWN_CLAIMS.contains(&name.as_str())).map(|name| {
        Finding::at(&["jwt_bearer", "claims"], format!("`{name}` is a claim that keyfob writes"))
    });
    let parameter = provider.token_exchange.iter().flat_map(|it| it.params.keys());
    let parameter = parameter.filter(|name| is_reserved_in_an_exchange(name)).map(|name| {
        let says = format!("`{name}` is the protocol's own parameter");
        Finding::at(&["token_exchange", "params"], says)
    });
    claim.chain(parameter).next()
}

/// The templates of both tables, and where they stand.
pub(super) fn templates(provider: &Provider) -> Vec<(Vec<&'static str>, &str)> {
    let mut all = Vec::new();
    if let Some(bearer) = &provider.jwt_bearer {
        let words = [("issuer", &bearer.issuer), ("subject", &bearer.subject)];
        all.extend(words.map(|(name, text)| (vec!["jwt_bearer", name], text.as_str())));
        all.extend(bearer.audience.iter().map(|it| (vec!["jwt_bearer", "audience"], it.as_str())));
        all.extend(bearer.claims.values().map(|it| (vec!["jwt_bearer", "claims"], it.as_str())));
    }
    if let Some(exchange) = &provider.token_exchange {
        let params = exchange.params.values();
        all.extend(params.map(|it| (vec!["token_exchange", "params"], it.as_str())));
    }
    all
}

#[cfg(test)]
mod tests {
    use crate::provider::file;

    fn findings(flow: &str, more: &str) -> Result<(), String> {
        let text = format!(
            "schema = 1\nname = \"x\"\nflows = [\"{flow}\"]\n[client]\nauth = \"id\"\nsecret = \"none\"\n[token]\nurl = \"https://as.test/token\"\n[api]\nbase_url = \"https://api.test\"\n{more}\n"
        );
        file::read("x.toml", &text).map(|_| ()).map_err(|error| error.to_string())
    }

    #[test] // CA10, EX6
    fn each_table_goes_with_its_flow_and_says_nothing_that_keyfob_says() {
        assert_eq!(findings("jwt_bearer", ""), Ok(()));
        assert_eq!(findings("token_exchange", "[token_exchange.params]\naudience = \"x\""), Ok(()));
        let cases = [
            ("token_exchange", "[jwt_bearer]\nlifetime = 60", "no effect"),
            ("jwt_bearer", "[token_exchange]\nrequested_token_type = \"x\"", "no effect"),
            ("jwt_bearer", "[jwt_bearer]\nlifetime = 0", "from 1 to 3600"),
            ("jwt_bearer", "[jwt_bearer]\nlifetime = 3601", "from 1 to 3600"),
            ("jwt_bearer", "[jwt_bearer.claims]\njti = \"1\"", "that keyfob writes"),
            ("jwt_bearer", "[jwt_bearer]\nsubject = \"{user}\"", "neither a setting"),
            ("token_exchange", "[token_exchange.params]\nscope = \"x\"", "protocol's own"),
            ("token_exchange", "[refresh]\nrotation = \"reissue\"", "somebody's"),
        ];
        for (flow, more, says) in cases {
            let error = findings(flow, more).unwrap_err();
            assert!(error.contains(says), "{more}: {error}");
        }
    }
}
