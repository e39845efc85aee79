//! Who and what is meant by a few letters.

use trellis_sdk::client::MAX_PAGE;
use trellis_sdk::{Address, Client, Group, IntentId, MessageId};

use crate::failure::Failure;
use crate::text::clean_line;

/// The fewest letters of an identifier that mean something.
const FEWEST: usize = 4;

fn shown(name: &str) -> String {
    clean_line(name, 80)
}

/// The one of several, if there is one.
fn only<T>(what: &'static str, name: &str, found: Vec<T>) -> Result<T, Failure> {
    let count = found.len();
    let mut found = found.into_iter();
    match (found.next(), count) {
        (Some(one), 1) => Ok(one),
        (None, _) => Err(Failure::NoMatch { what, name: shown(name) }),
        _ => Err(Failure::Ambiguous { what, name: shown(name), count }),
    }
}

/// A group by its whole id, by the beginning of it, or by its name. Groups that this client is in come
/// before those that it was in. A name that looks like the id of another group is ambiguous, for
/// others choose names.
pub async fn group(client: &Client, name: &str) -> Result<Group, Failure> {
    let (mut active, mut old) = (Vec::new(), Vec::new());
    let wanted = name.to_ascii_lowercase();
    for group in client.groups().await? {
        let id = hex::encode(group.id().0);
        if id == wanted {
            return Ok(group);
        }
        let by_id = wanted.len() >= FEWEST && id.starts_with(&wanted);
        if by_id || group.name().await? == name {
            if group.is_active().await? { active.push(group) } else { old.push(group) }
        }
    }
    only("group", name, if active.is_empty() { old } else { active })
}

/// An address, whole.
pub fn address(text: &str) -> Result<Address, Failure> {
    Ok(text.trim().parse().map_err(trellis_sdk::Error::from)?)
}

/// A member of a group by its address, or by the beginning of it with or without `trellis1`.
pub async fn member(group: &Group, name: &str) -> Result<Address, Failure> {
    if name.len() == Address::TEXT_LENGTH {
        return address(name);
    }
    let wanted = name.to_ascii_lowercase();
    let wanted = wanted.strip_prefix("trellis1").unwrap_or(&wanted).trim_end_matches('…');
    let mut found = Vec::new();
    for member in group.members().await? {
        let text = member.address.to_string();
        let letters = text.strip_prefix("trellis1").unwrap_or(&text);
        if wanted.len() >= FEWEST && letters.starts_with(wanted) {
            found.push(member.address);
        }
    }
    only("member", name, found)
}

/// A message by its id, or by the beginning of it if it is among the last of the group.
pub async fn message(group: &Group, name: &str) -> Result<MessageId, Failure> {
    if let Some(id) = hex::decode(name).ok().and_then(|bytes| MessageId::from_slice(&bytes)) {
        return Ok(id);
    }
    let wanted = name.to_ascii_lowercase();
    let entries = group.history(None, MAX_PAGE).await?.entries;
    let ids = entries.into_iter().map(|entry| entry.message.id);
    let matching =
        |id: &MessageId| wanted.len() >= FEWEST && hex::encode(id.0).starts_with(&wanted);
    only("message", name, ids.filter(matching).collect())
}

/// A change by its id.
pub fn change(name: &str) -> Result<IntentId, Failure> {
    let id = hex::decode(name).ok().and_then(|bytes| IntentId::from_slice(&bytes));
    id.ok_or_else(|| Failure::NoMatch { what: "change", name: shown(name) })
}

/// A device of the account by its id, or by the beginning of it.
pub async fn device(client: &Client, name: &str) -> Result<trellis_sdk::DeviceId, Failure> {
    let wanted = name.to_ascii_lowercase();
    let mut found = client.devices().await?;
    found.retain(|id| wanted.len() >= FEWEST && hex::encode(id.0).starts_with(&wanted));
    only("device", name, found)
}
