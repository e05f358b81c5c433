#!/usr/bin/env bash
# Makes the files of a release in bin/release: a static binary for each platform, one list of
# what is inside (SBOM, CycloneDX), and checksums. The bundles are built before it: make release.
#
# The bytes follow from the commit, VERSION, and the versions of Go and Node, which the file
# "built-with" names. Nothing else of the machine is in them, neither paths nor the time.
set -eu -o pipefail
cd "$(dirname "$0")/../.."

gomod=github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod@v1.10.0
platforms="linux/amd64 linux/arm64"
id="$(sed -n 's/.*"id": *"\([^"]*\)".*/\1/p' app.json)"
version="${VERSION:-$(git describe --tags --always --dirty)}"
case "$version" in
  '' | *[!A-Za-z0-9._+-]*)
    echo "release: VERSION is \"$version\": it may hold letters, digits, '.', '_', '+' and '-'" >&2
    exit 2
    ;;
esac

# Where modules come from is the machine's matter; what is made of them is not.
go mod download
settings=(GOENV=off GOFLAGS=-buildvcs=auto GOEXPERIMENT= CGO_ENABLED=0 GOAMD64=v1 GOARM64=v8.0)
export LC_ALL=C
out=bin/release
rm -rf "$out"
mkdir -p "$out"
binaries=()
for platform in $platforms; do
  binary="$id-$version-${platform/\//-}"
  env "${settings[@]}" GOOS="${platform%/*}" GOARCH="${platform#*/}" \
    go build -trimpath -ldflags "-s -w -X main.release=$version" -o "$out/$binary" ./backend/cmd/...
  binaries+=("$binary")
done
# Both platforms have the same modules and the same packages of npm inside.
go run "$gomod" bin -json -std -noserial -version "$version" -output "$out/go.json" "$out/${binaries[0]}" 2>&1 | { grep -v 'WRN\|INF' || :; }
node scripts/release/sbom.mjs "$out/go.json" "$out/$id-$version.cdx.json"
rm "$out/go.json"
printf '%s\nnode %s\n' "$(go env GOVERSION)" "$(node --version)" >"$out/built-with"
(cd "$out" && sha256sum -- * >SHA256SUMS)
cat "$out/SHA256SUMS"
