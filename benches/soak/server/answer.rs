//! An answer as bytes, whole or cut.

/// Where an answer breaks off.
pub enum Cut {
    /// Before its first byte, with a reset.
    Everything,
    /// In the middle of its body.
    Half,
}

/// What is written to a client.
pub struct Answer {
    status: u16,
    kind: &'static str,
    more: &'static str,
    body: String,
    /// How much of the body is written; `None` where there is a reset instead.
    kept: Option<usize>,
}

impl Answer {
    /// A document.
    pub fn json(status: u16, body: &str) -> Self {
        Self::new(status, "application/json", body)
    }

    /// An error as RFC 6749 section 5.2 has it.
    pub fn error(status: u16, code: &str) -> Self {
        Self::json(status, &format!("{{\"error\":\"{code}\"}}"))
    }

    /// A page, as a gateway sends one.
    pub fn page(status: u16) -> Self {
        Self::new(status, "text/html", "<html><title>Maintenance</title>Back soon</html>")
    }

    /// The resource server's word about an access token.
    pub fn unauthorized() -> Self {
        Self::error(401, "invalid_token").with("WWW-Authenticate: Bearer error=\"invalid_token\"")
    }

    fn new(status: u16, kind: &'static str, body: &str) -> Self {
        Self { status, kind, more: "", kept: Some(body.len()), body: body.to_owned() }
    }

    /// With another header line.
    pub fn with(mut self, line: &'static str) -> Self {
        self.more = line;
        self
    }

    /// The same, broken off.
    pub fn cut(mut self, cut: Cut) -> Self {
        self.kept = match cut {
            Cut::Everything => None,
            Cut::Half => Some(self.body.len() / 2),
        };
        self
    }

    /// What is written; `None` where the connection is reset.
    pub fn bytes(&self) -> Option<Vec<u8>> {
        let body = self.body.get(..self.kept?)?;
        let mut head = format!("HTTP/1.1 {} Said\r\nContent-Type: {}\r\n", self.status, self.kind);
        if !self.more.is_empty() {
            head += &format!("{}\r\n", self.more);
        }
        head += &format!("Content-Length: {}\r\nConnection: close\r\n\r\n", self.body.len());
        Some((head + body).into_bytes())
    }
}
