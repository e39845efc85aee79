//! A mailbox that is killed at any moment still has what it acknowledged.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use trellis_sdk::mailbox::client::{Call, ClientError, Session};
use trellis_sdk::mailbox::store::{Redb, RedbOptions};
use trellis_sdk::mailbox::wire::{Deposit, Kind};
use trellis_sdk::mailbox::{Capability, EnvelopeId, Limits, List, MailboxKeys, Service, client};
use trellis_sdk::{Span, Time, Topic};

/// Says in which file a child works, and that it is one.
const CHILD: &str = "TRELLIS_MAILBOX_CHILD";
const TOPIC: Topic = Topic([1; 32]);
const ROUNDS: u64 = 12;
const SUITE: u16 = 7;

fn capability() -> Capability {
    Capability::from_secret(&[3; 32])
}

async fn open(file: &Path) -> Service<Redb> {
    let mut limits = Limits::default();
    limits.peer_requests.burst = 1_000_000;
    limits.peer_takes.burst = 1_000_000;
    limits.box_takes.burst = 1_000_000;
    let store = Redb::open(file, RedbOptions::default()).unwrap();
    let keys = MailboxKeys::from_secret(&[2; 32]);
    Service::open(keys, limits, store, Time::from_system()).await.unwrap()
}

async fn run<T>(mailbox: &Service<Redb>, call: Call<'_, T>) -> T {
    let carry = async |frame: Vec<u8>| {
        Ok::<_, ClientError>(mailbox.handle(Time::from_system(), b"peer", &frame).await)
    };
    call.run(carry).await.unwrap()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Works until it is killed, and says what it was acknowledged. Does nothing if it is no child.
#[tokio::test]
async fn child() {
    let Some(file) = std::env::var_os(CHILD) else { return };
    let mailbox = open(Path::new(&file)).await;
    let mut session = Session::new(capability(), mailbox.id());
    run(&mailbox, session.open(vec![TOPIC], 3600).unwrap()).await;
    let begin = Time::from_system().0;
    let mut out = std::io::stdout();
    for number in 1_u64.. {
        let envelopes: Vec<_> = (0..4_u64)
            .map(|part| (TOPIC, [begin, number, part].map(u64::to_be_bytes).concat()))
            .collect();
        let ids: Vec<_> = envelopes.iter().map(|(_, bytes)| EnvelopeId::of(bytes)).collect();
        run(&mailbox, session.store(envelopes).unwrap()).await;
        for id in ids {
            writeln!(out, "kept {}", hex(&id.0)).unwrap();
        }
        let package = [begin, number].map(u64::to_be_bytes).concat();
        let deposit = Deposit {
            suite: SUITE,
            serial: begin + number,
            expires: Time::from_system() + Span::seconds(3600),
            one_time: List::new(vec![package.into()]).unwrap(),
            last_resort: None,
            beside: List::default(),
        };
        run(&mailbox, session.deposit(deposit)).await;
        let frame = client::take(capability().box_id(), SUITE);
        let answer = mailbox.handle(Time::from_system(), b"stranger", &frame).await;
        let taken = client::taken(&answer).unwrap();
        assert_eq!(taken.kind, Kind::OneTime);
        writeln!(out, "gave {}", hex(taken.package.as_slice())).unwrap();
        out.flush().unwrap();
    }
}

/// Starts the child, kills it after a while, and gives what it had said.
fn kill_after(file: &Path, time: Duration) -> Vec<String> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["child", "--exact", "--nocapture", "--test-threads=1"])
        .env(CHILD, file)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let stdout = child.stdout.take().unwrap();
    let reader = std::thread::spawn(move || {
        BufReader::new(stdout).lines().map_while(Result::ok).collect::<Vec<_>>()
    });
    std::thread::sleep(time);
    // SIGKILL.
    child.kill().unwrap();
    child.wait().unwrap();
    reader.join().unwrap()
}

#[tokio::test]
async fn a_kill_at_any_moment() {
    let directory = std::env::temp_dir().join(format!("trellis-mailbox-{}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    let file = directory.join("mailbox");
    let (mut kept, mut gave) = (BTreeSet::new(), BTreeSet::new());
    let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
    for round in 0..ROUNDS {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        for line in kill_after(&file, Duration::from_millis(30 + (seed >> 33) % 400)) {
            // A line may follow what the test harness prints, or be cut off.
            if let Some((_, id)) = line.split_once("kept ").filter(|(_, id)| id.len() == 64) {
                kept.insert(id.to_owned());
            }
            if let Some((_, name)) = line.split_once("gave ").filter(|(_, name)| name.len() == 32) {
                assert!(gave.insert(name.to_owned()), "a key package was given twice");
            }
        }
        if !file.exists() {
            continue;
        }
        let mailbox = open(&file).await;
        let known = mailbox.known(capability().box_id()).await.unwrap_or_default();
        let known: BTreeSet<_> = known.iter().map(|id| hex(&id.0)).collect();
        let lost: Vec<_> = kept.difference(&known).collect();
        assert!(lost.is_empty(), "round {round}: {} of {} are lost", lost.len(), kept.len());
        // What was deposited and not yet given may be given now, what was given may not.
        let frame = client::take(capability().box_id(), SUITE);
        let answer = mailbox.handle(Time::from_system(), b"stranger", &frame).await;
        if let Ok(taken) = client::taken(&answer) {
            assert!(gave.insert(hex(taken.package.as_slice())), "a key package was given twice");
        }
    }
    println!("{ROUNDS} rounds, {} envelopes, {} key packages", kept.len(), gave.len());
    assert!(kept.len() > 10 && gave.len() > 2);
    std::fs::remove_dir_all(&directory).unwrap();
}
