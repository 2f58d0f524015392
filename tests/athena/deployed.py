"""The review as deploy/cloudformation runs it: under the policies of its role, with settings from S3, a topic, locked
evidence, and everything encrypted by a key.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from deploy.entry import fetch_settings
from tests.athena.on_athena import OnAthena
from tests.deploy.template import review_policies
from tests.local_athena.gateway import REVIEWER
from tests.local_athena.iam import Role
from tests.local_athena.service import ACCOUNT, REGION, Place

LOG_KEY, KEY = (f"arn:aws:kms:{REGION}:{ACCOUNT}:key/{name}" for name in ("of-the-logs", "of-the-stack"))


def deployed(on_athena: OnAthena, settings: Path) -> tuple[OnAthena, Path]:
    """The same place under the template's policies, and the settings as the container's entry fetches them there."""
    service, place = on_athena.service, on_athena.place
    bucket = _settings_bucket(place)
    service.s3.create_bucket(Bucket=bucket)
    for file in sorted(settings.iterdir()):
        service.s3.put_object(Bucket=bucket, Key=f"settings/{file.name}", Body=file.read_bytes())
    topic: str = service.client("sns").create_topic(Name=place.work_group)["TopicArn"]
    values = {
        "LogBucket": place.log_bucket,
        "LogPrefix": "",
        "LogKeyArn": LOG_KEY,
        "SettingsBucket": bucket,
        "ResultsBucket": place.results_bucket,
        "TablesBucket": place.data_bucket,
        "EvidenceBucket": place.evidence_bucket,
        "WorkGroup": place.work_group,
        "Database": place.database,
        "Topic": topic,
        "Key.Arn": KEY,
    }
    own = (bucket, place.results_bucket, place.data_bucket, place.evidence_bucket, topic)
    on_deployed = replace(
        on_athena,
        role=Role(review_policies(values)),
        keys={place.log_bucket: LOG_KEY} | dict.fromkeys(own, KEY),
        options={"PCI_LOG_REVIEW_NOTIFY_TOPIC": topic, "PCI_LOG_REVIEW_EVIDENCE_RETENTION_DAYS": "400"},
    )
    return on_deployed, fetched(on_deployed)


def fetched(on_athena: OnAthena) -> Path:
    """The settings of the place, fetched as the container does it. Raises UsageError where the role may not."""
    folder = on_athena.checkout.home / "settings-of-the-bucket"
    folder.mkdir(parents=True, exist_ok=True)
    client = on_athena.service.client("s3", access_key=REVIEWER)
    with on_athena.service.under(on_athena.role, on_athena.keys):
        fetch_settings(f"s3://{_settings_bucket(on_athena.place)}/settings/", folder, client)
    return folder


def _settings_bucket(place: Place) -> str:
    return f"{place.work_group}-settings"
