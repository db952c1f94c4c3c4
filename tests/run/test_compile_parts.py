"""What compiling is made of: expressions that `expr` understands, looks that arrive damaged, facts that matter."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from compiled import Account
from hypothesis import given, settings
from hypothesis import strategies as st
from scupi_provision.errors import InputError
from scupi_provision.run.compile import Wish, compile_site
from scupi_provision.run.compiling.expressions import basic_expression
from scupi_provision.run.compiling.mattering import fact_checks, mattering
from scupi_provision.run.request import RunRequest
from scupi_provision.run.site import load_site

CHECKOUT = Path(__file__).parents[2]
EXPRS = (["expr"], ["busybox", "expr"])
TEXTS = st.text(alphabet="ab01 .-+()|\n", max_size=12).map(str.strip)
ATOMS = st.sampled_from(["a", "b", "0", ".", "[ab]", "[^a]", "[0-9]", "\\d", "\\.", "\\+", "\\(", "\\s"])
PIECES = st.builds(lambda atom, times: atom + times, ATOMS, st.sampled_from(["", "", "*", "+", "?", "{2}", "{1,2}"]))
SEQUENCES = st.lists(PIECES, min_size=1, max_size=4).map("".join)
PATTERNS = st.builds(
    lambda begin, one, two, end: f"{begin}{one}(?:{two}|{one}){end}" if two else f"{begin}{one}{end}",
    st.sampled_from(["", "^"]), SEQUENCES, st.one_of(st.just(""), SEQUENCES), st.sampled_from(["", "$"]),
)  # fmt: skip


def found(expr, text, expression):
    done = subprocess.run(
        [*expr, f"={text}", ":", expression],
        capture_output=True,
        check=False,
        env={"LC_ALL": "C", "PATH": "/usr/bin:/bin"},
    )
    assert done.returncode in {0, 1}, done.stderr
    return done.returncode == 0


@given(PATTERNS, TEXTS)
@settings(max_examples=60, deadline=None)
def test_an_expression_means_to_expr_what_it_means_to_python(pattern, text) -> None:
    expression = basic_expression(pattern)
    assert expression is not None
    for expr in EXPRS:
        assert found(expr, text, expression) == (re.search(pattern, text) is not None), (expr, expression)


@pytest.mark.parametrize(
    ("pattern", "text", "holds"),
    [
        ("^git version 2\\.47\\.3$", "git version 2.47.3", True),
        ("^git version 2\\.47\\.3$", "git version 2x47.3", False),
        ("^(present|absent: .*)$", "absent: no header", True),
        ("^(present|absent: .*)$", "present: x", False),
        ("[0-9]+\\.[0-9]+", "conda 26.3.2", True),
        ("^[A-Za-z_]\\w{2,}$", "a_1", True),
    ],
)
def test_the_expressions_of_our_roles(pattern, text, holds) -> None:
    assert found(["expr"], text, basic_expression(pattern)) is holds


@pytest.mark.parametrize("pattern", ["(?i)a", "a(?=b)", "(a)\\1", "a^b", "ü", "a*?", "[]a]", "\\bword", "a{300}"])
def test_an_expression_that_expr_does_not_have_is_not_translated(pattern) -> None:
    assert basic_expression(pattern) is None


def test_a_fact_matters_when_another_value_would_have_made_another_script() -> None:
    facts = {"libc": "glibc 2.17", "architecture": "x86_64", "tools": "curl=/usr/bin/curl make=/usr/bin/make"}
    old = lambda told: str(told.get("libc", "") == "glibc 2.17") + str("make" in told.get("tools", ""))  # noqa: E731
    assert mattering(facts, old) == ["libc", "tools"]
    assert fact_checks(["libc", "tools"], facts, assumed=True) == [
        ("libc", "glibc 2.17", ""),
        ("tools", "curl make", ""),
    ]


@pytest.mark.parametrize("playbook", ["site.yaml", "source.yaml"])
def test_our_playbooks_can_be_compiled_without_a_look(tmp_path, playbook) -> None:
    """For an account that nobody has seen, on the cluster of the tutorial."""
    (tmp_path / "inventory.yaml").write_text(
        "all: {hosts: {admin1: {provision_assumed: {headers: [zlib.h]}}, gpu2: {via: admin1, provision_assumed: "
        "{driver: 510.47.03, cuda: '11.6', gpus: [NVIDIA A100-SXM4-80GB]}}}}\naccounts: [{id: 0123, key: nowhere}]\n"
    )
    request = RunRequest(CHECKOUT / "playbooks" / playbook, tmp_path / "inventory.yaml")
    compiled = compile_site(load_site(request, dials=False), Wish())
    assert "/public/home/0123" in compiled.text
    assert "s_made_for libc 'glibc 2.17'" in compiled.text
    assert any("torch is built for cu118" in claim for claim in compiled.unproved)


@pytest.fixture
def looked(tmp_path) -> tuple[Account, str, str]:
    """An account, a playbook, and what a look at it has printed."""
    home, place = tmp_path / "home", tmp_path / "place"
    place.mkdir()
    account = Account(home, place, {".bashrc": "# mine\n"})
    account.first_day()
    playbook = "[{hosts: admin1, tasks: [{lineinfile: {path: ~/.bashrc, regexp: mine, line: ours}}]}]"
    return account, playbook, account.run(account.look_script(playbook).text).output


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda text: text[: len(text) // 2], "this is no look"),
        (lambda text: text[:200] + ("A" if text[200] != "A" else "B") + text[201:], "not whole|damaged"),
        (lambda text: "".join(text.splitlines(keepends=True)[:4] + text.splitlines(keepends=True)[5:]), "not whole"),
        (lambda text: text.replace("LOOK-----", "LOOK-----!", 1), "damaged"),
        (lambda _: "", "this is no look"),
    ],
)
def test_a_look_that_is_not_whole_is_refused(looked, damage, said) -> None:
    account, playbook, text = looked
    with pytest.raises(InputError, match=said):
        account.compile(playbook, look=damage(text))


def test_a_look_that_does_not_tell_enough_asks_for_another(looked) -> None:
    account, _, text = looked
    (account.home / "old").mkdir()
    more = "[{hosts: admin1, tasks: [{copy: {dest: ~/old/x, content: x}}]}]"
    with pytest.raises(InputError, match=r"the look does not tell what is at .*/old/x"):
        account.compile(more, look=text)
    again = account.run(account.look_script(more, look=text).text).output
    assert account.run(account.compile(more, look=again).text).code == 0
    assert (account.home / "old/x").read_text() == "x"


def test_a_script_is_not_for_an_account_that_has_changed_since_the_look(looked) -> None:
    account, playbook, text = looked
    script = account.compile(playbook, look=text).text
    (account.home / ".bashrc").write_text("# changed\n")
    ran = account.run(script)
    assert ran.code == 2
    assert "look again" in ran.output
    assert (account.home / ".bashrc").read_text() == "# changed\n"


@pytest.mark.parametrize(
    ("known", "said"),
    [({"glibcc": "2.17"}, r"provision_assumed has 'glibcc'.*did you mean"), ("x", "provision_assumed is a mapping")],
)
def test_what_is_assumed_is_read_with_care(tmp_path, known, said) -> None:
    (tmp_path / "place").mkdir()
    account = Account(tmp_path / "home", tmp_path / "place", {})
    request = account.request("[{hosts: admin1, tasks: [{ping: }]}]", extra={"provision_assumed": known})
    with pytest.raises(InputError, match=said):
        compile_site(load_site(request, dials=False), Wish())
