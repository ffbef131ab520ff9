"""The tokenizer and the text encoder, pre-trained to read off what a caption says.

Pre-training comes first because a denoiser learns far faster from states in which colour, kind and place are already
linearly readable than from a text encoder that has to find them through the picture loss.
"""

from __future__ import annotations

import json
from pathlib import Path

import torch
from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, trainers
from torch import nn
from transformers import CLIPTextModel, CLIPTokenizer

from local_dream_reference.synthetic_dataset.grammar import Caption, describe, foreign
from local_dream_reference.synthetic_dataset.scene import sample_scene
from local_dream_reference.training.drawings import generator
from local_dream_reference.training.labels import SAID, said_classes
from local_dream_reference.training.networks import build_text_encoder
from local_dream_reference.training.recipe import Fit, Networks
from local_dream_reference.training.run import Loop, Run, adam, load_state, set_rate

_START, _END = "<|startoftext|>", "<|endoftext|>"
_WORDS = r"<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"
_CORPUS = 30_000
_FOREIGN = 0.1  # share of the captions that say nothing


def make_tokenizer(networks: Networks, folder: Path, seed: int) -> CLIPTokenizer:
    """Train CLIP's byte-level BPE on captions and write ``vocab.json`` and ``merges.txt``, or load them if they
    exist.
    """
    vocab_path, merges_path = folder / "vocab.json", folder / "merges.txt"
    if not (vocab_path.exists() and merges_path.exists()):
        vocab, merges = _train_bpe(networks, seed)
        vocab_path.write_text(json.dumps(vocab, ensure_ascii=False))
        merges_path.write_text("#version: 0.2\n" + "\n".join(" ".join(pair) for pair in merges) + "\n")
    return load_tokenizer(folder, networks.text_length)


def load_tokenizer(folder: Path, length: int) -> CLIPTokenizer:
    """Load a tokenizer from ``vocab.json`` and ``merges.txt``; prompts are padded and cut to ``length`` tokens."""
    lines = (folder / "merges.txt").read_text().splitlines()[1:]
    merges = [tuple(line.split(" ")) for line in lines if line]
    vocab = json.loads((folder / "vocab.json").read_text())
    return CLIPTokenizer(vocab=vocab, merges=merges, model_max_length=length)


def _train_bpe(networks: Networks, seed: int) -> tuple[dict[str, int], list[tuple[str, str]]]:
    rng = generator(seed, "corpus", 0)
    corpus = (describe(sample_scene(rng), rng).text for _ in range(_CORPUS))
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE(end_of_word_suffix="</w>"))
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFC(), normalizers.Lowercase()])
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(_WORDS), behavior="removed", invert=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False),
        ]
    )
    trainer = trainers.BpeTrainer(
        vocab_size=networks.vocabulary - len(alphabet) - 2,
        initial_alphabet=alphabet,
        end_of_word_suffix="</w>",
        show_progress=False,
    )
    tokenizer.train_from_iterator(corpus, trainer)
    merges = [tuple(pair) for pair in json.loads(tokenizer.to_str())["model"]["merges"]]
    # CLIP's order: bytes, bytes that end a word, merges, the two specials. Every byte has both forms, so no word is
    # unknown.
    tokens = [*alphabet, *(letter + "</w>" for letter in alphabet), *dict.fromkeys("".join(pair) for pair in merges)]
    tokens = [*dict.fromkeys(tokens), _START, _END]
    return {token: number for number, token in enumerate(tokens)}, merges


def tokenize(tokenizer: CLIPTokenizer, texts: list[str], device: torch.device) -> torch.Tensor:
    """Return token ids (n, length), padded and cut as the pipeline does."""
    ids: torch.Tensor = tokenizer(
        texts, padding="max_length", truncation=True, max_length=tokenizer.model_max_length, return_tensors="pt"
    ).input_ids
    return ids.to(device)


class Reader(nn.Module):
    """Linear heads that read off each attribute from one text state (n, width)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.heads = nn.ModuleDict(
            {name.replace(".", "_"): nn.Linear(width, len(values)) for name, values in SAID.items()}
        )

    def forward(self, state: torch.Tensor) -> list[torch.Tensor]:
        return [head(state) for head in self.heads.values()]


def _captions(seed: int, stream: str, step: int, count: int) -> list[Caption]:
    rng = generator(seed, stream, step)
    return [foreign(rng) if rng.random() < _FOREIGN else describe(sample_scene(rng), rng) for _ in range(count)]


def _end_states(states: torch.Tensor, ids: torch.Tensor, end: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the position (n,) of each caption's end token and the state there (n, width)."""
    position = (ids == end).int().argmax(dim=1)
    return position, states[torch.arange(len(ids), device=ids.device), position]


def train_text(run: Run) -> bool:
    """Train the stage; return whether it is finished."""
    tokenizer = make_tokenizer(run.recipe.networks, run.folder("text"), run.seed)
    torch.manual_seed(run.seed)
    return _read(run, "text", run.recipe.text, tokenizer, build_text_encoder(run.recipe.networks, tokenizer))


def train_words(run: Run) -> bool:
    """Go on with the trained encoder and fresh heads, for words that the world has learned since and for those that it
    does not know; return whether the stage is finished.
    """
    tokenizer, encoder = load_text(run, "text")
    torch.manual_seed(run.seed + 4)
    return _read(run, "words", run.recipe.words, tokenizer, encoder.requires_grad_(True).train())


def _read(run: Run, stage: str, fit: Fit, tokenizer: CLIPTokenizer, encoder: CLIPTextModel) -> bool:
    """Train ``encoder`` to have each attribute of a caption readable from its states."""
    encoder = encoder.to(run.device)
    reader = Reader(run.recipe.networks.text_width).to(run.device)
    optimizer = adam(iter([*encoder.parameters(), *reader.parameters()]), decay=0.01)
    loop = Loop(run, stage, fit, {"encoder": encoder, "reader": reader, "optimizer": optimizer})
    end = int(tokenizer.eos_token_id)
    for step in loop:
        set_rate(optimizer, loop.rate())
        captions = _captions(run.seed, stage, step, fit.batch)
        ids = tokenize(tokenizer, [caption.text for caption in captions], run.device)
        wanted = torch.tensor([said_classes(caption) for caption in captions], device=run.device)
        rng = generator(run.seed, f"{stage} padding", step)
        # Attention looks back only: a cut after the longest caption changes nothing before it and saves most of the
        # work. Now and then the whole length, so that every padding position is trained as well.
        longest = int((ids == end).int().argmax(dim=1).max()) + 1
        length = ids.shape[1] if rng.random() < 0.25 else min(ids.shape[1], longest + 8)
        with run.autocast():
            states = encoder(input_ids=ids[:, :length]).last_hidden_state
        position, at_end = _end_states(states.float(), ids[:, :length], end)
        # The padding that follows is what the denoiser mostly attends to: it has to say everything, too.
        offset = torch.from_numpy(rng.integers(0, 64, len(ids))).to(run.device)
        later = (position + offset).clamp(max=length - 1)
        at_padding = states.float()[torch.arange(len(ids), device=run.device), later]
        loss = torch.zeros((), device=run.device)
        right = torch.ones_like(wanted, dtype=torch.bool)
        for state in (at_end, at_padding):
            for number, logits in enumerate(reader(state)):
                loss = loss + nn.functional.cross_entropy(logits, wanted[:, number])
                right[:, number] &= logits.argmax(dim=1) == wanted[:, number]
        optimizer.zero_grad(set_to_none=True)
        torch.autograd.backward(loss / 2)
        nn.utils.clip_grad_norm_(encoder.parameters(), 1.0)
        optimizer.step()
        if step % 20 == 0 or loop.step + 1 == fit.steps:
            loop.note(
                loss=loss.item() / 2 / len(SAID),
                right=float(right.float().mean()),
                all=float(right.all(1).float().mean()),
            )
    return loop.finished


def load_text(run: Run, stage: str | None = None) -> tuple[CLIPTokenizer, CLIPTextModel]:
    """Load what ``stage`` made, or the furthest of ``text`` and ``words`` that has run, frozen."""
    state = load_state(run, stage) if stage else load_state(run, "words") or load_state(run, "text")
    if state is None:
        raise FileNotFoundError("the text stage has not run yet in this --work folder: run it first")
    tokenizer = load_tokenizer(run.folder("text"), run.recipe.networks.text_length)
    encoder = build_text_encoder(run.recipe.networks, tokenizer)
    encoder.load_state_dict(state["encoder"])
    return tokenizer, encoder.to(run.device).eval().requires_grad_(False)
