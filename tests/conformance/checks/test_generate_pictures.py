from __future__ import annotations

import base64
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageFilter

from local_dream_conformance.core.exchange import Exchange
from local_dream_conformance.core.verdict import Verdict
from local_dream_conformance.evidence import selectors
from local_dream_conformance.evidence.generation import generation as stream_of
from local_dream_conformance.run import suite
from tests.conformance.in_memory_server import PICKED, PLAIN, InMemoryServer, asked, image64, mask64, run
from tests.conformance.transcripts import (
    FIELDS,
    SETTINGS,
    Pixels,
    coded,
    complete,
    generation,
    judge,
    noise,
    picture,
    progress,
    stream,
    words,
)

suite.load()
WRONG = (Verdict.FAIL, Verdict.WARN, Verdict.ERROR)
IDS = [f"GEN-PIC-{number:02}" for number in range(1, 15)]
HONEST = run()
SHOWN = {**FIELDS, "show_diffusion_process": True}
PIXELS = picture()


def base(preview: str | None = None, *, named: str | None = None, **more: Any) -> Exchange:
    """One generation whose complete (and preview) is as given."""
    extra = {} if named is None else {"format": named}
    first = progress(1, 4, preview, **extra)
    rest = [progress(step, 4) for step in range(2, 5)]
    return stream("base", [first, *rest, {**complete(PIXELS), **more}], fields=SHOWN)


@pytest.mark.parametrize("id", [id for id in IDS if id != "GEN-PIC-03"])
def test_an_honest_run_passes(id: str) -> None:
    judgement = judge(id, *HONEST.values())
    assert judgement.verdict is Verdict.PASS, words(judgement)


@pytest.mark.parametrize("format", ["raw", "png", "jpeg"])
def test_an_honest_run_with_formats_passes(format: str) -> None:
    exchanges = run(InMemoryServer(options={"format": format})).values()
    verdicts = {id: judge(id, *exchanges).verdict for id in IDS}
    assert verdicts.pop("GEN-PIC-02") is Verdict.NOT_APPLICABLE
    assert set(verdicts.values()) == {Verdict.PASS}, verdicts


def test_without_images_what_needs_one_does_not_apply() -> None:
    settings = replace(SETTINGS, img2img=False)
    exchanges = run(img2img=False).values()
    assert judge("GEN-PIC-12", *exchanges, settings=settings).verdict is Verdict.NOT_APPLICABLE
    assert judge("GEN-PIC-13", *exchanges, settings=settings).verdict is Verdict.NOT_APPLICABLE
    assert judge("GEN-PIC-07", *exchanges, settings=settings).verdict is Verdict.PASS


def wrapped(text: str) -> str:
    return "\n".join(text[start : start + 76] for start in range(0, len(text), 76))


RAW = coded(PIXELS)
URL_SAFE = base64.urlsafe_b64encode(noise().tobytes()).decode()
FLAT = np.full((64, 128, 3), 255, np.uint8)

CASES = {
    "wrapped": ("GEN-PIC-01", base(image=wrapped(RAW)), "wrapped"),
    "URL-safe": ("GEN-PIC-01", base(image=URL_SAFE), "URL-safe"),
    "data: URL": ("GEN-PIC-01", base(image="data:image/png;base64," + coded(PIXELS, "png")), "data: URL"),
    "unpadded": ("GEN-PIC-01", base(image=base64.b64encode(b"abcd").decode().rstrip("=")), "padded with 0"),
    "cut": ("GEN-PIC-01", base(image=RAW[:-3]), "without padding"),
    "empty": ("GEN-PIC-01", base(image=""), "empty"),
    "preview wrapped": ("GEN-PIC-01", base(wrapped(RAW)), "event 1"),
    "preview a number": ("GEN-PIC-01", stream("base", [progress(4, 4) | {"image": 3}, complete(PIXELS)]), "image is 3"),
    "preview as numbers": (
        "GEN-PIC-01",
        stream("base", [progress(4, 4) | {"image": {"type": "Buffer", "data": [7] * 24_576}}, complete(PIXELS)]),
        "image is an object of about 24579 values, not a string",
    ),
    "cut at a whole group": ("GEN-PIC-02", base(image=RAW[:-4]), "24573 bytes where 128x64 raw RGB has 24576"),
    "rows of the other side": (
        "GEN-PIC-02",
        base(image=coded(np.ascontiguousarray(PIXELS.transpose(1, 0, 2)))),
        "width and height are swapped in the order of the values?",
    ),
    "planes": ("GEN-PIC-02", base(image=coded(np.ascontiguousarray(PIXELS.transpose(2, 0, 1)))), "one plane after"),
    "png without format": ("GEN-PIC-02", base(image=coded(PIXELS, "png")), "it is a png"),
    "RGBA": ("GEN-PIC-02", base(image=base64.b64encode(bytes(128 * 64 * 4)).decode()), "32768 bytes"),
    "png that is jpeg": ("GEN-PIC-03", base(image=coded(PIXELS, "jpeg"), format="png"), "does not begin as a PNG"),
    "jpeg that is raw": ("GEN-PIC-03", base(format="jpeg"), "does not begin as a JPEG"),
    "unknown format": ("GEN-PIC-03", base(format="webp"), "'webp'"),
    "jpeg cut": (
        "GEN-PIC-03",
        base(image=coded(noise(), "jpeg")[:4000], format="jpeg"),
        "cannot be decoded",
    ),
    "raw that is short": ("GEN-PIC-03", base(image=RAW[:-4], format="raw"), "24573 bytes"),
    "png of another size": (
        "GEN-PIC-04",
        base(image=coded(picture(64, 128), "png"), format="png"),
        "128x64 pixels, as complete says 64x128",
    ),
    "swapped": ("GEN-PIC-05", base(width=64, height=128), "swapped"),
    "fixed size": (
        "GEN-PIC-05",
        base(image=coded(picture(256, 256)), width=256, height=256),
        "give it with --size",
    ),
    "preview short": ("GEN-PIC-06", base(RAW[:-4]), "24573 bytes"),
    "preview smaller": ("GEN-PIC-06", base(coded(picture(64, 32))), "raw RGB of 128x64 pixels"),
    "preview png without format": ("GEN-PIC-06", base(coded(PIXELS, "png")), "it is a png"),
    "preview png that is raw": ("GEN-PIC-06", base(RAW, named="png"), "does not begin as a PNG"),
    "white": ("GEN-PIC-14", base(image=coded(FLAT)), "safety filter"),
    "black": ("GEN-PIC-14", base(image=coded(FLAT * 0)), "all black"),
    "grey as jpeg": ("GEN-PIC-14", base(image=coded(FLAT // 2, "jpeg"), format="jpeg"), "about RGB 127 127 127"),
}


@pytest.mark.parametrize(("id", "exchange", "said"), CASES.values(), ids=CASES)
def test_a_broken_picture_fails_at_its_own_requirement(id: str, exchange: Exchange, said: str) -> None:
    judgements = {other: judge(other, exchange) for other in IDS}
    broken = [other for other, judgement in judgements.items() if judgement.verdict in WRONG]
    assert broken == [id], {other: words(judgements[other]) for other in broken}
    assert said in words(judgements[id])


SERVERS = {
    "whims": (InMemoryServer(whim=20), ["GEN-PIC-07"], "the seed does not settle the picture?"),
    "small whims": (InMemoryServer(whim=1), ["GEN-PIC-08"], "PSNR 4"),
    "seed ignored": (InMemoryServer(ignores=("seed",)), ["GEN-PIC-09"], "the seed is ignored"),
    "prompt ignored": (InMemoryServer(ignores=("prompt",)), ["GEN-PIC-10"], "the prompt is ignored"),
    "strength inverted": (
        InMemoryServer(inverts=("denoise_strength",)),
        ["GEN-PIC-11"],
        "the strength is inverted?",
    ),
    "strength ignored": (InMemoryServer(ignores=("denoise_strength",)), ["GEN-PIC-11"], "the strength is ignored?"),
    "mask inverted": (InMemoryServer(inverts=("mask",)), ["GEN-PIC-12", "GEN-PIC-13"], "the mask is inverted?"),
    "mask ignored": (InMemoryServer(ignores=("mask",)), ["GEN-PIC-12"], "is the mask ignored"),
    "image ignored": (
        InMemoryServer(ignores=("image",)),
        ["GEN-PIC-11", "GEN-PIC-12"],
        "the strength is ignored?",
    ),
}


@pytest.mark.parametrize(("server", "ids", "said"), SERVERS.values(), ids=SERVERS)
def test_a_server_that_ignores_or_inverts_something(server: InMemoryServer, ids: list[str], said: str) -> None:
    exchanges = run(server).values()
    judgements = {id: judge(id, *exchanges) for id in IDS}
    broken = [id for id, judgement in judgements.items() if judgement.verdict in WRONG]
    assert broken == ids, {id: words(judgements[id]) for id in broken}
    assert said in words(judgements[ids[0]])


def through_a_decoder(pixels: Pixels, seed: int) -> Pixels:
    """What the way through a model's latents does to a picture: fine detail is lost, every value is a little off."""
    blurred = np.asarray(Image.fromarray(pixels).filter(ImageFilter.GaussianBlur(2)), np.float64)
    chance = np.random.default_rng(seed)
    tint = chance.normal(0, 3, 3)
    rough = np.asarray(
        Image.fromarray(chance.integers(0, 255, (16, 32), np.uint8)).resize(pixels.shape[1::-1]), np.float64
    )
    off: Pixels = np.clip(blurred + tint + (rough[..., None] - 127) * 0.06, 0, 255).astype(np.uint8)
    return off


def test_the_bounds_leave_room_for_a_models_decoder() -> None:
    server = InMemoryServer()
    seen = {}
    for number, (label, fields) in enumerate(asked().items()):
        if fields.get("image"):
            pixels = through_a_decoder(_pixels(server.answer(label, fields)), number)
            seen[label] = generation(label, pixels, fields={"steps": 4, "seed": 1, **fields}, sent=fields)
    for id in ("GEN-PIC-11", "GEN-PIC-12", "GEN-PIC-13"):
        judgement = judge(id, base(), *seen.values())
        assert judgement.verdict is Verdict.PASS, words(judgement)


def _pixels(exchange: Exchange) -> Pixels:
    found = selectors.picture(stream_of(exchange))
    assert found is not None
    return found.pixels


@pytest.mark.parametrize("returned", ["as it was", "through a decoder"])
def test_an_inpainting_that_repaints_nothing(returned: str) -> None:
    fields = asked()["hang-up/next"]
    pixels = picture(128, 64, 99)  # as in image64
    pixels = pixels if returned == "as it was" else through_a_decoder(pixels, 1)
    exchange = generation("hang-up/next", pixels, fields={"steps": 4, "seed": 1, **fields}, sent=fields)
    assert judge("GEN-PIC-13", base(), exchange).verdict is Verdict.FAIL
    assert judge("GEN-PIC-12", base(), exchange).verdict is Verdict.PASS


class TestWithoutARepeatedRequest:
    """GEN-PIC-07 in the core profile: the runs of the scenario `defaults` stand in."""

    @staticmethod
    def judged(server: InMemoryServer, *bisected: tuple[str, ...]) -> Any:
        exchanges = run(server, without=("repeat",))
        whole = asked()["defaults/explicit"]
        bare = {**asked()["defaults/absent"], "seed": PICKED}
        for number, names in enumerate(bisected, 1):
            label = f"defaults/bisect-{number}"
            exchanges[label] = server.answer(label, bare | {name: whole[name] for name in names})
        return judge("GEN-PIC-07", *exchanges.values())

    def test_the_same_picture_from_defaults_absent_and_sent(self) -> None:
        assert self.judged(InMemoryServer()).verdict is Verdict.PASS

    def test_a_wrong_default_is_not_taken_for_a_whim(self) -> None:
        wrong = InMemoryServer(defaults={"cfg": 4.0})
        assert self.judged(wrong, ("steps", "cfg", "scheduler"), ("steps", "cfg")).verdict is Verdict.PASS

    def test_two_wrong_defaults_are_not_taken_for_whims(self) -> None:
        wrong = InMemoryServer(defaults={"cfg": 4.0, "scheduler": "euler_a"})
        assert self.judged(wrong, ("steps", "cfg"), ("steps",)).verdict is Verdict.PASS

    def test_whims_are_found(self) -> None:
        judgement = self.judged(InMemoryServer(whim=20), ("steps", "cfg", "scheduler"), ("steps", "cfg"))
        assert judgement.verdict is Verdict.FAIL
        assert judgement.findings[0].cause == "the seed does not settle the picture?"

    def test_two_runs_alone_cannot_tell_why_they_differ(self) -> None:
        judgement = self.judged(InMemoryServer(whim=20))
        assert judgement.verdict is Verdict.FAIL
        assert "or a default is another one" in words(judgement)

    def test_a_default_size_of_its_own_proves_nothing(self) -> None:
        assert self.judged(InMemoryServer(defaults={"width": 64})).verdict is Verdict.UNTESTED


def test_pictures_of_another_size_than_asked_for_are_not_compared_with_their_image() -> None:
    exchange = InMemoryServer().answer("hang-up/next", asked()["hang-up/next"] | {"width": 64})
    sideways = replace(exchange, request=HONEST["hang-up/next"].request)
    assert judge("GEN-PIC-12", HONEST["base"], sideways).reason == "GEN-PIC-05 does not hold"


def test_what_was_not_generated_is_not_judged() -> None:
    for id in ("GEN-PIC-07", "GEN-PIC-08", "GEN-PIC-09", "GEN-PIC-10", "GEN-PIC-11", "GEN-PIC-12", "GEN-PIC-13"):
        assert judge(id, base()).verdict is Verdict.UNTESTED, id
    assert judge("GEN-PIC-06", base()).verdict is Verdict.NOT_APPLICABLE


def test_a_width_alone_is_judged_too() -> None:
    fields = {"prompt": "a red house", "width": 128, "steps": 4}
    understood = {**FIELDS, "height": 512}
    assert judge("GEN-PIC-05", generation("base", fields=understood, sent=fields)).verdict is Verdict.PASS
    other = generation("base", fields={**understood, "width": 64}, sent=fields)
    judgement = judge("GEN-PIC-05", other)
    assert judgement.verdict is Verdict.FAIL
    assert "width 128, as asked for" in words(judgement)


DEFAULTS_ALIKE = (HONEST["defaults/absent"], HONEST["defaults/explicit"])


def test_previews_leave_the_picture_as_it_is() -> None:
    """Null for all that is not needed asks for no previews; where null is no default, the request without it tells."""
    sent = {**FIELDS, "show_diffusion_process": None, "cfg": None}
    shown, nulls = generation("base", fields=SHOWN), generation("nulls", sent=sent)
    assert judge("GEN-PIC-23", shown, nulls, *DEFAULTS_ALIKE).verdict is Verdict.PASS
    other = generation("nulls", PIXELS, sent=sent)
    assert judge("GEN-PIC-23", shown, other, *DEFAULTS_ALIKE).verdict is Verdict.UNTESTED
    without = generation("nulls/left-out", PIXELS)
    judgement = judge("GEN-PIC-23", shown, other, without, *DEFAULTS_ALIKE)
    assert judgement.verdict is Verdict.WARN
    assert "the picture of base, which has previews" in words(judgement)
    assert judge("GEN-PIC-07", shown, other, without, *DEFAULTS_ALIKE).verdict is Verdict.PASS
    again = generation("nulls/again", PIXELS, fields=SHOWN)
    assert judge("GEN-PIC-07", shown, other, again, *DEFAULTS_ALIKE).verdict is Verdict.FAIL


def test_a_size_that_was_not_asked_for_is_not_judged() -> None:
    for fields in ({"prompt": "a red house"}, {**FIELDS, "size": 64}):
        exchange = stream("base", [progress(4, 4), complete(PIXELS)], fields=fields)
        assert judge("GEN-PIC-05", exchange).verdict is Verdict.UNTESTED


def test_one_seed_for_two_requests_proves_nothing_of_seeds() -> None:
    server = InMemoryServer(seeds=[7])
    second = server.answer("overlap/second", {key: value for key, value in PLAIN.items() if key != "seed"})
    assert judge("GEN-PIC-09", server.answer("base", PLAIN), second).verdict is Verdict.UNTESTED


def test_an_image_of_another_size_is_compared_in_whichever_way_it_was_fitted() -> None:
    wide = {**asked()["strength/low"], "image": coded(picture(48, 16, 99), "jpeg", quality=95)}
    exchanges = [InMemoryServer().answer(label, fields) for label, fields in {**asked(), "strength/low": wide}.items()]
    assert judge("GEN-PIC-11", *exchanges).verdict is Verdict.PASS


def test_a_mask_that_leaves_nothing_to_judge() -> None:
    white = np.full((64, 128, 3), 255, np.uint8)
    fields = {**PLAIN, "image": image64(), "mask": coded(white, "png")}
    exchange = InMemoryServer().answer("hang-up/next", fields)
    judgement = judge("GEN-PIC-12", base(), exchange)
    assert judgement.verdict is Verdict.UNTESTED
    assert "nothing to judge" in judgement.reason
    assert mask64() != fields["mask"]
