#!/usr/bin/env python3
"""A second implementation of the crate's arithmetic and messages, written from its documentation.

Python 3 standard library only (hashlib and hmac for the hashes). Slow and not constant-time: for test vectors.

    mask_vectors.py VECTORS.json          recompute every output and compare; exit 1 on a difference
    mask_vectors.py --write VECTORS.json  recompute the outputs from the inputs and write them into the file
"""

import hashlib
import hmac
import json
import struct
import sys
from fractions import Fraction

# --- canonical encoding -------------------------------------------------------------------------------------------


def sized(data):
    return struct.pack("<Q", len(data)) + data


def encoding(label, *fields):
    return sized(label.encode()) + b"".join(fields)


def u16(value):
    return struct.pack("<H", value)


def u64(value):
    return struct.pack("<Q", value)


def word(value):
    """16 bytes, two's complement."""
    return (value % 2**128).to_bytes(16, "little")


def listed(items):
    return u64(len(items)) + b"".join(items)


def sha256(data):
    return hashlib.sha256(data).digest()


# --- X25519 (RFC 7748) --------------------------------------------------------------------------------------------

P = 2**255 - 19


def x25519(secret, point):
    k = bytearray(secret)
    k[0] &= 248
    k[31] = (k[31] & 127) | 64
    k = int.from_bytes(k, "little")
    x1 = int.from_bytes(point, "little") % 2**255 % P
    x2, z2, x3, z3 = 1, 0, x1, 1
    swapped = 0
    for bit in range(254, -1, -1):
        now = k >> bit & 1
        if swapped ^ now:
            x2, x3, z2, z3 = x3, x2, z3, z2
        swapped = now
        a, b, c, d = x2 + z2, x2 - z2, x3 + z3, x3 - z3
        da, cb = d * a % P, c * b % P
        aa, bb = a * a % P, b * b % P
        x3, z3 = pow(da + cb, 2, P), x1 * pow(da - cb, 2, P) % P
        e = aa - bb
        x2, z2 = aa * bb % P, e * (aa + 121665 * e) % P
    if swapped:
        x2, z2 = x3, z3
    return (x2 * pow(z2, P - 2, P) % P).to_bytes(32, "little")


BASE = (9).to_bytes(32, "little")

# --- Ed25519 (RFC 8032) -------------------------------------------------------------------------------------------

ORDER = 2**252 + 27742317777372353535851937790883648493
CURVE_D = -121665 * pow(121666, P - 2, P) % P


def edwards_add(p, q):
    (x1, y1), (x2, y2) = p, q
    t = CURVE_D * x1 * x2 * y1 * y2 % P
    return (
        (x1 * y2 + x2 * y1) * pow(1 + t, P - 2, P) % P,
        (y1 * y2 + x1 * x2) * pow(1 - t, P - 2, P) % P,
    )


def edwards_multiply(k, p):
    result = (0, 1)
    while k:
        if k & 1:
            result = edwards_add(result, p)
        p = edwards_add(p, p)
        k >>= 1
    return result


def edwards_base():
    y = 4 * pow(5, P - 2, P) % P
    xx = (y * y - 1) * pow(CURVE_D * y * y + 1, P - 2, P) % P
    x = pow(xx, (P + 3) // 8, P)
    if (x * x - xx) % P:
        x = x * pow(2, (P - 1) // 4, P) % P
    return (P - x if x & 1 else x, y)


EDWARDS_BASE = edwards_base()


def edwards_bytes(p):
    return (p[1] | (p[0] & 1) << 255).to_bytes(32, "little")


def ed25519_expand(secret):
    h = hashlib.sha512(secret).digest()
    scalar = (int.from_bytes(h[:32], "little") & (2**254 - 8)) | 2**254
    return scalar, h[32:]


def ed25519_public(secret):
    return edwards_bytes(edwards_multiply(ed25519_expand(secret)[0], EDWARDS_BASE))


def ed25519_sign(secret, message):
    scalar, prefix = ed25519_expand(secret)
    r = int.from_bytes(hashlib.sha512(prefix + message).digest(), "little") % ORDER
    big_r = edwards_bytes(edwards_multiply(r, EDWARDS_BASE))
    public = ed25519_public(secret)
    h = int.from_bytes(hashlib.sha512(big_r + public + message).digest(), "little")
    return big_r + ((r + h * scalar) % ORDER).to_bytes(32, "little")


def sign(secret, label, fields):
    return ed25519_sign(secret, encoding(label, sha256(encoding(label, fields))))


# --- HKDF (RFC 5869) and ChaCha20-Poly1305 (RFC 8439) ---------------------------------------------------------------


def hkdf_extract(salt, secret):
    return hmac.new(salt, secret, hashlib.sha256).digest()


def hkdf_expand(key, info):
    """The first 32 bytes."""
    return hmac.new(key, info + b"\x01", hashlib.sha256).digest()


def chacha20_block(key, counter):
    start = list(struct.unpack("<4I", b"expand 32-byte k") + struct.unpack("<8I", key))
    start += [counter, 0, 0, 0]
    s = list(start)

    def rotate(v, n):
        return (v << n | v >> (32 - n)) & 0xFFFFFFFF

    def quarter(a, b, c, d):
        for x, y, z, n in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
            s[x] = (s[x] + s[y]) & 0xFFFFFFFF
            s[z] = rotate(s[z] ^ s[x], n)

    for _ in range(10):
        for i in range(4):
            quarter(i, 4 + i, 8 + i, 12 + i)
        for i in range(4):
            quarter(i, 4 + (i + 1) % 4, 8 + (i + 2) % 4, 12 + (i + 3) % 4)
    return struct.pack("<16I", *((a + b) & 0xFFFFFFFF for a, b in zip(s, start)))


class Stream:
    """ChaCha20, zero nonce, from a block counter on."""

    def __init__(self, key, counter=0):
        self.key, self.counter, self.rest = key, counter, b""

    def take(self, count):
        while len(self.rest) < count:
            self.rest += chacha20_block(self.key, self.counter)
            self.counter += 1
        taken, self.rest = self.rest[:count], self.rest[count:]
        return taken

    def number(self, count):
        return int.from_bytes(self.take(count), "little")


def poly1305(key, message):
    r = int.from_bytes(key[:16], "little") & 0x0FFFFFFC0FFFFFFC0FFFFFFC0FFFFFFF
    accumulator = 0
    for start in range(0, len(message), 16):
        block = message[start : start + 16] + b"\x01"
        accumulator = (accumulator + int.from_bytes(block, "little")) * r % (2**130 - 5)
    return ((accumulator + int.from_bytes(key[16:], "little")) % 2**128).to_bytes(16, "little")


def seal_box(key, plain):
    pad = Stream(key, 1).take(len(plain))
    cipher = bytes(a ^ b for a, b in zip(plain, pad))
    padded = cipher + bytes(-len(cipher) % 16)
    tag = poly1305(Stream(key).take(32), padded + u64(0) + u64(len(cipher)))
    return cipher + tag


def published_vectors():
    """The primitives above against one published vector each."""
    alice = bytes.fromhex("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a")
    assert x25519(alice, BASE).hex() == "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a"
    secret = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
    assert ed25519_public(secret).hex() == "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
    assert ed25519_sign(secret, b"").hex().startswith("e5564300c360ac729086e2cc806e828a84877f1eb8e5d974")
    assert chacha20_block(bytes(32), 0).hex().startswith("76b8e0ada0f13d90405d6ae55386bd28")
    tag_key = bytes.fromhex("85d6be7857556d337f4452fe42d506a80103808afb0db2fd4abff6af4149f51b")
    assert poly1305(tag_key, b"Cryptographic Forum Research Group").hex() == "a8061dc1305136c6c22b8baf0c0127a9"


# --- fixed point ----------------------------------------------------------------------------------------------------


def to_f64(bits):
    return struct.unpack("<d", struct.pack("<Q", int(bits, 16)))[0]


def fixed_outputs(vectors):
    for case in vectors["encode"]:
        # round() of a Fraction is exact and takes ties to even.
        case["word"] = str(round(Fraction(to_f64(case["f64"])) * 2**64))
    for case in vectors["decode"]:
        # int / int is correctly rounded.
        value = int(case["word"]) / 2**64
        case["f64"] = struct.pack(">d", value).hex()


# --- key agreement ----------------------------------------------------------------------------------------------------


def announcement(epoch, site, inputs):
    fields = b"".join(
        [
            bytes.fromhex(epoch["manifest"]),
            u64(epoch["number"]),
            u16(site),
            x25519(bytes.fromhex(inputs["exchange_secret"]), BASE),
            bytes.fromhex(inputs["nonce"]),
            bytes.fromhex(inputs["cohort"]),
            bytes.fromhex(inputs["head"]),
        ]
    )
    return fields + sign(bytes.fromhex(inputs["identity_secret"]), "entente/v1/announcement", fields)


def agree(epoch):
    """Fills in the messages; returns what the rounds need."""
    sites = epoch["sites"]
    n = len(sites)
    entries = [announcement(epoch, i, site) for i, site in enumerate(sites)]
    epoch["announcements"] = [encoding("entente/v1/signed announcement", e).hex() for e in entries]
    transcript = sha256(encoding("entente/v1/bundle", listed(entries)))
    epoch["transcript"] = transcript.hex()

    secrets = [bytes.fromhex(site["exchange_secret"]) for site in sites]
    publics = [x25519(secret, BASE) for secret in secrets]
    prk = {}
    for i in range(n):
        for j in range(n):
            if i != j:
                prk[i, j] = hkdf_extract(transcript, x25519(secrets[i], publics[j]))
                assert prk.get((j, i), prk[i, j]) == prk[i, j]

    boxes = []
    for i in range(n):
        for j in range(n):
            if i != j:
                info = encoding("entente/v1/box", transcript, u16(i), u16(j))
                sealed = seal_box(hkdf_expand(prk[i, j], info), bytes.fromhex(sites[i]["share"]))
                boxes.append(u16(i) + u16(j) + sized(sealed))
    epoch["boxes"] = [encoding("entente/v1/sealed box", b).hex() for b in boxes]

    shares = [bytes.fromhex(site["share"]) for site in sites]
    group = sha256(encoding("entente/v1/group", transcript, listed(shares)))
    confirmations = []
    for i in range(n):
        fields = b"".join(
            [
                u16(i),
                transcript,
                sha256(encoding("entente/v1/group check", group)),
                sha256(encoding("entente/v1/boxes", listed(boxes))),
            ]
        )
        secret = bytes.fromhex(sites[i]["identity_secret"])
        signature = sign(secret, "entente/v1/confirmation", fields)
        confirmations.append(encoding("entente/v1/signed confirmation", fields, signature).hex())
    epoch["confirmations"] = confirmations
    return transcript, prk, group


# --- rounds -------------------------------------------------------------------------------------------------------------


def check_word(group, q, words, salt):
    stream = Stream(hkdf_expand(group, encoding("entente/v1/check", q, u64(len(words)))))
    signed_salt = salt - 2**128 if salt >= 2**127 else salt
    return sum(stream.number(32) * x for x in words + [signed_salt]) % 2**256


def add_stream(stream, sign_of, vector, positions):
    words, salt, check = vector
    for position in positions:
        words[position] = (words[position] + sign_of * stream.number(16)) % 2**128
    salt = (salt + sign_of * stream.number(16)) % 2**128
    check = (check + sign_of * stream.number(32)) % 2**256
    return words, salt, check


def masked_bytes(vector):
    words, salt, check = vector
    return encoding("entente/v1/masked", listed([word(w) for w in words]), word(salt), check.to_bytes(32, "little"))


def site_words(case, site):
    """Given words, or for a long vector (site + 1) (l - count / 2) 2^57."""
    if "x" in case:
        return [int(x) for x in case["x"][site]]
    return [(site + 1) * (l - case["count"] // 2) * 2**57 for l in range(case["count"])]


def round_outputs(case, n, agreed):
    transcript, prk, group = agreed
    q = bytes.fromhex(case["q"])
    sealed = [position for start, end in case["sealed"] for position in range(start, end)]
    seal_key = hkdf_expand(group, encoding("entente/v1/seal", q))

    masked = []
    for i in range(n):
        x = site_words(case, i)
        salt = int(case["salt"]) if i == 0 else 0
        vector = ([v % 2**128 for v in x], salt, check_word(group, q, x, salt))
        if i == 0:
            vector = add_stream(Stream(seal_key), 1, vector, sealed)
        for j in range(n):
            if i != j:
                info = encoding("entente/v1/mask", transcript, q, u16(min(i, j)), u16(max(i, j)))
                stream = Stream(hkdf_expand(prk[i, j], info))
                vector = add_stream(stream, 1 if j > i else -1, vector, range(len(x)))
        masked.append(vector)

    total = (
        [sum(column) % 2**128 for column in zip(*(words for words, _, _ in masked))],
        sum(salt for _, salt, _ in masked) % 2**128,
        sum(check for _, _, check in masked) % 2**256,
    )
    if "x" in case:
        case["masked"] = [masked_bytes(vector).hex() for vector in masked]
    case["masked_digests"] = [sha256(masked_bytes(vector)).hex() for vector in masked]
    case["sum_digest"] = sha256(masked_bytes(total)).hex()

    words, salt, check = add_stream(Stream(seal_key), -1, total, sealed)
    signed = [w - 2**128 if w >= 2**127 else w for w in words]
    assert check == check_word(group, q, signed, salt)
    assert signed == [sum(column) for column in zip(*(site_words(case, i) for i in range(n)))]
    opened = encoding("entente/v1/opened", listed([word(w) for w in signed]), word(salt))
    case["opened_digest"] = sha256(opened).hex()


def identity_outputs(case):
    public = ed25519_public(bytes.fromhex(case["secret"]))
    case["public"] = public.hex()
    text = sha256(encoding("entente/v1/fingerprint", public)).hex()
    case["fingerprint"] = "-".join(text[i : i + 4] for i in range(0, 64, 4))


def outputs(vectors):
    fixed_outputs(vectors["fixed"])
    identity_outputs(vectors["identity"])
    agreed = agree(vectors["epoch"])
    for case in vectors["rounds"]:
        round_outputs(case, len(vectors["epoch"]["sites"]), agreed)
    return vectors


def main(arguments):
    write = arguments[:1] == ["--write"]
    path = arguments[-1]
    published_vectors()
    with open(path, encoding="utf-8") as file:
        text = file.read()
    recomputed = json.dumps(outputs(json.loads(text)), indent=1) + "\n"
    if write:
        with open(path, "w", encoding="utf-8") as file:
            file.write(recomputed)
        return 0
    if json.loads(recomputed) != json.loads(text):
        print("the vectors differ from this implementation", file=sys.stderr)
        return 1
    print("all vectors agree")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
