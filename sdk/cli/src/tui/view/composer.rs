//! The input line, which grows with what is written.

use ratatui::Frame;
use ratatui::layout::{Position, Rect};
use ratatui::text::Line;
use ratatui::widgets::{Block, Borders, Paragraph};
use unicode_segmentation::UnicodeSegmentation;

use super::theme::Theme;
use crate::text::columns;
use crate::tui::app::{App, Focus, Mode};

/// The most rows of text that are shown.
const MAX_ROWS: u16 = 6;

/// The rows of what is written, broken by columns alone so that the cursor has a place, and the place
/// of the cursor.
fn layout(app: &App, width: u16) -> (Vec<String>, (usize, usize)) {
    let width = usize::from(width).max(2);
    let (before, after) = app.composer.halves();
    let mut rows = vec![String::new()];
    let mut used = 0;
    let mut cursor = (0, 0);
    for (half, text) in [before, after].into_iter().enumerate() {
        if half == 1 {
            // At the end of a full row the cursor is at the beginning of the next.
            if used >= width {
                rows.push(String::new());
                used = 0;
            }
            cursor = (rows.len() - 1, used);
        }
        for cluster in text.graphemes(true) {
            let wide = columns(cluster);
            if cluster == "\n" || used + wide > width {
                rows.push(String::new());
                used = 0;
            }
            if cluster != "\n" {
                used += wide;
                if let Some(row) = rows.last_mut() {
                    row.push_str(cluster);
                }
            }
        }
    }
    (rows, cursor)
}

/// How many rows it takes, with its border.
pub fn height(app: &App, width: u16) -> u16 {
    let rows = layout(app, width).0.len();
    u16::try_from(rows).unwrap_or(MAX_ROWS).min(MAX_ROWS) + 1
}

/// Draws it, and puts the terminal's cursor there.
pub fn draw(frame: &mut Frame<'_>, area: Rect, app: &App, theme: &Theme) {
    let focused = app.focus == Focus::Composer;
    let title = match &app.mode {
        Mode::Say => "Message",
        Mode::Reply(_) => "Reply (Esc: no reply)",
        Mode::Edit(_) => "New text (Esc: leave it)",
        Mode::React(_) => "Reaction, empty takes the last back (Esc: none)",
    };
    let block = Block::new().borders(Borders::TOP).border_style(theme.border(focused)).title(title);
    let inner = block.inner(area);
    frame.render_widget(block, area);
    let (rows, (row, column)) = layout(app, inner.width);
    let height = usize::from(inner.height).max(1);
    let skip = (row + 1).saturating_sub(height);
    let shown: Vec<_> = rows.into_iter().skip(skip).take(height).map(Line::from).collect();
    frame.render_widget(Paragraph::new(shown), inner);
    if focused && app.overlay.is_none() {
        let x = u16::try_from(column).unwrap_or(u16::MAX).min(inner.width.saturating_sub(1));
        let y = u16::try_from(row - skip).unwrap_or(u16::MAX);
        frame.set_cursor_position(Position::new(
            inner.x.saturating_add(x),
            inner.y.saturating_add(y),
        ));
    }
}
