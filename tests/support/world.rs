//! One home and all that is around it; commands run in it one after the other.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use keyfob::system::real::ClientOptions;
use keyfob::system::signals::Never;
use keyfob::system::{
    Critical, CriticalPart, Environment, Home, Interruption, Person, System, Terminals,
};
use serde_json::Value;

use super::browser::{Behaviour, Walking};
use super::clock::HandClock;
use super::person::Script;
use super::random::Sequence;
use super::shelf::{Shelf, Trouble};
use super::streams::Captured;

/// A home in a temporary folder.
pub struct World {
    /// Everything keyfob writes is below it.
    pub folder: tempfile::TempDir,
    /// Moved by hand.
    pub clock: Arc<HandClock>,
    /// The program's randomness.
    pub random: Arc<Sequence>,
    /// Where entries are.
    pub shelf: Shelf,
    /// What the next runs see.
    pub environment: BTreeMap<String, String>,
    /// What the next runs start.
    pub browser: Arc<Walking>,
    /// Who the next runs can ask.
    pub person: Option<Arc<Script>>,
    /// What the next run reads; used once.
    pub stdin: RefCell<Vec<u8>>,
    /// The file that the next run's product goes to; used once.
    pub stdout_file: RefCell<Option<std::fs::File>>,
    /// Which streams of the next runs are terminals.
    pub terminals: Terminals,
    /// What ends the next runs early.
    pub interruption: Arc<dyn Interruption>,
}

/// What became of a command.
#[derive(Debug)]
pub struct Ran {
    /// The exit code.
    pub exit: u8,
    /// The product.
    pub stdout: String,
    /// For people.
    pub stderr: String,
}

impl World {
    /// A home that is empty, with a keychain that works and a browser in which the person allows.
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::under(&folder.path().join("home"));
        let random = Arc::new(Sequence::of_this_test());
        let shelf = Shelf::new(
            home,
            Some("a store key of forty characters, or so..".into()),
            random.clone(),
        );
        Self {
            folder,
            clock: Arc::new(HandClock::new()),
            random,
            shelf,
            environment: BTreeMap::from([(
                "BROWSER".to_owned(),
                "a-browser-of-the-test".to_owned(),
            )]),
            browser: Arc::new(Walking::new(Behaviour::Allows)),
            person: None,
            stdin: RefCell::default(),
            stdout_file: RefCell::default(),
            terminals: Terminals::default(),
            interruption: Arc::new(Never),
        }
    }

    /// Puts another person before the browser.
    pub fn browser(&mut self, behaviour: Behaviour) {
        self.browser = Arc::new(Walking::new(behaviour));
    }

    /// Seats a person at the terminal.
    pub fn seat(&mut self, answers: &[&str]) {
        self.person = Some(Arc::new(Script::answering(answers)));
        self.terminals = Terminals { stdin: true, stderr: true, ..Terminals::default() };
    }

    /// Sets a variable for the next runs.
    pub fn set(&mut self, name: &str, value: &str) {
        self.environment.insert(name.into(), value.into());
    }

    /// Lets the store refuse from now on.
    pub fn trouble(&self, trouble: Trouble) {
        self.shelf.trouble(trouble);
    }

    /// Lets time pass.
    pub fn pass(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    /// Where keyfob keeps its files.
    pub fn home(&self) -> Home {
        Home::under(&self.folder.path().join("home"))
    }

    /// A folder for the test's own files.
    pub fn own_file(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    /// Runs a command to its end.
    pub fn run<'a>(&self, arguments: impl IntoIterator<Item = &'a str>) -> Ran {
        let (stdout, stderr) = (Captured::default(), Captured::default());
        let exit = self.run_into(arguments, Box::new(stdout.clone()), stderr.clone());
        Ran { exit, stdout: stdout.text(), stderr: stderr.text() }
    }

    /// The same with a line as typed; only blanks part the words.
    pub fn line(&self, line: &str) -> Ran {
        self.run(line.split_whitespace())
    }

    /// Runs a command that writes its product elsewhere.
    pub fn run_into<'a>(
        &self,
        arguments: impl IntoIterator<Item = &'a str>,
        stdout: Box<dyn std::io::Write + Send>,
        stderr: Captured,
    ) -> u8 {
        super::ports::settle();
        let mut system = self.system(stdout, stderr);
        let arguments = std::iter::once("keyfob").chain(arguments).map(Into::into).collect();
        keyfob::cli::run(arguments, &mut system)
    }

    fn system(&self, stdout: Box<dyn std::io::Write + Send>, stderr: Captured) -> System {
        let stdin = std::mem::take(&mut *self.stdin.borrow_mut());
        System {
            clock: self.clock.clone(),
            random: self.random.clone(),
            browser: self.browser.clone(),
            stores: Box::new(self.shelf.clone()),
            person: self.person.clone().map(|it| it as Arc<dyn Person>),
            environment: Environment::new(self.environment.clone()),
            home: self.home(),
            stdin: RefCell::new(Box::new(Cursor::new(stdin))),
            stdout: RefCell::new(stdout),
            stdout_file: self.stdout_file.borrow_mut().take(),
            stderr: RefCell::new(Box::new(stderr)),
            terminals: self.terminals,
            critical_part: CriticalPart::ThisProcess,
            critical: Critical::default(),
            client_options: ClientOptions::default(),
            interruption: self.interruption.clone(),
            in_container: false,
        }
    }

    /// The status object of a profile.
    pub fn status(&self, profile: &str) -> Value {
        let ran = self.run(["status", profile, "--json"]).ok();
        ran.json()["profiles"][0].clone()
    }

    /// The state of a profile.
    pub fn state(&self, profile: &str) -> String {
        self.status(profile)["state"].as_str().unwrap().to_owned()
    }

    /// Every file below the home, with what is in it.
    pub fn files(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut files = BTreeMap::new();
        collect(&self.folder.path().join("home"), &mut files);
        files
    }
}

fn collect(folder: &Path, files: &mut BTreeMap<PathBuf, Vec<u8>>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => collect(&path, files),
            false => drop(files.insert(path.clone(), std::fs::read(&path).unwrap())),
        }
    }
}

impl Ran {
    /// Passes on a success.
    #[track_caller]
    pub fn ok(self) -> Self {
        self.exits(0)
    }

    /// Passes on a command that ended so.
    #[track_caller]
    pub fn exits(self, exit: u8) -> Self {
        assert_eq!(self.exit, exit, "stdout: {}\nstderr: {}", self.stdout, self.stderr);
        self
    }

    /// Passes on a command that told this to people.
    #[track_caller]
    pub fn says(self, text: &str) -> Self {
        assert!(self.stderr.contains(text), "not said: {text}\nstderr: {}", self.stderr);
        self
    }

    /// Passes on a command that wrote nothing on standard output.
    #[track_caller]
    pub fn without_product(self) -> Self {
        assert_eq!(self.stdout, "", "stderr: {}", self.stderr);
        self
    }

    /// The document on standard output.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("{error}: {}\n{}", self.stdout, self.stderr))
    }

    /// The document on standard error, and nothing beside it.
    #[track_caller]
    pub fn failure(&self) -> Value {
        let document: Value = serde_json::from_str(&self.stderr)
            .unwrap_or_else(|error| panic!("{error}: {}\n{}", self.stderr, self.stdout));
        document["error"].clone()
    }
}
