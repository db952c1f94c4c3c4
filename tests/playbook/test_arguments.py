"""Arguments are typed by the module's schema, at load and again when templates are rendered."""

import pytest
from scupi_provision.errors import InputError, Position
from scupi_provision.playbook.arguments import parse_arguments
from scupi_provision.values import FileMode
from tests.playbook.conftest import REGISTRY

TASK = Position("site.yaml", 3, 7)
PLACES = {"path": Position("site.yaml", 4, 9), "mode": Position("site.yaml", 5, 9)}


def parse(module, **values):
    return parse_arguments(REGISTRY[module], values, where=TASK, positions=PLACES)


def test_rendered_values_are_typed():
    args = parse("file", path="/x", mode="0644", recurse="yes")
    assert (args.path, args.mode, args.recurse) == ("/x", FileMode("0644"), True)


def test_aliases_and_free_text_reach_their_fields():
    assert parse("file", dest="/x").path == "/x"
    assert parse("command", _raw="make", creates="/y").cmd == "make"


@pytest.mark.parametrize(
    ("values", "where", "summary"),
    [
        ({"path": "/x", "mode": "rw"}, PLACES["mode"], "mode: 'rw' is not a file mode"),
        ({"path": "", "mode": "0644"}, PLACES["path"], "path: is empty; a path is needed"),
        ({"mode": "0644"}, TASK, 'module "file" needs "path"'),
        ({"path": "/x", "pth": 1}, None, 'unknown argument "pth" of module "file"'),
        ({"path": ["/x"]}, PLACES["path"], "path: must be text"),
    ],
)
def test_what_does_not_fit_is_refused_at_the_name_of_the_argument(values, where, summary):
    with pytest.raises(InputError) as caught:
        parse("file", **values)
    assert caught.value.diagnostic.where == where
    assert caught.value.diagnostic.summary.startswith(summary)


def test_everything_wrong_with_a_task_is_reported(site):
    found = site.problems("- hosts: all\n  tasks:\n    - file: {path: '{{ x }}', mode: 644, recurse: perhaps}\n")
    assert found == [
        'site.yaml:3:37: mode: 644 would be read as a decimal number; write mode: "0644"',
        "site.yaml:3:51: recurse: perhaps is not a boolean; write true or false",
    ]
