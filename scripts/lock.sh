#!/bin/sh
# Writes requirements.lock (run time) and requirements-dev.lock (the same versions and what development needs), for every Python
# from 3.11 on and every platform. Keeps the versions already locked; `sh scripts/lock.sh --upgrade` takes the newest.
# setuptools is in the lock because the project itself is installed without build isolation: nothing unhashed is fetched.
set -eu
cd "$(dirname "$0")/.."
uv=.venv/bin/uv
if ! [ -x "$uv" ]; then
    echo "Locking needs uv: run 'make setup' first." >&2
    exit 1
fi

compile() { # output file, further arguments; the build requirement comes on standard input
    output=$1
    shift
    printf 'setuptools>=80\n' | "$uv" pip compile pyproject.toml - --universal --python-version 3.11 --only-binary :all: --generate-hashes \
        --no-config --no-emit-index-url --no-emit-find-links --no-annotate --no-header --quiet --output-file "$output" "$@"
}

compile requirements.lock "$@"
compile requirements-dev.lock --group dev --constraint requirements.lock "$@"
if grep -nE '^ *(-i|--index-url|--extra-index-url|--find-links|-f)|://' requirements.lock requirements-dev.lock; then
    echo "A lock holds an address: the lines above must not be there. Remove the index settings from the environment and lock again." >&2
    exit 1
fi
echo "requirements.lock: $(grep -c '==' requirements.lock) packages; requirements-dev.lock: $(grep -c '==' requirements-dev.lock)"
