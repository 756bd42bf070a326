//! Answers that are given a shape on their way: one, or every page of a list.

use std::cell::{Cell, RefCell};

use url::Url;

use super::super::context::Context;
use super::super::report::{self, Exit, Report, Situation};
use super::delivery::{head, redirected};
use super::destination::{Destination, Reader};
use super::shape::{Shape, Unfit};
use crate::connection::call::Refused;
use crate::connection::pages::{Page, PageWalk, PagesError};
use crate::provider::Provider;
use crate::resource_server::envelope::EnvelopeError;
use crate::resource_server::pages::End;

/// How an answer is told about and where it goes.
pub struct Delivery<'a> {
    /// The command.
    pub context: &'a Context<'a>,
    /// What advice may take for granted.
    pub about: &'a Situation,
    /// What is asked for.
    pub shape: Shape,
    /// Whether the head goes to standard output too.
    pub include: bool,
}

/// How far a list came: what outlives an interruption.
#[derive(Default)]
pub struct Progress {
    /// Pages that were written whole.
    pub written: Cell<u64>,
    /// Where the first page is that was not.
    pub go_on: RefCell<Option<Url>>,
    /// Whether a page may be there in part.
    pub under_way: Cell<bool>,
}

/// What became of one answer.
enum Given {
    /// It is where it should be.
    Whole(Reader),
    /// It is there as it came, since it was no good one.
    Refused(Box<Result<Refused, Report>>),
}

impl Delivery<'_> {
    /// Brings one answer to where it was asked for, and gives back what its refusal means.
    pub async fn one(
        &self,
        page: Page,
        mut destination: Destination,
    ) -> Result<Option<Refused>, Report> {
        let given = self.give(page, &mut destination, &Cell::default()).await?;
        destination.close()?;
        match given {
            Given::Whole(_) => Ok(None),
            Given::Refused(refused) => refused.map(Some),
        }
    }

    /// Brings every page of a list there; a page that is no good one is written only where it is the first.
    pub async fn pages(
        &self,
        walk: &mut PageWalk<'_>,
        mut destination: Destination,
        progress: &Progress,
        scopes: &[String],
        provider: &Provider,
    ) -> Result<Option<Refused>, Report> {
        let failed = |error: PagesError| {
            if !can_go_on(&error) {
                progress.go_on.take();
            }
            report::pages(&error, provider, scopes, self.about)
        };
        loop {
            progress.go_on.replace(walk.ahead().cloned());
            let Some(page) = walk.next().await.map_err(failed)? else { break };
            if progress.written.get() > 0 && !page.is_good() {
                return refused(page).map(Some);
            }
            let given = self.give(page, &mut destination, &progress.under_way).await;
            // What does not fit the expression does not fit it a second time.
            let given = given.inspect_err(|report| {
                if report.exit == Exit::Unexpected && !progress.under_way.get() {
                    progress.go_on.take();
                }
            });
            match given? {
                Given::Whole(Reader::There) => progress.written.set(progress.written.get() + 1),
                Given::Whole(Reader::Gone) => break,
                Given::Refused(refused) => {
                    destination.close()?;
                    return refused.map(Some);
                }
            }
        }
        if (walk.ended(), progress.written.get()) == (Some(End::NothingSays), 1) {
            let line = format!(
                "this is one page: no Link header leads on, and the provider file of {} does not say how lists are paged ([api.pages])",
                self.about.provider
            );
            self.context.output.note(self.context.system, &line);
        }
        destination.close().map(|()| None)
    }

    async fn give(
        &self,
        page: Page,
        destination: &mut Destination,
        under_way: &Cell<bool>,
    ) -> Result<Given, Report> {
        let head = match self.include && !self.context.output.json {
            true => head(page.status, &page.headers),
            false => String::new(),
        };
        let shaped = match page.is_good() {
            true => self.shape.of(&page).await,
            false => {
                let as_it_is = self.shape.as_it_is(&page)?;
                destination.write(self.context, &head, as_it_is, under_way).await?;
                return Ok(Given::Refused(Box::new(refused(page))));
            }
        };
        match shaped {
            Ok(answer) => {
                let reader = destination.write(self.context, &head, answer, under_way).await?;
                Ok(Given::Whole(reader))
            }
            Err(Unfit::Failed(report)) => Err(report),
            Err(Unfit::Envelope(error)) => {
                let as_it_is = self.shape.as_it_is(&page)?;
                destination.write(self.context, &head, as_it_is, under_way).await?;
                Ok(Given::Refused(Box::new(Err(self.not_enveloped(&error, &page)))))
            }
        }
    }

    fn not_enveloped(&self, error: &EnvelopeError, page: &Page) -> Report {
        let mut report = report::envelope(error, self.about);
        report.http_status = Some(page.status);
        report
    }
}

/// Whether the page that failed may come when it is asked for again.
fn can_go_on(error: &PagesError) -> bool {
    match error {
        PagesError::Call(_) => true,
        PagesError::Body(error) => error.may_pass(),
        PagesError::Page(_) | PagesError::Astray(_) => false,
    }
}

/// What an answer that is no good one means.
fn refused(page: Page) -> Result<Refused, Report> {
    let Page { status, headers, refusal, .. } = page;
    let redirect = || redirected(status, &headers);
    refusal.ok_or_else(redirect)
}

/// Tells how far a list came, and how to go on.
pub fn come_so_far(
    mut report: Report,
    progress: &Progress,
    keeps_parts: bool,
    command: impl Fn(&Url) -> String,
) -> Report {
    let written = progress.written.get();
    if matches!(report.exit, Exit::Usage) || (written == 0 && !progress.under_way.get()) {
        return report;
    }
    let pages = |count: u64| if count == 1 { "1 page".into() } else { format!("{count} pages") };
    if !keeps_parts {
        report.causes.push(format!(
            "{} came before; the file is as it was, since it is written whole or not at all",
            pages(written)
        ));
        return report;
    }
    report.causes.push(format!("{} came before and can be used", pages(written)));
    if progress.under_way.get() {
        report.causes.push("what follows may be a page in part".into());
    }
    if let Some(url) = &*progress.go_on.borrow() {
        report.hint.get_or_insert_with(|| "go on with the first page that is missing".into());
        report.next.push(command(url));
    }
    report
}
