# The front door; each target is one script. `make help` lists them.
.DEFAULT_GOAL := help
.NOTPARALLEL:
# What a caller sets reaches the scripts through the environment.
export MUTANTS LINUX_SRC PERF_SIGTRAP_CACHE ARCH FLAVOUR CPUS KVM GUEST_TIMEOUT JOBS PROG ARGS TREE COUNT SEED
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
tree: deps ## make build/tree: a git repository, base kernel plus one commit a patch
	@base/tree.sh
refresh: ## write patches/ anew from the commits in build/tree
	@base/refresh.sh
apply: ## apply the series to a kernel tree of yours: make apply TREE=path
	@base/apply.sh
shell: kernel ## an interactive guest
	@vm/shell.sh
run: kernel ## run a program in a guest: make run PROG=path [ARGS=…]
	@vm/run.sh
clean: ## remove build/, unless build/tree holds work that is not in patches/
	@base/clean.sh
help: ## this list
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' Makefile | expand -t 10

deps deps-test deps-check:
	@base/deps.sh $(if $(filter deps,$@),build,$(@:deps-%=build %))
kernel: tree
	@base/build.sh
.PHONY: demo test check mutants stress leaks faults fuzz tree refresh apply shell run clean help deps deps-test deps-check kernel
