//! `call --batch`: many calls with one token and one pool of connections, answers in order.
//!
//! Memory is bounded: so many calls at once, so many answers that wait for an earlier one, so
//! much that waits for the reader. Where any of it is full, no further line is read.

mod answer_line;
mod desk;
mod farewell;
mod flags;
mod lines;
mod one;
mod progress;
mod queue;
mod request_line;
mod sink;

use std::cell::Cell;
use std::path::Path;
use std::time::Duration;

use futures_util::stream::FuturesUnordered;
use tokio::sync::Notify;

pub use flags::Many;

use super::super::args::Call;
use super::super::context::Context;
use super::super::report::{self, Exit, Report, Situation};
use super::delivery::output_target;
use super::output_file::OutputFile;
use super::{scopes, with_settings};
use crate::connection::Connection;
use crate::connection::share::{Halt, Share};
use crate::resource_server::Base;
use crate::store::StoreKind;
use desk::Desk;
use farewell::{Tale, go_on, redo, unreadable};
use lines::{Lines, Source};
use one::Calls;
use progress::Progress;
use queue::Done;
use sink::{Flow, Sink};

/// How long the requests that were sent may take once the person wants an end.
const GRACE: Duration = Duration::from_secs(30);

/// How long the reader may take where the person asked twice.
const HURRY: Duration = Duration::from_millis(500);
/// How much of a file is counted to say how many requests there are, in bytes.
const COUNTED: u64 = 1 << 30;

/// Makes the calls of a file.
pub fn run(context: &Context<'_>, args: &Call, file: &Path) -> Result<Exit, Report> {
    let profile = profile(args)?;
    let chosen = with_settings(context.chosen(profile)?, &args.settings)?;
    let about = chosen.situation(context.system);
    let source = source(context, file)?;
    // A place that cannot be written is known before anything is sent.
    let target = output_target(args)?;
    let progress = Progress::new(context, source.length);
    let beside = |tell: &dyn Fn()| progress.beside(tell);
    let ended = context.with_connection_beside(chosen, &beside, |connection| {
        let batch = Batch { context, args, file, connection, about: &about, progress: &progress };
        batch.run(source, target)
    });
    progress.end();
    ended
}

fn profile(args: &Call) -> Result<Option<&str>, Report> {
    match args.words.as_slice() {
        [] => Ok(None),
        [profile] if !profile.starts_with('/') && !profile.contains("://") => {
            Ok(Some(profile.as_str()))
        }
        _ => Err(Report::usage("with --batch, method, path and items stand in the lines")
            .hint("name the profile alone")
            .next("keyfob call shop --batch requests.jsonl")),
    }
}

fn source(context: &Context<'_>, file: &Path) -> Result<Source, Report> {
    match file.as_os_str() == "-" {
        true => Ok(Source::stream(context.system.stdin.replace(Box::new(std::io::empty())))),
        false => Source::file(file).map_err(|error| unreadable(file, &error)),
    }
}

/// One run.
struct Batch<'b> {
    context: &'b Context<'b>,
    args: &'b Call,
    file: &'b Path,
    connection: &'b Connection<'b>,
    about: &'b Situation,
    progress: &'b Progress,
}

impl Batch<'_> {
    fn run(&self, source: Source, target: Option<OutputFile>) -> Result<Exit, Report> {
        let (connection, args) = (self.connection, self.args);
        let fresh = |error: &_| report::fresh(error, &connection.provider, self.about);
        let entry = connection.entry().map_err(|error| fresh(&error))?;
        let values = connection.call_values(&entry);
        let base = Base::of(&connection.provider.api, &values);
        let base = base.map_err(|error| report::request(&error.into(), self.about))?;
        let scopes = scopes(&entry);
        let countable = source.length.is_some_and(|length| length <= COUNTED);
        let share = Share::new(connection, entry, true);
        let manner = args.attempts.manner(args.force);
        // Before anything is read, so that a batch without a token is a command that failed.
        self.context.wait(share.good())?.map_err(|error| fresh(&error))?;
        self.context.system.run_hearing(async {
            let lines = Lines::of(source).map_err(|error| unreadable(self.file, &error))?;
            let desk = Desk::new(lines);
            let calls = Calls {
                desk: &desk,
                connection,
                share: &share,
                manner,
                base: &base,
                values: &values,
                scopes: &scopes,
                about: self.about,
                given_up: Cell::new(false),
                giving_up: Notify::new(),
            };
            let mut work = Work::new(self, &calls, target);
            let ended = work.go_through().await;
            work.close(ended, countable).await
        })
    }

    /// The command that makes failed calls again, under their keys where they had any.
    fn redo(&self, keyed: bool) -> String {
        let Self { args, file, about, connection, .. } = self;
        let idempotency = connection.provider.api.idempotency.as_ref().filter(|_| keyed);
        let header = idempotency.map(|it| it.header.as_str());
        redo(args, file, &about.profile, self.store(), header)
    }

    fn store(&self) -> Option<&'static str> {
        self.context.global.store.map(|choice| StoreKind::from(choice).name())
    }
}

/// Why the loop is over.
enum Ended {
    /// All is answered, or all that was started.
    Through,
    /// Nobody reads the answers, or they cannot be written.
    Unread,
    /// The answers cannot be kept.
    Broken(Report),
}

/// A batch on its way.
struct Work<'b> {
    batch: &'b Batch<'b>,
    calls: &'b Calls<'b>,
    sink: Sink,
    tale: Tale,
    /// Why no more lines can be read.
    unreadable: Option<Report>,
    /// Whether the person asked twice.
    hurried: bool,
}

impl<'b> Work<'b> {
    fn new(batch: &'b Batch<'b>, calls: &'b Calls<'b>, target: Option<OutputFile>) -> Self {
        let sink = Sink::new(batch.context.system, target);
        Self { batch, calls, sink, tale: Tale::default(), unreadable: None, hurried: false }
    }

    async fn go_through(&mut self) -> Ended {
        let (calls, desk) = (self.calls, self.calls.desk);
        let system = self.batch.context.system;
        let may_begin = || calls.share.ended().is_none();
        let make = async |line, read| calls.make(line, read).await;
        let mut lanes = FuturesUnordered::new();
        let mut signal = system.interruption.came();
        let (mut signals, mut patience_ends) = (0, false);
        let mut grace = std::pin::pin!(tokio::time::sleep(GRACE));
        let mut bar = std::pin::pin!(self.batch.progress.draw());
        loop {
            match self.write() {
                Ok(Flow::On) => {}
                Ok(Flow::Over) => return Ended::Unread,
                Err(report) => return Ended::Broken(report),
            }
            if desk.busy() == 0 && (desk.is_through() || !may_begin()) {
                return Ended::Through;
            }
            let at_once = usize::from(self.batch.args.many.concurrency);
            if may_begin() && desk.has_work() && !desk.call_a_lane() && lanes.len() < at_once {
                lanes.push(desk.lane(may_begin, &make));
            }
            tokio::select! {
                biased;
                () = desk.move_on(&mut lanes) => {}
                more = desk.more(), if may_begin() && desk.lacks_lines() => {
                    if let Err(error) = more {
                        self.unreadable = Some(unreadable(self.batch.file, &error));
                    }
                }
                () = self.sink.is_due(), if self.sink.is_busy() => {
                    if let Some(ended) = self.flush() {
                        return ended;
                    }
                }
                () = &mut signal => {
                    signals += 1;
                    signal = system.interruption.came();
                    calls.share.end(Halt::Asked);
                    grace.as_mut().reset(tokio::time::Instant::now() + GRACE);
                }
                () = &mut grace, if signals > 0 && !patience_ends => patience_ends = true,
                () = &mut bar => {}
            }
            // A refresh under way is seen through, however often somebody asks.
            if (signals > 1 || patience_ends) && !system.critical.is_under_way() {
                calls.give_up();
                self.hurried = signals > 1;
            }
        }
    }

    fn halted(&self) -> Option<Halt> {
        self.calls.share.ended()
    }

    /// Writes the answers that are next in order.
    fn write(&mut self) -> Result<Flow, Report> {
        let mut flow = Flow::On;
        while let (Flow::On, Some(done)) = (flow, self.calls.desk.answer()) {
            flow = self.sink.take(&done.line)?;
            self.count(done);
        }
        self.calls.desk.note_unwritten(self.sink.waiting());
        Ok(flow)
    }

    fn count(&mut self, done: Done) {
        let Done { id, number, read, failure, .. } = done;
        self.tale.answered += 1;
        self.tale.last_line = number;
        if let Some(report) = failure {
            self.tale.failed += 1;
            self.tale.keyed |= report.idempotency_key.is_some();
            self.tale.first.get_or_insert_with(|| (number, id.clone(), *report));
        }
        self.tale.last_id = id;
        self.batch.progress.show(self.tale.answered, self.tale.failed, read);
    }

    fn flush(&mut self) -> Option<Ended> {
        match self.sink.flush() {
            Ok(Flow::On) => None,
            Ok(Flow::Over) => Some(Ended::Unread),
            Err(report) => Some(Ended::Broken(report)),
        }
    }

    /// Writes what is left, and gives the command's end its words.
    async fn close(mut self, ended: Ended, countable: bool) -> Result<Exit, Report> {
        let batch = self.batch;
        let system = batch.context.system;
        let halted = self.halted();
        if let Ended::Broken(report) = ended {
            return Err(report);
        }
        match self.hurried {
            false => tokio::select! {
                finished = self.sink.finish(system) => finished?,
                // Whoever wanted an end and wants it once more does not wait for a reader.
                () = system.interruption.came(), if halted.is_some() => {}
            },
            true => {
                let finished = tokio::time::timeout(HURRY, self.sink.finish(system)).await;
                finished.unwrap_or(Ok(()))?;
            }
        }
        if matches!(ended, Ended::Unread) {
            return Ok(Exit::Done);
        }
        if halted.is_none() && self.unreadable.is_none() {
            return self.tale.ended(|keyed| batch.redo(keyed));
        }
        if self.calls.desk.is_through() || countable {
            let rest = self.calls.desk.count_rest().await.unwrap_or(0);
            self.tale.of = Some(self.tale.answered + self.calls.desk.open() as u64 + rest);
        }
        let Batch { args, file, about, .. } = self.batch;
        let store = self.batch.store();
        let next = go_on(args, file, &about.profile, store, self.tale.last_line);
        match (halted, self.unreadable) {
            (Some(halt), _) => Err(self.tale.halted(halt, next)),
            (None, Some(report)) => Err(self.tale.cut_off(report, next)),
            (None, None) => self.tale.ended(|keyed| batch.redo(keyed)),
        }
    }
}
