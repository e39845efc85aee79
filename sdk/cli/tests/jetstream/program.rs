//! The program as processes: mailboxes, and members as agents.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Output, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// How long anything may take.
pub const PATIENCE: Duration = Duration::from_secs(40);
/// All are on loopback, and nobody else takes part.
const NETWORK: [&str; 5] =
    ["--json", "--no-mdns", "--announce", "--listen", "/ip4/127.0.0.1/tcp/0"];

/// A directory of its own, which goes with the value.
pub struct Home(pub PathBuf);

impl Home {
    pub fn new(name: &str) -> Self {
        let name = format!("trellis-jetstream-{}-{name}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    /// A command of the program, which sees nothing of the user's own account.
    pub fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_trellis"));
        for name in ["PEERS", "LISTEN", "MAILBOXES", "NATS", "STORE"] {
            command.env_remove(format!("TRELLIS_{name}"));
        }
        command.env("TRELLIS_PASSPHRASE", "correct horse battery staple").args(words);
        command
    }

    /// A mailbox process with a name of its own.
    pub fn mailbox(&self, name: &str, urls: &[String], words: &[&str]) -> Command {
        let mut command = self.command(&NETWORK);
        command.args(["--serve", "mailbox", "--directory"]).arg(self.0.join(name));
        for url in urls {
            command.args(["--nats", url]);
        }
        command.args(words);
        command
    }

    /// Starts one, again and again as a service manager does, until its cluster is there.
    pub fn start_mailbox(&self, name: &str, urls: &[String], words: &[&str]) -> Mailbox {
        let begin = Instant::now();
        loop {
            let mut process = Process::start(name, self.mailbox(name, urls, words));
            if let Some(network) = process.first() {
                assert_eq!(network["type"], "network");
                let address = network["listening"][0].as_str().unwrap().to_owned();
                return Mailbox { process, address };
            }
            let (code, error) = process.over();
            assert_eq!((code, &error["retryable"]), (Some(7), &json!(true)), "{error}");
            assert!(begin.elapsed() < PATIENCE, "{error}");
            std::thread::sleep(Duration::from_millis(300));
        }
    }

    fn store(&self, name: &str) -> PathBuf {
        self.0.join(format!("{name}.db"))
    }

    /// A member, with an account if he has none, who uses these mailboxes and knows nobody else.
    pub fn member(&self, name: &str, mailboxes: &[&str]) -> Member {
        if !self.store(name).exists() {
            let mut init = self.command(&["--json", "init", "--store"]);
            let made = init.arg(self.store(name)).output().unwrap();
            assert!(made.status.success(), "{made:?}");
        }
        let mut command = self.command(&NETWORK);
        command.arg("--store").arg(self.store(name));
        for address in mailboxes {
            command.args(["--mailbox", address]);
        }
        command.args(["agent", "--admin"]);
        let mut process = Process::start(name, command);
        let ready = process.first().unwrap_or_else(|| panic!("{name}: {:?}", process.over()));
        assert_eq!(ready["type"], "ready");
        let address = ready["address"].as_str().unwrap().to_owned();
        Member { process, address, asked: 0 }
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Runs a command to its end, with its exit code and what it says on standard error.
pub fn fails(command: &mut Command) -> (Option<i32>, Value) {
    let Output { status, stderr, stdout } = command.stdin(Stdio::null()).output().unwrap();
    assert!(stdout.is_empty(), "{}", String::from_utf8_lossy(&stdout));
    let text = String::from_utf8(stderr).unwrap();
    (status.code(), serde_json::from_str(&text).unwrap_or(Value::String(text)))
}

/// Whether a command of a mailbox comes so far that it is there for others.
pub fn begins(command: Command) -> bool {
    Process::start("a mailbox", command).first().is_some()
}

#[derive(Default)]
struct Heard {
    lines: Vec<Value>,
    over: bool,
}

/// A process whose lines are read as they come. It is killed with the value.
pub struct Process {
    name: String,
    child: Child,
    input: Option<ChildStdin>,
    heard: Arc<(Mutex<Heard>, Condvar)>,
}

impl Process {
    fn start(name: &str, mut command: Command) -> Self {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let heard = Arc::new((Mutex::<Heard>::default(), Condvar::new()));
        let (output, ear) = (child.stdout.take().unwrap(), heard.clone());
        std::thread::spawn(move || {
            let change = |change: &dyn Fn(&mut Heard)| {
                change(&mut ear.0.lock().unwrap());
                ear.1.notify_all();
            };
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                let value: Value = serde_json::from_str(&line).unwrap();
                change(&|heard| heard.lines.push(value.clone()));
            }
            change(&|heard| heard.over = true);
        });
        let input = child.stdin.take();
        Self { name: name.to_owned(), child, input, heard }
    }

    /// The first line; nothing if the process ends before.
    fn first(&mut self) -> Option<Value> {
        self.look(0, "first line", |_| true)
    }

    /// A line from a place on that is as it should be, when it comes; nothing if the process ends before.
    fn look(&self, from: usize, what: &str, right: impl Fn(&Value) -> bool) -> Option<Value> {
        let end = Instant::now() + PATIENCE;
        let (heard, changed) = &*self.heard;
        let mut heard = heard.lock().unwrap();
        let mut next = from;
        loop {
            while let Some(line) = heard.lines.get(next) {
                next += 1;
                if right(line) {
                    return Some(line.clone());
                }
            }
            if heard.over {
                return None;
            }
            let left = end.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "{}: no {what}; last: {:?}", self.name, heard.lines.last());
            heard = changed.wait_timeout(heard, left).unwrap().0;
        }
    }

    /// The same for a process that must not end.
    pub fn until(&self, from: usize, what: &str, right: impl Fn(&Value) -> bool) -> Value {
        self.look(from, what, right).unwrap_or_else(|| panic!("{} ended before: {what}", self.name))
    }

    /// How much it has printed.
    pub fn place(&self) -> usize {
        self.heard.0.lock().unwrap().lines.len()
    }

    /// All lines that are as they should be.
    pub fn all(&self, right: impl Fn(&Value) -> bool) -> Vec<Value> {
        let heard = self.heard.0.lock().unwrap();
        heard.lines.iter().filter(|line| right(line)).cloned().collect()
    }

    /// Waits until it has ended: its exit code, and its error.
    fn over(&mut self) -> (Option<i32>, Value) {
        let mut text = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut text).unwrap();
        let code = self.child.wait().unwrap().code();
        (code, serde_json::from_str(&text).unwrap_or(Value::String(text)))
    }

    /// SIGKILL.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub struct Mailbox {
    pub process: Process,
    pub address: String,
}

pub struct Member {
    pub process: Process,
    pub address: String,
    asked: u64,
}

impl Member {
    /// Has it do something, and returns what it printed for that.
    pub fn ask(&mut self, words: &[&str]) -> Vec<Value> {
        self.asked += 1;
        let (id, from) = (self.asked, self.process.place());
        let input = self.process.input.as_mut().unwrap();
        writeln!(input, "{}", json!({"id": id, "args": words})).unwrap();
        let end =
            self.process.until(from, words[0], |line| line["type"] == "end" && line["re"] == id);
        assert_eq!(end["ok"], true, "{words:?}: {end}");
        self.process.all(|line| line["re"] == id && line["type"] != "end")
    }

    /// Closes it as a user does.
    pub fn close(mut self) {
        drop(self.process.input.take());
        assert_eq!(self.process.over().0, Some(0));
    }
}
