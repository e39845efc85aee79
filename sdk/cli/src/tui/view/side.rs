//! Members, security and events: beside the messages where there is room, over them elsewhere.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::symbols::{border, line};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Borders, Paragraph};

use super::theme::Theme;
use crate::record::{GroupRecord, MemberRecord};
use crate::text::{clean, truncate, wrap};
use crate::tui::app::{App, nickname};

/// Draws members above and events below.
pub fn draw(frame: &mut Frame<'_>, area: Rect, app: &App, theme: &Theme) {
    let [above, below] = Layout::vertical([Constraint::Fill(3), Constraint::Fill(2)]).areas(area);
    let block = |title, top_left| {
        let corner = border::Set { top_left, ..border::PLAIN };
        let block = Block::new().borders(Borders::LEFT | Borders::TOP).border_set(corner);
        block.border_style(theme.border(false)).title(title)
    };
    let sides =
        [(above, "Members", line::HORIZONTAL_DOWN), (below, "Events", line::VERTICAL_RIGHT)];
    for (area, title, corner) in sides {
        let block = block(title, corner);
        let inner = block.inner(area);
        frame.render_widget(block, area);
        let lines = match (title, app.shown()) {
            ("Events", _) => events(app, inner.width.into()),
            (_, Some(chat)) => members(&chat.group, inner.width.into(), theme),
            (_, None) => Vec::new(),
        };
        frame.render_widget(Paragraph::new(lines), inner);
    }
}

/// A line for each member.
pub fn members<'a>(group: &GroupRecord, width: usize, theme: &Theme) -> Vec<Line<'a>> {
    group.members.iter().map(|member| member_line(member, width, theme)).collect()
}

fn member_line<'a>(member: &MemberRecord, width: usize, theme: &Theme) -> Line<'a> {
    let (state, style) =
        if member.verified { ("verified", theme.good()) } else { ("UNVERIFIED", theme.bad()) };
    let name = nickname(&member.address).to_owned();
    let you = if member.me { " you" } else { "" };
    let devices =
        if member.devices > 1 { format!(" {} devices", member.devices) } else { String::new() };
    let first = format!("{name}{you} {} ", member.role);
    let rest = format!("{state}{devices}");
    let rest = truncate(&rest, width.saturating_sub(first.len())).into_owned();
    Line::from(vec![Span::raw(first), Span::styled(rest, style)])
}

/// What protects a group, and what does not.
pub fn security<'a>(group: &GroupRecord, width: usize, theme: &Theme) -> Vec<Line<'a>> {
    let security = &group.security;
    let (word, style) = theme.security(security.weakest_link);
    let mut lines = vec![Line::styled(format!("[{word}] weakest link:"), style)];
    lines.extend(wrap(&security.weakest_link_text, width).into_iter().map(Line::from));
    let facts = [
        String::new(),
        format!("what is said: {} ({})", security.confidentiality, security.key_agreement),
        format!("who says it: {} ({})", security.authenticity, security.signatures),
        format!("suite: {}", security.suite),
        format!(
            "old keys are kept for {} changes, at most {} s",
            security.keys_kept_for_changes, security.keys_kept_for_seconds
        ),
        format!("unverified members: {}", security.unverified.len()),
    ];
    lines.extend(facts.iter().flat_map(|fact| wrap(fact, width)).map(Line::from));
    let unverified = security.unverified.iter();
    lines.extend(unverified.map(|address| Line::styled(address.clone(), theme.bad())));
    lines
}

/// What has happened, the last first.
pub fn events<'a>(app: &App, width: usize) -> Vec<Line<'a>> {
    if app.events.is_empty() {
        return vec![Line::from("nothing yet")];
    }
    let texts = app.events.iter().map(|record| clean(&app.describe(record)));
    texts.flat_map(|text| wrap(&format!("- {text}"), width)).map(Line::from).collect()
}
