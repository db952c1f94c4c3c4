"""A playbook is found by its name."""

import pytest
from scupi_provision.errors import InputError
from scupi_provision.playbook.site import bundled_site, find_site


def test_a_playbook_beside_us_is_taken(site):
    path = site.write("site.yaml", "")
    assert find_site("site.yaml", site.folder) == path
    assert find_site(str(path), site.folder) == path


def test_the_folder_playbooks_is_searched(site):
    path = site.write("playbooks/site.yaml", "")
    assert find_site("site.yaml", site.folder) == path


def test_a_playbook_that_is_nowhere_lists_where_it_was_searched(site):
    site.write("playbooks/torch.yaml", "")
    with pytest.raises(InputError) as caught:
        find_site("troch.yaml", site.folder)
    problem = caught.value.diagnostic
    assert problem.hint == 'did you mean "torch.yaml"?'
    assert str(site.folder / "troch.yaml") in problem.detail
    assert str(site.folder / "playbooks" / "troch.yaml") in problem.detail


def test_a_folder_is_no_playbook(site):
    site.write("playbooks/a.yaml", "")
    with pytest.raises(InputError, match="is a folder"):
        find_site("playbooks", site.folder)


def test_the_package_brings_a_site():
    assert (bundled_site() / "roles").is_dir()
