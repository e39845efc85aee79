//! The messages of a group, with the group's name and what protects it above.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Borders, Paragraph};

use super::theme::Theme;
use crate::record::{DeliveryRecord, GroupRecord};
use crate::text::{clean, clean_line, columns, truncate, wrap};
use crate::tui::app::{App, Chat, Focus, nickname};
use crate::tui::fold;

/// The most lines of one message; the rest is in `trellis history`.
const MAX_LINES: usize = 60;
/// The most bytes of a message that are looked at to show it.
const MAX_BYTES: usize = 8 * 1024;
/// How many milliseconds later the author's name is told again.
const PAUSE: u64 = 5 * 60 * 1000;
/// How far texts are behind names.
const INDENT: usize = 2;

/// A row, and the message that it belongs to.
struct Row<'a> {
    line: Line<'a>,
    message: Option<&'a str>,
}

/// Draws the group that is shown.
pub fn draw(frame: &mut Frame<'_>, area: Rect, app: &App, theme: &Theme) {
    let border = theme.border(app.focus == Focus::Messages);
    let block = Block::new().borders(Borders::TOP).border_style(border);
    let inner = block.inner(area);
    frame.render_widget(block, area);
    let Some(chat) = app.shown() else {
        let text = "You are in no group yet. Give your address to somebody who is in one:\n\n"
            .to_owned()
            + &wrap(&app.me, inner.width.into()).join("\n")
            + "\n\nand wait to be invited, or found a group with /new NAME.";
        frame.render_widget(Paragraph::new(text), inner);
        return;
    };
    let [head, body] = Layout::vertical([Constraint::Length(2), Constraint::Min(1)]).areas(inner);
    let width = usize::from(inner.width);
    frame.render_widget(Paragraph::new(header(&chat.group, width, theme)), head);
    let rows = rows(app, chat, width, theme);
    let height = usize::from(body.height);
    let below = match rows
        .iter()
        .rposition(|row| row.message.is_some() && row.message == chat.chosen.as_deref())
    {
        // What is chosen is in the middle, as far as there are rows on both sides.
        Some(place) => (rows.len() - place - 1).saturating_sub(height / 2),
        None => chat.scroll,
    };
    let below = below.min(rows.len().saturating_sub(height));
    let end = rows.len() - below;
    let start = end.saturating_sub(height);
    let shown: Vec<_> =
        rows.into_iter().skip(start).take(end - start).map(|row| row.line).collect();
    frame.render_widget(Paragraph::new(shown), body);
    if below > 0 {
        let text = format!(" {below} more lines below ");
        let width = u16::try_from(text.len()).unwrap_or(u16::MAX).min(area.width);
        let place = Rect { x: area.right() - width, width, height: 1, ..area };
        frame.render_widget(Line::from(text).style(theme.note()), place);
    }
}

/// How far the messages can be scrolled at most.
pub fn scroll_limit(app: &App, area: Rect) -> usize {
    if app.shown().is_none_or(|chat| chat.scroll == 0) {
        return 0;
    }
    // A border, and two lines of the group's own.
    let height = usize::from(area.height.saturating_sub(3));
    let rows = app.shown().map(|chat| rows(app, chat, area.width.into(), &Theme::new(false)).len());
    rows.unwrap_or_default().saturating_sub(height)
}

/// The name of the group, and what protects it.
fn header<'a>(group: &GroupRecord, width: usize, theme: &Theme) -> Vec<Line<'a>> {
    let members = match group.members.len() {
        1 => "  only you".to_owned(),
        number => format!("  {number} members"),
    };
    let role = group.role.map(|role| format!(", you are {role}")).unwrap_or_default();
    let state =
        if group.active { format!("{members}{role}") } else { "  you have left".to_owned() };
    let room = width.saturating_sub(columns(&state));
    let name = Span::styled(group.title(room), theme.strong());
    let security = &group.security;
    let (word, style) = theme.security(security.weakest_link);
    let link = security.weakest_link.replace('-', " ");
    let text = format!("[{word}] content {}; weakest link: {link}", security.confidentiality);
    let text = truncate(&text, width).into_owned();
    vec![Line::from(vec![name, Span::raw(state)]), Line::styled(text, style)]
}

/// All rows of a group, the oldest first.
fn rows<'a>(app: &App, chat: &'a Chat, width: usize, theme: &Theme) -> Vec<Row<'a>> {
    let mut rows = Vec::new();
    let plain = |text: String, style: Style| Row { line: Line::styled(text, style), message: None };
    let (mut day, mut before): (String, Option<&fold::Line>) = (String::new(), None);
    for line in &chat.lines {
        let today = time(app, line.written, "%A, %Y-%m-%d");
        if today != day {
            rows.push(plain(format!("-- {today} --"), theme.dim()));
            (day, before) = (today, None);
        }
        let goes_on = before.is_some_and(|before| {
            before.author == line.author && line.written.abs_diff(before.written) < PAUSE
        });
        let chosen = chat.chosen.as_deref() == Some(&line.id);
        let first = rows.len();
        if !goes_on {
            rows.push(Row { line: name(app, chat, line, theme), message: Some(&line.id) });
        }
        for text in body(line, width, theme) {
            rows.push(Row { line: text, message: Some(&line.id) });
        }
        if chosen {
            for row in rows.iter_mut().skip(first) {
                row.line = std::mem::take(&mut row.line).style(theme.chosen());
            }
        }
        before = Some(line);
    }
    if chat.lines.is_empty() {
        rows.push(plain("nothing was said here yet".to_owned(), theme.dim()));
    }
    rows
}

fn time(app: &App, millis: u64, format: &str) -> String {
    crate::record::time_in(millis, format, &app.zone)
}

/// Who says something, and when. Who is not known to be who the address says has a mark.
fn name<'a>(app: &App, chat: &Chat, line: &fold::Line, theme: &Theme) -> Line<'a> {
    let (name, style) = if line.mine {
        ("you".to_owned(), theme.mine())
    } else {
        (nickname(&line.author).to_owned(), theme.other())
    };
    let member = chat.group.members.iter().find(|member| member.address == line.author);
    let (mark, mark_style) = match member {
        Some(member) if !member.verified => (" UNVERIFIED", theme.bad()),
        Some(member) if member.role != "member" => {
            (if member.role == "owner" { " owner" } else { " admin" }, theme.dim())
        }
        Some(_) => ("", theme.dim()),
        None => (" not here any more", theme.dim()),
    };
    let at = time(app, line.written, "  %H:%M");
    Line::from(vec![
        Span::styled(name, style),
        Span::styled(mark, mark_style),
        Span::styled(at, theme.dim()),
    ])
}

/// What is said, and what belongs to it.
fn body<'a>(line: &fold::Line, width: usize, theme: &Theme) -> Vec<Line<'a>> {
    let room = width.saturating_sub(INDENT).max(2);
    let indent = " ".repeat(INDENT);
    let mut out = Vec::new();
    if let Some((author, text)) = &line.reply {
        let author = author.as_deref().map_or("", nickname);
        let text = clean_line(&format!("> {author}: {}", cut(text)), room);
        out.push(Line::styled(format!("{indent}{text}"), theme.dim()));
    }
    let Some(text) = &line.text else {
        out.push(Line::styled(format!("{indent}(taken back)"), theme.dim()));
        return out;
    };
    let mut texts = wrap(&clean(cut(text)), room);
    let is_cut = texts.len() > MAX_LINES || text.len() > MAX_BYTES;
    texts.truncate(MAX_LINES);
    if is_cut {
        texts.push(format!("… ({} bytes; `trellis history` has all of it)", text.len()));
    }
    let tail = tail(line);
    let last = texts.len().saturating_sub(1);
    for (number, text) in texts.into_iter().enumerate() {
        let used = columns(&text);
        let text = Span::raw(format!("{indent}{text}"));
        if number < last || tail.is_empty() {
            out.push(Line::from(text));
        } else if used + 1 + tail.len() <= room {
            out.push(Line::from(vec![text, Span::styled(format!(" {tail}"), theme.dim())]));
        } else {
            out.push(Line::from(text));
            out.push(Line::styled(format!("{indent}{tail}"), theme.dim()));
        }
    }
    if !line.reactions.is_empty() {
        let all = line.reactions.iter().map(|(text, count)| match count {
            1 => format!("[{}]", clean_line(text, 20)),
            _ => format!("[{} {count}]", clean_line(text, 20)),
        });
        let text = all.collect::<Vec<_>>().join(" ");
        out.push(Line::styled(format!("{indent}{}", truncate(&text, room)), theme.note()));
    }
    out
}

/// That it was edited, and how far it has come.
fn tail(line: &fold::Line) -> String {
    let edited = line.edited.then(|| "edited".to_owned());
    let delivery = line.delivery.map(|delivery| match delivery {
        DeliveryRecord::Reached { devices, of } if devices >= of => "all have it".to_owned(),
        DeliveryRecord::Reached { devices, of } => format!("{devices} of {of} have it"),
        other => other.to_string(),
    });
    let all: Vec<_> = edited.into_iter().chain(delivery).collect();
    if all.is_empty() { String::new() } else { format!("({})", all.join(", ")) }
}

/// As much of a text as is looked at.
fn cut(text: &str) -> &str {
    let mut end = text.len().min(MAX_BYTES);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}
