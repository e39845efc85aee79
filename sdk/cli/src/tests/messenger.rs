//! The messenger with a client and without a terminal: keys go in, and what is drawn is read.

use std::time::Duration;

use crossterm::event::{KeyCode, KeyEvent};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use tokio::sync::mpsc;

use super::agent::Agent;
use super::{Paper, Town};
use crate::run::Session;
use crate::tui::app::{App, Input, Network};
use crate::tui::view::draw;
use crate::tui::work::Work;

/// A messenger whose terminal is the test.
struct Messenger {
    app: App,
    work: Work,
    inputs: mpsc::Receiver<Input>,
}

impl Messenger {
    async fn start(town: &Town, who: &str) -> Self {
        let common = town.arguments(who, &[]).common;
        let world = town.world(false, &Paper::default(), Box::new(&b""[..]));
        let session = Session::open(&common, &world).await.unwrap();
        let me = session.client.address().to_string();
        let app = App::new(me, Network::Unknown, jiff::tz::TimeZone::UTC, false);
        let (sender, inputs) = mpsc::channel(1024);
        let work = Work::start(session, &common, &world, sender);
        Self { app, work, inputs }
    }

    fn take(&mut self, input: Input) {
        let effects = self.app.take(input);
        self.work.carry_out(effects);
    }

    fn key(&mut self, code: KeyCode) {
        self.take(Input::Key(KeyEvent::from(code)));
    }

    fn write(&mut self, text: &str) {
        self.take(Input::Paste(text.to_owned()));
        self.key(KeyCode::Enter);
    }

    fn screen(&self) -> String {
        let mut terminal = Terminal::new(TestBackend::new(100, 30)).unwrap();
        terminal.draw(|frame| draw(frame, &self.app)).unwrap();
        terminal.backend().to_string()
    }

    /// Waits until the screen shows something.
    async fn until(&mut self, text: &str) {
        let look = async {
            while !self.screen().contains(text) {
                let input = self.inputs.recv().await.unwrap();
                self.take(input);
            }
        };
        let seen = tokio::time::timeout(Duration::from_secs(60), look).await;
        assert!(seen.is_ok(), "no {text:?} on\n{}", self.screen());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_at_a_terminal_talks_with_a_bot() {
    let town = Town::new();
    town.account("alice").await;
    let bob_address = town.account("bob").await;
    let mut bob = Agent::start(&town, "bob", &["agent"]);
    bob.until(|line| line["type"] == "ready").await;
    let mut alice = Messenger::start(&town, "alice").await;
    alice.until("NO PEERS").await;
    alice.write("/new garden");
    alice.until("only you, you are owner").await;
    alice.write(&format!("/invite {bob_address}"));
    let joined = bob.until(|line| line["event"] == "joined").await;
    alice.until("2 members").await;
    let group = joined["group"].as_str().unwrap();

    assert_eq!(bob.ask(1, &["send", group, "hello from a bot"]).await["ok"], true);
    alice.until("hello from a bot").await;
    alice.key(KeyCode::Tab);
    alice.key(KeyCode::Up);
    alice.key(KeyCode::Char('r'));
    alice.write("hello from a person");
    let heard = bob.until(|line| line["kind"] == "reply").await;
    assert_eq!(heard["text"], "hello from a person");
    alice.until("(all have it)").await;
    let words = ["send", group, "nice", "--react", heard["message"].as_str().unwrap()];
    bob.ask(2, &words).await;
    alice.until("[nice]").await;

    // What is not allowed or not understood is told in a line.
    alice.write("/remove nobody");
    alice.until("Put this member out?").await;
    alice.key(KeyCode::Char('y'));
    alice.until("no-match").await;
    alice.write("/search person");
    alice.until("hello from a person  [1/1]").await;
    alice.key(KeyCode::Esc);
    alice.write(&format!("/role {} admin", &bob_address[..16]));
    bob.until(|line| line["event"] == "changed" && line["what"][0]["role"] == "admin").await;
    alice.until(" admin verified").await;
    bob.end().await;
}
