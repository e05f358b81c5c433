# make run    install, build and start the demo
# make test   everything: Go with the race detector, TypeScript, end to end in Chromium
# make check  format, vet, staticcheck, types, lint, generated code, byte budgets
# make build  bin/nametag, static, with the bundles inside
# make bench  figures

SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:

go_files := $(shell find backend web embed.go go.mod go.sum -type f \( -name '*.go' -o -name '*.sql' -o -name 'go.*' \))
go_code := backend bench examples web embed.go
front_files := $(shell find widget panel web scripts -path '*/dist' -prune -o -type f \( -name '*.ts' -o -name '*.tsx' -o -name '*.css' -o -name '*.html' -o -name '*.svg' -o -name '*.mjs' \) -print)

# SQLite is C, translated to Go: it keeps its threads apart by itself, and watching it would
# take most of the tests' time. Our code, the driver and database/sql are watched.
race := -race -gcflags=modernc.org/sqlite/lib=-race=false -gcflags=modernc.org/libc/...=-race=false

.PHONY: run test test-go test-unit test-e2e check build bundles generate format bench clean

run: build
	exec bin/nametag demo

build: bin/nametag

bin/nametag: web/dist/.built $(go_files)
	CGO_ENABLED=0 go build -trimpath -ldflags '-s -w' -o $@ ./backend/cmd/nametag

bundles: web/dist/.built

web/dist/.built: node_modules/.installed package.json tsconfig.json $(front_files)
	npm run build
	@touch $@

node_modules/.installed: package-lock.json .npmrc
	npm ci
	@touch $@

generate:
	cd web && go tool templ generate -lazy=false

format: node_modules/.installed
	gofmt -w $(go_code)
	go tool templ fmt web
	npx biome check --write .

check: build
	@test -z "$$(gofmt -l $(go_code))" || { echo 'not formatted (run make format):'; gofmt -l $(go_code); exit 1; }
	go tool templ fmt -fail web
	@before="$$(cat web/*_templ.go | sha256sum)"; $(MAKE) -s generate; \
	[ "$$before" = "$$(cat web/*_templ.go | sha256sum)" ] || { echo 'the generated code was out of date, and has been generated again: commit it'; exit 1; }
	go mod tidy -diff
	go vet ./...
	go tool staticcheck ./...
	cd examples/orders && go mod tidy -diff && go vet ./...
	npm run check
	npm run budget

test: test-go test-unit test-e2e

test-go: bundles
	go test $(race) -timeout 10m ./...
	cd examples/orders && go test -race ./...

test-unit: node_modules/.installed
	npm test

test-e2e: build
	CHROMIUM="$$(scripts/chromium.sh)" npm run e2e

bench: build
	for part in bare visit seed postgres; do go build -o "bin/bench-$$part" "./bench/$$part"; done
	WRK="$$(scripts/wrk.sh)" CHROMIUM="$$(scripts/chromium.sh)" node bench/bench.mjs
	go test -run '^$$' -bench . -benchmem ./backend/...

clean:
	rm -rf bin node_modules {widget,panel,web}/dist/* web/dist/.built
