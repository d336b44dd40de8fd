"""The docstrings of the compiled part equal those in the stubs, so that `help` and editors show the same."""

from __future__ import annotations

import ast
import inspect
from pathlib import Path

import splendor_prep
from splendor_prep import _native


def stub_docstrings() -> dict[str, str]:
    stubs = Path(splendor_prep.__file__).with_name("_native.pyi")
    docstrings = {}

    def visit(body: list[ast.stmt], prefix: str) -> None:
        for node in body:
            if isinstance(node, (ast.ClassDef, ast.FunctionDef)):
                docstring = ast.get_docstring(node)
                if docstring:
                    docstrings[prefix + node.name] = docstring
                if isinstance(node, ast.ClassDef):
                    visit(node.body, f"{node.name}.")

    visit(ast.parse(stubs.read_text()).body, "")
    return docstrings


def test_stubs_equal_docstrings() -> None:
    docstrings = stub_docstrings()
    assert len(docstrings) > 30
    for name, expected in docstrings.items():
        found: object = _native
        for part in name.split("."):
            found = getattr(found, part)
        assert inspect.getdoc(found) == expected, name


def test_everything_public_is_documented() -> None:
    for name in splendor_prep.__all__:
        value = getattr(splendor_prep, name)
        if not (inspect.isclass(value) or callable(value)):
            continue
        assert inspect.getdoc(value), name
        members = [] if not inspect.isclass(value) else vars(value).items()
        for member, its_value in members:
            if not member.startswith("_") and (callable(its_value) or isinstance(its_value, property)):
                assert inspect.getdoc(getattr(value, member)), f"{name}.{member}"
