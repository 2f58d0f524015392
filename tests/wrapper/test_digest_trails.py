"""Which digests are expected of a day, what is not proven without them, and which settings may not get lost."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from pci_log_review.settings.compared import approved, compared_lines, is_kept
from pci_log_review.settings.proof import expected_trails, not_proven

HEADER = "trail,home_region,account_id,region,since,reason,approved_by\n"
ONE, TWO = "111122223333", "444455556666"
SCOPE = frozenset((account, region) for account in (ONE, TWO) for region in ("us-east-1", "eu-west-1"))
DAY = date(2026, 3, 10)
REGIONS = dict.fromkeys(["us-east-1", "eu-west-1", "us-west-2"], "aws")


def expected(folder: Path, lines: str) -> set[tuple[str, str, str]]:
    (folder / "digest_trails.csv").write_text(HEADER + lines)
    return {(trail.name, trail.account_id, trail.region) for trail in expected_trails(folder, SCOPE, DAY)}


def test_a_line_expects_digests_of_what_it_names_from_its_day_on(tmp_path: Path) -> None:
    line = f"main,us-east-1,{ONE},eu-west-1,2026-03-{{}},,\n"
    one = {("main_us-east-1", ONE, "eu-west-1")}
    assert expected(tmp_path, "") == set()
    assert expected(tmp_path, line.format("10")) == one
    assert expected(tmp_path, line.format("11")) == set()
    assert expected(tmp_path, line.format("01")) == one
    other = "main,us-east-1,999999999999,eu-west-1,2026-03-01,,\n"
    assert expected(tmp_path, other) == {("main_us-east-1", "999999999999", "eu-west-1")}, "in scope or not"


def test_a_star_stands_for_all_in_scope_and_lines_add_up(tmp_path: Path) -> None:
    every = {("main_us-east-1", *pair) for pair in SCOPE}
    assert expected(tmp_path, "main,us-east-1,*,*,2026-03-01,,\n") == every
    second = f"cde,us-east-1,{ONE},us-east-1,2026-03-01,,\n"
    assert expected(tmp_path, f"main,us-east-1,*,*,2026-03-01,,\n{second}") == every | {
        ("cde_us-east-1", ONE, "us-east-1")
    }


@pytest.mark.parametrize(
    ("line", "without"),
    [
        (f"{TWO},eu-west-1,2026-03-01", {(TWO, "eu-west-1")}),
        (f"{TWO},*,2026-03-01", {(TWO, "eu-west-1"), (TWO, "us-east-1")}),
        (f"{TWO},*,2026-03-11", set()),
        ("*,*,2026-03-01", set()),
    ],
)
def test_a_line_without_a_trail_expects_none_where_it_names_less(
    tmp_path: Path, line: str, without: set[tuple[str, str]]
) -> None:
    found = expected(tmp_path, f"main,us-east-1,*,*,2026-03-01,,\n,,{line},It is off,me\n")
    assert {(account, region) for _, account, region in found} == SCOPE - without


def test_a_line_without_a_trail_never_wins_over_one_that_names_the_same(tmp_path: Path) -> None:
    lines = f"main,us-east-1,{ONE},*,2026-03-01,,\n,,*,eu-west-1,2026-03-01,why,me\n,,{ONE},*,2026-03-01,why,me\n"
    assert expected(tmp_path, lines) == {("main_us-east-1", ONE, region) for region in ("us-east-1", "eu-west-1")}


def test_one_sentence_says_what_is_not_proven_and_how_to_prove_it(tmp_path: Path) -> None:
    (tmp_path / "digest_trails.csv").write_text(f"{HEADER}main,us-east-1,{ONE},*,2026-03-01,,\n")
    some = not_proven(SCOPE, expected_trails(tmp_path, SCOPE, DAY))
    assert some.startswith(
        "Not proven in 2 of 4 accounts x regions in scope: that no log file was changed, removed or "
    )
    assert not_proven(SCOPE, ()).startswith("Not proven: that no log file was ")
    for sentence in (some, not_proven(SCOPE, ())):
        assert "--enable-log-file-validation" in sentence
        assert "digest_trails.csv" in sentence
        assert len(sentence) < 300, "a line of a message has no more"
    (tmp_path / "digest_trails.csv").write_text(f"{HEADER}main,us-east-1,*,*,2026-03-01,,\n")
    assert not_proven(SCOPE, expected_trails(tmp_path, SCOPE, DAY)) == ""


def lines_of(**files: str) -> set[tuple[str, str]]:
    return compared_lines(lambda setting: files.get(setting, ""), REGIONS)


def lost(before: set[tuple[str, str]], after: set[tuple[str, str]]) -> set[tuple[str, str]]:
    return {line for line in before if not is_kept(line, after)}


STORES = "event_source,name,description\ns3.amazonaws.com,cards,Cards\nkms.amazonaws.com,key,Key\n"


def test_order_format_and_descriptions_make_no_line_another() -> None:
    other = '\ufeffname,event_source,description\r\nkey,kms.amazonaws.com,"A key"\r\ncards,s3.amazonaws.com,\r\n'
    assert {line.split()[-1] for _, line in lines_of(cardholder_data_stores=STORES)} == {"cards", "key"}
    assert lines_of(cardholder_data_stores=other) == lines_of(cardholder_data_stores=STORES)
    one_less = "".join(STORES.splitlines(keepends=True)[:2])
    assert lost(lines_of(audit_log_stores=STORES), lines_of(audit_log_stores=one_less)) == {
        ("audit_log_stores", "kms.amazonaws.com key")
    }


def test_it_is_the_accounts_and_regions_in_scope_that_count_and_whether_logs_are_expected_daily() -> None:
    header = "account_id,account_name,region,in_cde,logs_expected\n"
    before = lines_of(trail_scope=f"{header}{ONE},a,us-east-1,true,daily\n{ONE},a,*,true,may be quiet\n")
    named = "".join(f"{ONE},b,{region},false,may be quiet\n" for region in REGIONS if region != "us-east-1")
    after = lines_of(trail_scope=f"{header}{named}{ONE},b,us-east-1,true,daily\n")
    assert lost(before, after) == lost(after, before) == set()
    quiet = lines_of(trail_scope=f"{header}{ONE},a,*,true,may be quiet\n")
    assert lost(before, quiet) == {("trail_scope", f"{ONE} us-east-1 daily")}
    fewer = lines_of(trail_scope=f"{header}{ONE},a,us-east-1,true,daily\n")
    assert lost(before, fewer) == {("trail_scope", f"{ONE} {region}") for region in ("eu-west-1", "us-west-2")}


def test_a_trail_that_is_expected_earlier_or_in_more_places_is_not_lost_and_one_that_is_later_is() -> None:
    line = f"main,us-east-1,{ONE},us-east-1,2026-03-05,,\n"
    before = lines_of(digest_trails=HEADER + line)
    for more in (
        line.replace("-05", "-01"),
        line.replace(f"{ONE},us-east-1", "*,*"),
        f"{line}other,us-east-1,*,*,2026-01-01,,\n",
    ):
        assert lost(before, lines_of(digest_trails=HEADER + more)) == set()
    for less in ("", line.replace("-05", "-06"), line.replace("main", "other"), f",,{ONE},us-east-1,2026-03-01,w,m\n"):
        assert lost(before, lines_of(digest_trails=HEADER + less)) == before


@pytest.mark.parametrize(
    ("line", "is_told"),
    [
        (f"2026-03-10,trail_scope,{ONE} us-east-1,closed,me", True),
        (f"2026-03-10,trail_scope,{ONE} *,closed,me", True),
        ("2026-03-10,trail_scope,*,closed,me", True),
        (f"2026-03-09,trail_scope,{ONE} us-east-1,closed,me", False),  # older than the review that had it
        (f"2026-03-10,trail_scope,{TWO} *,closed,me", False),
        (f"2026-03-10,administrators,{ONE} us-east-1,closed,me", False),
        (f"2026-03-10,trail_scope,{ONE} us-east,closed,me", False),
        ("2026-03-10,trail_scope,1111*,closed,me", False),
    ],
)
def test_a_line_that_says_why_names_what_is_gone_and_is_no_older(line: str, is_told: bool) -> None:
    is_approved = approved(f"changed_on,setting,left_out,reason,approved_by\n{line}\n")
    assert is_approved(("trail_scope", f"{ONE} us-east-1"), DAY) == is_told
