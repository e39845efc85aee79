//! A run: everything is measured.

use std::io;
use std::time::Instant;

use super::data::Sdk;
use super::files::Folder;
use super::grown::Grown;
use super::plan::Plan;
use super::{commit, convergence, growth, message, opening, targets};
use crate::report::machine;
use crate::report::progress::Progress;

/// The packages whose versions matter here.
const PACKAGES: [&str; 4] =
    ["trellis-ciphersuites", "openmls_trellis_crypto", "openmls", "openmls_sqlite_storage"];

/// Measures what the plan says.
///
/// # Errors
///
/// If a process that opens a client cannot be started or fails.
pub fn run(plan: &Plan) -> io::Result<Sdk> {
    let start = Instant::now();
    let folder = Folder::new();
    let versions =
        machine::versions().into_iter().filter(|each| PACKAGES.contains(&each.package.as_str()));
    let mut sdk = Sdk {
        quick: plan.quick,
        date: machine::today(),
        seconds: 0.0,
        machine: machine::machine(),
        versions: versions.collect(),
        timed: Vec::new(),
        growth: Vec::new(),
        opening: None,
        convergence: Vec::new(),
        targets: Vec::new(),
    };
    let progress = Progress::new(4 * plan.groups.len() + 1 + plan.convergence.1.len());
    let part = |name: &str| progress.part(name);
    for group in plan.groups {
        let members = group.members;
        part(&format!("a group of {members} comes together"));
        let grown = Grown::new(members, &folder);
        progress.done();
        part(&format!("messages, {members} members"));
        sdk.timed.extend(message::measure(&grown, &folder, group.messages));
        progress.done();
        part(&format!("commits, {members} members"));
        sdk.timed.extend(commit::measure(&grown, &folder, group.commits));
        progress.done();
        part(&format!("growth, {members} members"));
        sdk.growth.push(growth::measure(&grown, &folder, &group.growth));
        progress.done();
    }
    let (account, turns) = plan.opening;
    part(&format!("opening, {} groups", account.groups));
    sdk.opening = Some(opening::measure(&account, &folder, turns)?);
    progress.done();
    let (shape, commits) = plan.convergence;
    for &commits in commits {
        part(&format!("{} clients in {} parts, {commits} commits", shape.nodes, shape.parts));
        sdk.convergence.push(convergence::measure(shape, commits));
        progress.done();
    }
    sdk.targets = targets::targets(&sdk);
    sdk.seconds = start.elapsed().as_secs_f64();
    Ok(sdk)
}
