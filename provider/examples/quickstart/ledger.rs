//! What each step cost.

use std::error::Error;
use std::fmt;
use std::time::{Duration, Instant};

/// The steps so far, with the bytes that went over the wire and the time.
#[derive(Default)]
pub(crate) struct Ledger(Vec<Step>);

struct Step {
    what: String,
    bytes: Option<usize>,
    time: Duration,
}

impl Ledger {
    /// A step that sends nothing.
    pub(crate) fn time<T>(
        &mut self,
        what: &str,
        step: impl FnOnce() -> Result<T, Box<dyn Error>>,
    ) -> Result<T, Box<dyn Error>> {
        let start = Instant::now();
        let result = step().map_err(|error| format!("{}: {error}", what.trim_start()))?;
        self.0.push(Step { what: what.to_owned(), bytes: None, time: start.elapsed() });
        Ok(result)
    }

    /// A step that sends these messages.
    pub(crate) fn time_bytes(
        &mut self,
        what: &str,
        step: impl FnOnce() -> Result<Vec<Vec<u8>>, Box<dyn Error>>,
    ) -> Result<Vec<Vec<u8>>, Box<dyn Error>> {
        let messages = self.time(what, step)?;
        if let Some(last) = self.0.last_mut() {
            last.bytes = Some(messages.iter().map(Vec::len).sum());
        }
        Ok(messages)
    }
}

impl fmt::Display for Ledger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:<42} {:>9} {:>9}", "step", "bytes", "ms")?;
        for Step { what, bytes, time } in &self.0 {
            let bytes = bytes.map_or_else(String::new, |bytes| bytes.to_string());
            writeln!(f, "{what:<42} {bytes:>9} {:>9.3}", time.as_secs_f64() * 1e3)?;
        }
        Ok(())
    }
}
