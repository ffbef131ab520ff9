"""Extension schedulers: more samplers than the core's two."""

from __future__ import annotations

from local_dream_mockserver.server.errors import APIError, Code
from local_dream_mockserver.server.extensions.extension import Extension, Fields
from local_dream_mockserver.server.spec import synonyms


class Schedulers(Extension):
    """Those of the contract's further names that the engine has; the others are refused rather than replaced. Engines
    hear of a scheduler under one name alone."""

    name = "schedulers"

    def reshaped(self, fields: Fields) -> Fields:
        known = self.engine.describe().schedulers
        fields = {**fields, "scheduler": synonyms().get(fields["scheduler"], fields["scheduler"])}
        if fields["scheduler"] not in known:
            message = f"scheduler: this engine has no {fields['scheduler']}; use one of {', '.join(known)}"
            raise APIError(400, message, code=Code.OVER_LIMIT, field="scheduler")
        return fields
