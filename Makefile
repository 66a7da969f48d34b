# make help lists the targets.
.DEFAULT_GOAL := help
SHELL := /bin/sh
GO ?= go
VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS := -s -w -X brine/internal/version.Version=$(VERSION)
GOLANGCI := v2.15.0
ARGS ?=

export CGO_ENABLED ?= 0

.PHONY: help
help: ## list the targets
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: build
build: ## build bin/brine
	@mkdir -p bin
	$(GO) build -trimpath -ldflags '$(LDFLAGS)' -o bin/brine ./cmd/brine

.PHONY: run
run: build ## build and start a master with three minions here; ARGS are handed to brine dev
	@exec bin/brine dev $(ARGS)

.PHONY: need
need: # what the tests need beside Go; without root, tests that lack a program say so by name
	@./.ci/need

.PHONY: test
test: need ## all tests, with the race detector
	CGO_ENABLED=1 $(GO) test -race -shuffle=on -timeout 15m ./...

.PHONY: soak
soak: need ## the long tests
	BRINE_SOAK=1 $(GO) test -count=1 -timeout 2h -run 'Soak|Storm' ./test/...

.PHONY: fuzz
fuzz: ## each fuzzer for FUZZTIME (default 20s)
	@./.ci/fuzz $${FUZZTIME:-20s}

.PHONY: bench
bench: build ## benchmarks; the scenarios write docs/benchmarks.md
	$(GO) test -run xxx -bench . -benchmem ./...
	$(GO) run ./bench

.PHONY: lint
lint: ## go vet, golangci-lint (pinned) and govulncheck
	@./.ci/lint $(GOLANGCI)

.PHONY: docs
docs: ## write the reference pages anew from the code
	$(GO) run ./docs/gen

.PHONY: dist
dist: ## static binaries for linux amd64, arm64, armv6, armv7 in dist/
	@mkdir -p dist
	@for t in amd64: arm64: arm:6 arm:7; do \
		arch=$${t%%:*}; arm=$${t##*:}; \
		echo "dist/brine-linux-$$arch$${arm:+v$$arm}"; \
		GOOS=linux GOARCH=$$arch GOARM=$$arm $(GO) build -trimpath -ldflags '$(LDFLAGS)' -o dist/brine-linux-$$arch$${arm:+v$$arm} ./cmd/brine || exit 1; \
	done

.PHONY: clean
clean: ## remove what was built and what make run has kept
	rm -rf bin dist .brine
