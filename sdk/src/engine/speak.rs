//! Messages: sending, sending again, receiving.

use std::collections::BTreeMap;

use tls_codec::{TlsDeserializeBytes, TlsSerialize, TlsSize, VLBytes};

use super::core::Core;
use super::group::{Group, State};
use super::io::{EngineError, Event};
use super::records::{ChangeRecord, SentRecord};
use super::talk::settle_numbers;
use crate::message::{Delivery, Message, Received};
use crate::store::{MessageRow, Space};
use crate::wire::{self, Body, Kind};
use crate::{Address, DeviceId, GroupId, MessageId, StateId, Time};

/// How many numbers beyond a gap are remembered for a device.
const BEYOND: usize = 1024;
/// How many settle times what was said waits for somebody to be put out again.
const HOLD: u64 = 15;
/// How many messages are looked at for having to be sent again.
const AGAIN: u64 = 64;

impl Group {
    /// Says something to the group.
    pub(super) fn speak(
        &mut self,
        core: &mut Core,
        now: Time,
        message: &Message,
    ) -> Result<MessageId, EngineError> {
        if !self.is_active() {
            return Err(EngineError::NotInGroup);
        }
        message.check()?;
        let nonce = core.random()?;
        let id = core.message_id(&core.me.identity.device, &nonce);
        self.record.sent += 1;
        let number = self.record.sent;
        self.save(core)?;
        let row = MessageRow {
            group: self.id,
            id,
            author: core.me.identity.address,
            device: core.me.identity.device,
            seq: number,
            written: now,
            received: now,
            own: true,
            delivery: encode_delivery(Delivery::Queued),
            text: message.search_text().map(ToOwned::to_owned),
            body: message.encode(),
        };
        core.store.message_insert(&row)?;
        self.amend(core, &row, message)?;
        let record = self.sent_now(self.id, nonce);
        self.save_sent(core, number, &record)?;
        self.say_number(core, now, number, true)?;
        Ok(id)
    }

    /// A message that is sent in the newest state.
    fn sent_now(&self, group: GroupId, nonce: [u8; 16]) -> SentRecord {
        let tip = self.tip();
        SentRecord { nonce, group, state: tip.id, height: tip.record.height }
    }

    /// What this device has said of late and not all others are known to have.
    pub(super) fn unheard(&self, core: &Core) -> Result<BTreeMap<u64, SentRecord>, EngineError> {
        let heard = self.others(core).map(|seat| {
            let peer = self.peers.get(&seat.identity.device);
            peer.map_or(0, |peer| peer.acked.max(peer.floor))
        });
        let all = heard.min().unwrap_or(self.record.sent);
        let from = all.max(self.record.sent.saturating_sub(AGAIN)) + 1;
        let sent = |number| Ok(self.sent(core, number)?.map(|sent| (number, sent)));
        (from..=self.record.sent).filter_map(|number| sent(number).transpose()).collect()
    }

    /// What this device has said in states above a height, by its numbers.
    pub(super) fn said_above(
        &self,
        core: &Core,
        height: u64,
    ) -> Result<BTreeMap<u64, SentRecord>, EngineError> {
        let mut said = BTreeMap::new();
        for (key, value) in core.store.scan(Space::Sent, &self.id.0)? {
            if let (Ok(number), Some(sent)) = (key.try_into(), wire::decode::<SentRecord>(&value))
                && sent.height > height
            {
                said.insert(u64::from_be_bytes(number), sent);
            }
        }
        Ok(said)
    }

    /// Up to which number what this device has said stands. What is beyond was said in a state that is not
    /// on the chain any more, and is said again: also for those who have come in since.
    pub(super) fn stands(&self, core: &Core) -> Result<u64, EngineError> {
        let upto = self.record.sent;
        let Some(root) = self.chain.first() else { return Ok(upto) };
        for number in upto.saturating_sub(AGAIN) + 1..=upto {
            let lost = self.sent(core, number)?.is_some_and(|sent| {
                sent.height > root.record.height
                    && self.chain.iter().all(|state| state.id != sent.state)
            });
            if lost {
                return Ok(number - 1);
            }
        }
        Ok(upto)
    }

    /// Says here what was said in the group before this one and may not have arrived there.
    pub(super) fn say_after_move(
        &mut self,
        core: &mut Core,
        now: Time,
        unheard: Vec<SentRecord>,
    ) -> Result<(), EngineError> {
        for sent in unheard {
            self.record.sent += 1;
            let record = self.sent_now(sent.group, sent.nonce);
            self.save_sent(core, self.record.sent, &record)?;
            self.say_number(core, now, self.record.sent, true)?;
        }
        self.save(core)
    }

    fn save_sent(
        &self,
        core: &mut Core,
        number: u64,
        record: &SentRecord,
    ) -> Result<(), EngineError> {
        let key = number.to_be_bytes();
        Ok(core.store.put(Space::Sent, &self.id.0, &key, &wire::encode(record))?)
    }

    fn sent(&self, core: &Core, number: u64) -> Result<Option<SentRecord>, EngineError> {
        let record = core.store.get(Space::Sent, &self.id.0, &number.to_be_bytes())?;
        Ok(record.and_then(|record| wire::decode(&record)))
    }

    /// Sends a message of this device in the newest state, for the first time or again.
    pub(super) fn say_number(
        &mut self,
        core: &mut Core,
        now: Time,
        number: u64,
        surely: bool,
    ) -> Result<(), EngineError> {
        if !self.is_active() {
            return Ok(());
        }
        let Some(sent) = self.sent(core, number)? else { return Ok(()) };
        let again = sent.height != self.tip().record.height || sent.state != self.tip().id;
        // It is said again when what waits is released, and not in a state on the way.
        if again && self.hold.is_some() {
            return Ok(());
        }
        // Whoever is put out in a state further on is not to read it.
        if again && self.on_the_way {
            self.later.insert(number);
            return Ok(());
        }
        let id = core.message_id(&core.me.identity.device, &sent.nonce);
        let Some(row) = core.store.message_get(sent.group, id)? else { return Ok(()) };
        let body =
            Body { nonce: sent.nonce, number, written: row.written, message: row.body.into() };
        let leaf = self.leaf(core, now)?;
        let (group, tip) = (self.id, self.tip().id);
        let body = wire::encode(&body);
        let encrypted = core.with(group, tip, |core, snapshot| {
            let bytes = snapshot.encrypt(&leaf, &body)?;
            Ok(core.store.state_update(group, tip, snapshot.storage()).map(|()| bytes))
        })???;
        let record = self.sent_now(sent.group, sent.nonce);
        self.save_sent(core, number, &record)?;
        let key = self.tip().record.keys.envelope;
        let topic = self.record.topic;
        for envelope in core.seal(&key, &topic, tip, Kind::Application, &encrypted)? {
            if surely {
                core.publish_surely(topic, envelope, Some((sent.group, id)))?;
            } else {
                core.publish(topic, envelope);
            }
        }
        Ok(())
    }

    /// What was said in states above `height` is said again, but not to those who were out there: it
    /// was not for them. They are about to be put out again, or whoever wanted it has thought better.
    pub(super) fn hold_until_out(&mut self, now: Time, out: &[DeviceId], height: u64) {
        let height = self.hold.as_ref().map_or(height, |hold| hold.height.min(height));
        let mut devices: Vec<_> = self.hold.take().map_or_else(Vec::new, |hold| hold.devices);
        devices.extend(out);
        let until = now + self.rules.policy.settle.times(HOLD);
        self.hold = Some(Hold { until, devices, height });
    }

    /// Whether messages that were said before wait because of somebody who is in the group.
    fn holds(&self, now: Time) -> bool {
        self.hold.as_ref().is_some_and(|hold| {
            now < hold.until && hold.devices.iter().any(|device| self.seat(device).is_some())
        })
    }

    /// Says again what waited, if it need not any longer.
    pub(super) fn release(&mut self, core: &mut Core, now: Time) -> Result<(), EngineError> {
        if self.holds(now) {
            return Ok(());
        }
        match self.hold.take() {
            Some(hold) => self.say_again(core, now, hold.height),
            None => Ok(()),
        }
    }

    /// Says what was asked for on the way to the newest state.
    pub(super) fn say_later(&mut self, core: &mut Core, now: Time) -> Result<(), EngineError> {
        if self.on_the_way {
            return Ok(());
        }
        for number in std::mem::take(&mut self.later) {
            self.say_number(core, now, number, false)?;
        }
        Ok(())
    }

    /// Sends again what was sent in states above `height`, which are no longer on the chain.
    pub(super) fn say_again(
        &mut self,
        core: &mut Core,
        now: Time,
        height: u64,
    ) -> Result<(), EngineError> {
        if !self.is_active() {
            return Ok(());
        }
        // What is further back, others miss and ask for.
        for number in self.record.sent.saturating_sub(AGAIN) + 1..=self.record.sent {
            if self.sent(core, number)?.is_some_and(|sent| sent.height > height) {
                self.say_number(core, now, number, true)?;
            }
        }
        Ok(())
    }

    /// A message in a state of the window.
    pub(super) fn hear(
        &mut self,
        core: &mut Core,
        now: Time,
        state: StateId,
        payload: &[u8],
    ) -> Result<(), EngineError> {
        let group = self.id;
        let read = core.with(group, state, |core, snapshot| {
            let (leaf, body) = snapshot.decrypt(payload)?;
            let seat = snapshot.roster().into_iter().find(|seat| seat.leaf == leaf);
            Ok(core.store.state_update(group, state, snapshot.storage()).map(|()| (seat, body)))
        })?;
        // What was read before cannot be read again; nor can what is not for this state.
        let Ok(read) = read else { return Ok(()) };
        let (Some(seat), body) = read? else { return Ok(()) };
        let Some(body) = wire::decode::<Body>(&body) else { return Ok(()) };
        let device = seat.identity.device;
        let Some(peer) = self.peers.get_mut(&device) else { return Ok(()) };
        if peer.beyond.len() < BEYOND {
            peer.beyond.push(body.number);
        }
        peer.sent = peer.sent.max(body.number);
        settle_numbers(&mut peer.upto, &mut peer.beyond);
        self.save_peer(core, &device)?;
        self.acknowledge_soon(core, now)?;
        let id = core.message_id(&device, &body.nonce);
        // A kind of message that this version does not know is kept for one that does.
        let message = Message::decode(body.message.as_slice()).ok();
        let row = MessageRow {
            group,
            id,
            author: seat.identity.address,
            device,
            seq: body.number,
            written: body.written,
            received: now,
            own: false,
            delivery: Vec::new(),
            text: message.as_ref().and_then(Message::search_text).map(ToOwned::to_owned),
            body: body.message.as_slice().to_vec(),
        };
        // What arrived in a group that this one was before, or goes on as, is not told anew.
        for kin in &self.record.kin {
            if core.store.message_get(*kin, id)?.is_some() {
                return Ok(());
            }
        }
        if !core.store.message_insert(&row)? {
            return Ok(());
        }
        if let Some(message) = message {
            self.amend(core, &row, &message)?;
            core.tell(Event::Message(Received {
                group,
                id: row.id,
                author: row.author,
                device,
                written: row.written,
                received: now,
                message,
            }));
        }
        Ok(())
    }

    /// Carries out an edit or a deletion, if it is the author's, also one that came before what it
    /// is about.
    fn amend(
        &self,
        core: &mut Core,
        row: &MessageRow,
        message: &Message,
    ) -> Result<(), EngineError> {
        let scope = self.id.0;
        let (target, text) = match message {
            Message::Edit(target, text) => (*target, Some(text.clone().into_bytes().into())),
            Message::Delete(target) => (*target, None),
            _ => (row.id, None),
        };
        let kept = core.store.get(Space::Done, &scope, &target.0)?;
        let kept: Option<Amendment> = kept.and_then(|kept| wire::decode(&kept));
        let amendment = if target == row.id {
            kept
        } else {
            let new = Amendment { author: row.author, written: row.written, text };
            // A deletion is the last word.
            let older = kept.filter(|kept| {
                kept.author == new.author && (kept.text.is_none() || kept.written > new.written)
            });
            if older.is_none() {
                core.store.put(Space::Done, &scope, &target.0, &wire::encode(&new))?;
            }
            older.or(Some(new))
        };
        let Some(amendment) = amendment else { return Ok(()) };
        let Some(original) = core.store.message_get(self.id, target)? else { return Ok(()) };
        if original.author != amendment.author {
            return Ok(());
        }
        let text = amendment.text.as_ref().map(|text| String::from_utf8_lossy(text.as_slice()));
        let amended = match (Message::decode(&original.body), text) {
            (_, None) => Message::Delete(target),
            (Ok(Message::Text(_)), Some(text)) => Message::Text(text.into_owned()),
            (Ok(Message::Reply(to, _)), Some(text)) => Message::Reply(to, text.into_owned()),
            _ => return Ok(()),
        };
        let text = amended.search_text();
        core.store.message_set_text(self.id, target, text, &amended.encode())?;
        Ok(())
    }

    /// A message of this device has come further.
    pub(super) fn delivered(
        &mut self,
        core: &mut Core,
        number: u64,
        delivery: Delivery,
    ) -> Result<(), EngineError> {
        let Some(sent) = self.sent(core, number)? else { return Ok(()) };
        let id = core.message_id(&core.me.identity.device, &sent.nonce);
        delivered_id(core, sent.group, id, delivery)
    }
}

/// A message of this device in the history of a group has come further.
pub(super) fn delivered_id(
    core: &mut Core,
    group: GroupId,
    message: MessageId,
    delivery: Delivery,
) -> Result<(), EngineError> {
    let Some(row) = core.store.message_get(group, message)? else { return Ok(()) };
    let before = decode_delivery(&row.delivery);
    if order(before) >= order(delivery) {
        return Ok(());
    }
    core.store.message_update_delivery(group, message, &encode_delivery(delivery))?;
    core.tell(Event::Delivery { group, message, delivery });
    Ok(())
}

/// What waits to be said again.
pub(super) struct Hold {
    pub(super) until: Time,
    /// Who is not to hear it.
    devices: Vec<DeviceId>,
    height: u64,
}

/// Whom the commit that led to a state put out.
pub(super) fn put_out(state: &State) -> Vec<DeviceId> {
    let changes = state.record.origin.iter().flat_map(|origin| &origin.changes);
    changes
        .filter_map(|change| match change {
            ChangeRecord::Removed(_, device) => Some(*device),
            _ => None,
        })
        .collect()
}

/// What has become of a message: another text, or none.
#[derive(Debug, TlsSerialize, TlsDeserializeBytes, TlsSize)]
struct Amendment {
    author: Address,
    written: Time,
    text: Option<VLBytes>,
}

/// A delivery only ever grows.
fn order(delivery: Delivery) -> u64 {
    match delivery {
        Delivery::Queued => 0,
        Delivery::Sent => 1,
        Delivery::Reached { devices, .. } => 1 + u64::from(devices),
    }
}

fn encode_delivery(delivery: Delivery) -> Vec<u8> {
    match delivery {
        Delivery::Queued => vec![0],
        Delivery::Sent => vec![1],
        Delivery::Reached { devices, of } => {
            [&[2][..], &devices.to_be_bytes(), &of.to_be_bytes()].concat()
        }
    }
}

fn decode_delivery(bytes: &[u8]) -> Delivery {
    match bytes {
        [1] => Delivery::Sent,
        [2, a, b, c, d, e, f, g, h] => Delivery::Reached {
            devices: u32::from_be_bytes([*a, *b, *c, *d]),
            of: u32::from_be_bytes([*e, *f, *g, *h]),
        },
        _ => Delivery::Queued,
    }
}
