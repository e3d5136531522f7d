# SPDX-License-Identifier: Apache-2.0
# The commands of the project; Meson and ninja do the work.
BUILD ?= build
PREFIX ?= /usr/local
.PHONY: all demo check check-asan check-tsan conformance bench install prepare clean

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

install: all
	@DESTDIR="$(DESTDIR)" meson configure $(BUILD) -Dprefix="$(PREFIX)"
	@DESTDIR="$(DESTDIR)" meson install -C $(BUILD) --quiet

clean:
	rm -rf $(BUILD) $(BUILD)-asan $(BUILD)-tsan
