"""Training at toy size: every stage runs, resumes exactly, and exports what the engine loads."""

from __future__ import annotations

import json
import shutil
import signal
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner
from safetensors.torch import load_file

from local_dream_reference.training import vae as vae_stage
from local_dream_reference.training.begin import begin
from local_dream_reference.training.command import main, stages
from local_dream_reference.training.ema import Average
from local_dream_reference.training.export import export, record
from local_dream_reference.training.recipe import CPU, GPU, TOY, Fit, Recipe, Resolution
from local_dream_reference.training.run import Loop, Run, learning_rate, load_state
from local_dream_reference.training.text import load_text, tokenize
from local_dream_reference.training.unet import batch_size, load_unet, turn
from local_dream_reference.training.vae import GateNotPassed, require_gate

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")


@dataclass(frozen=True, slots=True)
class Interrupted(Run):
    """A run whose time is over after a number of looks at the clock."""

    looks: list[int] = field(default_factory=lambda: [1])

    def out_of_time(self) -> bool:
        self.looks[0] -= 1
        return self.looks[0] < 0


def a_run(work: Path, recipe: Recipe = TOY, *, interrupted_after: int | None = None) -> Run:
    shared = (recipe, work, torch.device("cpu"), 1, 0, None, 1e9)
    return Run(*shared) if interrupted_after is None else Interrupted(*shared, looks=[interrupted_after])


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def weights(run: Run, stage: str) -> dict[str, torch.Tensor]:
    state = load_state(run, stage)
    assert state is not None
    flat = {}
    for name in ("judge", "encoder", "vae", "decoder", "unet"):
        flat.update({f"{name}.{key}": value for key, value in state.get(name, {}).items()})
    if "average" in state:
        flat.update({f"average.{key}": value for key, value in state["average"]["average"].items()})
    assert flat
    return flat


@pytest.mark.parametrize("stage", list(stages(TOY)))
def test_a_resumed_stage_ends_where_an_uninterrupted_one_does(stage: str, trained: Path, tmp_path: Path) -> None:
    work = tmp_path / "work"
    shutil.copytree(trained, work)
    shutil.rmtree(work / stage)
    assert not stages(TOY)[stage](a_run(work, interrupted_after=1))
    state = load_state(a_run(work), stage)
    assert state is not None
    assert state["step"] == 1
    assert stages(TOY)[stage](a_run(work))
    expected, resumed = weights(a_run(trained), stage), weights(a_run(work), stage)
    assert expected.keys() == resumed.keys()
    for name, value in expected.items():
        assert torch.equal(value, resumed[name]), name


def test_training_moves_every_network(trained: Path) -> None:
    from local_dream_reference.training.networks import build_unet

    torch.manual_seed(4)
    fresh = build_unet(TOY.networks, crossed=1).state_dict()
    moved = weights(a_run(trained), "unet32")
    assert moved["unet.conv_out.weight"].abs().max() > 0
    assert fresh["conv_out.weight"].abs().max() == 0


def test_attention_that_a_stage_adds_begins_without_effect(trained: Path) -> None:
    from local_dream_reference.training.networks import adopt, build_unet

    small = build_unet(TOY.networks, crossed=1).eval()
    small.load_state_dict(load_state(a_run(trained), "unet32")["average"]["average"])  # type: ignore[index]
    torch.nn.init.normal_(small.conv_out.weight)  # toy steps leave next to nothing to compare
    grown = build_unet(TOY.networks, crossed=2).eval()
    adopt(grown, small.state_dict())
    assert len(grown.state_dict()) > len(small.state_dict())
    asked = torch.randn(2, 4, 8, 8), torch.tensor([10, 900]), torch.randn(2, 77, TOY.networks.text_width)
    with torch.no_grad():
        assert torch.equal(small(*asked).sample, grown(*asked).sample)


def test_weights_of_another_network_are_not_adopted() -> None:
    from local_dream_reference.training.networks import adopt, build_unet

    with pytest.raises(ValueError, match="unknown"):
        adopt(build_unet(TOY.networks, crossed=1), build_unet(TOY.networks, crossed=2).state_dict())


def test_each_resolution_starts_from_the_one_before(trained: Path, tmp_path: Path) -> None:
    shutil.copytree(trained, tmp_path / "work")
    shutil.rmtree(tmp_path / "work" / "unet64")
    stages(TOY)["unet64"](a_run(tmp_path / "work", interrupted_after=0))
    # Nothing was trained and nothing saved: the weights of the former stage are not overwritten by none.
    assert load_state(a_run(tmp_path / "work"), "unet64") is None


def test_a_stage_without_its_forerunner_says_so(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["unet32", "--work", str(tmp_path), "--recipe", "toy", "--device", "cpu"])
    assert result.exit_code == 1
    assert "the vae stage has not finished yet" in result.output


def test_an_unknown_stage_is_named_with_those_there_are(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["unet99", "--work", str(tmp_path), "--recipe", "toy"])
    assert result.exit_code == 2
    assert "unet99" in result.output
    assert "unet32" in result.output


def test_a_weak_autoencoder_stops_the_denoiser(trained: Path, tmp_path: Path) -> None:
    shutil.copytree(trained, tmp_path / "work")
    run = a_run(tmp_path / "work", replace(TOY, vae_gate=0.9))
    (run.folder("vae") / "gate.json").write_text(json.dumps({"kind": 0.95, "colour": 0.85}))
    with pytest.raises(GateNotPassed, match=r"colour survives in 85\.0%"):
        require_gate(run)
    (run.folder("vae") / "gate.json").write_text(json.dumps({"kind": 0.95, "colour": 0.91}))
    require_gate(run)


def test_the_gate_is_measured_on_reconstructions(trained: Path) -> None:
    table = json.loads((trained / "vae" / "gate.json").read_text())
    assert {"kind", "colour", "size", "time", "all", "psnr"} <= table.keys()
    assert (trained / "vae" / "reconstructions.png").exists()
    assert vae_stage.load_vae(a_run(trained)).config.latent_channels == 4


def test_the_decoder_stage_leaves_the_encoder_alone(trained: Path) -> None:
    run = a_run(trained)
    plain = vae_stage.load_vae(run, refined=False).state_dict()
    refined = vae_stage.load_vae(run).state_dict()
    changed = {name.partition(".")[0] for name, value in plain.items() if not torch.equal(refined[name], value)}
    assert changed == {"decoder"}


def test_the_export_is_what_other_tools_read(trained: Path, tmp_path: Path) -> None:
    from diffusers import StableDiffusionPipeline

    target = tmp_path / "model"
    arguments = ["export", "--work", str(trained), "--recipe", "toy", "--device", "cpu", "--to", str(target)]
    for _ in range(2):  # the second time over the first
        result = CliRunner().invoke(main, arguments)
        assert result.exit_code == 0, result.output
    text = load_file(target / "text_encoder" / "model.safetensors")
    assert all(key.startswith("text_model.") for key in text)
    for part in ("unet", "vae", "text_encoder"):
        for path in (target / part).glob("*.safetensors"):
            assert {value.dtype for value in load_file(path).values()} <= {torch.float16, torch.int64}
    for name in ("vocab.json", "merges.txt", "tokenizer_config.json"):
        assert (target / "tokenizer" / name).is_file()
    for path in target.rglob("*.json"):
        json.loads(path.read_text(), parse_constant=lambda word: pytest.fail(f"{word} is no JSON"))
    pipeline = StableDiffusionPipeline.from_pretrained(target, dtype=torch.float32)
    assert pipeline.tokenizer.model_max_length == pipeline.text_encoder.config.max_position_embeddings == 77
    assert pipeline.scheduler.config.prediction_type == "v_prediction"
    assert pipeline.scheduler.config.rescale_betas_zero_snr
    record = json.loads((target / "training.json").read_text())
    assert list(record["stages"]) == list(stages(TOY))
    assert record["stages"]["unet64"]["steps"] == 2
    card = (target / "README.md").read_text()
    assert "| unet64 | 2 of 2 |" in card


def test_the_exported_text_encoder_is_the_trained_one(trained: Path, tmp_path: Path) -> None:
    from transformers import CLIPTextModel, CLIPTokenizer

    target = tmp_path / "model"
    CliRunner().invoke(
        main, ["export", "--work", str(trained), "--recipe", "toy", "--device", "cpu", "--to", str(target)]
    )
    tokenizer, encoder = load_text(a_run(trained))
    text = ["A red house, by the sea; ünïcode 42"]
    ids = tokenize(tokenizer, text, torch.device("cpu"))
    again = CLIPTokenizer.from_pretrained(target / "tokenizer")
    assert torch.equal(tokenize(again, text, torch.device("cpu")), ids)
    loaded = CLIPTextModel.from_pretrained(target / "text_encoder", dtype=torch.float32)
    assert torch.allclose(loaded(input_ids=ids).last_hidden_state, encoder(input_ids=ids).last_hidden_state, atol=0.05)


def test_no_word_is_unknown_to_the_tokenizer(trained: Path) -> None:
    tokenizer, _ = load_text(a_run(trained))
    for text in ("zebra", "ünï", "🏠", "a,b.c"):
        ids = tokenizer(text, add_special_tokens=False).input_ids
        assert ids
        assert tokenizer.eos_token_id not in ids
        assert tokenizer.decode(ids).replace(" ", "") == text


def test_sigterm_saves_and_stops(tmp_path: Path) -> None:
    model = torch.nn.Linear(2, 2)
    run = a_run(tmp_path)
    loop = Loop(run, "probe", Fit(steps=10, batch=1, rate=1e-3), {"model": model})

    def train() -> None:
        for step in loop:
            if step == 3:
                signal.raise_signal(signal.SIGTERM)

    with pytest.raises(KeyboardInterrupt):
        train()
    state = load_state(run, "probe")
    assert state is not None
    assert state["step"] == 4
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


def test_checkpoints_are_written_on_the_way(tmp_path: Path) -> None:
    run = replace(a_run(tmp_path), save_seconds=0.0)
    loop = Loop(run, "probe", Fit(steps=3, batch=1, rate=1e-3), {"model": torch.nn.Linear(2, 2)})
    seen = []
    for step in loop:
        state = load_state(run, "probe")
        seen.append((step, None if state is None else state["step"]))
    assert seen == [(0, None), (1, 1), (2, 2)]


def test_a_next_edition_begins_with_what_ships(trained: Path, tmp_path: Path) -> None:
    model, work = tmp_path / "model", tmp_path / "work"
    export(a_run(trained), model)
    begin(a_run(work), model)
    for stage in ("judge", "vae", "decoder"):
        before, after = weights(a_run(trained), stage), weights(a_run(work), stage)
        for name, value in after.items():
            expected = before[name] if stage != "vae" else vae_stage.load_vae(a_run(trained)).state_dict()[name[4:]]
            assert torch.allclose(value, expected, atol=2e-3), name
    assert record(a_run(work)) == record(a_run(trained))
    _, stage = load_unet(a_run(work))
    assert stage == "unet64"
    encoder = load_text(a_run(work), "words")[1].state_dict()  # what a further stage of the denoiser reads
    expected = load_text(a_run(trained), "words")[1].state_dict()
    assert all(torch.allclose(value, expected[name], atol=2e-3) for name, value in encoder.items())
    with pytest.raises(FileExistsError, match="begin in an empty folder"):
        begin(a_run(work), model)


@pytest.mark.parametrize("stage", ["unet64", "decoder"])
def test_a_stage_that_ships_goes_on_with_more_steps(stage: str, trained: Path, tmp_path: Path) -> None:
    model, work = tmp_path / "model", tmp_path / "work"
    export(a_run(trained), model)
    begin(a_run(work), model)
    before = weights(a_run(work), stage)
    longer = replace(
        TOY,
        decoder=replace(TOY.decoder, steps=TOY.decoder.steps + 2),
        unet=tuple(replace(one, fit=replace(one.fit, steps=one.fit.steps + 2)) for one in TOY.unet),
    )
    assert stages(longer)[stage](a_run(work, longer))
    after = weights(a_run(work), stage)
    assert any(not torch.equal(value, after[name]) for name, value in before.items())
    assert all(torch.allclose(value, after[name], atol=0.2) for name, value in before.items()), "begun anew"


def test_sizes_take_turns_and_weigh_alike() -> None:
    stage = Resolution("probe", ((64, 64), (64, 32), (64, 64)), Fit(steps=9, batch=4, rate=1e-3), window=8)
    assert [turn(stage, step) for step in range(6)] == [
        ((64, 64), 0), ((64, 32), 0), ((64, 64), 1), ((64, 64), 2), ((64, 32), 1), ((64, 64), 3),
    ]  # fmt: skip
    assert batch_size(stage, (64, 64)) == 4
    assert batch_size(stage, (64, 32)) == 8


def test_the_rate_rises_and_falls() -> None:
    fit = Fit(steps=1000, batch=1, rate=1.0, warmup=100)
    rates = [learning_rate(fit, step) for step in range(1000)]
    assert rates[0] == 0.01
    assert max(rates) == pytest.approx(1.0)
    assert rates[99:] == sorted(rates[99:], reverse=True)
    assert rates[-1] == pytest.approx(0.05, abs=0.01)


def test_the_average_follows_the_weights() -> None:
    model = torch.nn.Linear(1, 1, bias=False)
    average = Average(model, 0.9)
    with torch.no_grad():
        model.weight.fill_(5.0)
    for _ in range(200):
        average.update(model)
    shown = torch.nn.Linear(1, 1, bias=False)
    average.copy_to(shown)
    assert shown.weight.item() == pytest.approx(5.0, abs=1e-3)


def test_cpu_and_gpu_share_their_checkpoints() -> None:
    assert CPU.networks == GPU.networks
    assert list(stages(CPU)) == list(stages(GPU))
    assert [stage.sizes for stage in CPU.unet] == [stage.sizes for stage in GPU.unet]
