"""`provision explain` tells what the planner does."""

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scupi_provision.cli.main import app
from scupi_provision.inventory.load import load_inventory
from scupi_provision.modules.registry import MODULES
from scupi_provision.plan.explanation import Explanation
from scupi_provision.plan.scope import PlayScope
from scupi_provision.playbook.load import load_playbook
from scupi_provision.playbook.variables import Layer
from scupi_provision.run.explain import Question, explain
from scupi_provision.run.request import RunRequest
from typer.testing import CliRunner

FILES = {
    Layer.ROLE_DEFAULTS: "roles/r/defaults/main.yml",
    Layer.ALL_FILE: "group_vars/all.yml",
    Layer.GROUP_FILE: "group_vars/g.yml",
    Layer.HOST_FILE: "host_vars/h.yml",
    Layer.ROLE_VARS: "roles/r/vars/main.yml",
    Layer.PLAY_VARS_FILES: "more.yml",
}
ELSEWHERE = {
    Layer.INVENTORY_ALL,
    Layer.INVENTORY_GROUP,
    Layer.INVENTORY_HOST,
    Layer.PLAY_VARS,
    Layer.ROLE_PARAMETERS,
    Layer.EXTRA_VARS,
}


def make_site(folder: Path, layers: set[Layer]) -> RunRequest:
    """A site in which each of `layers` defines `x` to be its own name."""
    for layer, name in FILES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"x: {layer.name}\n" if layer in layers else "{}\n")
    (folder / "roles/r/tasks").mkdir(parents=True, exist_ok=True)
    (folder / "roles/r/tasks/main.yml").write_text("- debug: msg={{ x | default('none') }}\n")

    def said(layer: Layer) -> dict[str, str]:
        return {"x": layer.name} if layer in layers else {}

    group = {"vars": said(Layer.INVENTORY_GROUP), "hosts": {"h": {}}}
    host = {"ansible_connection": "local", **said(Layer.INVENTORY_HOST)}
    inventory = {"all": {"vars": said(Layer.INVENTORY_ALL), "hosts": {"h": host}, "children": {"g": group}}}
    play = {
        "hosts": "h",
        "vars": said(Layer.PLAY_VARS),
        "vars_files": ["more.yml"],
        "roles": [{"role": "r", **said(Layer.ROLE_PARAMETERS)}],
    }
    (folder / "inventory.yaml").write_text(json.dumps(inventory))
    (folder / "site.yaml").write_text(json.dumps([play]))
    return RunRequest(folder / "site.yaml", folder / "inventory.yaml", extra=said(Layer.EXTRA_VARS))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(layers=st.sets(st.sampled_from(sorted({*FILES, *ELSEWHERE})), min_size=1))
def test_what_explain_names_as_winner_is_what_a_task_sees(tmp_path_factory, layers):
    request = make_site(tmp_path_factory.mktemp("site"), layers)
    (found,) = [one for one in explain(request, Question("x", role="r")) if isinstance(one, Explanation)]
    (play,) = load_playbook(request.playbook, roles_paths=(), registry=MODULES).plays
    (host,) = load_inventory(request.inventory, request.playbook.parent).select("h")
    task = play.tasks[0]
    seen = PlayScope(play, host, {}, {}, request.extra, request.playbook.parent).templar(task, {}).variables["x"]
    assert found.value == seen == max(layers).name
    assert [one.layer for one in found.definitions] == sorted(layers)
    assert found.winner is not None
    assert found.winner.layer == max(layers)


def test_each_definition_has_its_place_and_secrets_are_not_shown(tmp_path, monkeypatch):
    make_site(tmp_path, {Layer.ROLE_DEFAULTS, Layer.PLAY_VARS})
    monkeypatch.chdir(tmp_path)
    ran = CliRunner().invoke(app, ["explain", "x", "--json"])
    assert ran.exit_code == 0, ran.output
    told = json.loads(ran.stdout.splitlines()[0])
    places = [(Path(one["file"]).name, one["line"], one["value"]) for one in told["definitions"]]
    assert places == [("main.yml", 1, "ROLE_DEFAULTS"), ("site.yaml", 1, "PLAY_VARS")]
    assert told["value"] == "PLAY_VARS"


@pytest.mark.parametrize(("name", "hint"), [("xx", 'did you mean "x"?'), ("nothing_like_it", "")])
def test_what_nothing_defines_is_refused(tmp_path, monkeypatch, name, hint):
    make_site(tmp_path, {Layer.PLAY_VARS})
    monkeypatch.chdir(tmp_path)
    ran = CliRunner().invoke(app, ["explain", name])
    assert ran.exit_code == 2
    assert hint in ran.output
