import inspect

import pytest
from scupi_provision.modules.contract import Module, controller_files
from scupi_provision.modules.registry import LATER, MODULES, ROOT_ONLY, find


@pytest.mark.parametrize("module", MODULES.values(), ids=lambda module: module.name)
def test_every_argument_and_module_is_described(module: Module):
    """The documentation of a module is in its file, and says something of every argument."""
    assert inspect.getmodule(module.plan).__doc__
    assert module.args.__doc__
    for name, argument in module.args.model_fields.items():
        assert argument.description, f"{module.name}.{name}"
        assert argument.description.endswith("."), f"{module.name}.{name}"


@pytest.mark.parametrize("module", MODULES.values(), ids=lambda module: module.name)
def test_every_special_argument_is_declared(module: Module):
    fields = module.args.model_fields
    for name in (*module.files, *module.conditions, *module.expressions, *filter(None, [module.free_form])):
        assert name in fields


@pytest.mark.parametrize("name", ["copy", "ansible.builtin.copy", "ansible.legacy.copy"])
def test_modules_are_found_by_every_name(name):
    assert find(name) is MODULES["copy"]


def test_ours_have_a_collection_too():
    assert find("scupi.provision.source_build") is MODULES["source_build"]


@pytest.mark.parametrize("name", ["copi", "community.general.copy", "apt", "ansible.builtin."])
def test_what_there_is_not_is_not_found(name):
    assert find(name) is None


def test_what_is_refused_is_not_offered():
    assert not (set(ROOT_ONLY) | LATER) & set(MODULES)


def test_files_of_the_host_are_not_looked_up_on_the_controller():
    copy = MODULES["copy"]
    assert controller_files(copy, {"src": "a", "dest": "b"}) == {"src": "files"}
    assert controller_files(copy, {"src": "a", "dest": "b", "remote_src": "yes"}) == {}
    assert controller_files(copy, {"content": "a", "dest": "b"}) == {}
