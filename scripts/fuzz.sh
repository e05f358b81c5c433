#!/usr/bin/env bash
# Runs every fuzz target for FUZZTIME (2m), two side by side, and fails where one finds
# something. A found input is written to the package's testdata/fuzz: commit it with the fix.
#
# Each package is built once, with instrumentation; building is most of the time of a short
# run. So no target is in a package that needs SQLite, whose C code in Go takes minutes.
set -euo pipefail
cd "$(dirname "$0")/.."
time="${FUZZTIME:-2m}"
bin="$PWD/bin/fuzz"
cache="$(go env GOCACHE)/fuzz/$(go list -m)"
mkdir -p "$bin"

# Lines of "directory target".
targets="$(grep -rHo --include='*_test.go' '^func Fuzz[A-Za-z0-9_]*' backend | sed -E 's|/[^/]*:func | |' | sort)"
for dir in $(cut -d' ' -f1 <<<"$targets" | sort -u); do
	if go list -test -deps "./$dir" | grep -q '^modernc.org/sqlite'; then
		echo "fuzz: $dir needs SQLite: move the target into a package that does not" >&2
		exit 1
	fi
	go test -c -fuzz . -o "$bin/${dir//\//-}.test" "./$dir"
done

# one fuzzes one target. Go reports its own deadline as a failure at times
# (golang/go#75804): only an input that fails is one.
one() {
	local dir="$1" target="$2" log
	log="$(cd "$dir" && "$bin/${dir//\//-}.test" -test.run '^$' -test.fuzz "^$target\$" -test.fuzztime "$time" \
		-test.fuzzminimizetime 500x -test.fuzzcachedir "$cache/$dir" -test.parallel 1 2>&1)" && log_ok=1 || log_ok=
	if [ -n "$log_ok" ] || { grep -q 'context deadline exceeded' <<<"$log" && ! grep -Eq 'Failing input|panic|_test.go:|fuzzing process' <<<"$log"; }; then
		echo "fuzz: $dir $target: $(grep -o 'execs: [0-9]*' <<<"$log" | tail -1)"
	else
		printf 'fuzz: %s %s failed\n%s\n' "$dir" "$target" "$log" >&2
		return 1
	fi
}
export -f one
export bin time cache
xargs -P 2 -L 1 bash -euc 'one "$@"' one <<<"$targets"
