"""The queries of the article of 2020 (macros/article), each run on the log table itself as the article does."""

from __future__ import annotations

from tests.athena.on_athena import OnAthena

# The filters of macros/article/article_queries.sql, on the log table itself
_BUCKET_READ = (
    "eventname = 'GetObject' and sourceipaddress not in ('cloudtrail.amazonaws.com', 'athena.amazonaws.com')"
    " and json_extract_scalar(requestparameters, '$.bucketName') = '{}'"
)
ARTICLE = {
    "10.2.1.1": _BUCKET_READ.format("example-pay-cardholder-data"),
    "10.2.1.2": "useridentity.sessioncontext.sessionissuer.username like '%root%'",
    "10.2.1.3": _BUCKET_READ.format("example-pay-cloudtrail-logs"),
    "10.2.1.4": "eventname = 'ConsoleLogin' and responseelements like '%Failure%'",
    "10.2.1.5": "eventname = 'AddUserToGroup' and requestparameters like '%Admin%'",
    "10.2.1.6": "eventname = 'StopLogging' or eventname = 'StartLogging'",
    "10.4.1-security-groups": "eventname like '%SecurityGroup%' and (eventname like 'Create%'"
    " or eventname like 'Delete%' or eventname like 'Update%' or eventname like 'Authorize%')",
    "10.4.1-network": "eventname like '%Subnet%' and eventname not like 'Describe%'",
}


def raw_bytes_of_article(on_athena: OnAthena, run_date: str) -> dict[str, int]:
    """Runs each of the article's queries on the log table for one day; the bytes that each scanned."""
    year, month, day = run_date.split("-")
    scanned = {}
    for name, where in ARTICLE.items():
        query = (
            "select eventtime, eventname, useridentity.arn, sourceipaddress, requestparameters from cloudtrail_logs"
            f" where year = '{year}' and month = '{month}' and day = '{day}' and ({where})"
        )
        scanned[name] = on_athena.service.run(query, on_athena.place).query.raw_bytes_scanned
    return scanned
