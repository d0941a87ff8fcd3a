"""Breaks a server, with nothing of the product in it: plain asyncio, own frames, own acceptance test."""

import argparse
import asyncio
import os
import resource
import socket
import time

from crowd import Crowd
from spoken import BROKERS, PROTOCOLS


async def ramp(crowd, options):
    """Return the most connections held while ever more are opened: for limits that kill or refuse."""
    count, best = options.start, 0
    while count < options.most:
        if not await crowd.grow_to(count):
            # Those that are still there were held; if the server is gone, none are.
            await asyncio.sleep(0.5)
            return max(best, len(crowd.members))
        if options.hold_s and not await crowd.holds():
            return best
        best = len(crowd.members)
        count = max(count + 1, int(count * options.growth))
    return best


async def search(crowd, options):
    """Return the highest count that was held, to 3 %: for limits that only slow the server down."""
    low, high, count = 0, options.most, options.start
    while high - low > max(1, 0.03 * low):
        if count > len(crowd.members):
            is_held = await crowd.grow_to(count)
        else:
            is_held = True
            await crowd.shrink_to(count)
        if is_held and await crowd.holds():
            low = count
        else:
            high = count
            await crowd.shrink_to(low)
        count = min(int(low * 1.3), (low + high) // 2) if low else high // 2
        if count in {low, high} or high <= 2:
            break
    return low


async def storm(crowd, options):
    """Return how many clients a second are served while ever more wait for it."""

    async def arrive():
        while True:
            if not await crowd.open():
                await asyncio.sleep(0.2)  # Refused.

    arriving = [asyncio.ensure_future(arrive()) for _ in range(options.at_once)]
    await asyncio.sleep(1.5)  # What was saved up for a burst is gone.
    served, began_s = len(crowd.members), time.monotonic()
    await asyncio.sleep(options.hold_s)
    rate_per_s = (len(crowd.members) - served) / (time.monotonic() - began_s)
    for each in arriving:
        each.cancel()
    return round(rate_per_s)


async def burst(crowd, options):
    """Return how many come at once, all new, without the server losing one: ever more, each a rest apart."""
    count, best = options.start, 0
    while count < options.most:
        opened = await asyncio.gather(*(crowd.open() for _ in range(count)))
        await asyncio.sleep(1.0)
        if not all(opened) or crowd.lost:
            return best
        best = count
        await crowd.shrink_to(0)
        await asyncio.sleep(options.rest_s)
        count = max(count + 1, int(count * options.growth))
    return best


async def last(crowd, options):
    """Return for how many seconds the server keeps as many connections as it is begun with."""
    began_s = time.monotonic()
    await crowd.grow_to(options.start)
    while not crowd.lost and time.monotonic() - began_s < options.most:  # noqa: ASYNC110 - a number.
        await asyncio.sleep(0.1)
    return round(time.monotonic() - began_s)


async def stall(_crowd, options):
    """Return how many connections a server that does not accept lets in, one after the other."""
    held = []
    while len(held) < options.most:
        client = socket.socket()
        client.settimeout(0.5)
        try:
            client.connect((options.host, options.port))
        except OSError:
            break
        held.append(client)
    return len(held)


MODES = {
    "ramp": ramp,
    "search": search,
    "storm": storm,
    "stall": stall,
    "burst": burst,
    "last": last,
}


async def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--path", default="/ws")
    parser.add_argument("--protocol", choices=tuple(PROTOCOLS), default="json")
    parser.add_argument("--mode", choices=tuple(MODES), required=True)
    parser.add_argument("--start", type=int, default=50)
    parser.add_argument("--most", type=int, default=15_000)
    parser.add_argument("--growth", type=float, default=1.02)
    parser.add_argument("--hold-s", type=float, default=0.0)
    parser.add_argument("--rest-s", type=float, default=4.0, help="between bursts")
    parser.add_argument("--rate-per-s", type=float, default=400.0)
    parser.add_argument("--at-once", type=int, default=20)
    parser.add_argument("--updates-per-s", type=float, default=2.0)
    parser.add_argument("--slow-ratio", type=float, default=0.0)
    parser.add_argument("--deflate", action="store_true")
    parser.add_argument("--tls", action="store_true")
    parser.add_argument("--polls-per-s", type=float, default=0.0, help="of a connection")
    parser.add_argument("--poll-interval-s", type=float, default=1.0)
    parser.add_argument("--poll-path", default="/snapshot")
    parser.add_argument("--slo-ms", type=float, default=0.0)
    options = parser.parse_args()
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    crowd = Crowd(options)
    staying = asyncio.create_task(crowd.stay_alive()) if options.protocol in BROKERS else None
    print(await MODES[options.mode](crowd, options), flush=True)
    if staying is not None:
        staying.cancel()
    os._exit(0)  # The connections need no farewell.


asyncio.run(main())
