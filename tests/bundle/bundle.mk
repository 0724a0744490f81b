# Bundles with the real program, openssl and veritysetup: made by board/bundle.sh of a small root, then looked at whole,
# damaged, forged and with broken keys.

bundle-test: hearth build/sign ## bundles: made twice, looked at, damaged, forged; keys and their rotation; release-check
	@python3 tests/bundle/run.py $(C)

.PHONY: bundle-test
