"""The yardstick of the inbox: an ASGI endpoint that verifies the same RSA2 signature and answers, and no more.

Served like the application, by uvicorn with the same loop and parser. The public key comes by FENQI_BENCH_KEY.
"""

from __future__ import annotations

import base64
import os
import sys
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import parse_qsl

import uvicorn
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_public_key

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
KEY = "FENQI_BENCH_KEY"


class Verifier:
    """Answers `success` to what its key has signed, else `fail`."""

    def __init__(self, key: RSAPublicKey) -> None:
        self._key = key

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """One notice."""
        if scope["type"] != "http":
            return
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        answer = b"success" if self._is_signed(body) else b"fail"
        head = [(b"content-type", b"text/plain"), (b"content-length", str(len(answer)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": head})
        await send({"type": "http.response.body", "body": answer})

    def _is_signed(self, body: bytes) -> bool:
        params = dict(parse_qsl(body.decode("ascii"), keep_blank_values=True))
        text = "&".join(f"{name}={params[name]}" for name in sorted(params) if name not in ("sign", "sign_type"))
        try:
            self._key.verify(base64.b64decode(params["sign"]), text.encode(), PKCS1v15(), SHA256())
        except InvalidSignature:
            return False
        return True


def main() -> None:
    """Serve on the port that the first argument names."""
    key = load_pem_public_key(os.environ[KEY].encode())
    assert isinstance(key, RSAPublicKey)
    uvicorn.run(
        Verifier(key), host="127.0.0.1", port=int(sys.argv[1]), loop="uvloop", http="httptools", lifespan="off",
        access_log=False, log_level="warning",
    )  # fmt: skip


if __name__ == "__main__":
    main()
