#!/usr/bin/env bash
# Finds a Python that is new enough and hands over to bootstrap.py, which does all the rest.
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P) || exit
enough='import sys; sys.exit(sys.version_info < (3, 11))'

start_with() {
  command -v "$1" >/dev/null 2>&1 && "$1" -E -S -c "$enough" 2>/dev/null || return 0
  exec "$1" -E -s -S "$here/bootstrap.py" "${arguments[@]}"
}

arguments=("$@")
if [ -n "${VOXLINE_PYTHON:-}" ]; then
  start_with "$VOXLINE_PYTHON"
else
  start_with "${here%/*}/.venv/bin/python"
fi
for python in python3 python3.13 python3.12 python3.11 python3.14 python; do
  start_with "$python"
done
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  echo 'voxline set-up: installing Python' >&2
  { apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install -y \
    --no-install-recommends python3 python3-venv; } >/dev/null </dev/null
  start_with python3
fi
echo 'Voxline needs Python 3.11 or newer and found none. On Debian 12 or newer this installs it:' >&2
echo '    sudo apt-get install python3 python3-venv' >&2
exit 1
