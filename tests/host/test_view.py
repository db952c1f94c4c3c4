"""The view: what was read, overlaid with what the plan will have done."""

import pytest
from scupi_provision.host.memory import HOME, MemoryHost, Node
from scupi_provision.host.memory_planning import apply_on, plan_on
from scupi_provision.host.record import TaskFailedError
from scupi_provision.shell.actions import Run
from scupi_provision.shell.entry import ABSENT, Entry, Kind
from scupi_provision.values import UnknownValueError


def looked(plan, nodes=None):
    """What `plan(host)` gives on a host in memory."""
    return plan_on(MemoryHost(dict(nodes or {})), plan).result


def file(content="text", mode=0o644):
    return Node(Kind.FILE, mode, content.encode())


def link(target):
    return Node(Kind.LINK, target=target)


# --- paths ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("~", HOME),
        ("~/a/../b/", f"{HOME}/b"),
        ("$HOME/a", f"{HOME}/a"),
        ("${HOME}/a", f"{HOME}/a"),
        ("a/b", f"{HOME}/a/b"),
        ("//etc//x", "/etc/x"),
        ("/..", "/"),
    ],
)
def test_paths_are_absolute_and_normal(text, path):
    assert looked(lambda host: host.path(text)) == path


def test_homes_of_others_are_refused():
    with pytest.raises(TaskFailedError, match="another account"):
        looked(lambda host: host.path("~other/x"))


# --- the overlay ----------------------------------------------------------------------------------------------------


def test_what_is_written_is_read_back():
    def plan(host):
        host.write("~/f", b"new", 0o600)
        return host.content("~/f"), host.entry("~/f").mode

    assert looked(plan, {f"{HOME}/f": file("old")}) == (b"new", 0o600)


def test_a_later_step_sees_what_an_earlier_one_did():
    def plan(host):
        host.mkdir("~/a/b")
        host.commit()
        host.begin("next")
        host.write("~/a/b/f", b"x")
        return host.names("~/a/b/*")

    assert looked(plan) == (f"{HOME}/a/b/f",)


def test_a_step_that_is_dropped_leaves_nothing():
    def plan(host):
        host.write("~/f", b"new")
        host.rollback()
        return host.entry("~/f")

    assert looked(plan) == ABSENT


def test_nothing_is_asked_of_the_host_below_a_directory_that_the_plan_makes():
    def plan(host):
        host.mkdir("~/a")
        return host.entry("~/a/x/y"), host.names("~/a/*"), host.content("~/a/x")

    planned = plan_on(MemoryHost(), plan)
    assert planned.result == (ABSENT, (), b"")
    assert planned.exchanges == 2


def test_nothing_is_left_below_what_the_plan_removes():
    def plan(host):
        host.remove("~/a")
        return host.entry("~/a/f"), host.names("~/a/*"), host.content("~/a/f")

    assert looked(plan, {f"{HOME}/a/f": file()}) == (ABSENT, (), b"")


@pytest.mark.parametrize("apart", [True, False])
def test_a_directory_that_is_removed_and_made_again_is_empty(apart):
    """In one step or in two."""

    def plan(host):
        host.remove("~/a")
        if apart:
            host.commit()
            host.begin("next")
        host.mkdir("~/a")
        return host.entry("~/a/f"), host.names("~/a/*")

    assert looked(plan, {f"{HOME}/a/f": file()}) == (ABSENT, ())


def test_what_was_planned_below_goes_with_its_directory():
    def plan(host):
        host.write("~/a/g", b"x")
        host.commit()
        host.begin("next")
        host.remove("~/a")
        return host.entry("~/a/g"), host.content("~/a/g")

    assert looked(plan, {f"{HOME}/a/f": file()}) == (ABSENT, b"")


def test_a_copy_has_the_content_of_its_source_though_it_is_not_there_yet():
    def plan(host):
        host.copy("~/a", "~/b")
        return host.content("~/b")

    assert looked(plan, {f"{HOME}/a": file("text")}) == b"text"


def test_a_download_has_the_content_that_nobody_knows_yet():
    def plan(host):
        host.content("~/f")
        host.fetch(["https://x.example/f"], "~/f", "0" * 64)
        return host.content("~/f")

    with pytest.raises(UnknownValueError):
        looked(plan, {f"{HOME}/f": file("old")})


def test_a_backup_is_there_for_later_steps():
    def plan(host):
        host.write("~/f", b"new", backup=f"{HOME}/f~")
        return host.content("~/f~"), host.content("~/f")

    assert looked(plan, {f"{HOME}/f": file("old")}) == (b"old", b"new")


# --- links ----------------------------------------------------------------------------------------------------------


def test_paths_through_a_planned_link_mean_its_target():
    def plan(host):
        host.link("~/now", f"{HOME}/v2")
        host.write("~/now/f", b"x")
        return host.content("~/v2/f")

    planned = plan_on(MemoryHost({f"{HOME}/v2": Node(Kind.DIRECTORY, 0o755)}), plan)
    assert planned.result == b"x"
    assert planned.record.actions[-1].path == f"{HOME}/v2/f"


def test_one_file_under_two_names_is_one_file():
    """The link is on the host, and known."""

    def plan(host):
        host.resolve("~/l")
        host.write("~/d/f", b"new")
        return host.content("~/l/f")

    assert looked(plan, {f"{HOME}/d/f": file("old"), f"{HOME}/l": link("d")}) == b"new"


def test_what_the_plan_makes_first_is_found_again_behind_a_link_of_the_host():
    """The first thing that a plan makes has the same name as everything after it."""

    def plan(host):
        host.mkdir("~/l/new/deep")
        return host.write("~/l/new/deep/f", b"x"), host.entry("~/d/new/deep/f").kind

    nodes = {f"{HOME}/d": Node(Kind.DIRECTORY, 0o755), f"{HOME}/l": link("d")}
    assert looked(plan, nodes) == (True, Kind.FILE)


def test_a_folder_is_not_made_behind_a_planned_link_that_leads_nowhere():
    """As on the host, where `mkdir -p` fails there."""

    def plan(host):
        host.link("~/l", "nowhere")
        host.mkdir("~/l/deep")

    with pytest.raises(TaskFailedError, match="is not a directory"):
        looked(plan)


def test_links_in_a_circle_are_told():
    with pytest.raises(TaskFailedError, match="too many symbolic links"):
        looked(lambda host: host.resolve("~/a"), {f"{HOME}/a": link("b"), f"{HOME}/b": link("a")})


def test_a_link_that_leads_nowhere_is_absent_when_followed():
    nodes = {f"{HOME}/a": link("b")}
    assert looked(lambda host: (host.entry("~/a").kind, host.entry("~/a", follow=True)), nodes) == (Kind.LINK, ABSENT)


# --- globs ----------------------------------------------------------------------------------------------------------


def test_globs_join_the_host_and_the_plan():
    def plan(host):
        host.write("~/d/new.txt", b"")
        host.write("~/d/.hidden.txt", b"")
        host.remove("~/d/old.txt")
        return host.names("~/d/*.txt")

    found = looked(plan, {f"{HOME}/d/old.txt": file(), f"{HOME}/d/a.txt": file(), f"{HOME}/d/a.md": file()})
    assert found == (f"{HOME}/d/a.txt", f"{HOME}/d/new.txt")


def test_only_the_star_is_a_wildcard():
    nodes = {f"{HOME}/[a]/x": file(), f"{HOME}/a/y": file()}
    assert looked(lambda host: host.names("~/[a]/*"), nodes) == (f"{HOME}/[a]/x",)


# --- programs -------------------------------------------------------------------------------------------------------


def run(host, *writes, creates=()):
    host.run(Run(("make",), writes=tuple(host.path(path) for path in writes), creates=creates), "make")


def test_what_a_program_writes_is_not_known():
    def plan(host):
        run(host, "~/build")
        return host.entry("~/build/x")

    with pytest.raises(UnknownValueError, match="the task makes of"):
        looked(plan)


def test_what_was_planned_before_a_program_wrote_over_it_is_not_known_any_more():
    def plan(host):
        host.write("~/d/f", b"x")
        host.commit()
        host.begin("next")
        run(host, "~/d")
        host.commit()
        host.begin("last")
        return host.content("~/d/f")

    with pytest.raises(UnknownValueError):
        looked(plan, {f"{HOME}/d": Node(Kind.DIRECTORY, 0o755)})


def test_what_a_program_must_create_makes_its_folder_one():
    def plan(host):
        run(host, "~/tree", creates=(f"{HOME}/tree/bin/x",))
        return host.entry("~/tree").kind

    assert looked(plan) is Kind.DIRECTORY


def test_our_own_folder_is_not_written_by_programs_that_write_around_it():
    def plan(host):
        run(host, "~")
        return host.entry("~/.provision/x")

    assert looked(plan) == ABSENT


def test_our_own_folder_is_always_there():
    """Every program that is sent makes it first; a plan that makes it too would find itself stale."""
    planned, performed = apply_on(MemoryHost(), lambda host: host.mkdir("~/.provision/cache", 0o700))
    assert [action.path for action in planned.record.actions] == [f"{HOME}/.provision/cache"]
    assert performed.outcome == "done"


def test_what_a_step_relied_on_is_kept_for_checking_again():
    """Also what earlier steps leave, but not what the step itself does."""

    def plan(host):
        host.write("~/mine", b"x", 0o600)
        host.commit()
        host.begin("next")
        host.content("~/mine")
        host.entry("~/theirs")
        host.write("~/own", b"y")
        host.entry("~/own")
        return dict(host.record.reads)

    reads = looked(plan, {f"{HOME}/theirs": file()})
    assert reads[f"{HOME}/theirs"].kind is Kind.FILE
    assert reads[f"{HOME}/own"] == ABSENT
    assert reads[f"{HOME}/mine"].mode == 0o600


# --- effects --------------------------------------------------------------------------------------------------------


def test_effects_that_change_nothing_are_none():
    nodes = {f"{HOME}/f": file("x"), f"{HOME}/d": Node(Kind.DIRECTORY, 0o755), f"{HOME}/l": link("f")}

    def plan(host):
        return [
            host.write("~/f", b"x"),
            host.mkdir("~/d"),
            host.link("~/l", "f"),
            host.remove("~/none"),
            host.set_mode("~/f", 0o644),
            host.copy("~/f", "~/f"),
        ]

    planned = plan_on(MemoryHost(nodes), plan)
    assert planned.result == [False] * 6
    assert planned.record.actions == []


def test_new_files_and_directories_get_the_account_s_default_mode():
    def plan(host):
        host.mkdir("~/d")
        host.write("~/f", b"")
        return host.entry("~/d").mode, host.entry("~/f").mode

    assert looked(plan) == (0o755, 0o644)


def test_a_file_needs_its_directory():
    with pytest.raises(TaskFailedError, match="is not a directory"):
        looked(lambda host: host.write("~/no/f", b""))


@pytest.mark.parametrize("path", ["/", "~"])
def test_the_home_is_never_removed(path):
    with pytest.raises(TaskFailedError, match="will not be removed"):
        looked(lambda host: host.remove(path))


def test_many_paths_are_read_at_once():
    memory = MemoryHost({f"{HOME}/f{number}": file() for number in range(100)})
    paths = [f"~/f{number}" for number in range(100)]

    def plan(host):
        host.want(entries=paths, contents=paths)
        return [host.content(path) for path in paths]

    assert plan_on(memory, plan).exchanges == 2


# --- guards ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("meanwhile", "outcome"),
    [
        (lambda memory: None, "done"),
        (lambda memory: memory.put(f"{HOME}/f", b"changed"), "stale"),
        (lambda memory: memory.put(f"{HOME}/f", b"old", 0o600), "stale"),
        (lambda memory: memory.remove(f"{HOME}/f"), "stale"),
        (lambda memory: memory.nodes.update({f"{HOME}/f": link("g")}), "stale"),
    ],
)
def test_nothing_is_replaced_that_is_not_what_the_plan_saw(meanwhile, outcome):
    memory = MemoryHost({f"{HOME}/f": file("old")})
    planned = plan_on(memory, lambda host: host.write("~/f", b"new"))
    meanwhile(memory)
    before = dict(memory.nodes)
    assert memory.perform(planned.record.actions).outcome == outcome
    if outcome == "stale":
        assert {path: node for path, node in memory.nodes.items() if path in before} == before


def test_a_file_that_cannot_be_read_is_told():
    nodes = {f"{HOME}/f": Node(Kind.FILE, 0o600, b"x", readable=False)}
    with pytest.raises(TaskFailedError, match="cannot be read"):
        looked(lambda host: host.content("~/f"), nodes)


def test_an_entry_in_memory_is_what_a_host_would_tell():
    memory = MemoryHost({f"{HOME}/f": file("text"), f"{HOME}/d/l": link("../f")})
    assert memory.entry(f"{HOME}/d/l") == Entry(Kind.LINK, target="../f")
    assert memory.entry(f"{HOME}/f").size == 4
    assert memory.entry(f"{HOME}/none") == ABSENT
