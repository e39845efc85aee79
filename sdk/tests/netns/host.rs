//! A process in a namespace: this program again, told what to do by lines on its standard input.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use crate::lab::Place;

/// The name of the test that does what a [`Host`] does, and of the variable that says what that is.
pub const INSIDE: &str = "inside";
pub const ROLE: &str = "TRELLIS_NETNS_ROLE";

/// How an answer begins: with a word of success, or of failure. Other lines are the harness's.
pub const DONE: &str = "=";
pub const FAILED: &str = "!";

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// A process, which ends with the value.
pub struct Host {
    child: Child,
    input: ChildStdin,
    lines: Receiver<String>,
}

impl Host {
    /// Starts one.
    pub fn start(place: &Place, role: &str) -> Self {
        let program = std::env::current_exe().unwrap();
        let mut child = place
            .command(program)
            .args(["--ignored", "--exact", INSIDE, "--nocapture", "--quiet"])
            .env(ROLE, role)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let input = child.stdin.take().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let (send, lines) = channel();
        thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                if send.send(line).is_err() {
                    return;
                }
            }
        });
        Self { child, input, lines }
    }

    /// Has it do something, and waits for what it says.
    pub fn tell(&mut self, line: &str) -> Result<Vec<String>, String> {
        writeln!(self.input, "{line}").unwrap();
        let end = Instant::now() + PATIENCE;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            let answer = match self.lines.recv_timeout(left) {
                Ok(answer) => answer,
                Err(RecvTimeoutError::Timeout) => panic!("{line}: no answer"),
                Err(RecvTimeoutError::Disconnected) => panic!("{line}: the process has ended"),
            };
            let mut words = answer.split(' ').map(Into::into);
            match words.next().as_deref() {
                Some(DONE) => return Ok(words.collect()),
                Some(FAILED) => return Err(words.collect::<Vec<_>>().join(" ")),
                _ => {}
            }
        }
    }

    /// The same, for what has to succeed.
    pub fn ask(&mut self, line: &str) -> Vec<String> {
        self.tell(line).unwrap_or_else(|error| panic!("{line}: {error}"))
    }

    /// The memory that it has now, and the most that it had, in bytes.
    pub fn memory(&self) -> (u64, u64) {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let field = |name: &str| -> u64 {
            let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
            let kib: u64 = line.split_whitespace().next().unwrap().parse().unwrap();
            kib * 1024
        };
        (field("VmRSS:"), field("VmHWM:"))
    }

    /// It does nothing, and reads nothing, until [`go_on`](Self::go_on).
    pub fn halt(&self) {
        self.signal("STOP");
    }

    pub fn go_on(&self) {
        self.signal("CONT");
    }

    fn signal(&self, name: &str) {
        let script = format!("kill -{name} {}", self.child.id());
        assert!(Command::new("sh").args(["-c", &script]).status().unwrap().success());
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits until something is so, and returns how long that took.
pub fn until(what: &str, seconds: u64, mut is: impl FnMut() -> bool) -> Duration {
    let start = Instant::now();
    while !is() {
        assert!(start.elapsed() < Duration::from_secs(seconds), "{what}: not in {seconds} s");
        thread::sleep(Duration::from_millis(50));
    }
    start.elapsed()
}
