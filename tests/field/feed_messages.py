"""Feeds that publish to whoever connects, each in a shape of its own."""

import time
import zlib

import brotli
from feed_peer import ARGUMENTS, as_text, now_ms, plain, push


def bare_deflate(data):
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(data) + packer.flush()


def gzipped(data):
    packer = zlib.compressobj(wbits=16 + zlib.MAX_WBITS)
    return packer.compress(data) + packer.flush()


PACKERS = {
    "gzip": gzipped,
    "zlib": zlib.compress,
    "deflate": bare_deflate,
    "brotli": brotli.compress,
}
ENDS = {"newline": "\n", "record_separator": "\x1e", "nul": "\0"}


async def packed(peer, _path):
    packer = PACKERS[ARGUMENTS[0]]
    await push(peer, lambda n: peer.send(packer(as_text(plain(n)).encode()), 2))


async def divided(peer, _path):
    end = ENDS[ARGUMENTS[0]]

    def say(count):
        numbers = range(3 * count - 2, 3 * count + 1)
        peer.send(end.join(as_text(plain(n)) for n in numbers) + ("" if end == "\n" else end))

    await push(peer, say)


async def listed(peer, _path):
    await push(peer, lambda n: peer.send([plain(2 * n - 1), plain(2 * n)]))


async def arrays(peer, _path):
    await push(peer, lambda n: peer.send([340, {"t": f"{time.time():.6f}", "n": n}, "tick", "A"]))


async def nan(peer, _path):
    await push(peer, lambda n: peer.send(plain(n, price=float("nan") if n % 5 == 0 else 1.5)))


async def number_texts(peer, _path):
    def say(count):
        if count % 10:
            peer.send({"ts": now_ms(), "seq": str(2**60 + count)})

    await push(peer, say)


async def unnumbered(peer, _path):
    await push(peer, lambda _n: peer.send({"ts": now_ms(), "seq": None}))


async def ranges(peer, _path):
    lost_every = int(ARGUMENTS[0])

    def say(count):
        if not lost_every or count % lost_every:
            peer.send({"ts": now_ms(), "U": 10 * count - 9, "u": 10 * count})

    await push(peer, say)


async def binary(peer, _path):
    await push(peer, lambda n: peer.send(b"\x0a\x07" + bytes((n % 256, 255)) * 20, 2))


MESSAGES = {
    each.__name__: each
    for each in (packed, divided, listed, arrays, nan, number_texts, unnumbered, ranges, binary)
}
