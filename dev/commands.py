"""Child programs that run to their end; output is shown only on failure. Standard library only."""

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path


def finish(
    name: str,
    command: Sequence[str | Path],
    *,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
) -> str:
    """Run the command without input; return its output, or raise RuntimeError when it fails."""
    done = subprocess.run(
        command,
        env=env,
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{name} failed:\n{done.stdout[-3000:]}")
    return done.stdout
