"""Code that is alike beyond the template and the class is found, whatever it is renamed to."""

from __future__ import annotations

import json
import random
import re

import pytest

from grader.similar import (
    ALIKE,
    FEW_WORDS,
    SHORT,
    SameText,
    code_of,
    fingerprints,
    long_key,
    packed,
    pairs,
    printed,
    same_texts,
    unpacked,
)


def own(seed: int) -> str:
    """A long program of one's own: calls in an order that only this seed has."""
    chance = random.Random(seed)
    words = ["fit", "map", "batch", "take", "zip", "cast", "mean", "shuffle", "stack", "where"]
    return "\n".join(
        f"a{chance.randint(0, 9)} = b.{chance.choice(words)}(c, {chance.random():.3f})"
        f" + d.{chance.choice(words)}[e:{chance.randint(1, 99)}]"
        for _ in range(60)
    )


def test_a_renamed_copy_is_found() -> None:
    """Other names, numbers, comments and blank lines hide nothing."""
    copy = re.sub(r"\ba(\d)\b", r"valor_\1", own(1)).replace("\n", "  # mío\n\n")
    prints = {"ana": fingerprints(own(1)), "eva": fingerprints(copy), "leo": fingerprints(own(2))}

    (pair,) = pairs(prints, [])

    assert ("ana", "eva") == (pair.one, pair.other)
    assert pair.share > 0.95


def test_the_template_says_nothing() -> None:
    """What everybody was given is taken away first."""
    template = own(77)
    prints = {name: fingerprints(f"{template}\n{own(n)}") for n, name in enumerate(("ana", "eva"))}

    assert [] == pairs(prints, [fingerprints(template)])
    assert ["ana"] == [pair.one for pair in pairs(prints | {"leo": prints["ana"]}, [])][:1]


def test_what_many_of_a_class_have_says_nothing() -> None:
    """An idiom of the course is in a fifth of the class, and points at nobody."""
    idiom = own(99)
    prints = {f"e{n}": fingerprints(f"{idiom}\n{own(n)}") for n in range(20)}

    assert [] == pairs(prints, [])


def test_a_passage_in_a_longer_program_is_found() -> None:
    """The share is that of the shorter one."""
    prints = {"ana": fingerprints(own(1)), "eva": fingerprints(f"{own(5)}\n{own(1)}\n{own(6)}")}

    (pair,) = pairs(prints, [])
    assert pair.share > ALIKE


@pytest.mark.parametrize(
    "code", ["", "x", "x = 1\n", "(((((", "'''", "\x00\ud800 = ñ", "%%bash\nls"]
)
def test_any_text_has_fingerprints(code: str) -> None:
    """What is no Python is no fault."""
    prints = fingerprints(code * 50)

    assert prints == unpacked(packed(prints))


def test_no_notebook_has_no_code() -> None:
    assert "" == code_of(None)


def history(seed: int) -> bytes:
    """A file with what Keras prints of ten epochs."""
    chance = random.Random(seed)
    lines = [
        f"1875/1875 - 4s - accuracy: {chance.uniform(0.8, 0.9):.4f} - loss: {chance.random():.4f}"
        for _ in range(10)
    ]
    return json.dumps({"cells": [{"outputs": [{"text": lines}], "source": "fit()"}]}).encode()


def test_one_training_in_two_files_is_found() -> None:
    """Equal rows of long numbers; another training, pixels and constants say nothing."""
    pixels = " ".join(f"{value / 255:.8f}" for value in range(200)).encode()
    files = {"ana": history(1) + pixels, "eva": b"{}" + history(1), "leo": history(2) + pixels}
    shown = {name: printed(data) for name, data in files.items()}

    (pair,) = pairs(shown)
    assert ("ana", "eva", 17) == (pair.one, pair.other, pair.count)
    assert frozenset() == printed(pixels) == printed(b"0.12345 " * 90) == printed(b"\xff\x00")


PROSE = "la red memoriza detalles de las imágenes con las que practicó " * 5


def test_a_long_answer_has_a_key() -> None:
    """Emphasis, case, spacing and commas change nothing; another word does."""
    written = f"**{PROSE.upper()}**".replace(" RED ", "\n  red, ")

    assert long_key(PROSE) == long_key(written) != long_key(PROSE + "aquí")
    assert re.fullmatch("[0-9a-f]{16}", long_key(PROSE) or "")


@pytest.mark.parametrize(
    "text",
    [
        "", "Sobreajuste.", "sí " * 60, "sí " * 60 + "**" * 200,
        "sobreajustadísima " * FEW_WORDS,  # few words, long
        "| 128 | 0,9124 | 0,8812 | 0,0312 |\n" * 30,
        "x" * (SHORT - 1),
    ],
)  # fmt: skip
def test_a_short_answer_has_no_key(text: str) -> None:
    """Two people write a sentence alike by chance, and everybody has the same table of numbers."""
    assert long_key(text) is None


def test_the_same_text_is_found_within_a_question() -> None:
    """The largest group first; the same text below two questions is in two groups or in none."""
    keys = {
        "ana": {"q1": "aa", "q2": "bb"}, "eva": {"q1": "aa", "q3": "bb"}, "leo": {"q3": "cc"},
        "mia": {"q3": "cc", "q1": "dd"}, "noa": {"q3": "cc"}, "pau": {},
    }  # fmt: skip

    wanted = [SameText("q3", ("leo", "mia", "noa")), SameText("q1", ("ana", "eva"))]
    assert wanted == same_texts(keys)
