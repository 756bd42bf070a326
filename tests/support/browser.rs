//! Browsers: one in which a scripted person decides, and one that must stay closed.

use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use keyfob::sandbox::walk::{Decision, Page, WalkError, in_thread, open};
use keyfob::user_agent::browser::{Browser, BrowserError};
use url::Url;

type Walk = JoinHandle<Result<Page, WalkError>>;

/// Makes requests from an authorization URL.
type Strays = Arc<dyn Fn(&Url) -> Vec<String> + Send + Sync>;

/// What the person does with the page.
#[derive(Clone)]
pub enum Behaviour {
    /// Allows.
    Allows,
    /// Denies.
    Denies,
    /// Must never see one.
    MustStayClosed,
    /// Looks at it and does nothing.
    Forgets,
    /// Sends something else to the redirect URI first, made from the authorization URL; then allows.
    Stray(Strays),
    /// Cannot be started.
    Broken,
}

impl Behaviour {
    /// Sends what this makes to the redirect URI first.
    pub fn stray(strays: impl Fn(&Url) -> Vec<String> + Send + Sync + 'static) -> Self {
        Self::Stray(Arc::new(strays))
    }
}

/// Walks in a thread of its own, and remembers.
pub struct Walking {
    behaviour: Behaviour,
    desktop: bool,
    opened: Mutex<Vec<String>>,
    walks: Mutex<Vec<Walk>>,
    strays: Mutex<Vec<JoinHandle<Vec<Option<u16>>>>>,
}

impl Walking {
    /// A browser with such a person before it.
    pub fn new(behaviour: Behaviour) -> Self {
        Self {
            behaviour,
            desktop: false,
            opened: Mutex::default(),
            walks: Mutex::default(),
            strays: Mutex::default(),
        }
    }

    /// The desktop's own browser, which nobody named in `BROWSER`.
    pub fn of_the_desktop(behaviour: Behaviour) -> Self {
        Self { desktop: true, ..Self::new(behaviour) }
    }

    /// The addresses it was started on.
    pub fn opened(&self) -> Vec<String> {
        self.opened.lock().unwrap().clone()
    }

    /// The pages that the person ended on.
    pub fn pages(&self) -> Vec<Page> {
        let walks = std::mem::take(&mut *self.walks.lock().unwrap());
        walks
            .into_iter()
            .map(|walk| walk.join().unwrap().expect("the walk ends on a page"))
            .collect()
    }

    /// What the strays were answered.
    pub fn stray_answers(&self) -> Vec<Option<u16>> {
        let strays = std::mem::take(&mut *self.strays.lock().unwrap());
        strays.into_iter().flat_map(|stray| stray.join().unwrap()).collect()
    }
}

impl Browser for Walking {
    fn open(&self, url: &Url) -> Result<(), BrowserError> {
        self.opened.lock().unwrap().push(url.to_string());
        let walk = |decision| self.walks.lock().unwrap().push(in_thread(url.as_str(), decision));
        match &self.behaviour {
            Behaviour::Allows => walk(Decision::Allow),
            Behaviour::Denies => walk(Decision::Deny),
            Behaviour::MustStayClosed => panic!("a browser was started on {url}"),
            Behaviour::Forgets => {}
            Behaviour::Broken => return Err(BrowserError::Disabled),
            Behaviour::Stray(strays) => {
                let (strays, url) = (strays.clone(), url.clone());
                // Made there too, for they may need somebody who listens already.
                let first = std::thread::spawn(move || {
                    let answers = strays(&url)
                        .iter()
                        .map(|it| open(it).ok().and_then(|page| page.status))
                        .collect();
                    in_thread(url.as_str(), Decision::Allow)
                        .join()
                        .unwrap()
                        .expect("the walk ends");
                    answers
                });
                self.strays.lock().unwrap().push(first);
            }
        }
        Ok(())
    }

    fn goes_by_start_page(&self) -> bool {
        self.desktop
    }
}
