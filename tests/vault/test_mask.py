"""Nothing that is known as secret, and no listed form of it, passes the mask."""

import base64
import html
import json
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scupi_provision.masking import SHORTEST, STARS, Mask, forms_of

SECRETS = st.text(min_size=SHORTEST, max_size=30).filter(
    lambda text: len(text.strip()) >= SHORTEST and "\n" not in text.strip()
)


@given(SECRETS, st.text(max_size=20), st.text(max_size=20))
def test_no_form_of_a_secret_is_left(secret, before, after):
    known = Mask()
    known.learn(secret)
    for form in (secret, *forms_of(secret.strip())):
        shown = known.hide(before + form + after)
        assert not known.knows(shown)
        assert secret.strip() not in shown


@given(st.lists(SECRETS, min_size=1, max_size=4), st.data())
def test_overlapping_secrets_leave_no_rest(secrets, data):
    known = Mask()
    for secret in secrets:
        known.learn(secret)
    text = "".join(data.draw(st.lists(st.sampled_from([*secrets, "a", "*", " "]), max_size=8)))
    assert not known.knows(known.hide(text))


@given(st.text(max_size=60))
def test_an_empty_mask_changes_nothing(text):
    assert Mask().hide(text) is text


@given(st.binary(min_size=9, max_size=40).map(lambda data: data.hex()), st.text(max_size=7), st.text(max_size=7))
def test_base64_of_a_text_around_the_secret_does_not_show_it(secret, before, after):
    """Wherever the secret begins among the bytes, the digits that are its own are not shown."""
    known = Mask()
    known.learn(secret)
    shown = known.hide(base64.b64encode(f"{before}{secret}{after}".encode()).decode())
    assert STARS in shown
    decoded = base64.b64decode("".join(shown.split(STARS)[:1]) + "===="[: -len(shown.split(STARS)[0]) % 4])
    assert secret.encode() not in decoded


@pytest.mark.parametrize(
    "spelled",
    [
        base64.b64encode(b"p&ss 'w\"rd/").decode(),
        base64.urlsafe_b64encode(b"p&ss 'w\"rd/").decode().rstrip("="),
        quote("p&ss 'w\"rd/"),
        quote("p&ss 'w\"rd/", safe=""),
        quote_plus("p&ss 'w\"rd/"),
        json.dumps("p&ss 'w\"rd/"),
        repr("p&ss 'w\"rd/"),
        html.escape("p&ss 'w\"rd/"),
        "'p&ss '\\''w\"rd/'",
        "'p&ss ''w\"rd/'",
    ],
)
def test_spellings_that_are_hidden(spelled):
    known = Mask()
    known.learn("p&ss 'w\"rd/")
    assert STARS in known.hide(f"before {spelled} after")


def test_what_is_around_stays_readable():
    known = Mask()
    known.learn("hunter22")
    assert known.hide("https://me:hunter22@host/x?y=hunter22") == "https://me:***@host/x?y=***"


def test_each_line_of_a_secret_is_hidden_but_not_the_armour_of_keys():
    known = Mask()
    known.learn("-----BEGIN KEY-----\nabcdefgh\nijklmnop\n-----END KEY-----\n")
    assert known.hide("-----BEGIN KEY-----: ijklmnop") == "-----BEGIN KEY-----: ***"


@pytest.mark.parametrize("short", ["", "a", "abc", "abc\n", "  a  "])
def test_what_is_too_short_is_not_masked(short):
    known = Mask()
    known.learn(short)
    assert not known
