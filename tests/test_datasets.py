import csv
import gzip
import math
import random
import statistics
from collections import Counter

import numpy as np
import pytest
import sklearn.datasets
from hypothesis import given
from hypothesis import strategies as st

from nn.datasets import (
    DataError,
    Dataset,
    circles,
    digits,
    iris,
    measurements,
    moons,
    read_csv,
    spirals,
    split,
    xor,
)

SHAPES = [moons, circles, spirals, xor]
shapes = pytest.mark.parametrize("shape", SHAPES)


def labelled_points(X, y):
    return sorted(
        (round(a, 12) + 0.0, round(b, 12) + 0.0, int(k)) for (a, b), k in zip(X, y, strict=True)
    )


def write(path, text, encoding="utf-8"):
    path.write_bytes(text.encode(encoding))
    return path


# -- shapes


@pytest.mark.parametrize("samples", [1, 2, 7, 100])
def test_moons_are_those_of_scikit_learn_up_to_order(samples):
    expected = sklearn.datasets.make_moons(samples, noise=None)
    assert labelled_points(*expected) == labelled_points(*moons(samples, noise=0.0))


@pytest.mark.parametrize("samples", [1, 2, 7, 100])
def test_circles_are_those_of_scikit_learn_up_to_order(samples):
    expected = sklearn.datasets.make_circles(samples, noise=None, factor=0.5)
    assert labelled_points(*expected) == labelled_points(*circles(samples, noise=0.0))


def test_one_spiral_is_the_other_turned_by_half_a_circle():
    X, y = spirals(40, noise=0.0)
    first = [(a, b) for (a, b), label in zip(X, y, strict=True) if label == 0]
    second = [(-a, -b) for (a, b), label in zip(X, y, strict=True) if label == 1]
    assert sorted(first) == sorted(second)


def test_a_spiral_turns_evenly_as_it_grows():
    X, y = spirals(40, noise=0.0, turns=2.0)
    for (a, b), label in zip(X, y, strict=True):
        angle = 2 * math.pi * 2.0 * math.hypot(a, b) + math.pi * label
        assert (a, b) == pytest.approx(
            (math.hypot(a, b) * math.cos(angle), math.hypot(a, b) * math.sin(angle))
        )


def test_xor_is_true_where_the_inputs_differ():
    X, y = xor(101, noise=0.0)
    assert [float(a != b) for a, b in X] == y


@shapes
def test_shapes_have_two_named_classes_of_equal_size(shape):
    data = shape(100)
    assert (Counter(data.y), len(data.classes)) == ({0: 50, 1: 50}, 2)


@shapes
def test_shapes_are_shuffled(shape):
    _, y = shape(100)
    assert y != sorted(y)


@shapes
def test_a_seed_fixes_every_point_and_another_seed_moves_them(shape):
    assert shape(seed=3) == shape(seed=3)
    assert shape(seed=3) != shape(seed=4)


@shapes
def test_shapes_leave_the_global_generator_alone(shape):
    before = random.getstate()
    shape()
    assert before == random.getstate()


@shapes
def test_noise_is_gaussian_of_that_deviation(shape):
    still, _ = shape(4000, noise=0.0)
    moved, _ = shape(4000, noise=0.5)
    offsets = [b - a for p, q in zip(still, moved, strict=True) for a, b in zip(p, q, strict=False)]
    # 8000 draws: the standard errors are 0.0056 and 0.0040, and the seed is fixed
    assert statistics.fmean(offsets) == pytest.approx(0.0, abs=0.02)
    assert statistics.pstdev(offsets) == pytest.approx(0.5, abs=0.015)


@shapes
@pytest.mark.parametrize("arguments", [{"samples": 0}, {"samples": 2.5}, {"noise": -0.1}])
def test_a_shape_of_no_points_or_negative_noise_is_an_error_that_names_it(shape, arguments):
    ((name, value),) = arguments.items()
    with pytest.raises(ValueError, match=f"{name} is .*, not {value}"):
        shape(**arguments)


# -- measurements


def test_iris_is_fishers_as_scikit_learn_has_it():
    expected = sklearn.datasets.load_iris()
    data = iris()
    assert expected.data.tolist() == data.X
    assert expected.target.tolist() == data.y
    assert expected.target_names.tolist() == data.classes


def test_iris_has_the_two_flowers_as_fisher_printed_them_which_uci_has_not():
    X, _ = iris()
    assert [X[34], X[37]] == [[4.9, 3.1, 1.5, 0.2], [4.9, 3.6, 1.4, 0.1]]


def test_digits_are_the_uci_test_set_with_pixels_from_0_to_1():
    expected = sklearn.datasets.load_digits()
    X, y = digits()
    assert np.array_equal(expected.data / 16, X)
    assert expected.target.tolist() == y


def test_the_compressed_digits_carry_no_date_or_name():
    header = (measurements._FOLDER / "digits.csv.gz").read_bytes()[:10]
    assert (header[4:8], header[3]) == (b"\0\0\0\0", 0)


def test_the_sources_and_the_licence_stand_beside_the_files():
    text = (measurements._FOLDER / "README.md").read_text(encoding="utf-8")
    for named in (
        "10.24432/C56C76",
        "10.24432/C50P49",
        "CC BY 4.0",
        "Fisher",
        "Alpaydin",
        "Kaynak",
    ):
        assert named in text


# -- datasets


def test_a_dataset_unpacks_into_samples_and_targets():
    data = iris()
    X, y = data
    assert (X, y) == (data.X, data.y)


def test_a_dataset_is_as_long_as_it_has_samples():
    assert len(xor(7)) == 7


def test_a_dataset_cannot_be_changed_by_assignment():
    with pytest.raises(AttributeError):
        iris().X = []


@given(
    labels=st.lists(st.integers(0, 3), min_size=1, max_size=60),
    test=st.floats(0.01, 0.99),
    seed=st.integers(0, 9),
)
def test_a_split_parts_the_samples_and_stratifies_the_classes(labels, test, seed):
    data = Dataset([[float(i)] for i in range(len(labels))], labels, ["x"], "y", list("abcd"))
    training, held_out = split(data, test, seed)
    assert sorted(training.X + held_out.X) == data.X
    for part in (training, held_out):
        assert [labels[int(x)] for [x] in part.X] == part.y
        assert sorted(part.X) == part.X
    for label, count in Counter(labels).items():
        expected = min(max(1, round(test * count)), count - 1)
        assert expected == held_out.y.count(label)


def test_a_split_depends_on_its_seed_alone():
    data = iris()
    assert split(data, seed=1) == split(data, seed=1)
    assert split(data, seed=1) != split(data, seed=2)


def test_a_split_of_numbers_holds_out_their_share():
    data = Dataset([[float(i)] for i in range(50)], [float(i) for i in range(50)], ["x"], "y")
    assert [len(part.y) for part in split(data, test=0.3)] == [35, 15]


@pytest.mark.parametrize("share", [0, 1, -0.2, 1.5, math.nan])
def test_a_split_by_no_share_is_an_error(share):
    with pytest.raises(ValueError, match=r"between 0 and 1, not"):
        split(iris(), test=share)


# -- CSV files


names = st.text(st.characters(categories=["L"]), min_size=1)
# framed by letters, since the spaces around a cell and a text that is a number mean something else
kinds = st.text(st.characters(codec="utf-8", exclude_characters="\0")).map(lambda text: f"ä{text}ö")


@given(
    numbers=st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=8),
    names=st.lists(names, min_size=3, max_size=3, unique=True),
    kinds=st.lists(kinds, min_size=8, max_size=8),
    delimiter=st.sampled_from(",;\t"),
    byte_order_mark=st.booleans(),
)
def test_what_was_written_is_read(
    tmp_path_factory, numbers, names, kinds, delimiter, byte_order_mark
):
    path = tmp_path_factory.mktemp("csv") / "data.csv"
    encoding = "utf-8-sig" if byte_order_mark else "utf-8"
    with path.open("w", encoding=encoding, newline="") as file:
        rows = csv.writer(file, delimiter=delimiter)
        rows.writerows([names, *zip(numbers, kinds, reversed(numbers), strict=False)])
    data = read_csv(path, names[1])
    assert names[::2] == data.features
    assert [list(pair) for pair in zip(numbers, reversed(numbers), strict=True)] == data.X
    assert kinds[: len(numbers)] == [data.classes[label] for label in data.y]


def test_text_columns_stay_text_and_numeric_targets_stay_numbers(tmp_path):
    path = write(tmp_path / "cars.csv", "colour,doors,price\nred,2,10.5\nblue,4,8\nred,4,7e0\n")
    data = read_csv(path, "price")
    assert data.X == [["red", 2.0], ["blue", 4.0], ["red", 4.0]]
    assert (data.y, data.classes) == ([10.5, 8.0, 7.0], None)
    assert data.categories == {"colour": ["blue", "red"]}


def test_numbers_taken_as_text_are_classes_and_categories(tmp_path):
    path = write(tmp_path / "codes.csv", "code,grade\n10,1\n20,2\n10,2\n")
    data = read_csv(path, "grade", text=["grade", "code"])
    assert (data.X, data.y) == ([["10"], ["20"], ["10"]], [0, 1, 1])
    assert (data.classes, data.categories) == (["1", "2"], {"code": ["10", "20"]})


def test_texts_with_commas_and_texts_that_could_mean_missing_stay_text(tmp_path):
    text = "who;sign;size\nRoe, J.;-;1\nDoe, A.;+;2\n1,5 men;-;3\n"
    data = read_csv(write(tmp_path / "data.csv", text), "size")
    assert data.categories == {"who": ["1,5 men", "Doe, A.", "Roe, J."], "sign": ["+", "-"]}
    commas = write(tmp_path / "commas.csv", "x;y\n1,5;1\n2,5;2\n")
    assert read_csv(commas, "y", text=["x"]).categories == {"x": ["1,5", "2,5"]}


def test_dropped_columns_are_not_read_at_all(tmp_path):
    path = write(tmp_path / "data.csv", "id,x,y\n,1,2\n7,3,4\n")
    assert read_csv(path, "y", drop=["id"]).X == [[1.0], [3.0]]


def test_rows_without_text_spaces_around_cells_and_old_line_ends_do_not_matter(tmp_path):
    expected = read_csv(write(tmp_path / "a.csv", "x,y\n1,2\n3,4\n"), "y")
    assert expected == read_csv(write(tmp_path / "b.csv", "\n x , y \n1, 2\n\n,\n3,4 \n\n"), "y")
    assert expected == read_csv(write(tmp_path / "c.csv", "x,y\r\n1,2\r\n3,4\r\n"), "y")
    assert expected == read_csv(write(tmp_path / "d.csv", "x,y\r1,2\r3,4\r"), "y")


def test_a_compressed_file_is_read_as_the_plain_one(tmp_path):
    plain = write(tmp_path / "a.csv", "x,y\n1,2\n3,4\n")
    packed = tmp_path / "a.csv.gz"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    assert read_csv(plain, "y") == read_csv(packed, "y")


FAULTS = {
    "empty": ("", "{path}: the file is empty; "),
    "blank": (" \n\n", "{path}: the file is empty; "),
    "header only": ("x,y\n", "{path}: there is no row below the line of column names; "),
    "ragged": ("x,y\n1,2\n3\n", "{path}, line 3: 1 cells for 2 columns; "),
    "surplus cell": ("x,y\n1,2,3\n", "{path}, line 2: 3 cells for 2 columns; "),
    "after a cell of two lines": (
        'x,y\n"1\n",2\n\n3\n',
        "{path}, line 5: 1 cells for 2 columns; ",
    ),
    "missing": ("x,y\n1,2\n,4\n", "{path}, line 3, column 'x': the value is missing (1 of 2 rows"),
    "missing target": ("x,y\n1,\n3,4\n", "{path}, line 2, column 'y': the value is missing"),
    "no number": (
        "x,y\n1,2\n2,3\nthree,4\n",
        "{path}, line 4, column 'x': 'three' is not a number",
    ),
    "decimal comma": (
        "x;y\n1;2\n2;3\n1,5;4\n",
        "{path}, line 4, column 'x': '1,5' is not a number, and this column is numeric; write 1.5",
    ),
    "underscore": ("x,y\n1,2\n2,3\n1_0,4\n", "{path}, line 4, column 'x': '1_0' is not a number"),
    "nan": ("x,y\n1,2\nnan,4\n", "{path}, line 3, column 'x': the value is missing ('nan')"),
    "NA": ("x,y\n1,2\nNA,4\n,5\n", "{path}, line 4, column 'x': the value is missing"),
    "mostly n/a": (
        "x,y\nn/a,2\n?,4\n3,4\n",
        "{path}, line 2, column 'x': the value is missing ('n/a'); ",
    ),
    "decimal commas": (
        "x;y\n94,3;1\n2;2\n1,5;4\n",
        "line 2, column 'x': '94,3' is not a number; write 94.3 and so on, or keep the column as",
    ),
    "thousands": ('x,y\n"1,234.5",2\n"$20,000",3\n', "'1,234.5' is not a number; write 1234.5 "),
    "decimal point or not": ("x;y\n1,000;2\n2,500;3\n", "write 1000 or 1.000 and so on"),
    "currency": ("x,y\n2,€ 5\n3,€ 6\n", "column 'y': '€ 5' is not a number; write 5 and so on"),
    "underscores": ("x,y\n1_000,2\n2_000,3\n", "'1_000' is not a number; write 1000 and so on"),
    "NUL": ("x,y\n1\0,2\n", "{path}, line 2: a NUL character is no text; save the file as UTF-8"),
    "infinite": ("x,y\n1,2\n1,-inf\n", "{path}, line 3, column 'y': '-inf' is not a finite number"),
    "no such target": ("x,yield\n1,2\n", "{path}: there is no column 'y'; "),
    "other case": ("x,Y1\n1,2\n", "Its columns are x, Y1"),
    "same name": ("x,y,x\n1,2,3\n", "{path}, line 1: two columns are called 'x'; "),
    "no name": ("x,,y\n1,2,3\n", "{path}, line 1: column 2 has no name; "),
    "no feature": ("y\n1\n", "{path}: 'y' has no other column to be predicted from"),
    "open quote": ('x,y\n1,2\n"3,4\n', "{path}, line 3: unexpected end of data; check the quotes"),
    "huge cell": (f"x,y\n{'1' * 200_000},2\n", "{path}, line 2: field larger than field limit"),
}


@pytest.mark.parametrize(("text", "message"), FAULTS.values(), ids=FAULTS)
def test_a_faulty_file_is_an_error_of_one_line_that_says_where(tmp_path, text, message):
    path = write(tmp_path / "data.csv", text)
    with pytest.raises(DataError) as caught:
        read_csv(path, "y")
    assert message.format(path=path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_unknown_column_is_met_with_the_closest_and_the_list():
    with pytest.raises(
        DataError, match=r"no column 'Specis'; did you mean 'species'\? Its columns"
    ):
        read_csv(measurements._FOLDER / "iris.csv", "Specis")


@pytest.mark.parametrize("argument", ["text", "drop"])
def test_an_unknown_column_to_drop_or_take_as_text_is_an_error(argument):
    with pytest.raises(DataError, match="no column 'sepal'"):
        read_csv(measurements._FOLDER / "iris.csv", "species", **{argument: ["sepal"]})


def test_the_target_cannot_be_dropped():
    with pytest.raises(DataError, match="'species' is the target"):
        read_csv(measurements._FOLDER / "iris.csv", "species", drop=["species"])


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16"])
def test_a_file_that_is_not_utf_8_is_an_error_that_names_the_line(tmp_path, encoding):
    path = write(tmp_path / "data.csv", "x,y\n1,2\n3,ä\n", encoding)
    line = 3 if encoding == "latin-1" else 1
    with pytest.raises(DataError, match=rf"data.csv, line {line}: byte 0x\w\w is not UTF-8; save"):
        read_csv(path, "y")


def test_a_damaged_gzip_file_is_an_error(tmp_path):
    path = tmp_path / "data.csv.gz"
    for content in (b"x,y\n1,2\n", gzip.compress(b"x,y\n1,2\n")[:-4]):
        path.write_bytes(content)
        with pytest.raises(DataError, match="not a whole gzip file"):
            read_csv(path, "y")


def test_a_file_that_is_not_there_or_a_folder_is_an_os_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_csv(tmp_path / "none.csv", "y")
    with pytest.raises(IsADirectoryError):
        read_csv(tmp_path, "y")
