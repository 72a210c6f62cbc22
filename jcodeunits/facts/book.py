"""What a book of facts answers from: its rows, and the questions to drugs, products and policy, read when asked."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import attrs

from .store import Store

if TYPE_CHECKING:
    from .drugs import Catalog
    from .policy import Policy
    from .products import Products


@attrs.frozen(eq=False, repr=False)
class Book:
    """Rows, and the questions to them."""

    store: Store

    @property
    def edition(self) -> str:
        """The newest edition of the code set, for example `HCPCS 2026 Q3`."""
        return self.store.edition

    @property
    def fingerprint(self) -> str:
        """SHA-256 over all facts, a site's own rows included: the same text means the same answers."""
        return self.store.fingerprint

    @property
    def folders(self) -> tuple[str, ...]:
        """The folders that the answers are read from: the package's, a refreshed one, those of a site's own rows."""
        return self.store.folders

    @cached_property
    def drugs(self) -> Catalog:
        """Codes, ingredients, brands, other names, successors."""
        from .drugs import Catalog

        return Catalog(self.store)

    @cached_property
    def products(self) -> Products:
        """Products by NDC and reviewed containers."""
        from .products import Products

        return Products(self.store)

    @cached_property
    def policy(self) -> Policy:
        """Places, procedures, payers, limits, edits, fees and their kin."""
        from .policy import Policy

        if not self.store.own:
            return Policy(self.store)
        from .site_policy import SitePolicy

        return SitePolicy(self.store)
