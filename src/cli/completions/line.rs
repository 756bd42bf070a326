//! What could stand where the cursor is, from the other words on the line.

use std::path::Path;

use crate::cli::args::FlowChoice;
use crate::cli::context::{is_path, read_provider};
use crate::cli::profile::KEYS;
use crate::cli::sync::APP;
use crate::http::printable::printable;
use crate::profile::file::Profiles;
use crate::provider::schema::{ParameterKind, Scope};
use crate::provider::{Provider, catalogue};
use crate::store::StoreKind;
use crate::store::durable::Folder;
use crate::system::Home;

const METHODS: [&str; 6] = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"];

/// A line that is being typed.
pub struct Line {
    /// Its words, the program's name first.
    pub words: Vec<String>,
    /// Where profiles and providers are.
    pub home: Option<Home>,
    /// The profile that stands in where none is typed.
    pub profile: Option<String>,
}

/// A word that could be typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// The word.
    pub word: String,
    /// One line about it.
    pub help: String,
}

pub(super) fn candidate(word: impl Into<String>, help: &str) -> Candidate {
    Candidate { word: word.into(), help: printable(help) }
}

impl Line {
    /// The user's profiles, each with its provider.
    pub fn profiles(&self) -> Vec<Candidate> {
        let Some(profiles) = self.home.as_ref().map(|home| Profiles::new(&home.configuration))
        else {
            return Vec::new();
        };
        let names = profiles.names().unwrap_or_default();
        let provider = |name: &str| profiles.find(name).ok().flatten().map(|it| it.provider);
        names.iter().map(|name| candidate(name, &provider(name).unwrap_or_default())).collect()
    }

    /// The shipped providers and the user's own.
    pub fn providers(&self) -> Vec<Candidate> {
        let mut names: Vec<String> = catalogue::names().map(str::to_owned).collect();
        names.extend(self.own_providers());
        names.sort();
        names.dedup();
        let summary = |name: &str| self.provider(name).map(|it| it.summary).unwrap_or_default();
        names.iter().map(|name| candidate(name, &summary(name))).collect()
    }

    /// The values of the filter that `--app` stands for, at the provider on the line.
    pub fn apps(&self, typed: &str) -> Vec<Candidate> {
        let filters = self.provider_on_line(typed).map(|it| it.api.filters).unwrap_or_default();
        let of_app = filters.into_iter().filter(|filter| filter.name == APP);
        of_app.filter_map(|it| Some(candidate(it.only_value?, &it.meaning))).collect()
    }

    fn own_providers(&self) -> Vec<String> {
        let folder = self.home.as_ref().and_then(|home| Folder::open(&home.providers()).ok()?);
        let files = folder.and_then(|folder| folder.names().ok()).unwrap_or_default();
        files.iter().filter_map(|file| file.strip_suffix(".toml").map(str::to_owned)).collect()
    }

    /// Scopes that can be asked for; in a list with commas the last one.
    pub fn scopes(&self, typed: &str) -> Vec<Candidate> {
        let Some(provider) = self.provider_on_line(typed) else {
            return Vec::new();
        };
        let before = typed.rfind(',').map_or("", |at| &typed[..=at]);
        let said = |scope: &&Scope| !before.split(',').any(|it| it == scope.name);
        provider
            .scope
            .iter()
            .filter(|scope| !scope.reserved)
            .filter(said)
            .map(|scope| candidate(format!("{before}{}", scope.name), &scope.grants))
            .collect()
    }

    /// `KEY=` of every setting, and `KEY=CHOICE` where there are choices.
    pub fn settings(&self, typed: &str) -> Vec<Candidate> {
        let Some(provider) = self.provider_on_line(typed) else {
            return Vec::new();
        };
        if let Some((key, value)) = typed.split_once('=') {
            return self.choices(&provider, key, value);
        }
        let of_profile = if self.is_profile_set() { &KEYS[..] } else { &[] };
        let own = provider.settings.iter();
        own.map(|(name, setting)| candidate(format!("{name}="), &setting.ask))
            .chain(of_profile.iter().map(|key| candidate(format!("{key}="), "")))
            .collect()
    }

    fn choices(&self, provider: &Provider, key: &str, value: &str) -> Vec<Candidate> {
        let with_key =
            |found: Candidate| Candidate { word: format!("{key}={}", found.word), ..found };
        let values: Vec<Candidate> = match (provider.settings.get(key), key) {
            (Some(setting), _) => setting.choices.iter().map(|it| candidate(it, "")).collect(),
            (None, "scopes") if self.is_profile_set() => self.scopes(value),
            (None, "store") if self.is_profile_set() => {
                StoreKind::ALL.iter().map(|kind| candidate(kind.name(), "")).collect()
            }
            (None, "flow") if self.is_profile_set() => {
                let flows = provider.flows.iter().filter_map(|flow| FlowChoice::of(*flow));
                flows.map(|flow| candidate(flow.name(), "")).collect()
            }
            (None, "dpop" | "userinfo") if self.is_profile_set() => {
                ["true", "false"].map(|it| candidate(it, "")).into()
            }
            _ => Vec::new(),
        };
        values.into_iter().map(with_key).collect()
    }

    fn is_profile_set(&self) -> bool {
        let mut words = self.words.iter().map(String::as_str);
        words.any(|word| word == "profile") && words.any(|word| word == "set")
    }

    /// A profile where none is typed yet, then a method, then a path of the scope table.
    pub fn words_of_call(&self, typed: &str) -> Vec<Candidate> {
        let others = self.others(typed);
        let method = others.iter().copied().find(|word| METHODS.contains(word));
        if let Some(recipe) = others.iter().find_map(|word| word.strip_prefix('@')) {
            return self.parameters(recipe, typed);
        }
        if others.iter().any(|word| word.starts_with('/')) {
            return Vec::new();
        }
        let mut found = Vec::new();
        if self.typed_profile(typed).is_none() && method.is_none() {
            found.extend(self.profiles());
        }
        let Some(provider) = self.provider_on_line(typed) else {
            return found;
        };
        if method.is_none() {
            let methods = METHODS.iter().filter(|method| **method == "GET" || !self.is_sync());
            found.extend(methods.map(|method| candidate(*method, "")));
            let recipes = provider.recipes.iter().filter(|_| !self.is_sync());
            found.extend(recipes.map(|it| candidate(format!("@{}", it.name), &it.does)));
        }
        // A list is read, whether that is said or not.
        let method = if self.is_sync() { Some("GET") } else { method };
        found.extend(paths(&provider, method));
        found
    }

    /// `NAME=` or `NAME:=` of every parameter that is not given yet.
    fn parameters(&self, recipe: &str, typed: &str) -> Vec<Candidate> {
        let provider = self.provider_on_line(typed);
        let found = provider.and_then(|it| it.recipes.into_iter().find(|it| it.name == recipe));
        let others = self.others(typed);
        let parameters = found.map(|recipe| recipe.parameters).unwrap_or_default().into_iter();
        let written = parameters.map(|it| match it.kind {
            ParameterKind::Text => (format!("{}=", it.name), it),
            ParameterKind::Number => (format!("{}:=", it.name), it),
        });
        let is_given = |start: &str| others.iter().any(|word| word.starts_with(start));
        written
            .filter(|(start, _)| !is_given(start))
            .map(|(start, it)| candidate(start, &it.does))
            .collect()
    }

    /// A list is read by its path alone.
    fn is_sync(&self) -> bool {
        self.words.iter().any(|word| word == "sync")
    }

    /// The words before and after the one that is being typed.
    fn others(&self, typed: &str) -> Vec<&str> {
        let current = self.words.iter().rposition(|word| word.ends_with(typed));
        let words = self.words.iter().enumerate().skip(1);
        words.filter(|(at, _)| Some(*at) != current).map(|(_, word)| word.as_str()).collect()
    }

    /// The first word that is a profile; else the first that could name a new one.
    fn typed_profile(&self, typed: &str) -> Option<String> {
        let profiles = self.profiles();
        let others = self.others(typed);
        let known = |word: &&&str| profiles.iter().any(|it| it.word == **word);
        others.iter().find(known).map(|word| (*word).to_owned())
    }

    /// The provider that the line is about: named, of its profile, or named like the profile.
    fn provider_on_line(&self, typed: &str) -> Option<Provider> {
        if let Some(name) = self.value_of("--provider") {
            return self.provider(&name);
        }
        let home = self.home.as_ref()?;
        let others = self.others(typed);
        let Some(profile) = self.typed_profile(typed) else {
            let like_a_provider = others.iter().find_map(|word| self.provider(word));
            return like_a_provider.or_else(|| self.provider_of(home, self.profile.as_ref()?));
        };
        self.provider_of(home, &profile)
    }

    fn provider_of(&self, home: &Home, profile: &str) -> Option<Provider> {
        let profile = Profiles::new(&home.configuration).find(profile).ok()??;
        self.provider(&profile.provider)
    }

    fn value_of(&self, flag: &str) -> Option<String> {
        let mut words = self.words.iter();
        while let Some(word) = words.next() {
            if word == flag {
                return words.next().cloned();
            }
            if let Some(value) = word.strip_prefix(flag).and_then(|rest| rest.strip_prefix('=')) {
                return Some(value.to_owned());
            }
        }
        None
    }

    /// A provider as commands find it; one that cannot be read has nothing to offer.
    fn provider(&self, name: &str) -> Option<Provider> {
        if is_path(name) {
            return name.ends_with(".toml").then(|| read_provider(Path::new(name)).ok())?;
        }
        if self.own_providers().iter().any(|own| own == name) {
            let file = self.home.as_ref()?.providers().join(format!("{name}.toml"));
            return read_provider(&file).ok();
        }
        catalogue::shipped(name)?.ok()
    }
}

/// Each path of the scope table once, with what its first scope grants.
fn paths(provider: &Provider, method: Option<&str>) -> Vec<Candidate> {
    let mut found: Vec<Candidate> = Vec::new();
    for scope in &provider.scope {
        if method.is_some_and(|method| !scope.methods.iter().any(|it| it == method)) {
            continue;
        }
        for endpoint in &scope.endpoints {
            if !found.iter().any(|it| it.word == *endpoint) {
                found.push(candidate(endpoint, &scope.grants));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::Profile;

    struct World(tempfile::TempDir);

    impl World {
        fn new() -> Self {
            let world = Self(tempfile::tempdir().unwrap());
            let profiles = Profiles::new(&Home::under(world.0.path()).configuration);
            for (name, provider) in [("shop", "inkress"), ("till", "merchantos")] {
                let profile = Profile { provider: provider.into(), ..Profile::default() };
                profiles.write(name, &profile).unwrap();
            }
            world
        }

        fn line(&self, text: &str) -> Line {
            Line {
                words: text.split(' ').map(str::to_owned).collect(),
                home: Some(Home::under(self.0.path())),
                profile: None,
            }
        }
    }

    fn words(candidates: Vec<Candidate>, typed: &str) -> Vec<String> {
        let words = candidates.into_iter().map(|it| it.word);
        words.filter(|word| word.starts_with(typed)).collect()
    }

    #[test]
    fn profiles_and_providers_are_known() {
        let world = World::new();
        let line = world.line("keyfob status ");
        assert_eq!(words(line.profiles(), ""), ["shop", "till"]);
        assert_eq!(words(line.providers(), "in"), ["inkress", "inventorum", "inyo"]);
    }

    #[test]
    fn scopes_are_those_of_the_provider_on_the_line() {
        let world = World::new();
        let lines = [
            "keyfob connect new --provider inkress --scope wal",
            "keyfob connect new --provider=inkress --scope wal",
            "keyfob connect shop --scope wal",
            "keyfob connect inkress --scope wal",
        ];
        for line in lines {
            assert_eq!(words(world.line(line).scopes("wal"), "wal"), ["wallet:read"], "{line}");
        }
        let more = world.line("keyfob connect shop --scope orders:read,ord");
        let typed = "orders:read,ord";
        assert_eq!(words(more.scopes(typed), typed), ["orders:read,orders:write"]);
        let reserved = world.line("keyfob connect shop --scope payments");
        assert_eq!(words(reserved.scopes("payments"), "payments"), [""; 0]);
    }

    #[test]
    fn settings_end_in_their_equals_sign_and_choices_are_whole() {
        let world = World::new();
        let set = world.line("keyfob profile set till to");
        assert_eq!(words(set.settings("to"), "to"), ["token_in="]);
        let set = world.line("keyfob profile set till token_in=");
        let choices = ["token_in=header", "token_in=query"];
        assert_eq!(words(set.settings("token_in="), "token_in="), choices);
        let own = world.line("keyfob profile set till st");
        assert_eq!(words(own.settings("st"), "st"), ["store="]);
        let connect = world.line("keyfob connect till --set st");
        assert_eq!(words(connect.settings("st"), "st"), [""; 0]);
        let scopes = world.line("keyfob profile set till scopes=employee:re");
        let typed = "scopes=employee:re";
        let both = ["scopes=employee:register", "scopes=employee:reports"];
        assert_eq!(words(scopes.settings(typed), typed), both);
    }

    #[test]
    fn a_call_goes_from_profile_to_method_to_path() {
        let world = World::new();
        assert_eq!(words(world.line("keyfob call ").words_of_call(""), ""), ["shop", "till"]);
        let method = words(world.line("keyfob call shop P").words_of_call("P"), "P");
        assert_eq!(method, ["POST", "PUT", "PATCH"]);
        let path = world.line("keyfob call shop GET /o");
        let orders = ["/orders", "/order_lines", "/order_details"];
        assert_eq!(words(path.words_of_call("/o"), "/o"), orders);
        let post = world.line("keyfob call shop POST /merchants");
        let wallet = ["/merchants/account/balances", "/merchants/account/contribution"];
        assert_eq!(words(post.words_of_call("/merchants"), "/merchants"), wallet);
        assert_eq!(
            words(world.line("keyfob call shop GET /orders a").words_of_call("a"), "a"),
            [""; 0]
        );
    }

    #[test]
    fn recipes_are_offered_with_their_parameters() {
        let world = World::new();
        let names = world.line("keyfob call shop @pay");
        assert_eq!(words(names.words_of_call("@pay"), "@pay"), ["@payout", "@payouts"]);
        let first = world.line("keyfob call shop @payout ");
        assert_eq!(words(first.words_of_call(""), ""), ["total:=", "currency_code="]);
        let second = world.line("keyfob call shop @payout total:=5 c");
        assert_eq!(words(second.words_of_call("c"), "c"), ["currency_code="]);
        let sync = world.line("keyfob sync shop @");
        assert_eq!(words(sync.words_of_call("@"), "@"), [""; 0]);
    }

    #[test]
    fn a_sync_is_offered_what_it_takes() {
        let world = World::new();
        let words_of = |line: &str| words(world.line(line).words_of_call(""), "");
        let offered = words_of("keyfob sync shop ");
        let no_read = |word: &&String| METHODS[1..].contains(&word.as_str());
        assert_eq!(offered.iter().find(no_read), None);
        assert!(offered.contains(&"GET".to_owned()) && offered.contains(&"/orders".to_owned()));
        assert!(words_of("keyfob call shop ").contains(&"POST".to_owned()));
        assert_eq!(words(world.line("keyfob sync shop /orders --app ").apps(""), ""), ["me"]);
        assert_eq!(words(world.line("keyfob sync till /Sale --app ").apps(""), ""), [""; 0]);
    }

    #[test]
    fn a_line_without_a_home_offers_what_is_shipped() {
        let line = Line { words: vec!["keyfob".into()], home: None, profile: None };
        assert!(line.profiles().is_empty());
        assert_eq!(line.providers().len(), catalogue::SHIPPED.len());
    }
}
