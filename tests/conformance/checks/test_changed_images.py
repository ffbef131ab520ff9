"""An image that a server reads, or answers, as something else: that is what is said of it, and nothing beside."""

from __future__ import annotations

from dataclasses import replace

import pytest

from local_dream_conformance.core.verdict import Verdict
from local_dream_conformance.evidence import selectors
from local_dream_conformance.evidence.generation import generation as stream_of
from local_dream_conformance.evidence.image_compare import as_changed
from local_dream_conformance.run import suite
from local_dream_conformance.scenarios.requests import card64
from tests.conformance.in_memory_server import MISREAD, PLAIN, InMemoryServer, mask64, run
from tests.conformance.transcripts import judge

suite.load()
IMAGE = {**PLAIN, "image": card64(128, 64)}


@pytest.mark.parametrize("how", [how for how in MISREAD if how])
@pytest.mark.parametrize("inpaints", [False, True])
def test_an_image_that_is_misread_is_called_that(how: str, inpaints: bool) -> None:
    """A server that reads the image in its request as something else ignores neither the strength nor the mask."""
    sent = {**IMAGE, "mask": mask64(), "denoise_strength": 0.9} if inpaints else {**IMAGE, "denoise_strength": 0.1}
    for misreads, said in ((how, how), ("", "")):
        answered = stream_of(InMemoryServer(misreads=misreads).answer("strength/low", sent))
        shown = selectors.picture(answered)
        assert shown is not None
        found = as_changed(answered, shown)
        assert said in found
        assert found.endswith("?" if said else "")
        assert bool(found) is bool(said)


def test_an_inverted_mask_is_one_finding_and_says_nothing_of_the_strength() -> None:
    inverted = run(InMemoryServer(inverts=("mask",)))
    exchanges = (run()["base"], run()["strength/low"], inverted["hang-up/next"])
    strength, white = (judge(id, *exchanges) for id in ("GEN-PIC-11", "GEN-PIC-13"))
    assert (strength.verdict, strength.findings) == (Verdict.UNTESTED, ())
    assert [finding.cause for finding in white.findings] == [
        "the mask is inverted? White must be repainted, black kept"
    ]


@pytest.mark.parametrize("how", [how for how in MISREAD if how not in ("", "cropped", "turned by 90 degrees")])
def test_an_answer_that_is_changed_as_a_whole_is_called_that(how: str) -> None:
    """What was repainted is changed with the rest: the mask is followed."""
    answered = stream_of(InMemoryServer().answer("hang-up/next", {**IMAGE, "mask": mask64(), "denoise_strength": 1}))
    shown = selectors.picture(answered)
    assert shown is not None
    assert how in as_changed(answered, replace(shown, pixels=MISREAD[how](shown.pixels)))
    assert as_changed(answered, shown) == ""


def test_what_is_said_of_an_image_in_bgr() -> None:
    exchanges = run(InMemoryServer(misreads="BGR")).values()
    causes = [finding.cause for id in ("GEN-PIC-11", "GEN-PIC-12") for finding in judge(id, *exchanges).findings]
    assert causes
    assert set(causes) == {"the image looks like BGR: red and blue are swapped?"}
