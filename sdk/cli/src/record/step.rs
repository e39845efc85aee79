//! Steps of the demonstration.

use std::fmt;

use serde::Serialize;

/// A step of the demonstration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StepRecord {
    /// Its number, from 1.
    pub step: usize,
    /// What it is called.
    pub title: &'static str,
    /// What happens, for people.
    pub about: &'static str,
    /// What was seen.
    pub facts: Vec<String>,
    /// How long it took.
    pub millis: Option<u64>,
    /// How many bytes all members sent meanwhile.
    pub sent: Option<u64>,
}

impl StepRecord {
    /// A step that is only told about.
    pub fn planned(step: usize, title: &'static str, about: &'static str) -> Self {
        Self { step, title, about, facts: Vec::new(), millis: None, sent: None }
    }
}

/// What was seen; or, if it is only told about, what would happen.
impl fmt::Display for StepRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(millis) = self.millis else {
            return write!(f, "{}. {}\n   {}", self.step, self.title, self.about);
        };
        for fact in &self.facts {
            writeln!(f, "   - {}", crate::text::clean(fact))?;
        }
        write!(f, "   {millis} ms")?;
        self.sent.map_or(Ok(()), |sent| write!(f, ", {sent} bytes sent by all together"))
    }
}
