#!/bin/sh
# program.sh VARIABLE PACKAGE [NAME…] prints the path of a program that the tests or the
# benchmarks use: that of the environment variable, else the first of the names in PATH (the
# package's own, when none is given), else Debian's package, which root installs on a machine
# with apt-get.
set -eu

variable="$1"
package="$2"
shift
if [ $# -gt 1 ]; then
  shift
fi
eval "given=\"\${$variable:-}\""

find_program() {
  for name in "$@"; do
    if command -v "$name"; then
      return 0
    fi
  done
  return 1
}

if [ -n "$given" ]; then
  if ! command -v "$given"; then
    echo "program.sh: $variable=$given is not an executable program" >&2
    exit 1
  fi
  exit 0
fi

if find_program "$@"; then
  exit 0
fi

if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then
  echo "program.sh: no $package found, installing Debian's" >&2
  export DEBIAN_FRONTEND=noninteractive
  if { apt-get -qq update && apt-get -qq install -y --no-install-recommends "$package"; } >&2 &&
    find_program "$@"; then
    exit 0
  fi
fi

echo "program.sh: no $package found: install it, or set $variable to the path of one" >&2
exit 1
