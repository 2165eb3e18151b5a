"""A lock on an open file that ends with its process, however that ends."""

import sys
from typing import IO

__all__ = ["lock"]

if sys.platform == "win32":
    import msvcrt

    _FAR = 1 << 62  # Windows locks bytes and means it; nobody reads or writes this one

    def lock(file: IO[bytes]) -> bool:
        """Take the lock; False where another process has it."""
        place = file.tell()
        file.seek(_FAR)
        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        finally:
            file.seek(place)
        return True

else:
    import fcntl

    def lock(file: IO[bytes]) -> bool:
        """Take the lock; False where another process has it. Raises OSError where none can be."""
        try:
            fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
