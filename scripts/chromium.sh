#!/bin/sh
# Prints the path of a Chromium for the end-to-end tests: $CHROMIUM, else one from PATH,
# else Debian's, which root installs on a machine with apt-get.
set -eu

find_chromium() {
  for name in chromium chromium-browser google-chrome; do
    if command -v "$name"; then
      return 0
    fi
  done
  return 1
}

if [ -n "${CHROMIUM:-}" ]; then
  if ! command -v "$CHROMIUM"; then
    echo "chromium.sh: CHROMIUM=$CHROMIUM is not an executable program" >&2
    exit 1
  fi
  exit 0
fi

if find_chromium; then
  exit 0
fi

if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then
  echo "chromium.sh: no Chromium found, installing Debian's" >&2
  export DEBIAN_FRONTEND=noninteractive
  if { apt-get -qq update && apt-get -qq install -y --no-install-recommends chromium; } >&2 &&
    find_chromium; then
    exit 0
  fi
fi

echo "chromium.sh: no Chromium found: install chromium, or set CHROMIUM to the path of one" >&2
exit 1
