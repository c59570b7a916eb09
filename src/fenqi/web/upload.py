"""Forms with files: multipart, few files, small ones, bounded before anything is kept; and files shown again.

What a file is is decided where it is handed in (`aftersales.hand_in`), by what is in it.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import NamedTuple
from urllib.parse import quote

from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request
from starlette.responses import Response

from fenqi.kernel.refusal import Refusal
from fenqi.web.form import Form, read_form

FILES_MOST = 3
BODY_MOST_BYTES = 4 * 1024 * 1024
_FIELD_MOST_BYTES = 64 * 1024


class Sent(NamedTuple):
    """A file as the browser sent it; its name is whatever it was called there."""

    name: str
    content: bytes


async def read_upload(request: Request) -> tuple[Form, list[Sent]]:
    """The fields and files of a form; one that carries no files may be urlencoded.

    Refuses BODY_TOO_LARGE beyond 4 MiB, FILES_TOO_MANY beyond three, and FORM_INVALID.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "multipart/form-data":
        return await read_form(request), []
    parser = MultiPartParser(
        request.headers, _bounded(request), max_files=FILES_MOST, max_fields=50, max_part_size=_FIELD_MOST_BYTES
    )
    try:
        parsed = await parser.parse()
    except MultiPartException as no:
        code = "FILES_TOO_MANY" if "Too many files" in no.message else "FORM_INVALID"
        raise Refusal(code, no.message, files_most=FILES_MOST) from None
    pairs, files = [], []
    for name, value in parsed.multi_items():
        if isinstance(value, UploadFile):
            content = await value.read()
            if content or value.filename:
                files.append(Sent(value.filename or "", content))
            await value.close()
        else:
            pairs.append((name, value))
    if any("\0" in name or "\0" in value for name, value in pairs):
        raise Refusal("FORM_INVALID", "text must not contain NUL")
    return Form(pairs), files


async def _bounded(request: Request) -> AsyncGenerator[bytes, None]:
    """The body as it comes, refused as soon as it is too long."""
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > BODY_MOST_BYTES:
            raise Refusal("BODY_TOO_LARGE", f"at most {BODY_MOST_BYTES} bytes")
        yield chunk


def file_response(name: str, media_type: str, content: bytes) -> Response:
    """A file as what it was found to be: images are shown, everything else is saved; nothing in it can run."""
    kind = "inline" if media_type.startswith("image/") else "attachment"
    headers = {
        "Content-Disposition": f"{kind}; filename*=UTF-8''{quote(name, safe='')}",
        "Content-Security-Policy": "default-src 'none'; sandbox",
    }
    return Response(content, media_type=media_type, headers=headers)
