#!/bin/sh
# Prints the path of wrk, the load generator of `make bench`. Without one, root installs
# Debian's on a machine with apt-get.
set -eu
if ! command -v wrk >/dev/null; then
  if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
    echo 'wrk: not found. Install it (Debian: apt-get install wrk).' >&2
    exit 1
  fi
  { apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends wrk; } >&2
fi
command -v wrk
