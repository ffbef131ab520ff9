"""What somebody asked for and the catalogue does not have."""

from __future__ import annotations


class Unknown(Exception):
    """No such fault, quirk or place. The message is one line that says what there is instead."""
