"""Near-identical answers come together, different ones do not."""

from __future__ import annotations

import random

from grader.rubric.grouping import groups
from tests.rubric.labelled import labelled

TEXTS = [one["text"] for one in labelled() if len(one["text"]) > 60][:40]


def edited(text: str, chosen: random.Random) -> str:
    """The same text with a slip, a missing word or one more, every fifteen words."""
    words = text.split()
    for _ in range(max(1, len(words) // 15)):
        place = chosen.randrange(len(words))
        word = words[place]
        words[place] = chosen.choice([word[1:], word.upper(), f"{word} muy", word + word[-1:]])
    return " ".join(words)


def test_a_text_and_its_variants_are_one_group() -> None:
    """Slips and small changes keep together; nothing else joins them."""
    chosen = random.Random(5)
    variants = [(place, edited(text, chosen)) for _ in range(4) for place, text in enumerate(TEXTS)]
    found = groups([text for _, text in variants])

    assert [4] * len(TEXTS) == [len(group) for group in found]
    for group in found:
        assert 1 == len({variants[place][0] for place in group})


def test_different_answers_stay_apart() -> None:
    """160 answers by hand to five questions: none says what another says in its words."""
    for question in ("q1", "q2", "q3", "q4", "q5"):
        texts = [one["text"] for one in labelled() if one["question"] == question]

        assert [1] * len(texts) == [len(group) for group in groups(texts)]


def test_equal_words_are_together_and_so_are_empty_answers() -> None:
    """Whatever their emphasis; short ones only when they are equal."""
    texts = ["", "No sé.", "no sé", "**No sé**", "No se", " ", "Sobreajuste", "Sobreajuste."]

    assert [[1, 2, 3], [0, 5], [6, 7], [4]] == groups(texts)
    assert [] == groups([]) and [[0]] == groups(["Porque memoriza los ejemplos."])


def test_the_first_of_a_group_is_nearest_to_all() -> None:
    """A marker reads that one."""
    core = "La red memoriza los ejemplos de entrenamiento y por eso acierta menos en la prueba"
    texts = [f"{core} pues.", f"{core}.", f"{core}, creo yo que.", f"Bueno, {core}."]

    assert 1 == groups(texts)[0][0] and 4 == len(groups(texts)[0])
