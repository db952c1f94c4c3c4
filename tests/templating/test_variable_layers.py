"""The strongest definition of a variable wins, and all of them can be shown."""

import pytest
from scupi_provision.errors import InputError, Position
from scupi_provision.playbook.extra_variables import parse_extra_vars
from scupi_provision.playbook.templating import Templar
from scupi_provision.playbook.variables import Definition, Layer, VariableStore
from scupi_provision.values import SourceText, TemplateText


def test_stronger_layers_win_in_whatever_order_they_come():
    store = VariableStore()
    for layer in sorted(Layer, key=lambda layer: layer.title):
        store = store.layer(layer, {"x": layer, layer.name: 1})
    assert store.combined()["x"] is max(Layer)
    assert len(store.combined()) == len(Layer) + 1


def test_the_order_is_ansibles():
    order = """
        ROLE_DEFAULTS INVENTORY_ALL INVENTORY_GROUP ALL_FILE ALL_PLAYBOOK_FILE GROUP_FILE GROUP_PLAYBOOK_FILE
        INVENTORY_HOST HOST_FILE HOST_PLAYBOOK_FILE ACCOUNT FACTS PLAY_VARS PLAY_PROMPTS PLAY_VARS_FILES ROLE_VARS
        TASK_VARS INCLUDE_VARS SET_FACTS ROLE_PARAMETERS INCLUDE_PARAMETERS EXTRA_VARS MAGIC LOOP
    """
    assert [layer.name for layer in Layer] == order.split()


def test_within_a_layer_the_later_wins_and_stores_do_not_change():
    first = VariableStore().layer(Layer.PLAY_VARS, {"x": 1})
    second = first.layer(Layer.PLAY_VARS, {"x": 2})
    assert (first.combined()["x"], second.combined()["x"]) == (1, 2)
    assert second.combined() is second.combined()


def test_every_definition_is_told_with_its_place():
    place = Position("defaults.yml", 3, 1)
    store = (
        VariableStore()
        .layer(Layer.EXTRA_VARS, {"x": 3})
        .layer(Layer.ROLE_DEFAULTS, {SourceText("x", place): 1})
        .layer(Layer.TASK_VARS, {"y": 2})
    )
    assert store.definitions("x") == [Definition(Layer.ROLE_DEFAULTS, 1, place), Definition(Layer.EXTRA_VARS, 3)]


def test_extra_variables_are_texts_json_or_files(tmp_path):
    path = tmp_path / "more.yml"
    path.write_text("c: 0644\nd: [1]\n")
    variables = parse_extra_vars(["a=1 b='x y'", '{"n": 5, "t": true}', f"@{path}", "a=2"])
    assert variables == {"a": "2", "b": "x y", "n": 5, "t": True, "c": 420, "d": [1]}
    assert isinstance(variables["a"], TemplateText)


def test_extra_variables_are_trusted_templates():
    variables = parse_extra_vars(["a={{b}}/x", "b=1"])
    assert Templar(variables).render(variables["a"]) == "1/x"


@pytest.mark.parametrize("option", ["a", "=1", "a='x", "{a: b: c}", "[1]", "@no/such.yml", "@/"])
def test_other_extra_variables_are_refused(option):
    with pytest.raises(InputError):
        parse_extra_vars([option])
