//! A progress bar, or a line for each part where there is no terminal.

use std::io::{IsTerminal, stderr};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// How far a run is.
#[derive(Debug)]
pub struct Progress {
    bar: ProgressBar,
    terminal: bool,
}

impl Progress {
    /// Nothing is done of so many parts.
    ///
    /// # Panics
    ///
    /// Never: the template below is a valid one.
    #[must_use]
    pub fn new(parts: usize) -> Self {
        let bar = ProgressBar::new(parts as u64);
        let template = "{elapsed_precise} {bar:32} {pos}/{len} {wide_msg}";
        bar.set_style(ProgressStyle::with_template(template).expect("a valid template"));
        let terminal = stderr().is_terminal();
        if terminal {
            bar.enable_steady_tick(Duration::from_secs(1));
        }
        Self { bar, terminal }
    }

    /// This part begins.
    pub fn part(&self, name: &str) {
        if self.terminal {
            self.bar.set_message(name.to_owned());
        } else {
            let (done, all) = (self.bar.position(), self.bar.length().unwrap_or_default());
            eprintln!("[{done:3}/{all}, {:3} s] {name}", self.bar.elapsed().as_secs());
        }
    }

    /// It is done.
    pub fn done(&self) {
        self.bar.inc(1);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
