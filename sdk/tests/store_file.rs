//! The store in a file: opening, refusing, full disks, backups.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Instant;

use trellis_sdk::store::{Key, KeyCost, MessageRow, Space, Store, StoreError, StoreOptions};
use trellis_sdk::{Address, DeviceId, GroupId, MessageId, Time};

/// A directory of its own, which goes with the value.
struct Directory(PathBuf);

impl Directory {
    fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("trellis-{}-{number}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn options() -> StoreOptions {
    StoreOptions::default().with_cost(KeyCost::for_tests())
}

fn key() -> Key {
    Key::passphrase("correct horse battery staple")
}

fn open(path: &Path) -> Result<Store, StoreError> {
    Store::open(path, &key(), options())
}

fn put(store: &mut Store, name: &str, value: &[u8]) -> Result<(), StoreError> {
    store.transaction(|store| store.put(Space::Setting, b"", name.as_bytes(), value))
}

fn get(store: &Store, name: &str) -> Option<Vec<u8>> {
    store.get(Space::Setting, b"", name.as_bytes()).unwrap().map(|value| value.to_vec())
}

fn message(id: u8, text: &str) -> MessageRow {
    MessageRow {
        group: GroupId([1; 32]),
        id: MessageId([id; 16]),
        author: Address([7; 32]),
        device: DeviceId([8; 32]),
        seq: 1,
        written: Time(1),
        received: Time(2),
        own: false,
        delivery: vec![],
        text: Some(text.to_owned()),
        body: text.as_bytes().to_vec(),
    }
}

/// A store with something in it, closed again.
fn made(path: &Path) {
    let mut store = open(path).unwrap();
    put(&mut store, "name", b"a value that can be recognised").unwrap();
    store.transaction(|store| store.message_insert(&message(1, "recognisable text"))).unwrap();
}

fn is_whole(path: &Path) {
    let store = open(path).unwrap();
    assert_eq!(get(&store, "name").unwrap(), b"a value that can be recognised");
    assert_eq!(store.messages_search(None, "recognisable", 9).unwrap().len(), 1);
}

#[test]
fn what_was_committed_is_there_again_and_the_rest_is_not() {
    let directory = Directory::new();
    let path = directory.file("store");
    made(&path);
    is_whole(&path);
    let mut store = open(&path).unwrap();
    store.begin().unwrap();
    store.put(Space::Setting, b"", b"name", b"other").unwrap();
    drop(store);
    is_whole(&path);
}

#[test]
fn the_file_shows_nothing() {
    let directory = Directory::new();
    let path = directory.file("store");
    made(&path);
    let bytes = fs::read(&path).unwrap();
    for text in [&b"recognis"[..], b"SQLite", b"record", b"CREATE"] {
        assert!(!bytes.windows(text.len()).any(|window| window == text));
    }
    #[cfg(unix)]
    {
        let mode =
            std::os::unix::fs::PermissionsExt::mode(&fs::metadata(&path).unwrap().permissions());
        assert_eq!(mode & 0o777, 0o600);
    }
}

#[test]
fn each_file_has_a_salt_of_its_own() {
    let directory = Directory::new();
    let [one, other] = ["one", "other"].map(|name| directory.file(name));
    made(&one);
    made(&other);
    assert_ne!(fs::read(one).unwrap()[..16], fs::read(other).unwrap()[..16]);
}

#[test]
fn another_key_is_refused_and_nothing_is_lost() {
    let directory = Directory::new();
    let path = directory.file("store");
    made(&path);
    let before = fs::read(&path).unwrap();
    for key in [Key::passphrase("wrong"), Key::passphrase(""), Key::raw([1; 32])] {
        let error = Store::open(&path, &key, options()).unwrap_err();
        assert_eq!(error, StoreError::WrongKeyOrDamaged);
        assert_eq!(fs::read(&path).unwrap(), before);
    }
    // Another cost is another key.
    assert!(Store::open(&path, &key(), StoreOptions::default()).is_err());
    is_whole(&path);
}

#[test]
fn a_raw_key_opens_what_it_made() {
    let directory = Directory::new();
    let path = directory.file("store");
    let key = Key::raw([9; 32]);
    put(&mut Store::open(&path, &key, options()).unwrap(), "name", b"value").unwrap();
    assert_eq!(get(&Store::open(&path, &key, options()).unwrap(), "name").unwrap(), b"value");
}

#[test]
fn an_empty_file_becomes_a_store() {
    let directory = Directory::new();
    let path = directory.file("store");
    fs::write(&path, b"").unwrap();
    made(&path);
    is_whole(&path);
}

#[test]
fn other_files_are_refused_and_left_alone() {
    let directory = Directory::new();
    let path = directory.file("store");
    let plain = [&b"SQLite format 3\0"[..], &[0; 8176]].concat();
    for (content, error) in [
        (b"short".to_vec(), StoreError::NotADatabase),
        (vec![7; 5000], StoreError::NotADatabase),
        (plain, StoreError::NotEncrypted),
        (vec![7; 8192], StoreError::WrongKeyOrDamaged),
    ] {
        fs::write(&path, &content).unwrap();
        assert_eq!(open(&path).unwrap_err(), error);
        assert_eq!(fs::read(&path).unwrap(), content);
    }
    assert!(matches!(open(&directory.file("no/such")), Err(StoreError::Io(_))));
    assert!(matches!(open(&directory.0), Err(StoreError::Io(_))));
}

#[test]
fn damage_is_an_error_wherever_it_is() {
    let directory = Directory::new();
    let path = directory.file("store");
    {
        let mut store = open(&path).unwrap();
        for number in 0..40 {
            put(&mut store, &number.to_string(), &[number; 5000]).unwrap();
        }
    }
    let whole = fs::read(&path).unwrap();
    let mut seen = std::collections::BTreeSet::new();
    for page in 0..whole.len() / 4096 {
        let mut damaged = whole.clone();
        damaged[page * 4096 + 100] ^= 1;
        fs::write(&path, damaged).unwrap();
        let read = open(&path).and_then(|store| {
            (0..40).try_for_each(|number: u8| {
                let value = store.get(Space::Setting, b"", number.to_string().as_bytes())?;
                assert_eq!(value.map(|value| value.to_vec()), Some(vec![number; 5000]));
                Ok(())
            })
        });
        if let Err(error) = read {
            seen.insert(error.code());
        }
    }
    println!("damage shows as {seen:?}");
    assert_eq!(seen.into_iter().collect::<Vec<_>>(), ["damaged", "wrong-key-or-damaged"]);
}

#[test]
fn a_second_opening_is_refused_until_the_first_is_closed() {
    let directory = Directory::new();
    let path = directory.file("store");
    let mut store = open(&path).unwrap();
    assert_eq!(open(&path).unwrap_err(), StoreError::InUse);
    assert_eq!(open(&directory.file("./store")).unwrap_err(), StoreError::InUse);
    #[cfg(unix)]
    {
        let link = directory.file("link");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        assert_eq!(open(&link).unwrap_err(), StoreError::InUse);
    }
    assert!(StoreError::InUse.is_retryable());
    put(&mut store, "still", b"works").unwrap();
    drop(store);
    assert_eq!(get(&open(&path).unwrap(), "still").unwrap(), b"works");
}

#[test]
fn a_full_disk_takes_the_step_back_and_nothing_else() {
    let directory = Directory::new();
    for mut store in [open(&directory.file("store")).unwrap(), Store::in_memory().unwrap()] {
        put(&mut store, "before", b"there").unwrap();
        store.set_size_limit(Some(300_000)).unwrap();
        store.begin().unwrap();
        let error = (0..100_u32)
            .try_for_each(|number| store.put(Space::Done, b"", &number.to_be_bytes(), &[5; 9000]))
            .unwrap_err();
        assert_eq!(error, StoreError::Full);
        assert!(error.is_retryable() && !store.in_transaction());
        assert_eq!(store.put(Space::Done, b"", b"", b""), Err(StoreError::NoTransaction));
        assert_eq!(store.scan(Space::Done, b"").unwrap(), []);
        assert_eq!(get(&store, "before").unwrap(), b"there");
        store.set_size_limit(None).unwrap();
        put(&mut store, "after", &[5; 900_000]).unwrap();
        assert_eq!(get(&store, "after").unwrap().len(), 900_000);
    }
}

#[test]
fn a_killed_process_leaves_a_whole_store_and_no_lock() {
    const PATH: &str = "TRELLIS_STORE_TO_WRITE";
    if let Some(path) = std::env::var_os(PATH) {
        // This is the other process. It writes until it is killed.
        let mut store = open(Path::new(&path)).unwrap();
        println!("ready");
        for number in 0_u64.. {
            store
                .transaction(|store| {
                    let number = number.to_be_bytes();
                    store.put(
                        Space::Setting,
                        b"",
                        b"one",
                        &[&number[..], &[1; 20_000]].concat(),
                    )?;
                    store.put(Space::Setting, b"", b"two", &[&number[..], &[2; 20_000]].concat())
                })
                .unwrap();
            println!("{number}");
        }
    }
    let directory = Directory::new();
    let path = directory.file("store");
    for round in 0..5 {
        let mut child = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "a_killed_process_leaves_a_whole_store_and_no_lock", "--nocapture"])
            .env(PATH, &path)
            .stdout(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let output = std::io::BufReader::new(child.stdout.take().unwrap());
        let mut told = None;
        for line in std::io::BufRead::lines(output) {
            let line = line.unwrap();
            if line == "ready" {
                assert_eq!(open(&path).unwrap_err(), StoreError::InUse);
            }
            told = line.parse::<u64>().ok().or(told);
            if told >= Some(10 + round) {
                break;
            }
        }
        child.kill().unwrap();
        child.wait().unwrap();
        let store = open(&path).unwrap();
        let number = |name| {
            let value = get(&store, name).unwrap();
            u64::from_be_bytes(value[..8].try_into().unwrap())
        };
        assert_eq!(number("one"), number("two"));
        assert!(Some(number("one")) >= told, "what was told is still true");
    }
}

#[test]
fn a_backup_is_a_store_with_everything() {
    let directory = Directory::new();
    let (path, copy) = (directory.file("store"), directory.file("copy"));
    made(&path);
    let mut store = open(&path).unwrap();
    put(&mut store, "large", &[3; 500_000]).unwrap();
    let other = Key::passphrase("other");
    store.backup(&copy, &other).unwrap();
    // It replaces a former one, and the store goes on.
    store.backup(&copy, &other).unwrap();
    put(&mut store, "later", b"").unwrap();
    assert_eq!(store.backup(&path, &other), Err(StoreError::InUse));
    store.begin().unwrap();
    assert_eq!(store.backup(&copy, &other), Err(StoreError::InTransaction));
    store.rollback();
    let nowhere = directory.file("no/such");
    assert!(matches!(store.backup(&nowhere, &other), Err(StoreError::Io(_))));
    fs::create_dir(directory.file("taken")).unwrap();
    assert!(matches!(store.backup(directory.file("taken"), &other), Err(StoreError::Io(_))));
    put(&mut store, "still", b"works").unwrap();
    drop(store);

    assert_eq!(open(&copy).unwrap_err(), StoreError::WrongKeyOrDamaged);
    let mut backup = Store::open(&copy, &other, options()).unwrap();
    assert_eq!(get(&backup, "name").unwrap(), b"a value that can be recognised");
    assert_eq!(get(&backup, "large").unwrap(), [3; 500_000]);
    assert_eq!(get(&backup, "later"), None);
    assert_eq!(backup.messages_search(None, "recognisable", 9).unwrap().len(), 1);
    backup
        .transaction(|store| {
            assert!(!store.message_insert(&message(1, "again"))?);
            assert!(store.message_insert(&message(2, "further text"))?);
            store.message_set_text(GroupId([1; 32]), MessageId([1; 16]), None, b"")
        })
        .unwrap();
    assert_eq!(backup.messages_search(None, "text", 9).unwrap().len(), 1);
    drop(backup);
    is_whole(&path);
    assert_ne!(fs::read(&path).unwrap()[..16], fs::read(&copy).unwrap()[..16]);
    let names: Vec<_> = fs::read_dir(&directory.0)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.contains("unfinished"))
        .collect();
    assert_eq!(names, [] as [&str; 0]);
}

#[test]
fn erasing_and_compacting_keep_everything() {
    let directory = Directory::new();
    let path = directory.file("store");
    made(&path);
    let mut store = open(&path).unwrap();
    put(&mut store, "large", &[3; 500_000]).unwrap();
    let before = fs::metadata(&path).unwrap().len();
    put(&mut store, "large", b"").unwrap();
    store.erase().unwrap();
    store.compact().unwrap();
    assert!(fs::metadata(&path).unwrap().len() + 400_000 < before);
    drop(store);
    is_whole(&path);
}

#[test]
fn the_default_cost_is_felt() {
    let directory = Directory::new();
    let path = directory.file("store");
    let start = Instant::now();
    let open = || Store::open(&path, &key(), StoreOptions::default());
    put(&mut open().unwrap(), "name", b"value").unwrap();
    println!("opening with the default cost: {:?}", start.elapsed());
    assert_eq!(get(&open().unwrap(), "name").unwrap(), b"value");
}

#[test]
fn speed() {
    let directory = Directory::new();
    for (name, mut store) in
        [("file", open(&directory.file("store")).unwrap()), ("memory", Store::in_memory().unwrap())]
    {
        let start = Instant::now();
        for number in 0..200_u32 {
            store
                .transaction(|store| {
                    store.put(Space::Done, b"", &number.to_be_bytes(), &[1; 200])?;
                    store.put(Space::Sent, b"", &number.to_be_bytes(), &[2; 2000])
                })
                .unwrap();
        }
        println!("{name}: {:?} a step of two writes", start.elapsed() / 200);
        let start = Instant::now();
        for number in 0..10_000_u32 {
            let number = number % 200;
            store.get(Space::Sent, b"", &number.to_be_bytes()).unwrap().unwrap();
        }
        println!("{name}: {:?} a read", start.elapsed() / 10_000);
        let start = Instant::now();
        store.erase().unwrap();
        println!("{name}: {:?} to erase", start.elapsed());
    }
}
