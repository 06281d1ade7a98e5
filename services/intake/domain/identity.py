"""What says who a client is: it is sealed, column by column, and never leaves intake."""

from typing import Final

SEALED: Final = (
    "name",
    "birth_date",
    "contact",
    "self_description",
    "guardian",
    "referrer",
    "primary_care",
    "words",
    "unknown_terms",
    "not_understood",
)
"""The columns of identity, each sealed by itself."""
