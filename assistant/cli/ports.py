"""Which ports are free. Starts nothing."""

import os
import socket

from assistant.errors import AssistantError

_PORTS_TRIED = 100


def require_free(host: str, port: int, command: str) -> None:
    """Raise AssistantError naming another free port when this one is taken."""
    problem = _problem(host, port)
    if problem is None:
        return
    other = next(
        (next_port for next_port in range(port + 1, port + _PORTS_TRIED) if not _problem(host, next_port)), 0
    )
    advice = f"Port {other} is free: `{command} --port {other}`." if other else "Choose another with --port."
    raise AssistantError(f"Port {port} on {host} cannot be used ({problem}). {advice}")


def _problem(host: str, port: int) -> str | None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        if os.name != "nt":
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the servers themselves do
        try:
            probe.bind((host, port))
        except OSError as error:
            return error.strerror or str(error)
    return None
