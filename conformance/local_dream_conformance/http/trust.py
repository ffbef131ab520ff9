"""Which certificates a target over TLS may show: one answer for every connection of a run."""

from __future__ import annotations

import os
import ssl
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path


@dataclass(frozen=True)
class Trust:
    """`cacert` is a PEM file of authorities that are trusted beside the system's, which SSL_CERT_FILE and SSL_CERT_DIR
    replace, as everywhere in OpenSSL. With `insecure` any certificate will do."""

    cacert: str | None = None
    insecure: bool = False

    @cached_property
    def context(self) -> ssl.SSLContext:
        """For every connection over TLS. Raises OSError where the file of authorities cannot be read any more."""
        made = ssl.create_default_context()
        if self.cacert is not None:
            made.load_verify_locations(self.cacert)
        if self.insecure:
            made.check_hostname = False
            made.verify_mode = ssl.CERT_NONE
        return made

    def why_not(self, words: str) -> str:
        """What is wrong with a certificate that was refused in OpenSSL's `words`, and the fix."""
        lowered = words.lower()
        if "mismatch" in lowered or "not valid for" in lowered:
            return f"its TLS certificate is for another name; give that name in the address, or --insecure ({words})"
        if "expired" in lowered or "not yet valid" in lowered:
            return f"its TLS certificate is out of date; renew it, or give --insecure ({words})"
        file = os.environ.get("SSL_CERT_FILE")
        if file and not Path(file).is_file():
            words += f"; SSL_CERT_FILE is {file!r}, where there is no file"
        return f"its TLS certificate is not trusted; give its authority with --cacert FILE, or --insecure ({words})"
