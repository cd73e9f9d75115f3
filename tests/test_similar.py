"""Code that is alike beyond the template and the class is found, whatever it is renamed to."""

from __future__ import annotations

import json
import random
import re

import pytest

from grader.similar import ALIKE, code_of, fingerprints, packed, pairs, printed, unpacked


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
