#!/usr/bin/env bash
# Builds a release twice, in two folders, from the files of this one, and compares the bytes.
set -eu -o pipefail
cd "$(dirname "$0")/../.."
here="$PWD"
scratch="$(mktemp -d)"
trap 'rm -rf "$scratch"' EXIT

build() { # FOLDER
  mkdir -p "$1"
  git ls-files -z --cached --others --exclude-standard | while IFS= read -r -d '' file; do
    if [ -e "$file" ] || [ -L "$file" ]; then printf '%s\0' "$file"; fi
  done | tar --null -T - -cf - | tar -xf - -C "$1"
  (
    cd "$1"
    ln -s "$(readlink -f "$here/node_modules")" node_modules
    export GIT_AUTHOR_NAME=release GIT_AUTHOR_EMAIL=release@example.com GIT_AUTHOR_DATE='2026-01-01T00:00:00Z'
    export GIT_COMMITTER_NAME=release GIT_COMMITTER_EMAIL=release@example.com GIT_COMMITTER_DATE='2026-01-01T00:00:00Z'
    git init -q -b main .
    echo /node_modules >>.git/info/exclude
    git add -A && git commit -q -m release
    make --no-print-directory -o node_modules/.installed release VERSION=v0.0.0-check
  ) >"$1.log" 2>&1 || { cat "$1.log" >&2; exit 1; }
}

build "$scratch/one"
build "$scratch/another folder/of the machine"
a="$scratch/one/bin/release"
b="$scratch/another folder/of the machine/bin/release"
diff "$a/SHA256SUMS" "$b/SHA256SUMS" || { echo 'release: the two builds differ' >&2; exit 1; }
(cd "$b" && sha256sum --quiet -c SHA256SUMS)
for binary in "$a"/*-linux-*; do
  if go version -m "$binary" | grep -q 'CGO_ENABLED=1'; then
    echo "release: $binary is not static" >&2
    exit 1
  fi
done
said="$("$a"/*-linux-"$(go env GOARCH)" version)"
case "$said" in
  *' v0.0.0-check '*"$(git -C "$scratch/one" rev-parse HEAD)"*) ;;
  *) echo "release: the binary says \"$said\"" >&2; exit 1 ;;
esac
node -e '
  const bom = JSON.parse(require("fs").readFileSync(process.argv[1]));
  for (const part of ["pkg:golang/github.com/labstack/echo/v4@", "pkg:golang/std@", "pkg:npm/react@"]) {
    if (!bom.components.some((c) => c.purl?.startsWith(part))) throw new Error(`the SBOM lacks ${part}`);
  }' "$a"/*.cdx.json
cat "$a/SHA256SUMS"
