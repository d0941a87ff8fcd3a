"""Streams of server frames from a seed: valid ones, and valid ones with one thing wrong somewhere.

Each is of one number and one seed and can be made again alone. What a valid stream holds is known without any reader.
"""

import random
import zlib
from dataclasses import dataclass, field

from capacity.loadgen.wire.compression import Deflate

LIMIT = 100_000
"""Bytes a message may have."""
MOST_FRAMES = 120
_FIN, _COMPRESSED = 0x80, 0x40
_TEXT, _BINARY, _CLOSE, _PING, _PONG = 0x1, 0x2, 0x8, 0x9, 0xA
_BORDERS = (125, 126, 127)
_LARGE = (65_534, 65_535, 65_536, 65_537, LIMIT)
_POOL = random.Random("pool").randbytes(LIMIT + 4096)
_ASCII = bytes(32 + byte % 95 for byte in _POOL)
_LETTERS = ("é€😀漢ß𝄞a" * (LIMIT // 8)).encode()
_NOT_UTF8 = (
    *(b"\xff", b"\x80", b"\xc3(", b"\xc0\xaf", b"\xe0\x80\xaf", b"\xed\xa0\x80"),
    *(b"\xf4\x90\x80\x80", b"\xf8\x88\x80\x80\x80", b"\xe2\x82", b"\xf0\x9f\x98"),
)
_CLOSE_CODES = (0, 999, 1000, 1001, 1004, 1005, 1006, 1012, 1013, 1015, 2999, 3000, 4999, 5000)


@dataclass(slots=True)
class Stream:
    """Bytes as a server sends them, and what is known of them."""

    terms: Deflate | None
    data: bytearray = field(default_factory=bytearray)
    starts: list[int] = field(default_factory=list)
    """Where each frame begins."""
    payloads: list[bytes] = field(default_factory=list)
    pings: list[bytes] = field(default_factory=list)
    damage: str = "none"
    damaged_at: int | None = None
    """The first byte that may be wrong; None is none."""

    @property
    def frames(self) -> int:
        """Count of frames that a reader gets to see before it may stop: the damaged one is the last."""
        if self.damaged_at is None:
            return len(self.starts)
        return sum(start <= self.damaged_at for start in self.starts)


def framed(
    first: int, payload: bytes = b"", *, extended: int | None = None, mask: int = 0
) -> bytes:
    """Return a frame; *extended* writes the length in that many bytes, whether fit or not."""
    length = len(payload)
    if extended is None:
        extended = 0 if length < 126 else 2 if length < 65536 else 8
    short = {0: length, 2: 126, 8: 127}[extended]
    return bytes((first, mask | short)) + length.to_bytes(8, "big")[8 - extended :] + payload


def stream_of(seed: int, number: int) -> Stream:
    """Return stream *number* of *seed*."""
    return Maker(random.Random(f"{seed}-{number}")).stream()


def cuts_of(seed: int, number: int, length: int) -> list[int]:
    """Return the sizes of the pieces in which a stream of *length* bytes arrives."""
    chance = random.Random(f"cuts-{seed}-{number}")
    if chance.random() < 0.3:
        return [length]
    if chance.random() < 0.5:
        size = chance.choice((1, 2, 3, 7, 64) if length < 4096 else (1460, 4096, 65_536))
        return [size] * (length // size + 1)
    borders = sorted(chance.randrange(length + 1) for _ in range(chance.randrange(1, 9)))
    return [after - before for before, after in zip([0, *borders], [*borders, length], strict=True)]


class Maker:
    """Draws one stream."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        terms = None
        if chance.random() < 0.4:
            keeps = chance.random() < 0.7
            terms = Deflate(window_bits=chance.randrange(9, 16), keeps_context=keeps)
        self.made = Stream(terms)
        self.packer = _packer(terms)

    def stream(self) -> Stream:
        made, chance = self.made, self.chance
        for _ in range(chance.randrange(1, MOST_FRAMES)):
            self.message()
        kind = chance.random()
        if kind < 0.3:
            self.damage_bytes()
        elif kind < 0.75:
            made.damaged_at = len(made.data)
            self.wrong_frame()
            if chance.random() < 0.1:
                del made.data[made.starts[-1] + 2 :]
            else:
                for _ in range(chance.randrange(3)):
                    self.message(is_after=True)
        elif kind < 0.85:
            code, reason = (
                chance.choice((1000, 1001, 1012, 3000, 4999)),
                self.text(self.length(123)),
            )
            made.damage = "closed"
            self.add(_FIN | _CLOSE, chance.choice((b"", code.to_bytes(2, "big") + reason)))
        return made

    def add(self, first: int, payload: bytes = b"") -> None:
        self.made.starts.append(len(self.made.data))
        self.made.data += framed(first, payload)

    def message(self, *, is_after: bool = False) -> None:
        """Add a valid message or control frame; what comes *is_after* a fault is not expected."""
        kind = self.chance.random()
        if kind < 0.2:
            self.control(is_after=is_after)
            return
        is_text = self.chance.random() < 0.6
        length = self.length()
        content = self.text(length) if is_text else _slice(self.chance, _POOL, length)
        first = _TEXT if is_text else _BINARY
        packed = content
        # The limit is for what is sent as well, and what is random grows when it is compressed.
        if self.made.terms is not None and length < LIMIT and self.chance.random() < 0.4:
            first |= _COMPRESSED
            packed = self.packed(content)
        if self.chance.random() < 0.7:
            self.add(_FIN | first, packed)
        else:
            self.fragments(first, packed, is_after=is_after)
        if not is_after:
            self.made.payloads.append(content)

    def fragments(self, first: int, packed: bytes, *, is_after: bool) -> None:
        count = self.chance.randrange(2, 5)
        borders = sorted(self.chance.randrange(len(packed) + 1) for _ in range(count - 1))
        begin = 0
        for n, end in enumerate((*borders, len(packed))):
            self.add((0 if n else first) | (_FIN if n == count - 1 else 0), packed[begin:end])
            begin = end
            if n < count - 1 and self.chance.random() < 0.3:
                self.control(is_after=is_after)

    def control(self, *, is_after: bool) -> None:
        content = _slice(self.chance, _POOL, self.length(125))
        opcode = self.chance.choice((_PING, _PING, _PONG))
        self.add(_FIN | opcode, content)
        if opcode == _PING and not is_after:
            self.made.pings.append(content)

    def length(self, most: int = LIMIT) -> int:
        kind = self.chance.random()
        if kind < 0.08:
            return 0
        if kind < 0.6:
            return self.chance.randrange(1, 20)
        if kind < 0.85 or most < LIMIT:
            return self.chance.randrange(20, min(most, 125) + 1)
        if kind < 0.94:
            return self.chance.choice(_BORDERS)
        return self.chance.randrange(128, 2000) if kind < 0.997 else self.chance.choice(_LARGE)

    def text(self, length: int) -> bytes:
        if self.chance.random() < 0.6:
            return _slice(self.chance, _ASCII, length)
        letters = _slice(self.chance, _LETTERS, length).decode(errors="ignore").encode()
        return letters + b"x" * (length - len(letters))

    def packed(self, content: bytes) -> bytes:
        """Return *content* as a compressed message; some end in a final block (RFC 7692, 7.2.3.4)."""
        is_final = self.chance.random() < 0.03
        packed = self.packer.compress(content)
        packed += self.packer.flush(zlib.Z_FINISH if is_final else zlib.Z_SYNC_FLUSH)
        if is_final or not self.made.terms.keeps_context:
            self.packer = _packer(self.made.terms)
        return packed + b"\x00" if is_final else packed[:-4]

    def damage_bytes(self) -> None:
        """Change, drop, add or repeat bytes anywhere, or cut the stream off."""
        made, chance = self.made, self.chance
        data, at = made.data, chance.randrange(len(made.data))
        made.damage = chance.choice(("bit", "byte", "dropped", "added", "repeated", "cut off"))
        made.damaged_at = at
        size = chance.randrange(1, 9)
        if made.damage == "bit":
            data[at] ^= 1 << chance.randrange(8)
        elif made.damage == "byte":
            data[at] = chance.randrange(256)
        elif made.damage == "dropped":
            del data[at : at + size]
        elif made.damage == "added":
            data[at:at] = chance.randbytes(size)
        elif made.damage == "repeated":
            data[at:at] = data[at : at + size]
        else:
            del data[at:]

    def wrong_frame(self) -> None:
        """Add what the RFCs forbid, or nearly."""
        names = list(_WRONG)
        self.made.damage = self.chance.choice(names)
        frames = _WRONG[self.made.damage](self.chance)
        for frame in frames:
            self.made.starts.append(len(self.made.data))
            self.made.data += frame
        # What is expected ends before the first of them; the last is where a reader must stop.
        self.made.damaged_at = self.made.starts[-1]


def _packer(terms: Deflate | None) -> "zlib._Compress | None":
    return None if terms is None else zlib.compressobj(1, wbits=-terms.window_bits)


def _slice(chance: random.Random, pool: bytes, length: int) -> bytes:
    begin = chance.randrange(len(pool) - length + 1)
    return pool[begin : begin + length]


def _close(chance: random.Random) -> bytes:
    code = chance.choice((*_CLOSE_CODES, chance.randrange(65_536))).to_bytes(2, "big")
    return chance.choice((b"\x03", code, code + b"why", code + chance.choice(_NOT_UTF8)))


def _small(chance: random.Random) -> bytes:
    return chance.randbytes(chance.randrange(20))


_WRONG = {
    "reserved bit": lambda c: [
        framed(c.choice((0x81, 0x82, 0x01, 0x89, 0x80)) | c.choice((0x40, 0x20, 0x10)), _small(c))
    ],
    "opcode": lambda c: [framed(_FIN | c.choice((3, 4, 5, 6, 7, 11, 12, 13, 14, 15)), _small(c))],
    "masked": lambda c: [
        framed(c.choice((0x81, 0x82, 0x89, 0x88, 0x01)), _small(c) + bytes(4), mask=0x80)
    ],
    "fragmented control": lambda c: [framed(c.choice((_CLOSE, _PING, _PONG)), _small(c))],
    "long control": lambda c: [
        framed(_FIN | c.choice((_CLOSE, _PING, _PONG)), bytes(c.choice((126, 200, 65_536))))
    ],
    "continuation first": lambda c: [framed(c.choice((0x00, 0x80)), _small(c))],
    "message within a message": lambda c: [
        framed(c.choice((0x01, 0x02)), b"a"),
        framed(c.choice((0x01, 0x81, 0x02, 0x82)), b"b"),
    ],
    "length in more bytes than needed": lambda c: [
        framed(c.choice((0x81, 0x82, 0x01)), bytes(c.choice((0, 1, 125))), extended=2)
        if c.random() < 0.5
        else framed(0x82, bytes(c.choice((0, 125, 126, 65_535))), extended=8)
    ],
    "announced length": lambda c: [
        bytes((c.choice((0x81, 0x82, 0x02)), 127))
        + c.choice((LIMIT + 1, 1 << 32, (1 << 63) - 1, 1 << 63, (1 << 64) - 1)).to_bytes(8, "big")
        + _small(c)
    ],
    "too big together": lambda c: [
        framed(0x02, _POOL[:60_000]),
        framed(c.choice((0x00, 0x80)), _POOL[:40_001]),
    ],
    "not UTF-8": lambda c: [
        framed(0x81, b"a" * c.choice((0, 5, 130)) + c.choice(_NOT_UTF8) + b"b" * c.randrange(2))
    ],
    "not UTF-8 over fragments": lambda c: [
        framed(0x01, b"a" + (bad := c.choice(_NOT_UTF8))[:1]),
        framed(0x80, bad[1:] + b"b"),
    ],
    "not UTF-8 and then another fault": lambda c: [
        framed(0x01, b"\xff"),
        framed(c.choice((0x81, 0x83, 0x88)), b"\x03\xe8"),
    ],
    "close": lambda c: [framed(_FIN | _CLOSE, _close(c))],
    "close within a message": lambda c: [framed(0x01, b"a"), framed(_FIN | _CLOSE, _close(c))],
    "compressed junk": lambda c: [framed(c.choice((0xC1, 0xC2)), c.randbytes(c.randrange(40)))],
    "compressed, not UTF-8": lambda c: [framed(0xC1, _deflated(c.choice(_NOT_UTF8)))],
    "compressed bomb": lambda c: [framed(0xC2, _deflated(bytes(c.choice((LIMIT + 1, 900_000)))))],
    "compressed bit on a continuation": lambda c: [
        framed(0x41, b""),
        framed(c.choice((0xC0, 0x40)), b"\x00"),
    ],
    "blocks after the final one": lambda c: [framed(0xC1, b"\x03\x00" * c.randrange(1, 4))],
    "junk": lambda c: [c.randbytes(c.randrange(1, 200))],
}


def _deflated(content: bytes) -> bytes:
    packer = zlib.compressobj(1, wbits=-9)
    return (packer.compress(content) + packer.flush(zlib.Z_SYNC_FLUSH))[:-4]
