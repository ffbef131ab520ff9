from __future__ import annotations

import base64
import io

import numpy as np
import pytest
from PIL import Image

from local_dream_conformance.core.exchange import Exchange
from local_dream_conformance.report import images
from local_dream_conformance.report.images import Picture, ReportImages
from local_dream_conformance.scenarios import test_images
from tests.conformance import transcripts


def decoded(picture: Picture) -> Image.Image:
    head, _, data = picture.uri.partition(",")
    assert head in ("data:image/png;base64", "data:image/jpeg;base64")
    return Image.open(io.BytesIO(base64.b64decode(data)))


def captions(exchange: Exchange) -> list[str]:
    return [picture.caption for picture in ReportImages().of(exchange)]


def test_pictures_of_a_generation_with_previews() -> None:
    pixels = transcripts.picture(64, 32)
    fields = {**transcripts.FIELDS, "steps": 9, "width": 64, "height": 32, "show_diffusion_process": True}
    shown = ReportImages().of(transcripts.generation(pixels=pixels, fields=fields))
    assert [picture.caption.partition(",")[0] for picture in shown] == ["preview"] * images.PREVIEWS + ["picture"]
    assert [picture.caption for picture in shown[:4:3]] == ["preview, step 1, 64 × 32", "preview, step 9, 64 × 32"]  # noqa: RUF001
    assert np.array_equal(np.asarray(decoded(shown[-1])), pixels)
    assert (shown[-1].width, shown[-1].height, shown[-1].small) == (128, 64, True)


def test_input_mask_and_large_pictures_scaled_down() -> None:
    sent = base64.b64encode(test_images.png(test_images.card(512, 768))).decode()
    white = base64.b64encode(test_images.png(test_images.mask(64, 64))).decode()
    fields = {**transcripts.FIELDS, "steps": 1, "image": sent, "mask": white}
    shown = ReportImages().of(transcripts.generation(pixels=transcripts.noise(512, 512), fields=fields))
    assert [picture.caption for picture in shown] == [
        "input, 512 × 768, shown smaller",  # noqa: RUF001
        "mask, 64 × 64",  # noqa: RUF001
        "picture, 512 × 512, shown smaller",  # noqa: RUF001
    ]
    assert max(decoded(shown[0]).size) == images.SIDE
    assert (shown[0].width, shown[0].height) == (138, 208)
    assert len(shown[2].uri) < 100_000


def test_input_and_output_of_an_upscale() -> None:
    pixels = transcripts.picture(24, 16)
    shown = ReportImages().of(transcripts.upscale(pixels=pixels))
    assert [picture.caption for picture in shown] == ["input, 24 × 16", "output, 96 × 64"]  # noqa: RUF001
    assert np.array_equal(np.asarray(decoded(shown[0])), pixels)


@pytest.mark.parametrize(
    ("exchange", "words"),
    [
        (transcripts.upscale(body=b"<script>"), "output: no picture: does not begin as a JPEG"),
        (transcripts.upscale(to=transcripts.upscale_request(transcripts.picture(), X_Image_Width="١٢")), "usable size"),
        (transcripts.generation(more={"image": "!"}), "picture: no picture: not base64 at character 0"),
        (transcripts.generation(more={"width": 10**9}), "picture: no picture: a size of"),
        (transcripts.generation(more={"format": "\x1b[0m"}), r"format is '\x1b[0m'"),
        (transcripts.generation(more={"image": "a\x1b"}), r"character 1: '\\x1b'"),
    ],
)
def test_what_is_no_picture_is_a_caption_that_says_why(exchange: Exchange, words: str) -> None:
    shown = [picture for picture in ReportImages().of(exchange) if not picture.uri]
    assert len(shown) == 1
    assert words in shown[0].caption
    assert shown[0].caption.isprintable()


@pytest.mark.parametrize("body", [b"", b"[1]", b'{"image": "x", "width": {}}', b"\xff", b'{"image": 7, "mask": []}'])
def test_any_request_body_will_do(body: bytes) -> None:
    assert captions(transcripts.answer("x", 400, b"{}", to=transcripts.request(body))) == []


def test_pictures_are_left_out_when_the_room_is_full() -> None:
    exchange = transcripts.generation(pixels=transcripts.noise(96, 96))
    size = len(ReportImages().of(exchange)[0].uri)
    full = ReportImages(room=size + 10)
    first, second = full.of(exchange), full.of(exchange)
    assert first[0].uri
    assert not second[0].uri
    assert second[0].caption.endswith("left out, the report's 6 MB for pictures are full")
