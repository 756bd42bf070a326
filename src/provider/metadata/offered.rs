//! What a server offers: grants, client authentication, algorithms, scopes.

use serde_json::Value;

use super::MetadataError;
use super::document::Document;
use super::members::texts;
use crate::provider::schema::{ClientAuthentication, SignatureAlgorithm, SigningAlgorithm};

/// RFC 8628 section 3.4.
pub(super) const DEVICE_CODE_GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// Whether the code flow is there; a server that does not say so has it (RFC 8414 section 2).
pub(super) fn offers_codes(document: &Document) -> Result<bool, MetadataError> {
    let types = texts("response_types_supported", &document.response_types_supported)?;
    let codes = types.is_none_or(|types| types.contains(&"code"));
    Ok(codes && offers(document, "authorization_code")?)
}

/// Whether the device flow is there; one that names no grants says so by its endpoint (RFC 8628 section 4).
pub(super) fn offers_device_codes(document: &Document) -> Result<bool, MetadataError> {
    Ok(match document.grant_types_supported {
        None => true,
        Some(_) => offers(document, DEVICE_CODE_GRANT)?,
    })
}

pub(super) fn offers(document: &Document, grant: &str) -> Result<bool, MetadataError> {
    let grants = texts("grant_types_supported", &document.grant_types_supported)?;
    Ok(grants.unwrap_or_else(|| vec!["authorization_code", "implicit"]).contains(&grant))
}

/// What the server says of client authentication: the method of a client that chooses none, and all that
/// it may choose of. One that says nothing takes Basic (RFC 8414 section 2).
///
/// For a client without a private key: Basic, else the body, else no secret; and where the server
/// takes nothing else, what needs a key or signs with the secret.
pub(super) fn client_authentication(
    document: &Document,
) -> Result<(ClientAuthentication, Vec<ClientAuthentication>), MetadataError> {
    let member = "token_endpoint_auth_methods_supported";
    let Some(names) = texts(member, &document.token_endpoint_auth_methods_supported)? else {
        return Ok((ClientAuthentication::Basic, Vec::new()));
    };
    let all = ClientAuthentication::ALL.into_iter();
    let known: Vec<ClientAuthentication> =
        all.filter(|method| names.contains(&method.registered_name())).collect();
    match known.first() {
        Some(first) => Ok((*first, known)),
        None => Err(MetadataError::NoClientAuthentication(
            names.into_iter().map(str::to_owned).collect(),
        )),
    }
}

/// The algorithms with a private key; others, and HMACs, are passed over.
pub(super) fn signing_algorithms(
    document: &Document,
) -> Result<Vec<SigningAlgorithm>, MetadataError> {
    let member = "token_endpoint_auth_signing_alg_values_supported";
    let names = texts(member, &document.token_endpoint_auth_signing_alg_values_supported)?;
    Ok(names.unwrap_or_default().into_iter().filter_map(SigningAlgorithm::named).collect())
}

/// What proofs of a key may be signed with (RFC 9449 section 5.1), as the server names it.
pub(super) fn dpop_algorithms(document: &Document) -> Result<Vec<String>, MetadataError> {
    let member = "dpop_signing_alg_values_supported";
    let names = texts(member, &document.dpop_signing_alg_values_supported)?;
    Ok(names.unwrap_or_default().into_iter().map(str::to_owned).collect())
}

/// What an ID token may be signed with, as far as keyfob can check it; RS256 where nothing is said.
pub(super) fn id_token_algorithms(
    document: &Document,
) -> Result<Vec<SignatureAlgorithm>, MetadataError> {
    let member = "id_token_signing_alg_values_supported";
    let names = texts(member, &document.id_token_signing_alg_values_supported)?;
    let names = names.unwrap_or_else(|| vec!["RS256"]);
    // A client that registers nothing else gets RS256 (Dynamic Registration section 2): a server that
    // could sign otherwise as well is still to sign so.
    if names.contains(&SignatureAlgorithm::RS256.name()) {
        return Ok(vec![SignatureAlgorithm::RS256]);
    }
    let all = SignatureAlgorithm::ALL.into_iter();
    Ok(all.filter(|algorithm| names.contains(&algorithm.name())).collect())
}

/// The names that a request can carry; what is no scope token cannot be asked for.
pub(super) fn scope_names(named: &Option<Value>) -> Result<Vec<String>, MetadataError> {
    let names = texts("scopes_supported", named)?.unwrap_or_default();
    let mut scopes: Vec<String> = Vec::new();
    for name in names {
        if is_scope_token(name) && !scopes.iter().any(|scope| scope == name) {
            scopes.push(name.to_owned());
        }
    }
    Ok(scopes)
}

/// RFC 6749 section 3.3.
fn is_scope_token(name: &str) -> bool {
    let token = |byte: u8| matches!(byte, 0x21 | 0x23..=0x5b | 0x5d..=0x7e);
    !name.is_empty() && name.bytes().all(token)
}
