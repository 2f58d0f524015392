"""What has to be proven of a day's logs: which trail writes digests where, and where CloudTrail delivered the logs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from ..common.aws import S3Place


@dataclass(frozen=True, order=True)
class ExpectedTrail:
    """A trail whose digests are expected in the folder of one account and region, from the day `since` on."""

    trail: str
    home_region: str
    account_id: str
    region: str
    since: date

    @property
    def name(self) -> str:
        """The trail as the names of its digests have it."""
        return f"{self.trail}_{self.home_region}"


@dataclass(frozen=True)
class ToProve:
    """What must be proven: digests of `trails` alone prove anything; those of other trails can only contradict.

    `origin` is the bucket and prefix to which CloudTrail delivered the logs, which its digests name and sign. Where it
    is None, it is that of the store; a folder has none, and digests then prove nothing.
    """

    trails: tuple[ExpectedTrail, ...] = ()
    origin: S3Place | None = None
