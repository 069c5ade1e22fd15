"""A checkpoint: what a log says of itself, signed, in the public formats of C2SP.

    dpi-sidecar                                       origin (c2sp.org/tlog-checkpoint)
    20852163                                          entries
    CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=      root of the tree over them
    <empty line>
    — dpi-sidecar Az3grlgtzPICa5OS8npVmf1Myq/…        one line a signature (c2sp.org/signed-note)

Two kinds of signature are made and read, both Ed25519: over the text alone (type 1), and over the text and a time
(type 4, c2sp.org/tlog-cosignature), which says that at that time no larger tree had been seen. A log signs with
both, so that who holds a checkpoint of an idle log sees that the log is alive.
"""

import base64
import hashlib
from collections.abc import Sequence
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from msgspec import Struct

from sidecar.core.merkle import HASH_BYTES
from sidecar.errors import CheckpointFault

ED25519: Final = 1
COSIGNATURE: Final = 4
MOST_SIGNATURES = 100
LARGEST_NOTE = 1 << 16

_DASH = "— "
_PRIVATE = "PRIVATE+KEY+"
_KEY_ID_BYTES, _TIME_BYTES, _SIGNATURE_BYTES = 4, 8, 64


class Checkpoint(Struct, frozen=True):
    """How many entries a log has, and the root of the tree over them."""

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()


class Signature(Struct, frozen=True):
    """One good signature under a note: by which key, and for a timestamped one when (seconds since the epoch)."""

    key: "VerifierKey"
    at: int | None = None


class VerifierKey(Struct, frozen=True):
    """A public key and the name it signs under. It checks both kinds of signature."""

    name: str
    public: bytes

    @property
    def vkey(self) -> str:
        """`name+key id+base64`, as it is handed to who verifies."""
        return _key_text(self.name, ED25519, self.public, self.public)

    @property
    def cosigner_vkey(self) -> str:
        """The same for the timestamped signatures, for tools that know them as those of a cosigner."""
        return _key_text(self.name, COSIGNATURE, self.public, self.public)

    def key_id(self, kind: int) -> bytes:
        """The four bytes that begin a signature of this kind."""
        return _key_id(self.name, kind, self.public)


class SigningKey:
    """A private key and the name it signs under."""

    def __init__(self, name: str, seed: bytes) -> None:
        """`seed` is the 32 bytes of RFC 8032. Raises CheckpointFault for a name that no note can hold."""
        if not is_name(name):
            raise CheckpointFault(f"`{name}` cannot name a key: no spaces, no `+`, not empty")
        self.name, self._seed = name, seed
        self._private = Ed25519PrivateKey.from_private_bytes(seed)
        self.public = VerifierKey(name, self._private.public_key().public_bytes_raw())

    @property
    def skey(self) -> str:
        """`PRIVATE+KEY+name+key id+base64`, as it is kept."""
        return _PRIVATE + _key_text(self.name, ED25519, self.public.public, self._seed)

    def line(self, text: bytes) -> str:
        """The signature line of a note with this text."""
        return self._line(ED25519, self._private.sign(text))

    def timestamped_line(self, text: bytes, at: int) -> str:
        """The signature line that also says when, in seconds since the epoch."""
        signature = self._private.sign(_timestamped(text, at))
        return self._line(COSIGNATURE, at.to_bytes(_TIME_BYTES, "big") + signature)

    def _line(self, kind: int, signature: bytes) -> str:
        return f"{_DASH}{self.name} {_base64(self.public.key_id(kind) + signature)}\n"


# ---- keys as text


def is_name(text: str) -> bool:
    """Whether a key or a log can have this name: not empty, no space, no `+`, no control character."""
    return bool(text) and text.isprintable() and "+" not in text and not any(c.isspace() for c in text)


def verifier_key(vkey: str) -> VerifierKey:
    """The key of a `name+key id+base64` text, of either kind. Raises CheckpointFault."""
    name, kind, material = _parsed_key(vkey.strip(), "a verifier key is `name+key id+base64`")
    try:
        Ed25519PublicKey.from_public_bytes(material)
    except ValueError:
        raise CheckpointFault("the verifier key holds no Ed25519 public key") from None
    key = VerifierKey(name, material)
    if vkey.strip() != _key_text(name, kind, material, material):
        raise CheckpointFault(f"the verifier key of `{name}` is garbled: its key id does not fit")
    return key


def signing_key(skey: str) -> SigningKey:
    """The key of a `PRIVATE+KEY+name+key id+base64` text. Raises CheckpointFault, which never shows the key."""
    shape = "a signing key is `PRIVATE+KEY+name+key id+base64`"
    if not skey.startswith(_PRIVATE):
        raise CheckpointFault(shape)
    name, kind, seed = _parsed_key(skey.strip().removeprefix(_PRIVATE), shape)
    key = SigningKey(name, seed)
    if kind != ED25519 or key.skey != skey.strip():
        raise CheckpointFault(f"the signing key of `{name}` is garbled: its key id does not fit")
    return key


def _parsed_key(text: str, shape: str) -> tuple[str, int, bytes]:
    name, _, rest = text.partition("+")
    _, _, encoded = rest.partition("+")
    try:
        material = base64.b64decode(encoded, validate=True)
    except ValueError:
        raise CheckpointFault(shape) from None
    if not is_name(name) or len(material) != 1 + HASH_BYTES or material[0] not in (ED25519, COSIGNATURE):
        raise CheckpointFault(shape)
    return name, material[0], material[1:]


def _key_text(name: str, kind: int, public: bytes, material: bytes) -> str:
    return f"{name}+{_key_id(name, kind, public).hex()}+{_base64(bytes([kind]) + material)}"


def _key_id(name: str, kind: int, public: bytes) -> bytes:
    # c2sp.org/signed-note: SHA-256(key name || 0x0A || signature type || public key)[:4]
    return hashlib.sha256(name.encode() + b"\n" + bytes([kind]) + public).digest()[:_KEY_ID_BYTES]


# ---- writing


def note(checkpoint: Checkpoint) -> bytes:
    """The text that is signed. Raises CheckpointFault for an origin or extension that would be other lines."""
    lines = [checkpoint.origin, str(checkpoint.size), _base64(checkpoint.root), *checkpoint.extensions]
    for line in lines:
        if not line or any(ord(c) < 0x20 for c in line):
            raise CheckpointFault("a line of a checkpoint is empty or holds a control character")
    return "".join(f"{line}\n" for line in lines).encode()


def signed(text: bytes, keys: Sequence[SigningKey], at: int | None = None) -> bytes:
    """The note: `text` and the signature of each key; with `at`, seconds since the epoch, a timestamped one too."""
    lines = [key.line(text) for key in keys]
    if at is not None:
        lines += [key.timestamped_line(text, at) for key in keys]
    return text + b"\n" + "".join(lines).encode()


def with_line(data: bytes, line: str) -> bytes:
    """The note `data` with one more signature line, such as a witness's."""
    return data + line.encode()


def _timestamped(text: bytes, at: int) -> bytes:
    return b"cosignature/v1\ntime %d\n" % at + text


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


# ---- reading


def opened(data: bytes, keys: Sequence[VerifierKey]) -> Checkpoint:
    """The checkpoint of a note that at least one of these keys signed.

    Raises CheckpointFault: garbled, signed by none of them, or a signature of one of them is wrong.
    """
    signatures(data, keys)
    return read(data)


def signatures(data: bytes, keys: Sequence[VerifierKey]) -> list[Signature]:
    """The good signatures of these keys under a note, at least one; lines of other keys are passed over.

    Raises CheckpointFault: garbled, signed by none of them, or a signature of one of them is wrong.
    """
    text, lines = _parts(data)
    known = {(key.name, key.key_id(kind)): (key, kind) for key in keys for kind in (ED25519, COSIGNATURE)}
    found: list[Signature] = []
    for line in lines:
        name, signature = _read_line(line)
        match = known.get((name, signature[:_KEY_ID_BYTES]))
        if match is not None:
            found.append(_checked(*match, text, signature[_KEY_ID_BYTES:]))
    if not found:
        names = ", ".join(sorted({key.name for key in keys})) or "nobody"
        raise CheckpointFault(f"the note is not signed by a key of {names}")
    return found


def signed_at(data: bytes, keys: Sequence[VerifierKey]) -> int | None:
    """The latest time a key of these gave for the note, in seconds; None when none did. Raises CheckpointFault."""
    return max((found.at for found in signatures(data, keys) if found.at is not None), default=None)


def read(data: bytes) -> Checkpoint:
    """What a note says, whoever signed it. Raises CheckpointFault when it is no checkpoint."""
    text, _ = _parts(data)
    lines = text.decode().split("\n")[:-1]
    if len(lines) < 3 or not all(lines):
        raise CheckpointFault("a checkpoint is an origin, a size and a root, each on a line")
    origin, size, encoded, *extensions = lines
    try:
        root = base64.b64decode(encoded, validate=True)
    except ValueError:
        root = b""
    if len(root) != HASH_BYTES or _base64(root) != encoded:
        raise CheckpointFault("the checkpoint's root is not 32 bytes in base64")
    if not (size.isascii() and size.isdigit()) or str(int(size[:20])) != size:
        raise CheckpointFault("the checkpoint's size is not a decimal number")
    return Checkpoint(origin, int(size), root, tuple(extensions))


def _parts(data: bytes) -> tuple[bytes, list[str]]:
    """The text of a note with its last newline, and its signature lines. Raises CheckpointFault."""
    if len(data) > LARGEST_NOTE:
        raise CheckpointFault("the note is larger than any checkpoint")
    try:
        whole = data.decode()
    except UnicodeDecodeError:
        raise CheckpointFault("the note is not UTF-8") from None
    if any(ord(c) < 0x20 and c != "\n" for c in whole):
        raise CheckpointFault("the note holds a control character")
    # The text ends at the last empty line.
    text, found, below = whole.rpartition("\n\n")
    if not found or not below.endswith("\n"):
        raise CheckpointFault("the note is not a text, an empty line and signatures")
    lines = below[:-1].split("\n")
    if len(lines) > MOST_SIGNATURES:
        raise CheckpointFault(f"the note has more than {MOST_SIGNATURES} signatures")
    return f"{text}\n".encode(), lines


def _read_line(line: str) -> tuple[str, bytes]:
    name, _, encoded = line.removeprefix(_DASH).partition(" ")
    try:
        signature = base64.b64decode(encoded, validate=True)
    except ValueError:
        signature = b""
    if not line.startswith(_DASH) or not is_name(name) or len(signature) <= _KEY_ID_BYTES:
        raise CheckpointFault("a signature line of the note is garbled")
    return name, signature


def _checked(key: VerifierKey, kind: int, text: bytes, signature: bytes) -> Signature:
    at: int | None = None
    if kind == COSIGNATURE:
        at, signature = int.from_bytes(signature[:_TIME_BYTES], "big"), signature[_TIME_BYTES:]
        text = _timestamped(text, at)
    try:
        if len(signature) != _SIGNATURE_BYTES:
            raise InvalidSignature
        Ed25519PublicKey.from_public_bytes(key.public).verify(signature, text)
    except InvalidSignature:
        raise CheckpointFault(f"the note was changed: the signature of `{key.name}` is wrong") from None
    return Signature(key, at)
