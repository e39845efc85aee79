//! The groups, on the left.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::symbols::{border, line};
use ratatui::text::Line;
use ratatui::widgets::{Block, Borders, Paragraph};

use super::theme::Theme;
use crate::text::columns;
use crate::tui::app::{App, Chat, Focus};

/// Draws the groups, so that the one that is shown can be seen.
pub fn draw(frame: &mut Frame<'_>, area: Rect, app: &App, theme: &Theme) {
    let border = theme.border(app.focus == Focus::Groups);
    let corner = border::Set { top_right: line::HORIZONTAL_DOWN, ..border::PLAIN };
    let block = Block::new().borders(Borders::RIGHT | Borders::TOP).border_set(corner);
    let block = block.border_style(border).title("Groups");
    let inner = block.inner(area);
    frame.render_widget(block, area);
    let current = app.current.as_ref();
    let place = app.chats.iter().position(|chat| Some(&chat.group.group) == current);
    let height = usize::from(inner.height);
    let skip = place.unwrap_or_default().saturating_sub(height.saturating_sub(1));
    let shown = app.chats.iter().enumerate().skip(skip).take(height);
    let lines: Vec<_> = shown
        .map(|(number, chat)| {
            let line = Line::from(row(chat, inner.width.into()));
            match (Some(number) == place, chat.group.active) {
                (true, _) => line.style(theme.chosen()),
                (false, false) => line.style(theme.dim()),
                (false, true) if chat.unread > 0 => line.style(theme.strong()),
                _ => line,
            }
        })
        .collect();
    frame.render_widget(Paragraph::new(lines), inner);
}

/// Name and number of unread messages.
fn row(chat: &Chat, width: usize) -> String {
    let unread = match (chat.group.active, chat.unread) {
        (false, _) => " (left)".to_owned(),
        (true, 0) => String::new(),
        (true, number @ 1..=999) => format!(" {number}"),
        (true, _) => " 999+".to_owned(),
    };
    let room = width.saturating_sub(unread.len());
    let name = chat.group.title(room);
    let gap = room.saturating_sub(columns(&name));
    format!("{name}{}{unread}", " ".repeat(gap))
}
