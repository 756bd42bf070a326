//! One request about a registration on its way; its address may be a secret.

use url::Url;

use super::Registrar;
use crate::connection::server::TOKEN_REQUEST_TIME;
use crate::http::trace::{answer_lines, request_lines};
use crate::http::{Answer, HttpError, Limits, Request, exchange};

impl Registrar<'_> {
    /// Sends a request, once, and follows nowhere; the path of a `secret` address is not told.
    pub(super) async fn send(
        &self,
        request: Request,
        secret: Option<&Url>,
        named_by: Option<&str>,
    ) -> Result<Answer, HttpError> {
        let request = request.named_by(named_by.map(str::to_owned));
        let level = self.ears.verbose;
        let told = match secret {
            None => request_lines(&request, level),
            Some(url) if level > 0 => {
                let origin = url.origin().ascii_serialization();
                vec![format!("> {} {origin}/[hidden]", request.method)]
            }
            Some(_) => Vec::new(),
        };
        told.into_iter().for_each(self.ears.trace);
        let limits = Limits { total: TOKEN_REQUEST_TIME, ..Limits::default() };
        let answer = exchange(self.http, request, limits).await?;
        answer_lines(answer.status, &answer.headers, level).into_iter().for_each(self.ears.trace);
        Ok(answer)
    }
}
