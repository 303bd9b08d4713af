# What people type. Everything built is under target/, and cached there.

SHELL := /bin/bash
# End-to-end tests start emulated machines, one at a time per test program;
# two threads keep a small machine busy and its emulator on time.
TEST_THREADS ?= 2

# Images and disks are root's business: loop devices, owners, capabilities.
ifneq ($(shell id -u),0)
SUDO := sudo
export CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUNNER := sudo --preserve-env
export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER := sudo --preserve-env
endif

.DEFAULT_GOAL := help
.PHONY: help setup build image demo test test-long bench lint clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## install what this machine lacks (Debian; root or sudo)
	@tools/setup

build: setup ## build everything, optimised
	cargo build --release --workspace

image: setup ## build the demo image (cached; prints where it is)
	@$(SUDO) tests/image/build

demo: build image ## install the demo image into a disk file and boot it
	tools/demo

lint: setup ## formatting and clippy
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings

test: lint image ## everything that a change has to pass
	set -o pipefail; cargo test --workspace -- --test-threads=$(TEST_THREADS) 2>&1 | tools/sum-tests

test-long: test ## also the tests that take minutes each (marked #[ignore])
	set -o pipefail; cargo test --workspace -- --test-threads=1 --ignored 2>&1 | tools/sum-tests

bench: build image ## how long an installation takes, and where the time goes
	tools/bench

clean: ## remove everything that was built
	cargo clean
