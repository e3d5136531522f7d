# SPDX-License-Identifier: Apache-2.0
# The commands of the project; Meson and ninja do the work.
BUILD ?= build
PREFIX ?= /usr/local
.PHONY: all demo check check-asan check-tsan conformance bench fuzz torture soak coverage install prepare clean

all:
	@scripts/build $(BUILD)

demo:
	@scripts/prepare --install >/dev/null
	@scripts/build $(BUILD)
	@scripts/demo $(BUILD)

check:
	@scripts/prepare --install >/dev/null
	@scripts/build $(BUILD)
	@tests/run --build $(BUILD)

check-asan:
	@scripts/build $(BUILD)-asan all address,undefined
	@tests/run --build $(BUILD)-asan --sanitizer asan

check-tsan:
	@scripts/build $(BUILD)-tsan all thread
	@tests/run --build $(BUILD)-tsan --sanitizer tsan

conformance:
	@scripts/conformance $(TEST)

bench:
	@scripts/build $(BUILD) bench
	@bench/run --build $(BUILD) --sources "$$(scripts/prepare)/sources"

fuzz:
	@scripts/fuzz $(or $(T),60) $(TARGET)

# Ten times as often as make check.
torture: all
	@tests/run --build $(BUILD) --scale 0.1 --slower 10 torture

soak: all
	@tests/crash/soak.py --curfew $(BUILD)/curfew --seconds $(or $(T),600)

coverage:
	@scripts/coverage $(TEST)

install: all
	@DESTDIR="$(DESTDIR)" meson configure $(BUILD) -Dprefix="$(PREFIX)"
	@DESTDIR="$(DESTDIR)" meson install -C $(BUILD) --quiet

clean:
	rm -rf $(BUILD) $(BUILD)-asan $(BUILD)-tsan build-fuzz build-coverage
