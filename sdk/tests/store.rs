//! Records, history, transactions and ordered failures of the store.

use std::collections::BTreeMap;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use trellis_sdk::store::{MessageRow, Space, Store, StoreError};
use trellis_sdk::{Address, DeviceId, GroupId, MessageId, Time};

fn store() -> Store {
    let mut store = Store::in_memory().unwrap();
    store.begin().unwrap();
    store
}

// Records

#[derive(Clone, Debug)]
enum Operation {
    Put(u8, u8, Vec<u8>),
    Delete(u8, u8),
    DeleteScope(u8),
    Commit,
    Rollback,
    /// The write that follows fails.
    Fail,
}

fn operation() -> impl Strategy<Value = Operation> {
    use Operation::*;
    prop_oneof![
        8 => (0..3u8, any::<u8>(), vec(any::<u8>(), 0..5000)).prop_map(|(s, k, v)| Put(s, k, v)),
        3 => (0..3u8, any::<u8>()).prop_map(|(s, k)| Delete(s, k)),
        1 => (0..3u8).prop_map(DeleteScope),
        2 => Just(Commit),
        1 => Just(Rollback),
        1 => Just(Fail),
    ]
}

type Model = BTreeMap<(u8, u8), Vec<u8>>;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn records_are_a_map_with_transactions(operations in vec(operation(), 1..150)) {
        use Operation::*;
        let mut store = store();
        let (mut model, mut committed) = (Model::new(), Model::new());
        for operation in operations {
            let outcome = match operation {
                Put(scope, key, ref value) => {
                    model.insert((scope, key), value.clone());
                    store.put(Space::Peer, &[scope], &[key], value)
                }
                Delete(scope, key) => {
                    let was = model.remove(&(scope, key)).is_some();
                    store.delete(Space::Peer, &[scope], &[key]).map(|is| assert_eq!(is, was))
                }
                DeleteScope(scope) => {
                    let before = model.len();
                    model.retain(|(other, _), _| *other != scope);
                    store
                        .delete_scope(Space::Peer, &[scope])
                        .map(|number| assert_eq!(number, before - model.len()))
                }
                Commit => {
                    let outcome = store.commit();
                    if outcome.is_ok() {
                        committed = model.clone();
                        store.begin().unwrap();
                    }
                    outcome
                }
                Rollback => {
                    store.rollback();
                    model = committed.clone();
                    store.begin()
                }
                Fail => {
                    store.fail_at(1);
                    Ok(())
                }
            };
            if outcome == Err(StoreError::FailPoint) {
                prop_assert!(!store.in_transaction());
                model = committed.clone();
                store.begin().unwrap();
            } else {
                prop_assert_eq!(outcome, Ok(()));
            }
        }
        for scope in 0..3 {
            let expected: Vec<_> = model
                .range((scope, 0)..=(scope, 255))
                .map(|((_, key), value)| (vec![*key], value.clone().into()))
                .collect();
            prop_assert_eq!(&store.scan(Space::Peer, &[scope]).unwrap(), &expected);
            let some: Vec<_> =
                expected.into_iter().filter(|(key, _)| key[0] >= 100).take(3).collect();
            prop_assert_eq!(store.scan_from(Space::Peer, &[scope], &[100], 3).unwrap(), some);
        }
        for ((scope, key), value) in &model {
            let found = store.get(Space::Peer, &[*scope], &[*key]).unwrap().unwrap();
            prop_assert_eq!(&*found, value);
        }
    }
}

#[test]
fn spaces_and_scopes_are_apart() {
    let mut store = store();
    store.put(Space::Commit, b"a", b"bc", b"1").unwrap();
    store.put(Space::Commit, b"ab", b"c", b"2").unwrap();
    store.put(Space::Intent, b"a", b"bc", b"3").unwrap();
    store.put(Space::Intent, b"", b"", b"").unwrap();
    let get = |space, scope: &[u8], key: &[u8]| store.get(space, scope, key).unwrap().unwrap();
    assert_eq!(*get(Space::Commit, b"a", b"bc"), b"1");
    assert_eq!(*get(Space::Commit, b"ab", b"c"), b"2");
    assert_eq!(*get(Space::Intent, b"a", b"bc"), b"3");
    assert_eq!(*get(Space::Intent, b"", b""), b"");
    assert_eq!(store.scan(Space::Commit, b"a").unwrap().len(), 1);
    assert_eq!(store.get(Space::Commit, b"", b""), Ok(None));
}

// Transactions

#[test]
fn writes_need_a_transaction_and_reads_do_not() {
    let mut store = Store::in_memory().unwrap();
    let none = Err(StoreError::NoTransaction);
    assert_eq!(store.put(Space::Setting, b"", b"a", b"b"), none);
    assert_eq!(store.message_insert(&message(1, 1, Some("text"))).map(drop), none);
    assert_eq!(store.drop_all_states(), none);
    assert_eq!(store.commit(), none);
    store.rollback();
    assert_eq!(store.get(Space::Setting, b"", b"a"), Ok(None));
    store.begin().unwrap();
    assert_eq!(store.begin(), Err(StoreError::InTransaction));
    assert_eq!(store.erase(), Err(StoreError::InTransaction));
    assert_eq!(store.compact(), Err(StoreError::InTransaction));
    store.put(Space::Setting, b"", b"a", b"b").unwrap();
    store.commit().unwrap();
    assert!(store.get(Space::Setting, b"", b"a").unwrap().is_some());
}

#[test]
fn a_closure_is_committed_or_taken_back() {
    let mut store = Store::in_memory().unwrap();
    store.transaction(|store| store.put(Space::Setting, b"", b"a", b"1")).unwrap();
    let failed = store.transaction(|store| {
        store.put(Space::Setting, b"", b"a", b"2")?;
        Err::<(), _>(StoreError::NoState)
    });
    assert_eq!(failed, Err(StoreError::NoState));
    assert_eq!(**store.get(Space::Setting, b"", b"a").unwrap().unwrap(), *b"1");
}

/// The step that the next test lets fail at each of its writes.
fn step(store: &mut Store) -> Result<(), StoreError> {
    store.begin()?;
    store.put(Space::Setting, b"", b"a", b"new")?;
    store.delete(Space::Setting, b"", b"b")?;
    store.message_insert(&message(1, 2, Some("new")))?;
    store.message_set_text(GroupId([1; 32]), MessageId([1; 16]), Some("changed"), b"changed")?;
    store.commit()
}

#[test]
fn a_step_that_fails_anywhere_happens_as_a_whole_or_not_at_all() {
    let fresh = || {
        let mut store = store();
        store.put(Space::Setting, b"", b"a", b"old").unwrap();
        store.put(Space::Setting, b"", b"b", b"old").unwrap();
        store.message_insert(&message(1, 1, Some("old"))).unwrap();
        store.commit().unwrap();
        store
    };
    let state = |store: &Store| {
        (
            store.scan(Space::Setting, b"").unwrap(),
            store.messages_before(GroupId([1; 32]), None, 9).unwrap(),
            store.messages_search(None, "new", 9).unwrap(),
            store.messages_search(None, "old", 9).unwrap(),
        )
    };
    let mut whole = fresh();
    let (before, writes) = (state(&whole), whole.writes_so_far());
    step(&mut whole).unwrap();
    let (after, writes) = (state(&whole), whole.writes_so_far() - writes);
    assert_ne!(before, after);
    assert_eq!(writes, 6);
    for n in 1..=writes {
        let mut store = fresh();
        store.fail_at(n);
        assert_eq!(step(&mut store), Err(StoreError::FailPoint), "{n}");
        assert!(!store.in_transaction());
        // The last is the one after the commit.
        assert_eq!(state(&store), if n < writes { before.clone() } else { after.clone() }, "{n}");
        step(&mut store).unwrap();
        assert_eq!(state(&store).0, after.0);
    }
    let mut store = fresh();
    store.fail_at(writes + 1);
    step(&mut store).unwrap();
    store.fail_at(0);
    step(&mut store).unwrap();
}

#[test]
fn debug_and_errors_print_nothing_that_is_stored() {
    let mut store = store();
    store.put(Space::Account, b"", b"a", b"secret").unwrap();
    assert_eq!(format!("{store:?}"), "Store { writes: 1, .. }");
    let printed = format!("{:?}", message(1, 2, Some("secret")));
    assert!(!printed.contains("secret"), "{printed}");
}

// History

fn message(group: u8, id: u8, text: Option<&str>) -> MessageRow {
    MessageRow {
        group: GroupId([group; 32]),
        id: MessageId([id; 16]),
        author: Address([7; 32]),
        device: DeviceId([8; 32]),
        seq: u64::MAX - u64::from(id),
        written: Time(u64::MAX),
        received: Time(5),
        own: id.is_multiple_of(2),
        delivery: vec![id],
        text: text.map(str::to_owned),
        body: text.unwrap_or("nothing").as_bytes().to_vec(),
    }
}

fn ids<C>(messages: &[(C, MessageRow)]) -> Vec<u8> {
    messages.iter().map(|(_, message)| message.id.0[0]).collect()
}

#[test]
fn messages_come_back_and_come_once() {
    let mut store = store();
    for (id, text) in [(1, Some("one")), (2, None)] {
        assert_eq!(store.message_insert(&message(1, id, text)), Ok(true));
        assert_eq!(store.message_insert(&message(1, id, Some("again"))), Ok(false));
        let stored = store.message_get(GroupId([1; 32]), MessageId([id; 16])).unwrap();
        assert_eq!(stored, Some(message(1, id, text)));
    }
    assert_eq!(store.message_insert(&message(2, 1, None)), Ok(true));
    assert_eq!(store.messages_count(GroupId([1; 32])), Ok(2));
    assert_eq!(store.messages_count(GroupId([3; 32])), Ok(0));
    assert_eq!(store.message_get(GroupId([3; 32]), MessageId([1; 16])), Ok(None));
    assert!(store.messages_search(None, "again", 9).unwrap().is_empty());
}

#[test]
fn a_text_comes_back_wherever_it_stands_in_the_body() {
    let mut store = store();
    let group = GroupId([1; 32]);
    let bodies = [(1, "the figs"), (2, "the figs, all"), (3, ""), (4, "figs")];
    for (id, body) in bodies {
        let row = MessageRow { body: body.into(), ..message(1, id, Some("figs")) };
        assert_eq!(store.message_insert(&row), Ok(true));
        assert_eq!(store.message_get(group, row.id), Ok(Some(row)));
    }
    assert_eq!(ids(&store.messages_search(None, "fig", 9).unwrap()), [4, 3, 2, 1]);
    for (id, body) in bodies {
        let name = MessageId([id; 16]);
        assert_eq!(store.message_set_text(group, name, Some("plums"), body.as_bytes()), Ok(true));
        assert_eq!(store.message_set_text(group, name, Some("figs"), body.as_bytes()), Ok(true));
        let row = MessageRow { body: body.into(), ..message(1, id, Some("figs")) };
        assert_eq!(store.message_get(group, name), Ok(Some(row)));
    }
    assert!(store.messages_search(None, "plums", 9).unwrap().is_empty());
    assert_eq!(ids(&store.messages_search(None, "fig", 9).unwrap()), [4, 3, 2, 1]);
}

#[test]
fn history_is_paged_from_the_end() {
    let mut store = store();
    for id in 0..100 {
        store.message_insert(&message(id % 2, id, None)).unwrap();
    }
    let group = GroupId([1; 32]);
    let mut cursor = None;
    let mut seen = Vec::new();
    loop {
        let page = store.messages_before(group, cursor, 7).unwrap();
        let Some((last, _)) = page.last() else { break };
        cursor = Some(*last);
        seen.extend(ids(&page));
    }
    assert_eq!(seen, (0..100).rev().filter(|id| id % 2 == 1).collect::<Vec<_>>());
}

#[test]
fn delivery_is_replaced() {
    let mut store = store();
    store.message_insert(&message(1, 2, None)).unwrap();
    let (group, id) = (GroupId([1; 32]), MessageId([2; 16]));
    assert_eq!(store.message_update_delivery(group, id, b"there"), Ok(true));
    assert_eq!(store.message_get(group, id).unwrap().unwrap().delivery, b"there");
    assert_eq!(store.message_update_delivery(group, MessageId([3; 16]), b"there"), Ok(false));
}

#[test]
fn texts_are_found_by_words_and_beginnings_in_any_case() {
    let mut store = store();
    let texts = [
        (1, "Hello World"),
        (2, "the wörld is round"),
        (3, "明天在北京见面"),
        (4, "C++ and \"quotes\""),
    ];
    for (id, text) in texts {
        store.message_insert(&message(1, id, Some(text))).unwrap();
    }
    store.message_insert(&message(2, 5, Some("HELLO from elsewhere"))).unwrap();
    let cases: &[(&str, &[u8])] = &[
        ("hello", &[5, 1]),
        ("WORLD", &[2, 1]),
        ("worl", &[2, 1]),
        ("world hello", &[1]),
        ("world bye", &[]),
        ("orld", &[]),
        ("北京", &[3]),
        ("京北", &[]),
        ("京", &[3]),
        ("\"quotes\"", &[4]),
        ("C++", &[4]),
        ("", &[]),
        ("  ", &[]),
    ];
    for (query, found) in cases {
        assert_eq!(ids(&store.messages_search(None, query, 9).unwrap()), *found, "{query}");
    }
    let group = Some(GroupId([1; 32]));
    assert_eq!(ids(&store.messages_search(group, "hello", 9).unwrap()), [1]);
    assert_eq!(ids(&store.messages_search(None, "hello", 1).unwrap()), [5]);
}

#[test]
fn an_edited_text_is_found_by_its_new_words_only() {
    let mut store = store();
    store.message_insert(&message(1, 1, Some("first words"))).unwrap();
    let (group, id) = (GroupId([1; 32]), MessageId([1; 16]));
    assert_eq!(store.message_set_text(group, id, Some("second words"), b"second"), Ok(true));
    let found = |store: &Store, text| ids(&store.messages_search(None, text, 9).unwrap());
    assert!(found(&store, "first").is_empty());
    assert_eq!(found(&store, "second"), [1]);
    assert_eq!(store.message_set_text(group, id, None, b""), Ok(true));
    assert!(found(&store, "words").is_empty());
    let deleted = store.message_get(group, id).unwrap().unwrap();
    assert_eq!((deleted.text, deleted.body), (None, vec![]));
    assert_eq!(store.message_set_text(group, MessageId([2; 16]), None, b""), Ok(false));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]
    #[test]
    fn nothing_that_is_searched_for_is_syntax(
        text in "\\PC{0,30}",
        query in prop_oneof![
            any::<String>(),
            vec(select(vec![
                "\"", "*", "(", ")", "-", "NEAR", "OR", "AND", "NOT", ":", "text", "^", "{", "}",
                "+", "\0", "'", ";", " ", "a",
            ]), 0..12).prop_map(|parts| parts.concat()),
        ],
    ) {
        let mut store = store();
        store.message_insert(&message(1, 1, Some(&text))).unwrap();
        store.messages_search(None, &query, 9).unwrap();
        store.message_set_text(GroupId([1; 32]), MessageId([1; 16]), None, b"").unwrap();
        for word in text.split_whitespace() {
            prop_assert!(store.messages_search(None, word, 9).unwrap().is_empty());
        }
    }

    #[test]
    fn a_word_of_a_text_is_found(words in vec("[a-zA-Zäöüéñçß]{1,8}|[\u{4e00}-\u{4fff}]{1,5}", 1..6)) {
        let mut store = store();
        store.message_insert(&message(1, 1, Some(&words.join(" ")))).unwrap();
        for word in &words {
            prop_assert_eq!(ids(&store.messages_search(None, word, 9).unwrap()), [1], "{}", word);
        }
    }
}
