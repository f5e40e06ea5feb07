"""A parser that never comes to an end, for the limit on processor time: `python -m tests.importers.endless_child`."""

from __future__ import annotations

from importers.sandbox import limit_this_process

if __name__ == "__main__":
    limit_this_process(memory=512 * 1024 * 1024, cpu_seconds=1)
    while True:
        pass
