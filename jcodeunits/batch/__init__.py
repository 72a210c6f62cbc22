"""Millions of rows: Arrow in, Arrow out, the same answers as one call at a time."""

from __future__ import annotations

from .table import OPTIONAL, OUTPUTS, REQUIRED, bill

__all__ = ["OPTIONAL", "OUTPUTS", "REQUIRED", "bill"]
