//! The terminal: keys come in, frames go out, and whatever happens it is left as it was found.

use std::io::stdout;
use std::time::Duration;

use crossterm::event::{self, DisableBracketedPaste, EnableBracketedPaste, Event};
use crossterm::execute;
use ratatui::DefaultTerminal;
use tokio::sync::mpsc;

use super::app::{App, Input, Network};
use super::view;
use super::work::Work;
use crate::arguments::Common;
use crate::failure::Failure;
use crate::run::{Session, interrupted};
use crate::world::World;

/// How many inputs wait at most.
const WAITING: usize = 1024;
/// How many inputs are taken before the next frame, so that a burst does not draw a thousand.
const BURST: usize = 256;
/// How often the terminal is looked at.
const LOOK: Duration = Duration::from_millis(200);

/// The terminal, which is restored when this is dropped, also if that is because of a panic.
struct Screen {
    terminal: DefaultTerminal,
}

impl Screen {
    fn open() -> std::io::Result<Self> {
        // This also restores it before the message of a panic is printed.
        let terminal = ratatui::try_init().inspect_err(|_| ratatui::restore())?;
        let screen = Self { terminal };
        execute!(stdout(), EnableBracketedPaste)?;
        let earlier = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            let _ = execute!(stdout(), DisableBracketedPaste);
            earlier(info);
        }));
        Ok(screen)
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        let _ = execute!(stdout(), DisableBracketedPaste);
        ratatui::restore();
    }
}

/// Runs the messenger until the user or the system wants it to end.
pub async fn run(session: Session, common: &Common, world: &World) -> Result<(), Failure> {
    let network = if session.connection.is_some() { Network::Unknown } else { Network::Offline };
    let colour = (world.environment)("NO_COLOR").is_none_or(|value| value.is_empty());
    let me = session.client.address().to_string();
    let mut app = App::new(me, network, jiff::tz::TimeZone::system(), colour);
    let (sender, mut inputs) = mpsc::channel(WAITING);
    let mut work = Work::start(session, common, world, sender.clone());
    let mut screen = Screen::open().map_err(Failure::io("the terminal"))?;
    std::thread::spawn(move || keys(&sender));
    let stop = interrupted();
    tokio::pin!(stop);
    while !app.over {
        let size = screen.terminal.size().map_err(Failure::io("the terminal"))?;
        app.limit_scroll(view::scroll_limit(&app, size.into()));
        let drawn = screen.terminal.draw(|frame| view::draw(frame, &app));
        drawn.map_err(Failure::io("the terminal"))?;
        let first = tokio::select! {
            input = inputs.recv() => input,
            () = &mut stop => None,
        };
        let Some(first) = first else { break };
        let mut next = Some(first);
        for _ in 0..BURST {
            let Some(input) = next.take() else { break };
            work.carry_out(app.take(input));
            next = inputs.try_recv().ok();
        }
        if let Some(input) = next {
            work.carry_out(app.take(input));
        }
    }
    Ok(())
}

/// Reads the terminal until nobody listens any more.
fn keys(to: &mpsc::Sender<Input>) {
    while !to.is_closed() {
        match event::poll(LOOK) {
            Ok(false) => continue,
            Ok(true) => {}
            // The terminal is gone; the system says so with a signal.
            Err(_) => return,
        }
        let input = match event::read() {
            Ok(Event::Key(key)) => Input::Key(key),
            Ok(Event::Paste(text)) => Input::Paste(text),
            Ok(_) => Input::Redraw,
            Err(_) => return,
        };
        if to.blocking_send(input).is_err() {
            return;
        }
    }
}
