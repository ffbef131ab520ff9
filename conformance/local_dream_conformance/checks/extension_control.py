"""Checks of the group extension-control: what the control API says, and that no odd request changes what runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from local_dream_conformance.checks.assertions import expect_status
from local_dream_conformance.checks.check import check
from local_dream_conformance.core.context import Context
from local_dream_conformance.core.errors import MissingEvidence
from local_dream_conformance.core.escape import escape
from local_dream_conformance.core.exchange import Exchange
from local_dream_conformance.evidence.control import (
    RUNNING,
    STARTING,
    UPSCALER,
    ids,
    is_control,
    models,
    said,
    serving,
    state,
    upscalers,
    upscales,
)
from local_dream_conformance.evidence.control_members import (
    DEFAULTS,
    FLAG,
    MODEL,
    NULLABLE,
    TEXT,
    Fits,
    is_filled,
    is_positive,
    is_text,
)
from local_dream_conformance.evidence.selectors import outcome, value

STATUS, MODELS = "control/status", "control/models"
AFTER = tuple(f"control/after-{name}" for name in ("reselect", "unknown", "nothing", "stop"))
STATES = ("idle", STARTING, RUNNING, "error")


@check("EXT-CTL-01", needs=["control"], requires=[])
def there(context: Context) -> None:
    info = context["control/info"]
    found = is_control(info)
    shown = said(info)
    if found or info.status != 200:
        got = f"GET /info is answered with {outcome(info)}" if info.status is None or not found else ""
    else:
        got = f"GET /info is answered with status 200, {shown.problem or 'and app ' + value(shown.values.get('app'))}"
    if found:
        context.remark = got = "GET /info is answered with app 'localdream'"
    context.expect(found, expected="a control API, as --control-url says", got=got, exchange=info)


def _object(context: Context, exchange: Exchange, *, status: int = 200) -> dict[str, Any] | None:
    """The object of an answer with this status, which is expected; None where it is none."""
    found = said(exchange)
    there = exchange.status == status and not found.problem and exchange.media_type == "application/json"
    got = outcome(exchange)
    if exchange.status == status:
        got = found.problem or f"media type {escape(exchange.media_type, 60) or 'missing'}"
    expected = f"status {status}, application/json and a JSON object"
    context.expect(there, expected=expected, got=got, exchange=exchange)
    return found.values if there else None


def _expect_members(
    context: Context,
    values: Mapping[str, Any],
    wanted: Mapping[str, tuple[str, Fits]],
    exchange: Exchange,
    of: str = "",
) -> None:
    """Expects each of these members, of its type."""
    for name, (words, fits) in wanted.items():
        context.expect(
            name in values and fits(values[name]),
            expected=f"{of}{name}: {words}",
            got=value(values[name]) if name in values else f"no {name}",
            exchange=exchange,
        )


def _expect_error(context: Context, exchange: Exchange) -> None:
    """Expects an object whose `error` is a text that is not empty."""
    error = said(exchange).values.get("error")
    context.expect(
        is_filled(error),
        expected='an object {"error": "..."}',
        got=said(exchange).problem or f"error {value(error)}",
        exchange=exchange,
        cause="it is the envelope of the other operations?" if isinstance(error, dict) else "",
    )


@check("EXT-CTL-02", needs=["control"], requires=["EXT-CTL-01"])
def says_who_it_is(context: Context) -> None:
    info = context["control/info"]
    if (found := _object(context, info)) is not None:
        wanted = {"protocol": ("an integer of at least 1", is_positive), "version": TEXT, "device": TEXT}
        _expect_members(context, found, wanted, info)


@check("EXT-CTL-03", needs=["control"], requires=["EXT-CTL-01"])
def has_no_other_paths(context: Context) -> None:
    exchange = context["control/not-found"]
    if expect_status(context, exchange, 404, what="a path that is not there"):
        _expect_error(context, exchange)


@check("EXT-CTL-04", needs=["control"], requires=["EXT-CTL-01"])
def lists_what_is_there(context: Context) -> None:
    exchange = context[MODELS]
    if (found := _object(context, exchange)) is None:
        return
    objects = (
        "an array of objects",
        lambda found: isinstance(found, list) and all(isinstance(one, dict) for one in found),
    )
    _expect_members(context, found, {"use_img2img": FLAG, "models": objects, "upscalers": objects}, exchange)


def _listed(context: Context) -> list[dict[str, Any]]:
    """The models that are listed. Raises MissingEvidence, NotApplicable."""
    found = models(context[MODELS])
    if not found:
        context.not_applicable("GET /models lists no model")
    return found


@check("EXT-CTL-05", needs=["control"], requires=["EXT-CTL-04"])
def names_each_model_once(context: Context) -> None:
    seen: set[str] = set()
    for model in _listed(context):
        id = model.get("id")
        good = is_filled(id) and id != UPSCALER and id not in seen
        context.expect(
            good,
            expected=f"an id of its own, a text that is neither empty nor {UPSCALER}",
            got=("a second time " if is_text(id) and id in seen else "") + value(id),
            exchange=context[MODELS],
        )
        if good:
            seen.add(str(id))


@check("EXT-CTL-06", needs=["control"], requires=["EXT-CTL-04"])
def describes_models_in_the_right_types(context: Context) -> None:
    exchange = context[MODELS]
    for model in _listed(context):
        of = f"of the model {value(model.get('id'))}, "
        there = {name: wanted for name, wanted in MODEL.items() if name in model}
        _expect_members(context, model, there, exchange, of)
        defaults = model.get("defaults")
        if isinstance(defaults, dict):
            inner = {name: wanted for name, wanted in DEFAULTS.items() if name in defaults}
            _expect_members(context, defaults, inner, exchange, f"{of}defaults, ")
        context.expect(True, expected="members of the right types", got="", exchange=exchange)


@check("EXT-CTL-07", needs=["control"], requires=["EXT-CTL-04"])
def describes_models_in_full(context: Context) -> None:
    exchange = context[MODELS]
    for model in _listed(context):
        defaults = model.get("defaults")
        lacking = [name for name in MODEL if name not in model]
        if isinstance(defaults, dict):
            lacking += [f"defaults.{name}" for name in DEFAULTS if name not in defaults]
        context.expect(
            not lacking,
            expected=f"all members of ControlModel of the model {value(model.get('id'))}",
            got=f"no {', '.join(lacking)}",
            exchange=exchange,
        )


@check("EXT-CTL-08", needs=["control"], requires=["EXT-CTL-04"])
def says_what_enlarges(context: Context) -> None:
    exchange = context[MODELS]
    found = upscalers(exchange)
    if not found:
        context.not_applicable("GET /models lists no upscaler")
    filled = ("a text that is not empty", is_filled)
    for upscaler in found:
        _expect_members(context, upscaler, {"id": filled, "path": filled}, exchange, "of an upscaler, ")


@check("EXT-CTL-09", needs=["control"], requires=["EXT-CTL-01"])
def says_what_runs(context: Context) -> None:
    for label in (STATUS, *(label for label in AFTER if label in context.exchanges)):
        status = context[label]
        if (found := _object(context, status)) is None:
            continue
        kinds = (", ".join(STATES), lambda one: isinstance(one, str) and one in STATES)
        _expect_members(context, found, {"state": kinds}, status)
        _expect_members(context, found, {name: one for name, one in NULLABLE.items() if name in found}, status)


@check("EXT-CTL-10", needs=["control"], requires=["EXT-CTL-05", "EXT-CTL-09"])
def says_which_model_runs(context: Context) -> None:
    status = context[STATUS]
    if state(status) != RUNNING:
        raise MissingEvidence(f"nothing runs: the state is {value(state(status))}; select a model before")
    runs = serving(status)
    known = ids(context[MODELS])
    context.expect(
        upscales(status) or (runs is not None and runs.model in known),
        expected=f"the id of a model of GET /models, or {UPSCALER}, and of a model the integers width and height",
        got=_members(status, "serving_model_id", "width", "height"),
        exchange=status,
    )


def _members(exchange: Exchange, *names: str) -> str:
    values = said(exchange).values
    return ", ".join(f"{name} {value(values[name]) if name in values else 'missing'}" for name in names)


def _expect_it_goes_on(context: Context, asked: str, then: str, after: str) -> None:
    """Expects that GET /status (`then`) says, at last, what it said before the request `asked`.

    Raises MissingEvidence where that is still open.
    """
    ran, status = serving(context[STATUS]), context[then]
    if serving(status) != ran and state(status) == STARTING:
        raise MissingEvidence(f"after {after} a model was still being started when the suite stopped waiting")
    context.expect(
        serving(status) == ran,
        expected=f"after {after}: running, {ran}",
        got=_members(status, "state", "serving_model_id", "width", "height") if state(status) else outcome(status),
        exchange=context[asked],
        at=f"as {then} says",
    )


def _expect_ok(context: Context, exchange: Exchange) -> None:
    found = _object(context, exchange)
    if found is not None:
        _expect_members(context, found, {"ok": ("true", lambda one: one is True)}, exchange)


@check("EXT-CTL-11", needs=["control"], requires=["EXT-CTL-10"])
def selects_what_runs(context: Context) -> None:
    _expect_ok(context, context["control/reselect"])
    _expect_it_goes_on(context, "control/reselect", "control/after-reselect", "the model that runs was selected")


@check("EXT-CTL-12", needs=["control"], requires=["EXT-CTL-10"])
def selects_nothing_that_is_not_there(context: Context) -> None:
    exchange = context["control/unknown"]
    if expect_status(context, exchange, 404, what="a model_id that is not there"):
        _expect_error(context, exchange)
    _expect_it_goes_on(context, "control/unknown", "control/after-unknown", "a model was selected that is not there")


@check("EXT-CTL-13", needs=["control"], requires=["EXT-CTL-10"])
def selects_nothing_without_an_id(context: Context) -> None:
    for label, what in (("control/nothing", "no model_id"), ("control/not-json", "a body that is not JSON")):
        expect_status(context, context[label], 400, 404, what=what)
    _expect_it_goes_on(context, "control/nothing", "control/after-nothing", "a selection without a model_id")


@check("EXT-CTL-14", needs=["control"], requires=["EXT-CTL-10"])
def ignores_a_stop_that_comes_too_late(context: Context) -> None:
    _expect_ok(context, context["control/stale-stop"])
    _expect_it_goes_on(context, "control/stale-stop", "control/after-stop", "something was stopped that does not run")


@check("EXT-CTL-15", needs=["control"], requires=["EXT-CTL-14"])
def says_that_it_ignored_it(context: Context) -> None:
    exchange = context["control/stale-stop"]
    ignored = said(exchange).values.get("ignored")
    context.expect(ignored is True, expected="ignored true", got=f"ignored {value(ignored)}", exchange=exchange)
