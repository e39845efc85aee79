//! The fields of an entry. A missing or malformed one is a panic with its name.

use serde_json::Value;

pub(crate) trait Fields {
    fn text(&self, name: &str) -> &str;
    fn bytes(&self, name: &str) -> Vec<u8>;
    fn number(&self, name: &str) -> u64;
    fn list(&self, name: &str) -> &[Value];

    fn short(&self, name: &str) -> u16 {
        self.number(name).try_into().unwrap_or_else(|_| panic!("{name} exceeds 16 bits"))
    }

    fn length(&self, name: &str) -> usize {
        self.number(name).try_into().unwrap_or_else(|_| panic!("{name} is no length"))
    }
}

impl Fields for Value {
    fn text(&self, name: &str) -> &str {
        self[name].as_str().unwrap_or_else(|| panic!("{name} is no string"))
    }

    fn bytes(&self, name: &str) -> Vec<u8> {
        hex::decode(self.text(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    fn number(&self, name: &str) -> u64 {
        self[name].as_u64().unwrap_or_else(|| panic!("{name} is no number"))
    }

    fn list(&self, name: &str) -> &[Value] {
        self[name].as_array().unwrap_or_else(|| panic!("{name} is no list"))
    }
}
