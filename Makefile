# Two words a newcomer needs: `make demo` and `make test`.
CARGO ?= cargo
DEMO_ARGS ?=
SOAK_MINUTES ?= 30
FUZZ_SECONDS ?= 300
# `address` also watches the memory of dependencies, at a fraction of the speed; our own crates forbid unsafe code.
FUZZ_SANITIZER ?= none
# Seed of all generated tests; another one looks elsewhere.
export PROPTEST_RNG_SEED ?= 20260309

.PHONY: demo soak test check tests nightly fuzz simulate bench bench-peers bench-million bench-learning install-tools install-nightly

demo: ## build, run months of the simulated energy world through the real engine, keep serving
	$(CARGO) build --release --bin attent
	./target/release/attent demo $(DEMO_ARGS)

test: install-tools check tests ## everything CI checks

soak: ## mixed load on the real server for SOAK_MINUTES, with kill -9 at random moments
	SOAK_MINUTES=$(SOAK_MINUTES) $(CARGO) test --release -p attent --test main soak -- --nocapture

check:
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets --quiet -- -D warnings

tests:
	$(CARGO) nextest run --workspace

simulate: ## months of the whole engine under each of 1,000 seeds; a red one prints its story and exits 1
	$(CARGO) run --quiet -p attent-testkit -- --from 1 --count 1000

nightly: install-tools install-nightly ## what does not fit CI: tests at full size, 1,000 seeds, fuzzing, a soak
	ATTENT_NIGHTLY=1 $(CARGO) nextest run --workspace --profile nightly
	$(MAKE) simulate
	$(MAKE) fuzz
	$(MAKE) soak

# A fuzzer needs flags that the stable compiler keeps behind this switch.
fuzz: export RUSTC_BOOTSTRAP = 1
fuzz: install-nightly ## made-up bytes through every door, FUZZ_SECONDS each; a finding stays in fuzz/artifacts and exits 1
	cd fuzz && for door in $$($(CARGO) fuzz list); do \
	  mkdir -p found/$$door; dictionary=; \
	  if [ -f dictionary-$$door ]; then dictionary=-dict=dictionary-$$door; fi; \
	  $(CARGO) fuzz run --sanitizer $(FUZZ_SANITIZER) $$door found/$$door corpus/$$door -- \
	    -max_total_time=$(FUZZ_SECONDS) -timeout=25 -rss_limit_mb=4096 -max_len=32768 $$dictionary || exit 1; \
	done

bench: TARGET = $(or $(CARGO_TARGET_DIR),target)
bench: ## rules, decisions, HTTP and durability beside what does the same work; writes docs/benchmarks/speed.md
	$(CARGO) build --release --bin attent
	$(CARGO) build --release --locked --manifest-path benches/speed/Cargo.toml --target-dir $(TARGET)
	rm -rf $(TARGET)/bench && mkdir -p $(TARGET)/bench
	$(TARGET)/release/attent-speed all $(TARGET)/release/attent $(TARGET)/bench docs/benchmarks/speed.md

bench-peers: TARGET = $(or $(CARGO_TARGET_DIR),target)
bench-peers: ## processor time per request beside rule engines, flags and models; writes docs/benchmarks/peers.md
	@for tool in node npm python3; do command -v $$tool >/dev/null || { echo "the peers need $$tool"; exit 1; }; done
	@[ -d /usr/lib/postgresql ] || { [ "$$(id -u)" = 0 ] && apt-get update -q && apt-get install -qy postgresql; } || \
	  echo "Unleash will be left out: it needs PostgreSQL"
	$(CARGO) build --release --bin attent
	$(CARGO) build --release --manifest-path benches/speed/Cargo.toml --target-dir $(TARGET)
	$(CARGO) build --release --locked --manifest-path benches/peers/axum/Cargo.toml --target-dir $(TARGET)
	python3 benches/peers/run.py $(TARGET)/release/attent $(TARGET)/release/attent-speed \
	  $(TARGET)/release/attent-peers-axum docs/benchmarks/peers.md

bench-million: TARGET = $(or $(CARGO_TARGET_DIR),target)
bench-million: ## a million customers: import, disk, memory, restart, erasure, expiry; prints docs/benchmarks/million.md's table
	$(CARGO) build --release --bin attent
	$(CARGO) build --release --locked --manifest-path benches/million/Cargo.toml --target-dir $(TARGET)
	$(TARGET)/release/attent-million $(TARGET)/release/attent

bench-learning: TARGET = $(or $(CARGO_TARGET_DIR),target)
bench-learning: ## what is learned beside Vowpal Wabbit on ../shared/data, hours the first time; writes docs/benchmarks/learning.md
	$(CARGO) build --release --bin attent
	[ -x $(TARGET)/bench-learning/python/bin/python ] || python3 -m venv $(TARGET)/bench-learning/python
	$(TARGET)/bench-learning/python/bin/pip install -q -r benches/learning/requirements.txt
	ATTENT=$(abspath $(TARGET))/release/attent BENCH_LEARNING_KEPT=$(abspath $(TARGET))/bench-learning \
	  $(TARGET)/bench-learning/python/bin/python benches/learning/run.py all --write $(BENCH_LEARNING_ARGS)

install-tools:
	@command -v cc >/dev/null || { [ "$$(id -u)" = 0 ] && apt-get update -q && apt-get install -qy gcc; } || \
	  { echo "a C compiler is needed to link: install gcc with your system's package manager"; exit 1; }
	@$(CARGO) nextest --version >/dev/null 2>&1 || $(CARGO) install --locked --quiet cargo-nextest
	@$(CARGO) fmt --version >/dev/null 2>&1 || rustup component add rustfmt
	@$(CARGO) clippy --version >/dev/null 2>&1 || rustup component add clippy

# Cutting the power of a disk needs xfsprogs, failing system calls need strace; where they lack, those tests skip and say so.
install-nightly:
	@for tool in xfs_io strace c++; do command -v $$tool >/dev/null || missing=1; done; \
	  [ -z "$$missing" ] || { [ "$$(id -u)" = 0 ] && apt-get update -q && apt-get install -qy xfsprogs strace g++; } || \
	  echo "some nightly tests will be skipped: install xfsprogs, strace and a C++ compiler"
	@$(CARGO) fuzz --version >/dev/null 2>&1 || $(CARGO) install --locked --quiet cargo-fuzz
