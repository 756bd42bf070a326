//! The bar on standard error, where that is a terminal and nobody asked for silence.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::super::super::context::Context;

/// How often it is drawn at most, a second.
const DRAWN: u8 = 10;
/// A batch that is over sooner shows none.
const PATIENCE: Duration = Duration::from_millis(200);

/// How often it is drawn where nothing happens.
const BEAT: Duration = Duration::from_millis(200);

/// Shows how far a batch has come; does nothing where nobody would see it.
pub struct Progress(Option<ProgressBar>);

impl Progress {
    /// A bar over the bytes of a file, or a count where nobody knows how much will come.
    pub fn new(context: &Context<'_>, length: Option<u64>) -> Self {
        let output = context.output;
        if !context.system.terminals.stderr || output.quiet || output.json {
            return Self(None);
        }
        let template = match length {
            Some(_) => "{bar:30} {percent}%  {msg}  {elapsed}, {eta} to go",
            None => "{spinner} {msg}  {elapsed}",
        };
        let style = ProgressStyle::with_template(template);
        let style = style.unwrap_or_else(|_| ProgressStyle::default_bar());
        let bar = ProgressBar::with_draw_target(length, ProgressDrawTarget::hidden());
        bar.set_style(style.progress_chars("━╸ "));
        Self(Some(bar))
    }

    /// Draws, from a moment after its start on, as long as it is waited for.
    pub async fn draw(&self) {
        let Some(bar) = &self.0 else { return std::future::pending().await };
        tokio::time::sleep(PATIENCE).await;
        bar.set_draw_target(ProgressDrawTarget::stderr_with_hz(DRAWN));
        loop {
            bar.tick();
            tokio::time::sleep(BEAT).await;
        }
    }

    /// Shows how many answers there are, how many of them failures, and how much was read for them.
    pub fn show(&self, answered: u64, failed: u64, read: u64) {
        let Some(bar) = &self.0 else { return };
        bar.set_position(read);
        bar.set_message(match failed {
            0 => format!("{answered} answered"),
            _ => format!("{answered} answered, {failed} failed"),
        });
    }

    /// Clears the bar while a line is written.
    pub fn beside(&self, tell: &dyn Fn()) {
        match &self.0 {
            Some(bar) => bar.suspend(tell),
            None => tell(),
        }
    }

    /// Takes it away.
    pub fn end(&self) {
        if let Some(bar) = &self.0 {
            bar.finish_and_clear();
        }
    }
}
