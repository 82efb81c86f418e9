"""Pictures of training and of what was learnt, as matplotlib figures.

Each function returns a `matplotlib.figure.Figure`; `figure.savefig("loss.png")` writes it. Its
colours are told apart by colour-blind readers too.
"""

from __future__ import annotations

import math
import warnings
from typing import TYPE_CHECKING, Any

from nn.metrics import count_right, largest, rmse

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BLUE, ORANGE = "#1f6fb4", "#e8761a"
INK, GREY, PALE = "#22303c", "#6b7a88", "#e4e9ee"
# Okabe and Ito's palette (2008), led by the two above
PALETTE = [BLUE, ORANGE, "#009e73", "#cc79a7", "#56b4e9", "#c9b800", "#8c5a2b", "#777777"]


class MissingMatplotlib(RuntimeError):  # noqa: N818 - it names what is missing
    """A picture was asked for where matplotlib is not installed."""


def figure(width: float, height: float, *titles: str, rows: int = 1) -> tuple[Figure, list[Axes]]:
    """Return an empty figure in the look of all the others, and its axes, row by row.

    In a notebook the figure shows itself where a cell ends in it.

    Args:
        width: in inches.
        height: in inches.
        titles: one for each axes.
        rows: of equally many axes.

    Raises:
        MissingMatplotlib: if matplotlib is not installed.
        ValueError: if the titles do not fill the rows.

    >>> picture, [left, right] = figure(8.0, 3.6, "The loss", "Its slope")
    >>> right.get_title("left")
    'Its slope'
    """
    try:
        from nn.picture import Picture  # noqa: PLC0415  matplotlib is optional, and slow to load
    except ImportError:
        raise MissingMatplotlib("pictures need matplotlib: pip install 'glassgrad[plot]'") from None
    columns, surplus = divmod(len(titles), rows)
    if surplus:
        raise ValueError(
            f"figure: {len(titles)} titles do not fill {rows} rows; give as many for each row"
        )
    # a name in a script that the font lacks is drawn as boxes, which says it better than a warning
    warnings.filterwarnings("ignore", r"Glyph \d+ .*missing from", UserWarning)
    picture = Picture(figsize=(width, height), dpi=160)
    picture.set_layout_engine("constrained", w_pad=0.12, h_pad=0.12)
    every_axes = [*picture.subplots(rows, columns, squeeze=False).flat]
    for axes, title in zip(every_axes, titles, strict=True):
        axes.set_title(title, loc="left", color=INK, fontsize=12, fontweight="bold", pad=10)
        axes.tick_params(which="both", labelcolor=INK, length=0, labelsize=10)
        axes.xaxis.label.set(color=INK, size=11)
        axes.yaxis.label.set(color=INK, size=11)
        axes.set_axisbelow(True)
        axes.spines[["top", "right"]].set_visible(False)
        axes.spines[["left", "bottom"]].set_color(GREY)
        axes.set_prop_cycle(color=PALETTE)
    return picture, every_axes


def loss_curve(
    training: Sequence[float], validation: Sequence[float] = (), kept: int | None = None
) -> Figure:
    """Return the loss after each epoch, logarithmic where it changes more than fivefold.

    A dot marks the epoch `kept`, counted from 1, such as `History.kept`; else the last.
    """
    picture, [axes] = figure(5.6, 3.6, "Loss after each epoch")
    curves = {"training": (training, BLUE), "validation": (validation, ORANGE)}
    for name, (losses, colour) in curves.items():
        if losses:
            axes.plot(range(1, len(losses) + 1), losses, color=colour, label=name, linewidth=2)
            marked = kept or len(losses)
            axes.plot(marked, losses[marked - 1], "o", color=colour, markersize=5, clip_on=False)
    if kept is not None and kept < len(training):
        axes.axvline(kept, color=GREY, linestyle=":", zorder=1, label=f"kept: epoch {kept}")
    losses = [*training, *validation]
    if losses and 0 < 5 * min(losses) < max(losses) < math.inf:
        axes.set_yscale("log", subs=[2, 5])
        axes.yaxis.set_major_formatter("{x:g}")
        axes.yaxis.set_minor_formatter("{x:g}")
    axes.set(xlabel="epoch", ylabel="loss", xlim=(1, max(2, len(training))))
    axes.locator_params(axis="x", integer=True)
    axes.grid(which="both", color=PALE)
    axes.legend(frameon=False, labelcolor=INK)
    return picture


def confusion_matrix(y: Sequence[int], predicted: Sequence[int], classes: Sequence[str]) -> Figure:
    """Return how often each class (a row) was predicted as each class (a column).

    What is right is blue and what is wrong orange, the deeper the larger its share of the row.

    Args:
        y: the true class index of each sample.
        predicted: the predicted one.
        classes: the name of each class.

    Raises:
        MissingMatplotlib: if matplotlib is not installed.
        ValueError: if `y` and `predicted` differ in length.
    """
    counts = [[0] * len(classes) for _ in classes]
    for true, guess in zip(y, predicted, strict=True):
        counts[true][guess] += 1
    right = count_right(predicted, y)
    names = [_text(_short(name, 16)) for name in classes]
    side, longest = max(2.8, 0.62 * len(names)), 0.09 * min(16, max(map(len, classes)))
    upright = longest > side / len(names)
    picture, [axes] = figure(
        side + 0.7 + longest,
        side + (0.9 + longest if upright else 1.1),
        f"{right} of {len(y)} right ({right / len(y):.1%})",
    )
    shares = [[count / max(1, sum(row)) for count in row] for row in counts]
    shades = [
        [
            _shade(BLUE if i == j else ORANGE, 0.15 + 0.85 * share) if share else _shade(GREY, 0.07)
            for j, share in enumerate(row)
        ]
        for i, row in enumerate(shares)
    ]
    axes.imshow(shades)
    for i, row in enumerate(counts):
        for j, count in enumerate(row):
            ink = _ink(shades[i][j]) if count else GREY
            axes.text(j, i, str(count), ha="center", va="center", color=ink, fontsize=12)
    ticks = range(len(names))
    axes.set_xticks(ticks, names, rotation=90 if upright else 0)
    axes.set_yticks(ticks, names)
    edges = [tick - 0.5 for tick in ticks[1:]]
    axes.set_xticks(edges, minor=True)
    axes.set_yticks(edges, minor=True)
    axes.grid(which="minor", color="white", linewidth=3)
    axes.spines[:].set_visible(False)
    axes.set(xlabel="predicted", ylabel="true")
    return picture


def predicted_against_true(
    y: Sequence[float], predicted: Sequence[float], name: str = "target"
) -> Figure:
    """Return each prediction over its true value, and the diagonal where the two agree.

    Args:
        y: the true number of each sample.
        predicted: the predicted one.
        name: what the number is.

    Raises:
        MissingMatplotlib: if matplotlib is not installed.
        ValueError: if `y` and `predicted` differ in length or are empty.
    """
    error = rmse(predicted, y)
    shown = f"{error:,.0f}" if 100 <= error < 1e9 else f"{error:.3g}"
    picture, [axes] = figure(5.0, 5.0, f"Root mean square error {shown}")
    limits = _stretched([*y, *predicted])
    axes.plot(limits, limits, color=ORANGE, linewidth=1.5, linestyle=(0, (5, 4)), label="exact")
    axes.plot(y, predicted, "o", color=BLUE, alpha=0.6, markersize=6.5, markeredgewidth=0)
    axes.set(xlim=limits, ylim=limits, aspect="equal")
    axes.locator_params(nbins=5)
    if 1e3 <= max(map(abs, limits)) < 1e7:
        axes.xaxis.set_major_formatter("{x:,.10g}")
        axes.yaxis.set_major_formatter("{x:,.10g}")
    axes.set(xlabel=f"true {_text(name)}", ylabel=f"predicted {_text(name)}")
    axes.grid(color=PALE)
    axes.legend(frameon=False, labelcolor=INK, loc="upper left")
    return picture


def decision_boundary(
    predict: Callable[[list[list[float]]], list[Any]],
    X: Sequence[Sequence[float]],
    y: Sequence[int],
    classes: Sequence[str],
    features: Sequence[str] = ("x1", "x2"),
) -> Figure:
    """Return the plane in the colours of the predicted classes, and the samples on it.

    The paler the colour, the closer the runner-up. The model is asked for 1,681 points.

    Args:
        predict: a model's `predict`. It gives one score for each of a list of points, positive for
            the second class, or one score per class, the largest for the class predicted.
        X: samples of two features.
        y: the class index of each.
        classes: the name of each class, eight at most.
        features: the names of the two features.

    Raises:
        MissingMatplotlib: if matplotlib is not installed.
        ValueError: if there are more than eight classes.
    """
    if len(classes) > len(PALETTE):
        raise ValueError(f"there are colours for {len(PALETTE)} classes, not {len(classes)}")
    picture, [axes] = figure(5.6, 4.2, "Decision boundary")
    intervals = 40
    (left, right), (bottom, top) = (_stretched(values) for values in zip(*X, strict=True))
    width, height = (right - left) / intervals, (top - bottom) / intervals
    across = [left + i * width for i in range(intervals + 1)]
    up = [bottom + j * height for j in range(intervals + 1)]
    leads = [[_leads(output) for output in predict([[a, b] for a in across])] for b in up]
    colours = [
        [_shade(PALETTE[largest(lead)], 0.12 + 0.38 * math.tanh(max(lead) / 2)) for lead in row]
        for row in leads
    ]
    axes.imshow(
        colours,
        extent=(left - width / 2, right + width / 2, bottom - height / 2, top + height / 2),
        origin="lower",
        interpolation="bilinear",
        aspect="auto",
    )
    for k, name in enumerate(classes):
        heights = [[lead[k] for lead in row] for row in leads]
        if min(map(min, heights)) < 0 < max(map(max, heights)):
            axes.contour(across, up, heights, levels=[0], colors=INK, linewidths=1.4)
        points = [x for x, label in zip(X, y, strict=True) if label == k]
        axes.plot(
            [first for first, _ in points],
            [second for _, second in points],
            "o",
            color=PALETTE[k],
            markeredgecolor="white",
            markersize=6.5,
            label=_text(name),
        )
    axes.set(xlim=(left, right), ylim=(bottom, top))
    axes.set(xlabel=_text(features[0]), ylabel=_text(features[1]))
    picture.legend(
        loc="outside lower center", ncols=min(5, len(classes)), frameon=False, labelcolor=INK
    )
    return picture


def gradient_sizes(gradients: Mapping[str, Sequence[float]]) -> Figure:
    """Return the size of each layer's gradient after each epoch, on a logarithmic scale.

    Where gradients vanish on their way back through a deep network, the line of a layer is orders
    of magnitude below that of the next.

    Args:
        gradients: by layer, one number per epoch, such as `History.gradients`. An epoch with a
            gradient of 0 leaves a gap.

    Raises:
        MissingMatplotlib: if matplotlib is not installed.
    """
    picture, [axes] = figure(5.6, 3.6, "Size of each layer's gradient")
    from matplotlib import colormaps  # noqa: PLC0415  optional, and slow to load

    epochs = max(map(len, gradients.values()), default=0)
    for position, (layer, sizes) in enumerate(gradients.items()):
        # from light at the input to dark at the output, so that the order is seen
        colour = colormaps["plasma"](0.72 * (1 - position / max(1, len(gradients) - 1)))
        seen = [size if 0 < size < math.inf else math.nan for size in sizes]
        line = "-" if len(sizes) > 1 else "o"
        axes.plot(range(1, len(sizes) + 1), seen, line, color=colour, label=_text(layer))
    axes.set(xlabel="epoch", ylabel="root mean square", xlim=(1, max(2, epochs)))
    axes.locator_params(axis="x", integer=True)
    if any(0 < size < math.inf for sizes in gradients.values() for size in sizes):
        axes.set_yscale("log")
    axes.grid(color=PALE)
    if gradients:
        picture.legend(
            loc="outside lower center", ncols=5, frameon=False, labelcolor=INK, fontsize=9
        )
    return picture


def weight_images(weights: Sequence[Sequence[Any]], most: int = 64) -> Figure:
    """Return the weights of each unit of a layer as an image: what it looks for in a picture.

    Blue is positive and orange negative, the deeper the larger, on one scale for all units.

    Args:
        weights: for each unit, its weights of the n × n pixels, row by row, such as
            `[neuron.weights for neuron in model.layers[0].neurons]`.
        most: how many units to show, the first ones.

    Raises:
        MissingMatplotlib: if matplotlib is not installed.
        ValueError: if there are no units, or the weights are not those of a square image.
    """
    units = [[float(weight) for weight in unit] for unit in weights]
    height = max((abs(weight) for unit in units for weight in unit), default=0.0)
    count = f"the first {most} of {len(units)}" if most < len(units) else str(len(units))
    title = f"Weights of {count} unit{'s' * (len(units) > 1)}, ±{height:.2g} at most"
    images = [
        [_shade(BLUE if weight > 0 else ORANGE, abs(weight) / (height or 1.0)) for weight in unit]
        for unit in units[:most]
    ]
    picture, axes = _images(images, [str(unit) for unit in range(len(images))], title)
    for colour, name in ((BLUE, "positive"), (ORANGE, "negative")):
        axes.plot([], [], "s", color=colour, markersize=8, label=name)
    picture.legend(loc="outside lower left", ncols=2, frameon=False, labelcolor=INK)
    return picture


def misclassified(
    X: Sequence[Sequence[float]],
    y: Sequence[int],
    predicted: Sequence[int],
    classes: Sequence[str],
    most: int = 24,
) -> Figure:
    """Return the images whose class is predicted wrong, with the true and the predicted class.

    Args:
        X: for each sample its n × n pixels, row by row, the larger the darker.
        y: the true class index of each sample.
        predicted: the predicted one.
        classes: the name of each class.
        most: how many to show, the first ones.

    Raises:
        MissingMatplotlib: if matplotlib is not installed.
        ValueError: if `X`, `y` and `predicted` differ in length, or a sample is no square image.
    """
    samples = zip(X, y, predicted, strict=True)
    wrong = [(x, true, guess) for x, true, guess in samples if true != guess]
    title = f"{len(wrong)} of {len(y)} wrong"
    if len(wrong) > most:
        title += f"; the first {most}"
    pixels = [pixel for x, _, _ in wrong for pixel in x]
    low, high = min(pixels, default=0.0), max(pixels, default=0.0)
    images = [
        [_shade(INK, (pixel - low) / (high - low or 1.0)) for pixel in x]
        for x, _, _ in wrong[:most]
    ]
    names = [_text(_short(name, 10)) for name in classes]
    captions = [f"is {names[true]}\ntaken for {names[guess]}" for _, true, guess in wrong[:most]]
    return _images(images, captions, title)[0]


def _images(
    images: Sequence[Sequence[Any]], captions: Sequence[str], title: str
) -> tuple[Figure, Axes]:
    """Return square images side by side, each the colours of its pixels, row by row."""
    for pixels in images:
        if math.isqrt(len(pixels)) ** 2 != len(pixels) or not pixels:
            raise ValueError(
                f"{len(pixels)} pixels are no square image; give n × n of them, row by row"
            )
    lines = max((caption.count("\n") + 1 for caption in captions), default=0)
    columns = min(8, max(6, len(images)))
    rows = -(-len(images) // columns)
    above = 0.18 + 0.17 * lines  # of an image, whose side is 1
    picture, [axes] = figure(0.82 * columns, 0.5 + 0.82 * (1 + above) * rows, title)
    axes.axis("off")
    for position, (pixels, caption) in enumerate(zip(images, captions, strict=True)):
        side = math.isqrt(len(pixels))
        left, top = 1.15 * (position % columns), position // columns * (1 + above) + above
        axes.imshow(
            [pixels[start : start + side] for start in range(0, len(pixels), side)],
            extent=(left, left + 1, top + 1, top),
            interpolation="nearest",
        )
        frame = ([left, left + 1, left + 1, left, left], [top, top, top + 1, top + 1, top])
        axes.plot(*frame, color=PALE, linewidth=1)
        axes.text(left + 0.5, top - 0.06, caption, color=INK, fontsize=8, ha="center", va="bottom")
    axes.set(xlim=(-0.02, 1.15 * columns - 0.13), ylim=(rows * (1 + above) + 0.02, -0.01))
    axes.set_aspect("equal")
    return picture, axes


def _leads(output: float | list[float]) -> list[float]:
    """Return, for each class, by how much its score leads the best of the others."""
    scores = output if isinstance(output, list) else [-output, output]
    return [
        score - max(other for j, other in enumerate(scores) if j != k)
        for k, score in enumerate(scores)
    ]


def _shade(colour: str, depth: float) -> list[float]:
    """Return a colour thinned with white, as red, green and blue in [0, 1]; at depth 1 as it is."""
    return [1 - depth * (1 - int(colour[i : i + 2], 16) / 255) for i in (1, 3, 5)]


def _ink(shade: list[float]) -> str:
    """Return white or the dark ink, whichever has the higher contrast (WCAG 2.2) on a shade."""
    paper, dark = _luminance(shade) + 0.05, _luminance(_shade(INK, 1)) + 0.05
    return "white" if 1.05 / paper > paper / dark else INK


def _luminance(shade: list[float]) -> float:
    """Return the relative luminance of red, green and blue, from 0 for black to 1 for white."""
    red, green, blue = (math.pow(channel, 2.2) for channel in shade)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _text(name: str) -> str:
    """Return a name as matplotlib prints it as it is: between two $ it would read mathematics."""
    return name.replace("$", r"\$")


def _short(name: str, longest: int) -> str:
    """Return a name of at most so many characters."""
    return name if len(name) <= longest else f"{name[: longest - 1]}…"


def _stretched(values: Sequence[float]) -> tuple[float, float]:
    """Return the range of the values and a twelfth more on either side."""
    margin = max(values) / 12 - min(values) / 12 or max(1.0, abs(values[0]) / 12)
    return min(values) - margin, max(values) + margin
