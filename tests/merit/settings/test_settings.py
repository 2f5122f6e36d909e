"""Settings: defaults, a file, the environment over it, and what is said about those that are wrong."""

from pathlib import Path

import pytest

from merit.settings import JobSettings, Settings, load
from processors.errors import Rejected

FILE = """\
receivers:
  otlp:
    grpc: {endpoint: "127.0.0.1:14317"}
exporters:
  clickhouse:
    dsn: "chdb:///./elsewhere"
    retention:
      spans: 7
"""


def written(folder: Path, text: str) -> Path:
    file = folder / "merit.yaml"
    file.write_text(text, "utf-8")
    return file


def refusal(path: Path | None, **environ: str) -> str:
    with pytest.raises(Rejected) as caught:
        load(path, environ)
    return str(caught.value)


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_without_a_file_everything_has_its_default() -> None:
    settings = load(None, {})

    assert settings == Settings()
    assert settings.receivers.otlp.grpc.endpoint == "127.0.0.1:4317"
    assert settings.exporters.clickhouse.dsn.get_secret_value() == "chdb:///./merit-data"
    assert (settings.jobs.derive.interval_seconds, settings.jobs.sweep.interval_seconds) == (1, 60)


def test_a_file_is_read_in_the_shape_of_the_collector(tmp_path: Path) -> None:
    settings = load(written(tmp_path, FILE), {})

    assert settings.receivers.otlp.grpc.endpoint == "127.0.0.1:14317"
    assert settings.receivers.otlp.http.endpoint == "127.0.0.1:4318"
    assert settings.exporters.clickhouse.retention.spans == 7


def test_merit_yaml_in_this_folder_is_read_unasked(tmp_path: Path) -> None:
    written(tmp_path, FILE)

    assert load(None, {}).exporters.clickhouse.retention.spans == 7


def test_a_section_whose_keys_are_all_commented_out_has_its_defaults(tmp_path: Path) -> None:
    file = written(tmp_path, "receivers:\n  otlp:\n    # grpc:\nprocessors:\n")

    assert load(file, {}) == Settings()


def test_the_environment_goes_before_the_file(tmp_path: Path) -> None:
    environ = {
        "MERIT_EXPORTERS__CLICKHOUSE__DSN": "clickhouse://host:8123/merit",
        "MERIT_JOBS__ENABLED": "false",
        "HOME": "/nowhere",
    }

    settings = load(written(tmp_path, FILE), environ)

    assert settings.exporters.clickhouse.dsn.get_secret_value() == "clickhouse://host:8123/merit"
    assert settings.exporters.clickhouse.retention.spans == 7
    assert not settings.jobs.enabled


def test_a_variable_may_hold_a_whole_list_or_section() -> None:
    price = '[{"model": "own-*", "cost_per_1k_input": 0.001, "cost_per_1k_output": 0.002}]'

    settings = load(None, {"MERIT_PROCESSORS__COST__OVERRIDES": price, "MERIT_JOBS__SWEEP": "{interval_seconds: 5}"})

    assert settings.processors.cost.overrides[0].model == "own-*"
    assert settings.jobs.sweep.interval_seconds == 5


def test_an_unknown_key_is_refused_with_file_line_and_nearest_known_key(tmp_path: Path) -> None:
    file = written(tmp_path, "exporters:\n  clickhouse:\n    dns: x\n")

    assert refusal(file) == f"{file}, line 3: exporters.clickhouse.dns is no setting; did you mean exporters.clickhouse.dsn?"


def test_a_known_key_in_the_wrong_place_is_sent_to_the_right_one(tmp_path: Path) -> None:
    file = written(tmp_path, "jobs:\n  retention: 3\n")

    assert "did you mean exporters.clickhouse.retention?" in refusal(file)


def test_an_unknown_key_that_resembles_nothing_is_told_what_is_known(tmp_path: Path) -> None:
    file = written(tmp_path, "jobs:\n  zzz: 3\n")

    assert refusal(file).endswith(f"line 2: jobs.zzz is no setting; known here: {', '.join(JobSettings.model_fields)}")


def test_an_unknown_variable_is_refused_with_the_nearest_known_one() -> None:
    message = refusal(None, MERIT_EXPORTER__CLICKHOUSE__DSN="chdb:///./x")

    assert message.startswith("MERIT_EXPORTER__CLICKHOUSE__DSN: MERIT_EXPORTER is no setting; did you mean MERIT_EXPORTERS?")


def test_a_wrong_value_is_refused_with_line_what_was_found_and_what_is_allowed(tmp_path: Path) -> None:
    file = written(tmp_path, "jobs:\n  sweep:\n    interval_seconds: 0\n")

    assert refusal(file) == f"{file}, line 3: jobs.sweep.interval_seconds is 0: should be greater than 0"


def test_a_wrong_value_of_a_variable_names_the_variable() -> None:
    message = refusal(None, MERIT_JOBS__DERIVE__INTERVAL_SECONDS="soon")

    assert message.startswith("MERIT_JOBS__DERIVE__INTERVAL_SECONDS: jobs.derive.interval_seconds is 'soon': should be a valid")


def test_a_wrong_value_inside_a_list_is_found(tmp_path: Path) -> None:
    text = (
        "processors:\n  cost:\n    overrides:\n      - model: m\n        cost_per_1k_input: -1\n        cost_per_1k_output: 1\n"
    )

    assert "line 5: processors.cost.overrides[0].cost_per_1k_input is -1: " in refusal(written(tmp_path, text))


def test_an_unknown_key_inside_a_list_is_found_with_the_nearest(tmp_path: Path) -> None:
    text = (
        "processors:\n  cost:\n    overrides:\n      - model: m\n        cost_per_1k_inputs: 1\n        cost_per_1k_output: 1\n"
    )

    message = refusal(written(tmp_path, text))

    assert "line 5: processors.cost.overrides[0].cost_per_1k_inputs is no setting" in message
    assert "did you mean processors.cost.overrides[0].cost_per_1k_input?" in message
    assert "line 4: processors.cost.overrides[0].cost_per_1k_input is missing" in message


def test_a_value_in_place_of_a_section_is_refused_without_showing_it(tmp_path: Path) -> None:
    file = written(tmp_path, "exporters:\n  clickhouse: clickhouse://me:hunter2@host/merit\n")

    message = refusal(file)

    known = "dsn, retention, system_log_days, query_seconds, memory_mib"
    assert message == f"{file}, line 2: exporters.clickhouse is a text, should be a section with {known}"


@pytest.mark.parametrize(
    "text",
    [
        "exporters: {clickhouse: {dsn: 'gopher://me:hunter2@host/merit'}}",
        "exporters: {clickhouse: {dsn: [hunter2]}}",
        "exporters: {clickhouse: {dsn: {password: hunter2}}}",
        "receivers: {otlp: {grpc: {endpoint: 'http://me:hunter2@host'}}}",
        "exporters: {clickhouse: {dsn: *hunter2}}",
        "exporters: {clickhouse: {dsn: !hunter2 x}}",
        "exporters: {clickhouse: {dsn: 'hunter2",
        "exporters: 'chdb://hunter2",
    ],
)
def test_no_message_shows_a_password(tmp_path: Path, text: str) -> None:
    assert "hunter2" not in refusal(written(tmp_path, text))
    assert "hunter2" not in refusal(None, MERIT_EXPORTERS__CLICKHOUSE__DSN="gopher://me:hunter2@host/merit")


def test_several_faults_are_told_at_once(tmp_path: Path) -> None:
    assert len(refusal(written(tmp_path, "jobs: {x: 1}\nreceiver: {}\n")).splitlines()) == 2


def test_a_key_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    file = written(tmp_path, "jobs: {enabled: true}\nexporters: {}\njobs: {enabled: false}\n")

    assert refusal(file) == f"{file}, line 3: jobs is there twice, first in {file}, line 1"


def test_what_is_no_yaml_is_refused_with_its_line(tmp_path: Path) -> None:
    assert "line 2: is no YAML" in refusal(written(tmp_path, "jobs:\n\tenabled: true\n"))
    assert "holds no sections" in refusal(written(tmp_path, "- jobs\n"))


@pytest.mark.parametrize("value", ["2026-02-30", "9" * 5_000, "!!int abc", "!!int ''", "!!float abc"])
def test_a_value_that_looks_like_a_date_or_a_number_and_is_none_is_refused_with_its_line(tmp_path: Path, value: str) -> None:
    told = refusal(written(tmp_path, f"processors:\n  cost:\n    overrides: [{{from_date: {value}}}]\n"))
    assert "line 3: is no YAML: looks like a date or a number and is none" in told


@pytest.mark.parametrize("value", ["[2026-02-30]", "[" * 100_000, "{a: !!int x}"])
def test_a_list_in_a_variable_that_is_none_is_refused(value: str) -> None:
    with pytest.raises(Rejected, match="MERIT_PROCESSORS__COST: begins like a list"):
        load(None, {"MERIT_PROCESSORS__COST": value})


BOMB = "a: &a [x, x]\n" + "".join(
    f"{b}: &{b} [{', '.join([f'*{a}'] * 9)}]\n" for a, b in zip("abcdefghi", "bcdefghij", strict=True)
)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (BOMB, "aliases"),
        ("processors: &p\n  cost: *p\n", "holds itself"),
        ("receivers: &r [*r]\n", "holds itself"),
        ("[" * 100_000, "nested too deeply"),
        ("é" * (5 << 19) + "\n", "larger than 4 MiB"),
    ],
    ids=lambda text: text[:12],
)
def test_a_file_that_is_more_than_it_looks_is_refused(tmp_path: Path, text: str, told: str) -> None:
    assert told in refusal(written(tmp_path, text))


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    assert "cannot be read: No such file" in refusal(tmp_path / "no.yaml")


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "merit.yaml").write_bytes(b"jobs: \xff")

    assert "is not UTF-8" in refusal(None)


def test_an_empty_file_means_the_defaults(tmp_path: Path) -> None:
    assert load(written(tmp_path, "# nothing\n"), {}) == Settings()


JUDGED = """processors:
  judge:
    evaluators:
      - {preset: critical_analyst, model: m, base_url: "http://127.0.0.1:1/v1", api_key: "env:JUDGE_KEY"}
"""


def test_the_key_of_an_evaluator_may_be_in_the_environment(tmp_path: Path) -> None:
    (evaluator,) = load(written(tmp_path, JUDGED), {"JUDGE_KEY": "sk-1"}).processors.judge.evaluators

    assert evaluator.api_key.get_secret_value() == "sk-1"


def test_a_key_that_is_not_in_the_environment_is_missed(tmp_path: Path) -> None:
    assert "environment variable JUDGE_KEY, which is not set" in refusal(written(tmp_path, JUDGED))


@pytest.mark.parametrize(
    ("variable", "section"),
    [
        ("MERIT_RECEIVERS__OTLP__GRPC__ENDPOINT", "receivers.otlp"),
        ("MERIT_RECEIVERS__OTLP__HTTP__ENDPOINT", "receivers.otlp"),
        ("MERIT_QUERY_API__ENDPOINT", "query_api"),
    ],
)
@pytest.mark.parametrize("endpoint", ["0.0.0.0:4318", "[::]:4318", "10.0.0.1:4318", "merit.example.com:4318"])
def test_an_address_that_others_reach_needs_tokens_or_the_word_insecure(variable: str, section: str, endpoint: str) -> None:
    said = {variable: endpoint}
    insecure = {f"MERIT_{section.upper().replace('.', '__')}__INSECURE": "true"}

    with pytest.raises(Rejected, match=rf"can be reached from other machines.*merit token new.*{section}\.insecure: true"):
        load(None, said)
    load(None, said | insecure)
    load(None, said | {"MERIT_AUTH__TOKENS_FILE": "/etc/merit/tokens.yaml"})
