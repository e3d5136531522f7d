# SPDX-License-Identifier: Apache-2.0
# The commands of the project. Meson and ninja do the work.
BUILD ?= build
PREFIX ?= /usr/local
# Options of meson_options.txt: make OPTIONS="-Dserver=false -Dconsole=false -Dfetch=false"
OPTIONS ?=
export CURFEW_OPTIONS := $(OPTIONS)
.PHONY: all demo check check-asan check-tsan conformance bench lint fuzz torture soak cluster coverage install uninstall dist release-check clean

all:
	@scripts/build $(BUILD) product

demo:
	@scripts/prepare --install --early >/dev/null
	@scripts/build $(BUILD) product
	@scripts/demo $(BUILD)

check:
	@scripts/prepare --install --check --early >/dev/null
	@scripts/build $(BUILD)
	@tests/run --build $(BUILD)

check-asan:
	@scripts/build $(BUILD)-asan all address,undefined
	@tests/run --build $(BUILD)-asan --sanitizer asan

check-tsan:
	@scripts/build $(BUILD)-tsan all thread
	@tests/run --build $(BUILD)-tsan --sanitizer tsan

# PACKAGES=N: checks that the first N packages of npm in tests/packages (all: every one) behave in Curfew as in Node.
conformance:
	@$(if $(PACKAGES),scripts/build $(BUILD) && tests/packages/run --build $(BUILD) --write $(PACKAGES) && scripts/compatibility --build $(BUILD) --write,scripts/conformance $(TEST))

bench:
	@scripts/build $(BUILD) bench
	@bench/run --build $(BUILD) --sources "$$(scripts/prepare).sources"

lint:
	@scripts/prepare --check >/dev/null
	@scripts/lint

fuzz:
	@scripts/fuzz $(or $(T),60) $(TARGET)

# Ten times as often as in make check.
torture:
	@scripts/build $(BUILD)
	@tests/run --build $(BUILD) --scale 0.1 --slower 10 torture

soak:
	@scripts/build $(BUILD) product
	@tests/crash/soak.py --curfew $(BUILD)/curfew --seconds $(or $(T),600)

cluster:
	@scripts/build $(BUILD) product
	@tests/cluster/torture.py --curfew $(BUILD)/curfew --seconds $(or $(T),600) $(if $(OLDER),--older $(OLDER))

coverage:
	@scripts/coverage $(TEST)

install: all
	@meson configure $(BUILD) -Dprefix="$(PREFIX)"
	@ninja -C $(BUILD) --quiet product
	@DESTDIR="$(DESTDIR)" meson install -C $(BUILD) --no-rebuild --quiet

# Removes the files of the last make install.
uninstall:
	@scripts/uninstall $(BUILD)

# The files of a release, built twice and compared: dist/.
dist:
	@scripts/dist

# Checks everything, from a clean clone.
release-check:
	@scripts/release-check

clean:
	rm -rf $(BUILD) $(BUILD)-asan $(BUILD)-tsan build-fuzz build-coverage
