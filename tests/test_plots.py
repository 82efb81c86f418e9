import itertools
import math
import subprocess
import sys

import matplotlib.colors
import pytest

from nn import plots
from nn.datasets import iris, moons


def texts(axes):
    return [text.get_text() for text in axes.texts]


def curves(figure):
    """The y data of each labelled line."""
    return {
        line.get_label(): line.get_ydata().tolist()
        for line in figure.axes[0].lines
        if not line.get_label().startswith("_")
    }


def save(figure, path):
    figure.savefig(path)
    return path.read_bytes()


FIGURES = {
    "loss curve": lambda: plots.loss_curve([3.0, 1.0, 0.1], [3.0, 2.0, 1.0]),
    "confusion matrix": lambda: plots.confusion_matrix([0, 1, 1], [0, 1, 0], ["no", "yes"]),
    "predicted against true": lambda: plots.predicted_against_true([1.0, 2.0], [1.5, 2.0], "price"),
    "decision boundary": lambda: plots.decision_boundary(
        lambda X: [a - b for a, b in X], *moons(20), ["upper", "lower"]
    ),
}
every_figure = pytest.mark.parametrize("figure", FIGURES.values(), ids=FIGURES)


@every_figure
def test_a_figure_is_saved_as_the_same_png_every_time(figure, tmp_path):
    first = save(figure(), tmp_path / "first.png")
    assert first.startswith(b"\x89PNG")
    assert first == save(figure(), tmp_path / "second.png")


@every_figure
def test_a_figure_has_a_title_and_both_axes_named(figure):
    (axes,) = figure().axes
    assert all([axes.get_title("left"), axes.get_xlabel(), axes.get_ylabel()])


def test_pictures_leave_pyplot_and_its_global_state_alone():
    code = (
        "import sys; from nn import plots; assert 'matplotlib' not in sys.modules;"
        "plots.loss_curve([1.0, 0.5]); assert 'matplotlib.pyplot' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@every_figure
def test_without_matplotlib_one_line_says_what_to_install(figure, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(plots.MissingMatplotlib) as caught:
        figure()
    assert str(caught.value) == "pictures need matplotlib: pip install 'glassgrad[plot]'"


def test_the_loss_curve_shows_every_epoch_of_both_losses():
    figure = plots.loss_curve([3.0, 1.0, 0.5], [4.0, 2.0, 1.0])
    assert curves(figure) == {"training": [3.0, 1.0, 0.5], "validation": [4.0, 2.0, 1.0]}


def test_the_loss_curve_does_without_a_validation_loss():
    assert list(curves(plots.loss_curve([3.0, 1.0]))) == ["training"]


def test_the_loss_curve_marks_the_epoch_kept():
    for kept, marked in ((None, 3), (2, 2)):
        (axes,) = plots.loss_curve([3.0, 1.0, 0.5], [4.0, 2.0, 5.0], kept).axes
        dots = [line.get_xydata().tolist() for line in axes.lines if line.get_marker() == "o"]
        assert dots == [
            [[marked, [3.0, 1.0, 0.5][marked - 1]]],
            [[marked, [4.0, 2.0, 5.0][marked - 1]]],
        ]


@pytest.mark.parametrize("name", ["$\\bad{$", "a $ and b $", "\\$", "$x^2$"])
def test_a_name_with_dollar_signs_is_shown_as_it_is(name, tmp_path):
    for figure, shown in (
        (plots.confusion_matrix([0, 1], [0, 1], [name, "b"]), lambda axes: axes.get_xticklabels()),
        (plots.predicted_against_true([1.0], [1.0], name), lambda axes: [axes.xaxis.label]),
        (
            plots.decision_boundary(lambda X: [a for a, _ in X], *moons(9), [name] * 2, [name] * 2),
            lambda axes: [*axes.figure.legends[0].texts, axes.xaxis.label],
        ),
    ):
        save(figure, tmp_path / "figure.png")
        drawn = [t._preprocess_math(t.get_text()) for t in shown(figure.axes[0])]
        assert any(name in text for text, _ in drawn)
        assert not any(is_math for _, is_math in drawn)


def test_a_name_in_a_script_that_the_font_lacks_is_no_warning(tmp_path):
    assert save(plots.confusion_matrix([0, 1], [0, 1], ["中", "国"]), tmp_path / "figure.png")


@pytest.mark.parametrize(
    ("losses", "scale"),
    [
        ([1.0, 0.1], "log"),
        ([1.0, 0.9], "linear"),
        ([1.0, 0.0], "linear"),
        ([math.inf, 1.0], "linear"),
    ],
)
def test_the_loss_is_logarithmic_where_it_changes_much_and_can_be(losses, scale):
    assert plots.loss_curve(losses).axes[0].get_yscale() == scale


def test_the_confusion_matrix_counts_true_classes_by_row_and_predicted_by_column():
    figure = plots.confusion_matrix([0, 0, 1, 2, 2, 2], [0, 1, 1, 2, 2, 0], ["a", "b", "c"])
    assert texts(figure.axes[0]) == ["1", "1", "0", "0", "1", "0", "1", "0", "2"]
    assert figure.axes[0].get_title("left") == "4 of 6 right (66.7%)"


def test_the_confusion_matrix_names_the_classes_and_shortens_long_names():
    (axes,) = plots.confusion_matrix([0], [0], ["short", "a name of twenty-two"]).axes
    for ticks in (axes.get_xticklabels(), axes.get_yticklabels()):
        assert [tick.get_text() for tick in ticks] == ["short", "a name of twent…"]


def test_every_count_stands_out_from_its_cell():
    for wrong in range(11):
        y, predicted = [0] * 10 + [1] * 10, [0] * (10 - wrong) + [1] * (wrong + 10)
        (axes,) = plots.confusion_matrix(y, predicted, ["a", "b"]).axes
        pixels = axes.images[0].get_array()
        for text in axes.texts:
            if text.get_text() != "0":
                j, i = text.get_position()
                ink = matplotlib.colors.to_rgb(text.get_color())
                dark, light = sorted(map(relative_luminance, (pixels[i][j], ink)))
                assert (light + 0.05) / (dark + 0.05) >= 3.5


def relative_luminance(colour):
    """WCAG 2.2's definition."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_right_is_blue_and_wrong_is_orange():
    pixels = plots.confusion_matrix([0, 1], [0, 0], ["a", "b"]).axes[0].images[0].get_array()
    (red, _, blue), (wrong_red, _, wrong_blue) = pixels[0][0], pixels[1][0]
    assert blue > red
    assert wrong_red > wrong_blue


def test_a_prediction_stands_over_its_true_value_beside_the_diagonal():
    y, predicted = [1.0, 2.0, 4.0], [1.5, 2.0, 3.0]
    (axes,) = plots.predicted_against_true(y, predicted, "price").axes
    diagonal, points = axes.lines
    assert (points.get_xdata().tolist(), points.get_ydata().tolist()) == (y, predicted)
    assert diagonal.get_xdata().tolist() == diagonal.get_ydata().tolist()
    assert axes.get_title("left") == f"Root mean square error {math.sqrt(1.25 / 3):.3g}"


@pytest.mark.parametrize("y", [[5e4, 1.2e5, 2.5e5], [1.0, 1e6], [-0.5, 0.25], [1e9, 1e9 + 4]])
def test_the_numbers_on_the_axes_are_few_and_do_not_touch(y, tmp_path):
    figure = plots.predicted_against_true(y, y)
    save(figure, tmp_path / "figure.png")
    low, high = figure.axes[0].get_xlim()
    ticks = figure.axes[0].xaxis.get_major_ticks()
    boxes = [t.label1.get_window_extent() for t in ticks if low <= t.get_loc() <= high]
    assert 2 <= len(boxes) <= 5
    assert all(one.x1 < other.x0 for one, other in itertools.pairwise(boxes))


def test_large_numbers_are_grouped_by_thousands(tmp_path):
    figure = plots.predicted_against_true([5e4, 2.5e5], [5e4 + 3081 * 2**0.5, 2.5e5])
    save(figure, tmp_path / "figure.png")
    (axes,) = figure.axes
    assert axes.get_title("left") == "Root mean square error 3,081"
    for labels in (axes.get_xticklabels(), axes.get_yticklabels()):
        assert "100,000" in [label.get_text() for label in labels]


@pytest.mark.parametrize("size", [1e-200, 1e200, 1e300])
def test_targets_of_every_size_make_a_picture(size, tmp_path):
    for y in ([-size, size], [size, size]):
        assert save(plots.predicted_against_true(y, y), tmp_path / "figure.png")


def test_predictions_that_all_agree_still_make_a_picture():
    (axes,) = plots.predicted_against_true([2.0, 2.0], [2.0, 2.0]).axes
    assert axes.get_xlim() == (1.0, 3.0)


def test_the_boundary_runs_where_the_score_changes_sign():
    figure = plots.decision_boundary(
        lambda X: [3 * (b - 0.2 * a) for a, b in X], *moons(), ["upper", "lower"]
    )
    (axes,) = figure.axes
    vertices = [
        v for lines in axes.collections for path in lines.get_paths() for v in path.vertices
    ]
    assert vertices
    for a, b in vertices:
        assert b == pytest.approx(0.2 * a, abs=1e-9)


def test_every_class_has_its_region_and_its_samples():
    data = iris()
    X = [row[2:] for row in data.X]
    centres = [(1.5, 0.2), (4.3, 1.3), (5.6, 2.0)]
    figure = plots.decision_boundary(
        lambda X: [[-math.dist(x, centre) for centre in centres] for x in X],
        X,
        data.y,
        data.classes,
        data.features[2:],
    )
    (axes,) = figure.axes
    assert {name: len(y) for name, y in curves(figure).items()} == dict.fromkeys(data.classes, 50)
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("petal_length", "petal_width")
    assert len(axes.collections) == 3


def test_a_class_without_samples_and_a_plane_without_boundary_still_make_a_picture():
    figure = plots.decision_boundary(lambda X: [1.0] * len(X), [[0.0, 1.0]], [1], ["no", "yes"])
    assert curves(figure) == {"no": [], "yes": [1.0]}
    assert not figure.axes[0].collections
