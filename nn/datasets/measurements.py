"""Real measurements, shipped beside the code; README.md there names their sources and licence."""

from __future__ import annotations

from pathlib import Path

from nn.datasets.dataset import Dataset, read_csv

_FOLDER = Path(__file__).parent


def iris() -> Dataset:
    """Return Fisher's 150 irises: four lengths in centimetres, and the species, 50 of each.

    Source: R. A. Fisher, "The use of multiple measurements in taxonomic problems", Annals of
    Eugenics 7(2), 1936; UCI Machine Learning Repository, doi:10.24432/C56C76, CC BY 4.0.

    >>> iris()
    Dataset(150 samples of sepal_length, sepal_width, petal_length, petal_width; \
species is one of setosa, versicolor, virginica)
    """
    return read_csv(_FOLDER / "iris.csv", "species")


def digits() -> Dataset:
    """Return 1,797 handwritten digits: images of 8 x 8 pixels, row by row, each in [0, 1].

    A pixel is the inked share of a block of 4 x 4 points.

    Source: E. Alpaydin and C. Kaynak, "Optical Recognition of Handwritten Digits", test set, 1998;
    UCI Machine Learning Repository, doi:10.24432/C50P49, CC BY 4.0.

    >>> X, y = digits()
    >>> X[0][:8], y[0]
    ([0.0, 0.0, 0.3125, 0.8125, 0.5625, 0.0625, 0.0, 0.0], 0)
    """
    images = read_csv(_FOLDER / "digits.csv.gz", "digit", text=["digit"])
    X = [[pixel / 16 for pixel in image] for image in images.X]
    return Dataset(X, images.y, images.features, images.target, images.classes)
