# make                  set up .venv and run the demo: train on real measurements, draw the pictures
# make test             set up and pass the tests
# make check            ruff, mypy and the examples in the docstrings
# make lab              open the course in JupyterLab
# make notebooks        run the notebooks of the course, and store what they show
# make check-notebooks  run them and their exercises' solutions, and compare with what is stored
# make bench            time the engine beside micrograd, and the compiler beside PyTorch, JAX and C
# make precise          10,000 random programs in machine code, bit for bit
# make robust           interrupt, kill, damage and exhaust it, and write docs/robustness.md
# make mutants          break the engine in every small way, and see whether the tests notice

PYTHON ?= python3
BIN := .venv/bin

.DEFAULT_GOAL := demo
.PHONY: demo test check lab notebooks check-notebooks bench precise robust mutants clean

demo: .venv/demo
	$(BIN)/python -m nn demo

test: .venv/test
	$(BIN)/python -m pytest --numprocesses auto --dist worksteal

check: .venv/dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/python -m pytest --doctest-modules autograd nn

lab: .venv/notebooks
	$(BIN)/jupyter trust notebooks/*.ipynb
	$(BIN)/jupyter lab notebooks

notebooks: .venv/notebooks
	$(BIN)/python notebooks/execute.py

check-notebooks: .venv/notebooks
	$(BIN)/python notebooks/execute.py --check
	$(BIN)/python notebooks/execute.py --broken

bench: .venv/bench
	$(BIN)/python benchmarks/eager.py
	$(BIN)/python benchmarks/compiled.py

precise: .venv/test
	$(BIN)/python tests/test_compiler.py 10000

robust: .venv/test
	$(BIN)/python benchmarks/robustness.py

mutants: .venv/mutants
	nice -n 10 $(BIN)/python benchmarks/mutants.py

# The system's pip fills the environment, because Debian's python3 cannot put a pip into one.
.venv/bin/python:
	$(PYTHON) -m venv --without-pip .venv

.venv/demo: EXTRAS = viz,plot,compile
.venv/test: EXTRAS = test
.venv/dev: EXTRAS = dev
.venv/notebooks: EXTRAS = notebooks
.venv/bench: EXTRAS = test,bench
.venv/mutants: EXTRAS = mutants
.venv/demo .venv/test .venv/dev .venv/notebooks .venv/bench .venv/mutants: pyproject.toml | .venv/bin/python
	$(PYTHON) -m pip --python $(BIN)/python --disable-pip-version-check install --quiet --editable '.[$(EXTRAS)]'
	touch $@

clean:
	rm -rf .venv build *.egg-info
