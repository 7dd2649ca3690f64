# make setup | demo | test | coverage | verify | verify-results | reference | site | bench | lint. Each installs what it needs into .venv first.
#   PYTHON=python3.12        the interpreter that makes .venv (3.11 or newer)
#   PIP_ARGS="..."           for pip, such as --extra-index-url with an index of torch's CPU builds
PYTHON ?= python3
PY := .venv/bin/python
export OMP_NUM_THREADS ?= 1
export MPLBACKEND ?= Agg
OLD := "Homeostat needs Python 3.11 or newer; this is %s. Name another one: make PYTHON=python3.12 ..."

.PHONY: setup demo test compiled coverage verify verify-results reference site bench lint

define install
@[ -x $(@D)/bin/pip ] || { $(PYTHON) -c 'import sys; v = sys.version_info; \
    sys.exit(v < (3, 11) and $(OLD) % sys.version.split()[0])' && $(PYTHON) -m venv $(@D); }
$(@D)/bin/python -m pip install $(PIP_ARGS) -r requirements.lock
$(@D)/bin/python -m pip install $(PIP_ARGS) --no-deps --no-build-isolation -e .
endef

setup: .venv/.ready
.venv/.ready: requirements.lock pyproject.toml
	$(install)
	@touch $@
.venv-gym1/.ready: requirements.lock pyproject.toml
	$(install)
	$(@D)/bin/python -m pip install $(PIP_ARGS) --no-deps "gymnasium==1.*"
	@touch $@

lint: setup
	$(PY) -m ruff check .
	$(PY) -m mypy
	.venv/bin/lint-imports
# The tests of compiled code go first, beside the checks, and leave it compiled for the rest.
compiled: setup
	$(PY) -m pytest -m kernels
TWO := -n 2 --dist worksteal
REST := $(TWO) -m "not verify and not kernels"
test: setup
	$(MAKE) -j 2 --output-sync=target compiled lint
	$(PY) -m pytest $(REST)
# Lines are counted apart, which takes twice as long; those of compiled code without the JIT, on few people.
coverage: setup
	$(PY) -m pytest $(REST) --cov --cov-report=
	NUMBA_DISABLE_JIT=1 $(PY) -m pytest $(TWO) -m kernels --cov --cov-append --cov-report=
	$(PY) -m coverage report --fail-under=90
SHIELD := envs/limits.py,envs/shield/rule.py,envs/shield/fallback.py,envs/shield/reasons.py
verify: coverage .venv-gym1/.ready
	$(PY) -m pytest -m verify
	NUMBA_DISABLE_JIT=1 COVERAGE_FILE=.coverage.shield $(PY) -m pytest -m kernels tests/safety/test_shield.py \
	    --cov --cov-branch --cov-report=
	COVERAGE_FILE=.coverage.shield $(PY) -m coverage report --include=$(SHIELD) --fail-under=100
	NUMBA_DISABLE_JIT=1 $(PY) -m tests.safety.mutants
	.venv-gym1/bin/python -m pytest -n 2 -m "not verify" tests/envs
verify-results: setup
	$(PY) -m scripts.verify_results
reference: setup
	$(PY) -m scripts.reference --out results/runs/reference
site: setup
	$(PY) -m scripts.site --out results/runs/site
demo bench: setup
	$(PY) -m scripts.$@
