"""Faults of the extension control: of what its API says, and of what changes what runs."""

from __future__ import annotations

from typing import Any

from local_dream_mockserver.faults.effects import responses
from local_dream_mockserver.faults.effects.declare import several, where
from local_dream_mockserver.faults.effects.requests import without
from local_dream_mockserver.faults.effects.responses import having
from local_dream_mockserver.faults.middleware import Reply
from local_dream_mockserver.server.extensions.remote_control import INFO, MODELS, SELECT, STATUS, STOP, RemoteControl


def of_models(values: dict[str, Any], **changed: object) -> dict[str, Any]:
    """The list with something else said of each model."""
    return {**values, "models": [{**model, **changed} for model in values["models"]]}


def elsewhere(reply: Reply, other: Reply) -> Reply:
    """The other answer, where it is the control API that has no such path: its errors are texts, not the envelope."""
    return other if isinstance(reply.json.get("error"), str) else reply


def is_ignored(values: dict[str, Any]) -> bool:
    """Whether it is the answer to a stop that came too late."""
    return values.get("ignored") is True


several(responses.document, on=(INFO,))(
    "control-of-another-program (EXT-CTL-01): GET /info names another program.",
    lambda values: {**values, "app": "another"},
    "control-protocol-as-text (EXT-CTL-02): The protocol of GET /info is a text.",
    lambda values: {**values, "protocol": "1"},
    "control-without-device (EXT-CTL-02): GET /info names no device.",
    lambda values: without(values, "device"),
)
several(responses.headers, everywhere=True, on=(INFO,))(
    "control-info-as-text (EXT-CTL-02): GET /info is answered as text/plain.",
    having(b"content-type", b"text/plain"),
)
several(responses.rewrite, methods=("GET",), statuses=(404,))(
    "control-knows-every-path (EXT-CTL-03): Paths that the control API does not have are answered with status 200.",
    lambda reply: elsewhere(reply, Reply.of_json(200, {"ok": True})),
    "control-refuses-in-the-envelope (EXT-CTL-03): The error of a path that is not there is an object.",
    lambda reply: elsewhere(reply, Reply.of_error(404, "not found")),
    "control-refuses-without-a-word (EXT-CTL-03): A path that is not there is answered with an empty object.",
    lambda reply: elsewhere(reply, Reply.of_json(404, {})),
)
several(responses.document, on=(MODELS,))(
    "models-by-name (EXT-CTL-04): The models are an object by their names.",
    lambda values: {**values, "models": {model["id"]: model for model in values["models"]}},
    "models-without-img2img (EXT-CTL-04): GET /models does not say whether models take images.",
    lambda values: without(values, "use_img2img"),
    "upscalers-as-paths (EXT-CTL-04): The upscalers are their paths.",
    lambda values: {**values, "upscalers": [one["path"] for one in values["upscalers"]]},
    "models-listed-twice (EXT-CTL-05): Each model is listed twice.",
    lambda values: {**values, "models": values["models"] * 2},
    "model-without-id (EXT-CTL-05): A model more is listed, without an id.",
    lambda values: {**values, "models": [*values["models"], *of_models(values, id="")["models"]]},
    "upscaler-among-models (EXT-CTL-05): Upscaling alone is listed as a model.",
    lambda values: {**values, "models": [*values["models"], *of_models(values, id="__upscaler__")["models"]]},
    "model-size-as-text (EXT-CTL-06): The generation_size of models is a text.",
    lambda values: of_models(values, generation_size="512x512"),
    "model-sizes-as-texts (EXT-CTL-06): The resolutions of models are texts.",
    lambda values: of_models(values, resolutions=["512x512"]),
    "model-defaults-as-texts (EXT-CTL-06): The steps of a model's defaults are a text.",
    lambda values: of_models(values, defaults={**values["models"][0]["defaults"], "steps": "20"}),
    "upscaler-without-path (EXT-CTL-08): An upscaler has no path.",
    lambda values: {**values, "upscalers": [without(one, "path") for one in values["upscalers"]]},
    "upscaler-with-empty-id (EXT-CTL-08): The id of an upscaler is empty.",
    lambda values: {**values, "upscalers": [{**one, "id": ""} for one in values["upscalers"]]},
    "models-in-short (EXT-CTL-07): Of a model id, name and sizes are said alone.",
    lambda values: {
        **values,
        "models": [{name: model[name] for name in ("id", "name", "resolutions")} for model in values["models"]],
    },
)
several(responses.document, on=(STATUS,))(
    "state-of-its-own (EXT-CTL-09): While a model runs the state is ready.",
    lambda values: {**values, "state": "ready"},
    "status-size-as-text (EXT-CTL-09): The width of what runs is a text.",
    lambda values: {**values, "width": str(values["width"])},
    "status-model-as-object (EXT-CTL-09): The model that runs is an object.",
    lambda values: {**values, "serving_model_id": {"id": values["serving_model_id"]}},
    "status-by-display-name (EXT-CTL-10): The model that runs is named otherwise than in GET /models.",
    lambda values: {**values, "serving_model_id": f"Model {values['serving_model_id']}"},
    "status-without-model (EXT-CTL-10): It is not said which model runs.",
    lambda values: {**values, "serving_model_id": None},
    "status-without-size (EXT-CTL-10): It is not said at which size a model runs.",
    lambda values: {**values, "width": None, "height": None},
)
several(responses.document)(
    "select-says-yes (EXT-CTL-11): POST /select is answered with ok as a text.",
    where(lambda values: {"ok": "yes"}, on=(SELECT,)),
    "late-stop-ignored-without-a-word (EXT-CTL-15): It is not said that a stop is ignored.",
    where(lambda values: {"ok": True} if is_ignored(values) else values, on=(STOP,)),
)
several(responses.rewrite, on=(SELECT,))(
    "selected-already (EXT-CTL-11): The model that runs cannot be selected.",
    where(lambda: Reply.of_json(409, {"error": "it runs already"}), statuses=(200,)),
    "unknown-model-400 (EXT-CTL-12): A model that is not there is refused with status 400.",
    where(lambda: Reply.of_json(400, {"error": "model not found"}), statuses=(404,)),
    "unknown-model-accepted (EXT-CTL-12): The selection of a model that is not there is answered as if it was.",
    where(lambda: Reply.of_json(200, {"ok": True}), statuses=(404,)),
    "unknown-model-in-the-envelope (EXT-CTL-12): A model that is not there is refused in the envelope.",
    where(lambda: Reply.of_error(404, "model not found"), statuses=(404,)),
    "selection-of-nothing-accepted (EXT-CTL-13): A selection without a model is answered as if it named one.",
    lambda: Reply.of_json(200, {"ok": True}),
    "selection-of-nothing-500 (EXT-CTL-13): A selection without a model is answered with status 500.",
    lambda: Reply.of_json(500, {"error": "no model_id"}),
)
several(responses.rewrite, on=(STOP,), statuses=(200,))(
    "late-stop-409 (EXT-CTL-14): A stop that comes too late is refused with status 409.",
    lambda reply: Reply.of_json(409, {"error": "it does not run"}) if is_ignored(reply.json) else reply,
)


def stop(control: RemoteControl, *, where: bool) -> None:
    """Stops what runs, where that is so."""
    if where:
        control.stop()


several(responses.controls, on=(SELECT,), methods=("POST",))(
    "selecting-again-stops (EXT-CTL-11): Selecting the model that runs stops it.",
    lambda control, values: stop(control, where=control.runs and values.get("model_id") == control.runs.model),
    "selecting-again-forgets-the-size (EXT-CTL-11): Whatever is selected runs at another size.",
    lambda control, values: (
        control.last and values.get("model_id") == control.last and control.select(control.last, 64, 64)
    ),
    "unknown-model-stops-what-runs (EXT-CTL-12): Selecting a model that is not there stops the one that runs.",
    lambda control, values: stop(control, where="model_id" in values and not control.has(values["model_id"])),
    "selection-of-nothing-stops-what-runs (EXT-CTL-13): A selection without a model stops the one that runs.",
    lambda control, values: stop(control, where="model_id" not in values),
)
several(responses.controls, on=(STOP,), methods=("POST",))(
    "every-stop-stops (EXT-CTL-14): Every stop stops what runs, whatever it names.",
    lambda control: control.stop(),
    "every-stop-stops-later (EXT-CTL-14): Every stop stops what runs, whatever it names, a second and a half later.",
    lambda control: control.stop(1.5),
)
