"""Settings refuse what would not work, and say what to write instead."""

import pytest
from pydantic import ValidationError

from processors.listening import host_and_port
from receiver.settings import ReceiverSettings


def made(**otlp):
    return ReceiverSettings.model_validate({"otlp": otlp}).otlp


def test_the_defaults_are_the_ports_of_otlp_on_loopback():
    assert made().grpc.endpoint == "127.0.0.1:4317"
    assert made().http.endpoint == "127.0.0.1:4318"
    assert made().max_request_mib == 16


@pytest.mark.parametrize("endpoint", ["4317", "127.0.0.1", "http://127.0.0.1:4317", "127.0.0.1:x", "127.0.0.1:99999", "", "[::1"])
def test_what_is_no_endpoint_is_refused_with_an_example(endpoint):
    with pytest.raises(ValidationError, match="write host:port"):
        made(grpc={"endpoint": endpoint})


def test_the_host_of_an_ipv6_endpoint_has_no_brackets():
    assert host_and_port("[::1]:4317") == ("::1", 4317)


def test_unknown_keys_are_refused():
    with pytest.raises(ValidationError, match="endpont"):
        made(grpc={"endpont": "127.0.0.1:4317"})


def test_what_may_wait_holds_two_of_the_largest_requests():
    with pytest.raises(ValidationError, match="at least twice"):
        made(max_request_mib=50, max_waiting_mib=90)
