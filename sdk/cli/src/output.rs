//! Where records go, as JSON or as text.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use serde::Serialize;

use crate::failure::Failure;
use crate::record::{ErrorRecord, Record};
use crate::text::escape_json;

/// Where records go. Clones write to the same place, line by line.
#[derive(Clone)]
pub struct Output {
    json: bool,
    to: Arc<Mutex<Box<dyn Write + Send>>>,
}

impl Output {
    /// An output to somewhere.
    pub fn new(json: bool, to: Box<dyn Write + Send>) -> Self {
        Self { json, to: Arc::new(Mutex::new(to)) }
    }

    /// Whether it is JSON.
    pub fn is_json(&self) -> bool {
        self.json
    }

    /// Prints a record.
    pub fn print(&self, record: &Record) -> Result<(), Failure> {
        if self.json { self.json(record) } else { self.text(&record.to_string()) }
    }

    /// Prints anything as one line of JSON.
    pub fn json(&self, value: &impl Serialize) -> Result<(), Failure> {
        let json = serde_json::to_string(value)
            .map_err(|error| Failure::io("making JSON")(io::Error::other(error)))?;
        self.text(&escape_json(&json))
    }

    /// Prints text, which is clean already, and ends the line.
    pub fn text(&self, text: &str) -> Result<(), Failure> {
        let mut to = self.to.lock().unwrap_or_else(PoisonError::into_inner);
        writeln!(to, "{text}").and_then(|()| to.flush()).map_err(Failure::io("standard output"))
    }
}

/// Says on standard error why a command failed.
pub fn complain(failure: &Failure, json: bool) {
    if failure.is_broken_pipe() {
        return;
    }
    let text = if json {
        serde_json::to_string(&Record::Error(ErrorRecord::of(failure)))
            .map(|json| escape_json(&json))
    } else {
        Ok(format!("trellis: {} ({})", crate::text::clean(&failure.explain()), failure.code()))
    };
    if let Ok(text) = text {
        // There is nobody left to tell if this fails.
        let _ = writeln!(io::stderr(), "{text}");
    }
}
