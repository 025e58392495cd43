"""What a model computes between its matrix products, each in one pass: norm, rotation, gate.

On a CPU in bfloat16 they are C (`kernels.c`), compiled when first used and kept in the home; without a compiler, and
for other types and devices, the same in torch. It knows no model. Sums are float32. `decode.c`, which `one_row`
calls, is compiled with them.
"""

import contextlib
import ctypes
import hashlib
import logging
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

_log = logging.getLogger(__name__)
_FLAGS = (
    "-O3", "-march=native", "-shared", "-fPIC", "-fno-math-errno", "-fno-trapping-math",
    "-fno-signed-zeros", "-fassociative-math", "-freciprocal-math",
)  # fmt: skip
_ROWS = 256  # of logits that are float32 at a time
_SOURCES = ("kernels.c", "decode.c")
_THREADS = ("-fopenmp",) if sys.platform == "linux" else ()  # torch's own threads: it has the library loaded
_kept_in: Path | None = None


def keep_in(folder: Path) -> None:
    """Keep what is compiled in this folder, for other processes of this machine; no effect once it is compiled."""
    global _kept_in
    _kept_in = folder


@cache
def compiled() -> Any:
    """The C functions, or None where no compiler makes them."""
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        return None
    kept = _kept_in and _kept_in / f"kernels-{_key(compiler)}.so"
    if kept and _is_ours(kept):
        with contextlib.suppress(OSError):  # cut short, or of another system: made anew
            return ctypes.CDLL(str(kept))
    with tempfile.TemporaryDirectory(prefix="imprint-", ignore_cleanup_errors=True) as folder:
        library = Path(folder) / "kernels.so"
        sources = [str(Path(__file__).with_name(name)) for name in _SOURCES]
        command = [compiler, *_FLAGS, *_THREADS, *sources, "-lm"]
        try:
            subprocess.run([*command, "-o", str(library)], check=True, capture_output=True, timeout=60)
            functions = ctypes.CDLL(str(library))
        except (OSError, subprocess.SubprocessError) as error:
            _log.info("Computing without compiled passes, which is slower: %s", error)
            return None
        if kept:
            _keep(library, kept)
        return functions


def _key(compiler: str) -> str:
    """What decides the compiled code: sources, flags, the compiler and the processor."""
    known = [" ".join(_FLAGS), compiler, str(Path(compiler).stat().st_mtime_ns), platform.machine()]
    with contextlib.suppress(OSError):
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
        known += sorted({line for line in lines if line.startswith(("flags", "Features", "model name"))})
    parts = [Path(__file__).with_name(name).read_bytes() for name in (*_SOURCES, "bf16.h")]
    return hashlib.sha256(b"\0".join([*parts, *map(str.encode, known)])).hexdigest()[:20]


def _is_ours(kept: Path) -> bool:
    """Whether it is there, and nobody else can have written it: it is run."""
    if not kept.is_file():
        return False
    known = kept.stat()
    return not hasattr(os, "getuid") or (known.st_uid == os.getuid() and not known.st_mode & 0o022)


def _keep(library: Path, kept: Path) -> None:
    """Put it there by rename; a full disk costs the next process a compilation."""
    own = kept.with_name(f".{kept.name}-{os.getpid()}.tmp")
    try:
        kept.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(library, own)
        own.chmod(0o600)
        own.replace(kept)
    except OSError as error:
        with contextlib.suppress(OSError):
            own.unlink(missing_ok=True)
        _log.info("The compiled passes are not kept: %s", error)


def _native(x: Tensor) -> bool:
    return x.dtype is torch.bfloat16 and x.device.type == "cpu" and compiled() is not None


def _call(name: str, *values: Tensor | int | float | None) -> None:
    """Tensors go as their addresses: they are contiguous and live at least until the call returns."""
    getattr(compiled(), name)(*(_argument(value) for value in values))


def _argument(value: Tensor | int | float | None) -> Any:
    if value is None:
        return ctypes.c_void_p(None)
    if isinstance(value, Tensor):
        return ctypes.c_void_p(value.data_ptr())
    return ctypes.c_float(value) if isinstance(value, float) else ctypes.c_int64(value)


# -------------------------------------------------------------------- norm


class _AddNorm(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, x: Tensor, change: Tensor | None, weight: Tensor, epsilon: float
    ) -> tuple[Tensor, Tensor]:
        x, change = x.contiguous(), None if change is None else change.contiguous()
        total = x if change is None else torch.empty_like(x)
        normed, inverse = torch.empty_like(x), x.new_empty(x[..., 0].shape, dtype=torch.float32)
        width = x.shape[-1]
        _call("add_norm", x, change, weight, total, normed, inverse, x.numel() // width, width, epsilon)
        ctx.save_for_backward(total, weight, inverse)
        ctx.both = change is not None
        ctx.set_materialize_grads(False)
        return (x.view_as(x) if change is None else total), normed

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, of_total: Tensor | None, of_normed: Tensor | None) -> tuple[Tensor | None, ...]:
        total, weight, inverse = ctx.saved_tensors
        if of_normed is None:
            return of_total, of_total if ctx.both else None, None, None
        of_normed = of_normed.contiguous()
        of_total = None if of_total is None else of_total.contiguous()
        width, result = total.shape[-1], torch.empty_like(total)
        rows = total.numel() // width
        _call("add_norm_backward", of_normed, of_total, total, weight, inverse, result, rows, width)
        of_weight = None
        if ctx.needs_input_grad[2]:
            unit = (total.float() * inverse[..., None]).to(total.dtype)
            of_weight = (of_normed.float() * unit.float()).view(-1, width).sum(0).to(weight.dtype)
        return result, result if ctx.both else None, of_weight, None


def add_norm(x: Tensor, change: Tensor | None, weight: Tensor, epsilon: float) -> tuple[Tensor, Tensor]:
    """x + change, and its root mean square norm (arXiv 1910.07467), over the last dimension."""
    if _native(x):
        pair: tuple[Tensor, Tensor] = _AddNorm.apply(x, change, weight, epsilon)
        return pair
    total = x if change is None else x + change
    exact = total.float()
    unit = exact * torch.rsqrt(exact.pow(2).mean(-1, keepdim=True) + epsilon)
    return total, weight * unit.to(x.dtype)


# -------------------------------------------------------------------- rotation


class _Rotate(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, q: Tensor, k: Tensor, v: Tensor, cosine: Tensor, sine: Tensor) -> Tensor:
        q, k, v, size = q.contiguous(), k.contiguous(), v.contiguous(), cosine.shape[-1]
        heads, kv_heads = q.shape[1] // size, k.shape[1] // size
        joined = q.new_empty(len(q), heads + 2 * kv_heads, size)
        _call("rotate", q, k, v, cosine, sine, joined, len(q), heads, kv_heads, size)
        ctx.save_for_backward(cosine, sine)
        ctx.heads, ctx.kv_heads = heads, kv_heads
        return joined

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        cosine, sine = ctx.saved_tensors
        rows, size = cosine.shape
        q = gradient.new_empty(rows, ctx.heads * size)
        k, v = (gradient.new_empty(rows, ctx.kv_heads * size) for _ in range(2))
        places = (rows, ctx.heads, ctx.kv_heads, size)
        _call("rotate_backward", gradient.contiguous(), cosine, sine, q, k, v, *places)
        return q, k, v, None, None


def rotate(q: Tensor, k: Tensor, v: Tensor, cosine: Tensor, sine: Tensor) -> Tensor:
    """(rows, heads + 2 × key/value heads, size): queries and keys at their positions, and values.

    The rotation is that of arXiv 2104.09864. q, k and v are (rows, heads × size); cosine and sine are
    (rows, size), both halves alike.
    """
    if _native(q):
        joined: Tensor = _Rotate.apply(q, k, v, cosine, sine)
        return joined
    size = cosine.shape[-1]
    placed = torch.cat([q, k], dim=1).view(len(q), -1, size)
    first, second = placed.chunk(2, dim=-1)
    turned = placed * cosine[:, None] + torch.cat([-second, first], dim=-1) * sine[:, None]
    return torch.cat([turned, v.view(len(q), -1, size)], dim=1)


# -------------------------------------------------------------------- gate


class _Gated(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, gate: Tensor, other: Tensor) -> Tensor:
        gate, other = gate.contiguous(), other.contiguous()
        result = torch.empty_like(gate)
        _call("gated", gate, other, result, gate.numel())
        ctx.save_for_backward(gate, other)
        return result

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor]:
        gate, other = ctx.saved_tensors
        of_gate, of_other = torch.empty_like(gate), torch.empty_like(gate)
        _call("gated_backward", gradient.contiguous(), gate, other, of_gate, of_other, gate.numel())
        return of_gate, of_other


def gated(gate: Tensor, other: Tensor) -> Tensor:
    """silu(gate) × other (arXiv 2002.05202)."""
    if _native(gate):
        result: Tensor = _Gated.apply(gate, other)
        return result
    return nn.functional.silu(gate) * other


# -------------------------------------------------------------------- attention


def attention_backward(
    scores: Tensor, of_weights: Tensor, sums: Tensor, delta: Tensor, scale: float, dtype: torch.dtype
) -> tuple[Tensor, Tensor]:
    """The weights that softmax makes of causal scores (heads, rows, columns), and the scores' gradient.

    `sums` (heads, rows) are the log of each row's sum of exponentials, `delta` the products of the output
    and its gradient (arXiv 2205.14135); all are float32.
    """
    if dtype is torch.bfloat16 and scores.device.type == "cpu" and compiled() is not None:
        weights, of_scores = (torch.empty_like(scores, dtype=dtype) for _ in range(2))
        given = (scores, of_weights, sums.contiguous(), delta.contiguous(), weights, of_scores)
        _call("attention_backward", *given, *scores.shape, scale)
        return weights, of_scores
    exact = torch.exp(scale * scores - sums[..., None]).tril(scores.shape[2] - scores.shape[1])
    return exact.to(dtype), (scale * exact * (of_weights - delta[..., None])).to(dtype)


# -------------------------------------------------------------------- loss


class _LogProbs(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, logits: Tensor, tokens: Tensor) -> Tensor:
        logits = logits.contiguous()
        if _native(logits):
            sums = logits.new_empty(len(logits), dtype=torch.float32)
            _call("log_sums", logits, sums, *logits.shape)
        else:
            sums = torch.cat([part.float().logsumexp(-1) for part in logits.split(_ROWS)])
        ctx.save_for_backward(logits, tokens, sums)
        return logits.gather(1, tokens).float() - sums[:, None]

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        logits, tokens, sums = ctx.saved_tensors
        result = torch.empty_like(logits)
        totals = gradient.sum(-1, dtype=torch.float32).contiguous()
        if _native(logits):
            _call("log_sums_backward", logits, sums, totals, result, *logits.shape)
        else:
            parts = zip(*(x.split(_ROWS) for x in (result, logits, sums, totals)), strict=True)
            for into, part, sum_, total in parts:
                into.copy_(-total[:, None] * torch.exp(part.float() - sum_[:, None]))
        same = tokens[:, :, None] == tokens[:, None, :]  # a token may be asked for twice
        own = (same * gradient[:, None, :]).sum(-1)
        rest = totals[:, None] * torch.exp(logits.gather(1, tokens).float() - sums[:, None])
        rows = torch.arange(len(tokens), device=tokens.device)[:, None]
        result[rows, tokens] = (own - rest).to(result.dtype)  # rounded once: they cancel; scatter_ copies all
        return result, None


def log_probs(logits: Tensor, tokens: Tensor) -> Tensor:
    """The log-probabilities (rows, k), in float32, of some tokens (rows, k) by logits (rows, vocabulary).

    Beside the logits and their gradient, nothing of their size is kept in float32. Logits of more rows than tokens
    are such as fill up: cutting them off here would copy all of the others' gradient.
    """
    rows = len(tokens)
    tokens = nn.functional.pad(tokens, (0, 0, 0, len(logits) - rows))
    result: Tensor = _LogProbs.apply(logits, tokens)
    return result[:rows]
