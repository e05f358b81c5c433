# make run    install, build and start the demo
# make dev    the app on an offline Wix, where each saved file is seen at once
# make test   everything: Go with the race detector, TypeScript, end to end in Chromium, the files of deploy/
# make check  generated files, format, vet, staticcheck, types, lint, byte budgets
# make fuzz   each fuzz target for FUZZTIME (2m); commit what it finds with the fix
# make build  the program in bin/, static, with the bundles inside
# make release  static binaries for Linux, with checksums and what is inside, in bin/release
# make generate  what follows from app.json, settings.go and the templates; make build does it too
# [only here]
# make bench  figures; make bench-dev those of make dev; make bench-trust who is served while somebody misbehaves
# make new    a project of its own: DIR=../review-badge NAME="Review Badge" TAG=review-badge MODULE=github.com/acme/review-badge
# make upgrade  bring this Nametag into such a project: DIR=../review-badge
# [/only here]

SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:

id := $(shell sed -n 's/.*"id": *"\([^"]*\)".*/\1/p' app.json)

go_files := $(shell find backend web embed.go go.mod go.sum -type f \( -name '*.go' -o -name '*.sql' -o -name 'go.*' \))
go_code := $(wildcard backend bench examples scripts web embed*.go)
front_files := $(shell find widget panel web scripts -path '*/dist' -prune -o -type f \( -name '*.ts' -o -name '*.tsx' -o -name '*.css' -o -name '*.html' -o -name '*.svg' -o -name '*.mjs' \) -print)

# What make generate makes, and the file of each generator that is as new as its last run. A
# generator writes a file only where its content changes.
generated := backend/product/product.gen.go {widget,panel}/src/settings.gen.ts docs/settings.{md,schema.json} web/*_templ.go
generators := backend/product/product.gen.go widget/src/settings.gen.ts bin/.templ

# SQLite is C, translated to Go: it keeps its threads apart by itself, and watching it would
# take most of the tests' time. Our code, the driver and database/sql are watched.
race := -race -gcflags=modernc.org/sqlite/lib=-race=false -gcflags=modernc.org/libc/...=-race=false

# Finds a Chromium, and as root on Debian installs it.
chromium := scripts/program.sh CHROMIUM chromium chromium chromium-browser google-chrome

.PHONY: run dev test test-go test-unit test-e2e test-deploy check fuzz build bundles release generate regenerate format clean

run: build
	exec bin/$(id) demo

dev: node_modules/.installed
	@exec node scripts/dev/main.mjs

build: bin/$(id)

bin/$(id): web/dist/.built $(generators) $(go_files)
	CGO_ENABLED=0 go build -trimpath -ldflags '-s -w -X main.release=$(VERSION)' -o $@ ./backend/cmd/...

release: web/dist/.built $(generators)
	VERSION="$(VERSION)" scripts/release/release.sh

bundles: web/dist/.built

web/dist/.built: node_modules/.installed widget/src/settings.gen.ts app.json package.json tsconfig.json $(front_files)
	npm run build
	@touch $@

node_modules/.installed: package-lock.json .npmrc
	npm ci
	@touch $@

backend/product/product.gen.go: app.json $(wildcard backend/product/generate/*.go backend/product/appjson/*.go)
	go run ./backend/product/generate
	@touch $@

widget/src/settings.gen.ts: backend/business/settings.go $(wildcard backend/settings/generate/*.go backend/settings/internal/declaration/*.go)
	go run ./backend/settings/generate
	@touch $@

bin/.templ: $(wildcard web/*.templ) go.mod
	cd web && go tool templ generate -lazy=false
	@mkdir -p bin
	@touch $@

generate:
	@$(MAKE) --no-print-directory --always-make $(generators)

regenerate: $(generators)

format: node_modules/.installed
	gofmt -w $(go_code)
	go tool templ fmt web
	npx biome check --write .

check:
	@before="$$(cat $(generated) 2>&1 | sha256sum || :)"; $(MAKE) -s generate; \
	[ "$$before" = "$$(cat $(generated) 2>&1 | sha256sum || :)" ] || { echo 'the generated files were out of date, and have been generated again: commit them'; exit 1; }
	@$(MAKE) --no-print-directory build
	@test -z "$$(gofmt -l $(go_code))" || { echo 'not formatted (run make format):'; gofmt -l $(go_code); exit 1; }
	go tool templ fmt -fail web
	go mod tidy -diff
	go vet ./... && go vet -tags dev .
	go tool staticcheck ./...
# [only here]
	cd examples/orders && go mod tidy -diff && go vet ./...
	FUZZTIME=10s scripts/fuzz.sh
# [/only here]
	npm run check
	npm run budget

fuzz:
	scripts/fuzz.sh

test: test-go test-unit test-e2e test-deploy

# Without the race detector the simulation makes ten times as many runs.
test-go: bundles
	go test $(race) -timeout 20m ./...
	go test ./backend/simulation
# [only here]
	cd examples/orders && go test -race ./...
# [/only here]

test-unit: node_modules/.installed
	npm test

test-e2e: build
	CHROMIUM="$$($(chromium))" npm run e2e

# The files of deploy/ on real programs, and a release that is built twice.
test-deploy: build
	CADDY="$$(scripts/program.sh CADDY caddy)" go test -count=1 -run Deploy ./backend/cmd/...
	scripts/release/check.sh

# [only here]
.PHONY: bench bench-dev bench-trust new upgrade test-new

bench: build
	for part in bare visit seed postgres webhook; do go build -o "bin/bench-$$part" "./bench/$$part"; done
	WRK="$$(scripts/program.sh WRK wrk)" CHROMIUM="$$($(chromium))" node bench/bench.mjs
	go test -run '^$$' -bench . -benchmem ./backend/...

bench-trust: build
	go run ./bench/trust

bench-dev: node_modules/.installed
	CHROMIUM="$$($(chromium))" node bench/dev.mjs

# Projects that make new makes, run by their own checks and in Chromium.
test-new: build
	CHROMIUM="$$($(chromium))" go test -timeout 20m -run Whole ./scripts/new

test: test-new

# Values reach the program through the environment, as they were given: they may have quotes,
# spaces and dollar signs.
$(foreach variable,DIR NAME ID TAG MODULE WITH,$(eval override export $(variable) := $$(value $(variable))))

new:
	@go run ./scripts/new new --dir="$$DIR" --name="$$NAME" --id="$$ID" --tag="$$TAG" --module="$$MODULE" --with="$$WITH"

upgrade:
	@go run ./scripts/new upgrade --dir="$$DIR"
# [/only here]

clean:
	rm -rf bin node_modules {widget,panel,web}/dist/* web/dist/.built
