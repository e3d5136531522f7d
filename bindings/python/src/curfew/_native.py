# SPDX-License-Identifier: Apache-2.0
"""The C library. It is loaded once, and refused where it cannot work (after a fork)."""

from __future__ import annotations

import os
import threading
import weakref
from collections import deque
from pathlib import Path
from typing import Any, Deque, Iterator, List, Optional

from ._interface import ffi

UNLIMITED = 2**64 - 1


class Error(Exception):
    """A call of the library failed. What a program did is never an exception, but a Report."""

    #: Name of the C library's status: "invalid", "system", "overloaded"...
    status: str = "internal"

    def __init__(self, message: str, status: str = "internal") -> None:
        super().__init__(message)
        self.status = status


class InvalidError(Error, ValueError):
    """An argument is missing, malformed or out of range."""


class OverloadedError(Error):
    """The engine has reached its maximum number of runs: try again later."""


class BusyError(Error):
    """Another call of this session is in progress, or another process keeps the file locked."""


class UnusableError(Error):
    """The session's state was lost: reset it."""


class NotFoundError(Error, LookupError):
    """There is no such file or entry."""


class BadProgramError(Error):
    """The program does not load. ``report`` has the reason."""

    report: Any = None


_CLASSES = {
    "INVALID": InvalidError,
    "OVERLOADED": OverloadedError,
    "IN_USE": BusyError,
    "BUSY": BusyError,
    "UNUSABLE": UnusableError,
    "NOT_FOUND": NotFoundError,
    "BAD_PROGRAM": BadProgramError,
}
_STATUS = {
    value: name.removeprefix("CURFEW_") if hasattr(str, "removeprefix") else name[len("CURFEW_") :]
    for value, name in ffi.typeof("curfew_status").elements.items()
}


def _load() -> Any:
    named = os.environ.get("CURFEW_LIBRARY")
    inside = Path(__file__).with_name("lib") / "libcurfew.so.0"
    is_own = not named and inside.exists()
    place = str(inside) if is_own else named or "libcurfew.so.0"
    try:
        library = ffi.dlopen(place)
    except OSError as error:
        raise ImportError(
            f"curfew: {place} cannot be loaded: {error}; install libcurfew, or name it in CURFEW_LIBRARY"
        ) from None
    if not is_own:
        _refuse_older(library, place)
    return library


def _refuse_older(library: Any, place: str) -> None:
    for name in dir(library):
        try:
            getattr(library, name)
        except (AttributeError, ffi.error):
            raise ImportError(f"curfew: {place} is older than this package: it has no {name}") from None


lib = _load()

# Threads of an engine do not survive a fork, so each object remembers the process that made it.
generation = 0

# The pointers that are freed with their objects; those that are gone are dropped now and then.
_owned: List[Any] = []
_owned_due = 256
_owned_lock = threading.Lock()


def _remember(pointer: Any) -> None:
    global _owned_due
    with _owned_lock:
        _owned.append(weakref.ref(pointer))
        if len(_owned) >= _owned_due:
            _owned[:] = [reference for reference in _owned if reference() is not None]
            _owned_due = 2 * len(_owned) + 256


def _begin_anew() -> None:
    """The child of a fork frees nothing of its parent's."""
    global generation, _owned_lock
    generation += 1
    _owned_lock = threading.Lock()
    for reference in _owned:
        pointer = reference()
        if pointer is not None:
            ffi.gc(pointer, None)
    _owned.clear()


os.register_at_fork(after_in_child=_begin_anew)


def text_of(pointer: Any, length: Optional[int] = None) -> Optional[str]:
    """Converts a string of the library's to Python. NULL becomes None."""
    if pointer == ffi.NULL:
        return None
    data = ffi.string(pointer) if length is None else bytes(ffi.buffer(pointer, length))
    return data.decode("utf-8", "replace")


def bytes_of(text: Any, what: str) -> bytes:
    """The UTF-8 of a str, or bytes unchanged. Anything else raises a TypeError that names its purpose."""
    if isinstance(text, str):
        return text.encode("utf-8")
    if isinstance(text, (bytes, bytearray, memoryview)):
        return bytes(text)
    raise TypeError(f"{what} must be str or bytes, not {type(text).__name__}")


def c_string(text: Any, what: str) -> Any:
    """A NUL-terminated copy. The caller keeps it alive."""
    data = bytes_of(text, what)
    if b"\0" in data:
        raise InvalidError(f"{what} holds a NUL", "invalid")
    return ffi.new("char[]", data)


def check(status: int, failure: Any) -> None:
    """Raises the exception of a status that is not OK."""
    if status == 0:
        return
    name = _STATUS.get(status, "INTERNAL")
    message = text_of(failure.message) or text_of(lib.curfew_status_text(status)) or name
    raise _CLASSES.get(name, Error)(message, name.lower())


class Gone:
    """Collects the numbers of what is gone. A finalizer would act at once, but runs code of Python, and an interrupt
    (Ctrl-C) that comes while it begins is lost."""

    def __init__(self) -> None:
        self._numbers: Deque[Any] = deque()

    def follow(self, numbers: List[int]) -> Any:
        """An object: once it is gone, these numbers can be taken."""
        return ffi.gc(ffi.new("uintptr_t[]", numbers), self._numbers.append)

    def take(self) -> Iterator[int]:
        while self._numbers:
            yield from self._numbers.popleft()


class Owned:
    """An object of the C library's with one owner. A forked child cannot use it, and frees nothing."""

    _kind = "object"
    _free: Any = None
    _pointer: Any = None

    def __init__(self, pointer: Any) -> None:
        # A method __del__ would free it as well, but an interrupt (Ctrl-C) that comes while one begins is lost.
        self._own(ffi.gc(pointer, type(self)._free))

    def _own(self, pointer: Any) -> None:
        self._made_in = generation
        self._pointer = pointer
        _remember(pointer)

    def _get(self) -> Any:
        if self._made_in != generation:
            raise Error(
                f"this {self._kind} was made before a fork, and its threads are not in this process: "
                "make a new Engine in the child"
            )
        if self._pointer is None:
            raise Error(f"this {self._kind} is closed")
        return self._pointer

    def close(self) -> None:
        """Frees the resources. A second call does nothing."""
        pointer, self._pointer = self._pointer, None
        if pointer is not None:
            ffi.release(pointer)

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *unused: object) -> None:
        self.close()
