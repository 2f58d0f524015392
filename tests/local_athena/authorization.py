"""What a request asks of IAM: its actions, each with the resource's ARN, as AWS's service authorization reference has
them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from html import unescape
from typing import Any
from urllib.parse import parse_qs, unquote

from .iam import Call

Environ = dict[str, Any]

_CREDENTIAL = re.compile(r"Credential=([^/]+)/\d+/([^/]+)/([^/]+)/")
_GLUE_TABLE = re.compile("Table|Partition|ColumnStatistics")


class Authorization:
    """Reads requests. `work_group_of` tells the work group of a query id. `keys` are the KMS keys (ARNs) of encrypted
    buckets (names) and topics (ARNs): S3 and SNS ask for them with the rights of the caller.
    """

    def __init__(self, account: str, region: str, work_group_of: Callable[[str], str | None]) -> None:
        self._account = account
        self._region = region
        self._work_group_of = work_group_of
        self.keys: dict[str, str] = {}

    def calls(self, environ: Environ, body: bytes) -> list[Call]:
        """All that has to be allowed for this request. What is not known here is asked for as an action of that name,
        which no policy allows.
        """
        service, _, action = environ.get("HTTP_X_AMZ_TARGET", "").rpartition(".")
        if service == "AmazonAthena":
            return list(self._athena(action, json.loads(body or b"{}")))
        if service == "AWSGlue":
            return list(self._glue(action, json.loads(body or b"{}")))
        if service.startswith("com.amazonaws.cloudtrail"):
            return [Call(f"cloudtrail:{action}", "*")]
        if (signed := _credential(environ)) and signed[2] != "s3":
            form = {name: values[0] for name, values in parse_qs(body.decode()).items()}
            return list(self._query(signed[2], form))
        return list(self._s3(environ, body))

    def _athena(self, action: str, request: Mapping[str, Any]) -> Iterator[Call]:
        arn = f"arn:aws:athena:{self._region}:{self._account}"
        if action == "GetDataCatalog":
            yield Call("athena:GetDataCatalog", f"{arn}:datacatalog/{request['Name']}")
        elif action.startswith("List") and "WorkGroup" not in request:
            yield Call(f"athena:{action}", "*")
        else:
            ids = request.get("QueryExecutionIds", [request.get("QueryExecutionId")])
            groups = {request.get("WorkGroup") or self._work_group_of(query) or "primary" for query in ids}
            yield from (Call(f"athena:{action}", f"{arn}:workgroup/{group}") for group in groups)

    def _glue(self, action: str, request: Mapping[str, Any]) -> Iterator[Call]:
        """Glue asks for the catalogue and everything on the way down to what is meant."""
        arn = f"arn:aws:glue:{self._region}:{self._account}"
        database = request.get("DatabaseName") or request.get("DatabaseInput", request).get("Name")
        yield Call(f"glue:{action}", f"{arn}:catalog")
        if action == "GetDatabases":
            database = "*"
        yield Call(f"glue:{action}", f"{arn}:database/{database}")
        if _GLUE_TABLE.search(action):
            named = request.get("TableName") or request.get("TableInput", {}).get("Name") or request.get("Name")
            tables = request.get("TablesToDelete") or [named or "*"]
            yield from (Call(f"glue:{action}", f"{arn}:table/{database}/{table}") for table in tables)

    def _query(self, service: str, form: Mapping[str, str]) -> Iterator[Call]:
        action = form.get("Action", "unknown")
        if (service, action) == ("sts", "GetCallerIdentity"):
            return  # it needs no permission
        resource = form.get("TopicArn", "*")
        yield Call(f"{service}:{action}", resource)
        if service == "sns" and resource in self.keys:
            yield from self._kms(("kms:GenerateDataKey", "kms:Decrypt"), resource, "sns")

    def _s3(self, environ: Environ, body: bytes) -> Iterator[Call]:
        raw, _, _ = str(environ.get("RAW_URI", environ["PATH_INFO"])).partition("?")
        bucket, _, key = unquote(raw).lstrip("/").partition("/")
        query = parse_qs(environ.get("QUERY_STRING", ""), keep_blank_values=True)
        method = environ["REQUEST_METHOD"]
        action = _s3_action(method, key, query)
        several = (unescape(name) for name in re.findall(r"<Key>(.*?)</Key>", body.decode()))
        for name in several if method == "POST" and "delete" in query else [key]:
            resource = f"arn:aws:s3:::{bucket}/{name}" if name else f"arn:aws:s3:::{bucket}"
            context = {"s3:prefix": query["prefix"][0]} if "prefix" in query else {}
            yield Call(action, resource, context)
            if "HTTP_X_AMZ_OBJECT_LOCK_MODE" in environ:
                yield Call("s3:PutObjectRetention", resource)
        if source := unquote(environ.get("HTTP_X_AMZ_COPY_SOURCE", "")).lstrip("/"):
            yield Call("s3:GetObject", f"arn:aws:s3:::{source}")
        if bucket in self.keys and key:
            if action == "s3:PutObject":
                # a part of an upload is joined with the others by its data key
                parts = "uploads" in query or "uploadId" in query
                yield from self._kms(("kms:GenerateDataKey", *(("kms:Decrypt",) if parts else ())), bucket, "s3")
            elif action == "s3:GetObject":
                yield from self._kms(("kms:Decrypt",), bucket, "s3")

    def _kms(self, actions: tuple[str, ...], of: str, service: str) -> Iterator[Call]:
        via = {"kms:ViaService": f"{service}.{self._region}.amazonaws.com"}
        yield from (Call(action, self.keys[of], via) for action in actions)


def has_short_body(environ: Environ) -> bool:
    """Whether the body says what is asked for; that of an object which is written does not."""
    signed = _credential(environ)
    is_object = signed is not None and signed[2] == "s3" and environ["REQUEST_METHOD"] != "POST"
    return not is_object


def access_key(environ: Environ) -> str | None:
    """Who signed the request, None where nobody did."""
    signed = _credential(environ)
    return signed[0] if signed else None


def _credential(environ: Environ) -> tuple[str, ...] | None:
    """The access key, region and service of the signature."""
    found = _CREDENTIAL.search(environ.get("HTTP_AUTHORIZATION", ""))
    return found.groups() if found else None


def _s3_action(method: str, key: str, query: Mapping[str, Any]) -> str:
    if not key:
        if method == "POST" and "delete" in query:
            return "s3:DeleteObject"
        known = {"location": "s3:GetBucketLocation", "uploads": "s3:ListBucketMultipartUploads"}
        if method in ("GET", "HEAD"):
            named = next((action for name, action in known.items() if name in query), None)
            return named or ("s3:ListBucket" if query.keys() <= _LISTING else f"s3:{method}?{'&'.join(query)}")
        return f"s3:{method}-of-a-bucket"
    if "uploadId" in query and method in ("GET", "DELETE"):
        return {"GET": "s3:ListMultipartUploadParts", "DELETE": "s3:AbortMultipartUpload"}[method]
    if odd := query.keys() - {"uploads", "uploadId", "partNumber", "x-id"}:
        return f"s3:{method}?{'&'.join(sorted(odd))}"
    return {
        "GET": "s3:GetObject",
        "HEAD": "s3:GetObject",
        "PUT": "s3:PutObject",
        "POST": "s3:PutObject",
        "DELETE": "s3:DeleteObject",
    }[method]


_LISTING = {"list-type", "prefix", "delimiter", "encoding-type", "continuation-token", "max-keys", "start-after",
            "fetch-owner", "marker", "x-id"}  # fmt: skip
