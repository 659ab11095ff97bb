"""The CLIP judge's speed against what one would write first: `make bench ARGS=judge`.

Real-size ViT-B/32 with random weights (cost does not depend on the values), every contender in a
process of its own, so that inference runtimes don't fight for the cores, and in turns, so that what
else the machine does falls on all of them alike. Figures are medians; ratios are of medians.
"""

from __future__ import annotations

import importlib.util
import multiprocessing
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path

PROMPT = "a cup of coffee and a croissant on a violet table, minimalist product photo"
SIDE_PX = 512
"""Stable Diffusion 1.5's pictures."""

ROUNDS = 7
"""At most; from the third on only while an album's time, `PATIENCE_S`, lasts."""

PATIENCE_S = 30.0
ALBUMS = (1, 4, 16)

Seconds = dict[str, float]
Step = Callable[[int], Seconds]
"""Judges an album of so many pictures; returns named durations, `total` among them."""


def ours(folder: Path) -> tuple[str, Step]:
    """The shipped judge, both heads on; a new prompt each time, so that no text is remembered."""
    from pipeline.judge.clip import ClipFiles, ClipJudge
    from pipeline.judge.weights import ClipFolder

    files = ClipFiles(
        folder, (folder / "aesthetic.pth", None), (folder / "safety.pth", None), folder / "cache"
    )
    started = time.perf_counter()
    judge = ClipJudge("ViT-B/32", files)
    judge.warm_up()
    warm_s = time.perf_counter() - started
    preprocess = ClipFolder.open(folder).preprocess
    numbers = iter(range(1_000_000))

    def step(count: int) -> Seconds:
        images = _pictures(count)
        started = time.perf_counter()
        judge.score(f"{PROMPT} {next(numbers)}", images)
        total = time.perf_counter() - started
        started = time.perf_counter()
        preprocess.batch(images, 2)
        return {"total": total, "preprocess": time.perf_counter() - started}

    agreement = judge.agreement or 0
    return f"{judge.name}, cosine to fp32 {agreement:.5f}, warm in {warm_s:.1f} s", step


def one_by_one(folder: Path) -> tuple[str, Step]:
    """(a): torchmetrics' CLIPScore, then a separate aesthetic pass, a picture at a time."""
    import numpy as np
    import torch
    from torchmetrics.multimodal.clip_score import CLIPScore
    from transformers import CLIPModel, CLIPProcessor

    class Model(CLIPModel):  # type: ignore[misc]
        """torchmetrics 1.9 expects bare tensors, as transformers returned them before 5."""

        def get_image_features(self, *args: object, **kwargs: object) -> torch.Tensor:
            return super().get_image_features(*args, **kwargs).pooler_output

        def get_text_features(self, *args: object, **kwargs: object) -> torch.Tensor:
            return super().get_text_features(*args, **kwargs).pooler_output

    processor = CLIPProcessor.from_pretrained(folder)
    metric = CLIPScore(lambda: (Model.from_pretrained(folder), processor))
    aesthetic_model = Model.from_pretrained(folder).eval()
    head = _linear(folder)

    def step(count: int) -> Seconds:
        images = _pictures(count)
        started = time.perf_counter()
        with torch.no_grad():
            for image in images:
                metric.reset()
                metric.update(torch.from_numpy(np.array(image).transpose(2, 0, 1)), PROMPT)
                float(metric.compute())
            for image in images:
                pixels = processor(images=image, return_tensors="pt")
                embedding = aesthetic_model.get_image_features(**pixels)
                float(head(torch.nn.functional.normalize(embedding)))
        return {"total": time.perf_counter() - started}

    return "torchmetrics CLIPScore, then an aesthetic pass, one picture at a time, fp32", step


def batched(folder: Path) -> tuple[str, Step]:
    """(b): one batched pass of transformers, the head on its embeddings."""
    import torch
    from transformers import CLIPModel, CLIPProcessor

    processor = CLIPProcessor.from_pretrained(folder)
    model = CLIPModel.from_pretrained(folder).eval()
    head = _linear(folder)

    def step(count: int) -> Seconds:
        images = _pictures(count)
        started = time.perf_counter()
        with torch.no_grad():
            inputs = processor(text=[PROMPT], images=images, padding=True, return_tensors="pt")
            out = model(**inputs)
            (out.image_embeds @ out.text_embeds.T).tolist()
            head(out.image_embeds).tolist()
        return {"total": time.perf_counter() - started}

    return "plain transformers, one batch, fp32", step


def peak(folder: Path) -> tuple[str, Step]:
    """What the machine can do at most: GFLOP/s of a large bf16 and fp32 product."""
    import torch

    sides = {name: torch.rand(2048, 2048, dtype=getattr(torch, name)) for name in _DTYPES}

    def step(count: int) -> Seconds:
        took = {}
        for name, side in sides.items():
            started = time.perf_counter()
            torch.mm(side, side)
            took[name] = time.perf_counter() - started
        return {**took, "total": sum(took.values())}

    return "matrix product, 2048 a side", step


_DTYPES = ("bfloat16", "float32")
_CONTENDERS = {"ours": ours, "a": one_by_one, "b": batched, "peak": peak}


def measure() -> Iterator[str]:
    """Lines to print."""
    absent = [name for name in ("torch", "torchmetrics") if importlib.util.find_spec(name) is None]
    if absent:
        yield f"judge: skipped, {' and '.join(absent)} not installed: pip install -e '.[bench]'"
        return
    # Here and in the contenders: no progress bars, and no word on torchvision that is not there.
    os.environ |= {"TQDM_DISABLE": "1", "TRANSFORMERS_VERBOSITY": "error"}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _save_model(folder)
        busy = os.getloadavg()[0]
        if busy > 1:
            yield f"the machine is busy (load {busy:.1f}): these figures say little"
        with _processes(folder) as (contenders, texts):
            yield from texts
            for count in ALBUMS:
                yield _album(count, contenders)


def _album(count: int, contenders: dict[str, Connection]) -> str:
    keys = ("ours", "a", "b", "peak")
    for key in keys:  # First runs of a batch size compile and allocate.
        _ask(contenders[key], count)
    rounds: list[dict[str, Seconds]] = []
    until = time.monotonic() + PATIENCE_S
    while len(rounds) < (ROUNDS if time.monotonic() < until else 3):
        rounds.append({key: _ask(contenders[key], count) for key in keys})
    total = {key: statistics.median(r[key]["total"] for r in rounds) for key in keys}
    preprocess = statistics.median(r["ours"]["preprocess"] for r in rounds)
    peak_gflops = {t: 2 * 2048**3 / min(r["peak"][t] for r in rounds) / 1e9 for t in _DTYPES}
    share = _gflop(count) / total["ours"] / peak_gflops["bfloat16"]
    times = ", ".join(f"{key} {total[key] * 1000:.0f} ms" for key in ("ours", "a", "b"))
    return (
        f"album of {count:>2}: {times}; {count / total['ours']:.0f} pictures/s; "
        f"{total['a'] / total['ours']:.1f}x of (a), {total['b'] / total['ours']:.1f}x of (b); "
        f"{share:.0%} of the bf16 matmul peak ({peak_gflops['bfloat16']:.0f} GFLOP/s, "
        f"fp32 {peak_gflops['float32']:.0f}); preprocessing {preprocess / total['ours']:.0%}"
    )


def _gflop(count: int) -> float:
    """Multiplications and additions of what our judge computes: both towers, the last layer cut.

    A layer has 12 width^2 weights a token (4 attention, 8 MLP) and 2 * tokens * width for its
    attention; the last one computes key and value for all tokens, the rest for one.
    """

    def tower(width: int, tokens: int) -> float:
        whole = 11 * tokens * (12 * width**2 + 2 * tokens * width)
        last = tokens * 2 * width**2 + 10 * width**2 + 2 * tokens * width
        return 2 * (whole + last)

    patches = 2 * 49 * 768 * 3 * 32 * 32
    return (count * (tower(768, 50) + patches) + tower(512, 18)) / 1e9


def _pictures(count: int):  # type: ignore[no-untyped-def]
    import numpy as np
    from PIL import Image

    rng = np.random.default_rng(count)
    shape = (SIDE_PX, SIDE_PX, 3)
    return [Image.fromarray(rng.integers(0, 256, shape, dtype=np.uint8)) for _ in range(count)]


def _linear(folder: Path):  # type: ignore[no-untyped-def]
    import torch

    head = torch.nn.Linear(512, 1)
    head.load_state_dict(torch.load(folder / "aesthetic.pth", weights_only=True))
    return head


def _save_model(folder: Path) -> None:
    """ViT-B/32 in the hub's layout. Words of the prompt are one token each, as in CLIP's own."""
    import torch
    from tokenizers.pre_tokenizers import ByteLevel
    from transformers import CLIPConfig, CLIPModel, CLIPTokenizer
    from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

    torch.manual_seed(0)
    letters = sorted(ByteLevel.alphabet())
    tokens = dict.fromkeys([*letters, *(f"{letter}</w>" for letter in letters)])
    merges = []
    for word in PROMPT.replace(",", "").split():
        pieces = [*word[:-1], f"{word[-1]}</w>"]
        for end in range(2, len(pieces) + 1):
            merges.append(("".join(pieces[: end - 1]), pieces[end - 1]))
            tokens["".join(pieces[:end])] = None
    filler = 49406 - len(tokens)
    vocabulary = [*tokens, *(f"<{number}>" for number in range(filler))]
    vocabulary += ["<|startoftext|>", "<|endoftext|>"]
    CLIPTokenizer(
        vocab={token: index for index, token in enumerate(vocabulary)},
        merges=list(dict.fromkeys(merges)),
        model_max_length=77,
    ).save_pretrained(folder)
    CLIPImageProcessorPil().save_pretrained(folder)
    config = CLIPConfig(text_config={"bos_token_id": 49406, "eos_token_id": 49407})
    CLIPModel(config).save_pretrained(folder)
    torch.save({"weight": torch.randn(1, 512), "bias": torch.zeros(1)}, folder / "aesthetic.pth")
    shapes: dict[str, tuple[int, ...]] = {"norm.mean": (512,), "norm.variance": (512,)}
    for number, (inputs, outputs) in enumerate(((512, 32), (32, 32), (32, 1)), start=1):
        shapes |= {
            f"linear_{number}.weight": (outputs, inputs),
            f"linear_{number}.bias": (outputs,),
        }
    safety = {name: torch.rand(shape) + 0.1 for name, shape in shapes.items()}
    torch.save(safety, folder / "safety.pth")


@contextmanager
def _processes(folder: Path) -> Iterator[tuple[dict[str, Connection], list[str]]]:
    """Every contender, loaded one after the other, and what each calls itself."""
    context = multiprocessing.get_context("spawn")
    pipes: dict[str, Connection] = {}
    processes, texts = [], []
    for key in _CONTENDERS:
        pipes[key], theirs = context.Pipe()
        processes.append(context.Process(target=_serve, args=(key, folder, theirs)))
        processes[-1].start()
        theirs.close()
        texts.append(f"{key:>5}  {pipes[key].recv()}")
    try:
        yield pipes, texts
    finally:
        for pipe in pipes.values():
            pipe.close()
        for process in processes:
            process.join()


def _serve(key: str, folder: Path, pipe: Connection) -> None:
    text, step = _CONTENDERS[key](folder)
    pipe.send(text)
    while True:
        try:
            pipe.send(step(pipe.recv()))
        except (EOFError, BrokenPipeError):
            return


def _ask(pipe: Connection, count: int) -> Seconds:
    pipe.send(count)
    took: Seconds = pipe.recv()
    return took
