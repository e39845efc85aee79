//! From a state to a frame, and nothing else. Everything is drawn with 16 colours or none, and nothing
//! is told by colour alone.

mod composer;
mod groups;
mod messages;
mod overlay;
mod side;
#[cfg(test)]
pub mod tests;
mod theme;

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Paragraph, Wrap};

use super::app::{App, Network};
use crate::text::truncate;
use theme::Theme;

/// The smallest window that everything fits into.
pub const SMALLEST: (u16, u16) = (60, 16);
/// From which width on the members are beside the messages.
const WIDE: u16 = 100;
/// How wide the groups are.
const GROUPS: u16 = 20;
/// How wide the members are.
const SIDE: u16 = 34;

/// Where things are.
struct Areas {
    title: Rect,
    groups: Rect,
    messages: Rect,
    side: Option<Rect>,
    notice: Rect,
    composer: Rect,
    hint: Rect,
}

impl Areas {
    fn of(app: &App, area: Rect) -> Self {
        let rows = composer::height(app, area.width);
        let vertical = Layout::vertical([
            Constraint::Length(1),
            Constraint::Min(4),
            Constraint::Length(1),
            Constraint::Length(rows),
            Constraint::Length(1),
        ]);
        let [title, middle, notice, composer, hint] = vertical.areas(area);
        let side = if area.width >= WIDE && !app.chats.is_empty() { SIDE } else { 0 };
        // The first screen has room for a whole address in one line, so that it can be copied.
        let groups = if app.chats.is_empty() { 0 } else { GROUPS };
        let [groups, messages, beside] = Layout::horizontal([
            Constraint::Length(groups),
            Constraint::Min(20),
            Constraint::Length(side),
        ])
        .areas(middle);
        let side = (side > 0).then_some(beside);
        Self { title, groups, messages, side, notice, composer, hint }
    }
}

fn is_too_small(area: Rect) -> bool {
    area.width < SMALLEST.0 || area.height < SMALLEST.1
}

/// How far the messages can be scrolled at most in a window of this size.
pub fn scroll_limit(app: &App, area: Rect) -> usize {
    if is_too_small(area) {
        usize::MAX
    } else {
        messages::scroll_limit(app, Areas::of(app, area).messages)
    }
}

/// Draws a state.
pub fn draw(frame: &mut Frame<'_>, app: &App) {
    let (area, theme) = (frame.area(), Theme::new(app.colour));
    if is_too_small(area) {
        let (width, height) = SMALLEST;
        let text = format!(
            "This window is {}x{}; Trellis needs {width}x{height}. Make it larger, or press Ctrl-Q to quit.",
            area.width, area.height
        );
        frame.render_widget(Paragraph::new(text).wrap(Wrap { trim: true }), area);
        return;
    }
    let areas = Areas::of(app, area);
    title(frame, areas.title, app, &theme);
    groups::draw(frame, areas.groups, app, &theme);
    messages::draw(frame, areas.messages, app, &theme);
    if let Some(side) = areas.side {
        side::draw(frame, side, app, &theme);
    }
    notice(frame, areas.notice, app, &theme);
    composer::draw(frame, areas.composer, app, &theme);
    hint(frame, areas.hint, app, &theme);
    overlay::draw(frame, area, app, &theme);
}

fn title(frame: &mut Frame<'_>, area: Rect, app: &App, theme: &Theme) {
    let network = match &app.network {
        Network::Offline => "offline".to_owned(),
        Network::Unknown => "connecting".to_owned(),
        Network::Status(status) => match status.peers.len() {
            0 => "NO PEERS".to_owned(),
            1 => "1 peer".to_owned(),
            number => format!("{number} peers"),
        },
    };
    let right = format!("  {network}  ? help ");
    let room = usize::from(area.width).saturating_sub(right.len());
    let left = truncate(&format!(" Trellis  {}", app.me), room).into_owned();
    let gap = room.saturating_sub(crate::text::columns(&left));
    let line = format!("{left}{}{right}", " ".repeat(gap));
    frame.render_widget(Paragraph::new(line).style(theme.bar()), area);
}

fn notice(frame: &mut Frame<'_>, area: Rect, app: &App, theme: &Theme) {
    let Some(notice) = &app.notice else { return };
    let (mark, style) = if notice.bad { ("! ", theme.bad()) } else { ("- ", theme.dim()) };
    let room = usize::from(area.width).saturating_sub(mark.len());
    let text = truncate(&notice.text, room);
    frame.render_widget(Line::from(vec![Span::raw(mark), Span::raw(text)]).style(style), area);
}

fn hint(frame: &mut Frame<'_>, area: Rect, app: &App, theme: &Theme) {
    use super::app::Focus;
    let text = match app.focus {
        Focus::Composer => {
            "Enter send  Alt-Enter new line  Tab messages  Ctrl-N/P group  /help orders"
        }
        Focus::Messages => {
            "arrows choose  r reply  + react  e edit  d take back  Tab groups  Esc back"
        }
        Focus::Groups => "arrows choose  n new group  i invite  Enter or Esc back",
    };
    let text = truncate(text, area.width.into());
    frame.render_widget(Line::from(text).style(theme.dim()), area);
}
