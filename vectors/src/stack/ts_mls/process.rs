//! The process in which ts-mls runs, and how to talk to it: a request a line, an answer a line.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use crate::stack::StackError;

/// No operation takes near that long.
const PATIENCE: Duration = Duration::from_secs(120);
/// No answer is near that long.
const MAX_LINE: u64 = 64 << 20;

pub(super) struct Process {
    child: Child,
    pipe: Mutex<Pipe>,
}

struct Pipe {
    requests: ChildStdin,
    answers: Receiver<String>,
    number: u64,
}

fn failed(text: impl std::fmt::Display) -> StackError {
    StackError::Failed(text.to_string())
}

impl Process {
    /// Starts the peer in its folder; installs what it needs if that was never done.
    pub(super) fn start(folder: &Path, as_is: bool) -> Result<Self, StackError> {
        if !folder.join("node_modules").is_dir() {
            install(folder)?;
        }
        let mut child = Command::new("node")
            .arg("peer.mjs")
            .env("TS_MLS_AS_IS", if as_is { "1" } else { "" })
            .current_dir(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| failed(format!("node (Node.js 20 or newer is needed): {error}")))?;
        let (Some(requests), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(failed("node has no pipes"));
        };
        let (sender, answers) = channel();
        // Ends with the process, when its output does.
        thread::spawn(move || {
            let mut lines = BufReader::new(stdout);
            let mut line = String::new();
            while lines.by_ref().take(MAX_LINE).read_line(&mut line).is_ok_and(|read| read > 0) {
                if sender.send(std::mem::take(&mut line)).is_err() {
                    break;
                }
            }
        });
        let pipe = Mutex::new(Pipe { requests, answers, number: 0 });
        Ok(Self { child, pipe })
    }

    /// Asks and waits.
    pub(super) fn call(&self, operation: &str, mut request: Value) -> Result<Value, StackError> {
        let mut pipe = self.pipe.lock().map_err(|_| failed("an earlier call panicked"))?;
        pipe.number += 1;
        let number = pipe.number;
        request["id"] = json!(number);
        request["op"] = json!(operation);
        writeln!(pipe.requests, "{request}")
            .and_then(|()| pipe.requests.flush())
            .map_err(|error| failed(format!("the peer does not listen: {error}")))?;
        let line = pipe.answers.recv_timeout(PATIENCE).map_err(|error| match error {
            RecvTimeoutError::Timeout => failed("the peer did not answer in time"),
            RecvTimeoutError::Disconnected => failed("the peer has ended"),
        })?;
        let mut answer: Value = serde_json::from_str(&line).map_err(failed)?;
        if answer["id"] != json!(number) {
            return Err(failed("the peer answered another request"));
        }
        match answer["error"].as_str() {
            Some(error) => Err(failed(error)),
            None => Ok(answer["ok"].take()),
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn install(folder: &Path) -> Result<(), StackError> {
    eprintln!("npm ci in {}", folder.display());
    let output = Command::new("npm")
        .args(["ci", "--no-audit", "--no-fund", "--ignore-scripts"])
        .current_dir(folder)
        .output()
        .map_err(|error| failed(format!("npm: {error}")))?;
    if output.status.success() {
        return Ok(());
    }
    Err(failed(format!("npm ci: {}", String::from_utf8_lossy(&output.stderr))))
}
