"""What every suite may use: an Athena on this machine."""

from tests.local_athena.fixture import athena_place, local_athena

__all__ = ["athena_place", "local_athena"]
