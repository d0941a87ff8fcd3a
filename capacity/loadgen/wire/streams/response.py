"""An answer of HTTP/1.1 that is read as it comes, however long it goes on."""

from http.client import HTTPException

from geventhttpclient.response import HTTPResponse

from capacity.loadgen.wire.response_head import MAX_HEAD_BYTES

INVALID = "answer_invalid"
TOO_BIG = "message_too_big"


class StreamedResponse(HTTPResponse):
    """One answer; what has come of its body is taken away piece by piece."""

    def __init__(self) -> None:
        super().__init__()
        self._came = bytearray()
        self._head_bytes = 0

    def _on_body(self, buf: bytearray) -> None:
        self._came += buf

    def taken(self, data: bytes) -> bytes:
        """Return the bytes of the body that are in *data*. Raises HTTPException for what is no answer."""
        self.feed(data)
        if not self.headers_complete:
            self._head_bytes += len(data)
            if self._head_bytes > MAX_HEAD_BYTES:
                raise HTTPException("a head without end")
        came = bytes(self._came)
        self._came.clear()
        return came

    @property
    def status(self) -> int:
        return int(self.get_code())

    def header(self, name: str) -> str | None:
        """Return the value of a header, by its name in lower case."""
        value = self.get(name)
        return value if isinstance(value, str) else None
