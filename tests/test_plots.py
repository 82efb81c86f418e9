import itertools
import math
import subprocess
import sys

import matplotlib.colors
import pytest

from nn import MLP, SGD, fit, hinge, plots
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
    "gradient sizes": lambda: plots.gradient_sizes({"layers.0": [1e-3, 1e-2], "b": [1.0, 0.1]}),
}
IMAGES = {
    "weights": lambda: plots.weight_images([[1.0, -0.5, 0.0, 0.25]] * 3),
    "misclassified": lambda: plots.misclassified([[0.0, 1.0, 2.0, 3.0]], [0], [1], ["no", "yes"]),
}
every_figure = pytest.mark.parametrize(
    "figure", [*FIGURES.values(), *IMAGES.values()], ids=[*FIGURES, *IMAGES]
)


@every_figure
def test_a_figure_is_saved_as_the_same_png_every_time(figure, tmp_path):
    first = save(figure(), tmp_path / "first.png")
    assert first.startswith(b"\x89PNG")
    assert first == save(figure(), tmp_path / "second.png")


@pytest.mark.parametrize("figure", FIGURES.values(), ids=FIGURES)
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
    monkeypatch.delitem(sys.modules, "nn.picture", raising=False)
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


def test_the_boundary_asks_for_so_few_points_that_a_small_network_answers_at_once():
    asked = []

    def predict(X):
        asked.extend(X)
        return [0.0] * len(X)

    plots.decision_boundary(predict, *moons(), ["upper", "lower"])
    assert len(asked) == 1681


def test_each_layer_has_a_line_of_its_gradients_and_a_gap_where_they_are_0(tmp_path):
    figure = plots.gradient_sizes({"layers.0": [1e-3, 0.0, 1e-2], "$b$": [1.0, 2.0, 3.0]})
    save(figure, tmp_path / "figure.png")
    (axes,) = figure.axes
    drawn = curves(figure)
    assert list(drawn) == ["layers.0", "\\$b\\$"]
    assert [math.isnan(size) for size in drawn["layers.0"]] == [False, True, False]
    assert drawn["\\$b\\$"] == [1.0, 2.0, 3.0]
    assert axes.get_yscale() == "log"


@pytest.mark.parametrize("gradients", [{}, {"a": []}, {"a": [0.0]}, {"a": [math.inf, math.nan]}])
def test_gradients_that_a_logarithm_cannot_show_still_make_a_picture(gradients, tmp_path):
    assert save(plots.gradient_sizes(gradients), tmp_path / "figure.png")


@pytest.mark.parametrize(("activation", "vanishes"), [("sigmoid", True), ("relu", False)])
def test_the_gradients_of_a_deep_sigmoid_network_vanish_and_those_of_relu_do_not(
    activation, vanishes
):
    X, y = moons()
    signs = [2 * label - 1 for label in y]
    model = MLP(2, [8] * 6 + [1], activation)
    optimizer = SGD(model.parameters(), 0.1)
    history = fit(model, X, signs, hinge, optimizer, epochs=3, batch_size=10, progress=False)
    first, *_, last = [
        sizes[0] for sizes in curves(plots.gradient_sizes(history.gradients)).values()
    ]
    assert (first < 1e-3 * last) == vanishes
    assert vanishes or first > 0.1 * last


def shades(image):
    """The colours of an image as a list of rows of lists."""
    return [[list(pixel) for pixel in row] for row in image.get_array().tolist()]


def test_weights_are_blue_or_orange_by_sign_and_as_deep_as_they_are_large():
    (axes,) = plots.weight_images([[2.0, -2.0, 1.0, -1.0], [0.0, 0.5, 0.5, 0.0]]).axes
    first, second = map(shades, axes.images)
    (positive, negative), (half, half_negative) = first
    assert matplotlib.colors.to_hex(positive) == plots.BLUE
    assert matplotlib.colors.to_hex(negative) == plots.ORANGE
    for whole, part in ((positive, half), (negative, half_negative)):
        assert part == pytest.approx([(1 + channel) / 2 for channel in whole])
    assert second[0][0] == second[1][1] == [1.0, 1.0, 1.0]
    quarter = [1 - (1 - channel) / 4 for channel in positive]
    assert second[0][1] == pytest.approx(quarter)
    assert axes.get_title("left") == "Weights of 2 units, ±2 at most"


def test_weights_may_be_values_and_the_first_units_are_shown():
    layer = MLP(9, [5, 1]).layers[0]
    (axes,) = plots.weight_images([neuron.weights for neuron in layer.neurons], most=3).axes
    assert len(axes.images) == 3
    assert axes.get_title("left").startswith("Weights of the first 3 of 5 units")


def test_weights_that_are_all_0_are_white():
    (axes,) = plots.weight_images([[0.0] * 4]).axes
    assert shades(axes.images[0]) == [[[1.0, 1.0, 1.0]] * 2] * 2


def test_what_is_wrong_is_shown_row_by_row_with_what_it_is_and_what_it_was_taken_for():
    X = [[0.0, 1.0, 2.0, 3.0], [4.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 4.0]]
    (axes,) = plots.misclassified(X, [0, 1, 1], [1, 1, 0], ["no", "a name too long"]).axes
    assert axes.get_title("left") == "2 of 3 wrong"
    assert texts(axes) == ["is no\ntaken for a name to…", "is a name to…\ntaken for no"]
    images = [[pixel[0] for row in shades(image) for pixel in row] for image in axes.images]
    dark = matplotlib.colors.to_rgb(plots.INK)[0]
    for image, pixels in zip(images, (X[0], X[2]), strict=True):
        expected = [1 - pixel / 4 * (1 - dark) for pixel in pixels]
        assert image == pytest.approx(expected)


def test_the_first_of_many_wrong_are_shown():
    (axes,) = plots.misclassified([[1.0]] * 30, [0] * 30, [1] * 30, ["a", "b"], most=10).axes
    assert axes.get_title("left") == "30 of 30 wrong; the first 10"
    assert len(axes.images) == 10


def test_nothing_wrong_is_said_in_the_title(tmp_path):
    figure = plots.misclassified([[1.0]] * 3, [0] * 3, [0] * 3, ["a"])
    assert figure.axes[0].get_title("left") == "0 of 3 wrong"
    assert save(figure, tmp_path / "figure.png")


@pytest.mark.parametrize("pixels", [0, 3, 8])
def test_what_is_no_square_image_is_refused_in_one_line(pixels):
    message = f"{pixels} pixels are no square image; give n × n of them, row by row"
    for make in (
        lambda: plots.weight_images([[1.0] * pixels]),
        lambda: plots.misclassified([[1.0] * pixels], [0], [1], ["a", "b"]),
    ):
        with pytest.raises(ValueError, match=f"^{message}$"):
            make()


@every_figure
def test_a_notebook_shows_a_figure_by_itself_at_its_size_in_inches(figure):
    picture = figure()
    image, size = picture._repr_png_()
    assert image.startswith(b"\x89PNG")
    assert [size["width"], size["height"]] == [round(96 * x) for x in picture.get_size_inches()]


def test_axes_side_by_side_have_a_title_each():
    _, every_axes = plots.figure(8.0, 3.0, "left", "right")
    assert [axes.get_title("left") for axes in every_axes] == ["left", "right"]


def test_axes_fill_rows_in_the_order_of_their_titles():
    picture, every_axes = plots.figure(6.0, 4.0, *"abcdef", rows=2)
    picture.draw_without_rendering()
    places = [(-round(axes.get_position().y0, 3), axes.get_position().x0) for axes in every_axes]
    assert places == sorted(places)
    assert len({y for y, _ in places}) == 2


def test_titles_that_do_not_fill_the_rows_are_refused():
    with pytest.raises(ValueError, match=r"^figure: 3 titles do not fill 2 rows; give as many"):
        plots.figure(6.0, 4.0, *"abc", rows=2)


@pytest.mark.parametrize("epochs", [1, 3, 20])
def test_epochs_are_counted_in_whole_numbers(epochs):
    losses = [1.0 / (epoch + 1) for epoch in range(epochs)]
    for picture in (plots.loss_curve(losses), plots.gradient_sizes({"layers.0": losses})):
        picture.draw_without_rendering()
        assert all(tick == round(tick) for tick in picture.axes[0].get_xticks())
