//! A line for each event of a run, and a digest over all of them.

use std::fmt;

use super::log::Log;
use super::step::Moment;
use crate::Time;

/// What happened in a run. The digest says whether two runs were the same; nobody tries to make two
/// that only look the same, so it need not be a cryptographic one.
pub(crate) struct Trace {
    digest: Fnv,
    lines: Option<Vec<String>>,
    log: Option<Log>,
}

impl Trace {
    /// With the lines, or with the digest only.
    pub(crate) fn new(lines: bool) -> Self {
        Self { digest: Fnv::default(), lines: lines.then(Vec::new), log: Log::present() }
    }

    pub(crate) fn line(&mut self, now: Time, text: fmt::Arguments<'_>) {
        let line = format!("{:>12} {text}", Moment(now).to_string());
        self.digest.write(line.as_bytes());
        if let Some(lines) = &mut self.lines {
            lines.push(format!("{:016x} {line}", self.digest.0));
        }
    }

    /// What a node has logged since this was last called. It is not in the digest, since the names in it
    /// differ from run to run.
    pub(crate) fn logged(&mut self, now: Time, who: usize) {
        let (Some(lines), Some(log)) = (&mut self.lines, &self.log) else { return };
        for line in log.take().lines() {
            lines.push(format!("{:16} {:>12} n{who} | {line}", "", Moment(now).to_string()));
        }
    }

    pub(crate) fn finish(self) -> (u64, Vec<String>) {
        (self.digest.0, self.lines.unwrap_or_default())
    }
}

/// FNV-1a, 64 bits.
#[derive(Clone, Copy)]
pub(crate) struct Fnv(pub(crate) u64);

impl Default for Fnv {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Fnv {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
}

/// Bytes in a trace: how many, and a digest. The `Debug` of identifiers differs from run to run.
pub(crate) struct Bytes<'a>(pub(crate) &'a [u8]);

impl fmt::Display for Bytes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut digest = Fnv::default();
        digest.write(self.0);
        write!(f, "{} bytes {:016x}", self.0.len(), digest.0)
    }
}

/// An identifier in a trace: its first four bytes.
pub(crate) struct Name<'a>(pub(crate) &'a [u8]);

impl fmt::Display for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().take(4).try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}
