//! The demonstration, as processes on loopback.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

/// How long it may take at most.
const LIMIT: Duration = Duration::from_secs(120);

/// A directory for what is temporary, which goes with the value.
struct Temporary(std::path::PathBuf);

impl Temporary {
    fn new(name: &str) -> Self {
        let name = format!("trellis-demo-process-{}-{name}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn demo(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_trellis"));
        command
            .args(["--json", "demo", "--fast"])
            .args(words)
            .env("TMPDIR", &self.0)
            // Whatever the user's own account has, is not for the demonstration.
            .env("TRELLIS_PEERS", "/ip4/127.0.0.1/tcp/1")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    fn is_empty(&self) -> bool {
        std::fs::read_dir(&self.0).unwrap().next().is_none()
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn four_processes_do_what_is_told() {
    let temporary = Temporary::new("whole");
    let mut demo = temporary.demo(&[]).spawn().unwrap();
    let start = Instant::now();
    while demo.try_wait().unwrap().is_none() {
        if start.elapsed() > LIMIT {
            demo.kill().unwrap();
            panic!("it takes too long: {:?}", demo.wait_with_output());
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    let output = demo.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(temporary.is_empty());
    let text = String::from_utf8(output.stdout).unwrap();
    let steps: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let step = |name: &str| steps.iter().find(|step| step["name"] == name).unwrap();
    let seen = |name: &str| &step(name)["seen"];

    assert_eq!(steps.len(), 8);
    assert_eq!(seen("open")["members"], 4);
    // Three connections with the first, three more among the others.
    for name in ["connect", "found"] {
        let exchanges = seen(name)["key_exchanges"].as_array().unwrap();
        assert_eq!(exchanges.len(), 3, "{name}");
        assert!(exchanges.iter().all(|exchange| exchange == "X25519MLKEM768"), "{exchanges:?}");
    }
    assert_eq!(seen("talk")["deliveries"], 12);
    // No message is smaller on the wire than what is in it.
    assert!(step("talk")["sent"].as_u64().unwrap() > 1000);
    assert_eq!(seen("away")["missed"], 3);
    assert_eq!(seen("heal")["agreed"], 4);
    assert!(["orchard", "meadow"].contains(&seen("heal")["name"].as_str().unwrap()));
    assert_eq!(seen("remove")["read_by_removed"], 0);
}

#[test]
fn nothing_is_left_when_it_fails() {
    let temporary = Temporary::new("late");
    // Nobody founds a group and has three others in it within a second.
    let output = temporary.demo(&["--timeout", "1"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(String::from_utf8(output.stderr).unwrap().contains("\"code\":\"demo\""));
    assert!(temporary.is_empty());
}

#[cfg(unix)]
#[test]
fn nothing_is_left_when_it_is_interrupted() {
    let temporary = Temporary::new("interrupted");
    let demo = temporary.demo(&[]).spawn().unwrap();
    std::thread::sleep(Duration::from_millis(1500));
    let interrupted = Command::new("kill").args(["-INT", &demo.id().to_string()]).status();
    assert!(interrupted.unwrap().success());
    let output = demo.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(temporary.is_empty());
}
