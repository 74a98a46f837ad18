//! Progress on standard error: bars on a terminal, a line per finished step elsewhere.

use std::sync::Mutex;
use std::time::Instant;

use aftercart::build::progress::{Progress, Unit};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Draws the steps of a build.
pub(crate) struct Bars {
    quiet: bool,
    running: Mutex<Option<(String, ProgressBar, Instant)>>,
}

impl Bars {
    pub(crate) fn new(quiet: bool) -> Self {
        Self { quiet, running: Mutex::new(None) }
    }

    /// Begins a step that is drawn as the template says.
    pub(crate) fn draw(&self, step: &str, total: u64, template: &str) {
        let target = if self.quiet { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
        let bar = ProgressBar::with_draw_target(Some(total), target).with_prefix(step.to_owned());
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        bar.enable_steady_tick(std::time::Duration::from_millis(200));
        if let Ok(mut running) = self.running.lock() {
            *running = Some((step.to_owned(), bar, Instant::now()));
        }
    }
}

impl Progress for Bars {
    fn start(&self, step: &str, total: u64, unit: Unit) {
        let template = match (total, unit) {
            (0, _) => "{spinner} {prefix:<32} {elapsed}",
            (_, Unit::Bytes) => "{spinner} {prefix:<32} {bar:30} {bytes:>10}/{total_bytes:<10} {eta}",
            (_, Unit::Items) => "{spinner} {prefix:<32} {bar:30} {human_pos:>10}/{human_len:<10} {eta}",
        };
        self.draw(step, total, template);
    }

    fn at(&self, done: u64) {
        if let Ok(running) = self.running.lock()
            && let Some((_, bar, _)) = running.as_ref()
        {
            bar.set_position(done);
        }
    }

    fn finish(&self, summary: &str) {
        let Ok(mut running) = self.running.lock() else { return };
        let Some((step, bar, since)) = running.take() else { return };
        bar.finish_and_clear();
        if !self.quiet {
            eprintln!("  {step:<32} {:>6.1} s   {summary}", since.elapsed().as_secs_f64());
        }
    }
}
