# One word a task. The first of them makes .venv, with all that the checks need; in an environment that is
# active already it is `make test PYTHON=python`.
PYTHON = .venv/bin/python
READY = $(if $(filter .venv/%,$(PYTHON)),.venv/ready)

help:
	@echo "make check    style and types"
	@echo "make test     all tests, some half an hour on two cores"
	@echo "make format   imports and lines in order"
	@echo "make docs     every code block of every page, and every path that is named there"
	@echo "make reference docs/reference.md from docstrings, anew"
	@echo "make site     the documentation as a site, in build/site"
	@echo "make dist     the packages in build/dist, checked, installed by themselves and tried"
	@echo "make bench    the billiards gradient beside those peers that are installed, a few rounds"

check: $(READY)
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m mypy
	cd benchmarks && $(if $(READY),../)$(PYTHON) -m mypy --config-file mypy.ini

test: $(READY)
	$(PYTHON) -m pytest

format: $(READY)
	$(PYTHON) -m ruff check --fix-only .
	$(PYTHON) -m ruff format .

docs: $(READY)
	$(PYTHON) -m pytest tests/docs

reference: $(READY)
	$(PYTHON) docs/examples/reference.py docs

site: $(READY)
	$(PYTHON) -m pip install --quiet --disable-pip-version-check -e ".[docs]"
	NO_MKDOCS_2_WARNING=1 $(PYTHON) -m mkdocs build

dist: $(READY)
	$(PYTHON) -m pip install --quiet --disable-pip-version-check "build>=1.2" "twine>=6"
	rm -rf build/dist build/alone
	$(PYTHON) -m build --outdir build/dist . > /dev/null
	$(PYTHON) -m twine check --strict build/dist/*
	$(PYTHON) -m venv build/alone
	build/alone/bin/python -m pip install --quiet --disable-pip-version-check build/dist/*.whl
	cd build/alone && ROSE_AD_CACHE=$$PWD/cache bin/python -m rosephys doctor

bench: $(READY)
	$(PYTHON) benchmarks/billiards.py --rounds 5

.venv/ready: pyproject.toml
	python3 -m venv .venv
	.venv/bin/python -m pip install --quiet --disable-pip-version-check -e ".[test]"
	touch $@

.PHONY: help check test format docs reference site dist bench
