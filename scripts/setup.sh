#!/bin/sh
# Finds a Python from 3.11 on and hands over to setup.py. PYTHON=/path/to/python chooses one.
#   sh scripts/setup.sh run    what the service needs
#   sh scripts/setup.sh dev    that, and what tests and checks need
set -eu
cd "$(dirname "$0")/.."

is_new_enough() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
}

if [ -n "${PYTHON:-}" ]; then
    if ! is_new_enough "$PYTHON"; then
        echo "PYTHON=$PYTHON is not a Python 3.11 or newer ($("$PYTHON" --version 2>&1 || true)). Point PYTHON at a newer one, or leave it out." >&2
        exit 1
    fi
    PYTHON_IS_CHOSEN=yes exec "$PYTHON" scripts/setup.py "$@"
fi
for candidate in python3 python3.14 python3.13 python3.12 python3.11 /usr/bin/python3 /usr/local/bin/python3 /opt/homebrew/bin/python3; do
    if is_new_enough "$candidate"; then
        exec "$candidate" scripts/setup.py "$@"
    fi
done
found=$(python3 --version 2>&1) || found="no python3"
echo "Python 3.11 or newer is needed; this machine has: $found." >&2
case $(uname -s) in
Darwin) echo "Install it from python.org or with 'brew install python@3.13', then run this again." >&2 ;;
*) echo "On Debian 12, Ubuntu 24.04 or newer: 'sudo apt install python3 python3-venv', then run this again (or: make ... PYTHON=/path/to/python3.13)." >&2 ;;
esac
exit 1
