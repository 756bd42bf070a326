//! A person whose answers are written down beforehand.

use std::collections::VecDeque;
use std::io;
use std::sync::Mutex;

use keyfob::secret::Secret;
use keyfob::system::Person;

/// Answers in order, and remembers what was asked; has gone away when the answers are used up.
#[derive(Default)]
pub struct Script {
    answers: Mutex<VecDeque<String>>,
    asked: Mutex<Vec<String>>,
}

impl Script {
    /// A person who will answer this.
    pub fn answering(answers: &[&str]) -> Self {
        let answers = answers.iter().map(|it| (*it).to_owned()).collect();
        Self { answers: Mutex::new(answers), asked: Mutex::default() }
    }

    /// The questions so far.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

impl Person for Script {
    fn ask(&self, question: &str) -> io::Result<String> {
        self.asked.lock().unwrap().push(question.to_owned());
        let answer = self.answers.lock().unwrap().pop_front();
        answer.ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
    }

    fn ask_secret(&self, question: &str) -> io::Result<Secret> {
        self.ask(question).map(Secret::new)
    }
}
