# SPDX-License-Identifier: GPL-3.0-or-later
# The front door. `make` alone prints what it can do; the work is done by scripts/ and build/plimsoll.

MAKEFLAGS += --no-builtin-rules --no-print-directory
SHELL := /bin/bash
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help
# Main jobs one after the other, however many jobs make may run: what they compile is parallel in the makes they start.
ifneq ($(filter run-matrix reproduce bisect claims report verify watermarks alloc-cost test test-deep bench exactness digests lint patches-check boot,$(MAKECMDGOALS)),)
.NOTPARALLEL:
endif

# What a user may set.
MATRIX  ?= configs/matrices/default.yaml
KERNELS ?= 6.1 6.12
KERNEL  ?= 6.12
FORMAT  ?= html
ARGS    ?=
ONLY    ?=
ALSO    ?=
CC      := gcc
# Unless the user chose a number of jobs.
JOBS     = $(if $(filter -j%,$(MAKEFLAGS)),,-j$(shell nproc))

##@ Main jobs (each does all the set-up it needs)
run-matrix: ready ## run MATRIX=file (ARGS="-j N --only GLOB ..."); finished cells are not run again
	@build/plimsoll run $(ARGS) '$(MATRIX)'

reproduce: ready ## reproduce a hang and explain it (SCENARIO=cvm-rwsem-hang KERNEL=6.1 SEEDS=20, or 5..24)
	@build/plimsoll reproduce $(ARGS) $(if $(filter command line environment,$(origin KERNEL)),--kernel '$(KERNEL)') \
		$(if $(SEEDS),--seeds '$(SEEDS)') $(SCENARIO)

report: ## results/report.html of what is finished of MATRIX=file or SCENARIO=name, which opens offline (FORMAT=csv ARGS="-o FILE"; no VM)
	@scripts/setup.sh run
	@$(MAKE) $(JOBS) harness $(if $(filter html,$(FORMAT)),report-page)
	@build/plimsoll report --format '$(FORMAT)' $(ARGS) '$(or $(SCENARIO),$(MATRIX))'

bisect: ready ## which value, settings or commit decides (SCENARIO= KNOB=name=from..to, or GOOD=a.yaml BAD=b.yaml; ARGS="--goal ...")
	@build/plimsoll bisect $(if $(filter command line environment,$(origin KERNEL)),--kernel '$(KERNEL)') $(if $(KNOB),--knob '$(KNOB)') \
		$(if $(GOOD),--good '$(GOOD)') $(if $(BAD),--bad '$(BAD)') $(ARGS) $(SCENARIO)

claims: ready ## judge the articles' claims on each kernel (CLAIMS="C7 C16" KERNEL=6.12 ARGS="--long --as 6.12 ...")
	@build/plimsoll claims $(if $(filter command line environment,$(origin KERNEL)),--kernel '$(KERNEL)') $(ARGS) $(CLAIMS)

verify: ready ## run every cell of MATRIX=file a second time and compare the digests
	@build/plimsoll verify $(ARGS) '$(MATRIX)'

watermarks: ready ## run configs/matrices/watermarks.yaml as far as it is not finished, and print the tables of docs/watermarks.md
	@scripts/watermarks.sh

alloc-cost: ready ## what the reclaim patches cost in instructions, with them and without (builds four more kernels)
	@scripts/alloc-cost.sh

# It needs one kernel. What is not in kernel-patches/ was built from KERNEL_TREE, and is not built again here.
boot: KERNELS = $(notdir $(wildcard kernel-patches/$(KERNEL)))
boot: ready ## a shell in a guest with KERNEL=6.12 (the host's clock; `reboot -f` ends it)
	@build/plimsoll boot $(KERNEL)

# What each group of tests needs to have been built; lint counts what `make lint` has found.
test_groups = $(strip $(ALSO) $(or $(ONLY),unit asan fuzz kunit cli e2e))
for_unit   := unit-tests
for_asan   := asan-tests
for_fuzz   := asan-tests
for_kunit  := harness
for_cli    := harness report-page
for_e2e    := harness report-page
test_goals  = $(sort $(foreach group,$(test_groups),$(for_$(group))))

test: ## tests: unit, sanitizers, KUnit in our VMs, command line, real cells (ONLY="unit cli" for some; unit needs no kernel)
	@scripts/setup.sh run test
	@$(if $(test_goals),$(MAKE) $(JOBS) $(test_goals))
	@$(if $(filter cli,$(test_groups)),scripts/npm-install.sh tests/readers build/readers/trace)
	@$(if $(filter kunit cli e2e,$(test_groups)),$(MAKE) kernels rootfs)
	@scripts/test.sh $(test_groups)

test-deep: ## what takes hours: kernels of a history and with debug information, each patch by itself, exactness; says how many
	@scripts/setup.sh run test lint
	@$(MAKE) $(JOBS) harness
	@$(MAKE) kernels rootfs
	@scripts/test.sh deep

bench: ready ## measure this host: kernel build, default matrix twice, verify (ARGS="none": no kernel build)
	@scripts/bench.sh $(ARGS)

exactness: ready ## run three cells hundreds of times, idle and loaded, and without lockstep for control (ARGS="200 50 12")
	@scripts/exactness.sh $(ARGS)

lint: ## warnings, clang-tidy, cppcheck, shellcheck, checkpatch, and the rules of this repository
	@rm -f build/lint.tap
	@scripts/setup.sh run test lint
	@$(MAKE) $(JOBS) harness tests
	@scripts/lint.sh

patches-check: ## check each kernel patch of KERNELS alone and in order: build, boot, KUnit, sparse, W=1, other versions
	@scripts/setup.sh run lint
	@$(MAKE) $(JOBS) harness
	@$(MAKE) rootfs
	@scripts/patches-check.sh $(KERNELS)

##@ Parts
setup: ## install the Debian packages that are missing (root or sudo only if any is)
	@scripts/setup.sh run

harness: build/plimsoll build/lockstep.so ## compile the harness into build/

kernels: ## build KERNELS="6.1 6.12", or the tree KERNEL_TREE=path, or take them from the cache
	@scripts/kernel-build.sh $(if $(KERNEL_TREE),--tree '$(KERNEL_TREE)',$(KERNELS))

debug-kernels: ## build them once more, with the debug information that drgn and crash need to open a core
	@scripts/setup.sh run
	@scripts/kernel-build.sh --debug $(if $(KERNEL_TREE),--tree '$(KERNEL_TREE)',$(KERNELS))

report-page: build/report/page.html ## the report's page without data, with its chart library from the npm registry

rootfs: ## build the guests' read-only image
	@rootfs/build-image.sh build/rootfs

lock: ## write configs/kernel/kernels.lock anew from the installed kernel sources
	@scripts/setup.sh run
	@scripts/kernel-build.sh --lock $(KERNELS)

digests: ready ## write results/reference/digests.tsv anew: what a fresh clone must get
	@scripts/digests.sh

clean: ## remove build/ (results/ and the kernel cache stay)
	rm -rf build

help: ## this text
	@awk -F ':.*## ' '/^##@ /{printf "\n%s\n", substr($$0, 5)} /^[a-z-]+:.*## /{printf "  make %-13s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))
	@printf '\nKernels are cached in %s/plimsoll; results are kept in results/.\n' "$${XDG_CACHE_HOME:-$$HOME/.cache}"

# Set-up comes first, by itself, because what follows needs the compiler and pkg-config.
ready:
	@scripts/setup.sh run
	@$(MAKE) $(JOBS) harness
	@$(MAKE) $(if $(KERNELS)$(KERNEL_TREE),kernels) rootfs KERNELS='$(KERNELS)'

# ---- C -----------------------------------------------------------------------------------------------------------------
PACKAGES := gsl libelf yaml-0.1 json-c sqlite3 libzstd libcrypto
# Asked once, and only when something is compiled: help and setup must work where pkg-config is still missing.
LIB_CFLAGS = $(eval LIB_CFLAGS := $$(shell pkg-config --cflags $(PACKAGES)))$(LIB_CFLAGS)
LIB_LIBS   = $(eval LIB_LIBS := $$(shell pkg-config --libs $(PACKAGES)) -lm)$(LIB_LIBS)

WARNINGS := -Wall -Wextra -Wshadow -Wconversion -Werror
CFLAGS   := -std=gnu17 -O2 -g -D_GNU_SOURCE $(WARNINGS) -Iharness
SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer

cli_sources      := $(wildcard harness/cli/*.c)
lib_sources      := $(filter-out $(cli_sources),$(wildcard harness/*/*.c))
lockstep_sources := $(wildcard harness/vm/lockstep/*.c)
unit_sources     := $(wildcard tests/unit/test_*.c)
fuzz_sources     := $(wildcard tests/fuzz/*.c)
unit_programs    := $(unit_sources:%.c=build/%)
asan_programs    := $(unit_sources:%.c=build/asan/%) $(fuzz_sources:%.c=build/asan/%)

tests: unit-tests asan-tests
unit-tests: $(unit_programs)
asan-tests: $(asan_programs)

build/plimsoll: $(cli_sources:%.c=build/obj/%.o) build/libplimsoll.a
	$(call say,LD)
	@$(CC) -o $@ $^ $(LIB_LIBS)

build/libplimsoll.a: $(lib_sources:%.c=build/obj/%.o)
build/asan/libplimsoll.a: $(lib_sources:%.c=build/asan/obj/%.o)
build/libplimsoll.a build/asan/libplimsoll.a:
	$(call say,AR)
	@rm -f $@ && ar rcs $@ $^

# Preloaded into QEMU, so it must not need anything that QEMU does not have.
build/lockstep.so: $(lockstep_sources) Makefile | build/obj/
	$(call say,LD)
	@$(CC) $(CFLAGS) -fPIC -shared -pthread -MMD -MP -MF build/obj/lockstep.d -MT $@ -o $@ $(lockstep_sources) -ldl

build/obj/%.o: %.c Makefile
	$(call say,CC)
	@mkdir -p $(@D) && $(CC) $(CFLAGS) $(LIB_CFLAGS) -MMD -MP -c -o $@ $<

build/asan/obj/%.o: %.c Makefile
	$(call say,CC)
	@mkdir -p $(@D) && $(CC) $(CFLAGS) $(SANITIZE) $(LIB_CFLAGS) -MMD -MP -c -o $@ $<

build/tests/%: build/obj/tests/%.o build/libplimsoll.a
	$(call say,LD)
	@mkdir -p $(@D) && $(CC) -o $@ $^ $(LIB_LIBS) -lcmocka

build/asan/tests/%: build/asan/obj/tests/%.o build/asan/libplimsoll.a
	$(call say,LD)
	@mkdir -p $(@D) && $(CC) $(SANITIZE) -o $@ $^ $(LIB_LIBS) -lcmocka

build/report/page.html: scripts/report-page.sh scripts/npm-install.sh $(wildcard harness/report/web/*)
	$(call say,PAGE)
	@scripts/report-page.sh $(@D)

build/obj/:
	@mkdir -p $@

say = @printf '  %-4s %s\n' $(1) $@

objects := $(cli_sources:%.c=build/obj/%.o) $(lib_sources:%.c=build/obj/%.o) $(unit_sources:%.c=build/obj/%.o) \
	   $(lib_sources:%.c=build/asan/obj/%.o) $(unit_sources:%.c=build/asan/obj/%.o) $(fuzz_sources:%.c=build/asan/obj/%.o)
-include $(objects:.o=.d) build/obj/lockstep.d
.SECONDARY: $(objects)

.PHONY: run-matrix reproduce bisect report verify watermarks alloc-cost test test-deep bench exactness lint patches-check boot setup harness kernels debug-kernels rootfs lock digests clean help ready tests unit-tests asan-tests
