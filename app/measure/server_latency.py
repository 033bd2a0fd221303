"""What the way to a server and back adds to captions, with a stand-in that answers at once.

    python -m app.measure.server_latency --seconds 60

From the moment at which the engine is given the last sample of an 80 ms step to the moment at
which it returns what the server said to it: encoding, sockets, threads and decoding, on loopback.
The server's own time and the network's come on top.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from app.measure.position import sound
from app.measure.server_kills import Servers, engine_for
from model_backends.base import Progress, StreamOptions

_BLOCK = 1280


def main() -> int:
    """Measure and print the median and the 95th percentile, in milliseconds."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--seconds", type=float, default=60.0, metavar="S")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        script = Path(name) / "script.json"
        script.write_text(json.dumps([]), "utf-8")
        with Servers(script, 1) as servers:
            waits_ms = measure(servers, args.seconds)
    p50, p95 = np.percentile(waits_ms, [50, 95])
    print(f"steps {len(waits_ms)}  p50 {p50:.1f} ms  p95 {p95:.1f} ms")
    return 0


def measure(servers: Servers, seconds: float) -> list[float]:
    """One wait a step, in milliseconds."""
    engine = engine_for(servers.urls)
    stream = engine.open(StreamOptions("me", 0, (480,), 0))
    waits_ms = []
    begun = time.monotonic()
    for step in range(int(seconds / 0.08)):
        while time.monotonic() - begun < step * 0.08:
            engine.advance()
            time.sleep(0.0005)
        stream.push(sound(step * _BLOCK, _BLOCK), 0.9)
        pushed = time.monotonic()
        heard_ms = 0
        while step >= 7 and heard_ms < (step + 1) * 80:
            news = [each for each in engine.advance() if isinstance(each, Progress)]
            heard_ms = max((each.heard_ms for each in news), default=heard_ms)
        if step >= 7:
            waits_ms.append((time.monotonic() - pushed) * 1000)
    engine.close()
    return waits_ms


if __name__ == "__main__":
    sys.exit(main())
