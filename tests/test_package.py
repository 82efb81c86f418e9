"""The wheel holds everything, and needs nothing to be imported."""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def run(*command, **options):
    return subprocess.run(command, check=True, capture_output=True, text=True, **options).stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    for package in ("autograd", "nn"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / package, source / package, ignore=ignored)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    options = ["--no-deps", "--no-build-isolation", "--no-index", "--wheel-dir", str(folder)]
    run(sys.executable, "-m", "pip", "wheel", *options, str(source))
    (built,) = folder.glob("*.whl")
    return built


def test_the_wheel_holds_every_source_and_data_file(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    expected = {
        path.relative_to(ROOT).as_posix()
        for package in ("autograd", "nn")
        for path in (ROOT / package).rglob("*")
        if path.is_file()
        and path.suffix in {".py", ".typed", ".csv", ".gz", ".md", ".js", ".css", ".html", ".json"}
    }
    assert expected == {name for name in names if ".dist-info/" not in name}


def test_both_packages_import_from_the_wheel_in_an_empty_environment(wheel, tmp_path):
    environment = tmp_path / "environment"
    run(sys.executable, "-m", "venv", "--without-pip", str(environment))
    python = next(p for p in environment.glob("*/python*") if p.stem == "python")
    pip = ["-m", "pip", "--python", str(python), "install", "--no-deps", "--no-index", str(wheel)]
    run(sys.executable, *pip)
    program = """
import autograd, nn, nn.datasets
a = autograd.Value(3.0)
(a * a).backward()
model = nn.MLP(4, [3])
print(a.grad, len(nn.datasets.iris().y), len(nn.datasets.digits().y), autograd.__file__)
"""
    printed = run(str(python), "-I", "-c", program, cwd=tmp_path).split()
    assert printed[:3] == ["6.0", "150", "1797"]
    assert Path(printed[3]).is_relative_to(environment)
