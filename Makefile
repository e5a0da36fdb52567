# The front door; each target is one script. `make help` lists them.
.DEFAULT_GOAL := help
.NOTPARALLEL:
# What a caller sets reaches the scripts through the environment.
export MUTANTS LINUX_SRC PERF_SIGTRAP_CACHE ARCH FLAVOUR CPUS KVM GUEST_TIMEOUT JOBS PROG ARGS TREE COUNT SEED SKIP_MAINLINE CONFIG OUT GUEST_DISK
SHELL := /bin/bash

demo: kernel ## build what is missing, boot it and run the demo
	@vm/demo.sh
test: deps-test kernel ## build what is missing and run all tests
	@tests/run.sh
check: deps-check tree ## checkpatch, sparse, W=1, each patch builds alone, shellcheck, codespell
	@tests/check.sh
mutants: deps-test kernel ## take one guard at a time out of the kernel: its test must fail
	@tests/mutants.sh
stress: deps-test tree ## 1,000,000 hits, and a signal for each: COUNT=… SEED=…
	@tests/load.sh $@
leaks: deps-test tree ## 100,000 rounds, after which nothing may be left: COUNT=… SEED=…
	@tests/load.sh $@
faults: deps-test tree ## each allocation fails in turn, on the debug kernel
	@tests/load.sh $@
fuzz: deps-test tree ## 10,000,000 random calls, on the debug kernel: COUNT=… SEED=…
	@tests/load.sh $@
bench: deps-bench tree ## measure base, series and mainline, and check the limits: SKIP_MAINLINE=1
	@bench/bench.sh
	@bench/sigwatch.sh
watch: deps-test kernel ## sigwatch in a guest: make watch ARGS='WHAT -- PROGRAM ARGUMENTS'
	@vm/watch.sh
sigwatch: deps-test ## build sigwatch, which tells who touches a variable, in build/sigwatch
	@sigwatch/build.sh
tree: deps ## make build/tree: a git repository, base kernel plus one commit a patch
	@base/tree.sh
refresh: ## write patches/ anew from the commits in build/tree
	@base/refresh.sh
apply: ## apply the series to a kernel tree of yours: make apply TREE=path
	@base/apply.sh
deb: deb-check deps-deb tree ## installable kernel packages from your configuration: make deb CONFIG=path
	@base/deb.sh
image: deps-image tree ## packages of a small configuration, installed into an image and booted: its tests
	@vm/image.sh
shell: kernel ## an interactive guest
	@vm/shell.sh
run: kernel ## run a program in a guest: make run PROG=path [ARGS=…]
	@vm/run.sh
clean: ## remove build/, unless build/tree holds work that is not in patches/
	@base/clean.sh
help: ## this list
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' Makefile | expand -t 10

deps deps-test deps-check deps-bench deps-deb deps-image:
	@base/deps.sh $(if $(filter deps,$@),build,$(@:deps-%=build %) $(if $(filter deps-image,$@),deb test))
deb-check:
	@base/deb.sh check
kernel: tree
	@base/build.sh
.PHONY: demo test check mutants stress leaks faults fuzz bench sigwatch watch tree refresh apply deb image shell run clean help deps deps-test deps-check deps-bench deps-deb deps-image deb-check kernel
