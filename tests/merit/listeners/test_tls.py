"""TLS and mutual TLS over real connections, certificates that are renewed, and files that are wrong."""

import ssl
import time
from collections.abc import Callable
from pathlib import Path

import grpc
import httpx
import pytest
import trustme

from exporters.store import Store
from merit.commands.check import check
from merit.listeners.certificates import Certificates
from merit.settings import Settings
from processors.errors import Rejected
from processors.listening import TlsSettings
from tests.doors import Certificate, Listeners, issue, listening, settings
from tests.receiver.builders import body, span


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def server(authority: trustme.CA, tmp_path: Path) -> Certificate:
    return issue(authority, tmp_path, "server")


def trusting(authority: trustme.CA, shown: Certificate | None = None) -> ssl.SSLContext:
    """What a client that trusts `authority` uses, with its own certificate if it has one."""
    context = ssl.create_default_context()
    authority.configure_trust(context)
    if shown:
        context.load_cert_chain(shown.certificate, shown.key)
    return context


def channel(doors: Listeners, authority: trustme.CA, shown: Certificate | None = None) -> grpc.Channel:
    own = (shown.key.read_bytes(), shown.certificate.read_bytes()) if shown else (None, None)
    return grpc.secure_channel(doors.grpc, grpc.ssl_channel_credentials(authority.cert_pem.bytes(), *own))


def over(files: dict[str, str]) -> Settings:
    return settings(otlp={"tls": files}, query_api={"tls": files})


def test_all_three_listeners_speak_tls_and_nothing_else(authority: trustme.CA, server: Certificate, tables: Store) -> None:
    with listening(over(server.named()), tables) as doors:
        assert doors.send_grpc(body(span()), channel=channel(doors, authority)) == b""
        assert doors.send_http(body(span(2)), verify=trusting(authority)).status_code == 200
        assert doors.ask("/healthz", verify=trusting(authority)).status_code == 200
        for url in (doors.http, doors.api):
            with pytest.raises(httpx.HTTPError):
                httpx.get(url.replace("https", "http"), timeout=5)
        with pytest.raises(grpc.RpcError):
            doors.send_grpc(body(span()))


def test_older_tls_is_refused(authority: trustme.CA, server: Certificate, tables: Store) -> None:
    old = trusting(authority)
    old.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1"):
        old.minimum_version, old.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
    with listening(over(server.named()), tables) as doors:
        for url in (doors.http, doors.api):
            with pytest.raises(httpx.ConnectError):
                httpx.get(url, verify=old, timeout=5)


def test_with_a_clients_authority_only_its_clients_come_in(
    authority: trustme.CA, server: Certificate, tables: Store, tmp_path: Path
) -> None:
    ours, theirs = trustme.CA(), trustme.CA()
    client, stranger = issue(ours, tmp_path, "client", of="agent"), issue(theirs, tmp_path, "stranger", of="agent")
    ca = tmp_path / "clients.pem"
    ca.write_bytes(ours.cert_pem.bytes())

    with listening(over(server.named() | {"client_ca": str(ca)}), tables) as doors:
        assert doors.send_grpc(body(span()), channel=channel(doors, authority, client)) == b""
        assert doors.send_http(body(span(2)), verify=trusting(authority, client)).status_code == 200
        assert doors.ask("/healthz", verify=trusting(authority, client)).status_code == 200
        for shown in (None, stranger):
            with pytest.raises(grpc.RpcError):
                doors.send_grpc(body(span()), channel=channel(doors, authority, shown))
            with pytest.raises(httpx.HTTPError):
                doors.send_http(body(span()), verify=trusting(authority, shown))
            with pytest.raises(httpx.HTTPError):
                doors.ask("/healthz", verify=trusting(authority, shown))


def test_a_renewed_certificate_is_used_without_a_restart(server: Certificate, tables: Store, tmp_path: Path) -> None:
    renewed = trustme.CA()

    def trusted() -> bool:
        try:
            doors.send_grpc(body(span()), channel=channel(doors, renewed))
            doors.send_http(body(span()), verify=trusting(renewed))
            return doors.ask("/healthz", verify=trusting(renewed)).status_code == 200
        except (grpc.RpcError, httpx.HTTPError):
            return False

    with listening(over(server.named()), tables) as doors:
        assert not trusted()
        issue(renewed, tmp_path, "server")
        wait(trusted)


def wait(until: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not until():
        assert time.monotonic() < deadline
        time.sleep(0.2)


def test_a_renewal_that_is_broken_leaves_the_certificate_that_was_there(server: Certificate) -> None:
    found = Certificates(TlsSettings.model_validate(server.named()), "query_api.tls", look_seconds=0)
    before = found.pem()

    server.key.write_text("nothing")
    found.renew()

    assert found.pem() is before


@pytest.mark.parametrize(
    ("spoil", "complaint"),
    [
        (lambda files: files.certificate.unlink(), r"query_api.tls.certificate .* cannot be read: No such file"),
        (lambda files: files.key.unlink(), r"query_api.tls.key .* cannot be read: No such file"),
        (lambda files: files.key.write_text("x"), "no certificate and key in PEM"),
        (lambda files: issue(trustme.CA(), files.key.parent, "other").key.replace(files.key), "is not the key of"),
    ],
    ids=["no certificate", "no key", "no PEM", "another's key"],
)
def test_files_that_are_wrong_are_told_before_anything_listens(
    server: Certificate, spoil: Callable[[Certificate], object], complaint: str, tmp_path: Path
) -> None:
    spoil(server)
    said = settings(query_api={"tls": server.named()}, exporters={"clickhouse": {"dsn": f"chdb://{tmp_path}/data"}})

    with pytest.raises(Rejected, match=complaint):
        Certificates(said.query_api.tls, "query_api.tls")
    assert any(not finding.ok and finding.subject == "doors" for finding in check(lambda _: said, None))


def test_half_a_pair_is_refused() -> None:
    with pytest.raises(ValueError, match="belong together"):
        settings(query_api={"tls": {"certificate": "a.pem"}})
    with pytest.raises(ValueError, match="client_ca needs certificate"):
        settings(query_api={"tls": {"client_ca": "a.pem"}})
