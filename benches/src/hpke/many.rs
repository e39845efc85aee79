//! Many recipients with one `info`, as in a commit that adds 255 members: the `info` of each seal is
//! then the encrypted GroupInfo (RFC 9420, section 12.4.3.1).

use std::rc::Rc;

use openmls_libcrux_crypto::Provider as OpenMlsLibcrux;
use openmls_rust_crypto::OpenMlsRustCrypto;
use openmls_traits::OpenMlsProvider;
use openmls_traits::crypto::OpenMlsCrypto;
use openmls_traits::types::Ciphersuite;
use openmls_trellis_crypto::{Backend, KeyDerivation, TrellisCrypto};
use trellis_ciphersuites::hpke::Hpke;
use trellis_ciphersuites::kem::KeyPair;

use super::TEXT;
use crate::candidates::{Row, Table};
use crate::group::Contender;
use crate::suites::Suite;

const NOTE: &str = "All 255 seals, by one call of `OpenMlsCrypto::hpke_seal` each, as OpenMLS does. Ours \
    hashes the info once: it remembers the last one, and begins here with none. The others hash it \
    255 times. 685 KB is about the GroupInfo of a group of 256 in row 2.";

pub(super) const CLASSICAL: Table =
    Table { title: "HPKE to 255, classical", note: NOTE, rows: || rows("classical") };
pub(super) const ROW_2: Table =
    Table { title: "HPKE to 255, row 2", note: NOTE, rows: || rows("row 2") };

const RECIPIENTS: usize = 255;
const SIZES: [(&str, usize); 3] = [("1 KB", 1_000), ("64 KB", 64_000), ("685 KB", 685_000)];

/// What all candidates of a row have in common.
struct Work {
    suite: Ciphersuite,
    recipients: Rc<[KeyPair]>,
    info: Vec<u8>,
}

impl Work {
    fn seal_to_all(&self, crypto: &impl OpenMlsCrypto) {
        for recipient in &*self.recipients {
            let sealed = crypto.hpke_seal(
                self.suite.hpke_config(),
                &recipient.public,
                &self.info,
                b"",
                TEXT,
            );
            std::hint::black_box(sealed.unwrap());
        }
    }

    /// Whether ours opens what a candidate seals.
    fn check(&self, crypto: &impl OpenMlsCrypto) {
        let KeyPair { private, public } = &self.recipients[0];
        let sealed =
            crypto.hpke_seal(self.suite.hpke_config(), public, &self.info, b"", TEXT).unwrap();
        let portable = TrellisCrypto::new(Backend::portable(), KeyDerivation::default());
        let opened =
            portable.hpke_open(self.suite.hpke_config(), &sealed, private, &self.info, b"");
        assert_eq!(opened.unwrap(), TEXT);
    }
}

/// Adds a contender whose cryptography this makes, anew for each call.
fn add<C: OpenMlsCrypto>(
    row: Row,
    contender: Contender,
    work: &Rc<Work>,
    crypto: impl Fn() -> C + 'static,
) -> Row {
    work.check(&crypto());
    let work = Rc::clone(work);
    row.add_unchecked(contender.name(), move || work.seal_to_all(&crypto()))
}

/// Adds a contender of OpenMLS, made once: it remembers nothing but the state of its generator.
fn add_published<P: OpenMlsProvider + Default + 'static>(
    row: Row,
    contender: Contender,
    work: &Rc<Work>,
) -> Row {
    let provider = P::default();
    work.check(provider.crypto());
    let work = Rc::clone(work);
    row.add_unchecked(contender.name(), move || work.seal_to_all(provider.crypto()))
}

fn rows(short: &str) -> Vec<Row> {
    let suite = Suite::find(short).unwrap();
    let hpke = Hpke::new(suite.registered().hpke(), Backend::default());
    let recipients: Rc<[_]> =
        (0..RECIPIENTS).map(|index| hpke.derive_key_pair(&[index as u8; 32]).unwrap()).collect();
    let row = |(size, bytes)| {
        let info = vec![0x57; bytes];
        let work =
            Rc::new(Work { suite: suite.open_mls(), recipients: Rc::clone(&recipients), info });
        let contenders = Contender::ALL.iter().filter(|contender| contender.supports(suite));
        let row = Row::new(format!("seal to all, info of {size}"));
        contenders.fold(row, |row, &contender| {
            let ours =
                |backend: Backend| move || TrellisCrypto::new(backend, KeyDerivation::default());
            match contender {
                Contender::Native => add(row, contender, &work, ours(Backend::default())),
                Contender::Portable => add(row, contender, &work, ours(Backend::portable())),
                Contender::RustCrypto => add_published::<OpenMlsRustCrypto>(row, contender, &work),
                Contender::Libcrux => add_published::<OpenMlsLibcrux>(row, contender, &work),
                // It has no such interface.
                Contender::MlsRs => row,
            }
        })
    };
    SIZES.map(row).into()
}
