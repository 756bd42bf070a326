//! kubectl and client-go: an ExecCredential (client.authentication.k8s.io, Kubernetes' "Authenticating").

use clap::Args;
use clap_complete::engine::ArgValueCompleter;
use serde_json::{Map, Value, json};

use super::super::completions::complete_profile;
use super::{Asked, Context, Exit, Life, Report, answer, not_understood, with_connected};

/// The versions of the document that have these fields.
const VERSIONS: [&str; 2] =
    ["client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1"];

/// `helper kubectl`.
#[derive(Debug, Args)]
#[command(
    after_help = "In the kubeconfig:\n  users:\n  - name: shop\n    user:\n      exec:\n        apiVersion: client.authentication.k8s.io/v1\n        command: keyfob\n        args: [helper, kubectl, shop]\n        interactiveMode: Never\n        provideClusterInfo: true\n        installHint: keyfob is not installed\n\nWith provideClusterInfo the token is given for the provider's own hosts alone;\nwithout it kubectl does not say which cluster it is for. kubectl keeps the token\nin memory until it ends."
)]
pub struct Kubectl {
    /// The profile (or KEYFOB_PROFILE)
    #[arg(value_name = "PROFILE", add = ArgValueCompleter::new(complete_profile))]
    profile: Option<String>,
    #[command(flatten)]
    life: Life,
}

/// Answers kubectl, whose question is in its environment.
pub fn run(context: &Context<'_>, args: &Kubectl) -> Result<Exit, Report> {
    let question = Question::read(context.system.environment.get("KUBERNETES_EXEC_INFO"))?;
    with_connected(context, args.profile.as_deref(), |connected| {
        if let Some(server) = &question.server {
            let url = server.parse().ok();
            if !url.is_some_and(|url| connected.is_for(&Asked::Address(&url))) {
                return Err(connected.not_own(server));
            }
        }
        let credential = connected.credential(args.life.min_ttl)?;
        let mut status = Map::new();
        status.insert("token".into(), json!(credential.token.expose()));
        if let Some(end) = credential.expires_at {
            let end = jiff::Timestamp::new(end.as_second(), 0).unwrap_or(end);
            status.insert("expirationTimestamp".into(), json!(end));
        }
        let document = json!({
            "kind": "ExecCredential",
            "apiVersion": question.version,
            "status": status,
        });
        answer(context, &document)?;
        Ok(Exit::Done)
    })
}

/// What `KUBERNETES_EXEC_INFO` says.
#[derive(Debug, PartialEq)]
struct Question {
    version: &'static str,
    server: Option<String>,
}

impl Question {
    fn read(text: Option<&str>) -> Result<Self, Report> {
        let Some(text) = text else {
            return Ok(Self { version: VERSIONS[0], server: None });
        };
        let document: Value = serde_json::from_str(text)
            .map_err(|_| unreadable("KUBERNETES_EXEC_INFO is not JSON"))?;
        let wanted = document["apiVersion"].as_str().unwrap_or_default();
        let version = VERSIONS.into_iter().find(|version| *version == wanted).ok_or_else(|| {
            unreadable(&format!("it wants `{wanted}`; there is {}", VERSIONS.join(" and ")))
        })?;
        let server = document["spec"]["cluster"]["server"].as_str().map(str::to_owned);
        Ok(Self { version, server })
    }
}

fn unreadable(why: &str) -> Report {
    not_understood("kubectl", why)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_has_the_version_that_was_asked_for() {
        let read = |text: &str| Question::read(Some(text)).map_err(|report| report.message);
        for version in VERSIONS {
            let text = json!({"apiVersion": version, "spec": {"interactive": true}}).to_string();
            assert_eq!(read(&text), Ok(Question { version, server: None }));
        }
        let with_server = r#"{"apiVersion":"client.authentication.k8s.io/v1",
            "spec":{"cluster":{"server":"https://cluster.example:6443"}}}"#;
        let server = read(with_server).unwrap().server;
        assert_eq!(server.as_deref(), Some("https://cluster.example:6443"));
        assert_eq!(Question::read(None).unwrap().version, VERSIONS[0]);
        for text in ["", "{}", "[]", r#"{"apiVersion":"client.authentication.k8s.io/v1alpha1"}"#] {
            assert_eq!(read(text), Err("the question of kubectl was not understood".to_owned()));
        }
    }
}
