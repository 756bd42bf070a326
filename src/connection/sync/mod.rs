//! Reconciliation: every record of a list that changed since the last complete run, each once.
//!
//! The run is told here; what is printed where, and in which words, is not. The cursor moves in
//! one place, [`Reconciliation::complete`], and only for whoever has handed every record over.

pub mod cursor;
pub mod more;
mod order;
mod progress;
pub mod records;

use std::time::Duration;

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use url::Url;

use super::call::{Manner, Refused};
use super::entry::Entry;
use super::pages::{Page, PageWalk, PagesError};
use super::{Connection, FreshError};
use crate::http::HeaderMap;
use crate::provider::schema::{Api, PageStyle, Sync};
use crate::resource_server::ApiRequest;
use crate::resource_server::pages::End;
use crate::store::StoreError;
use crate::store::lock::Lock;
use cursor::{Account, Cursor, CursorError, Place};
use more::{Come, Sign};
use order::{COMPARED, Order};
use progress::{Progress, whole_second};
use records::{NoRecords, Record, records};

/// How far this machine's clock is trusted where an answer has none, in seconds.
const OWN_CLOCK_MARGIN: i64 = 300;

/// How often a list that can shift is walked at most, until two walks in a row agree.
const MOST_WALKS: u32 = 5;

/// Why a run did not come to its end; the cursor is where it was.
#[derive(Debug)]
pub enum SyncError {
    /// What is kept of the connection cannot be read.
    Fresh(FreshError),
    /// The cursor cannot be read or written.
    Cursor(CursorError),
    /// The cursor was made of another account.
    OtherAccount {
        /// Whose it is.
        was: Account,
        /// Whom the connection belongs to now.
        is: Account,
    },
    /// The cursor was made with another query.
    OtherQuery {
        /// What it was made with.
        was: Vec<(String, String)>,
    },
    /// There is no next page, though there should be.
    Pages(PagesError),
    /// The API refused a page.
    Refused(Box<Refused>),
    /// The API answered with something else than a page.
    NoPage {
        /// The status.
        status: u16,
    },
    /// A page has no records where they should be.
    NoRecords(NoRecords),
    /// The answer says that there is more, and nobody says where.
    More(Sign),
    /// Nobody says whether there is more.
    NothingSays,
    /// The list shifted in every walk.
    Shifting {
        /// How often it was walked.
        walks: u32,
    },
    /// The list may have shifted, and there are too many records to find out.
    TooLong {
        /// How many can be compared.
        records: usize,
    },
}

impl From<CursorError> for SyncError {
    fn from(error: CursorError) -> Self {
        Self::Cursor(error)
    }
}

impl From<StoreError> for SyncError {
    fn from(error: StoreError) -> Self {
        Self::Cursor(error.into())
    }
}

/// One run, with its cursor to itself.
pub struct Reconciliation<'c> {
    connection: &'c Connection<'c>,
    words: &'c Sync,
    lock: Lock,
    place: Place,
    cursor: Cursor,
    before: Option<Timestamp>,
    from: Option<Timestamp>,
    is_given: bool,
    leaves_gap: bool,
}

/// What a run has come to.
struct Run {
    progress: Progress,
    began: Timestamp,
    started: Option<Timestamp>,
    records: u64,
}

impl Run {
    /// The records that were not handed over before, a line each.
    fn new_lines(&mut self, records: &[Record], before: Option<&Order>) -> String {
        let mut lines = String::new();
        for record in records {
            // One that does not say which it is was handed over if the walk before met that text.
            let is_known = record.mark.is_none() && before.is_some_and(|it| it.has(record));
            if !is_known && self.progress.is_new(record) {
                lines.push_str(&record.line);
                lines.push('\n');
                self.records += 1;
            }
        }
        lines
    }

    fn whole(self) -> Whole {
        let started = self.started.unwrap_or(self.began);
        Whole { progress: self.progress, started, records: self.records }
    }
}

/// Every record was read.
pub struct Whole {
    progress: Progress,
    started: Timestamp,
    /// How many were handed over.
    pub records: u64,
}

/// Where the cursor is now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moved {
    /// Where it was.
    pub from: Option<Timestamp>,
    /// Where it is.
    pub to: Option<Timestamp>,
    /// Whether it stays because this run began behind it.
    pub held_back: bool,
}

impl<'c> Reconciliation<'c> {
    /// Takes the cursor's lock at once or not at all, and finds out where to begin; `given` is a person's own time.
    pub async fn begin(
        connection: &'c Connection<'c>,
        words: &'c Sync,
        place: Place,
        query: Vec<(String, String)>,
        entry: &Entry,
        given: Option<Timestamp>,
    ) -> Result<Self, SyncError> {
        let clock = &*connection.system.clock;
        let path = place.lock_path()?;
        let lock = Lock::take(&path, Duration::ZERO, clock, |_| {}).await;
        let lock = lock.map_err(CursorError::Lock)?;
        let account = connection.account(entry);
        let kept = match (place.read(), given) {
            // A time of one's own begins anew where there is nothing to go on from.
            (Err(CursorError::Damaged { .. }), Some(_)) => None,
            (read, _) => read?,
        };
        let kept = match kept {
            Some(kept) if kept.account != account && given.is_none() => {
                return Err(SyncError::OtherAccount { was: kept.account, is: account });
            }
            Some(kept) if kept.account != account => None,
            Some(kept) if kept.query != query => {
                return Err(SyncError::OtherQuery { was: kept.query });
            }
            kept => kept,
        };
        let cursor = kept.unwrap_or_else(|| Cursor::new(&place, query, account));
        let before = cursor.since;
        let leaves_gap = matches!((before, given), (Some(before), Some(given)) if given > before);
        let from = given.or(before);
        let is_given = given.is_some();
        Ok(Self { connection, words, lock, place, cursor, before, from, is_given, leaves_gap })
    }

    /// Asks in an address for what changed since the beginning of this run; for everything where there is none.
    pub fn ask(&self, url: &mut Url) {
        if let Some(from) = self.from {
            let from = whole_second(from).to_string();
            url.query_pairs_mut().append_pair(&self.words.parameter, &from);
        }
    }

    /// Reads page after page and hands every new record over, a line each; `None` where nobody takes them any more.
    pub async fn read(
        &self,
        entry: Entry,
        request: ApiRequest,
        manner: Manner,
        mut hand_over: impl AsyncFnMut(Bytes) -> bool,
    ) -> Result<Option<Whole>, SyncError> {
        let mut walk = PageWalk::begin(self.connection, entry, request, manner)
            .map_err(|error| SyncError::Pages(PagesError::Page(error)))?;
        let mut run = Run {
            progress: Progress::after(self.handed_over()),
            began: self.connection.system.clock.now(),
            started: None,
            records: 0,
        };
        let mut before: Option<Order> = None;
        for _ in 0..MOST_WALKS {
            let order = self.walk(&mut walk, &mut run, before.as_ref(), &mut hand_over).await?;
            let Some(order) = order else { return Ok(None) };
            if !can_have_shifted(&walk) || before.is_some_and(|it| it.is_confirmed_by(&order)) {
                return Ok(Some(run.whole()));
            }
            if order.is_too_long() {
                return Err(SyncError::TooLong { records: COMPARED });
            }
            before = Some(order);
            walk.again();
        }
        Err(SyncError::Shifting { walks: MOST_WALKS })
    }

    /// Reads the list from its beginning to its end; `None` where nobody takes the records any more.
    async fn walk(
        &self,
        walk: &mut PageWalk<'_>,
        run: &mut Run,
        before: Option<&Order>,
        hand_over: &mut impl AsyncFnMut(Bytes) -> bool,
    ) -> Result<Option<Order>, SyncError> {
        let path = list_path(&self.connection.provider.api);
        let (mut order, mut come) = (Order::default(), 0);
        while let Some(page) = walk.next().await.map_err(SyncError::Pages)? {
            let page = good(page)?;
            let answered = self.connection.system.clock.now();
            let start = || server_start(&page.headers, run.began, answered);
            let started = *run.started.get_or_insert_with(start);
            let records = records(&page.body, &path, self.words).map_err(SyncError::NoRecords)?;
            records.iter().for_each(|record| order.note(record, started));
            let lines = run.new_lines(&records, before);
            if !lines.is_empty() && !hand_over(Bytes::from(lines)).await {
                return Ok(None);
            }
            come += records.len() as u64;
            if walk.ended() == Some(End::NothingSays) {
                self.check_end(&page, Come { records: come, pages: walk.read() })?;
            }
        }
        Ok(Some(order))
    }

    /// Checks an end that is one only because neither file nor header says anything: silence is no proof.
    fn check_end(&self, page: &Page, come: Come) -> Result<(), SyncError> {
        match more::sign(&page.headers, &page.body, come) {
            Some(sign) => Err(SyncError::More(sign)),
            None if self.words.whole || come.pages > 1 || come.records == 0 => Ok(()),
            None => Err(SyncError::NothingSays),
        }
    }

    /// Marks of what need not come out again; a person's own time asks for everything since.
    fn handed_over(&self) -> &[String] {
        if self.is_given { &[] } else { &self.cursor.seen }
    }

    /// Moves the cursor: to be called once everything is written and flushed.
    pub fn complete(mut self, whole: &Whole) -> Result<Moved, SyncError> {
        let from = self.before;
        if self.leaves_gap {
            return Ok(Moved { from, to: from, held_back: true });
        }
        // A person's time in the future must not keep what happens before it from ever being read.
        let begin = from.or(self.from.map(|given| given.min(whole.started)));
        let to = whole.progress.next_since(begin, whole.started, self.words.overlap);
        self.cursor.since = to;
        self.cursor.seen = whole.progress.marks_since(to);
        self.cursor.completed_at = self.connection.system.clock.now();
        self.place.write(&self.lock, &self.cursor)?;
        Ok(Moved { from, to, held_back: false })
    }
}

impl Connection<'_> {
    /// What tells this account from another one: the API's address, chosen settings, and what came with the tokens.
    fn account(&self, entry: &Entry) -> Account {
        let mut account: Account =
            entry.tokens.as_ref().map(|tokens| self.identity(tokens)).unwrap_or_default();
        let values = self.call_values(entry);
        if let Ok(base) = values.render_url(&self.provider.api.base_url) {
            account.insert("api".into(), base.into());
        }
        let chosen = self.provider.settings.iter().filter(|(_, setting)| setting.list.is_some());
        account
            .extend(chosen.filter_map(|(name, _)| Some((name.clone(), values.get(name)?.into()))));
        account
    }
}

fn good(page: Page) -> Result<Page, SyncError> {
    match (page.is_good(), page.refusal) {
        (true, _) => Ok(Page { refusal: None, ..page }),
        (false, Some(refused)) => Err(SyncError::Refused(Box::new(refused))),
        (false, None) => Err(SyncError::NoPage { status: page.status }),
    }
}

/// Whether a list came in several answers and is cut by counting, so that a record can slip over an edge between two.
fn can_have_shifted(walk: &PageWalk<'_>) -> bool {
    let style = walk.pages().map(|pages| pages.style);
    let counts = matches!(style, Some(PageStyle::PageNumber | PageStyle::Offset));
    counts && (walk.read() > 1 || walk.ended() == Some(End::PastTheLast))
}

/// Where the records of a list are.
fn list_path(api: &Api) -> String {
    let in_pages = api.pages.as_ref().map(|pages| pages.items.as_str()).unwrap_or_default();
    match &api.envelope {
        _ if !in_pages.is_empty() => in_pages.to_owned(),
        Some(envelope) if envelope.list.is_empty() => envelope.result.clone(),
        Some(envelope) => format!("{}.{}", envelope.result, envelope.list),
        None => String::new(),
    }
}

/// When the run began by the vendor's clock; by this machine's, less a margin, where the answer has none.
fn server_start(headers: &HeaderMap, began: Timestamp, answered: Timestamp) -> Timestamp {
    let date = headers.get("date").and_then(|date| date.to_str().ok());
    let date = date.and_then(|date| httpdate::parse_http_date(date).ok());
    let date = date.and_then(|date| Timestamp::try_from(date).ok());
    let (end, back) = match date {
        Some(date) => (date, answered.duration_since(began).max(SignedDuration::ZERO)),
        None => (began, SignedDuration::from_secs(OWN_CLOCK_MARGIN)),
    };
    end.checked_sub(back).unwrap_or(Timestamp::MIN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_began_when_the_servers_clock_says_less_what_the_answer_took() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let mut headers = HeaderMap::new();
        assert_eq!(server_start(&headers, at(1000), at(1040)), at(700), "no clock in the answer");
        headers.insert("date", "soon".parse().unwrap());
        assert_eq!(server_start(&headers, at(1000), at(1040)), at(700));
        headers.insert("date", "Thu, 01 Jan 1970 10:00:00 GMT".parse().unwrap());
        assert_eq!(server_start(&headers, at(1000), at(1040)), at(36_000 - 40));
        assert_eq!(server_start(&headers, at(1000), at(900)), at(36_000), "set back meanwhile");
    }
}
