//! A provider file that was found and then added to: what the server says nothing of stays as the file has it.

use std::collections::BTreeMap;

use super::Found;
use crate::provider::Provider;
use crate::provider::schema::{
    Api, Authorize, Client, Device, Flow, IdToken, Introspect, Refresh, Registration, Revoke,
    Scope, Setting, Token, Userinfo,
};

/// What was found now, with all that a person added to the file that was kept before.
pub fn carried(kept: &Provider, found: &Found, name: &str) -> Provider {
    let names_api = found.resource.is_some();
    let found = found.provider(name);
    let flows = flows(kept, &found);
    let is_same_issuer = issuer(kept) == issuer(&found) && issuer(kept).is_some();
    // Metadata of an issuer does not say where its API is: the file may.
    let (api, settings) = match is_same_issuer && !names_api {
        true => (kept.api.clone(), kept.settings.clone()),
        false => (api(kept, &found), settings(kept, &found)),
    };
    let goes_on = |flow: Flow| flows.contains(&flow);
    Provider {
        schema: found.schema,
        name: found.name.clone(),
        summary: match kept.summary.starts_with("discovered at ") {
            true => found.summary.clone(),
            false => kept.summary.clone(),
        },
        scope: scopes(kept, &found),
        settings,
        discovery: found.discovery.clone(),
        client: client(kept, &found),
        mutual_tls: found.mutual_tls.clone(),
        authorize: found.authorize.clone().map(|it| match kept.authorize.clone() {
            Some(kept) => Authorize { url: it.url, pushed_url: it.pushed_url, ..kept },
            None => it,
        }),
        device: found.device.clone().map(|it| match kept.device.clone() {
            Some(kept) => Device { url: it.url, ..kept },
            None => it,
        }),
        jwt_bearer: kept.jwt_bearer.clone().filter(|_| goes_on(Flow::JwtBearer)),
        token_exchange: kept.token_exchange.clone().filter(|_| goes_on(Flow::TokenExchange)),
        registration: found.registration.clone().map(|it| match kept.registration.clone() {
            Some(kept) => Registration { kind: it.kind, url: it.url, ..kept },
            None => it,
        }),
        token: Token {
            url: found.token.url.clone(),
            resource: match names_api {
                true => found.token.resource.clone(),
                false => kept.token.resource.clone(),
            },
            ..kept.token.clone()
        },
        refresh: Refresh {
            rotation: match flows == kept.flows {
                true => kept.refresh.rotation,
                false => found.refresh.rotation,
            },
            ..kept.refresh.clone()
        },
        revoke: found.revoke.clone().map(|it| match kept.revoke.clone() {
            Some(kept) => Revoke { url: it.url, ..kept },
            None => it,
        }),
        id_token: found.id_token.clone().map(|it| match kept.id_token.clone() {
            Some(kept) => IdToken { jwks_url: it.jwks_url, algorithms: it.algorithms, ..kept },
            None => it,
        }),
        userinfo: found.userinfo.clone().map(|it| match kept.userinfo.clone() {
            Some(kept) => Userinfo { url: it.url, ..kept },
            None => it,
        }),
        introspect: found.introspect.clone().map(|it| match kept.introspect.clone() {
            Some(kept) => Introspect { url: it.url, ..kept },
            None => it,
        }),
        api,
        flows,
        ..kept.clone()
    }
}

fn issuer(provider: &Provider) -> Option<&String> {
    provider.discovery.as_ref()?.issuer.as_ref()
}

/// The file's own order and additions where nothing is new; a flow whose endpoint is gone goes with it.
fn flows(kept: &Provider, found: &Provider) -> Vec<Flow> {
    let has_endpoint = |flow: &&Flow| match flow {
        Flow::AuthorizationCode => found.authorize.is_some(),
        Flow::DeviceCode => found.device.is_some(),
        _ => true,
    };
    let own: Vec<Flow> = kept.flows.iter().filter(has_endpoint).copied().collect();
    if found.flows.iter().all(|flow| own.contains(flow)) {
        return own;
    }
    let others = own.into_iter().filter(|flow| !found.flows.contains(flow));
    found.flows.iter().copied().chain(others).collect()
}

/// A scope that the file describes stays described; of the others nothing but the name is known.
fn scopes(kept: &Provider, found: &Provider) -> Vec<Scope> {
    let is_new = |name: &str| !kept.scope.iter().any(|it| it.name == name);
    let new = found.scope.iter().filter(|it| is_new(&it.name));
    kept.scope.iter().chain(new).cloned().collect()
}

/// How a client proves itself is the server's word; what is sent in doing so may be the file's.
fn client(kept: &Provider, found: &Provider) -> Client {
    let (kept, found) = (&kept.client, &found.client);
    // What was written for one client is handed over to its profile.
    let is_alike = kept.auth == found.auth && kept.methods == found.methods;
    Client {
        auth: found.auth,
        methods: found.methods.clone(),
        secret: if is_alike { kept.secret } else { found.secret },
        assertion_algorithms: found.assertion_algorithms.clone(),
        // A person may know of a server that binds tokens and does not say so.
        dpop_algorithms: match found.dpop_algorithms.is_empty() {
            true => kept.dpop_algorithms.clone(),
            false => found.dpop_algorithms.clone(),
        },
        certificate_bound_access_tokens: match is_alike {
            true => kept.certificate_bound_access_tokens,
            false => found.certificate_bound_access_tokens,
        },
        ..kept.clone()
    }
}

/// The hosts that see a token are another issuer's business.
fn api(kept: &Provider, found: &Provider) -> Api {
    let hosts = match issuer(kept) == issuer(found) {
        true => kept.api.hosts.clone(),
        false => found.api.hosts.clone(),
    };
    Api { base_url: found.api.base_url.clone(), hosts, ..kept.api.clone() }
}

fn settings(kept: &Provider, found: &Provider) -> BTreeMap<String, Setting> {
    let mut settings = kept.settings.clone();
    settings.extend(found.settings.clone());
    settings
}
