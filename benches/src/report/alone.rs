//! One life in a process of its own, so that its memory can be told from that of others.

use std::io;
use std::ops::ControlFlow;
use std::process::{Command, Stdio};

use serde::{Deserialize, Serialize};

use crate::group::contenders::{Field, has};
use crate::group::full_tree::FullTrees;
use crate::group::{Contender, Done, Operation, Tree};
use crate::suites::Suite;

/// What such a process tells.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Alone {
    /// Each operation with its microseconds and the bytes that it sent.
    pub done: Vec<(Operation, f64, usize)>,
    /// The resident size before the group began, and the most from then on, in bytes. `None` where
    /// the system does not tell.
    pub memory: Option<(u64, u64)>,
}

/// The flag with which the report calls itself.
pub const FLAG: &str = "--alone";

/// Starts a process that lives through one group, and waits for it.
///
/// # Errors
///
/// If it cannot be started or fails; what it says about that goes to the standard error.
pub fn spawn(suite: Suite, members: usize, contender: Contender) -> io::Result<Alone> {
    let output = Command::new(std::env::current_exe()?)
        .arg(FLAG)
        .args([suite.short, &members.to_string(), contender.name()])
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()?;
    if !output.status.success() {
        return Err(io::Error::other(format!(
            "{} with {members} members on {} failed: {}",
            suite.short,
            contender.name(),
            output.status
        )));
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// Lives through one group, in the process that was started.
///
/// # Errors
///
/// If it does not know what it is asked for, or cannot tell the result.
pub fn run(arguments: &[String]) -> io::Result<()> {
    let unknown = || io::Error::other(format!("{FLAG} takes suite, members and contender"));
    let [suite, members, contender] = arguments else { return Err(unknown()) };
    let suite = Suite::find(suite).ok_or_else(unknown)?;
    let members = members.parse().map_err(|_| unknown())?;
    let contender = Contender::ALL.iter().copied().find(|known| known.name() == contender);
    let contender = contender.ok_or_else(unknown)?;
    if members < 2 || !has(suite, members, contender, Tree::Fresh) {
        return Err(unknown());
    }

    let full_trees = FullTrees::default();
    let field = Field::new(suite, members, &full_trees);
    let mut life = field.life(contender, Tree::Fresh);
    let before = memory::begin();
    let mut done = Vec::new();
    life.live(&mut |each: Done| {
        done.push((each.operation, each.time.as_secs_f64() * 1e6, each.bytes));
        ControlFlow::Continue(())
    });
    let memory = before.zip(memory::peak());
    serde_json::to_writer(io::stdout().lock(), &Alone { done, memory })?;
    Ok(())
}

/// Resident sizes as Linux tells them (proc_pid_status(5)).
pub(crate) mod memory {
    use std::fs;

    /// The resident size now, in bytes; the peak is counted from here.
    pub(crate) fn begin() -> Option<u64> {
        // 5 resets the peak (proc_pid_clear_refs(5)).
        fs::write("/proc/self/clear_refs", "5").ok()?;
        field("VmRSS:")
    }

    /// The resident size now, in bytes.
    pub(crate) fn now() -> Option<u64> {
        field("VmRSS:")
    }

    /// The largest resident size since, in bytes.
    pub(crate) fn peak() -> Option<u64> {
        field("VmHWM:")
    }

    fn field(name: &str) -> Option<u64> {
        let status = fs::read_to_string("/proc/self/status").ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        let kibibytes: u64 = line.split_whitespace().next()?.parse().ok()?;
        Some(kibibytes * 1024)
    }
}
