//! The program itself, as a script runs it.

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

/// A directory of its own, which goes with the value.
struct Home(PathBuf);

impl Home {
    fn new(name: &str) -> Self {
        let path =
            std::env::temp_dir().join(format!("trellis-binary-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_trellis"));
        command
            .env("TRELLIS_STORE", self.0.join("data").join("account.db"))
            .env("TRELLIS_PASSPHRASE", "correct horse battery staple")
            .args(words);
        command
    }

    fn run(&self, words: &[&str]) -> Output {
        self.command(words).stdin(Stdio::null()).output().unwrap()
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn json(bytes: &[u8]) -> Vec<serde_json::Value> {
    let text = std::str::from_utf8(bytes).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn it_ends_with_the_code_that_its_help_promises() {
    let home = Home::new("codes");
    let none = home.run(&["--json", "address"]);
    assert_eq!(none.status.code(), Some(5));
    assert_eq!(json(&none.stderr)[0]["code"], "no-store");
    assert!(none.stdout.is_empty());

    let usage = home.run(&["--json", "fly"]);
    assert_eq!(usage.status.code(), Some(2));
    assert_eq!(json(&usage.stderr)[0]["code"], "usage");
    assert_eq!(home.run(&["fly"]).status.code(), Some(2));
    let help = home.run(&["--help"]);
    assert_eq!(help.status.code(), Some(0));
    assert!(String::from_utf8(help.stdout).unwrap().contains("Exit codes:"));
    // Without a terminal there is no messenger.
    let messenger = home.run(&["--offline"]);
    assert_eq!(messenger.status.code(), Some(2));
    assert!(String::from_utf8(messenger.stderr).unwrap().contains("needs a terminal"));
}

#[test]
fn an_agent_lives_between_two_pipes() {
    let home = Home::new("agent");
    let made = home.run(&["--json", "init"]);
    assert_eq!(made.status.code(), Some(0), "{made:?}");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(home.0.join("data")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
    }
    let mut agent = home
        .command(&["--offline", "agent"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = agent.stdin.take().unwrap();
    writeln!(input, r#"{{"id": 1, "args": ["group", "create", "garden"]}}"#).unwrap();
    writeln!(input, r#"{{"id": 2, "args": ["send", "garden", "frost tonight"]}}"#).unwrap();
    drop(input);
    let output = agent.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    let lines = json(&output.stdout);
    assert_eq!(lines[0]["type"], "ready");
    let ends: Vec<_> = lines.iter().filter(|line| line["type"] == "end").collect();
    assert_eq!(ends.len(), 2);
    assert!(ends.iter().all(|end| end["ok"] == true), "{ends:?}");
    // Nothing but the error is on standard error: not what libraries have to say.
    let wrong = home.command(&["--json", "address"]).env("TRELLIS_PASSPHRASE", "wrong").output();
    let wrong = wrong.unwrap();
    assert_eq!((wrong.status.code(), json(&wrong.stderr).len()), (Some(4), 1));
    let history = home.run(&["--json", "history", "garden"]);
    assert_eq!(json(&history.stdout)[0]["text"], "frost tonight");
}

#[test]
fn the_script_of_the_demonstration_is_told() {
    let told = Home::new("script").run(&["--json", "demo", "--script"]);
    assert_eq!(told.status.code(), Some(0));
    let steps = json(&told.stdout);
    assert_eq!(steps.len(), 8);
    assert!(steps.iter().all(|step| step["type"] == "step" && step["millis"].is_null()));
}

#[test]
fn completions_and_manual_are_made() {
    let home = Home::new("papers");
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let made = home.run(&["completions", shell]);
        assert_eq!(made.status.code(), Some(0));
        assert!(String::from_utf8(made.stdout).unwrap().contains("rotate-keys"), "{shell}");
    }
    let page = String::from_utf8(home.run(&["man"]).stdout).unwrap();
    assert!(page.starts_with(".ie") || page.contains(".TH trellis 1"), "{page}");
    assert!(page.contains("Exit codes"));
    let directory = home.0.display().to_string();
    assert_eq!(home.run(&["man", &directory]).status.code(), Some(0));
    assert!(home.0.join("trellis-group-create.1").exists());
}
