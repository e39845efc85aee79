//! What is on the screen, as text.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use proptest::prelude::*;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::style::Color;

use super::*;
use crate::record::{
    DeliveryRecord, EventRecord, GroupRecord, MemberRecord, MessageRecord, NetworkStatus, Peer,
    PeerRecord, Record, SecurityRecord,
};
use crate::text::tests::text;
use crate::tui::app::{Effect, Input, Overlay};

const ME: &str = "trellis1me00000000000000000000000000000000000000000000000000000000";
const BOB: &str = "trellis1bobbbbbb000000000000000000000000000000000000000000000000";
const EVE: &str = "trellis1eveeeeee000000000000000000000000000000000000000000000000";
/// 2026-11-27 14:05 UTC.
const NOW: u64 = 1_795_788_300_000;

fn security(weakest_link: &'static str) -> SecurityRecord {
    SecurityRecord {
        suite: "MLS_128_MLKEM768X25519_AES256GCM_SHA384_Ed25519",
        confidentiality: "hybrid".into(),
        key_agreement: "MLKEM768-X25519",
        authenticity: "classical".into(),
        signatures: "Ed25519",
        unverified: Vec::new(),
        keys_kept_for_changes: 5,
        keys_kept_for_seconds: 3600,
        weakest_link,
        weakest_link_text: "somebody with a quantum computer could pretend to be a member".into(),
    }
}

fn member(address: &str, role: &'static str, verified: bool) -> MemberRecord {
    MemberRecord {
        address: address.into(),
        role,
        verified,
        devices: 1,
        me: address == ME,
        heard: None,
    }
}

pub fn garden() -> GroupRecord {
    GroupRecord {
        group: "11".repeat(32),
        name: "garden".into(),
        active: true,
        role: Some("owner"),
        members: vec![member(ME, "owner", true), member(BOB, "member", true)],
        security: security("classical-signatures"),
    }
}

pub fn orchard() -> GroupRecord {
    GroupRecord {
        group: "22".repeat(32),
        name: "orchard".into(),
        role: Some("member"),
        members: vec![member(EVE, "owner", false), member(ME, "member", true)],
        security: security("unverified-members"),
        ..garden()
    }
}

fn message(id: &str, author: &str, text: &str) -> MessageRecord {
    MessageRecord {
        group: garden().group,
        message: id.into(),
        author: author.into(),
        mine: author == ME,
        written: NOW,
        received: NOW,
        kind: "text",
        text: Some(text.into()),
        ..MessageRecord::default()
    }
}

pub fn say(group: &str, id: &str, text: &str) -> Record {
    let group = if group == "garden" { garden() } else { orchard() };
    Record::Message(Box::new(MessageRecord { group: group.group, ..message(id, BOB, text) }))
}

pub fn key(code: KeyCode, modifiers: KeyModifiers) -> KeyEvent {
    KeyEvent::new(code, modifiers)
}

pub fn press(app: &mut App, code: KeyCode) -> Vec<Effect> {
    app.take(Input::Key(key(code, KeyModifiers::NONE)))
}

/// Two groups, and a few messages in the first.
pub fn app() -> App {
    let mut app = App::new(ME.into(), Network::Offline, jiff::tz::TimeZone::UTC, false);
    app.take(Input::Groups(vec![garden(), orchard()]));
    let reply = MessageRecord {
        kind: "reply",
        to: Some("a1".into()),
        ..message("a2", BOB, "then I cover the beans, all of them, before it is dark")
    };
    let reaction =
        MessageRecord { kind: "reaction", to: Some("a2".into()), ..message("a3", ME, "👍") };
    let mine = MessageRecord {
        delivery: Some(DeliveryRecord::Reached { devices: 1, of: 2 }),
        ..message("a4", ME, "thank you")
    };
    let messages = [message("a1", ME, "frost tonight"), reply, reaction, mine];
    app.take(Input::Chat(Box::new(garden()), messages.to_vec(), false));
    app
}

fn terminal(app: &App, width: u16, height: u16) -> Terminal<TestBackend> {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal.draw(|frame| draw(frame, app)).unwrap();
    terminal
}

/// What is on the screen, line by line, without the space at their ends.
fn screen(app: &App, width: u16, height: u16) -> String {
    let terminal = terminal(app, width, height);
    let buffer = terminal.backend().buffer();
    let row = |y| {
        let (mut text, mut skip) = (String::new(), 0);
        for x in 0..width {
            let symbol = buffer[(x, y)].symbol();
            // What is behind a wide character is part of it.
            if skip == 0 {
                text.push_str(symbol);
                skip = crate::text::columns(symbol).max(1);
            }
            skip -= 1;
        }
        text.trim_end().to_owned() + "\n"
    };
    (0..height).map(row).collect()
}

#[test]
fn the_screen_of_most_terminals() {
    let mut app = app();
    app.take(Input::Happened(say("orchard", "b1", "hello")));
    let expected = include_str!("screens/80x24.txt");
    assert_eq!(screen(&app, 80, 24), expected, "\n{}", screen(&app, 80, 24));
}

#[test]
fn a_large_screen_has_members_and_events_beside() {
    let mut app = app();
    app.colour = true;
    let peers =
        vec![PeerRecord { peer: Peer("p".into()), relayed: false, key_exchange: "k".into() }];
    app.take(Input::Network(NetworkStatus { peers, ..NetworkStatus::default() }));
    let joined = EventRecord {
        event: "verified",
        group: Some(garden().group),
        account: Some(BOB.into()),
        ..EventRecord::default()
    };
    app.take(Input::Happened(Record::Event(joined)));
    let expected = include_str!("screens/120x40.txt");
    assert_eq!(screen(&app, 120, 40), expected, "\n{}", screen(&app, 120, 40));
}

#[test]
fn the_weakest_link_and_who_is_unverified_can_be_seen() {
    let mut app = app();
    app.take(Input::Key(key(KeyCode::Char('n'), KeyModifiers::CONTROL)));
    let messages = vec![message("c1", EVE, "I am your friend")];
    app.take(Input::Chat(Box::new(orchard()), messages, false));
    let text = screen(&app, 80, 24);
    assert!(text.contains("[BAD] content hybrid; weakest link: unverified members"), "{text}");
    assert!(text.contains("eveeeeee UNVERIFIED"), "{text}");
    press(&mut app, KeyCode::F(2));
    assert!(screen(&app, 80, 24).contains("eveeeeee owner UNVERIFIED"));
    press(&mut app, KeyCode::Esc);
    press(&mut app, KeyCode::F(3));
    let text = screen(&app, 80, 24);
    assert!(text.contains("what is said: hybrid (MLKEM768-X25519)"), "{text}");
}

#[test]
fn what_others_write_does_nothing_to_the_terminal() {
    let mut app = app();
    let name = "\u{1b}]0;owned\u{7}\u{202e}nedrag";
    let evil = GroupRecord { name: name.into(), ..garden() };
    let messages = vec![message("a1", BOB, "\u{1b}[2J\u{9b}31m\u{202e}evil\r\nnew line\u{200b}")];
    app.take(Input::Groups(vec![evil.clone()]));
    app.take(Input::Chat(Box::new(evil.clone()), messages, false));
    app.take(Input::Happened(Record::Event(EventRecord {
        event: "\u{1b}[5m",
        ..EventRecord::default()
    })));
    for overlay in
        [Overlay::Events, Overlay::Report("x".into(), vec![Record::Group(Box::new(evil))])]
    {
        app.overlay = Some(overlay);
        for (width, height) in [(80, 24), (120, 40)] {
            let text = screen(&app, width, height);
            let dangerous =
                |c: char| c != '\n' && (c.is_control() || ('\u{202a}'..='\u{202e}').contains(&c));
            assert!(!text.chars().any(dangerous), "{text:?}");
        }
    }
    app.overlay = None;
    let text = screen(&app, 80, 24);
    assert!(text.contains("  [2J31mevil\n") && text.contains("  new line"), "{text}");
    assert!(text.contains("]0;ownednedrag"), "{text}");
}

#[test]
fn wide_text_stays_in_its_columns() {
    let mut app = app();
    let text = "漢字仮名交じり文は横に広い".repeat(4) + " 👩‍👩‍👧 end";
    app.take(Input::Chat(Box::new(garden()), vec![message("a1", BOB, &text)], false));
    app.take(Input::Paste("入力も広い".repeat(12)));
    let shown = screen(&app, 80, 24);
    let all: String = shown.chars().filter(|c| !c.is_whitespace()).collect();
    assert!(all.contains("👩‍👩‍👧end"), "{shown}");
    for line in shown.lines() {
        assert!(crate::text::columns(line) <= 80, "{line}");
    }
    let mut terminal = terminal(&app, 80, 24);
    // 120 columns of input: the cursor is behind the last character, in the second row.
    assert_eq!(terminal.get_cursor_position().unwrap(), (40, 22).into());
}

#[test]
fn a_question_names_the_group() {
    let mut app = app();
    app.take(Input::Paste("/leave".into()));
    press(&mut app, KeyCode::Enter);
    let text = screen(&app, 80, 24);
    assert!(text.contains("Leave this group?") && text.contains("group leave garden"), "{text}");
}

#[test]
fn a_window_that_is_too_small_says_so() {
    let app = app();
    for (width, height) in [(59, 24), (80, 15), (20, 4), (1, 1)] {
        let text = screen(&app, width, height);
        assert!(!text.contains("garden"), "{text}");
    }
    assert!(screen(&app, 59, 24).contains("needs 60x16"));
    assert!(screen(&app, 60, 16).contains("garden"));
}

#[test]
fn without_colour_there_is_none() {
    let mut app = app();
    app.overlay = Some(Overlay::Security);
    let colours = |app: &App| {
        let terminal = terminal(app, 120, 40);
        terminal.backend().buffer().content().iter().filter(|cell| cell.fg != Color::Reset).count()
    };
    assert_eq!(colours(&app), 0);
    app.colour = true;
    assert!(colours(&app) > 0);
}

#[test]
fn help_has_all_keys_and_orders() {
    let mut app = app();
    app.overlay = Some(Overlay::Help);
    let first = screen(&app, 80, 24);
    assert!(first.contains("Alt-Enter") && first.contains("arrows scroll"), "{first}");
    app.offset = usize::MAX;
    let last = screen(&app, 80, 24);
    assert!(last.contains("/quit"), "{last}");
}

#[test]
fn a_long_history_scrolls() {
    let mut app = app();
    let messages: Vec<_> = (0..100)
        .map(|number| message(&format!("m{number}"), BOB, &format!("line {number}.")))
        .collect();
    app.take(Input::Chat(Box::new(garden()), messages, false));
    assert!(screen(&app, 80, 24).contains("line 99."));
    for _ in 0..100 {
        press(&mut app, KeyCode::PageUp);
        app.limit_scroll(scroll_limit(&app, Rect::new(0, 0, 80, 24)));
    }
    let text = screen(&app, 80, 24);
    assert!(
        text.contains("Friday, 2026-11-27")
            && text.contains("line 0.")
            && text.contains("more lines below"),
        "{text}"
    );
    press(&mut app, KeyCode::PageDown);
    assert!(!screen(&app, 80, 24).contains("line 0."));
    // What is chosen is seen.
    press(&mut app, KeyCode::Tab);
    for _ in 0..50 {
        press(&mut app, KeyCode::Up);
    }
    assert!(screen(&app, 80, 24).contains("line 50."));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn nothing_breaks_the_view(
        text in text(), name in text(), input in text(),
        width in 1..140u16, height in 1..50u16, keys in prop::collection::vec(0..12usize, 0..12),
    ) {
        let mut app = app();
        let group = GroupRecord { name, ..garden() };
        let reply = MessageRecord { kind: "reply", to: Some("a1".into()), ..message("a2", EVE, &text) };
        app.take(Input::Chat(Box::new(group), vec![message("a1", BOB, &text), reply], true));
        app.take(Input::Paste(input));
        for number in keys {
            press(&mut app, [
                KeyCode::Tab, KeyCode::Up, KeyCode::Down, KeyCode::Left, KeyCode::Enter, KeyCode::Esc,
                KeyCode::Backspace, KeyCode::PageUp, KeyCode::PageDown, KeyCode::F(1), KeyCode::F(3),
                KeyCode::Char('d'),
            ][number]);
            terminal(&app, width, height);
        }
    }
}
