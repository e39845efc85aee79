//! `deserialization`: headers of variable-length vectors (RFC 9420, section 2.1.2).

use serde::{Deserialize, Serialize};

use crate::kinds::Vector;
use crate::{Failure, Hex, Primitives};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct Deserialization {
    pub vlbytes_header: Hex,
    pub length: u64,
}

impl Vector for Deserialization {
    fn check(&self, _: &dyn Primitives) -> Result<(), Failure> {
        let (found, read) = tls_codec::vlen::read_length(&mut &self.vlbytes_header[..])
            .map_err(|error| Failure::refused("vlbytes_header", error))?;
        if read != self.vlbytes_header.len() {
            return Err(Failure::refused("vlbytes_header", "bytes are left over"));
        }
        if found as u64 != self.length {
            let reason = format!("expected {}, found {found}", self.length);
            return Err(Failure::refused("length", reason));
        }
        Ok(())
    }
}
