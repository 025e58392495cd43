"""Seconds and memory on a device, and the rates that it could reach."""

import time
from collections.abc import Callable
from typing import Any

import torch

_NOMINAL = (  # dense bf16 FLOP/s from the makers' data sheets, by what the device calls itself
    ("H200", 989e12),
    ("H100", 989e12),
    ("A100", 312e12),
    ("L40", 181e12),
    ("4090", 165e12),
)


def clock(device: torch.device, work: Callable[[], Any], times: int) -> float:
    """Seconds for one `work`, everything the device was given included."""
    settle(device)
    start = time.perf_counter()
    for _ in range(times):
        work()
    settle(device)
    return (time.perf_counter() - start) / times


def settle(device: torch.device) -> None:
    """Wait until the device has done what it was given."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def start_memory(device: torch.device) -> None:
    """Begin a new peak."""
    if device.type == "cuda":
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats(device)


def peak_memory(device: torch.device) -> int | None:
    """The most memory that tensors held on the device since `start_memory`."""
    return int(torch.cuda.max_memory_allocated(device)) if device.type == "cuda" else None


def matrix_rate(device: torch.device) -> float:
    """bf16 FLOP/s of a large square product here."""
    size = 8192 if device.type == "cuda" else 512
    a, b = (torch.randn(size, size, device=device, dtype=torch.bfloat16) for _ in range(2))
    for _ in range(3):
        a @ b
    return 2 * size**3 / clock(device, lambda: a @ b, 20)


def nominal_rate(device: torch.device) -> float | None:
    """What the maker promises, where the device is known."""
    if device.type != "cuda":
        return None
    name = torch.cuda.get_device_name(device)
    return next((rate for mark, rate in _NOMINAL if mark in name), None)
