//! What can be written after a `/` in the input line. Each is the words of a command of `trellis`, with
//! the group filled in, or something that the messenger does itself.

use super::app::Overlay;

/// What an order does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    /// A command. `{group}` stands for the group and `{rest}` for what follows.
    Command(&'static [&'static str]),
    /// The same, after a question.
    Asked(&'static [&'static str], &'static str),
    /// A search, the results of which are shown.
    Search,
    /// Something to read over the rest.
    Show(Shown),
    /// The end.
    Quit,
}

/// Something to read over the rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    /// The keys.
    Help,
    /// The members.
    Members,
    /// What protects the group.
    Security,
    /// What has happened.
    Events,
}

impl From<Shown> for Overlay {
    fn from(shown: Shown) -> Self {
        match shown {
            Shown::Help => Self::Help,
            Shown::Members => Self::Members,
            Shown::Security => Self::Security,
            Shown::Events => Self::Events,
        }
    }
}

/// An order.
pub struct Order {
    /// What is written after the `/`.
    pub name: &'static str,
    /// What may follow: how many words, of which the last takes the rest of the line.
    pub takes: &'static [&'static str],
    /// What it does.
    pub deed: Deed,
    /// The same for people.
    pub help: &'static str,
}

const fn order(
    name: &'static str,
    takes: &'static [&'static str],
    deed: Deed,
    help: &'static str,
) -> Order {
    Order { name, takes, deed, help }
}

/// All of them.
pub const ORDERS: &[Order] = &[
    order("new", &["NAME"], Deed::Command(&["group", "create", "--", "{rest}"]), "found a group"),
    order(
        "invite",
        &["ADDRESS"],
        Deed::Command(&["invite", "--", "{group}", "{rest}"]),
        "bring somebody in",
    ),
    order(
        "remove",
        &["MEMBER"],
        Deed::Asked(&["remove", "--", "{group}", "{rest}"], "Put this member out?"),
        "put somebody out",
    ),
    order(
        "role",
        &["MEMBER", "ROLE"],
        Deed::Command(&["role", "--", "{group}", "{rest}"]),
        "member, admin or owner",
    ),
    order(
        "rename",
        &["NAME"],
        Deed::Command(&["group", "rename", "--", "{group}", "{rest}"]),
        "rename the group",
    ),
    order(
        "migrate",
        &["SUITE"],
        Deed::Asked(
            &["group", "migrate", "--", "{group}", "{rest}"],
            "Move the group? There is no way back.",
        ),
        "pq-signatures: stronger",
    ),
    order(
        "rotate",
        &[],
        Deed::Command(&["group", "rotate-keys", "--", "{group}"]),
        "replace my keys",
    ),
    order(
        "leave",
        &[],
        Deed::Asked(&["group", "leave", "--", "{group}"], "Leave this group?"),
        "leave the group",
    ),
    order("search", &["WORDS"], Deed::Search, "find messages"),
    order("doctor", &[], Deed::Command(&["doctor"]), "what is stuck and why"),
    order("address", &[], Deed::Command(&["address"]), "show my address"),
    order("members", &[], Deed::Show(Shown::Members), "who is here"),
    order("security", &[], Deed::Show(Shown::Security), "what protects us"),
    order("events", &[], Deed::Show(Shown::Events), "what has happened"),
    order("help", &[], Deed::Show(Shown::Help), "this"),
    order("quit", &[], Deed::Quit, "close the messenger"),
];

/// The order of a line, and the words that follow it.
///
/// # Errors
///
/// What is wrong with it, for people.
pub fn read(line: &str) -> Result<(&'static Order, Vec<String>), String> {
    let (name, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    let order = ORDERS.iter().find(|order| order.name == name);
    let order = order.ok_or_else(|| "there is no such order; /help shows all".to_owned())?;
    let rest = rest.trim();
    let words: Vec<String> = match order.takes.len() {
        0 => rest.split_whitespace().map(ToOwned::to_owned).collect(),
        number => rest
            .splitn(number, char::is_whitespace)
            .map(|word| word.trim().to_owned())
            .filter(|word| !word.is_empty())
            .collect(),
    };
    if words.len() == order.takes.len() {
        return Ok((order, words));
    }
    Err(format!(
        "/{name} takes {}",
        if order.takes.is_empty() { "nothing".to_owned() } else { order.takes.join(" ") }
    ))
}

/// The words of a command. Nothing if it needs a group and there is none.
pub fn words(template: &[&str], group: Option<&str>, rest: &[String]) -> Option<Vec<String>> {
    let mut words = Vec::new();
    for word in template {
        match *word {
            "{group}" => words.push(group?.to_owned()),
            "{rest}" => words.extend_from_slice(rest),
            word => words.push(word.to_owned()),
        }
    }
    Some(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_become_words() {
        let (order, rest) = read("new my garden").unwrap();
        assert_eq!((order.name, rest), ("new", vec!["my garden".to_owned()]));
        let (_, rest) = read("role abcd  admin").unwrap();
        assert_eq!(rest, ["abcd", "admin"]);
        assert!(read("role abcd").is_err());
        assert!(read("leave now").is_err());
        assert!(read("fly").is_err());
    }

    #[test]
    fn all_are_commands_of_the_command_line() {
        for order in ORDERS {
            let (Deed::Command(template) | Deed::Asked(template, _)) = order.deed else { continue };
            let rest: Vec<_> = order
                .takes
                .iter()
                .map(|name| match *name {
                    "ROLE" => "admin".to_owned(),
                    "SUITE" => "pq-signatures".to_owned(),
                    // A name like an option is a name.
                    _ => "--json".to_owned(),
                })
                .collect();
            let words = words(template, Some("group"), &rest).unwrap();
            crate::deeds::Request::parse(words.clone())
                .unwrap_or_else(|error| panic!("{words:?}: {error}"));
        }
    }
}
