"""Write docs/compiler.md: how a scalar graph becomes loops, shown on a small network.

    python benchmarks/compiler_page.py

The loops and the report are what the compiler says of itself. The speed is measured by
`python benchmarks/compiled.py`, and is no part of this page.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from autograd import jit
from nn import MLP, mse

PAGE = """# From a scalar graph to machine code

`jit(f)` traces f once on numbers without data, and makes machine code of what it did. Nobody tells
it about layers or matrices: it finds the loops in the graph. This page is written by
`python benchmarks/compiler_page.py`.

## What happens to f

| stage | what it does |
|---|---|
| trace | f becomes a flat list of operations; `Value`s that it captures become parameters |
| differentiate | for a gradient, the sweep that records itself, from the one table of partials |
| simplify | constants folded, equal operations merged, trees of + and × made sums of products |
| schedule | what is alike is a group with consecutive slots |
| reroll | constant strides make a group a loop, loops a loop of loops |
| fuse | operations over the same loops share one, results staying in registers |
| emit | each loop nest becomes LLVM instructions on vectors of samples, sums held in registers |
| lower | each operation in it is a formula on vectors |
| run | over panels of samples; gradients are added up after every few panels |

An operation is lowered by one row beside the table's, in `autograd/compiler/lower.py`; the compiler
knows functions, and no derivatives.

## A network, as the compiler sees it

The mean and gradient of `mse(model(x), t)` for `MLP(12, [10, 1])`, by `compiled.source()`:

```text
{source}
```

`parameter[...]` holds the weights and biases, `slot[...]` and `kept[...]` numbers of one sample,
`total[...]` the mean and then the gradient. `compiled.report()`, here on one machine:

```text
{report}
```

`compiled.llvm()` is the LLVM text of the same.

## What it promises

- A branch on data cannot be traced, and is an error that names the line: write `where`.
- What was not selected contributes nothing, even inf or nan, as in the engine.
- Parameters are read at every call. What depends on parameters alone, such as a penalty, is
  computed once for a whole batch.
- By default products and sums may be fused and reordered, exp and expm1 are series on vectors, and
  of the others glibc's vector functions are used where they are there: results agree with the
  engine's to 1e-12 of the sum of absolute terms, and in inf and nan unless a kink, a pole or an
  overflow is that near.
- With `precise=True` nothing is fused or reordered: values and gradients are the engine's, bit for
  bit, because its sweep adds in one order, whatever was selected. Second derivatives are those of
  f's Program, which may add in another order than the engine's.
- Any count of rows will do. The last panel is filled with the last sample again and again, which
  changes no result; in the totals its copies weigh 1/2, 1/4 and so on, which make 1.
- The same graph is compiled once, for as long as a function uses it.
- Without a target for the machine, functions run as Programs in Python, with a warning.

## What it does not do

It makes code for one core, of float64. A loop must come three times to be seen as one. What has no
loop is compiled as it is, in time that grows with its length: about a tenth of a second for a
thousand operations. A norm of more than 1024 numbers cannot be precise.

## Speed

`python benchmarks/compiled.py` compares it with PyTorch, JAX and a tuned C file, which take turns;
the README says what that gave.
"""


def main() -> None:
    """Compile the network, and write the page."""
    model = MLP(12, [10, 1])
    compiled = jit(lambda x, t: mse(model(x), t), model.parameters())
    numbers = np.array([parameter.data for parameter in model.parameters()])
    compiled.mean_and_gradient(numbers, np.linspace(-1.0, 1.0, 120).reshape(10, 12), np.ones(10))
    report = re.sub(
        r"\d+\.\d ms", lambda found: f"{float(found[0][:-3]):.0f} ms", compiled.report()
    )
    page = PAGE.format(source=compiled.source(), report=report)
    (Path(__file__).parents[1] / "docs" / "compiler.md").write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
