import dataclasses

import pytest

from specbridge_tools.fragmentation.training.recipe import (
    GIVEN,
    Stage,
    Widths,
    check_recipe,
    default_recipe,
    further,
)
from specbridge_tools.fragmentation.training.train import TrainingOptions

FIRST = Stage("first", TrainingOptions())


@pytest.mark.parametrize(
    ("epochs", "expected"), [(14, [14, 7, 7, 7]), (6, [6, 3, 3, 3]), (2, [2, 1, 1, 1]), (1, [1, 1, 1, 1])]
)
def test_the_later_stages_take_half_the_epochs_of_the_first(epochs, expected):
    recipe = default_recipe(epochs)
    check_recipe(recipe)
    assert [stage.training.epochs for stage in recipe] == expected
    assert sum(stage.training.epochs for stage in recipe) == sum(expected)


def test_the_default_ends_in_a_network_that_the_others_teach():
    first, second, third, taught = default_recipe()
    assert [stage.training.seed for stage in (first, second, third, taught)] == [0, 1, 3, 2]
    assert (first.start_from, second.start_from, third.start_from) == (None, None, "first")
    assert (taught.start_from, taught.teachers) == ("first", ("first", "second", "third"))
    assert second.widths == Widths(48, 64, 32)
    assert first.widths == third.widths == taught.widths == Widths(64, 96, 48)
    assert (third.dropout, third.training.weight_decay, third.training.drop_peaks) == (0.1, 1e-2, 0.1)


def test_going_on_takes_the_widths_of_the_network(ranker):
    (stage,) = further(ranker.networks[0], 3)
    check_recipe((stage,))
    assert (stage.widths, stage.start_from, stage.teachers) == (Widths(32, 48, 32), GIVEN, ())
    assert stage.training.epochs == 3


@pytest.mark.parametrize(
    "recipe",
    [
        (),
        (FIRST, FIRST),
        (dataclasses.replace(FIRST, name="a/b"),),
        (dataclasses.replace(FIRST, name=GIVEN),),
        (dataclasses.replace(FIRST, start_from="first"),),
        (dataclasses.replace(FIRST, teachers=("second",)), dataclasses.replace(FIRST, name="second")),
        (FIRST, dataclasses.replace(FIRST, name="second", start_from="first", widths=Widths(1, 2, 3))),
    ],
)
def test_recipes_that_make_no_sense_are_refused(recipe):
    with pytest.raises(ValueError, match=r"stage|rests on|other widths"):
        check_recipe(recipe)


@pytest.mark.parametrize("wrong", [{"dropout": 1.0}, {"widths": Widths(0, 1, 1)}, {"spectra_each": 0}])
def test_stages_that_make_no_sense_are_refused(wrong):
    with pytest.raises(ValueError, match="counts are above 0"):
        dataclasses.replace(FIRST, **wrong)
