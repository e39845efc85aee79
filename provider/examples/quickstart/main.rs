//! Four members, one group, every kind of step: real OpenMLS groups, real bytes.
//!
//! ```text
//! cargo run --release -p openmls_trellis_crypto --example quickstart [--suite NAME] [FILE]
//! cargo run --release -p openmls_trellis_crypto --example quickstart -- --list
//! ```

mod arguments;
mod ledger;
mod member;

use std::error::Error;
use std::process::ExitCode;

use arguments::{Arguments, Command};
use ledger::Ledger;
use member::Member;
use openmls_traits::types::Ciphersuite;

fn main() -> ExitCode {
    let (suite, text) = match Arguments::parse(std::env::args().skip(1)) {
        Ok(Command::Run(Arguments { suite, text })) => (suite, text),
        Ok(Command::Print(page)) => {
            print!("{page}");
            return ExitCode::SUCCESS;
        }
        Err(complaint) => {
            eprintln!("quickstart: {complaint}");
            return ExitCode::from(2);
        }
    };
    match run(suite, &text) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("quickstart: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(suite: Ciphersuite, text: &str) -> Result<(), Box<dyn Error>> {
    let mut ledger = Ledger::default();
    println!("{suite}\n");

    let (mut alice, mut bob, mut carol, mut dave) =
        ledger.time("four members make their keys", || {
            Ok((
                Member::new("Alice", suite)?,
                Member::new("Bob", suite)?,
                Member::new("Carol", suite)?,
                Member::new("Dave", suite)?,
            ))
        })?;

    // Alice creates the group and adds two members in one commit.
    ledger.time("Alice creates the group", || alice.create_group())?;
    let packages = ledger.time_bytes("Bob and Carol publish key packages", || {
        Ok(vec![bob.key_package()?, carol.key_package()?])
    })?;
    let mut sent = ledger.time_bytes("Alice adds both, one commit and Welcome", || {
        let (commit, welcome) = alice.add(&packages)?;
        Ok(vec![commit, welcome])
    })?;
    let welcome = sent.pop().unwrap_or_default();
    ledger.time("Bob joins by the Welcome", || bob.join(&welcome))?;
    ledger.time("Carol joins by the Welcome", || carol.join(&welcome))?;

    // A message to everyone.
    let message = ledger.time_bytes("Alice sends the text", || Ok(vec![alice.send(text)?]))?;
    for member in [&mut bob, &mut carol] {
        let step = format!("{} reads it", member.name());
        let read = ledger.time(&step, || member.read(&message[0]))?;
        expect(&read, text)?;
        println!("{} reads {} bytes: {}", member.name(), read.len(), first_line(&read));
    }

    // Everyone gives the group fresh keys: a commit with a path, which is where members who derive
    // keys differently would part.
    let mut members = [alice, bob, carol];
    for updater in 0..members.len() {
        let step = format!("{} updates, commit with path", members[updater].name());
        let commit = ledger.time_bytes(&step, || Ok(vec![members[updater].update()?]))?;
        ledger.time("  the two others follow", || {
            let others = (0..members.len()).filter(|&other| other != updater);
            others.into_iter().try_for_each(|other| members[other].follow(&commit[0]))
        })?;
    }
    let [mut alice, mut bob, mut carol] = members;

    // Carol is removed and can read nothing from then on, whether she follows the commit or not.
    let commit = ledger.time_bytes("Alice removes Carol", || Ok(vec![alice.remove("Carol")?]))?;
    ledger.time("  Bob follows", || bob.follow(&commit[0]))?;
    let secret =
        ledger.time_bytes("Bob sends to those who are left", || Ok(vec![bob.send("just us")?]))?;
    expect(&alice.read(&secret[0])?, "just us")?;
    for state in ["who keeps her old keys", "who follows the commit"] {
        match carol.read(&secret[0]) {
            Ok(_) => return Err("Carol still reads after her removal".into()),
            Err(error) => println!("Carol, removed, {state}, cannot read: {error}"),
        }
        if carol.is_member() {
            carol.follow(&commit[0])?;
        }
    }

    // Dave joins on his own, from what Alice publishes about the group.
    let info =
        ledger.time_bytes("Alice publishes the GroupInfo", || Ok(vec![alice.group_info()?]))?;
    let commit = ledger.time_bytes("Dave joins by external commit", || {
        Ok(vec![dave.join_externally(&info[0])?])
    })?;
    ledger.time("  Alice and Bob follow", || {
        alice.follow(&commit[0])?;
        bob.follow(&commit[0])
    })?;
    let hello = ledger.time_bytes("Dave sends to all", || Ok(vec![dave.send("hello")?]))?;
    expect(&alice.read(&hello[0])?, "hello")?;
    expect(&bob.read(&hello[0])?, "hello")?;

    println!("\n{ledger}");
    let mut secrets = Vec::new();
    for member in [&alice, &bob, &dave] {
        let secret = member.exported_secret()?;
        println!(
            "{:<6} epoch {}, exporter secret {}",
            member.name(),
            member.epoch(),
            hex(&secret[..8])
        );
        secrets.push(secret);
    }
    if secrets.iter().any(|secret| *secret != secrets[0]) {
        return Err("the exporter secrets differ".into());
    }
    println!("The exporter secrets are equal (first 8 of 32 bytes shown).");
    Ok(())
}

fn expect(read: &str, sent: &str) -> Result<(), Box<dyn Error>> {
    if read == sent { Ok(()) } else { Err("a member read something else than was sent".into()) }
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
