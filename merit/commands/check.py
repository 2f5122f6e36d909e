"""`merit check`: would Merit start with these settings, and what to mend if not. Changes nothing and disturbs nobody.

The folder of the embedded engine is looked into only while no other process has it.
"""

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from exporters.folder import FolderLock
from exporters.notifications.reach import why_unreachable
from exporters.schema import migrations
from exporters.store import Store, chdb_folder
from merit.listeners.doors import entrances, tokens_of
from merit.listeners.endpoints import Address, endpoints, why_not_bindable
from merit.settings import DEFAULT_FILE, Settings
from processors.errors import MeritError, Rejected, Unavailable
from processors.listening import is_loopback

ROOM_BYTES = 2 * 1024**3
"""Less free space than this is trouble ahead: merges alone need room for a second copy of what they merge."""

NOT_MADE_YET = frozenset({60, 81})
"""ClickHouse's error codes for a table and a database that do not exist: the first start makes them."""


@dataclass(frozen=True)
class Finding:
    """What was looked at, whether it is as it should be, what was found, and how to mend it."""

    subject: str
    ok: bool
    found: str
    mend: str = ""


def check(load: Callable[[Path | None], Settings], config: Path | None) -> Iterator[Finding]:
    """Look at everything a start needs, in the order of a start; wrong settings end the list."""
    try:
        settings = load(config)
    except Rejected as error:
        yield Finding("settings", ok=False, found=str(error), mend="change what is named and check again")
        return
    yield Finding("settings", ok=True, found=f"valid ({settings_file(config)})")
    folder = chdb_folder(settings.exporters.clickhouse)
    if folder:
        yield from check_folder(folder, settings)
    else:
        yield check_schema(settings)
    yield from check_doors(settings)
    yield from check_routes(settings)
    yield from (check_port(name, endpoint) for name, endpoint in endpoints(settings).items())


def check_doors(settings: Settings) -> Iterator[Finding]:
    """Can the tokens and the certificates be used, and do tokens travel in the open?"""
    try:
        at, tokens = entrances(settings), tokens_of(settings.auth)
    except Rejected as error:
        yield Finding("doors", ok=False, found=str(error), mend="mend the file, or name another")
        return
    if not settings.auth.asks:
        return
    yield Finding("doors", ok=bool(tokens), found=f"{len(tokens)} tokens", mend="" if tokens else "make one: merit token new")
    for name, (host, _) in endpoints(settings).items():
        if not (at[name].tls or is_loopback(host)):
            found = f"{name} takes tokens without TLS: who listens on the way can use them"
            yield Finding("doors", ok=True, found=found, mend="give it a certificate, unless a proxy before it has one")


def check_routes(settings: Settings) -> Iterator[Finding]:
    """Can those be reached who are to be told of alerts? They are sent nothing."""
    said = settings.exporters.notifications
    for route in said.routes:
        if why := why_unreachable(route, said.timeout_seconds):
            mend = "mend its address, or the way to it; merit alerts test sends a preview"
            yield Finding("route", ok=False, found=f"{route.name} of exporters.notifications cannot be reached: {why}", mend=mend)
        else:
            yield Finding("route", ok=True, found=f"{route.name} of exporters.notifications can be reached, as far as is known")


def settings_file(config: Path | None) -> str:
    """Where the settings came from."""
    if config:
        return str(config)
    return f"{DEFAULT_FILE} and MERIT_* variables" if DEFAULT_FILE.exists() else "defaults and MERIT_* variables"


def check_folder(folder: Path, settings: Settings) -> Iterator[Finding]:
    """The embedded engine: may the folder be written, is there room, does somebody hold it, is its schema known."""
    standing = nearest_existing(folder)
    if not standing.is_dir() or not os.access(standing, os.W_OK | os.X_OK):
        mend = f"make {standing} a folder that this user may write to, or choose another in exporters.clickhouse.dsn"
        yield Finding("folder", ok=False, found=f"{folder} cannot be written", mend=mend)
        return
    yield check_room(standing, shutil.disk_usage(standing).free)
    if standing != folder:
        yield Finding("folder", ok=True, found=f"{folder} is not there yet; the first start makes it")
        return
    lock = FolderLock(folder)
    try:
        lock.acquire()
    except Unavailable as error:
        found, _, mend = str(error).partition(": ")
        yield Finding("folder", ok=False, found=found, mend=f"{mend} (all is well if that is the Merit you mean)")
        return
    try:
        yield Finding("folder", ok=True, found=f"{folder} is writable and free")
        yield check_schema(settings)
    finally:
        lock.release()


def nearest_existing(path: Path) -> Path:
    """The path itself, or the nearest thing above it that exists."""
    return next(each for each in (path, *path.parents) if each.exists())


def check_room(folder: Path, free_bytes: int) -> Finding:
    """Is there room on the disk?"""
    found = f"{free_bytes / 1024**3:.1f} GiB free on the disk of {folder}"
    if free_bytes >= ROOM_BYTES:
        return Finding("disk", ok=True, found=found)
    mend = "make room, keep rows for fewer days (exporters.clickhouse.retention), or choose another folder"
    return Finding("disk", ok=False, found=found, mend=mend)


def check_schema(settings: Settings) -> Finding:
    """Does the store answer, and does this Merit know its schema? Reads only: what is missing, the next start applies."""
    store = Store(settings.exporters.clickhouse)
    try:
        applied = set(store.query("SELECT number FROM merit_schema")["number"])
    except MeritError as error:
        if getattr(error.__cause__, "code", None) in NOT_MADE_YET:
            return Finding("store", ok=True, found="answers; the first start makes the tables")
        mend = "is it running, are host, port, user and password in exporters.clickhouse.dsn right?"
        return Finding("store", ok=False, found=str(error), mend=mend)
    finally:
        store.close()
    newest, known = max(applied, default=0), max(migrations.shipped())
    if newest > known:
        return Finding(
            "store", ok=False, found=f"has schema {newest}, this Merit knows up to {known}", mend="use the newer Merit"
        )
    behind = "" if newest == known else f"; the next start brings it to {known}"
    return Finding("store", ok=True, found=f"answers, has schema {newest}{behind}")


def check_port(name: str, endpoint: Address) -> Finding:
    """Can the address be bound?"""
    host, port = endpoint
    if problem := why_not_bindable(host, port):
        mend = f"stop what listens there, or change {name} (all is well if that is the Merit you mean)"
        return Finding("port", ok=False, found=f"{host}:{port} for {name}: {problem}", mend=mend)
    return Finding("port", ok=True, found=f"{host}:{port or 'any'} for {name} is free")
