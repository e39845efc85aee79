//! What keys do.

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use super::{App, Effect, Focus, MAX_LOADED, Mode, Overlay, PAGE, Purpose};
use crate::tui::orders::{self, Deed};

/// How many lines a page scrolls.
const SCROLL: usize = 10;

impl App {
    pub(super) fn key(&mut self, key: KeyEvent) -> Vec<Effect> {
        if key.kind == KeyEventKind::Release {
            return Vec::new();
        }
        let control = key.modifiers.contains(KeyModifiers::CONTROL);
        if control && matches!(key.code, KeyCode::Char('c')) && !self.composer.is_empty() {
            self.composer.clear();
            return Vec::new();
        }
        if control && matches!(key.code, KeyCode::Char('c' | 'q')) {
            self.over = true;
            return Vec::new();
        }
        if self.overlay.is_some() {
            return self.key_in_overlay(key);
        }
        self.notice = None;
        match key.code {
            KeyCode::F(1) => self.open(Overlay::Help),
            KeyCode::F(2) => self.open(Overlay::Members),
            KeyCode::F(3) => self.open(Overlay::Security),
            KeyCode::F(4) => self.open(Overlay::Events),
            KeyCode::Char('?') if self.composer.is_empty() || self.focus != Focus::Composer => {
                self.open(Overlay::Help);
            }
            KeyCode::Char('n') if control => return self.step(1),
            KeyCode::Char('p') if control => return self.step(-1),
            KeyCode::Tab => self.focus = self.next_focus(),
            KeyCode::BackTab => {
                // There are three.
                self.focus = self.next_focus();
                self.focus = self.next_focus();
            }
            KeyCode::PageUp => return self.scroll(SCROLL),
            KeyCode::PageDown => self.scroll_down(),
            KeyCode::Esc => {
                (self.focus, self.mode) = (Focus::Composer, Mode::Say);
                if let Some(chat) = self.shown_mut() {
                    chat.chosen = None;
                }
            }
            _ => {
                return match self.focus {
                    Focus::Composer => self.key_in_composer(key),
                    Focus::Messages => self.key_in_messages(key),
                    Focus::Groups => self.key_in_groups(key),
                };
            }
        }
        Vec::new()
    }

    pub(super) fn paste(&mut self, text: &str) -> Vec<Effect> {
        self.focus = Focus::Composer;
        // Terminals end pasted lines as the key Enter would.
        let text = text.replace("\r\n", "\n").replace('\r', "\n");
        if !self.composer.insert(&text) {
            self.tell("that is longer than a message may be", true);
        }
        Vec::new()
    }

    fn next_focus(&self) -> Focus {
        match self.focus {
            Focus::Composer => Focus::Messages,
            Focus::Messages => Focus::Groups,
            Focus::Groups => Focus::Composer,
        }
    }

    fn key_in_composer(&mut self, key: KeyEvent) -> Vec<Effect> {
        let control = key.modifiers.contains(KeyModifiers::CONTROL);
        let alt = key.modifiers.contains(KeyModifiers::ALT);
        match key.code {
            KeyCode::Enter if alt => self.write("\n"),
            KeyCode::Char('j') if control => self.write("\n"),
            KeyCode::Enter => return self.enter(),
            KeyCode::Backspace => self.composer.backspace(),
            KeyCode::Delete => self.composer.delete(),
            KeyCode::Left => self.composer.left(),
            KeyCode::Right => self.composer.right(),
            KeyCode::Home => self.composer.home(),
            KeyCode::End => self.composer.end(),
            KeyCode::Up => self.composer.up(),
            KeyCode::Down => self.composer.down(),
            KeyCode::Char('a') if control => self.composer.home(),
            KeyCode::Char('e') if control => self.composer.end(),
            KeyCode::Char('w') if control => self.composer.delete_word(),
            KeyCode::Char('u') if control => self.composer.delete_line(),
            KeyCode::Char(character) if !control && !alt => {
                self.write(character.encode_utf8(&mut [0; 4]));
            }
            _ => {}
        }
        Vec::new()
    }

    fn write(&mut self, text: &str) {
        if !self.composer.insert(text) {
            self.tell("a message can't be longer than this", true);
        }
    }

    /// Says what is written, or does what it orders.
    fn enter(&mut self) -> Vec<Effect> {
        let text = self.composer.take();
        if text.trim().is_empty() && !matches!(self.mode, Mode::React(_)) {
            return Vec::new();
        }
        let (mode, group) = (std::mem::replace(&mut self.mode, Mode::Say), self.current.clone());
        // A text that begins with a / is written with two.
        let text = match (text.strip_prefix('/'), &mode) {
            (Some(rest), _) if rest.starts_with('/') => rest.to_owned(),
            (Some(order), Mode::Say) => return self.order(order.trim_end()),
            _ => text,
        };
        let Some(group) = group else {
            self.composer.set(text);
            self.tell("there is no group yet: /new NAME founds one", true);
            return Vec::new();
        };
        let mut words = vec!["send".to_owned()];
        match mode {
            Mode::Say => {}
            Mode::Reply(to) => words.extend(["--reply".to_owned(), to]),
            Mode::Edit(of) => words.extend(["--edit".to_owned(), of]),
            Mode::React(to) => words.extend(["--react".to_owned(), to]),
        }
        words.extend(["--".to_owned(), group, text]);
        if let Some(chat) = self.shown_mut() {
            chat.scroll = 0;
        }
        vec![Effect::Do(Purpose::Say, words)]
    }

    fn order(&mut self, line: &str) -> Vec<Effect> {
        let (order, rest) = match orders::read(line) {
            Ok(read) => read,
            Err(why) => {
                self.composer.set(format!("/{line}"));
                self.tell(why, true);
                return Vec::new();
            }
        };
        let words = |template| orders::words(template, self.current.as_deref(), &rest);
        let missing = "there is no group yet: /new NAME founds one";
        match order.deed {
            Deed::Command(template) => match words(template) {
                Some(words) => {
                    let read = matches!(order.name, "doctor" | "address");
                    let purpose = if read { Purpose::Read } else { Purpose::Tell };
                    return vec![Effect::Do(purpose, words)];
                }
                None => self.tell(missing, true),
            },
            Deed::Asked(template, question) => match words(template) {
                Some(words) => self.open(Overlay::Question(question, words)),
                None => self.tell(missing, true),
            },
            Deed::Search => {
                let mut words = vec!["search".to_owned(), "--".to_owned()];
                words.extend(rest.join(" ").split_whitespace().map(ToOwned::to_owned));
                return vec![Effect::Do(Purpose::Read, words)];
            }
            Deed::Show(shown) => self.open(shown.into()),
            Deed::Quit => self.over = true,
        }
        Vec::new()
    }

    fn key_in_groups(&mut self, key: KeyEvent) -> Vec<Effect> {
        match key.code {
            KeyCode::Up | KeyCode::Char('k') => return self.step(-1),
            KeyCode::Down | KeyCode::Char('j') => return self.step(1),
            KeyCode::Enter => self.focus = Focus::Composer,
            KeyCode::Char('n') => self.begin_order("/new "),
            KeyCode::Char('i') => self.begin_order("/invite "),
            _ => {}
        }
        Vec::new()
    }

    fn begin_order(&mut self, order: &str) {
        self.composer.set(order.to_owned());
        (self.focus, self.mode) = (Focus::Composer, Mode::Say);
    }

    fn key_in_messages(&mut self, key: KeyEvent) -> Vec<Effect> {
        match key.code {
            KeyCode::Up | KeyCode::Char('k') => return self.choose(-1),
            KeyCode::Down | KeyCode::Char('j') => return self.choose(1),
            _ => {}
        }
        let Some(chat) = self.shown() else { return Vec::new() };
        let chosen = chat.lines.iter().find(|line| Some(&line.id) == chat.chosen.as_ref());
        let Some(line) = chosen.cloned() else {
            self.tell("choose a message with the arrows first", false);
            return Vec::new();
        };
        let group = chat.group.group.clone();
        let mode = match key.code {
            KeyCode::Char('r') | KeyCode::Enter => Mode::Reply(line.id),
            KeyCode::Char('+' | 'x') => Mode::React(line.id),
            KeyCode::Char('e') if line.mine && line.text.is_some() => {
                self.composer.set(line.text.unwrap_or_default());
                Mode::Edit(line.id)
            }
            KeyCode::Char('d') if line.mine => {
                let words = ["send", "--delete", &line.id, "--", &group];
                let words = words.map(ToOwned::to_owned).to_vec();
                self.open(Overlay::Question("Take this message back?", words));
                return Vec::new();
            }
            KeyCode::Char('e' | 'd') => {
                self.tell("that is another's message, or gone", true);
                return Vec::new();
            }
            _ => return Vec::new(),
        };
        (self.focus, self.mode) = (Focus::Composer, mode);
        Vec::new()
    }

    fn key_in_overlay(&mut self, key: KeyEvent) -> Vec<Effect> {
        if let Some(Overlay::Question(_, words)) = &self.overlay {
            let yes = matches!(key.code, KeyCode::Char('y' | 'Y'));
            let words = words.clone();
            self.overlay = None;
            if !yes {
                self.tell("nothing done", false);
                return Vec::new();
            }
            let said = words.first().is_some_and(|word| word == "send");
            return vec![Effect::Do(if said { Purpose::Say } else { Purpose::Tell }, words)];
        }
        match key.code {
            KeyCode::Up | KeyCode::Char('k') => self.offset = self.offset.saturating_sub(1),
            KeyCode::Down | KeyCode::Char('j') => self.offset = self.offset.saturating_add(1),
            KeyCode::PageUp => self.offset = self.offset.saturating_sub(SCROLL),
            KeyCode::PageDown => self.offset = self.offset.saturating_add(SCROLL),
            _ => self.overlay = None,
        }
        Vec::new()
    }

    /// To another group.
    fn step(&mut self, by: isize) -> Vec<Effect> {
        let current = self.current.as_ref();
        let place = self.chats.iter().position(|chat| Some(&chat.group.group) == current);
        let last = self.chats.len().saturating_sub(1);
        let place = place.unwrap_or_default().saturating_add_signed(by).min(last);
        if let Some(chat) = self.chats.get_mut(place) {
            chat.unread = 0;
            self.current = Some(chat.group.group.clone());
            self.mode = Mode::Say;
        }
        Vec::new()
    }

    /// To another message.
    fn choose(&mut self, by: isize) -> Vec<Effect> {
        let Some(chat) = self.shown_mut() else { return Vec::new() };
        let last = chat.lines.len().saturating_sub(1);
        let chosen = chat.lines.iter().position(|line| Some(&line.id) == chat.chosen.as_ref());
        let place = match chosen {
            Some(0) if by < 0 => return self.scroll(0),
            Some(place) => place.saturating_add_signed(by).min(last),
            None => last,
        };
        chat.chosen = chat.lines.get(place).map(|line| line.id.clone());
        Vec::new()
    }

    /// Up by so many lines, and to older messages if these are the oldest that are loaded.
    fn scroll(&mut self, by: usize) -> Vec<Effect> {
        let Some(chat) = self.shown_mut() else { return Vec::new() };
        chat.chosen = if by > 0 { None } else { chat.chosen.take() };
        chat.scroll = chat.scroll.saturating_add(by);
        // A message has at least one line, so this asks early rather than late.
        if chat.more && chat.limit < MAX_LOADED && (by == 0 || chat.scroll + PAGE / 2 > chat.limit)
        {
            chat.limit += PAGE;
            return vec![Effect::Chat(chat.group.group.clone(), chat.limit)];
        }
        Vec::new()
    }

    fn scroll_down(&mut self) {
        if let Some(chat) = self.shown_mut() {
            chat.scroll = chat.scroll.saturating_sub(SCROLL);
        }
    }
}
