"""Every planted bug still fits the code of today, and the tests that it names exist."""

from __future__ import annotations

import ast

import pytest

from tests.planted.recipe import ROOT, Recipe, recipes


def test_there_are_enough_planted_bugs() -> None:
    assert len(recipes()) >= 25


@pytest.mark.parametrize("recipe", recipes(), ids=lambda recipe: recipe.name)
def test_a_recipe_applies_to_the_code_of_today(recipe: Recipe) -> None:
    text = (ROOT / recipe.file).read_text("utf-8")
    assert text.count(recipe.find) == 1, "the code has moved: write this recipe anew, in tests/planted/bugs"
    assert recipe.replace != recipe.find
    if recipe.file.endswith(".py"):
        ast.parse(text.replace(recipe.find, recipe.replace))
    assert recipe.caught_by
    for test in recipe.caught_by:
        file, _, function = test.partition("::")
        name = function.partition("[")[0]  # one case of it may be enough
        assert f"def {name}" in (ROOT / file).read_text("utf-8"), f"{recipe.name}: there is no {test}"
