# One command each: `make run`, `make test`, `make bench`, `make torture`, `make torture-contract`, `make lock`, `make proto`, `make calendars`, `make clean`.
#
#   make run                      the demo on http://127.0.0.1:8080, paper money
#   make run PORT=9000            on another port
#   make torture FULL=1           the counts of a night; goes on where it was interrupted
#   make run FEED=day.zip SPEED=60   replays a recorded day, 60 times as fast
#
# Nothing but make and Python 3.11 (found as `python3`) needs to be installed.

PYTHON = python3
PY = .venv/bin/python
JOBS = 2
PIP = $(PY) -m pip --disable-pip-version-check

.PHONY: run test bench torture torture-contract lock proto calendars clean

run: .venv/installed-run
	@set -- demo; \
	if [ -n '$(PORT)' ]; then set -- "$$@" --port '$(PORT)'; fi; \
	if [ -n '$(FEED)' ]; then set -- "$$@" --feed '$(FEED)'; fi; \
	if [ -n '$(SPEED)' ]; then set -- "$$@" --speed '$(SPEED)'; fi; \
	exec $(PY) run.py "$$@"

test: .venv/installed-dev
	@echo '== 1/4 ruff check';          $(PY) -m ruff check .
	@echo '== 2/4 ruff format --check'; $(PY) -m ruff format --check .
	@echo '== 3/4 mypy --strict';       $(PY) -m mypy --strict .
	@echo '== 4/4 pytest';              $(PY) -m pytest -n $(JOBS) --dist loadfile --no-loadscope-reorder

bench: .venv/installed-dev
	$(PY) -m bench.all

torture: .venv/installed-dev
	$(PY) -m tests.torture $(if $(FULL),--full)

torture-contract: .venv/installed-dev
	$(PY) -m tests.contract --minutes 60

.venv/installed-run: requirements.lock .venv/bin/python
	@echo '== installing the locked packages'
	@$(PIP) install --quiet --require-hashes -r requirements.lock
	@touch $@

.venv/installed-dev: requirements-dev.lock .venv/bin/python
	@echo '== installing the locked packages and the development tools'
	@$(PIP) install --quiet --require-hashes -r requirements-dev.lock
	@touch $@

.venv/bin/python:
	@$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(0 if v >= (3, 11) else "Kerb needs Python 3.11 or newer; $(PYTHON) is %d.%d. Try: make PYTHON=python3.11 ..." % v[:2])'
	@echo '== creating .venv'
	@rm -rf .venv
	@$(PYTHON) -m venv .venv || { rm -rf .venv; echo 'python3 cannot create a virtual environment (on Debian: apt install python3-venv)' >&2; exit 1; }

# Writes both lock files anew, with the newest versions that fit pyproject.toml.
PIP_COMPILE = var/lock-tools/bin/pip-compile --quiet --upgrade --strip-extras --generate-hashes --no-header \
	--no-emit-index-url --no-emit-find-links --no-emit-trusted-host
lock:
	$(PYTHON) -m venv var/lock-tools
	var/lock-tools/bin/python -m pip install --quiet pip-tools==7.6.2
	$(PIP_COMPILE) --output-file requirements.lock pyproject.toml
	$(PIP_COMPILE) --constraint requirements.lock --extra dev --output-file requirements-dev.lock pyproject.toml

# Writes server/kerb_pb2.py anew from server/kerb.proto.
proto:
	$(PYTHON) -m venv var/proto-tools
	var/proto-tools/bin/python -m pip install --quiet grpcio-tools==1.85.1
	var/proto-tools/bin/python -m grpc_tools.protoc --proto_path=server --python_out=server --pyi_out=server kerb.proto

# Writes config/market_days.toml anew: when markets are closed, by the newest `holidays` package of the lock file.
calendars: .venv/installed-dev
	$(PY) -m config.make_market_days

# Leaves var/ alone: a data folder holds money, if only paper money.
clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis var/lock-tools var/proto-tools
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
