//! Hosts, switches and wires of a network of its own, each in a network namespace. All of it goes with
//! the [`Lab`], also when a test panics, and what a killed run left goes when the next one begins.

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What the names of our namespaces begin with; the number of the process follows.
const PREFIX: &str = "trellis-";

/// A network for one test. There is one at a time.
pub struct Lab {
    id: String,
    places: Vec<Place>,
    wires: u32,
    _turn: MutexGuard<'static, ()>,
}

/// A namespace: a host, a router or a switch.
#[derive(Clone, Debug)]
pub struct Place {
    namespace: String,
}

impl Lab {
    /// A network without hosts; nothing, after a word why, where there can be none.
    pub fn new(test: &str) -> Option<Self> {
        static TURN: Mutex<()> = Mutex::new(());
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(reason) = possible() {
            say(&format!("{test}: skipped: {reason}"));
            return None;
        }
        sweep();
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let id = format!("{PREFIX}{}-{number}", std::process::id());
        Some(Self { id, places: Vec::new(), wires: 0, _turn: turn })
    }

    /// A host that nothing is plugged into.
    pub fn host(&mut self, name: &str) -> Place {
        let place = Place { namespace: format!("{}-{name}", self.id) };
        // It goes with the lab even if something fails half-way.
        self.places.push(place.clone());
        run("ip", &["netns", "add", &place.namespace]);
        place.ip("link set lo up");
        place
    }

    /// A host that passes on what is for others.
    pub fn router(&mut self, name: &str) -> Place {
        let place = self.host(name);
        place.shell("echo 1 > /proc/sys/net/ipv4/ip_forward");
        place
    }

    /// A switch.
    pub fn switch(&mut self, name: &str) -> Place {
        let place = self.host(name);
        place.ip("link add bridge type bridge mcast_snooping 0");
        place.ip("link set bridge up");
        place
    }

    /// A wire between two places: how its ends are called.
    pub fn wire(&mut self, one: (&Place, &str), other: (&Place, &str)) {
        let (here, there) = (&one.0.namespace, &other.0.namespace);
        let arguments = format!(
            "link add {} netns {here} type veth peer name {} netns {there}",
            one.1, other.1
        );
        run("ip", &arguments.split(' ').collect::<Vec<_>>());
        for (place, name) in [one, other] {
            place.ip(&format!("link set {name} up"));
        }
    }

    /// Plugs a host into a switch, with an address such as `10.0.0.1/24`. Returns how the switch calls
    /// its end.
    pub fn plug(&mut self, host: &Place, name: &str, address: &str, switch: &Place) -> String {
        self.wires += 1;
        let port = format!("port{}", self.wires);
        self.wire((host, name), (switch, &port));
        switch.ip(&format!("link set {port} master bridge"));
        host.ip(&format!("address add {address} dev {name}"));
        port
    }

    /// A wire between two switches. Returns how the first one calls its end.
    pub fn join(&mut self, one: &Place, other: &Place) -> String {
        self.wires += 1;
        let port = format!("port{}", self.wires);
        self.wire((one, &port), (other, &port));
        for switch in [one, other] {
            switch.ip(&format!("link set {port} master bridge"));
        }
        port
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        for place in &self.places {
            // Wires go with either of their ends.
            let _ = Command::new("ip").args(["netns", "delete", &place.namespace]).status();
        }
    }
}

impl Place {
    /// A program in it; `command` is what has to be there to start it.
    pub fn command(&self, program: impl AsRef<Path>) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.namespace]).arg(program.as_ref());
        command
    }

    /// `ip` in it, with arguments that have no spaces in them.
    pub fn ip(&self, arguments: &str) {
        let namespace = ["-netns", &self.namespace];
        run("ip", &namespace.into_iter().chain(arguments.split(' ')).collect::<Vec<_>>());
    }

    /// The way to everywhere else.
    pub fn gateway(&self, address: &str) {
        self.ip(&format!("route add default via {address}"));
    }

    /// Rules of nftables.
    pub fn nft(&self, rules: &str) {
        let mut child =
            self.command("nft").args(["-f", "-"]).stdin(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(rules.as_bytes()).unwrap();
        assert!(child.wait().unwrap().success(), "nft refuses: {rules}");
    }

    /// How many bytes have come in by a wire.
    pub fn received(&self, name: &str) -> u64 {
        let counter = format!("/sys/class/net/{name}/statistics/rx_bytes");
        let output = self.command("cat").arg(counter).output().unwrap();
        String::from_utf8_lossy(&output.stdout).trim().parse().unwrap()
    }

    fn shell(&self, script: &str) {
        let status = self.command("sh").args(["-c", script]).status().unwrap();
        assert!(status.success(), "{script}: {status}");
    }
}

/// Prints what the harness would keep to itself.
pub fn say(line: &str) {
    let mut text = String::new();
    writeln!(text, "netns: {line}").unwrap();
    let _ = io::stderr().write_all(text.as_bytes());
}

fn run(program: &str, arguments: &[&str]) {
    if let Err(error) = tried(program, arguments) {
        panic!("{program} {}: {error}", arguments.join(" "));
    }
}

fn tried(program: &str, arguments: &[&str]) -> Result<(), String> {
    let output = Command::new(program).args(arguments).stdin(Stdio::null()).output();
    let output = output.map_err(|error| error.to_string())?;
    if output.status.success() {
        return Ok(());
    }
    Err(String::from_utf8_lossy(&output.stderr).trim().to_owned())
}

/// Why there can be no namespaces here.
fn possible() -> Result<(), String> {
    let status = std::fs::read_to_string("/proc/self/status").map_err(|error| error.to_string())?;
    let ids = status.lines().find_map(|line| line.strip_prefix("Uid:")).unwrap_or_default();
    if ids.split_whitespace().nth(1) != Some("0") {
        return Err("it takes root".into());
    }
    for (program, version) in [("ip", "-V"), ("nft", "-v"), ("ethtool", "--version")] {
        tried(program, &[version]).map_err(|_| format!("`{program}` is missing"))?;
    }
    // Root in a container may have less to say.
    let probe = format!("{PREFIX}{}-probe", std::process::id());
    let made = tried("ip", &["netns", "add", &probe]);
    let _ = tried("ip", &["netns", "delete", &probe]);
    made.map_err(|error| format!("no namespaces: {error}"))
}

/// Deletes the namespaces of runs that ended without doing so.
fn sweep() {
    let Ok(entries) = std::fs::read_dir("/run/netns") else { return };
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let process = name.strip_prefix(PREFIX).and_then(|rest| rest.split('-').next());
        if process.is_some_and(|process| !Path::new("/proc").join(process).exists()) {
            let _ = tried("ip", &["netns", "delete", &name]);
        }
    }
}
