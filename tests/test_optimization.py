"""Derivatives at work: SciPy's minimizers find known minima with the gradients given to them.

Data and certified values are those of NIST's Statistical Reference Datasets, nonlinear regression,
higher difficulty (https://www.itl.nist.gov/div898/strd/nls/nls_main.shtml), in the public domain.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest
from scipy.optimize import least_squares, minimize

from autograd import jacobian, value_and_grad


def rosenbrock(x):
    return np.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2)


@pytest.mark.parametrize("start", [np.zeros(10), np.full(10, 1.2), np.linspace(-2.0, 2.0, 10)])
def test_minimize_with_value_and_grad_finds_the_minimum_of_rosenbrock_to_8_digits(start):
    found = minimize(
        value_and_grad(rosenbrock), start, jac=True, method="BFGS", options={"gtol": 1e-9}
    )

    assert found.success
    assert [*found.x] == pytest.approx([1.0] * 10, rel=1e-8)


class Regression(NamedTuple):
    """A model y = model(b, x), NIST's start 1 and what NIST certifies."""

    model: object
    x: np.ndarray
    y: np.ndarray
    start: list[float]
    parameters: list[float]
    sum_of_squares: float


def numbers(text):
    return np.array([*map(float, text.split())])


# R. R. Meyer (1970), Theoretical and computational aspects of nonlinear regression
MGH10 = Regression(
    lambda b, x: b[0] * np.exp(b[1] / (x + b[2])),
    x=np.arange(50.0, 126.0, 5.0),
    y=numbers("""
        34780 28610 23650 19630 16370 13720 11540 9744
        8261 7030 6005 5147 4427 3820 3307 2872
    """),
    start=[2.0, 400000.0, 25000.0],
    parameters=[5.6096364710e-03, 6.1813463463e03, 3.4522363462e02],
    sum_of_squares=8.7945855171e01,
)

# K. Eckerle, NIST (197?), Circular interference transmittance study
ECKERLE4 = Regression(
    lambda b, x: b[0] / b[1] * np.exp(-0.5 * ((x - b[2]) / b[1]) ** 2),
    x=numbers("""
        400 405 410 415 420 425 430 435 436.5 438 439.5 441 442.5 444 445.5 447 448.5 450 451.5
        453 454.5 456 457.5 459 460.5 462 463.5 465 470 475 480 485 490 495 500
    """),
    y=numbers("""
        0.0001575 0.0001699 0.0002350 0.0003102 0.0004917 0.0008710 0.0017418 0.0046400 0.0065895
        0.0097302 0.0149002 0.0237310 0.0401683 0.0712559 0.1264458 0.2073413 0.2902366 0.3445623
        0.3698049 0.3668534 0.3106727 0.2078154 0.1164354 0.0616764 0.0337200 0.0194023 0.0117831
        0.0074357 0.0022732 0.0008800 0.0004579 0.0002345 0.0001586 0.0001143 0.0000710
    """),
    start=[1.0, 10.0, 500.0],
    parameters=[1.5543827178e00, 4.0888321754e00, 4.5154121844e02],
    sum_of_squares=1.4635887487e-03,
)

regressions = pytest.mark.parametrize("regression", [MGH10, ECKERLE4], ids=["MGH10", "Eckerle4"])


@regressions
def test_the_data_have_the_certified_sum_of_squares_at_the_certified_parameters(regression):
    residuals = regression.model(regression.parameters, regression.x) - regression.y
    assert residuals @ residuals == pytest.approx(regression.sum_of_squares, rel=5e-10)


@regressions
def test_least_squares_with_jacobian_finds_what_nist_certifies_to_8_digits(regression):
    def residuals(b):
        return regression.model(b, regression.x) - regression.y

    found = least_squares(
        residuals,
        regression.start,
        jac=jacobian(residuals),
        x_scale="jac",
        xtol=1e-15,
        ftol=1e-15,
        gtol=1e-15,
    )

    assert found.success
    assert [*found.x] == pytest.approx(regression.parameters, rel=1e-8)
    assert 2.0 * found.cost == pytest.approx(regression.sum_of_squares, rel=1e-8)
