"""Certificates of the listeners: read, checked with words an operator can act on, read again when they are renewed."""

import ssl
from pathlib import Path

from merit.listeners.watched import LOOK_SECONDS, Watched
from processors.errors import Rejected
from processors.listening import Pem, Tls, TlsSettings


class Certificates:
    """The files of one listener's TLS.

    Args:
        settings: with a certificate.
        name: of the section, for messages.
        look_seconds: how often the files are looked at.

    Raises:
        Rejected: a file is missing, unreadable, no PEM, or certificate and key are not of one pair.
    """

    def __init__(self, settings: TlsSettings, name: str, look_seconds: float = LOOK_SECONDS) -> None:
        self._settings, self._name = settings, name
        files = [file for file in (settings.certificate, settings.key, settings.client_ca) if file]
        self._pem = Watched(files, self._read, look_seconds)
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.minimum_version = ssl.TLSVersion.TLSv1_2
        self._loaded = self._pem.current()
        self._load(self._context)

    def context(self) -> ssl.SSLContext:
        """See `Tls`."""
        return self._context

    def renew(self) -> None:
        """See `Tls`. An authority that is taken away is trusted until the next start; a new one at once."""
        if (pem := self._pem.current()) is not self._loaded:
            self._loaded = pem
            self._load(self._context)

    def pem(self) -> Pem:
        """See `Tls`."""
        return self._pem.current()

    def _read(self) -> Pem:
        said = self._settings
        assert said.certificate
        assert said.key
        self._load(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER))
        client_ca = self._bytes("client_ca", said.client_ca) if said.client_ca else None
        return Pem(self._bytes("certificate", said.certificate), self._bytes("key", said.key), client_ca)

    def _load(self, context: ssl.SSLContext) -> None:
        said, name = self._settings, self._name
        assert said.certificate
        for which, file in (("certificate", said.certificate), ("key", said.key), ("client_ca", said.client_ca)):
            if file:
                self._bytes(which, file)
        try:
            context.load_cert_chain(said.certificate, said.key, password=lambda: b"")
        except ssl.SSLError as error:
            if error.reason == "KEY_VALUES_MISMATCH":
                raise Rejected(f"{name}.key {said.key} is not the key of {name}.certificate {said.certificate}") from error
            raise Rejected(
                f"{name}.certificate {said.certificate} and {name}.key {said.key} are no certificate and key in PEM without a "
                f"password ({error.reason or 'unreadable'})"
            ) from error
        if said.client_ca:
            try:
                context.load_verify_locations(said.client_ca)
            except ssl.SSLError as error:
                raise Rejected(f"{name}.client_ca {said.client_ca} holds no certificate in PEM") from error
            context.verify_mode = ssl.CERT_REQUIRED

    def _bytes(self, which: str, file: Path) -> bytes:
        try:
            return file.read_bytes()
        except OSError as error:
            raise Rejected(f"{self._name}.{which} {file} cannot be read: {error.strerror}") from error


def tls_of(settings: TlsSettings, name: str) -> Tls | None:
    """The TLS of a section; None if it has no certificate."""
    return Certificates(settings, name) if settings.certificate else None
