"""The kinds of files that a trail delivers, each into a folder of its own beside the others of an account.

The folders are those of the AWS CloudTrail User Guide, "Finding your CloudTrail log files" and the pages on network
activity, Insights and aggregated events.
"""

from __future__ import annotations

KINDS = {
    "CloudTrail": "log",
    "CloudTrail-Digest": "digest",
    "CloudTrail-Insight": "insight",
    "CloudTrail-NetworkActivity": "network-activity",
    "CloudTrail-Aggregated": "aggregated",
}
FOLDERS = {kind: folder for folder, kind in KINDS.items()}
# What holds records of calls. Network activity is that of VPC endpoints: a call that the policy of one refused stands
# there alone.
REVIEWED = frozenset({"log", "network-activity"})
# What CloudTrail names in digests; whether it names Insight files there is not documented.
NAMED_IN_DIGESTS = REVIEWED | {"aggregated"}
AGGREGATED = (
    "holds aggregated events, each of which sums up the data events of five minutes and tells of no single call, "
    "so it was not reviewed"
)


def kind_of(folder: str) -> str:
    """The kind of the files in a trail's folder; what is not known yet is a log that nobody may lose."""
    return KINDS.get(folder, "log")
