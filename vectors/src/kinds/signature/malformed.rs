//! Signatures of ML-DSA that look like some, and where FIPS 204 says that they are none.

use trellis_ciphersuites::signature::SignatureScheme::{self, *};

/// The parts of a signature (FIPS 204, algorithm 26): `c~`, `z`, and the hint, which is a list of
/// `omega` indices and then, for each of `k` polynomials, where its part of the list ends.
pub(super) struct Layout {
    pub(super) scheme: SignatureScheme,
    c_tilde: usize,
    z: usize,
    omega: usize,
    k: usize,
}

/// FIPS 204, tables 1 and 2.
#[rustfmt::skip]
pub(super) static LAYOUTS: [Layout; 3] = [
    Layout { scheme: MlDsa44, c_tilde: 32, z: 2304, omega: 80, k: 4 },
    Layout { scheme: MlDsa65, c_tilde: 48, z: 3200, omega: 55, k: 6 },
    Layout { scheme: MlDsa87, c_tilde: 64, z: 4480, omega: 75, k: 8 },
];

/// A change to a good signature; `None` where this one has no place for it.
pub(super) struct Change {
    pub(super) comment: &'static str,
    pub(super) apply: fn(&Layout, &[u8]) -> Option<Vec<u8>>,
}

/// Changes inside of a signature of the right length.
#[rustfmt::skip]
pub(super) static CHANGES: [Change; 16] = [
    Change { comment: "first bit of c~ flipped",  apply: |_, it| flipped(it, 0, 0x01) },
    Change { comment: "last bit of c~ flipped",   apply: |l, it| flipped(it, l.c_tilde - 1, 0x80) },
    Change { comment: "lowest bit of z flipped",  apply: |l, it| flipped(it, l.c_tilde, 0x01) },
    Change { comment: "a bit in the middle of z flipped", apply: |l, it| flipped(it, l.c_tilde + l.z / 2, 0x10) },
    // A coefficient is encoded as its difference from gamma1, in 18 or 20 bits (algorithm 17), and
    // must stay below gamma1 - beta (algorithm 8, line 13).
    Change { comment: "norm of z: first coefficient is gamma1", apply: |l, it| set(it, l.c_tilde, &[0; 3]) },
    Change { comment: "norm of z: last coefficient is 1 - gamma1", apply: |l, it| set(it, l.c_tilde + l.z - 3, &[0xFF; 3]) },
    Change { comment: "z of zeros, every coefficient is gamma1", apply: |l, it| set(it, l.c_tilde, &vec![0; l.z]) },
    Change { comment: "an index of the hint moved, order kept", apply: |l, it| l.moved(it) },
    Change { comment: "an index of the hint left out", apply: |l, it| l.left_out(it) },
    // From here on the hint is not decoded (algorithm 21).
    Change { comment: "hint: two indices in the wrong order (algorithm 21, line 9)", apply: |l, it| l.swapped(it) },
    Change { comment: "hint: an index twice (algorithm 21, line 9)", apply: |l, it| l.repeated(it) },
    Change { comment: "hint: the first polynomial has more than omega indices (algorithm 21, line 4)", apply: |l, it| l.end(it, 0, l.omega + 1) },
    Change { comment: "hint: the last polynomial ends beyond omega (algorithm 21, line 4)", apply: |l, it| l.end(it, l.k - 1, l.omega + 1) },
    Change { comment: "hint: a polynomial ends before it begins (algorithm 21, line 4)", apply: |l, it| l.end(it, 1, l.ends(it).next()?.checked_sub(1)?) },
    Change { comment: "hint: an unused index is not zero (algorithm 21, line 17)", apply: |l, it| l.unused(it) },
    Change { comment: "hint of ones", apply: |l, it| set(it, l.hint(), &vec![0xFF; l.omega + l.k]) },
];

fn flipped(bytes: &[u8], position: usize, mask: u8) -> Option<Vec<u8>> {
    set(bytes, position, &[bytes.get(position)? ^ mask])
}

/// `bytes` with others put at a position.
fn set(bytes: &[u8], position: usize, others: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = bytes.to_vec();
    bytes.get_mut(position..position + others.len())?.copy_from_slice(others);
    Some(bytes)
}

impl Layout {
    fn hint(&self) -> usize {
        self.c_tilde + self.z
    }

    /// Where the indices of each polynomial end.
    fn ends<'a>(&self, signature: &'a [u8]) -> impl Iterator<Item = usize> + 'a {
        signature.iter().skip(self.hint() + self.omega).map(|&end| usize::from(end))
    }

    /// With another end of a polynomial.
    fn end(&self, signature: &[u8], polynomial: usize, end: usize) -> Option<Vec<u8>> {
        set(signature, self.hint() + self.omega + polynomial, &[end.try_into().ok()?])
    }

    /// The place in the signature of the first two neighbours in one polynomial between which there
    /// is room for another index, and those two.
    fn neighbours(&self, signature: &[u8]) -> Option<(usize, u8, u8)> {
        let mut start = 0;
        for end in self.ends(signature) {
            let indices = signature.get(self.hint() + start..self.hint() + end)?;
            let found = indices.windows(2).position(|pair| pair[1] - pair[0] > 1);
            if let Some(number) = found {
                return Some((self.hint() + start + number, indices[number], indices[number + 1]));
            }
            start = end;
        }
        None
    }

    fn moved(&self, signature: &[u8]) -> Option<Vec<u8>> {
        let (place, first, _) = self.neighbours(signature)?;
        set(signature, place, &[first + 1])
    }

    fn swapped(&self, signature: &[u8]) -> Option<Vec<u8>> {
        let (place, first, second) = self.neighbours(signature)?;
        set(signature, place, &[second, first])
    }

    fn repeated(&self, signature: &[u8]) -> Option<Vec<u8>> {
        let (place, first, _) = self.neighbours(signature)?;
        set(signature, place, &[first, first])
    }

    /// The last index of the last polynomial left out, and its place zeroed.
    fn left_out(&self, signature: &[u8]) -> Option<Vec<u8>> {
        let total = self.ends(signature).last()?.checked_sub(1)?;
        if self.ends(signature).nth(self.k - 2)? > total {
            return None;
        }
        set(&self.end(signature, self.k - 1, total)?, self.hint() + total, &[0])
    }

    fn unused(&self, signature: &[u8]) -> Option<Vec<u8>> {
        let total = self.ends(signature).last()?;
        if total >= self.omega { None } else { set(signature, self.hint() + self.omega - 1, &[1]) }
    }
}
