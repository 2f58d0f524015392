"""Records whose keys readers take differently are named, whatever stands beside them and however they are written."""

from __future__ import annotations

import itertools
import json
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pci_log_review.cloudtrail import unclear_keys as module
from pci_log_review.cloudtrail.records import Records
from pci_log_review.cloudtrail.unclear_keys import UnclearKeys, unclear_keys

from .native_logs import event


def found_in(records: list[bytes]) -> str | None:
    """What is found in a file with these records."""
    with UnclearKeys() as keys:
        keys.look_at(7, Records.of(records))
        return keys.faults().get(7)


@pytest.mark.parametrize(
    ("changed", "fault"),
    [
        (lambda it: it[:-1] + ',"eventname":"StopLogging"}', "the keys 'eventName' and 'eventname'"),
        (lambda it: '{"EVENTNAME":"StopLogging",' + it[1:], "the keys 'EVENTNAME' and 'eventName'"),
        (lambda it: it[:-1] + ',"eventName":"StopLogging"}', "the key 'eventName' twice"),
        (lambda it: it[:-1] + ',"event\\u004eame":"StopLogging"}', "the key 'eventName' twice"),
        (lambda it: it[:-1] + ', "eventname" : 1}', "the keys 'eventName' and 'eventname'"),
        (lambda it: it[:-1] + ',"useridentity":{}}', "the keys 'userIdentity' and 'useridentity'"),
        (lambda it: it.replace('"type":"IAMUser"', '"type":"IAMUser","Type":"Root"'), "the keys 'type' and 'Type'"),
        (lambda it: it.replace('"type":"IAMUser"', '"type":"IAMUser","type":"Root"'), "the key 'type' twice"),
        (
            lambda it: it.replace('"type":"IAMUser"', '"sessionContext":{"sessionIssuer":{"arn":1,"Arn":2}}'),
            "the keys 'arn' and 'Arn'",
        ),
        (
            lambda it: it.replace('"userIdentity":{', '"USERIDENTITY":{"arn":1,"Arn":2,'),
            "the keys 'arn' and 'Arn'",
        ),
        (lambda it: it.replace('"type":"IAMUser"', '"a":[[{"b":1,"b":2}]]'), "the key 'b' twice"),
        (
            lambda it: it.replace('"type":"IAMUser"', '"a":' + '{"a":' * 200 + '{"b":1,"b":2}' + "}" * 200),
            "the key 'b' twice",
        ),
    ],
)
def test_keys_that_readers_take_differently_are_named(changed: Any, fault: str) -> None:
    plain, odd = (json.dumps(event(number), separators=(",", ":")) for number in (1, 2))
    named = found_in([plain.encode(), changed(odd).encode(), plain.encode()])
    assert named == f"1 of its 3 records are not as CloudTrail writes them: record 2 (event event-2) has {fault}"


def test_keys_in_parameters_are_their_writers_and_blanks_do_not_matter() -> None:
    parameters = {"Item": {"a": 1, "A": 2}, "userIdentity": {"type": 1, "Type": 2}}
    lower = {name.lower(): value for name, value in event(2).items()}
    records = [event(1, requestParameters=parameters, resources=[{"ARN": "a"}, {"ARN": "b"}]), lower, {}, {"\u00e9": 1}]
    for blanks in ((",", ":"), (", ", ": ")):
        assert found_in([json.dumps(record, separators=blanks).encode() for record in records]) is None


def test_what_has_no_room_in_memory_is_searched_too_and_written_nowhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(module._CONFIG, "memory_limit", "5MB")
    records = [b'{"k%d":1,"%s":2}' % (number, b"x" * 2_000) for number in range(4_000)]
    with UnclearKeys() as keys:
        keys.look_at(1, Records.of([*records, b'{"a":1,"A":2}']))
        assert keys.faults()[1].endswith("record 4001 has the keys 'a' and 'A'")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("limit", ["_RECORDS_TOGETHER", "_BYTES_TOGETHER"])
def test_each_fault_is_told_of_its_own_file(limit: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, limit, 5)
    with UnclearKeys() as keys:
        for number in range(30):
            odd = b'{"a":1,"A":2}' if number in (3, 17, 29) else b"{}"
            keys.look_at(number, Records.of([b'{"a":1}', odd] if number % 2 else []))
        assert keys.faults() == dict.fromkeys((3, 17, 29), f"{ONE_OF_TWO} record 2 has the keys 'a' and 'A'")


ONE_OF_TWO = "1 of its 2 records are not as CloudTrail writes them:"
NAMES = st.sampled_from(
    ["type", "Type", "arn", "sessionContext", "userIdentity", "UserIdentity", "\u00df", "ss", "a b"]
)


def objects(values: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """JSON objects whose keys may be there twice, written with blanks or without."""
    members = st.lists(st.tuples(NAMES, values), max_size=4)
    colons = st.sampled_from([":", " : "])
    return st.builds(
        lambda members, colon: "{" + ",".join(json.dumps(name) + colon + value for name, value in members) + "}",
        members,
        colons,
    )


VALUES = st.recursive(
    st.sampled_from(['"text"', "1", "null", '"\\"arn\\":1"', '"userIdentity"']),
    lambda values: st.one_of(objects(values), st.lists(values, max_size=3).map(lambda some: f"[{','.join(some)}]")),
    max_leaves=8,
)


@pytest.mark.slow
def test_the_quick_search_finds_what_looking_at_each_record_does() -> None:
    with UnclearKeys() as keys:
        numbers = itertools.count()

        @settings(max_examples=300, deadline=None)
        @given(st.lists(objects(VALUES), max_size=6))
        def it_does(records: list[str]) -> None:
            number, encoded = next(numbers), Records.of([record.encode() for record in records])
            keys.look_at(number, encoded)
            assert keys.faults().get(number) == unclear_keys(encoded)

        it_does()
        assert keys.faults(), "some were unclear"


@pytest.mark.slow
@pytest.mark.parametrize(
    "identity",
    ['"a":' + "[" * 900 + "]" * 900, '"a":[' + "[]," * 300_000 + "[]]", ",".join(f'"{n}":{n}' for n in range(60_000))],
    ids=["deep", "wide", "many keys"],
)
def test_no_identity_breaks_the_search_or_takes_long(identity: str) -> None:
    begun = time.process_time()
    assert found_in([b'{"userIdentity":{' + identity.encode() + b"}}"] * 3) is None
    assert time.process_time() - begun < 10
