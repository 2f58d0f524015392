"""Fixtures that several tests of the wrapper share."""

from __future__ import annotations

from tests.s3 import s3, s3_endpoint

__all__ = ["s3", "s3_endpoint"]
