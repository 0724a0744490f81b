# The Go code of board/: gofmt, vet, its unit tests. Rows go to build/results/go.tsv.

go: ## gofmt, vet and tests of the Go programs
	@tests/go/run.sh

.PHONY: go
