# Static checks. Each writes its findings to the terminal and one row per check to build/results/lint.tsv.

lint: build/gen/board.h ## layers, cycles, banned calls, formatting, clang-tidy, cppcheck, shellcheck, yamllint
	@tests/lint/run.sh

format: ## rewrite all C files in the project's format
	@clang-format -i $(shell find init tests -name '*.[ch]')

.PHONY: lint format
