//! Accounts, devices, and what ties them: each change is noticed, and each signature needed.

use openmls::prelude::{BasicCredential, Credential, CredentialType};
use openmls_traits::crypto::OpenMlsCrypto;
use openmls_traits::signatures::Signer;
use openmls_traits::types::{HashType, SignatureScheme};
use openmls_trellis_crypto::{TrellisCrypto, TrellisSigner};
use proptest::prelude::*;
use trellis_sdk::identity::{
    AccountKeys, AddressError, Binding, DeviceKey, DeviceKeys, DevicePublic, IdentityError,
    LeafIdentity, LeafStatus, LinkRequest, Revocation, check_leaf,
};
use trellis_sdk::{Address, DeviceId, Time};

const NOW: Time = Time(1_790_000_000_000);
/// All that a device may want.
const MANY: [SignatureScheme; 3] =
    [SignatureScheme::MLDSA44, SignatureScheme::MLDSA65, SignatureScheme::MLDSA87];

/// Where the signatures of an account begin, counted from the end.
const ML_DSA: usize = 3309;
const BOTH: usize = 64 + ML_DSA;

struct World {
    crypto: TrellisCrypto,
    account: AccountKeys,
    device: DeviceKeys,
}

impl World {
    fn new(number: u8) -> Self {
        let crypto = TrellisCrypto::default();
        let account = AccountKeys::from_bytes(&crypto, &[number; 64]).unwrap();
        let device = DeviceKeys::generate(&crypto, &[]).unwrap();
        Self { crypto, account, device }
    }

    fn address(&self) -> Address {
        self.account.public().address(&self.crypto)
    }

    fn binding(&self) -> Binding {
        self.account.bind(self.device.public(), NOW).unwrap()
    }
}

#[test]
fn sizes_are_those_of_the_documentation() {
    let world = World::new(1);
    let request = LinkRequest::new(&world.crypto, &world.device).unwrap();
    let revocation = world.account.revoke(DeviceId([1; 32]), NOW).unwrap();
    let many = DeviceKeys::generate(&world.crypto, &MANY).unwrap();
    let many_request = LinkRequest::new(&world.crypto, &many).unwrap();
    let longest = [
        SignatureScheme::ECDSA_SECP256R1_SHA256,
        SignatureScheme::ECDSA_SECP384R1_SHA384,
        SignatureScheme::ECDSA_SECP521R1_SHA512,
    ];
    let longest = DeviceKeys::generate(&world.crypto, &longest).unwrap();
    assert!(DeviceKeys::decode(&world.crypto, &longest.encode()).is_ok());
    let sizes = [
        ("binding, Ed25519", world.binding().encode().len(), 5402),
        (
            "binding, Ed25519 and ML-DSA",
            world.account.bind(many.public(), NOW).unwrap().encode().len(),
            11_271,
        ),
        ("link request, Ed25519", request.encode().len(), 119),
        ("its text", request.text().len(), 203),
        ("link request, Ed25519 and ML-DSA", many_request.encode().len(), 16_350),
        ("revocation", revocation.encode().len(), 5398),
        ("account keys", world.account.to_bytes().len(), 64),
        ("device keys, Ed25519", world.device.encode().len(), 37),
        ("device keys, the longest", longest.encode().len(), 194),
        ("address", world.address().to_string().len(), 66),
    ];
    for (what, size, expected) in sizes {
        println!("{what}: {size}");
        assert_eq!(size, expected, "{what}");
    }
    assert_eq!(revocation.encode().len(), Revocation::LENGTH);
}

#[test]
fn a_binding_of_the_longest_keys_is_read() {
    let world = World::new(1);
    let keys = [
        (SignatureScheme::ECDSA_SECP521R1_SHA512, 133),
        (SignatureScheme::MLDSA44, 1312),
        (SignatureScheme::MLDSA65, 1952),
        (SignatureScheme::MLDSA87, 2592),
    ];
    let keys = keys.map(|(scheme, length)| DeviceKey::new(scheme, vec![1; length]).unwrap());
    let binding = world.account.bind(&DevicePublic::new(keys.to_vec()).unwrap(), NOW).unwrap();
    assert_eq!(binding.encode().len(), 11_373);
    assert_eq!(binding.encode().len(), Binding::MAX_LENGTH);
    assert_eq!(Binding::decode(&binding.encode()), Ok(binding));
}

#[test]
fn an_address_is_the_hash_of_both_keys_behind_a_label() {
    let world = World::new(1);
    let bytes = world.binding().encode();
    let keys = &bytes[1..1 + 32 + 1952];
    let input = [&[18][..], b"trellis account v1", keys].concat();
    let digest = world.crypto.hash(HashType::Sha2_256, &input).unwrap();
    assert_eq!(world.address().0, digest[..]);
    assert_eq!(
        world.address().to_string(),
        "trellis157ellwwhduplg47m6ug5h7s0ykkp5rphyrdzr7suye3vtvc3elzqu6m8v3"
    );
}

#[test]
fn the_name_of_a_device_is_the_hash_of_its_binding() {
    let world = World::new(1);
    let binding = world.binding();
    let digest = world.crypto.hash(HashType::Sha2_256, &binding.encode()).unwrap();
    assert_eq!(binding.device_id(&world.crypto).0, digest[..]);
    assert_eq!(binding.verify(&world.crypto).unwrap().device().0, digest[..]);
}

#[test]
fn everything_comes_back_from_its_bytes() {
    let world = World::new(1);
    let again = AccountKeys::from_bytes(&world.crypto, &world.account.to_bytes()).unwrap();
    assert_eq!(again.public(), world.account.public());

    let binding = world.binding();
    assert_eq!(Binding::decode(&binding.encode()), Ok(binding.clone()));
    let verified = binding.verify(&world.crypto).unwrap();
    assert_eq!(verified.address(), world.address());
    assert_eq!(verified.created(), NOW);
    assert_eq!(verified.keys(), world.device.public());

    let revocation = world.account.revoke(verified.device(), NOW).unwrap();
    assert_eq!(Revocation::decode(&revocation.encode()), Ok(revocation.clone()));
    let revoked = revocation.verify(&world.crypto).unwrap();
    assert_eq!(
        (revoked.address(), revoked.device(), revoked.at()),
        (world.address(), verified.device(), NOW)
    );

    for schemes in [&[][..], &MANY, &[SignatureScheme::ECDSA_SECP521R1_SHA512]] {
        let device = DeviceKeys::generate(&world.crypto, schemes).unwrap();
        let again = DeviceKeys::decode(&world.crypto, &device.encode()).unwrap();
        assert_eq!(again.public(), device.public());
        for key in device.public().keys() {
            let signer = again.signer(key.scheme()).unwrap();
            assert_eq!(signer.public_key(), key.key());
            let signature = signer.sign(b"frost").unwrap();
            world.crypto.verify_signature(key.scheme(), b"frost", key.key(), &signature).unwrap();
        }
        let request = LinkRequest::new(&world.crypto, &device).unwrap();
        assert_eq!(LinkRequest::decode(&request.encode()), Ok(request.clone()));
        assert_eq!(LinkRequest::from_text(&request.text()), Ok(request.clone()));
        assert_eq!(LinkRequest::from_text(&request.text().to_uppercase()), Ok(request.clone()));
        request.verify(&world.crypto).unwrap();
        let binding = world.account.approve(&world.crypto, &request, NOW).unwrap();
        assert_eq!(Binding::decode(&binding.encode()), Ok(binding));
    }
    assert!(world.device.signer(SignatureScheme::MLDSA44).is_none());
}

/// Changes each byte of an encoding, and cuts and lengthens it. Each must be refused.
fn every_change_is_refused(bytes: &[u8], accepts: impl Fn(&[u8]) -> bool) {
    assert!(accepts(bytes));
    for place in 0..bytes.len() {
        let mut changed = bytes.to_vec();
        changed[place] ^= 1 << (place % 8);
        assert!(!accepts(&changed), "byte {place}");
    }
    for length in (0..bytes.len()).step_by(1 + bytes.len() / 200) {
        assert!(!accepts(&bytes[..length]), "length {length}");
    }
    assert!(!accepts(&[bytes, &[0]].concat()));
}

#[test]
fn every_changed_byte_of_a_binding_is_refused_and_gives_another_device() {
    let world = World::new(1);
    let (binding, crypto) = (world.binding(), &world.crypto);
    every_change_is_refused(&binding.encode(), |bytes| {
        let Ok(read) = Binding::decode(bytes) else { return false };
        assert!(read == binding || read.device_id(crypto) != binding.device_id(crypto));
        read.verify(crypto).is_ok()
    });
}

#[test]
fn every_changed_byte_of_a_revocation_is_refused() {
    let world = World::new(1);
    let revocation = world.account.revoke(DeviceId([1; 32]), NOW).unwrap();
    every_change_is_refused(&revocation.encode(), |bytes| {
        Revocation::decode(bytes).is_ok_and(|read| read.verify(&world.crypto).is_ok())
    });
}

#[test]
fn every_changed_byte_of_a_link_request_is_refused() {
    let world = World::new(1);
    for schemes in [&[][..], &[SignatureScheme::ECDSA_SECP256R1_SHA256, SignatureScheme::MLDSA44]] {
        let device = DeviceKeys::generate(&world.crypto, schemes).unwrap();
        let request = LinkRequest::new(&world.crypto, &device).unwrap();
        every_change_is_refused(&request.encode(), |bytes| {
            LinkRequest::decode(bytes).is_ok_and(|read| read.verify(&world.crypto).is_ok())
        });
    }
}

#[test]
fn every_changed_character_of_an_address_is_refused() {
    let address = Address([0xA5; 32]);
    let text = address.to_string();
    assert_eq!(text.parse(), Ok(address));
    assert_eq!(text.to_uppercase().parse(), Ok(address));
    for place in 0..text.len() {
        for character in ' '..='~' {
            let mut changed = text.clone();
            changed.replace_range(place..=place, &character.to_string());
            if changed != text {
                assert!(changed.parse::<Address>().is_err(), "{changed}");
            }
        }
    }
}

#[test]
fn what_is_wrong_with_an_address_is_said() {
    let text = Address([0xA5; 32]).to_string();
    let other = text.replacen("trellis1", "bc1", 1);
    let swapped =
        format!("{}{}", &text[..text.len() - 1], if text.ends_with('q') { 'p' } else { 'q' });
    let mixed = text.replacen("trellis1", "Trellis1", 1);
    for (text, expected) in [
        ("", AddressError::Prefix),
        ("trellis", AddressError::Prefix),
        ("trellis1", AddressError::Length),
        (&other, AddressError::Prefix),
        (&text.replacen("trellis1", "trellisx", 1), AddressError::Prefix),
        (&mixed, AddressError::MixedCase),
        (&text[..text.len() - 1], AddressError::Length),
        (&format!("{text}q"), AddressError::Length),
        (&format!("{}b", &text[..text.len() - 1]), AddressError::Character('b')),
        (&format!("{}ä", &text[..text.len() - 2]), AddressError::Character('ä')),
        (&format!(" {text}"), AddressError::Prefix),
        (&format!("{text} "), AddressError::Character(' ')),
        (&swapped, AddressError::Checksum),
    ] {
        assert_eq!(text.parse::<Address>(), Err(expected), "{text}");
    }
}

#[test]
fn bits_behind_the_last_byte_of_an_address_have_to_be_zero() {
    use bech32::primitives::iter::{ByteIterExt, Fe32IterExt};
    use bech32::{Bech32m, Fe32, Hrp};
    let address = Address([0xA5; 32]);
    let encode = |extra: u8| -> String {
        let mut fes: Vec<Fe32> = address.0.iter().copied().bytes_to_fes().collect();
        let last = fes.pop().unwrap();
        fes.push(Fe32::try_from(last.to_u8() | extra).unwrap());
        let prefix = Hrp::parse("trellis").unwrap();
        fes.into_iter().with_checksum::<Bech32m>(&prefix).chars().collect()
    };
    assert_eq!(encode(0).parse(), Ok(address));
    for extra in 1..16 {
        assert_eq!(encode(extra).parse::<Address>(), Err(AddressError::Checksum));
    }
}

/// An account with one key of an account and one of another.
fn mixed(crypto: &TrellisCrypto, one: u8, other: u8) -> AccountKeys {
    AccountKeys::from_bytes(crypto, &[[one; 32], [other; 32]].concat()).unwrap()
}

#[test]
fn both_signatures_are_needed() {
    let world = World::new(1);
    let honest = world.binding().encode();
    let start = honest.len() - BOTH;
    // Who has one key of the account only signs the same statement with a key of his own beside it.
    for thief in [mixed(&world.crypto, 1, 2), mixed(&world.crypto, 2, 1)] {
        let content = &honest[..start];
        let label = b"trellis device binding v1";
        let statement = [&[label.len() as u8][..], label, content].concat();
        let seeds = thief.to_bytes();
        let sign = |scheme, seed: &[u8]| {
            TrellisSigner::from_seed(scheme, seed).unwrap().sign(&statement).unwrap()
        };
        let signatures = [
            sign(SignatureScheme::ED25519, &seeds[..32]),
            sign(SignatureScheme::MLDSA65, &seeds[32..]),
        ]
        .concat();
        let forged = Binding::decode(&[content, &signatures[..]].concat()).unwrap();
        assert_eq!(forged.verify(&world.crypto), Err(IdentityError::Signature("device binding")));
        assert_ne!(thief.public().address(&world.crypto), world.address());
    }
    // The same with both keys of the account is no forgery: so the test above tests what it should.
    let content = &honest[..start];
    let statement = [&[25][..], b"trellis device binding v1", content].concat();
    let signatures = [SignatureScheme::ED25519, SignatureScheme::MLDSA65]
        .map(|scheme| TrellisSigner::from_seed(scheme, &[1; 32]).unwrap().sign(&statement).unwrap())
        .concat();
    let made = Binding::decode(&[content, &signatures[..]].concat()).unwrap();
    assert_eq!(made.verify(&world.crypto).unwrap().address(), world.address());
}

#[test]
fn signatures_of_one_statement_do_not_serve_another() {
    let world = World::new(1);
    let (binding, later) = (world.binding().encode(), {
        let later = Time(NOW.0 + 1);
        world.account.bind(world.device.public(), later).unwrap().encode()
    });
    let start = binding.len() - BOTH;
    let ml_dsa = binding.len() - ML_DSA;
    for crossed in [
        [&binding[..start], &later[start..]].concat(),
        [&binding[..start], &later[start..ml_dsa], &binding[ml_dsa..]].concat(),
        [&binding[..ml_dsa], &later[ml_dsa..]].concat(),
    ] {
        let crossed = Binding::decode(&crossed).unwrap();
        assert!(crossed.verify(&world.crypto).is_err());
    }
    let revocation = world.account.revoke(DeviceId([1; 32]), NOW).unwrap().encode();
    let crossed = [&revocation[..revocation.len() - BOTH], &binding[start..]].concat();
    assert!(Revocation::decode(&crossed).unwrap().verify(&world.crypto).is_err());
}

#[test]
fn lists_of_keys_are_sorted_and_without_duplicates() {
    let world = World::new(1);
    let key = |scheme, length| DeviceKey::new(scheme, vec![1; length]).unwrap();
    let ed25519 = || key(SignatureScheme::ED25519, 32);
    let p256 = || key(SignatureScheme::ECDSA_SECP256R1_SHA256, 65);
    assert_eq!(DevicePublic::new(vec![]), Err(IdentityError::KeyCount));
    assert_eq!(DevicePublic::new(vec![ed25519(), ed25519()]), Err(IdentityError::KeyCount));
    let five = vec![
        ed25519(),
        p256(),
        key(SignatureScheme::ECDSA_SECP384R1_SHA384, 97),
        key(SignatureScheme::ECDSA_SECP521R1_SHA512, 133),
        key(SignatureScheme::MLDSA44, 1312),
    ];
    assert_eq!(DevicePublic::new(five), Err(IdentityError::KeyCount));
    let sorted = DevicePublic::new(vec![ed25519(), p256()]).unwrap();
    assert_eq!(sorted, DevicePublic::new(vec![p256(), ed25519()]).unwrap());
    assert_eq!(
        DeviceKey::new(SignatureScheme::ED25519, vec![1; 33]),
        Err(IdentityError::Malformed("device key"))
    );
    assert_eq!(
        DeviceKey::new(SignatureScheme::ED448, vec![1; 57]),
        Err(IdentityError::Scheme(0x0808))
    );

    // The same keys in another order are no binding.
    let binding = world.account.bind(&sorted, NOW).unwrap().encode();
    let list = 1 + 1984 + 2;
    let (first, second) = (2 + 2 + 65, 2 + 1 + 32);
    let swapped = [
        &binding[..list],
        &binding[list + first..list + first + second],
        &binding[list..list + first],
        &binding[list + first + second..],
    ]
    .concat();
    assert!(Binding::decode(&binding).is_ok());
    assert_eq!(Binding::decode(&swapped), Err(IdentityError::KeyCount));
    assert_eq!(
        DeviceKeys::generate(&world.crypto, &[SignatureScheme::ED448]).map(drop),
        Err(IdentityError::Scheme(0x0808))
    );
}

#[test]
fn a_leaf_is_of_the_account_and_device_and_key_that_the_binding_says() {
    let world = World::new(1);
    let binding = world.binding().verify(&world.crypto).unwrap();
    let leaf = LeafIdentity { address: binding.address(), device: binding.device() };
    let (scheme, key) = (SignatureScheme::ED25519, world.device.public().keys()[0].key());
    let check = |leaf: &LeafIdentity, scheme, key| check_leaf(leaf, scheme, key, Some(&binding));
    assert_eq!(check(&leaf, scheme, key), Ok(LeafStatus::Verified));
    assert_eq!(check_leaf(&leaf, scheme, key, None), Ok(LeafStatus::Unverified));
    let other = LeafIdentity { address: Address([9; 32]), ..leaf.clone() };
    assert_eq!(check(&other, scheme, key), Err(IdentityError::WrongAccount));
    let other = LeafIdentity { device: DeviceId([9; 32]), ..leaf.clone() };
    assert_eq!(check(&other, scheme, key), Err(IdentityError::WrongDevice));
    assert_eq!(check(&leaf, scheme, &[9; 32]), Err(IdentityError::WrongKey));
    assert_eq!(check(&leaf, SignatureScheme::MLDSA44, key), Err(IdentityError::WrongKey));
}

#[test]
fn a_leaf_identity_goes_into_a_basic_credential_and_comes_back() {
    let world = World::new(1);
    let leaf = LeafIdentity { address: world.address(), device: DeviceId([1; 32]) };
    assert_eq!(leaf.encode().len(), 65);
    assert_eq!(LeafIdentity::decode(&leaf.encode()), Ok(leaf.clone()));
    let signer = world.device.signer(SignatureScheme::ED25519).unwrap();
    let credential = leaf.with_key(&signer);
    assert_eq!(LeafIdentity::try_from(&credential.credential), Ok(leaf.clone()));
    assert_eq!(credential.signature_key.as_slice(), signer.public_key());
    let x509 = Credential::new(CredentialType::X509, leaf.encode().to_vec());
    assert!(LeafIdentity::try_from(&x509).is_err());
    let short = Credential::from(BasicCredential::new(b"ada".to_vec()));
    assert!(LeafIdentity::try_from(&short).is_err());
    let mut bytes = leaf.encode();
    bytes[0] = 2;
    let version = IdentityError::Version { what: "leaf identity", version: 2 };
    assert_eq!(LeafIdentity::decode(&bytes), Err(version));
    assert!(LeafIdentity::decode(&leaf.encode()[..64]).is_err());
    assert!(LeafIdentity::decode(&[&leaf.encode()[..], &[0]].concat()).is_err());
}

#[test]
fn a_second_device_is_linked() {
    let world = World::new(1);
    let laptop = DeviceKeys::generate(&world.crypto, &[SignatureScheme::MLDSA44]).unwrap();
    let request = LinkRequest::new(&world.crypto, &laptop).unwrap();
    let received = LinkRequest::from_text(&request.text()).unwrap();
    let code = request.comparison_code(&world.crypto);
    assert_eq!(code, received.comparison_code(&world.crypto));
    assert_eq!(code.split(' ').map(str::len).collect::<Vec<_>>(), [5; 4]);
    assert!(code.chars().all(|character| character == ' ' || character.is_ascii_digit()));

    let binding = world.account.approve(&world.crypto, &received, NOW).unwrap();
    let verified = binding.accept_for(&world.crypto, &request).unwrap();
    assert_eq!(verified.address(), world.address());
    for key in laptop.public().keys() {
        assert!(verified.covers(key.scheme(), key.key()));
    }

    // A second request of the same device has another code; the binding answers both.
    let second = LinkRequest::new(&world.crypto, &laptop).unwrap();
    assert_ne!(code, second.comparison_code(&world.crypto));
    // One for another device does not.
    assert_eq!(
        world.binding().accept_for(&world.crypto, &request),
        Err(IdentityError::OtherRequest)
    );
}

#[test]
fn a_request_with_the_keys_of_another_is_not_approved() {
    let world = World::new(1);
    let (mine, yours) = (
        LinkRequest::new(&world.crypto, &world.device).unwrap().encode(),
        LinkRequest::new(&world.crypto, &World::new(2).device).unwrap().encode(),
    );
    let proof = mine.len() - 64;
    let forged = LinkRequest::decode(&[&yours[..proof], &mine[proof..]].concat()).unwrap();
    assert_eq!(
        world.account.approve(&world.crypto, &forged, NOW),
        Err(IdentityError::Signature("link request"))
    );
}

#[test]
fn a_revocation_is_for_a_device_of_the_same_account() {
    let (world, other) = (World::new(1), World::new(2));
    let binding = world.binding().verify(&world.crypto).unwrap();
    let revoke = |world: &World, device| {
        world.account.revoke(device, NOW).unwrap().verify(&world.crypto).unwrap()
    };
    assert!(revoke(&world, binding.device()).revokes(&binding));
    assert!(!revoke(&other, binding.device()).revokes(&binding));
    assert!(!revoke(&world, DeviceId([9; 32])).revokes(&binding));
}

#[test]
fn secrets_do_not_show() {
    let world = World::new(1);
    assert_eq!(format!("{:?}", world.account), "AccountKeys(***)");
    let shown = format!("{:?}", world.device);
    assert_eq!(shown, "DeviceKeys(DevicePublic([DeviceKey(ED25519, ..)]), ***)");
    let address = world.address();
    assert!(!format!("{:?} {:?}", address, world.binding()).contains(&address.to_string()[8..16]));
}

#[test]
fn seeds_of_another_length_make_no_account() {
    let crypto = TrellisCrypto::default();
    for length in [0, 31, 32, 63, 65, 1000] {
        assert!(AccountKeys::from_bytes(&crypto, &vec![1; length]).is_err(), "{length}");
    }
}

proptest! {
    #[test]
    fn nothing_from_outside_panics(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let crypto = TrellisCrypto::default();
        for bytes in [&bytes[..], &[&[1], &bytes[..]].concat()] {
            prop_assert!(Binding::decode(bytes).is_err());
            prop_assert!(Revocation::decode(bytes).is_err());
            let _ = LinkRequest::decode(bytes);
            let _ = LeafIdentity::decode(bytes);
            let _ = DeviceKeys::decode(&crypto, bytes);
            let _ = AccountKeys::from_bytes(&crypto, bytes);
        }
        // With a whole account in front, so that the list of keys is read.
        let long = [&[1; 1 + 1984], &bytes[..], &[1; 8 + BOTH]].concat();
        if let Ok(binding) = Binding::decode(&long) {
            prop_assert_eq!(binding.encode(), long);
            prop_assert!(binding.verify(&crypto).is_err());
        }
    }

    #[test]
    fn texts_from_outside_do_not_panic(text: String, tail in "[a-z0-9]{0,80}") {
        for text in [&text, &tail, &format!("trellis1{tail}"), &format!("trellislink1{tail}")] {
            let _ = text.parse::<Address>();
            let _ = LinkRequest::from_text(text);
        }
    }

    #[test]
    fn addresses_come_back_from_their_text(bytes: [u8; 32]) {
        let text = Address(bytes).to_string();
        prop_assert_eq!(text.len(), Address::TEXT_LENGTH);
        prop_assert!(text.starts_with("trellis1"));
        prop_assert_eq!(text.parse(), Ok(Address(bytes)));
    }

    #[test]
    fn changes_of_four_characters_of_an_address_are_found(
        bytes: [u8; 32],
        places in prop::collection::vec((8_usize..66, 0_usize..32), 1..5),
    ) {
        let text = Address(bytes).to_string();
        let mut changed = text.clone().into_bytes();
        for (place, character) in places {
            changed[place] = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l"[character];
        }
        let changed = String::from_utf8(changed).unwrap();
        prop_assert!(changed == text || changed.parse::<Address>() == Err(AddressError::Checksum));
    }

    #[test]
    fn a_link_request_has_one_encoding(
        number in 1_u8..3,
        change in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..3),
    ) {
        let request = LinkRequest::new(&TrellisCrypto::default(), &World::new(number).device);
        let mut bytes = request.unwrap().encode();
        for (place, value) in change {
            let place = place.index(bytes.len());
            bytes[place] = value;
        }
        if let Ok(read) = LinkRequest::decode(&bytes) {
            prop_assert_eq!(read.encode(), bytes);
        }
    }
}
