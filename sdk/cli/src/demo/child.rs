//! A child of the demonstration: what is asked of it, and what it prints.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::process::Child as Process;
use tokio::sync::Notify;
use tokio::task::AbortHandle;
use tokio::time::Instant;

use super::stage::Pipes;
use crate::failure::Failure;
use crate::run::read_line;

/// The most bytes of a line that a child prints.
const MAX_LINE: u64 = 16 << 20;
/// How long a child has to close.
const CLOSING: Duration = Duration::from_secs(10);

/// A child.
pub struct Child {
    /// Who it is.
    pub name: &'static str,
    to: Box<dyn AsyncWrite + Send + Sync + Unpin>,
    heard: Arc<Log>,
    asked: u64,
    timeout: Duration,
    process: Option<Process>,
    reading: Vec<AbortHandle>,
}

/// A line, and when it came.
#[derive(Clone, Debug)]
pub struct Heard {
    /// When.
    pub at: Instant,
    /// What.
    pub value: Value,
}

#[derive(Default)]
struct Log {
    inner: Mutex<Lines>,
    changed: Notify,
}

#[derive(Default)]
struct Lines {
    lines: Vec<Heard>,
    complaint: Option<String>,
    over: bool,
}

impl Log {
    fn change(&self, change: impl FnOnce(&mut Lines)) {
        change(&mut self.inner.lock().unwrap_or_else(PoisonError::into_inner));
        self.changed.notify_waiters();
    }
}

impl Child {
    /// A child with these pipes. What it prints is read from now on.
    pub fn new(name: &'static str, pipes: Pipes, timeout: Duration) -> Self {
        let heard = Arc::new(Log::default());
        let Pipes { to, mut from, complaints, process } = pipes;
        let ear = Arc::clone(&heard);
        let mut reading = vec![
            tokio::spawn(async move {
                while let Ok(Some(line)) = read_line(&mut from, MAX_LINE).await {
                    if let Ok(value) = serde_json::from_str(&line) {
                        ear.change(|heard| heard.lines.push(Heard { at: Instant::now(), value }));
                    }
                }
                ear.change(|heard| heard.over = true);
            })
            .abort_handle(),
        ];
        if let Some(mut complaints) = complaints {
            let ear = Arc::clone(&heard);
            let read = async move {
                while let Ok(Some(line)) = read_line(&mut complaints, MAX_LINE).await {
                    ear.change(|heard| heard.complaint = Some(line));
                }
            };
            reading.push(tokio::spawn(read).abort_handle());
        }
        Self { name, to, heard, asked: 0, timeout, process, reading }
    }

    /// How much it has printed: a place to look from.
    pub fn place(&self) -> usize {
        self.heard.inner.lock().unwrap_or_else(PoisonError::into_inner).lines.len()
    }

    /// The first line from a place on that is as it should be, when it comes.
    pub async fn until(
        &self,
        from: usize,
        what: &str,
        right: impl Fn(&Value) -> bool,
    ) -> Result<Heard, Failure> {
        let look = async {
            let mut next = from;
            loop {
                let changed = self.heard.changed.notified();
                tokio::pin!(changed);
                // From here on no change is missed.
                changed.as_mut().enable();
                {
                    let heard = self.heard.inner.lock().unwrap_or_else(PoisonError::into_inner);
                    for line in heard.lines.iter().skip(next) {
                        next += 1;
                        if right(&line.value) {
                            return Ok(line.clone());
                        }
                    }
                    if heard.over {
                        return Err(self.over(what, heard.complaint.as_deref()));
                    }
                }
                changed.await;
            }
        };
        let late = |_| Failure::Demo(format!("{}: no {what} within {:?}", self.name, self.timeout));
        tokio::time::timeout(self.timeout, look).await.map_err(late)?
    }

    fn over(&self, what: &str, complaint: Option<&str>) -> Failure {
        let record = complaint.and_then(|line| serde_json::from_str::<Value>(line).ok());
        let why = record.as_ref().and_then(|record| record["message"].as_str()).or(complaint);
        let why = why.unwrap_or("it ended");
        Failure::Demo(format!("{} ended before its {what}: {why}", self.name))
    }

    /// Has it do something, and returns what it printed for that.
    pub async fn ask(&mut self, words: &[&str]) -> Result<Vec<Value>, Failure> {
        self.asked += 1;
        let (id, from) = (self.asked, self.place());
        let line = format!("{}\n", json!({"id": id, "args": words}));
        let written = async {
            self.to.write_all(line.as_bytes()).await?;
            self.to.flush().await
        };
        written.await.map_err(Failure::io(format!("what {} reads", self.name)))?;
        let what = words.first().copied().unwrap_or_default();
        let end = self.until(from, what, |line| line["type"] == "end" && line["re"] == id).await?;
        if end.value["ok"] != true {
            let why = end.value["error"]["message"].as_str().unwrap_or("no reason").to_owned();
            return Err(Failure::Demo(format!("{} can't {what}: {why}", self.name)));
        }
        let heard = self.heard.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let lines = heard.lines.iter().skip(from).map(|line| &line.value);
        Ok(lines.filter(|line| line["re"] == id && line["type"] != "end").cloned().collect())
    }

    /// How many lines from a place on are of a kind.
    pub fn count(&self, from: usize, right: impl Fn(&Value) -> bool) -> usize {
        let heard = self.heard.inner.lock().unwrap_or_else(PoisonError::into_inner);
        heard.lines.iter().skip(from).filter(|line| right(&line.value)).count()
    }

    /// The number of its process, if it has one of its own.
    pub fn process(&self) -> Option<u32> {
        self.process.as_ref().and_then(Process::id)
    }

    /// Ends it at once, and waits until it has ended.
    pub async fn kill(mut self) {
        if let Some(process) = &mut self.process {
            // It may have ended by itself.
            let _ = process.kill().await;
        }
    }

    /// Ends its input, and waits until it has closed.
    pub async fn close(mut self) {
        let _ = self.to.shutdown().await;
        self.to = Box::new(tokio::io::sink());
        let over = async {
            match &mut self.process {
                Some(process) => drop(process.wait().await),
                None => loop {
                    let changed = self.heard.changed.notified();
                    tokio::pin!(changed);
                    changed.as_mut().enable();
                    if self.heard.inner.lock().unwrap_or_else(PoisonError::into_inner).over {
                        return;
                    }
                    changed.await;
                },
            }
        };
        // What does not close in time is killed when it is dropped.
        let _ = tokio::time::timeout(CLOSING, over).await;
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        self.reading.iter().for_each(AbortHandle::abort);
    }
}
