#!/usr/bin/env python3
"""Write the sample logs: three days of CloudTrail files of an invented card-payment shop, 'Example Pay'.

    python scripts/tools/make_sample_logs.py [DIR]      (default: sample_logs beside scripts/)

DIR/AWSLogs is removed and rewritten, the same every time: nothing here reads a clock or a random source. Account ids,
addresses, access keys and names are those that AWS and the RFCs reserve for documentation.

sample_logs/story.txt says what happens, one event per line; this script knows how CloudTrail records it. Monday
2026-03-09 is an ordinary day. On Tuesday 2026-03-10, the day that is reviewed by default, a stranger finds a forgotten
access key. On Wednesday 2026-03-11 the administrators clean up, and the security account's eu-west-1 delivers nothing.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re
import shlex
import shutil
import sys
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from string import Template
from typing import Any

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import (
    RSAPrivateKey,
    RSAPrivateNumbers,
    RSAPublicNumbers,
    rsa_crt_dmp1,
    rsa_crt_dmq1,
    rsa_crt_iqmp,
)
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

Json = dict[str, Any]

SAMPLE_LOGS = Path(__file__).resolve().parents[2] / "sample_logs"

PROD, SECURITY, OUTSIDE = "111122223333", "444455556666", "999999999999"
LOGS = "example-pay-cloudtrail-logs"
LOG_FOLDER = f"{LOGS}/AWSLogs/{PROD}/CloudTrail/us-east-1"
KEYS = {
    "card-key": f"arn:aws:kms:us-east-1:{PROD}:key/1234abcd-12ab-34cd-56ef-1234567890ab",
    "card-key-eu": f"arn:aws:kms:eu-west-1:{PROD}:key/1234abcd-12ab-34cd-56ef-0987654321ab",
    "log-key": f"arn:aws:kms:us-east-1:{SECURITY}:key/0987dcba-09fe-87dc-65ba-ab0987654321",
}
US_STORES = {"cards": "example-pay-cardholder-data", "key": "card-key", "vpce": "vpce-0a1b2c3d4e5f60718"}
EU_STORES = {"cards": "example-pay-cardholder-data-eu", "key": "card-key-eu", "vpce": "vpce-0f9e8d7c6b5a43210"}
STORES = {"us-east-1": US_STORES, "eu-west-1": EU_STORES, "ap-southeast-2": {}}
OFFICE, HOME, STRANGER = "203.0.113.10", "2001:db8:85a3::8a2e:370:7334", "198.51.100.7"
CLI = "aws-cli/2.22.35 md/awscrt#0.23.4 ua/2.0 os/macos#24.3.0 md/arch#arm64 lang/python#3.12.6 md/prompt#off"
BROWSER = (
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/133 Safari/537.36"
)
JAVA = "aws-sdk-java/2.30.11 md/io#sync md/http#Apache ua/2.1 os/Linux#6.1 lang/java#21.0.6"
BOTO = "Boto3/1.36.3 md/Botocore#1.36.3 ua/2.0 os/linux#6.11.2-amd64 md/arch#x86_64 lang/python#3.12.8"
GITHUB_ACTION = "aws-sdk-nodejs/2.1692.0 configure-aws-credentials-for-github-actions"
EVIL = """=HYPERLINK("http://198.51.100.7/","x")<script>alert(1)</script>'; drop table findings;--"""
GITHUB = f"arn:aws:iam::{PROD}:oidc-provider/token.actions.githubusercontent.com"


# --------------------------------------------------------------------------------------------------------------- who
@dataclass(frozen=True)
class Actor:
    """A caller: the userIdentity, the address and the user agent that CloudTrail records."""

    identity: Json
    ip: str = OFFICE
    agent: str = CLI


def token(length: int, *parts: object, letters: str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") -> str:
    """Letters that look random and are always the same for the same parts."""
    digest = hashlib.sha512("|".join(map(str, parts)).encode()).digest()
    return "".join(letters[byte % len(letters)] for byte in digest[:length])


def hexes(length: int, *parts: object) -> str:
    """Hexadecimal digits of the same kind."""
    return token(length, *parts, letters="0123456789abcdef")


def session(mfa: str = "false", **more: Any) -> Json:
    """A sessionContext; its creationDate follows from the time of the event."""
    return {**more, "attributes": {"creationDate": "", "mfaAuthenticated": mfa}}


def role(
    account: str,
    name: str,
    caller: str,
    ip: str = OFFICE,
    agent: str = CLI,
    path: str = "",
    context: Json | None = None,
) -> Actor:
    """A session of a role."""
    principal = "AROA" + token(10, account, name) + "EXAMPLE"
    issuer = {"type": "Role", "principalId": principal, "arn": f"arn:aws:iam::{account}:role/{path}{name}"}
    identity = {
        "type": "AssumedRole",
        "principalId": f"{principal}:{caller}",
        "arn": f"arn:aws:sts::{account}:assumed-role/{name}/{caller}",
        "accountId": account,
        "accessKeyId": "ASIA" + token(9, account, name, caller) + "EXAMPLE",
        "sessionContext": session(sessionIssuer={**issuer, "accountId": account, "userName": name}, **(context or {})),
    }
    return Actor(identity, ip, agent)


def person(
    account: str, name: str, permissions: str = "AdministratorAccess", ip: str = OFFICE, agent: str = BROWSER
) -> Actor:
    """A person who signed in through IAM Identity Center."""
    reserved = f"AWSReservedSSO_{permissions}_{hexes(16, account, permissions)}"
    actor = role(account, reserved, f"{name}@example.com", ip, agent, "aws-reserved/sso.amazonaws.com/")
    store = "arn:aws:identitystore::444455556666:identitystore/d-9067example"
    actor.identity["onBehalfOf"] = {"userId": str(uuid.uuid5(uuid.NAMESPACE_DNS, name)), "identityStoreArn": store}
    return actor


def user(name: str, key: str, ip: str = OFFICE, agent: str = CLI, **more: Any) -> Actor:
    """An IAM user of production. Before the sign-in has succeeded (no key) there is no arn either."""
    identity = {"type": "IAMUser", "principalId": "AIDA" + token(10, PROD, name) + "EXAMPLE"}
    identity |= {"arn": f"arn:aws:iam::{PROD}:user/{name}"} if key else {}
    return Actor({**identity, "accountId": PROD, "accessKeyId": key, "userName": name, **more}, ip, agent)


def root(ip: str = HOME, context: Json | None = None) -> Actor:
    """The root user signing in or, with a context, a session that AWS shows as root."""
    identity = {"type": "Root", "principalId": PROD, "arn": f"arn:aws:iam::{PROD}:root", "accountId": PROD}
    identity["accessKeyId"] = "" if context is None else "ASIA" + token(9, "root") + "EXAMPLE"
    return Actor(identity | ({} if context is None else {"sessionContext": session(**context)}), ip, BROWSER)


def outsider(account: str, principal: str, ip: str, agent: str = CLI) -> Actor:
    """What the called account sees of a caller in another account."""
    return Actor({"type": "AWSAccount", "principalId": principal, "accountId": account}, ip, agent)


def service_role(account: str, name: str, host: str) -> Actor:
    """A service-linked role."""
    return role(account, f"AWSServiceRoleFor{name}", name, path=f"aws-service-role/{host}.amazonaws.com/")


EC2 = {"ec2RoleDelivery": "2.0"}
WEB = {"webIdFederationData": {"federatedProvider": GITHUB, "attributes": {}}}
REPO = "repo:example-pay/shop:ref:refs/heads/main"
ROOT_ISSUER = {
    "type": "Root",
    "principalId": PROD,
    "arn": f"arn:aws:iam::{PROD}:root",
    "accountId": PROD,
    "userName": "root",
}
BILLING = {
    "type": "FederatedUser",
    "principalId": f"{PROD}:billing",
    "arn": f"arn:aws:sts::{PROD}:federated-user/billing",
}
MARIA_SEC = person(SECURITY, "maria.keller")

CAST = {
    # people
    "maria": person(PROD, "maria.keller"),
    "jonas": person(PROD, "jonas.lindqvist", ip=HOME),
    "maria-sec": MARIA_SEC,
    "maria-outside": outsider(SECURITY, MARIA_SEC.identity["principalId"], OFFICE, BROWSER),
    "jonas-sec": person(SECURITY, "jonas.lindqvist", ip=HOME, agent=CLI),
    "zoe": person(PROD, "zoe.akerlund", "DeveloperAccess", agent=CLI),
    "desk": user("support-desk", "ASIAI44QH8DHBEXAMPLE", agent=BROWSER, sessionContext=session("true")),
    "desk-signin": user("support-desk", "", agent=BROWSER),
    "root": root(context={"sessionIssuer": {}, "webIdFederationData": {}}),
    "root-signin": root(),
    "root-assumed": root(OFFICE, context={"assumedRoot": "true"}),
    "root-federated": Actor(
        {**BILLING, "accountId": PROD, "sessionContext": session(sessionIssuer=ROOT_ISSUER)}, HOME, BROWSER
    ),
    # programs
    "checkout-us-east-1": role(PROD, "example-pay-checkout", "i-0a1b2c3d4e5f60718", "192.0.2.10", JAVA, context=EC2),
    "checkout-eu-west-1": role(PROD, "example-pay-checkout", "i-0f9e8d7c6b5a40312", "192.0.2.20", JAVA, context=EC2),
    "github": Actor(
        {"type": "WebIdentityUser", "principalId": REPO, "userName": REPO, "identityProvider": GITHUB},
        "192.0.2.140",
        GITHUB_ACTION,
    ),
    "ci": role(PROD, "example-pay-ci-deploy", "GitHubActions", "192.0.2.140", "terraform/1.10.5", context=WEB),
    "review": role(SECURITY, "pci-log-review", "daily-review", "192.0.2.200", BOTO),
    "vpc-caller": outsider(PROD, PROD, "192.0.2.10", JAVA),
    "aws-internal": Actor({"accountId": PROD, "invokedBy": "AWS Internal"}, "AWS Internal", "AWS Internal"),
    "nobody": Actor({}, "192.0.2.140", "log-forwarder/0.9"),
    # strangers
    "legacy": user("deploy-legacy", "AKIAIOSFODNN7EXAMPLE", STRANGER, EVIL),
    "reporting": user("reporting", "AKIAI44QH8DHBEXAMPLE", STRANGER, BOTO),
    "root-stranger": root(STRANGER),
    "hidden-signin": user("HIDDEN_DUE_TO_SECURITY_REASONS", "", STRANGER, BROWSER),
    "desk-stranger": user("support-desk", "", STRANGER, BROWSER),
    "outsider": outsider(OUTSIDE, "AIDACKCEVSQ6C2EXAMPLE", "198.51.100.99"),
}
for _account in (PROD, SECURITY):
    CAST[f"config-{_account}"] = service_role(_account, "Config", "config")
    CAST[f"guardduty-{_account}"] = service_role(_account, "AmazonGuardDuty", "guardduty")
    CAST[f"scaling-{_account}"] = service_role(_account, "AutoScaling", "autoscaling")


def actor(name: str) -> Actor:
    """NAME, NAME/SERVICE (used by a service) or aws/SERVICE (the service itself)."""
    name, _, service = name.partition("/")
    if not service:
        return CAST[name]
    host = f"{service}.amazonaws.com"
    identity = {"type": "AWSService"} if name == "aws" else CAST[name].identity
    return Actor({**identity, "invokedBy": host}, host, host)


# ---------------------------------------------------------------------------------------------------------- the events
def value_of(key: str, text: str) -> Any:
    """JSON if it looks like JSON; account ids and documents stay text."""
    is_json = text[:1] in '{["' or text in ("true", "false", "null") or (text.isdigit() and len(text) < 7)
    return json.loads(text) if text and is_json and not key.endswith("Document") else text


def nested(words: list[str]) -> Json:
    """KEY=VALUE words as one object; A.B=VALUE goes into A."""
    result: Json = {}
    for word in words:
        path, _, text = word.partition("=")
        *parents, key = path.split(".")
        inner = result
        for parent in parents:
            inner = inner.setdefault(parent, {})
        inner[key] = value_of(key, text)
    return result


def ip_permissions(port: str, *ranges: str) -> Json:
    """The ipPermissions of a security-group call."""
    v4 = {"items": [{"cidrIp": cidr} for cidr in ranges if ":" not in cidr]}
    v6 = {"items": [{"cidrIpv6": cidr} for cidr in ranges if ":" in cidr]}
    rule = {"ipProtocol": "tcp", "fromPort": int(port), "toPort": int(port), "groups": {}, "prefixListIds": {}}
    return {"items": [{**rule, "ipRanges": v4 if v4["items"] else {}, "ipv6Ranges": v6 if v6["items"] else {}}]}


def on_resource(event: str, on: str, account: str, region: str) -> tuple[Json, list[Json], bool]:
    """The request parameters and resources of a call on something, and whether it is a data event."""
    if event.startswith("kms:"):
        owner, arn = KEYS[on].split(":")[4], KEYS[on]
        return {"keyId": arn}, [{"accountId": owner, "type": "AWS::KMS::Key", "ARN": arn}], False
    if event.startswith("dynamodb:"):
        arn = f"arn:aws:dynamodb:{region}:{account}:table/{on}"
        return {"tableName": on}, [{"accountId": account, "type": "AWS::DynamoDB::Table", "ARN": arn}], True
    bucket, _, key = on.partition("/")
    request = {"bucketName": bucket, "Host": f"{bucket}.s3.{region}.amazonaws.com"}
    resources = [{"accountId": account, "type": "AWS::S3::Bucket", "ARN": f"arn:aws:s3:::{bucket}"}]
    if key:
        listing = event == "s3:ListObjects"
        request["prefix" if listing else "key"] = key
        resources.insert(0, {"type": "AWS::S3::Object", "ARNPrefix" if listing else "ARN": f"arn:aws:s3:::{on}"})
    return request, resources, bool(key)


READS = (
    "Get",
    "List",
    "Describe",
    "Lookup",
    "Scan",
    "Filter",
    "Decrypt",
    "GenerateDataKey",
    "AssumeRole",
    "ConsoleLogin",
)
S3_DETAILS = {
    "SignatureVersion": "SigV4",
    "CipherSuite": "TLS_AES_128_GCM_SHA256",
    "AuthenticationMethod": "AuthHeader",
}
SIGNIN = {"LoginTo": "https://console.aws.amazon.com/console/home?hashArgs=%23&isauthcode=true", "MobileVersion": "No"}


@dataclass
class Trail:
    """Every record, with the place and the time of its delivery."""

    delivered: dict[tuple[str, str], list[tuple[datetime, Json]]] = field(default_factory=dict)
    seen: dict[str, int] = field(default_factory=dict)
    traffic: dict[str, list[str]] = field(default_factory=dict)

    def tell(self, story: str) -> None:
        """Read a story and log its events."""
        story, *traffic = re.split(r"^\* (.+)$", story, flags=re.MULTILINE)
        self.traffic = {name: lines_of(text) for name, text in zip(traffic[::2], traffic[1::2], strict=True)}
        for line in lines_of(story):
            if line.startswith("@"):
                _, day, name, region = line.split()
                account = PROD if name == "production" else SECURITY
                continue
            clock, what, *words = line.split()
            when = datetime.fromisoformat(f"{day}T{clock}Z")
            names: Json = {"account": account, "region": region, "logs": LOG_FOLDER, **STORES[region]}
            if what not in self.traffic:
                self.log(account, region, when, Template(line.split(" ", 1)[1]).substitute(names))
                continue
            names |= nested(words)
            for turn in range(names.pop("count", 1)):
                start = when + timedelta(seconds=37 * turn)
                names["number"] = 40000 + int(hexes(3, account, region, start), 16)
                for template in self.traffic[what]:
                    seconds, event = Template(template).substitute(names).split(" ", 1)
                    self.log(account, region, start + timedelta(seconds=int(seconds)), event)

    def log(self, account: str, region: str, when: datetime, line: str) -> None:
        """Log one event: WHO SERVICE:EVENT KEY=VALUE ... -> KEY=VALUE ... ! ERROR MESSAGE"""
        line, _, error = line.partition(" ! ")
        lexer = shlex.shlex(line, posix=True)
        lexer.whitespace_split, lexer.quotes, lexer.escape, lexer.commenters = True, "'", "", ""
        name, event, *words = lexer
        arrow = words.index("->") if "->" in words else len(words)
        changes = [word for word in words if word[0] in "+-" and word != "->"]
        request = nested([word for word in words[:arrow] if word not in changes])
        response = nested([word for word in words[arrow + 1 :] if word not in changes])
        on, allow, shared, again = (request.pop(key, None) for key in ("on", "allow", "shared", "again"))
        who = actor(name)
        api, event_name = event.split(":")

        found: Json = {}
        resources: list[Json] = []
        data = False
        if on:
            found, resources, data = on_resource(event, on, account, region)
            request = found | request
        elif "roleArn" in request:
            owner = request["roleArn"].split(":")[4]
            resources = [{"ARN": request["roleArn"], "accountId": owner, "type": "AWS::IAM::Role"}]
        if allow:
            request["ipPermissions"] = ip_permissions(*allow.split(","))
        identity = json.loads(json.dumps(who.identity))
        if "sessionContext" in identity:
            start = (when - timedelta(minutes=20)).replace(minute=0, second=0)
            identity["sessionContext"]["attributes"]["creationDate"] = f"{start:%Y-%m-%dT%H:%M:%SZ}"

        record: Json = {"eventVersion": "1.11", "userIdentity": identity, "eventTime": f"{when:%Y-%m-%dT%H:%M:%SZ}"}
        record |= {"eventSource": f"{api}.amazonaws.com", "eventName": event_name, "awsRegion": region}
        record |= {"sourceIPAddress": who.ip, "userAgent": who.agent}
        if error:
            code, _, message = error.partition(" ")
            refused = f"User: {identity.get('arn')} is not authorized to perform: {api}:{event_name}"
            reason = f" because no identity-based policy allows the {api}:{event_name} action"
            record |= {"errorCode": code, "errorMessage": message or refused + reason}
        record |= {"requestParameters": request or None, "responseElements": response or None}
        if api == "s3":
            record["additionalEventData"] = {**S3_DETAILS, "bytesTransferredIn": 0, "bytesTransferredOut": 0}
            direction = "bytesTransferredIn" if event_name.startswith("Put") else "bytesTransferredOut"
            record["additionalEventData"][direction] = 243 if error else int(hexes(3, on), 16)
        elif api == "signin":
            record["additionalEventData"] = {**SIGNIN, "MFAUsed": "No"}
        event_id = self.event_id(account, region, when, name, event)
        if api != "signin":
            record["requestID"] = str(uuid.uuid5(uuid.NAMESPACE_OID, event_id))
        record |= {"eventID": event_id, "readOnly": event_name.startswith(READS) and api != "signin"}
        if resources:
            record["resources"] = resources
        record["eventType"] = "AwsConsoleSignIn" if api == "signin" else "AwsApiCall"
        record |= {"managementEvent": not data, "recipientAccountId": account}
        if shared:
            record["sharedEventID"] = str(uuid.uuid5(uuid.NAMESPACE_OID, f"{when.date()} {shared}"))
        record["eventCategory"] = "Data" if data else "Management"
        if who.agent == BROWSER and api != "signin":
            record["sessionCredentialFromConsole"] = "true"
        elif who.agent not in (BROWSER, who.ip):
            host = "iam.amazonaws.com" if api == "iam" else f"{api}.{region}.amazonaws.com"
            tls = {"tlsVersion": "TLSv1.3", "cipherSuite": "TLS_AES_128_GCM_SHA256", "clientProvidedHostHeader": host}
            record["tlsDetails"] = tls
        for key, value in nested([word[1:] for word in changes if word[0] == "+"]).items():
            record[key] = record[key] | value if isinstance(value, dict) and key in record else value
        for word in changes:
            if word[0] == "-":
                del record[word[1:]]

        place = self.delivered.setdefault((account, region), [])
        place.append((when, record))
        if again:
            place.append((datetime.fromisoformat(f"{when:%Y-%m-%d}T{again}Z"), record))

    def event_id(self, *parts: object) -> str:
        """An id that is the same on each run, and never the same for two events."""
        name = "|".join(map(str, parts))
        self.seen[name] = self.seen.get(name, 0) + 1
        digest = hashlib.sha256(f"{name}|{self.seen[name]}".encode()).digest()
        return str(uuid.UUID(bytes=digest[:16], version=4))


def lines_of(text: str) -> list[str]:
    """The lines of a story: comments left out, continued lines joined."""
    kept = [line for line in text.splitlines() if line and not line.startswith("#")]
    return "\n".join(kept).replace("\n    ", " ").splitlines()


# ----------------------------------------------------------------------------------------------------------- the files
def write(target: Path, folder: str, stamp: str, content: Json) -> str:
    """Write one .json.gz, the same bytes each time; return the SHA-256 of its content."""
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
    path = target / folder / stamp
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file, gzip.GzipFile("", "wb", 9, file, mtime=0) as packed:
        packed.write(text)
    return hashlib.sha256(text).hexdigest()


def folder_of(account: str, kind: str, region: str, when: datetime) -> str:
    """The folder of a kind of file on one day."""
    return f"AWSLogs/{account}/{kind}/{region}/{when:%Y/%m/%d}"


def write_logs(target: Path, trail: Trail) -> list[Json]:
    """Write one file per stretch of activity, under the day of its delivery; return the digest entry of each."""
    files = []
    for (account, region), entries in sorted(trail.delivered.items()):
        batches: list[list[tuple[datetime, Json]]] = []
        for entry in sorted(entries, key=lambda entry: entry[0]):
            if not batches or entry[0] - batches[-1][-1][0] > timedelta(minutes=13):
                batches.append([])
            batches[-1].append(entry)
        for batch in batches:
            when = batch[-1][0] + timedelta(minutes=1)
            when = when.replace(minute=when.minute // 5 * 5, second=0) + timedelta(minutes=5)
            folder = folder_of(account, "CloudTrail", region, when)
            name = f"{account}_CloudTrail_{region}_{when:%Y%m%dT%H%MZ}_{token(16, account, region, when)}.json.gz"
            digest = write(target, folder, name, {"Records": [record for _, record in batch]})
            files.append(
                {"s3Bucket": LOGS, "s3Object": f"{folder}/{name}", "hashValue": digest, "hashAlgorithm": "SHA-256"}
            )
    return files


def sample_key() -> RSAPrivateKey:
    """The key that signs the sample's digests, the same every time. It protects nothing: anyone can make it."""
    exponent = 65537
    p, q = (_prime(f"Example Pay's sample key, {number}") for number in ("first prime", "second prime"))
    d = pow(exponent, -1, (p - 1) * (q - 1))
    numbers = RSAPublicNumbers(exponent, p * q)
    return RSAPrivateNumbers(p, q, d, rsa_crt_dmp1(d, p), rsa_crt_dmq1(d, q), rsa_crt_iqmp(p, q), numbers).private_key()


def _prime(seed: str) -> int:
    """A number of 1,024 bits with the first two set, as RSA wants it, that passes Fermat's test."""
    number = int.from_bytes(hashlib.shake_256(seed.encode()).digest(128)) | 3 << 1022 | 1
    while pow(2, number - 1, number) != 1:
        number += 2
    return number


def public_der(key: RSAPrivateKey) -> bytes:
    """The public half, as CloudTrail gives it."""
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.PKCS1)


def fingerprint_of(key: RSAPrivateKey) -> str:
    """The name by which a digest refers to its key."""
    return hashlib.md5(public_der(key), usedforsecurity=False).hexdigest()


def write_public_key(target: Path, key: RSAPrivateKey) -> None:
    """Write the key's public half as `aws cloudtrail list-public-keys` prints it."""
    listed = {
        "Value": base64.b64encode(public_der(key)).decode(),
        "ValidityStartTime": "2026-03-01T00:00:00+00:00",
        "ValidityEndTime": "2026-04-01T00:00:00+00:00",
        "Fingerprint": fingerprint_of(key),
    }
    (target / "public_keys.json").write_text(json.dumps({"PublicKeyList": [listed]}, indent=2) + "\n", encoding="utf-8")


def write_digests(
    target: Path, account: str, region: str, first: str, hours: int, logs: list[Json], key: RSAPrivateKey
) -> None:
    """Hourly digest files from `first` on, each with the hash and signature of the previous one."""
    fingerprint = fingerprint_of(key)
    previous: Json = dict.fromkeys(("S3Bucket", "S3Object", "HashValue", "HashAlgorithm", "Signature"))
    for number in range(hours):
        start = datetime.fromisoformat(first) + timedelta(hours=number)
        end = start + timedelta(hours=1)
        folder = folder_of(account, "CloudTrail-Digest", region, end)
        name = f"{account}_CloudTrail-Digest_{region}_example-pay-trail_us-east-1_{end:%Y%m%dT%H%M%SZ}.json.gz"
        log_name = f"/{account}_CloudTrail_{region}_{{:%Y%m%dT%H%MZ}}"
        content = {
            "awsAccountId": account,
            "digestStartTime": f"{start:%Y-%m-%dT%H:%M:%SZ}",
            "digestEndTime": f"{end:%Y-%m-%dT%H:%M:%SZ}",
            "digestS3Bucket": LOGS,
            "digestS3Object": f"{folder}/{name}",
            "digestPublicKeyFingerprint": fingerprint,
            "digestSignatureAlgorithm": "SHA256withRSA",
            "newestEventTime": None,
            "oldestEventTime": None,
            **{f"previousDigest{field}": value for field, value in previous.items()},
            "logFiles": [
                log
                for log in logs
                if log_name.format(start) <= "/" + log["s3Object"].rsplit("/", 1)[1] < log_name.format(end)
            ],
        }
        hashed = write(target, folder, name, content)
        # https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-custom-validation.html
        signed = "\n".join(
            [content["digestEndTime"], f"{LOGS}/{folder}/{name}", hashed, previous["Signature"] or "null"]
        )
        previous = {"S3Bucket": LOGS, "S3Object": f"{folder}/{name}", "HashAlgorithm": "SHA-256", "HashValue": hashed}
        previous["Signature"] = key.sign(signed.encode(), PKCS1v15(), SHA256()).hex()


def write_insight(target: Path) -> None:
    """An Insight event, start and end: no userIdentity, no eventName, and not part of the event stream."""
    when = datetime(2026, 3, 10, 14, 25, tzinfo=UTC)
    name = f"{PROD}_CloudTrail-Insight_us-east-1_{when:%Y%m%dT%H%MZ}_{token(16, 'insight')}.json.gz"
    numbers = {"statistics": {"baseline": {"average": 0.0021}, "insight": {"average": 4}}}
    insight = {"eventSource": "iam.amazonaws.com", "eventName": "ListUsers", "insightType": "ApiCallRateInsight"}
    records = [
        {
            "eventVersion": "1.09",
            "eventTime": f"2026-03-10T14:0{minute}:00Z",
            "awsRegion": "us-east-1",
            "eventID": str(uuid.uuid5(uuid.NAMESPACE_OID, state)),
            "eventType": "AwsCloudTrailInsight",
            "recipientAccountId": PROD,
            "sharedEventID": str(uuid.uuid5(uuid.NAMESPACE_OID, "insight")),
            "insightDetails": {"state": state, **insight, "insightContext": numbers},
            "eventCategory": "Insight",
        }
        for minute, state in ((0, "Start"), (5, "End"))
    ]
    write(target, folder_of(PROD, "CloudTrail-Insight", "us-east-1", when), name, {"Records": records})


def main(arguments: list[str]) -> int:
    """Write the files; the only argument is the target folder."""
    target = Path(arguments[0]) if arguments else SAMPLE_LOGS
    shutil.rmtree(target / "AWSLogs", ignore_errors=True)
    trail = Trail()
    trail.tell((SAMPLE_LOGS / "story.txt").read_text(encoding="utf-8"))
    logs = write_logs(target, trail)
    key = sample_key()
    write_public_key(target, key)
    for account, region in trail.delivered:  # everything in Tuesday's and Wednesday's folders, and a little more
        first, hours = "2026-03-09T23:36:00Z", 50
        if (account, region) == (PROD, "ap-southeast-2"):  # they prove that nothing happened there on Monday
            first, hours = "2026-03-08T23:36:00Z", 74
        elif (account, region) == (SECURITY, "eu-west-1"):  # on Wednesday it is silent
            hours = 26
        write_digests(target, account, region, first, hours, logs, key)
    write_insight(target)
    print(f"{sum(map(len, trail.delivered.values()))} events in {len(logs)} log files below {target}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
