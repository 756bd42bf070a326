//! A list read page by page, each page with a token that is good then.

use url::Url;

use super::Connection;
use super::call::{CallError, Called, Manner, Refused};
use super::entry::Entry;
use super::share::Share;
use crate::http::{HeaderMap, HttpError};
use crate::provider::Values;
use crate::provider::schema::Pages;
use crate::resource_server::pages::{
    self, Astray, End, Next, PageError, Read, Trail, ends_with_not_found,
};
use crate::resource_server::{ApiRequest, Target};

/// The largest page that is taken into memory, in bytes.
pub const LARGEST_PAGE: usize = 64 << 20;

/// One page, whole.
pub struct Page {
    /// The status.
    pub status: u16,
    /// As received.
    pub headers: HeaderMap,
    /// As received; an encoding was undone.
    pub body: Vec<u8>,
    /// What a refusal means.
    pub refusal: Option<Refused>,
}

impl Page {
    /// Reads an answer to its end.
    pub async fn of(called: Called) -> Result<Self, HttpError> {
        let Called { mut answer, refusal } = called;
        let (status, headers) = (answer.status, std::mem::take(&mut answer.headers));
        let body = answer.whole(LARGEST_PAGE).await?;
        Ok(Self { status, headers, body, refusal })
    }

    /// Whether the API did what was asked.
    pub fn is_good(&self) -> bool {
        self.refusal.is_none() && self.status < 300
    }
}

/// Why the next page cannot be had.
#[derive(Debug)]
pub enum PagesError {
    /// No answer.
    Call(CallError),
    /// The page broke off, or is too large.
    Body(HttpError),
    /// The page before says nothing that can be followed.
    Page(PageError),
    /// The server leads in a circle, or has no end.
    Astray(Astray),
}

/// What comes next.
enum State {
    /// A page that the request asks for.
    Ahead,
    /// Nothing: the page before was good, but leads nowhere.
    Broken(PagesError),
    /// Nothing.
    Over,
}

/// A list on its way.
pub struct PageWalk<'c> {
    connection: &'c Connection<'c>,
    /// One token for all pages.
    share: Share<'c>,
    request: ApiRequest,
    /// Where the list begins.
    first: Target,
    manner: Manner,
    values: Values,
    trail: Trail,
    state: State,
    read: u64,
    ended: Option<End>,
}

impl<'c> PageWalk<'c> {
    /// Begins at the page that a request asks for, or at the first; nothing is sent yet.
    pub fn begin(
        connection: &'c Connection<'c>,
        entry: Entry,
        mut request: ApiRequest,
        manner: Manner,
    ) -> Result<Self, PageError> {
        let values = connection.call_values(&entry);
        pages::begin(connection.provider.api.pages.as_ref(), &mut request.target.url)?;
        Ok(Self {
            connection,
            trail: Trail::from(&request.target.url),
            first: request.target.clone(),
            request,
            manner,
            values,
            share: Share::new(connection, entry, false),
            state: State::Ahead,
            read: 0,
            ended: None,
        })
    }

    /// The next page; `None` after the last. A refused page is the last one.
    pub async fn next(&mut self) -> Result<Option<Page>, PagesError> {
        match std::mem::replace(&mut self.state, State::Over) {
            State::Ahead => {}
            State::Broken(error) => return Err(error),
            State::Over => return Ok(None),
        }
        let called = self.share.call(&mut self.request, self.manner).await;
        let called = called.map_err(PagesError::Call)?;
        if called.answer.status == 404 && self.read > 0 && ends_with_not_found(self.pages()) {
            self.ended = Some(End::PastTheLast);
            return Ok(None);
        }
        let page = Page::of(called).await.map_err(PagesError::Body)?;
        match page.is_good() {
            true => self.after(page),
            false => Ok(Some(page)),
        }
    }

    /// Goes back to where the list begins.
    pub fn again(&mut self) {
        self.request.target = self.first.clone();
        self.trail = Trail::from(&self.first.url);
        (self.state, self.read, self.ended) = (State::Ahead, 0, None);
    }

    /// Where the next page is asked for; `None` where there is none, or nobody says where it is.
    pub fn ahead(&self) -> Option<&Url> {
        matches!(self.state, State::Ahead).then_some(&self.request.target.url)
    }

    /// Why the list ended, once it has.
    pub fn ended(&self) -> Option<End> {
        self.ended
    }

    /// Good pages that were read since the beginning, with the empty one after the last.
    pub fn read(&self) -> u64 {
        self.read
    }

    /// How the provider cuts lists, where its file says so.
    pub fn pages(&self) -> Option<&Pages> {
        self.connection.provider.api.pages.as_ref()
    }

    /// Takes a good page, and finds out where the list goes on; the page is given away before it is told that it does not.
    fn after(&mut self, page: Page) -> Result<Option<Page>, PagesError> {
        let provider = &self.connection.provider;
        let url = &self.request.target.url;
        let read = Read { url, headers: &page.headers, body: &page.body };
        let finding = pages::next(&provider.api, &provider.settings, &self.values, &read);
        let records = finding.as_ref().ok().and_then(|finding| finding.records);
        self.trail.page(&page.body, records).map_err(PagesError::Astray)?;
        self.read += 1;
        match finding.map(|finding| finding.next) {
            Ok(Next::At(target)) => match self.trail.step(&target.url) {
                Ok(()) => {
                    self.request.target = *target;
                    self.state = State::Ahead;
                }
                Err(astray) => self.state = State::Broken(PagesError::Astray(astray)),
            },
            Ok(Next::End(end)) => {
                self.ended = Some(end);
                // The empty page after the last one is a sign and no page.
                if end == End::Empty && self.read > 1 {
                    return Ok(None);
                }
            }
            Err(error) => self.state = State::Broken(PagesError::Page(error)),
        }
        Ok(Some(page))
    }
}
