//! `WWW-Authenticate` taken apart (RFC 9110 section 11.6.1): several headers, several challenges in each.

use super::quoted_string;

/// One challenge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Challenge {
    /// As written; compared without regard to case.
    pub scheme: String,
    /// The one value of schemes such as Negotiate.
    pub token68: Option<String>,
    /// Names in lower case, values without their quotes, in order.
    pub parameters: Vec<(String, String)>,
}

impl Challenge {
    /// The first parameter of that name.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        let is_meant = |(given, _): &&(String, String)| given.eq_ignore_ascii_case(name);
        self.parameters.iter().find(is_meant).map(|(_, value)| value.as_str())
    }

    /// Tells whether this is the scheme's challenge.
    pub fn is(&self, scheme: &str) -> bool {
        self.scheme.eq_ignore_ascii_case(scheme)
    }
}

/// Reads every challenge of every header; what cannot be read is passed over up to the next comma.
pub fn parse<'a>(headers: impl IntoIterator<Item = &'a str>) -> Vec<Challenge> {
    let mut challenges = Vec::new();
    for header in headers {
        let mut own = Vec::new();
        let mut reader = Reader { rest: header };
        while reader.skip_separators() {
            reader.element(&mut own);
        }
        challenges.append(&mut own);
    }
    challenges
}

struct Reader<'a> {
    rest: &'a str,
}

impl<'a> Reader<'a> {
    /// Goes on to the next element; false at the end.
    fn skip_separators(&mut self) -> bool {
        self.rest = self.rest.trim_start_matches([' ', '\t', ',']);
        !self.rest.is_empty()
    }

    /// Reads a parameter of the last challenge, or the beginning of the next one.
    fn element(&mut self, challenges: &mut Vec<Challenge>) {
        let Some(word) = self.token() else { return self.skip_element() };
        if let Some(value) = self.value() {
            if let Some(challenge) = challenges.last_mut() {
                challenge.parameters.push((word.to_ascii_lowercase(), value));
            }
            return;
        }
        let token68 = self.token68();
        challenges.push(Challenge { scheme: word.to_owned(), token68, parameters: Vec::new() });
    }

    fn token(&mut self) -> Option<&'a str> {
        let is_token =
            |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        let end = self.rest.bytes().position(|byte| !is_token(byte)).unwrap_or(self.rest.len());
        let (token, rest) = self.rest.split_at(end);
        self.rest = rest;
        (!token.is_empty()).then_some(token)
    }

    /// Reads `= value` with optional white space around the sign; `None` if no sign follows.
    fn value(&mut self) -> Option<String> {
        let after = self.rest.trim_start_matches([' ', '\t']).strip_prefix('=')?;
        self.rest = after.trim_start_matches([' ', '\t']);
        match self.rest.strip_prefix('"') {
            Some(quoted) => Some(self.quoted(quoted)),
            None => {
                // Some servers forget the quotes around a URL.
                let end = self.rest.find([',', ' ', '\t']).unwrap_or(self.rest.len());
                let (value, rest) = self.rest.split_at(end);
                self.rest = rest;
                Some(value.to_owned())
            }
        }
    }

    fn quoted(&mut self, quoted: &'a str) -> String {
        let (value, rest) = quoted_string::read(quoted);
        self.rest = rest;
        value
    }

    /// Reads a token68 if one stands alone between the scheme and the next comma.
    fn token68(&mut self) -> Option<String> {
        let start = self.rest.trim_start_matches([' ', '\t']);
        let is_own = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/".contains(&byte);
        let end = start.bytes().position(|byte| !is_own(byte)).unwrap_or(start.len());
        let padded = end + start[end..].len() - start[end..].trim_start_matches('=').len();
        let after = start[padded..].trim_start_matches([' ', '\t']);
        if end == 0 || !(after.is_empty() || after.starts_with(',')) {
            return None;
        }
        self.rest = after;
        Some(start[..padded].to_owned())
    }

    fn skip_element(&mut self) {
        self.rest = self.rest.find(',').map_or("", |comma| &self.rest[comma..]);
    }
}

/// Tells whether an error code is about a proof of possession alone: neither the token nor the
/// request was judged (RFC 9449 sections 8 and 9).
pub fn is_about_the_proof(code: Option<&str>) -> bool {
    matches!(code, Some("use_dpop_nonce" | "invalid_dpop_proof"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Writes challenges in one fixed form: `scheme[token68]{name=value;…}`.
    fn told(headers: &[&str]) -> String {
        let told: Vec<String> = parse(headers.iter().copied())
            .into_iter()
            .map(|challenge| {
                let parameters: Vec<String> = challenge
                    .parameters
                    .iter()
                    .map(|(name, value)| format!("{name}={value}"))
                    .collect();
                let token68 = challenge.token68.unwrap_or_default();
                format!("{}[{token68}]{{{}}}", challenge.scheme, parameters.join(";"))
            })
            .collect();
        told.join(" ")
    }

    #[test] // RR8
    fn challenges_are_taken_apart() {
        let cases: [(&[&str], &str); 24] = [
            (&["Bearer"], "Bearer[]{}"),
            (&["Basic realm=\"a b\""], "Basic[]{realm=a b}"),
            (
                &["Bearer realm=\"x\", error=\"invalid_token\""],
                "Bearer[]{realm=x;error=invalid_token}",
            ),
            (&["bearer ERROR=invalid_token"], "bearer[]{error=invalid_token}"),
            (&["Bearer scope=\"a b,c\",error=\"x\""], "Bearer[]{scope=a b,c;error=x}"),
            (&["Bearer d=\"say \\\"no\\\" \\\\ now\""], "Bearer[]{d=say \"no\" \\ now}"),
            (&["Negotiate", "Basic realm=x"], "Negotiate[]{} Basic[]{realm=x}"),
            (&["Negotiate, Basic realm=x"], "Negotiate[]{} Basic[]{realm=x}"),
            (&["Negotiate YWJj=="], "Negotiate[YWJj==]{}"),
            (&["Negotiate YWJj, Bearer a=b"], "Negotiate[YWJj]{} Bearer[]{a=b}"),
            (
                &["Newauth realm=\"apps\", type=1, title=\"L \\\"x\\\"\", Basic realm=\"s\""],
                "Newauth[]{realm=apps;type=1;title=L \"x\"} Basic[]{realm=s}",
            ),
            (&["Bearer realm = \"x\" , error = y"], "Bearer[]{realm=x;error=y}"),
            (&[",, Bearer ,, error=x,,"], "Bearer[]{error=x}"),
            (&["DPoP algs=\"ES256 PS256\", Bearer"], "DPoP[]{algs=ES256 PS256} Bearer[]{}"),
            (&["Bearer u=https://x.example/?a=b, e=1"], "Bearer[]{u=https://x.example/?a=b;e=1}"),
            (&["Bearer error=\"\""], "Bearer[]{error=}"),
            (&["Bearer error="], "Bearer[error=]{}"),
            (&["Bearer error=\"never closed, x=y"], "Bearer[]{error=never closed, x=y}"),
            (&["Bearer d=\"ends in \\"], "Bearer[]{d=ends in }"),
            (&["error=\"no scheme\", Bearer a=b"], "Bearer[]{a=b}"),
            (&["\u{7f}\"?, Bearer a=b"], "Bearer[]{a=b}"),
            (&["Bearer m=\"ünï\", n=\"2\""], "Bearer[]{m=ünï;n=2}"),
            (&["", "   ", ","], ""),
            (&["Bearer\ta=b\t,\tc=d"], "Bearer[]{a=b;c=d}"),
        ];
        for (headers, expected) in cases {
            assert_eq!(told(headers), expected, "{headers:?}");
        }
    }

    #[test] // RR8
    fn names_and_schemes_are_compared_without_case() {
        let challenge = parse(["BEARER Error=a, error=b"]).remove(0);
        assert!(challenge.is("Bearer"));
        assert_eq!(challenge.parameter("ERROR"), Some("a"));
        assert_eq!(challenge.parameter("scope"), None);
    }

    #[test] // ER8
    fn every_cut_of_a_challenge_ends() {
        let whole = "Bearer realm=\"é\\\"x\", Negotiate ab==, Basic a = b, \u{1}";
        for end in (0..=whole.len()).filter(|end| whole.is_char_boundary(*end)) {
            assert!(parse([&whole[..end]]).len() <= 3);
        }
    }
}
