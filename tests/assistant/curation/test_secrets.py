"""Secrets: passwords, keys, cards and accounts are found, and what only speaks of them is not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.curation.secrets import secret_in


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("The password is hunter2.", "a password or key"),
        ("my wifi password: Sommer!2024", "a password or key"),
        ("密码是abc123", "a password or key"),
        ("use sk-abcdefghijklmnopqrstuv", "an access key"),
        ("4111 1111 1111 1111", "a card number"),
        ("DE89 3704 0044 0532 0130 00", "an account number"),
        ("postgres://me:geheim@host/db", "a password in an address"),
        ("-----BEGIN RSA PRIVATE KEY-----", "a private key"),
    ],
)
def test_secrets_are_found(text: str, kind: str) -> None:
    assert secret_in(text) == kind


@pytest.mark.parametrize(
    "text",
    [
        "What is the password?",
        "密码是什么？",
        "The key is kept in the drawer.",
        "The token is called Otter.",
        "Our password is changed every week.",
        "The article code is HT-119.",
        "The extension of the support line is 7306.",
        "https://example.com/a/very/long/path/to/some/page",
        "1234 5678 9012 3456",
    ],
)
def test_what_is_no_secret_is_let_through(text: str) -> None:
    assert secret_in(text) == ""


@given(st.text("0123456789", min_size=12, max_size=18), st.sampled_from(["", " ", "-"]))
def test_of_card_numbers_exactly_one_check_digit_is_right(digits: str, separator: str) -> None:
    if len(set(digits)) == 1:
        digits = digits[:-1] + str((int(digits[-1]) + 1) % 10)
    numbers = [f"My card is {separator.join(digits + str(check))}, use it." for check in range(10)]
    assert [secret_in(number) for number in numbers].count("a card number") == 1


@given(st.text(max_size=200))
def test_a_password_is_found_whatever_stands_before_it(before: str) -> None:
    assert secret_in(f"{before}\nThe password is hunter2.")
