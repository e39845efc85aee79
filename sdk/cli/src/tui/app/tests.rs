//! Keys and events, and what comes of them.

use crossterm::event::{KeyCode, KeyModifiers};

use super::*;
use crate::record::{ChangeRecord, EventRecord, SentRecord, WantedRecord};
use crate::tui::view::tests::{app, garden, key, orchard, press, say};

fn write(app: &mut App, text: &str) -> Vec<Effect> {
    let effects = app.take(Input::Paste(text.to_owned()));
    assert_eq!(effects, []);
    press(app, KeyCode::Enter)
}

fn done(purpose: Purpose, words: &[&str]) -> Vec<Effect> {
    vec![Effect::Do(purpose, words.iter().map(|word| (*word).to_owned()).collect())]
}

#[test]
fn what_is_written_is_said_in_the_group_that_is_shown() {
    let mut app = app();
    let id = garden().group;
    assert_eq!(
        write(&mut app, "frost\ntonight"),
        done(Purpose::Say, &["send", "--", &id, "frost\ntonight"])
    );
    assert!(app.composer.is_empty());
    assert_eq!(write(&mut app, "  "), []);
    // A terminal pastes the ends of lines as it would send the key.
    let pasted = done(Purpose::Say, &["send", "--", &id, "one\ntwo\nthree"]);
    assert_eq!(write(&mut app, "one\r\ntwo\rthree"), pasted);
    // Two strokes say one.
    assert_eq!(write(&mut app, "//quit"), done(Purpose::Say, &["send", "--", &id, "/quit"]));
    assert!(!app.over);
    let sent = SentRecord {
        group: id.clone(),
        message: "00".into(),
        delivery: crate::record::DeliveryRecord::Queued,
    };
    let effects =
        app.take(Input::Done(Purpose::Say, "send".into(), vec![Record::Sent(sent)], None));
    assert_eq!(effects, [Effect::Chat(id, PAGE)]);
    assert_eq!(app.notice, None);
}

#[test]
fn orders_are_commands() {
    let mut app = app();
    let id = garden().group;
    for (line, purpose, words) in [
        ("/new my street", Purpose::Tell, vec!["group", "create", "--", "my street"]),
        ("/invite trellis1x", Purpose::Tell, vec!["invite", "--", &id, "trellis1x"]),
        ("/role abcd admin", Purpose::Tell, vec!["role", "--", &id, "abcd", "admin"]),
        ("/search frost -5", Purpose::Read, vec!["search", "--", "frost", "-5"]),
        ("/doctor", Purpose::Read, vec!["doctor"]),
    ] {
        assert_eq!(write(&mut app, line), done(purpose, &words), "{line}");
    }
    assert_eq!(write(&mut app, "/fly"), []);
    assert!(app.notice.as_ref().unwrap().bad);
    assert_eq!(app.composer.text(), "/fly");
    app.composer.clear();
    write(&mut app, "/quit");
    assert!(app.over);
}

#[test]
fn what_cannot_be_undone_is_asked_for() {
    let mut app = app();
    let id = garden().group;
    assert_eq!(write(&mut app, "/leave"), []);
    assert!(matches!(app.overlay, Some(Overlay::Question(..))));
    assert_eq!(press(&mut app, KeyCode::Char('n')), []);
    assert_eq!(app.overlay, None);
    write(&mut app, "/leave");
    let yes = press(&mut app, KeyCode::Char('y'));
    assert_eq!(yes, done(Purpose::Tell, &["group", "leave", "--", &id]));
}

#[test]
fn messages_are_answered_edited_and_taken_back() {
    let mut app = app();
    let id = garden().group;
    press(&mut app, KeyCode::Tab);
    press(&mut app, KeyCode::Char('r'));
    assert_eq!(app.mode, Mode::Say, "no message is chosen yet");
    press(&mut app, KeyCode::Up);
    press(&mut app, KeyCode::Char('r'));
    let last = app.shown().unwrap().lines.last().unwrap().clone();
    assert!(last.mine);
    assert_eq!(
        write(&mut app, "yes"),
        done(Purpose::Say, &["send", "--reply", &last.id, "--", &id, "yes"])
    );

    press(&mut app, KeyCode::Tab);
    press(&mut app, KeyCode::Char('e'));
    assert_eq!(app.composer.text(), last.text.clone().unwrap());
    assert_eq!(
        write(&mut app, "!")[0],
        Effect::Do(
            Purpose::Say,
            vec![
                "send".into(),
                "--edit".into(),
                last.id.clone(),
                "--".into(),
                id.clone(),
                last.text.clone().unwrap() + "!",
            ]
        )
    );
    press(&mut app, KeyCode::Tab);
    press(&mut app, KeyCode::Char('+'));
    assert_eq!(
        press(&mut app, KeyCode::Enter),
        done(Purpose::Say, &["send", "--react", &last.id, "--", &id, ""])
    );
    press(&mut app, KeyCode::Tab);
    press(&mut app, KeyCode::Char('d'));
    assert_eq!(
        press(&mut app, KeyCode::Char('y')),
        done(Purpose::Say, &["send", "--delete", &last.id, "--", &id])
    );
    // Not what another said.
    press(&mut app, KeyCode::Up);
    press(&mut app, KeyCode::Char('e'));
    assert_eq!(app.mode, Mode::Say);
    assert!(app.notice.as_ref().unwrap().bad);
    press(&mut app, KeyCode::Esc);
    assert_eq!((app.focus, app.shown().unwrap().chosen.clone()), (Focus::Composer, None));
}

#[test]
fn what_comes_elsewhere_is_counted() {
    let mut app = app();
    let effects = app.take(Input::Happened(say("orchard", "9", "hello")));
    assert_eq!(effects, [Effect::Chat(orchard().group, PAGE)]);
    assert_eq!(app.chats[1].unread, 1);
    app.take(Input::Happened(say("garden", "8", "hello")));
    assert_eq!(app.chats[0].unread, 0);
    app.take(Input::Key(key(KeyCode::Char('n'), KeyModifiers::CONTROL)));
    assert_eq!((app.shown().unwrap().group.name.as_str(), app.chats[1].unread), ("orchard", 0));
    // There is no third.
    app.take(Input::Key(key(KeyCode::Char('n'), KeyModifiers::CONTROL)));
    assert_eq!(app.shown().unwrap().group.name, "orchard");
}

#[test]
fn events_are_read_later_and_lead_to_reading_again() {
    let mut app = app();
    let joined =
        EventRecord { event: "joined", group: Some("new".into()), ..EventRecord::default() };
    let effects = app.take(Input::Happened(Record::Event(joined)));
    assert_eq!(effects, [Effect::Groups, Effect::Chat("new".into(), PAGE)]);
    assert_eq!(app.events.len(), 1);
    // It is told with the group's name.
    assert_eq!(app.notice, None);
    let new = GroupRecord { group: "new".into(), name: "meadow".into(), ..garden() };
    app.take(Input::Groups(vec![garden(), orchard(), new]));
    assert_eq!(app.notice.as_ref().unwrap().text, "meadow: you are in this group");
    let missed = EventRecord { event: "missed", missed: Some(7), ..EventRecord::default() };
    assert_eq!(app.take(Input::Happened(Record::Event(missed))).len(), 4);
    let failed = ChangeRecord {
        group: garden().group,
        change: "00".into(),
        what: WantedRecord { kind: "leave", ..WantedRecord::default() },
        status: "failed",
        code: Some("change-not-allowed"),
    };
    app.take(Input::Happened(Record::Change(failed)));
    let notice = app.notice.clone().unwrap();
    assert!(notice.bad && notice.text.contains("leave"), "{}", notice.text);
    assert!(notice.text.contains("change-not-allowed"));
    let moved = EventRecord {
        event: "moved",
        group: Some(garden().group),
        to: Some(orchard().group),
        ..EventRecord::default()
    };
    app.take(Input::Happened(Record::Event(moved)));
    assert_eq!(app.current, Some(orchard().group));
    for _ in 0..2 * super::MAX_EVENTS {
        let left = EventRecord { event: "left", ..EventRecord::default() };
        app.take(Input::Happened(Record::Event(left)));
    }
    assert_eq!(app.events.len(), super::MAX_EVENTS);
}

#[test]
fn older_messages_are_read_when_they_are_wanted() {
    let mut app = app();
    let id = garden().group;
    let chat = app.chats.iter_mut().find(|chat| chat.group.group == id).unwrap();
    chat.more = true;
    let mut asked = Vec::new();
    for _ in 0..2 * MAX_LOADED / 10 {
        asked.extend(press(&mut app, KeyCode::PageUp));
    }
    assert_eq!(asked.first(), Some(&Effect::Chat(id.clone(), 2 * PAGE)));
    assert_eq!(asked.last(), Some(&Effect::Chat(id, MAX_LOADED)));
    app.limit_scroll(5);
    press(&mut app, KeyCode::PageDown);
    assert_eq!(app.shown().unwrap().scroll, 0);
}

#[test]
fn a_question_mark_helps_and_can_be_written() {
    let mut app = app();
    press(&mut app, KeyCode::Char('?'));
    assert_eq!(app.overlay, Some(Overlay::Help));
    press(&mut app, KeyCode::Esc);
    press(&mut app, KeyCode::Char('a'));
    press(&mut app, KeyCode::Char('?'));
    assert_eq!((app.composer.text(), &app.overlay), ("a?", &None));
    // Once it clears, twice it quits.
    let control_c = key(KeyCode::Char('c'), KeyModifiers::CONTROL);
    app.take(Input::Key(control_c));
    assert!(app.composer.is_empty() && !app.over);
    app.take(Input::Key(control_c));
    assert!(app.over);
}

#[test]
fn without_a_group_nothing_is_said() {
    let mut app = App::new("trellis1me".into(), Network::Offline, jiff::tz::TimeZone::UTC, false);
    assert_eq!(write(&mut app, "hello"), []);
    assert!(app.notice.as_ref().unwrap().bad);
    assert_eq!(app.composer.text(), "hello");
    for code in [
        KeyCode::Up,
        KeyCode::Down,
        KeyCode::Tab,
        KeyCode::Char('d'),
        KeyCode::PageUp,
        KeyCode::Tab,
        KeyCode::Down,
    ] {
        assert_eq!(press(&mut app, code), []);
    }
    let founded = Record::Group(Box::new(garden()));
    let effects = app.take(Input::Done(Purpose::Tell, "group".into(), vec![founded], None));
    assert_eq!(effects, [Effect::Groups]);
    assert_eq!(app.take(Input::Groups(vec![garden()])), [Effect::Chat(garden().group, PAGE)]);
    assert_eq!(app.shown().unwrap().group.name, "garden");
}
