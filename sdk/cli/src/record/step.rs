//! Steps of the demonstration.

use std::fmt;
use std::time::Duration;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::text::{bytes, span, wrap};

/// How wide a terminal is at least.
const WIDTH: usize = 80;

/// A step of the demonstration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StepRecord {
    /// Its number, from 1.
    pub step: usize,
    /// What it is called for programs.
    pub name: &'static str,
    /// What it is called.
    pub title: &'static str,
    /// What happens, for people.
    pub about: &'static str,
    /// What was seen.
    pub facts: Vec<String>,
    /// What was seen, for programs.
    pub seen: Map<String, Value>,
    /// How long it took.
    pub millis: Option<u64>,
    /// How many bytes all members sent meanwhile.
    pub sent: Option<u64>,
}

impl StepRecord {
    /// A step that is only told about.
    pub fn planned(
        step: usize,
        name: &'static str,
        title: &'static str,
        about: &'static str,
    ) -> Self {
        let (facts, seen) = (Vec::new(), Map::new());
        Self { step, name, title, about, facts, seen, millis: None, sent: None }
    }
}

impl StepRecord {
    /// What is told before it happens: its number, its title, and what it is about.
    pub fn announcement(&self) -> String {
        let mut text = format!("{}. {}", self.step, self.title);
        for line in wrap(self.about, WIDTH - INDENT.len()) {
            text.push('\n');
            text.push_str(INDENT);
            text.push_str(&line);
        }
        text
    }
}

/// What stands before each line of a step but the first.
const INDENT: &str = "   ";

/// What was seen; or, if it is only told about, what would happen.
impl fmt::Display for StepRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(millis) = self.millis else {
            return f.write_str(&self.announcement());
        };
        for fact in &self.facts {
            let mut mark = "- ";
            for line in wrap(&crate::text::clean(fact), WIDTH - INDENT.len() - mark.len()) {
                writeln!(f, "{INDENT}{mark}{line}")?;
                mark = "  ";
            }
        }
        write!(f, "{INDENT}({}", span(Duration::from_millis(millis)))?;
        self.sent.map_or(Ok(()), |sent| write!(f, ", {} sent by all together", bytes(sent)))?;
        f.write_str(")")
    }
}
