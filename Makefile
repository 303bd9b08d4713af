# The commands of this repository. Everything that is built is below target/, and cached there.

SHELL := /bin/bash
# Tests start emulated machines, each of which fills a processor: more threads than processors
# would make them late (BOOTC_KS_MACHINES says how many run at a time).
TEST_THREADS ?= $(shell nproc)

# Images and disks need root: loop devices, owners, capabilities.
ifneq ($(shell id -u),0)
SUDO := sudo
export CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUNNER := sudo --preserve-env
export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER := sudo --preserve-env
endif

.DEFAULT_GOAL := help
.PHONY: help setup build install deb rpm wheel image demo prepared compiled test test-long bench memory pictures fuzz lint clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## install the packages that are missing (Debian; root or sudo)
	@tools/setup

build: ## build everything, optimised
	@tools/setup --build
	cargo build --release --workspace

# What `make build` made, so that root compiles nothing.
BUILD ?= $(or $(CARGO_TARGET_DIR),target)/release
PREFIX ?= /usr/local
install: ## install what 'make build' made (PREFIX, DESTDIR)
	@packaging/install '$(BUILD)' '$(DESTDIR)' '$(PREFIX)'

PACKAGES := $(or $(CARGO_TARGET_DIR),target)/packages
deb: setup build ## a Debian package: target/packages/
	@packaging/deb '$(BUILD)' $(PACKAGES)/

rpm: setup build ## an RPM: target/packages/
	@packaging/rpm '$(BUILD)' $(PACKAGES)/rpm

wheel: setup ## build the Python package, for every Python from 3.9 on
	python3 -m venv target/maturin
	target/maturin/bin/pip install --quiet --disable-pip-version-check 'maturin>=1.16,<2'
	cargo build --release --locked --package bootc-ks-ostree
	install -D --strip target/release/bootc-ks-ostree anaconda-module/python/bootc_ks/libexec/bootc-ks-ostree
	cd anaconda-module && ../target/maturin/bin/maturin build --release --locked --strip --out ../target/wheels

image: setup ## build the images of the tests (cached; prints where they are)
	@$(SUDO) tests/image/build
	@tests/image-fedora-style/bootupd >/dev/null
	@$(SUDO) tests/image-fedora-style/build

# It needs fewer packages than the other targets, so it does not install theirs.
demo: ## install the demo image into a disk file and boot it
	@tools/setup --demo
	cargo build --release --package bootc-ks --package bootc-ks-ostree
	@$(SUDO) tests/image/build
	tools/demo

lint: setup ## formatting and clippy, shellcheck, ruff and mypy, words, cargo-deny where it is installed
	cargo fmt --all --check
	tools/lint-shell
	tools/lint-python
	tools/lint-deny
	tools/lint-words
	cargo clippy --workspace --all-targets -- -D warnings

# Recorded answers and real kickstarts, which are not part of this repository.
CORPUS := $(or $(BOOTC_KS_CORPUS),$(wildcard ../shared/corpus))

test test-long: export CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUNNER := $(CURDIR)/tools/run-test
test test-long: export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER := $(CURDIR)/tools/run-test

# Debian's installer unpacks packages on one processor, so the images are built while code is
# compiled. Cargo itself lets lint and tests wait for each other.
prepared: setup
	+$(MAKE) --jobs=3 lint image compiled

compiled: setup
	cargo test --workspace --no-run

test: prepared ## everything that a change has to pass
	set -o pipefail; { cargo test --workspace -- --test-threads=$(TEST_THREADS) \
		$(if $(CORPUS),&& cargo test --workspace --test all -- --ignored corpus); } 2>&1 | tools/sum-tests

test-long: test ## also the tests that take minutes each (marked #[ignore])
	set -o pipefail; cargo test --workspace -- --test-threads=$(TEST_THREADS) --ignored --skip the_picture_of_the_documentation --skip with_little_memory --skip corpus 2>&1 | tools/sum-tests

bench: setup build image ## an installation, an ISO, the parser and the Python package beside pykickstart, 5,000 machines at once
	tools/bench
	tools/bench-iso
	tools/bench-parser
	tools/bench-python
	tools/bench-serve

pictures: image ## take the pictures of the documentation again
	cargo test --workspace -- --ignored the_picture_of_the_documentation

# MiB, each tried with every way in.
MEMORY ?= 384 448 512 576 640 768
memory: image ## how much memory an installation takes: one for each size
	BOOTC_KS_MEMORY='$(MEMORY)' cargo test --workspace -- --ignored --nocapture with_little_memory

# Seconds for each target.
FUZZ_SECONDS ?= 300
FUZZ := kickstart-parser/fuzz
FUZZ_WORK := target/fuzz
# The code is safe, so panics are searched for; a sanitizer finds no more of them, and is slower.
CARGO_FUZZ := cargo +nightly fuzz run --fuzz-dir $(FUZZ) --sanitizer none

fuzz: ## try generated texts on the parser (needs a nightly compiler and cargo-fuzz)
	@if ! cargo +nightly fuzz --version >/dev/null 2>&1; then \
		echo "FUZZING SKIPPED: it needs 'rustup toolchain install nightly' and 'cargo install cargo-fuzz'" >&2; exit 0; \
	fi; set -e; \
	cargo run --quiet --manifest-path $(FUZZ)/Cargo.toml --features seeds --bin seeds -- $(FUZZ_WORK)/seeds $(FUZZ_WORK)/words; \
	cp tests/kickstarts/*.ks kickstart-parser/benches/typical.ks $(FUZZ_WORK)/seeds; \
	for target in parse include format flatten convert canonical fix; do \
		mkdir -p $(FUZZ_WORK)/$$target; \
		$(CARGO_FUZZ) $$target $(FUZZ_WORK)/$$target $(FUZZ_WORK)/seeds -- \
			-dict=$(FUZZ_WORK)/words -max_total_time=$(FUZZ_SECONDS) -timeout=10 -max_len=8192; \
	done

clean: ## remove everything that was built
	cargo clean
