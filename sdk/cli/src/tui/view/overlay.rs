//! What is read over the rest: help, lists, results, questions.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;
use ratatui::widgets::{Block, Clear, Paragraph};

use super::side;
use super::theme::Theme;
use crate::text::{clean, wrap};
use crate::tui::app::{App, Overlay};
use crate::tui::orders::ORDERS;

/// The keys, for people.
const KEYS: &[(&str, &str)] = &[
    ("Enter", "say what is written"),
    ("Alt-Enter, Ctrl-J", "a new line in it"),
    ("Up, Down", "what was written before"),
    ("Ctrl-W, Ctrl-U", "remove a word, a line"),
    ("Ctrl-N, Ctrl-P", "next group, previous group"),
    ("PageUp, PageDown", "older messages, newer ones"),
    ("Tab", "to the messages, the groups, and back"),
    ("r + e d", "at a message: reply, react, edit, take back"),
    ("F2 F3 F4", "members, security, events"),
    ("? or F1", "this"),
    ("Esc", "back to the input line"),
    ("Ctrl-C, Ctrl-Q", "clear the input line, quit"),
];

/// Draws what is read over the rest, if there is something.
pub fn draw(frame: &mut Frame<'_>, area: Rect, app: &App, theme: &Theme) {
    let Some(overlay) = &app.overlay else { return };
    // A small terminal is covered whole.
    let margin = |whole: u16, most: u16| whole.saturating_sub(most) / 2;
    let (x, y) = (margin(area.width, 90), margin(area.height, 36));
    let place = Rect {
        x: area.x + x,
        y: area.y + y,
        width: area.width - 2 * x,
        height: area.height - 2 * y,
    };
    let width = usize::from(place.width).saturating_sub(2);
    let (title, lines) = content(overlay, app, width, theme);
    let height = usize::from(place.height).saturating_sub(2);
    let last = lines.len().saturating_sub(height);
    let offset = app.offset.min(last);
    let foot = match overlay {
        Overlay::Question(..) => " y yes, any other key no ".to_owned(),
        _ if last == 0 => " any key closes ".to_owned(),
        _ => format!(
            " arrows scroll ({} of {}), any other key closes ",
            offset + height,
            lines.len()
        ),
    };
    let block = Block::bordered().title(format!(" {title} ")).title_bottom(foot);
    let shown: Vec<_> = lines.into_iter().skip(offset).take(height).collect();
    frame.render_widget(Clear, place);
    frame.render_widget(Paragraph::new(shown).block(block.border_style(theme.border(true))), place);
}

fn content<'a>(
    overlay: &Overlay,
    app: &App,
    width: usize,
    theme: &Theme,
) -> (String, Vec<Line<'a>>) {
    let group = app.shown().map(|chat| &chat.group);
    match overlay {
        Overlay::Help => ("Help".to_owned(), help(width, theme)),
        Overlay::Members => (
            "Members".to_owned(),
            group.map_or_else(Vec::new, |group| side::members(group, width, theme)),
        ),
        Overlay::Security => (
            "Security".to_owned(),
            group.map_or_else(Vec::new, |group| side::security(group, width, theme)),
        ),
        Overlay::Events => ("Events".to_owned(), side::events(app, width)),
        Overlay::Report(title, records) => {
            let texts = records.iter().map(|record| clean(&record.to_string()));
            let mut lines: Vec<_> =
                texts.flat_map(|text| wrap(&text, width)).map(Line::from).collect();
            if lines.is_empty() {
                lines.push(Line::from("nothing was found"));
            }
            (title.clone(), lines)
        }
        Overlay::Question(question, words) => {
            // A group by the name that people know it by.
            let name = |word: &String| {
                let chat = app.chats.iter().find(|chat| chat.group.group == *word);
                chat.map_or_else(|| word.clone(), |chat| chat.group.title(60))
            };
            let words: Vec<_> = words.iter().filter(|word| *word != "--").map(name).collect();
            let what = crate::text::clean_line(&words.join(" "), 500);
            let mut lines = vec![Line::styled(*question, theme.strong()), Line::default()];
            lines.extend(wrap(&what, width).into_iter().map(Line::from));
            ("Are you sure?".to_owned(), lines)
        }
    }
}

fn help<'a>(width: usize, theme: &Theme) -> Vec<Line<'a>> {
    let row = |(left, right): (String, &str)| {
        Line::from(crate::text::truncate(&format!("{left:20} {right}"), width).into_owned())
    };
    let keys = KEYS.iter().map(|(key, what)| ((*key).to_owned(), *what));
    let orders = ORDERS.iter().map(|order| {
        let takes: String = order.takes.iter().map(|name| format!(" {name}")).collect();
        (format!("/{}{takes}", order.name), order.help)
    });
    let mut lines: Vec<_> = keys.map(row).collect();
    lines.push(Line::styled("Orders, in the input line:", theme.strong()));
    lines.extend(orders.map(row));
    lines
}
