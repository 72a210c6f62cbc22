"""Millions of rows: Arrow in, Arrow out, the same answers as one call at a time."""

from __future__ import annotations

from .stream import Summary, bill_file
from .table import OPTIONAL, OUTPUTS, REQUIRED, bill

__all__ = ["OPTIONAL", "OUTPUTS", "REQUIRED", "Summary", "bill", "bill_file"]
