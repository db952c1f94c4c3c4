"""What templates make of a secret is hidden as well, whatever they do to it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scupi_provision.errors import InputError, Position
from scupi_provision.masking import mask
from scupi_provision.playbook.templating import Templar, render_template
from scupi_provision.report.masked import masked
from scupi_provision.values import LockedText, SecretSource, TemplateText

PLACE = Position("vars.yml", 1, 1)
CANARY = "Hunter2-canary-Q7"


def rendered(text: str, **more: object) -> object:
    mask().learn(CANARY)
    variables = {"secret": SecretSource(CANARY, PLACE), "user": "somebody", **more}
    return Templar(variables).render(TemplateText(text, PLACE))


OPERATIONS = [
    "secret",
    "secret ~ 'x'",
    "'x' + secret",
    "secret * 2",
    "'%s' % secret",
    "'%s:%s' % (user, secret)",
    "'{}'.format(secret)",
    "[user, secret] | join(',')",
    "{'k': secret} | to_json",
    "{'k': [secret]} | to_nice_yaml",
    "secret | b64encode",
    "(secret ~ 'tail') | b64encode",
    "('head' ~ secret) | b64encode",
    "{'k': secret} | to_json | b64encode",
    "secret | urlencode",
    "secret | upper",
    "secret | lower",
    "secret | reverse",
    "secret | hash('sha256')",
    "secret | hash('sha1')",
    "secret[:9]",
    "secret[3:]",
    "secret[::-1]",
    "secret.replace('-', '_')",
    "secret.upper()",
    "secret.split('-')",
    "secret | regex_replace('-', '/')",
    "secret | regex_search('[A-Z]\\w+')",
    "secret | quote",
    "secret | to_json",
    "secret | indent(2)",
    "secret | replace('canary', 'sparrow')",
    "secret | list | join('-')",
    "secret | truncate(12)",
    "[secret] | map('upper') | list",
    "{'a': secret} | dict2items",
    "secret | string",
    "secret | trim",
    "[secret] | first",
    "secret | ternary(secret, user)",
    "(secret | b64encode) | b64decode",
]


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("around", ["{{ %s }}", "before {{ %s }} after"])
def test_no_operation_gets_a_secret_past_the_mask(operation, around):
    value = rendered(around % operation)
    _nothing_of(CANARY, str(masked(value)))


def test_a_file_is_rendered_as_a_text_is():
    mask().learn(CANARY)
    templar = Templar({"secret": SecretSource(CANARY, PLACE)})
    made = render_template("a {{ secret | upper }}\nb {{ secret[2:9] }}\n", name="t.j2", variables=templar)
    _nothing_of(CANARY, mask().hide(made))


def _nothing_of(secret: str, shown: str) -> None:
    """No five characters of the secret in a row, in either case or direction, but for what a plain word has too."""
    pieces = [secret[at : at + 5] for at in range(len(secret) - 4)]
    for piece in [*pieces, *(piece[::-1] for piece in pieces)]:
        assert piece.lower() not in shown.lower()


@given(
    st.lists(st.sampled_from(["upper", "b64encode", "urlencode", "to_json", "reverse", "quote", "string"]), max_size=5)
)
@settings(deadline=None)
def test_chains_of_filters_carry_the_taint(names):
    mask().forget()
    value = rendered("{{ " + " | ".join(["secret", *names]) + " }}")
    _nothing_of(CANARY, str(masked(value)))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("{{ user }}", "somebody"),
        ("{{ secret | length }}", "17"),
        ("{{ secret is defined }}", "True"),
        ("{{ 'production' if secret else 'test' }}", "production"),
        ("{{ [user, secret] | first }}", "somebody"),
        ("{{ [user, secret] | map('length') | list }}", "[8, 17]"),
        ("{{ people | selectattr('key', 'equalto', secret) | map(attribute='name') | first }}", "nobody"),
        ("{{ secret | ternary('yes, there is', 'no') }}", "yes, there is"),
        ("https://{{ user }}:{{ secret }}@host/", "https://somebody:***@host/"),
    ],
)
def test_what_tells_nothing_stays_readable(text, shown):
    people = [{"name": "nobody", "key": SecretSource(CANARY, PLACE)}]
    assert str(masked(rendered(text, people=people))) == shown


def test_a_secret_is_never_a_template():
    assert rendered("{{ secret }}", secret=SecretSource("{{ user }}", PLACE)) == "{{ user }}"


def test_what_stays_closed_fails_only_where_it_is_used():
    why = InputError("this value is in a vault, and there is no password for it", where=PLACE)
    variables = {"closed": LockedText.of("$ANSIBLE_VAULT", PLACE, why), "open": "text", "both": ["x"]}
    templar = Templar({**variables, "deep": {"inner": variables["closed"]}})
    assert templar.render(TemplateText("{{ open }}", PLACE)) == "text"
    for text in ("{{ closed }}", "{{ deep.inner }}", "{{ closed ~ 'x' }}"):
        with pytest.raises(InputError, match="there is no password"):
            templar.render(TemplateText(text, PLACE))
    with pytest.raises(InputError, match="there is no password"):
        templar.render({"argument": variables["closed"]})
