//! A disk that is full, and one that is not any more.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use redb::StorageBackend;
use redb::backends::InMemoryBackend;

use super::*;
use crate::mailbox::store::conformance::{self, mail, record};

/// A disk with so much room.
#[derive(Debug, Clone)]
struct Disk {
    file: Arc<InMemoryBackend>,
    room: Arc<AtomicU64>,
}

impl StorageBackend for Disk {
    fn len(&self) -> io::Result<u64> {
        self.file.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.file.read(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        if len > self.file.len()? && len > self.room.load(Ordering::SeqCst) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.file.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.file.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.file.write(offset, data)
    }
}

fn on(disk: &Disk) -> Redb {
    let disk = disk.clone();
    let opener: Opener =
        Box::new(move || Database::builder().create_with_backend(disk.clone()).map_err(error));
    Redb::start(opener).unwrap()
}

fn disk() -> Disk {
    let room = Arc::new(AtomicU64::new(u64::MAX));
    Disk { file: Arc::new(InMemoryBackend::new()), room }
}

#[tokio::test]
async fn does_what_every_store_does() {
    conformance::check(&on(&disk())).await;
}

#[tokio::test]
async fn a_full_disk_is_an_error_and_nothing_is_lost_or_half_there() {
    let disk = disk();
    let store = on(&disk);
    let (id, room) = (BoxId([1; 32]), conformance::AMPLE);
    store.write(id, record(&[])).await.unwrap();
    let now_full = disk.file.len().unwrap() + (1 << 20);
    disk.room.store(now_full, Ordering::SeqCst);

    let mut kept = Vec::new();
    let refused = loop {
        let next = mail(kept.len() as u64, 30_000);
        match store.put(id, vec![next.clone()], room).await {
            Ok(new) => {
                assert_eq!(new, 1);
                kept.push(next.id);
            }
            Err(error) => break (next, error),
        }
        assert!(kept.len() < 1000, "the disk does not get full");
    };
    assert!(matches!(refused.1, StoreError::DiskFull), "{:?}", refused.1);
    assert!(!kept.is_empty());

    let mut expected = kept.clone();
    expected.sort_unstable();
    assert_eq!(store.ids(id, Time(0)).await.unwrap(), expected);
    assert_eq!(store.usage(id).await.unwrap().count, kept.len() as u64);

    disk.room.store(u64::MAX, Ordering::SeqCst);
    assert_eq!(store.put(id, vec![refused.0.clone()], room).await.unwrap(), 1);
    assert_eq!(store.usage(id).await.unwrap().count, kept.len() as u64 + 1);
}

#[tokio::test]
async fn a_file_is_opened_once_and_keeps_what_it_has() {
    let directory = std::env::temp_dir().join(format!("trellis-redb-{}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    let path = directory.join("mailbox");
    let store = Redb::open(&path, RedbOptions::default()).unwrap();
    let again = Redb::open(&path, RedbOptions::default());
    assert!(matches!(again, Err(StoreError::Unavailable)));
    let id = BoxId([1; 32]);
    store.write(id, record(&[])).await.unwrap();
    store.put(id, vec![mail(1, 100)], conformance::AMPLE).await.unwrap();
    drop(store);
    let store = Redb::open(&path, RedbOptions::default()).unwrap();
    assert_eq!(store.ids(id, Time(0)).await.unwrap(), vec![mail(1, 100).id]);
    drop(store);
    std::fs::write(&path, b"no database at all, but long enough to look at").unwrap();
    assert!(matches!(Redb::open(&path, RedbOptions::default()), Err(StoreError::Failed(_))));
    std::fs::remove_dir_all(&directory).unwrap();
}

#[tokio::test]
async fn what_is_too_old_is_deleted_some_at_a_time() {
    let (store, id) = (on(&disk()), BoxId([1; 32]));
    store.write(id, record(&[])).await.unwrap();
    let all: Vec<_> = (0..tables::EXPIRED as u64 + 100).map(|number| mail(number, 8)).collect();
    store.put(id, all, conformance::AMPLE).await.unwrap();
    let end = Time(1 << 40);
    assert_eq!(store.expire(end).await.unwrap(), tables::EXPIRED);
    assert_eq!(store.expire(end).await.unwrap(), 100);
    assert_eq!(store.expire(end).await.unwrap(), 0);
}

/// Something to do, and where it is said that it is done.
fn job(work: impl FnOnce() + Send + 'static) -> (Job, oneshot::Receiver<StoreResult<Done>>) {
    let (answer, done) = oneshot::channel();
    let work = move |_: &mut Tables<'_>| {
        work();
        Ok(Done::Nothing)
    };
    (Job { work: Box::new(work), answer }, done)
}

#[test]
fn so_many_share_a_transaction() {
    let database = Database::builder().create_with_backend(InMemoryBackend::new()).unwrap();
    let shared: Shared = Arc::new(RwLock::new(Some(database)));
    let (jobs, waiting) = mpsc::channel(writer::WAITING);
    let (first, done) = job(|| ());
    jobs.try_send(first).unwrap();
    // The first is answered after its transaction, and before the next one begins.
    let (done, together) = (Arc::new(Mutex::new(done)), Arc::new(AtomicU64::new(1)));
    for _ in 1..writer::BATCH + 5 {
        let (done, together) = (done.clone(), together.clone());
        let (next, _) = job(move || {
            if matches!(done.lock().unwrap().try_recv(), Err(oneshot::error::TryRecvError::Empty)) {
                together.fetch_add(1, Ordering::SeqCst);
            }
        });
        jobs.try_send(next).unwrap();
    }
    drop(jobs);
    let opener: Opener = Box::new(|| Err(StoreError::Unavailable));
    writer::run(&shared, &opener, waiting);
    assert_eq!(together.load(Ordering::SeqCst), writer::BATCH as u64);
}

#[test]
fn so_many_wait_for_a_disk_that_is_slow() {
    let store = on(&disk());
    let busy = store.shared.write().unwrap();
    let jobs = store.jobs.as_ref().unwrap();
    let waiting =
        (0..10 * writer::WAITING).take_while(|_| jobs.try_send(job(|| ()).0).is_ok()).count();
    // The writer may have taken the first ones out.
    let bounds = writer::WAITING..=writer::WAITING + writer::BATCH;
    assert!(bounds.contains(&waiting), "{waiting}");
    drop(busy);
}
