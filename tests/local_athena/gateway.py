"""One HTTP endpoint for every AWS service: moto's, with Athena, parts of Glue and some reads of S3 answered here."""

from __future__ import annotations

import functools
import io
import json
import logging
import re
import threading
from collections.abc import Callable, Iterable
from html import escape
from typing import Any, cast
from urllib.parse import parse_qs, unquote
from uuid import uuid4

from moto.core.exceptions import JsonRESTError
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from moto.s3.models import s3_backends
from werkzeug.serving import BaseWSGIServer, make_server
from werkzeug.test import run_wsgi_app
from werkzeug.wrappers import Response

from .authorization import Authorization, Environ, access_key, has_short_body
from .cloudtrail_format import CloudTrailFormat
from .errors import ApiError, not_authorized
from .faults import Faults
from .glue import Glue
from .iam import Role

Answer = Callable[[str, dict[str, Any]], dict[str, Any]]

REVIEWER, ATHENA = "reviewer", "athena"
"""Access keys: of who runs the review, and of Athena, which reads and writes with the rights of who asks it. Only these
two are held against a role's policies; tests have a key of their own, which may do everything."""

# Trino keeps statistics of columns in Glue; Athena's documentation asks for no such action from who runs a query
_TRINO_ALONE = "ColumnStatistics"
_EMPTY_LISTING = (
    '<?xml version="1.0" encoding="UTF-8"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
    "<KeyCount>0</KeyCount><MaxKeys>1000</MaxKeys><IsTruncated>false</IsTruncated></ListBucketResult>"
)
_RANGE = re.compile(r"bytes=(\d*)-(\d*)$")


class _Moto(DomainDispatcherApplication):
    """Moto's services. Which of them answers for a host moto looks up among its own folders: once a host is enough."""

    get_backend_for_host = functools.cache(DomainDispatcherApplication.get_backend_for_host)


class Gateway:
    """A WSGI application on a free port of this machine, and the server that runs it."""

    def __init__(self, glue: Glue, cloudtrail: CloudTrailFormat, faults: Faults, account: str, region: str) -> None:
        self._glue = glue
        self._cloudtrail = cloudtrail
        self._faults = faults
        self._account = account
        self._region = region
        self._athena: Answer | None = None
        self.public_keys: dict[str, Any] | None = None
        """What CloudTrail's ListPublicKeys answers; it is denied where there is nothing."""
        self.role: Role | None = None
        """Whose policies are held against each call of REVIEWER and ATHENA; without one, everything is allowed."""
        self.authorization = Authorization(account, region, lambda _: None)
        self._moto = _Moto(create_backend_app)
        logging.getLogger("werkzeug").setLevel(logging.ERROR)  # no line for each request
        self._server: BaseWSGIServer = make_server(
            "127.0.0.1", 0, self, threaded=True, request_handler=MotoRequestHandler
        )
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def start(self, athena: Answer) -> None:
        """Serve from a thread of this process; `athena` answers the actions of Athena."""
        self._athena = athena
        threading.Thread(target=self._server.serve_forever, name="gateway", daemon=True).start()

    def stop(self) -> None:
        """Stop serving and free the port."""
        if self._athena is not None:  # shutdown() of a server that never served would wait for ever
            self._server.shutdown()
        self._server.server_close()

    def __call__(self, environ: Environ, start_response: Any) -> Iterable[bytes]:
        """Answer one request (WSGI)."""
        if (denied := self._denied(environ)) is not None:
            return denied(environ, start_response)
        service, _, action = environ.get("HTTP_X_AMZ_TARGET", "").rpartition(".")
        if service == "AmazonAthena":
            body = _body(environ)
            response = _json_response(lambda: self._answer_athena(action, body))
        elif service == "AWSGlue":
            response = self._answer_glue(action, environ)
        elif action == "ListPublicKeys":
            response = _json_response(self._list_public_keys)
        elif _is_trino(environ) and environ["REQUEST_METHOD"] in ("GET", "HEAD"):
            response = self._answer_read(environ)
        else:
            response = None
        application = response or self._moto
        return cast(Iterable[bytes], application(environ, start_response))

    def _denied(self, environ: Environ) -> Response | None:
        """The refusal of a request that the role may not make."""
        if self.role is None or access_key(environ) not in (REVIEWER, ATHENA):
            return None
        body = b""
        if has_short_body(environ):
            body = _body(environ)
            environ["wsgi.input"] = io.BytesIO(body)
        role = self.role
        asked = self.authorization.calls(environ, body)
        refused = next((call for call in asked if _TRINO_ALONE not in call.action and not role.may(call)), None)
        if refused is None:
            return None
        message = not_authorized(self._account, refused.action, refused.resource)
        if "HTTP_X_AMZ_TARGET" in environ:
            content = json.dumps({"__type": "AccessDeniedException", "Message": message})
            return Response(content, status=400, content_type="application/x-amz-json-1.1")
        error = f"<Error><Code>AccessDenied</Code><Message>{escape(message)}</Message></Error>"
        is_query = environ.get("CONTENT_TYPE", "").startswith("application/x-www-form-urlencoded")
        return Response(
            f"<ErrorResponse>{error}</ErrorResponse>" if is_query else error, status=403, content_type="text/xml"
        )

    def _answer_athena(self, action: str, body: bytes) -> dict[str, Any]:
        assert self._athena is not None, "start() comes first"
        self._faults.check_athena(action)
        return self._athena(action, json.loads(body or b"{}"))

    def _list_public_keys(self) -> dict[str, Any]:
        if self.public_keys is None:
            raise ApiError("AccessDeniedException", "not authorized to perform: cloudtrail:ListPublicKeys")
        return self.public_keys

    def _answer_glue(self, action: str, environ: Environ) -> Response:
        body = _body(environ)

        def answer() -> dict[str, Any] | None:
            self._faults.check_glue(action, self._account, self._region)
            return self._glue.answer(action, json.loads(body or b"{}"))

        response = _json_response(answer)
        if response is None:
            environ["wsgi.input"] = io.BytesIO(body)
            response = self._from_moto(environ)
        if _is_trino(environ) and response.status_code == 200:
            response.set_data(self._glue.for_trino(response.get_data()))
        return response

    def _answer_read(self, environ: Environ) -> Response | None:
        """A read of S3 by Trino: log files are unfolded; None for everything else, which moto answers."""
        query = parse_qs(environ.get("QUERY_STRING", ""))
        location = "s3:/" + unquote(str(environ.get("RAW_URI", environ["PATH_INFO"])).split("?")[0])
        if "list-type" in query:
            bucket, prefix = location.split("/")[2], query.get("prefix", [""])[0]
            return Response(_EMPTY_LISTING) if self._is_empty(bucket, prefix) else None
        columns = self._cloudtrail.columns_of(location)
        if columns is None:
            return None
        wanted_range = environ.pop("HTTP_RANGE", None)
        method, environ["REQUEST_METHOD"] = environ["REQUEST_METHOD"], "GET"
        original = self._from_moto(environ)
        environ["REQUEST_METHOD"] = method
        if original.status_code != 200:
            return original
        data = self._cloudtrail.unfold(location, original.headers["ETag"], original.get_data(), columns)
        response = Response(data, mimetype="binary/octet-stream")
        for header in ("ETag", "Last-Modified"):
            response.headers[header] = original.headers[header]
        if wanted_range and (match := _RANGE.match(wanted_range)):
            first, last = match.groups()
            start = int(first) if first else max(0, len(data) - int(last))
            end = min(int(last), len(data) - 1) if first and last else len(data) - 1
            response.set_data(data[start : end + 1])
            response.status_code = 206
            response.headers["Content-Range"] = f"bytes {start}-{end}/{len(data)}"
        return response

    def _is_empty(self, bucket: str, prefix: str) -> bool:
        """Whether there is nothing there: asked for each partition of a day, so it must not take moto's long way."""
        found = s3_backends[self._account]["aws"].buckets.get(bucket)
        return found is not None and not any(key.startswith(prefix) for key in list(found.keys))

    def _from_moto(self, environ: Environ) -> Response:
        parts, status, headers = run_wsgi_app(self._moto, environ, buffered=True)
        return Response(b"".join(parts), status=status, headers=headers)


def _json_response(answer: Callable[[], dict[str, Any] | None]) -> Response | None:
    """The answer as JSON, or AWS's shape of an error; None when there is no answer."""
    status = 200
    headers = {"x-amzn-RequestId": str(uuid4())}
    try:
        content = answer()
        if content is None:
            return None
    except ApiError as error:
        status, content = 400, {"__type": error.code, "Message": error.message}
    except JsonRESTError as error:
        status, content = 400, {"__type": error.error_type, "Message": error.message}
    return Response(json.dumps(content), status=status, headers=headers, content_type="application/x-amz-json-1.1")


def _body(environ: Environ) -> bytes:
    body: bytes = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    return body


def _is_trino(environ: Environ) -> bool:
    return "aws-sdk-java" in environ.get("HTTP_USER_AGENT", "")
