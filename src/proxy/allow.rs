//! What a program may ask for: methods and paths, or reading alone.

use std::collections::BTreeMap;
use std::str::FromStr;

use super::path;
use crate::provider::schema::{Api, Setting};
use crate::provider::template::Values;
use crate::resource_server::{TargetError, target};

/// One line of the allow list: `GET /orders*`, `* /orders`, `GET *`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// `None` where any will do.
    method: Option<String>,
    /// A path in which `*` stands for any characters, slashes too.
    path: String,
}

/// Why a line is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RuleError {
    /// It is not two words.
    #[error("a rule is a method and a path, such as 'GET /orders*'")]
    Words,
    /// The first word is neither a method nor `*`.
    #[error("`{0}` is no method")]
    Method(String),
    /// The second word is no path.
    #[error("`{0}` is no path: it begins with a slash and has no query")]
    Path(String),
}

impl FromStr for Rule {
    type Err = RuleError;

    fn from_str(line: &str) -> Result<Self, RuleError> {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [method, path] = words[..] else {
            return Err(RuleError::Words);
        };
        let is_word = method.bytes().all(|byte| byte.is_ascii_alphabetic());
        let method = match method {
            "*" => None,
            word if is_word => Some(word.to_ascii_uppercase()),
            word => return Err(RuleError::Method(word.to_owned())),
        };
        let is_path = path == "*" || path.starts_with('/');
        if !is_path || path.contains(['?', '#']) {
            return Err(RuleError::Path(path.to_owned()));
        }
        Ok(Self { method, path: path.to_owned() })
    }
}

/// Everything that is allowed; without a rule that is all, or all that reads.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Allowed {
    /// The allow list.
    pub rules: Vec<Rule>,
    /// Whether only what reads is allowed. A rule that names another method by its name adds that
    /// one: there are vendors whose reads are a POST.
    pub read_only: bool,
}

/// Why a request is not among what is allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotAllowed {
    /// The allow list does not name it.
    NotListed,
    /// It may write.
    ReadOnly,
}

impl Allowed {
    /// The same with every path as it is sent.
    pub fn written_out(
        &self,
        api: &Api,
        settings: &BTreeMap<String, Setting>,
        values: &Values,
    ) -> Result<Self, TargetError> {
        let written_out = |rule: &Rule| {
            let path = match rule.path.as_str() {
                "*" => "*".to_owned(),
                path => {
                    let path = path::normalised(path)
                        .map_err(|_| TargetError::Refused("what no path should"))?;
                    target::resolve(api, settings, values, &path, &[])?.url.path().to_owned()
                }
            };
            Ok(Rule { method: rule.method.clone(), path })
        };
        let rules = self.rules.iter().map(written_out).collect::<Result<_, TargetError>>()?;
        Ok(Self { rules, read_only: self.read_only })
    }

    /// Judges a request by its method and its path as it is sent.
    pub fn judge(&self, method: &str, path: &str) -> Result<(), NotAllowed> {
        let reads = !self.read_only || matches!(method, "GET" | "HEAD" | "OPTIONS");
        if self.rules.is_empty() {
            return if reads { Ok(()) } else { Err(NotAllowed::ReadOnly) };
        }
        let matching: Vec<&Rule> =
            self.rules.iter().filter(|rule| rule.matches(method, path)).collect();
        match matching[..] {
            [] => Err(NotAllowed::NotListed),
            _ if reads || matching.iter().any(|rule| rule.method.is_some()) => Ok(()),
            _ => Err(NotAllowed::ReadOnly),
        }
    }
}

impl Rule {
    fn matches(&self, method: &str, path: &str) -> bool {
        // Who may GET may ask for the head of it (RFC 9110 section 9.3.2).
        let is_method = self
            .method
            .as_deref()
            .is_none_or(|named| named == method || (named == "GET" && method == "HEAD"));
        is_method && glob(self.path.as_bytes(), path.as_bytes())
    }
}

/// Whether a text is what a pattern describes, in which `*` stands for any characters.
fn glob(pattern: &[u8], text: &[u8]) -> bool {
    let (mut at, mut pattern_at) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while at < text.len() {
        if pattern.get(pattern_at) == Some(&b'*') {
            star = Some((pattern_at, at));
            pattern_at += 1;
        } else if pattern.get(pattern_at) == Some(&text[at]) {
            pattern_at += 1;
            at += 1;
        } else if let Some((star_at, taken)) = star {
            pattern_at = star_at + 1;
            at = taken + 1;
            star = Some((star_at, at));
        } else {
            return false;
        }
    }
    pattern[pattern_at..].iter().all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::catalogue::shipped;

    fn allowed(rules: &[&str], read_only: bool) -> Allowed {
        Allowed { rules: rules.iter().map(|rule| rule.parse().unwrap()).collect(), read_only }
    }

    #[test] // AT-25
    fn a_star_stands_for_anything_and_everything_else_for_itself() {
        let cases = [
            ("/orders*", "/orders", true),
            ("/orders*", "/orders/5/lines", true),
            ("/orders*", "/order", false),
            ("/orders*", "/x/orders", false),
            ("/orders/*/lines", "/orders/5/lines", true),
            ("/orders/*/lines", "/orders/5/lines/7", false),
            ("/orders", "/orders/", false),
            ("*", "/anything", true),
            ("*/lines", "/a/b/lines", true),
            ("/a*b*c", "/axxbyyc", true),
            ("/a*b*c", "/axxbyy", false),
            ("/**", "/x", true),
            ("/a", "", false),
            ("/a.c", "/abc", false),
        ];
        for (pattern, text, expected) in cases {
            assert_eq!(glob(pattern.as_bytes(), text.as_bytes()), expected, "{pattern} {text}");
        }
    }

    #[test] // AT-25
    fn without_a_rule_everything_is_allowed_and_with_one_only_what_it_names() {
        assert_eq!(allowed(&[], false).judge("DELETE", "/x"), Ok(()));
        let some = allowed(&["GET /orders*", "* /notes"], false);
        let cases = [
            ("GET", "/orders/5", Ok(())),
            ("HEAD", "/orders/5", Ok(())),
            ("POST", "/orders", Err(NotAllowed::NotListed)),
            ("get", "/orders", Err(NotAllowed::NotListed)),
            ("PUT", "/notes", Ok(())),
            ("GET", "/users", Err(NotAllowed::NotListed)),
        ];
        for (method, path, expected) in cases {
            assert_eq!(some.judge(method, path), expected, "{method} {path}");
        }
    }

    #[test] // AT-25
    fn read_only_lets_writes_through_only_where_a_rule_names_their_method() {
        let reads = allowed(&[], true);
        assert_eq!(reads.judge("GET", "/x"), Ok(()));
        assert_eq!(reads.judge("OPTIONS", "/x"), Ok(()));
        for method in ["POST", "PUT", "PATCH", "DELETE", "get", "PROPFIND"] {
            assert_eq!(reads.judge(method, "/x"), Err(NotAllowed::ReadOnly), "{method}");
        }
        let some = allowed(&["* /orders*", "POST /balances"], true);
        let cases = [
            ("GET", "/orders", Ok(())),
            ("POST", "/orders", Err(NotAllowed::ReadOnly)),
            ("POST", "/balances", Ok(())),
            ("GET", "/balances", Err(NotAllowed::NotListed)),
        ];
        for (method, path, expected) in cases {
            assert_eq!(some.judge(method, path), expected, "{method} {path}");
        }
    }

    #[test]
    fn a_rule_is_a_method_and_a_path() {
        assert_eq!(Rule::from_str("get  /a"), Rule::from_str("GET /a"));
        let refused = |line: &str| Rule::from_str(line).unwrap_err();
        assert_eq!(refused("/orders"), RuleError::Words);
        assert_eq!(refused("GET /a b"), RuleError::Words);
        assert_eq!(refused("G3T /a"), RuleError::Method("G3T".into()));
        assert_eq!(refused("GET orders"), RuleError::Path("orders".into()));
        assert_eq!(refused("GET /orders?x=1"), RuleError::Path("/orders?x=1".into()));
    }

    #[test]
    fn a_path_below_the_base_and_one_as_the_vendor_prints_it_are_the_same() {
        let provider = shipped("inkress").unwrap().unwrap();
        let mut values = Values::default();
        values.set("api_host", "https://api.inkress.com");
        values.set("merchant_id", "183");
        let rules =
            ["GET /orders*", "GET /api/v1/orders*", "GET /merchants/{merchant_id}", "GET *"];
        let written =
            allowed(&rules, false).written_out(&provider.api, &provider.settings, &values).unwrap();
        let paths: Vec<&str> = written.rules.iter().map(|rule| rule.path.as_str()).collect();
        assert_eq!(paths, ["/api/v1/orders*", "/api/v1/orders*", "/api/v1/merchants/183", "*"]);
        let trick = allowed(&["GET /orders/../users"], false);
        assert!(trick.written_out(&provider.api, &provider.settings, &values).is_err());
    }
}
