"""Lengths in seven bits a byte, the lowest first, as protobuf and MQTT have them."""


def varint_at(payload: bytes, at: int) -> tuple[int, int]:
    """Return the length that stands at *at*, of five bytes at most, and what follows it; -1 if none does."""
    value = 0
    for n, byte in enumerate(payload[at : at + 5]):
        value |= (byte & 127) << (7 * n)
        if byte < 128:
            return value, at + n + 1
    return -1, at


def varint(value: int) -> bytes:
    """Return *value* as it is written."""
    encoded = bytearray()
    while value > 127:
        encoded.append(value & 127 | 128)
        value >>= 7
    return bytes((*encoded, value))
