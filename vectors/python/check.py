#!/usr/bin/env python3
"""Checks the test vectors of the hybrid cipher suites of MLS: check.py DIR

Each function follows a section of draft-trellis-mls-hybrid-kem-00, which its comment names, and
nothing else. Prints a line for each file, what failed in it, and at the end how many passed.
Exit code 0: all hold. 1: something does not. 2: bad usage, or a file that cannot be read.
"""

import hashlib
import hmac
import json
import sys
from pathlib import Path

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305
from dilithium_py.ml_dsa import ML_DSA_44
from kyber_py.ml_kem import ML_KEM_768

# Section 3: the suites by name, with KEM, KDF, AEAD, hash and signature.
SUITES = {
    "MLS_128_MLKEM768X25519_AES128GCM_SHA256_Ed25519": (1, 1, "sha256", 0x0807),
    "MLS_128_MLKEM768X25519_AES256GCM_SHA384_Ed25519": (2, 2, "sha384", 0x0807),
    "MLS_128_MLKEM768X25519_CHACHA20POLY1305_SHA384_MLDSA44": (2, 3, "sha384", 0x0904),
    "MLS_256_XWING_CHACHA20POLY1305_SHA256_Ed25519": (1, 3, "sha256", 0x0807),
}
KEM_ID = 0x647A
HASHES = {1: "sha256", 2: "sha384"}
# Section 4.1
SEED, EK_PQ, EK, CT_PQ, ENC = 32, 1184, 1216, 1088, 1120
COMBINER_LABEL = bytes.fromhex("5c2e2f2f5e5c")
Q = 3329
# The field and the group of edwards25519, for Section 4.4.
P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P


class Refused(Exception):
    """An input that Section 5 refuses, by the name of its error."""


def i2osp(number, length):  # Section 2
    return number.to_bytes(length, "big")


def shake256(data, length):
    return hashlib.shake_256(data).digest(length)


# --- The KEM


def x25519(scalar, point):  # Section 4.1, Section 5, item 3
    try:
        return X25519PrivateKey.from_private_bytes(scalar).exchange(
            X25519PublicKey.from_public_bytes(point)
        )
    except ValueError:  # the result is all zero
        return None


def expand_key(seed):  # Section 4.1
    if len(seed) != SEED:
        raise Refused("invalid-private-key")
    expanded = shake256(seed, 96)
    ek_pq, dk_pq = ML_KEM_768.key_derive(expanded[:64])
    dk_t = expanded[64:]
    return ek_pq, dk_pq, x25519(dk_t, i2osp(9, 1) + bytes(31)), dk_t


def public_key(seed):
    ek_pq, _, ek_t, _ = expand_key(seed)
    return ek_pq + ek_t


def derive_key_pair(ikm):  # Section 4.2
    suite_id = b"KEM" + i2osp(KEM_ID, 2)
    label = b"DeriveKeyPair"
    message = ikm + b"HPKE-v1" + suite_id + i2osp(len(label), 2) + label + i2osp(SEED, 2)
    seed = shake256(message, SEED)
    return seed, public_key(seed)


def check_modulus(ek_pq):  # Section 5, item 2: coefficients of 12 bits, two in three bytes
    for at in range(0, EK_PQ - 32, 3):
        three = int.from_bytes(ek_pq[at : at + 3], "little")
        if three & 0xFFF >= Q or three >> 12 >= Q:
            raise Refused("invalid-public-key")


def combine(ss_pq, ss_t, ct_t, ek_t):  # Section 4.1
    return hashlib.sha3_256(ss_pq + ss_t + ct_t + ek_t + COMBINER_LABEL).digest()


def encap(ek, randomness):  # Section 4.1, Section 5
    if len(ek) != EK:
        raise Refused("invalid-public-key")
    ek_pq, ek_t = ek[:EK_PQ], ek[EK_PQ:]
    check_modulus(ek_pq)
    scalar = randomness[32:]
    ct_t = x25519(scalar, i2osp(9, 1) + bytes(31))
    ss_t = x25519(scalar, ek_t)
    if ss_t is None:
        raise Refused("invalid-public-key")
    ss_pq, ct_pq = ML_KEM_768._encaps_internal(ek_pq, randomness[:32])
    return ct_pq + ct_t, combine(ss_pq, ss_t, ct_t, ek_t)


def decap(enc, seed):  # Section 4.1, Section 5
    _, dk_pq, ek_t, dk_t = expand_key(seed)
    if len(enc) != ENC:
        raise Refused("invalid-encapsulation")
    ct_pq, ct_t = enc[:CT_PQ], enc[CT_PQ:]
    ss_t = x25519(dk_t, ct_t)
    if ss_t is None:
        raise Refused("invalid-encapsulation")
    return combine(ML_KEM_768.decaps(dk_pq, ct_pq), ss_t, ct_t, ek_t)


# --- HPKE, Appendix A.1


def extract(name, salt, ikm):
    return hmac.digest(salt or bytes(hashlib.new(name).digest_size), ikm, name)


def expand(name, prk, info, length):
    out, block, counter = b"", b"", 1
    while len(out) < length:
        block = hmac.digest(prk, block + info + i2osp(counter, 1), name)
        out, counter = out + block, counter + 1
    return out[:length]


def aead(number, key):  # Section 3
    return ChaCha20Poly1305(key) if number == 3 else AESGCM(key)


class Context:
    """What the key schedule gives."""

    def __init__(self, kdf, aead_id, mode, shared_secret, info, psk=b"", psk_id=b""):
        self.name, self.aead_id = HASHES[kdf], aead_id
        self.suite_id = b"HPKE" + i2osp(KEM_ID, 2) + i2osp(kdf, 2) + i2osp(aead_id, 2)
        context = i2osp(mode, 1)
        context += self.labeled_extract(b"", b"psk_id_hash", psk_id)
        context += self.labeled_extract(b"", b"info_hash", info)
        secret = self.labeled_extract(shared_secret, b"secret", psk)
        size = hashlib.new(self.name).digest_size
        self.key = self.labeled_expand(secret, b"key", context, 16 if aead_id == 1 else 32)
        self.base_nonce = self.labeled_expand(secret, b"base_nonce", context, 12)
        self.exporter_secret = self.labeled_expand(secret, b"exp", context, size)

    def labeled_extract(self, salt, label, ikm):
        return extract(self.name, salt, b"HPKE-v1" + self.suite_id + label + ikm)

    def labeled_expand(self, prk, label, info, length):
        info = i2osp(length, 2) + b"HPKE-v1" + self.suite_id + label + info
        return expand(self.name, prk, info, length)

    def nonce(self, sequence):
        return bytes(a ^ b for a, b in zip(self.base_nonce, i2osp(sequence, 12)))

    def seal(self, sequence, aad, plaintext):
        return aead(self.aead_id, self.key).encrypt(self.nonce(sequence), plaintext, aad)

    def open(self, sequence, aad, ciphertext):
        return aead(self.aead_id, self.key).decrypt(self.nonce(sequence), ciphertext, aad)

    def export(self, context, length):
        return self.labeled_expand(self.exporter_secret, b"sec", context, length)


# --- MLS, Appendix A.2


def vector(data):
    size = len(data)
    if size < 1 << 6:
        return i2osp(size, 1) + data
    if size < 1 << 14:
        return i2osp(0x4000 + size, 2) + data
    return i2osp(0x80000000 + size, 4) + data


def labelled(label):
    return vector(b"MLS 1.0 " + label.encode())


class Mls:
    """The functions of MLS with the hash of a suite."""

    def __init__(self, suite):
        self.kdf, self.aead_id, self.hash_name, self.scheme = SUITES[suite]
        self.size = hashlib.new(self.hash_name).digest_size

    def hash(self, data):
        return hashlib.new(self.hash_name, data).digest()

    def extract(self, salt, ikm):
        return extract(self.hash_name, salt, ikm)

    def ref_hash(self, label, value):
        return self.hash(vector(label.encode()) + vector(value))

    def expand_with_label(self, secret, label, context, length):
        info = i2osp(length, 2) + labelled(label) + vector(context)
        return expand(self.hash_name, secret, info, length)

    def derive_secret(self, secret, label):
        return self.expand_with_label(secret, label, b"", self.size)

    def derive_tree_secret(self, secret, label, generation, length):
        return self.expand_with_label(secret, label, i2osp(generation, 4), length)

    def exporter(self, exporter_secret, label, context, length):
        secret = self.derive_secret(exporter_secret, label)
        return self.expand_with_label(secret, "exported", self.hash(context), length)


# --- Signatures, Section 4.4


def decompress(encoded):
    """The point of a canonical encoding, or None."""
    y = int.from_bytes(encoded, "little")
    sign, y = y >> 255, y & (1 << 255) - 1
    if len(encoded) != 32 or y >= P:
        return None
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    if x * x % P != square:
        x = x * pow(2, (P - 1) // 4, P) % P
    if x * x % P != square or (x == 0 and sign):
        return None
    return (P - x if x & 1 != sign else x), y


def add(one, other):
    (x1, y1), (x2, y2) = one, other
    product = D * x1 * x2 * y1 * y2
    x = (x1 * y2 + x2 * y1) * pow(1 + product, -1, P)
    y = (y1 * y2 + x1 * x2) * pow(1 - product, -1, P)
    return x % P, y % P


def is_strict(encoded):
    point = decompress(encoded)
    if point is None:
        return False
    for _ in range(3):
        point = add(point, point)
    return point != (0, 1)  # else its order divides 8


def verify_ed25519(public, message, signature):
    strict = len(signature) == 64 and is_strict(public) and is_strict(signature[:32])
    if not strict or int.from_bytes(signature[32:], "little") >= ORDER:
        return False
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
        return True
    except InvalidSignature:
        return False


def verify_ml_dsa(public, message, signature):
    if len(public) != 1312 or len(signature) != 2420:
        return False
    return ML_DSA_44.verify(public, message, signature, ctx=b"")


def verify(scheme, public, message, signature):
    check = verify_ed25519 if scheme == 0x0807 else verify_ml_dsa
    return check(public, message, signature)


def public_of(scheme, private):
    if scheme == 0x0807:
        return Ed25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw()
    return ML_DSA_44.key_derive(private)[0]


def sign_ml_dsa(seed, message, randomness):
    # Algorithm 2 of FIPS 204 with an empty context: two zero bytes before the message.
    _, private = ML_DSA_44.key_derive(seed)
    return ML_DSA_44._sign_internal(private, bytes(2) + message, randomness)


# --- The vectors, Appendix B


class Mismatch(Exception):
    """A field that is not as it should be."""


def expect(field, expected, found):
    if expected != found:
        short = [x.hex()[:24] if isinstance(x, bytes) else str(x) for x in (expected, found)]
        raise Mismatch(f"{field}: expected {short[0]}, found {short[1]}")


def raw(vector_, field):
    return bytes.fromhex(vector_[field])


def check_kem(v):
    operation, error = v["operation"], v.get("error")
    try:
        if operation == "generate":
            found = {"public_key": public_key(raw(v, "private_key"))}
        elif operation == "derive":
            found = dict(zip(("private_key", "public_key"), derive_key_pair(raw(v, "ikm"))))
        elif operation == "encapsulate":
            enc, secret = encap(raw(v, "public_key"), raw(v, "randomness"))
            found = {"enc": enc, "shared_secret": secret}
        elif operation == "decapsulate":
            found = {"shared_secret": decap(raw(v, "enc"), raw(v, "private_key"))}
        else:
            raise Mismatch(f"operation: {operation} is none")
    except Refused as refused:
        expect("error", error, str(refused))
        return
    expect("error", error, None)
    for field, value in found.items():
        expect(field, raw(v, field), value)


def check_hpke(v):
    seed, public = derive_key_pair(raw(v, "ikmR"))
    expect("skRm", raw(v, "skRm"), seed)
    expect("pkRm", raw(v, "pkRm"), public)
    enc, secret = encap(public, raw(v, "ikmE"))
    expect("enc", raw(v, "enc"), enc)
    expect("shared_secret", raw(v, "shared_secret"), secret)
    expect("shared_secret of Decap", secret, decap(enc, seed))
    psk = (raw(v, "psk"), raw(v, "psk_id")) if v["mode"] == 1 else ()
    context = Context(v["kdf_id"], v["aead_id"], v["mode"], secret, raw(v, "info"), *psk)
    for field in ("suite_id", "key", "base_nonce", "exporter_secret"):
        expect(field, raw(v, field), getattr(context, field))
    for sequence, message in enumerate(v["encryptions"]):
        aad, plaintext = raw(message, "aad"), raw(message, "pt")
        expect("nonce", raw(message, "nonce"), context.nonce(sequence))
        expect("ct", raw(message, "ct"), context.seal(sequence, aad, plaintext))
        expect("pt", plaintext, context.open(sequence, aad, raw(message, "ct")))
    for export in v["exports"]:
        found = context.export(raw(export, "exporter_context"), export["L"])
        expect("exported_value", raw(export, "exported_value"), found)


def check_signature(v):
    public, message, signature = (raw(v, f) for f in ("public_key", "message", "signature"))
    expect("valid", v["valid"], verify_ml_dsa(public, message, signature))
    if v["valid"]:
        seed = raw(v, "seed")
        expect("public_key", public, public_of(0x0904, seed))
        expect("signature", signature, sign_ml_dsa(seed, message, raw(v, "randomness")))


def check_crypto_basics(mls, v):
    part = v["ref_hash"]
    expect("ref_hash", raw(part, "out"), mls.ref_hash(part["label"], raw(part, "value")))
    part = v["expand_with_label"]
    found = mls.expand_with_label(
        raw(part, "secret"), part["label"], raw(part, "context"), part["length"]
    )
    expect("expand_with_label", raw(part, "out"), found)
    part = v["derive_secret"]
    found = mls.derive_secret(raw(part, "secret"), part["label"])
    expect("derive_secret", raw(part, "out"), found)
    part = v["derive_tree_secret"]
    found = mls.derive_tree_secret(
        raw(part, "secret"), part["label"], part["generation"], part["length"]
    )
    expect("derive_tree_secret", raw(part, "out"), found)

    part = v["sign_with_label"]
    public = raw(part, "pub")
    expect("sign_with_label.pub", public, public_of(mls.scheme, raw(part, "priv")))
    content = labelled(part["label"]) + vector(raw(part, "content"))
    verifies = verify(mls.scheme, public, content, raw(part, "signature"))
    expect("sign_with_label.signature", True, verifies)

    part = v["encrypt_with_label"]
    seed = raw(part, "priv")
    expect("encrypt_with_label.pub", raw(part, "pub"), public_key(seed))
    info = labelled(part["label"]) + vector(raw(part, "context"))
    context = Context(mls.kdf, mls.aead_id, 0, decap(raw(part, "kem_output"), seed), info)
    found = context.open(0, b"", raw(part, "ciphertext"))
    expect("encrypt_with_label.plaintext", raw(part, "plaintext"), found)


# Appendix A.2, the secrets of an epoch and their labels.
SECRETS = {
    "sender_data_secret": "sender data",
    "encryption_secret": "encryption",
    "exporter_secret": "exporter",
    "external_secret": "external",
    "confirmation_key": "confirm",
    "membership_key": "membership",
    "resumption_psk": "resumption",
    "epoch_authenticator": "authentication",
    "init_secret": "init",
}


def check_key_schedule(mls, v):
    init_secret = raw(v, "initial_init_secret")
    for number, epoch in enumerate(v["epochs"]):
        context = i2osp(1, 2) + i2osp(v["cipher_suite"], 2) + vector(raw(v, "group_id"))
        context += i2osp(number, 8) + vector(raw(epoch, "tree_hash"))
        context += vector(raw(epoch, "confirmed_transcript_hash")) + vector(b"")
        found = {"group_context": context}
        joiner = mls.extract(init_secret, raw(epoch, "commit_secret"))
        joiner = mls.expand_with_label(joiner, "joiner", context, mls.size)
        member = mls.extract(joiner, raw(epoch, "psk_secret"))
        found["joiner_secret"] = joiner
        found["welcome_secret"] = mls.derive_secret(member, "welcome")
        secret = mls.expand_with_label(member, "epoch", context, mls.size)
        for field, label in SECRETS.items():
            found[field] = mls.derive_secret(secret, label)
        found["external_pub"] = derive_key_pair(found["external_secret"])[1]
        for field, value in found.items():
            expect(f"epoch {number}, {field}", raw(epoch, field), value)
        part = epoch["exporter"]
        exported = mls.exporter(
            found["exporter_secret"], part["label"], raw(part, "context"), part["length"]
        )
        expect(f"epoch {number}, exporter", raw(part, "secret"), exported)
        init_secret = found["init_secret"]


def files():
    """Each file, and what checks one of its vectors."""
    yield "kem/mlkem768-x25519.json", check_kem
    yield "hpke/mlkem768-x25519.json", check_hpke
    yield "signature/mldsa44.json", check_signature
    for suite in SUITES:
        mls = Mls(suite)
        for kind, check in (
            ("crypto-basics", check_crypto_basics),
            ("key-schedule", check_key_schedule),
        ):
            yield f"mls/{suite}/{kind}.json", lambda v, c=check, m=mls: c(m, v)


def main():
    if len(sys.argv) != 2:
        print("usage: check.py DIR", file=sys.stderr)
        return 2
    passed = failed = 0
    for name, check in files():
        try:
            vectors = json.loads((Path(sys.argv[1]) / name).read_text())
        except (OSError, ValueError) as error:
            print(f"{name}: {error}", file=sys.stderr)
            return 2
        if not isinstance(vectors, list) or not vectors:
            print(f"{name}: no list of vectors", file=sys.stderr)
            return 2
        hold = 0
        for index, v in enumerate(vectors):
            try:
                check(v)
                hold += 1
            except Mismatch as mismatch:
                print(f"{name}: vector {index}: {mismatch}")
            except (KeyError, TypeError, ValueError, InvalidTag, Refused) as error:
                print(f"{name}: vector {index}: {type(error).__name__} {error}")
        print(f"{name}: {hold} of {len(vectors)} hold")
        passed, failed = passed + hold, failed + len(vectors) - hold
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
