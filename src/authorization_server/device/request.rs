//! The device authorization request as a value (RFC 8628 section 3.1).

use super::super::Wanted;
use super::super::authorization_request::{RequestError, refuse_reserved};
use super::super::client_authentication::ClientRegistration;
use super::super::dialect;
use super::super::token_request::{ServerRequest, server_request};
use crate::provider::schema::Device;
use crate::provider::{Provider, Values};
use crate::secret::Secret;

/// Makes the request; the client proves who it is as at the token endpoint.
pub fn device_request(
    provider: &Provider,
    device: &Device,
    values: &Values,
    registration: &ClientRegistration,
    (scopes, wanted): (&[String], &Wanted),
    extra: &[(String, String)],
) -> Result<ServerRequest, RequestError> {
    let mut parameters = Vec::new();
    if !scopes.is_empty() {
        let scopes = scopes.join(&device.scope_separator);
        parameters.push(("scope".to_owned(), Secret::new(scopes)));
    }
    // RFC 8707 section 2, RFC 9396 section 3: they stand in whatever a person allows.
    let more = wanted.parameters().into_iter();
    parameters.extend(more.map(|(name, value)| (name, Secret::new(value))));
    for (name, template) in &device.params {
        parameters.push((name.clone(), Secret::new(values.render(template)?)));
    }
    for (name, value) in extra {
        refuse_reserved(name)?;
        // No parameter is sent twice (RFC 6749 section 3.1): the user's counts.
        parameters.retain(|(it, _)| it != name);
        parameters.push((name.clone(), Secret::new(value.as_str())));
    }
    let translate = |all| dialect::translate(all, &device.omit, &device.rename);
    let mut request =
        server_request(provider, values, registration, device.body, parameters, translate)?;
    request.url = values.render_url(&device.url)?;
    for (name, template) in &device.headers {
        request.headers.push((name.clone(), Secret::new(values.render(template)?)));
    }
    Ok(request)
}

#[cfg(test)]
mod tests {
    use super::super::example::provider;
    use super::*;

    fn request(
        table: &str,
        secret: Option<&str>,
        extra: &[(&str, &str)],
    ) -> Result<ServerRequest, RequestError> {
        let provider = provider(table);
        let device = provider.device.as_ref().unwrap();
        let registration = ClientRegistration {
            client_id: "id".into(),
            client_secret: secret.map(Secret::new),
            private_key: None,
        };
        let scopes = ["a".to_owned(), "b:c".to_owned()];
        let extra: Vec<_> = extra.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        let asked = (&scopes[..], &Wanted::default());
        device_request(&provider, device, &Values::default(), &registration, asked, &extra)
    }

    #[test] // DV10, TQ6, TQ8
    fn a_client_with_a_secret_proves_itself_and_a_public_one_names_itself() {
        let with = request("", Some("s"), &[]).unwrap();
        assert_eq!(with.body.expose(), "scope=a+b%3Ac&client_id=id&client_secret=s");
        assert_eq!(with.secrets, [Secret::new("s"), Secret::new("s")]);
        let without = request("", None, &[]).unwrap();
        assert_eq!(without.body.expose(), "scope=a+b%3Ac&client_id=id");
        assert_eq!(without.url, "https://as.example/device");
    }

    #[test]
    fn a_vendor_has_its_own_names_form_and_headers() {
        let table = "body = \"json\"\nscope_separator = \",\"\nomit = [\"client_secret\"]\n\
                     rename = { client_id = \"clientId\" }\nparams = { audience = \"x\" }\n\
                     headers = { X-Version = \"2\" }\n";
        let request = request(table, Some("s"), &[("audience", "y")]).unwrap();
        assert_eq!(request.body.expose(), r#"{"scope":"a,b:c","audience":"y","clientId":"id"}"#);
        let header = request.headers.iter().find(|(name, _)| name == "X-Version").unwrap();
        assert_eq!(header.1.expose(), "2");
    }

    #[test] // EX4, EX5
    fn a_person_is_shown_what_the_tokens_are_for() {
        let provider = provider("");
        let device = provider.device.as_ref().unwrap();
        let registration =
            ClientRegistration { client_id: "id".into(), client_secret: None, private_key: None };
        let details = crate::authorization_server::wanted::read_details("[{\"type\":\"x\"}]");
        let wanted = Wanted {
            resource: vec!["https://a.example".into()],
            authorization_details: details.unwrap(),
            ..Wanted::default()
        };
        let asked = (&[][..], &wanted);
        let request =
            device_request(&provider, device, &Values::default(), &registration, asked, &[]);
        assert_eq!(
            request.unwrap().body.expose(),
            "resource=https%3A%2F%2Fa.example&authorization_details=%5B%7B%22type%22%3A%22x%22%7D%5D&client_id=id"
        );
    }

    #[test] // AR14
    fn an_extra_parameter_never_replaces_one_of_the_protocol() {
        for name in ["scope", "client_id", "CLIENT_SECRET"] {
            let refused = request("", None, &[(name, "x")]);
            assert!(matches!(refused, Err(RequestError::ReservedParameter(_))), "{name}");
        }
    }
}
