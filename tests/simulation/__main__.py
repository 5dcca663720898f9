"""`python -m tests.simulation SEED [CRASHES] [readers] [once]`: a life, twice; prints what happened and the hash of its trace."""

from __future__ import annotations

import logging
import sys
from typing import Final

from tests.simulation.life import Life

CRASHES: Final = 200


def main(argv: list[str]) -> None:
    """Run it; the traces of both times have to be equal."""
    logging.disable(logging.CRITICAL)
    seed, count = argv[0], int(argv[1]) if len(argv) > 1 else CRASHES
    traces = []
    for _ in range(1 if "once" in argv else 2):
        life = Life(seed, with_readers="readers" in argv)
        life.run(count)
        traces.append(life.trace)
    print(
        f"seed {seed}: trace {traces[0]}, {', '.join(f'{life.seen[name]} {name}' for name in sorted(life.seen))}"
    )
    if traces[0] != traces[-1]:
        sys.exit(f"seed {seed}: the second run's trace is {traces[-1]}")


if __name__ == "__main__":
    main(sys.argv[1:])
