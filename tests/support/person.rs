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
    whenever_asked: Mutex<Option<Box<dyn Fn() + Send>>>,
}

impl Script {
    /// A person who will answer this.
    pub fn answering(answers: &[&str]) -> Self {
        let answers = answers.iter().map(|it| (*it).to_owned()).collect();
        Self { answers: Mutex::new(answers), ..Self::default() }
    }

    /// Does this whenever the person is asked.
    pub fn whenever_asked(&self, act: impl Fn() + Send + 'static) {
        *self.whenever_asked.lock().unwrap() = Some(Box::new(act));
    }

    /// The questions so far.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

impl Person for Script {
    fn ask(&self, question: &str) -> io::Result<String> {
        self.asked.lock().unwrap().push(question.to_owned());
        if let Some(act) = &*self.whenever_asked.lock().unwrap() {
            act();
        }
        let answer = self.answers.lock().unwrap().pop_front();
        answer.ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
    }

    fn ask_secret(&self, question: &str) -> io::Result<Secret> {
        self.ask(question).map(Secret::new)
    }
}
