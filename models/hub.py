"""The hub of model files, by way of huggingface_hub: what a repository holds, bytes of a file.

Tokens, `HF_ENDPOINT`, `HF_HUB_OFFLINE` and proxies are that library's business. A repository may
change while it is read, so a snapshot names one commit, and files are fetched from that.
"""

import logging
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO, cast

import httpx2
import huggingface_hub
from huggingface_hub import constants, errors
from huggingface_hub.file_download import hf_hub_url, http_get
from huggingface_hub.utils import (
    build_hf_headers,
    disable_progress_bars,
    get_session,
    hf_raise_for_status,
)

from localspec import __version__
from localspec.errors import LocalspecError, UsageError
from localspec.models.naming import is_safe

__all__ = ["RemoteFile", "Snapshot", "beginning", "fetch", "snapshot"]

_SECONDS = 20.0  # for an answer that is no file
_SHA256 = re.compile(r"[0-9a-f]{64}")  # part of a path later

constants.HF_HUB_DISABLE_TELEMETRY = True
constants.DOWNLOAD_CHUNK_SIZE = 1 << 18  # what a broken connection may lose


@dataclass(frozen=True)
class RemoteFile:
    """A file of a repository, by its path there; `size` in bytes."""

    path: str
    size: int
    sha256: str


@dataclass(frozen=True)
class Snapshot:
    """The GGUF files of a repository at one commit."""

    repository: str
    commit: str
    files: tuple[RemoteFile, ...]


def snapshot(repository: str) -> Snapshot:
    """What the repository holds now.

    Raises UsageError where there is no such repository or no leave to read it, LocalspecError
    where the hub cannot be reached.
    """
    with _in_words(repository):
        api = huggingface_hub.HfApi(library_name="localspec", library_version=__version__)
        info = api.model_info(repository, files_metadata=True, timeout=_SECONDS)
    found = []
    for file in info.siblings or ():
        if file.rfilename.lower().endswith(".gguf") and is_safe(file.rfilename):
            size = file.lfs.size if file.lfs else file.size
            sha256 = file.lfs.sha256.lower() if file.lfs else ""
            if size and _SHA256.fullmatch(sha256):  # else nothing could be checked
                found.append(RemoteFile(file.rfilename, size, sha256))
    if not info.sha or not found:
        raise UsageError(f"{repository} holds no GGUF files; look for one with GGUF in its name.")
    return Snapshot(repository, info.sha, tuple(found))


def fetch(
    source: Snapshot, file: RemoteFile, into: BinaryIO, progress: Callable[[int], None]
) -> None:
    """Add to `into` what it lacks of the file; `progress` hears how many bytes are there.

    Connections that break are taken up again. Raises LocalspecError where they break for good;
    what has come by then is in `into`.
    """
    disable_progress_bars()
    logging.getLogger("huggingface_hub").setLevel(logging.ERROR)  # a retry is no news
    there = into.seek(0, 2)
    progress(there)
    with _in_words(source.repository, "what has come is kept, pull again to go on"):
        http_get(
            hf_hub_url(source.repository, file.path, revision=source.commit),
            cast("BinaryIO", _Watched(into, file.size, progress)),
            resume_size=there,
            headers=build_hf_headers(library_name="localspec", library_version=__version__),
            expected_size=file.size,
        )


def beginning(source: Snapshot, file: RemoteFile, size: int) -> bytes:
    """The first `size` bytes of a file. Raises as `fetch` does."""
    url = hf_hub_url(source.repository, file.path, revision=source.commit)
    headers = build_hf_headers(library_name="localspec", library_version=__version__)
    headers["Range"] = f"bytes=0-{size - 1}"
    come = bytearray()
    with (
        _in_words(source.repository),
        get_session().stream("GET", url, headers=headers, timeout=_SECONDS) as response,
    ):
        hf_raise_for_status(response)
        for block in response.iter_bytes():  # all of the file, where ranges are not heeded
            come += block
            if len(come) >= size:
                break
    return bytes(come[:size])


class _Watched:
    """A file that tells how long it is with each write, and grows no longer than `size`."""

    def __init__(self, file: BinaryIO, size: int, progress: Callable[[int], None]) -> None:
        self._file, self._size, self._progress = file, size, progress
        self.seek, self.tell, self.truncate = file.seek, file.tell, file.truncate

    def write(self, data: bytes) -> int:
        if self._file.tell() + len(data) > self._size:
            raise ValueError(f"more than {self._size} bytes come of a file of that size")
        written = self._file.write(data)
        self._progress(self._file.tell())
        return written


@contextmanager
def _in_words(repository: str, unreachable: str = "try again later") -> Iterator[None]:
    """Say in a sentence what went wrong, and what to do about it."""
    try:
        yield
    except errors.GatedRepoError:
        raise UsageError(
            f"{repository} asks for consent: accept its terms on its page, then set HF_TOKEN."
        ) from None
    except errors.RepositoryNotFoundError:
        raise UsageError(
            f"There is no repository {repository!r} that can be read; check its name, or set "
            "HF_TOKEN if it is private."
        ) from None
    except errors.HFValidationError as error:
        raise UsageError(f"{repository!r} is not the name of a repository: {error}.") from None
    except errors.RemoteEntryNotFoundError:
        raise LocalspecError(
            f"{repository} changed while it was being read; pull it again."
        ) from None
    except errors.OfflineModeIsEnabled:
        raise LocalspecError("HF_HUB_OFFLINE is set; unset it to reach the hub.") from None
    except errors.HfHubHTTPError as error:
        status = error.response.status_code
        raise LocalspecError(
            f"The hub answers with an error ({status}); try again later."
        ) from None
    except (httpx2.HTTPError, ConnectionError) as error:
        told = re.sub(r"^\[Errno -?\d+\] ", "", str(error).strip())
        reason = told.rstrip(".") or type(error).__name__
        raise LocalspecError(f"The hub cannot be reached ({reason}); {unreachable}.") from None
    except httpx2.InvalidURL as error:
        raise UsageError(f"HF_ENDPOINT is no address: {error}.") from None
    except ValueError as error:
        raise LocalspecError(f"The hub's answer makes no sense: {error}.") from None
