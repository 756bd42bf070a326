//! The command that was typed, plus what advice adds to it: the only way to print one that connects.

use std::path::Path;

use clap::ValueEnum as _;

use super::{pair, path, typed, word};
use crate::cli::args::{Client, Connect, FlowChoice, Global};
use crate::cli::connect::{absolute_file, bound};
use crate::profile::Profile;
use crate::provider::Provider;
use crate::provider::schema::Flow;
use crate::store::StoreKind;

/// What advice adds: a flag, and its value as a word; an empty value for a flag without one.
pub type Plus<'a> = &'a [(&'a str, &'a str)];

/// What `import` takes too.
const OF_IMPORT: [&str; 11] = [
    "--provider",
    "--authorization-server",
    "--client-id",
    "--client-authentication",
    "--client-secret-file",
    "--client-key-file",
    "--client-certificate-file",
    "--set",
    "--store",
    "--cacert",
    "--yes",
];

/// What no profile remembers.
const FOR_ONCE: [&str; 14] = [
    "--client-secret-file",
    "--client-key-file",
    "--client-certificate-file",
    "--username",
    "--password-file",
    "--assertion-file",
    "--subject-token-file",
    "--subject-token-type",
    "--actor-token-file",
    "--actor-token-type",
    "--requested-token-type",
    "--no-browser",
    "--cacert",
    "--yes",
];

/// What is not said together: the one that advice adds stays.
const CONTRADICT: [(&str, &str); 3] = [
    ("--port", "--redirect-uri"),
    ("--client-id", "--register"),
    ("--client-id", "--initial-access-token-file"),
];

/// What proves a client, and is not said together with a method that proves nothing.
const PROOFS: [&str; 3] =
    ["--client-secret-file", "--client-key-file", "--client-certificate-file"];

/// How long somebody waited says nothing of the next time.
const PATIENCE: &str = "--timeout";

/// What is given once for each key.
const BY_KEY: [&str; 2] = ["--set", "--param"];

/// What a prompt asks for where no file brings it.
const ASKED_FOR: [&str; 4] =
    ["--client-secret-file", "--client-key-file", "--password-file", "--initial-access-token-file"];

/// The longest text that advice gives on standard input, in bytes.
const LONGEST_TEXT: usize = 1000;

#[derive(Debug, Clone, PartialEq, Eq)]
struct Flag {
    name: &'static str,
    /// A word, or `=` and a word, or nothing.
    value: String,
}

/// The flags that were typed, which no file says yet: what fails repeats them all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Given {
    flags: Vec<Flag>,
    /// What standard input has to hold, where that is known.
    text: Option<String>,
}

impl Given {
    /// What every command takes, and another one needs as well.
    pub fn of_global(global: &Global) -> Self {
        let mut given = Self::default();
        given.add_global(global);
        given
    }

    fn add_global(&mut self, global: &Global) {
        if let Some(store) = global.store {
            self.add("--store", StoreKind::from(store).name().to_owned());
        }
        self.add_file("--cacert", global.cacert.as_deref());
    }

    /// What `import` and `connect` both take.
    pub fn of_client(global: &Global, client: &Client) -> Self {
        let mut given = Self::default();
        if let Some(provider) = &client.provider {
            given.add("--provider", typed(&absolute_file(provider)));
        }
        if let Some(server) = &client.authorization_server {
            given.add("--authorization-server", typed(server));
        }
        if let Some(client_id) = &client.client_id {
            given.add("--client-id", typed(client_id));
        }
        if let Some(method) = client.client_authentication {
            given.add("--client-authentication", method.registered_name().to_owned());
        }
        given.add_file("--client-secret-file", client.client_secret_file.as_deref());
        given.add_file("--client-key-file", client.client_key_file.as_deref());
        given.add_file("--client-certificate-file", client.client_certificate_file.as_deref());
        for (key, value) in &client.settings {
            given.add("--set", pair(key, value));
        }
        given.add_global(global);
        given.add_switch("--yes", global.yes);
        given
    }

    /// All that `connect` was given; never a secret.
    pub fn of_connect(global: &Global, args: &Connect) -> Self {
        let mut given = Self::of_client(global, &args.client);
        let registering = &args.registering;
        given.add_switch("--register", registering.register);
        let token = registering.initial_access_token_file.as_deref();
        given.add_file("--initial-access-token-file", token);
        given.add_switch("--print-client-document", registering.print_client_document);
        given.add_each("--scope", &args.scopes);
        given.add_each("--redirect-uri", &args.redirect_uri);
        given.add_each("--resource", &args.resource);
        given.add_file("--authorization-details", args.authorization_details.as_deref());
        if let Some(port) = args.port {
            given.add("--port", port.to_string());
        }
        if let Some(flow) = args.flow {
            given.add("--flow", flow.name());
        }
        given.add_choice("--dpop", args.dpop);
        given.add_choice("--userinfo", args.userinfo);
        for (key, value) in &args.params {
            given.add("--param", pair(key, value));
        }
        given.add_switch("--no-browser", args.no_browser);
        given.add_switch(PATIENCE, args.timeout.is_some());
        given.add_switch("--print-redirect", args.print_redirect);
        given.add_each("--username", &args.username);
        given.add_file("--password-file", args.password_file.as_deref());
        let exchange = &args.exchange;
        given.add_file("--assertion-file", exchange.assertion_file.as_deref());
        given.add_file("--subject-token-file", exchange.subject_token_file.as_deref());
        given.add_each("--subject-token-type", &exchange.subject_token_type);
        given.add_file("--actor-token-file", exchange.actor_token_file.as_deref());
        given.add_each("--actor-token-type", &exchange.actor_token_type);
        given.add_each("--requested-token-type", &exchange.requested_token_type);
        given
    }

    /// Every flag that makes such a profile again, once its file is gone.
    pub fn of(profile: &Profile, provider: &Provider) -> Self {
        let mut given = Self::default();
        given.add("--provider", typed(&profile.provider));
        match profile.registered {
            // What proves such a client goes with the profile.
            Some(_) => given.add_switch("--register", true),
            None => given.add_each("--client-id", &profile.client_id),
        }
        if let Some(method) = profile.client.and_then(|client| client.auth) {
            given.add("--client-authentication", method.registered_name().to_owned());
        }
        for (key, value) in &profile.settings {
            given.add("--set", pair(key, value));
        }
        given.add_each("--scope", &profile.scopes);
        given.add_each("--resource", &profile.resource);
        if let Some(details) = &profile.authorization_details {
            let text = Some(details).filter(|it| it.len() <= LONGEST_TEXT);
            given.add("--authorization-details", text.map_or("FILE", |_| "-").to_owned());
            given.text = text.cloned();
        }
        given.add_each("--redirect-uri", &profile.redirect_uri);
        if let Some(flow) = profile.flow.and_then(FlowChoice::of) {
            given.add("--flow", flow.name());
        }
        given.add_choice("--dpop", profile.dpop.then_some(true));
        given.add_choice("--userinfo", profile.userinfo.then_some(true));
        for (key, value) in &profile.params {
            given.add("--param", pair(key, value));
        }
        if let Some(store) = profile.store {
            given.add("--store", store.name().to_owned());
        }
        given.and_what_is_kept_nowhere(profile, provider)
    }

    /// Adds the token that an exchange wants each time.
    pub fn and_what_is_kept_nowhere(mut self, profile: &Profile, provider: &Provider) -> Self {
        let flow = profile.flow.or_else(|| provider.flows.first().copied());
        if flow != Some(Flow::TokenExchange) {
            return self;
        }
        let words = provider.token_exchange.as_ref();
        let has_type = words.is_some_and(|it| it.subject_token_type.is_some());
        for (name, is_wanted) in
            [("--subject-token-file", true), ("--subject-token-type", !has_type)]
        {
            if is_wanted && !self.flags.iter().any(|it| it.name == name) {
                self.add(name, "…".to_owned());
            }
        }
        self
    }

    /// What is left to say once a file says the rest.
    pub fn for_once(&self) -> Self {
        self.where_flag(|flag| FOR_ONCE.contains(&flag.name))
    }

    /// The same without what does nothing in a flow.
    pub fn useful_in(&self, flow: Flow) -> Self {
        self.where_flag(|flag| flag.serves(flow))
    }

    /// The same for the flow that the provider has first.
    pub fn in_own_flow(&self, provider: &Provider) -> Self {
        let own = provider.flows.first();
        self.where_flag(|flag| flag.name != "--flow" && own.is_none_or(|flow| flag.serves(*flow)))
    }

    fn where_flag(&self, stays: impl Fn(&Flag) -> bool) -> Self {
        let flags = self.flags.iter().filter(|flag| stays(flag));
        Self { flags: flags.cloned().collect(), text: self.text.clone() }
    }

    /// The first flag that does nothing in a flow.
    pub fn useless_in(&self, flow: Flow) -> Option<&'static str> {
        self.flags.iter().find(|it| !it.serves(flow)).map(|it| it.name)
    }

    /// Adds a flag with a value that is a word already; an empty one for a flag without a value.
    pub fn add(&mut self, name: &'static str, value: String) {
        // A word that begins like a flag is taken for one, but after `=`.
        let value = match value.len() > 1 && value.starts_with('-') {
            true => format!("={value}"),
            false => value,
        };
        self.flags.push(Flag { name, value });
    }

    fn add_switch(&mut self, name: &'static str, is_given: bool) {
        if is_given {
            self.add(name, String::new());
        }
    }

    fn add_choice(&mut self, name: &'static str, choice: Option<bool>) {
        match choice {
            Some(true) => self.add(name, String::new()),
            Some(false) => self.add(name, "=false".to_owned()),
            None => {}
        }
    }

    fn add_each<'t>(&mut self, name: &'static str, texts: impl IntoIterator<Item = &'t String>) {
        texts.into_iter().for_each(|text| self.add(name, typed(text)));
    }

    /// What came on standard input and is asked for without echo is not typed a second time.
    fn add_file(&mut self, name: &'static str, file: Option<&Path>) {
        match file {
            Some(file) if file.as_os_str() == "-" && ASKED_FOR.contains(&name) => {}
            Some(file) => self.add(name, path(file)),
            None => {}
        }
    }

    /// The command with these flags, and with `plus` in the place of those that say the same.
    pub fn command(&self, verb: &str, profile: &str, plus: Plus<'_>) -> String {
        let other_flow = plus.iter().find(|(name, _)| *name == "--flow");
        let other_flow = other_flow.and_then(|(_, name)| FlowChoice::from_str(name, false).ok());
        let kept = self.flags.iter().filter(|flag| {
            flag.name != PATIENCE
                && (verb != "import" || OF_IMPORT.contains(&flag.name))
                && other_flow.is_none_or(|flow| flag.serves(flow.flow()))
                && !plus.iter().any(|plus| flag.is_replaced_by(plus))
        });
        let kept: Vec<&Flag> = kept.collect();
        let mut line = format!("keyfob {verb} {}", word(profile));
        for flag in &kept {
            push(&mut line, flag.name, &flag.value);
        }
        plus.iter().for_each(|(name, value)| push(&mut line, name, value));
        match &self.text {
            _ if !kept.iter().any(|flag| flag.value == "-") => line,
            Some(text) => format!("printf %s {} | {line}", typed(text)),
            None => format!("{line} < FILE"),
        }
    }
}

/// A whole command line that names a place to discover, for advice on that place.
pub struct Typed {
    /// `connect`, `import` or `provider new`.
    pub verb: &'static str,
    /// The profile, or the provider that is made.
    pub name: String,
    /// The flag that names the place.
    pub place: &'static str,
    /// The rest.
    pub given: Given,
}

impl Typed {
    /// The same command for another place, and one of its authorization servers; both are words.
    pub fn at(&self, place: &str, server: Option<&str>) -> String {
        const SERVER: &str = "--authorization-server";
        let mut plus = vec![(self.place, place)];
        plus.extend(server.map(|server| (SERVER, server)));
        // A place that is an authorization server itself names none.
        let given = self.given.where_flag(|flag| flag.name != SERVER);
        given.command(self.verb, &self.name, &plus)
    }
}

impl Flag {
    fn serves(&self, flow: Flow) -> bool {
        self.value == "=false" || bound::serves(self.name, flow)
    }

    fn is_replaced_by(&self, (name, value): &(&str, &str)) -> bool {
        let proves_nothing =
            |name: &str, value: &str| name == "--client-authentication" && value == "none";
        let is_no_proof = proves_nothing(self.name, &self.value) && PROOFS.contains(name)
            || proves_nothing(name, value) && PROOFS.contains(&self.name);
        let contradicts = is_no_proof
            || CONTRADICT.iter().any(|(one, other)| {
                [(self.name, *name), (*name, self.name)].contains(&(*one, *other))
            });
        let key = |text: &str| text.split_once('=').map(|(key, _)| key.to_owned());
        let says_the_same =
            self.name == *name && (!BY_KEY.contains(name) || key(&self.value) == key(value));
        says_the_same || contradicts
    }
}

fn push(line: &mut String, name: &str, value: &str) {
    let gap = if value.is_empty() || value.starts_with('=') { "" } else { " " };
    line.push_str(&format!(" {name}{gap}{value}"));
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::cli::args::{Cli, Command};
    use crate::profile::Registered;
    use crate::provider::catalogue::shipped;
    use crate::provider::schema::ClientAuthentication;

    fn given(line: &str) -> Given {
        let words = shlex::split(line).unwrap();
        let cli = Cli::try_parse_from(words).unwrap_or_else(|error| panic!("{line}: {error}"));
        match &cli.command {
            Command::Connect(args) => Given::of_connect(&cli.global, args),
            Command::Import(args) => Given::of_client(&cli.global, &args.client),
            _ => panic!("{line}"),
        }
    }

    #[test]
    fn every_flag_of_connect_that_matters_again_is_repeated_as_it_was_typed() {
        let line = "keyfob connect shop --provider inkress --client-id=-x --client-secret-file s \
                    --client-key-file k --client-certificate-file c --set host='a b' --store file \
                    --cacert ca --yes --scope a --scope b \
                    --redirect-uri http://127.0.0.1:1/x --resource https://a.test \
                    --authorization-details d --flow code --dpop=false --userinfo --param a=b \
                    --no-browser --username me --password-file p --assertion-file j \
                    --subject-token-file t --subject-token-type urn:a --actor-token-file u \
                    --actor-token-type urn:b --requested-token-type urn:c";
        let expected: Vec<&str> = line.split_whitespace().collect();
        assert_eq!(given(line).command("connect", "shop", &[]), expected.join(" "));
        for line in [
            "keyfob connect shop --provider https://api.test --authorization-server https://as.test",
            "keyfob connect shop --register --initial-access-token-file f --port 8080 --dpop",
            "keyfob connect shop --print-client-document --userinfo=false",
            "keyfob connect shop --print-redirect",
        ] {
            assert_eq!(given(line).command("connect", "shop", &[]), line);
        }
    }

    #[test]
    fn what_advice_adds_takes_the_place_of_what_says_the_same_or_the_contrary() {
        let cases: [(&str, Plus<'_>, &str); 11] = [
            ("--scope a --scope b", &[("--scope", "c"), ("--scope", "d")], "--scope c --scope d"),
            ("--set a=1 --set b=2", &[("--set", "a=…")], "--set b=2 --set a=…"),
            ("--redirect-uri http://127.0.0.1:1/", &[("--port", "80")], "--port 80"),
            (
                "--register --initial-access-token-file f --dpop",
                &[("--client-id", "…")],
                "--dpop --client-id …",
            ),
            ("--client-id x", &[("--register", "")], "--register"),
            (
                "--client-id x --client-authentication none",
                &[("--client-secret-file", "…")],
                "--client-id x --client-secret-file …",
            ),
            (
                "--client-authentication client_secret_post",
                &[("--client-secret-file", "…")],
                "--client-authentication client_secret_post --client-secret-file …",
            ),
            (
                "--client-certificate-file c --client-key-file k",
                &[("--client-authentication", "none")],
                "--client-authentication none",
            ),
            ("--dpop", &[("--dpop", "=false")], "--dpop=false"),
            (
                "--flow code --port 80 --no-browser --param a=b",
                &[("--flow", "device")],
                "--param a=b --no-browser --flow device",
            ),
            ("--timeout 1s --yes", &[("--timeout", "15m"), ("--yes", "")], "--timeout 15m --yes"),
        ];
        for (typed, plus, expected) in cases {
            let command = given(&format!("keyfob connect shop {typed}"));
            let command = command.command("connect", "shop", plus);
            assert_eq!(command, format!("keyfob connect shop {expected}"));
            // It is one that can be typed.
            given(&command);
        }
    }

    #[test]
    fn import_is_given_what_it_takes_and_a_file_what_it_does_not_say() {
        let given = given("keyfob connect shop --provider x --scope a --port 8 --timeout 9s --yes");
        assert_eq!(given.command("import", "shop", &[]), "keyfob import shop --provider x --yes");
        let once = given.for_once().command("connect", "shop", &[]);
        assert_eq!(once, "keyfob connect shop --yes");
    }

    #[test] // CA4
    fn what_came_on_standard_input_is_asked_for_or_comes_there_again() {
        let asked = given("keyfob connect shop --client-secret-file - --scope a");
        assert_eq!(asked.command("connect", "shop", &[]), "keyfob connect shop --scope a");
        let again = given("keyfob connect shop --assertion-file - --scope a");
        let command = again.command("connect", "shop", &[]);
        assert_eq!(command, "keyfob connect shop --scope a --assertion-file - < FILE");
        let other = again.command("connect", "shop", &[("--assertion-file", "…")]);
        assert_eq!(other, "keyfob connect shop --scope a --assertion-file …");
    }

    #[test]
    fn a_profile_that_is_gone_is_made_again_with_all_that_it_said() {
        let provider = shipped("inkress").unwrap().unwrap();
        let profile = Profile {
            provider: "inkress".into(),
            flow: Some(Flow::AuthorizationCode),
            dpop: true,
            userinfo: true,
            params: [("a".to_owned(), "it's".to_owned())].into(),
            authorization_details: Some(r#"[{"type":"x"}]"#.into()),
            ..Profile::default()
        };
        let command = Given::of(&profile, &provider).command("connect", "shop", &[]);
        assert_eq!(
            command,
            "printf %s '[{\"type\":\"x\"}]' | keyfob connect shop --provider inkress --authorization-details - --flow code --dpop --userinfo --param a=\"it's\""
        );
        let import = Given::of(&profile, &provider).command("import", "shop", &[]);
        assert_eq!(import, "keyfob import shop --provider inkress");
        let registered = Registered {
            endpoint: "https://as.test/register".into(),
            at: jiff::Timestamp::UNIX_EPOCH,
            authentication: ClientAuthentication::Basic,
            secret_expires_at: None,
        };
        let own = Profile {
            provider: "x".into(),
            client_id: Some("given".into()),
            registered: Some(registered),
            ..Profile::default()
        };
        let command = Given::of(&own, &provider).command("connect", "shop", &[]);
        assert_eq!(command, "keyfob connect shop --provider x --register");
        let exchange = Profile { flow: Some(Flow::TokenExchange), ..Profile::default() };
        let command = Given::of(&exchange, &provider).command("connect", "shop", &[]);
        assert!(command.ends_with("--subject-token-file … --subject-token-type …"), "{command}");
    }
}
