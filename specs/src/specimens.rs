//! Bytes that the SDK makes.

use trellis_sdk::engine::specimen::{self, Field};

use crate::Error;
use crate::table::block;

fn shown(fields: &[Field]) -> String {
    let fields: Vec<_> = fields.iter().map(|(name, bytes)| (*name, hex::encode(bytes))).collect();
    block(fields.iter().map(|(name, value)| (*name, value.as_str())))
}

fn extension(name: &str) -> Result<String, Error> {
    let mut fields = specimen::extensions();
    fields.retain(|(other, _)| *other == name);
    if fields.is_empty() {
        return Err(Error::Missing(format!("no extension {name}")));
    }
    Ok(shown(&fields))
}

pub(crate) fn policy() -> Result<String, Error> {
    extension("hybrid_policy")
}

pub(crate) fn rules() -> Result<String, Error> {
    extension("group_rules")
}

pub(crate) fn envelope() -> Result<String, Error> {
    Ok(shown(&specimen::envelope()))
}
