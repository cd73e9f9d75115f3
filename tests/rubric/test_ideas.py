"""Suggestions for a marker: ideas that an answer states, and what only looks like it."""

from __future__ import annotations

from collections import Counter

import pytest

from grader.rubric.ideas import suggest
from grader.rubric.spec import Criterion, KeyIdea, Level
from grader.specfile import Sentence
from tests.rubric.labelled import QUESTIONS, is_for_adjusting, labelled, measured

WORD = Sentence(es="Bien", en="Good")
CRITERION = Criterion(
    id="why",
    title=WORD,
    levels=tuple(Level(points=points, label=WORD, description=WORD) for points in (2, 1, 0)),
    key_ideas=(
        KeyIdea(id="memorises", es="Memoriza", en="It memorises",
                phrases=("memoriza|memorises", "aprende de memoria")),
        KeyIdea(id="unseen", es="Datos nuevos", en="New data", phrases=("imagen|foto nueva",)),
    ),
)  # fmt: skip
FULL = (
    "La red memoriza detalles de las imágenes con las que se entrenó, y por eso acierta menos en "
    "las fotos nuevas de la prueba, que no tienen esos mismos detalles."
)


def stated(text: str) -> tuple[str, ...]:
    found = suggest(CRITERION, text)
    assert found is not None
    return found.stated


@pytest.mark.parametrize(
    "text",
    [
        "La red memoriza.", "las redes memorizaron los ejemplos", "LA RED MEMORIZÓ ESO",
        "la red memorisa las fotos", "The network memorised it.", "Se lo aprende todo de memoria.",
        "**Memoriza** los ejemplos:\n\n- no generaliza", "No solo memoriza, también olvida.",
    ],
)  # fmt: skip
def test_an_idea_is_found_in_any_form(text: str) -> None:
    """Endings, accents, capitals, a slip of the keyboard, another order, English."""
    assert ("memorises",) == stated(text)


@pytest.mark.parametrize(
    "text",
    [
        "La red no memoriza.", "Tampoco creo que la red memorice nada.",
        "The network never memorises.", "sin memorizar", "Es una imagen. La ropa nueva gusta.",
        "Memoriza, generaliza, sobreajuste, fotos nuevas, dropout, brecha, épocas",
        "sobreajuste memoriza generalización regularización dropout", "", "42", "😀" * 50,
    ],
)  # fmt: skip
def test_what_is_denied_or_only_named_is_no_idea(text: str) -> None:
    """A list of terms, words of different sentences, and texts without words state nothing."""
    assert () == stated(text)


def test_a_mention_names_its_words() -> None:
    """Their places in the answer, so that a page can show them; also of what is denied."""
    text = "Son fotos muy nuevas. La red no memoriza."
    found = suggest(CRITERION, text)

    assert found is not None
    assert [("memorises", False, ["memoriza"]), ("unseen", True, ["fotos", "nuevas"])] == [
        (one.idea, one.states, [text[start:end] for start, end in one.words])
        for one in found.mentions
    ]


@pytest.mark.parametrize(
    ("points", "text"),
    [
        (2, FULL),
        (1, "La red memoriza y son fotos nuevas."),
        (1, "Memoriza las fotos."),
        (0, "No sé."),
    ],
)
def test_the_level_follows_what_is_stated(points: float, text: str) -> None:
    """All ideas are the best level, but not in a set phrase; none is the worst."""
    found = suggest(CRITERION, text)

    assert found is not None and points == found.level.points


def test_without_ideas_there_is_no_advice() -> None:
    """The student package has no key ideas."""
    assert suggest(CRITERION.model_copy(update={"key_ideas": ()}), FULL) is None


@pytest.mark.timeout(60)
def test_hostile_text_takes_little_time() -> None:
    """Long words, long sentences and many of them."""
    for unit in ("memoriza ", "foto ", "a" * 5_000 + " ", "no, ", "nueva.\n", "¿¡"):
        suggest(CRITERION, unit * (100_000 // len(unit)))


class TestLabelled:
    """160 answers whose labels do not come from our phrases."""

    def test_the_set_is_what_it_says(self) -> None:
        """All kinds for all questions; ideas and levels that the rubric has."""
        answers = labelled()
        kinds = Counter(one["kind"] for one in answers)

        assert 160 == len(answers) == len({one["text"] for one in answers})
        assert 11 == len(kinds) and min(kinds.values()) >= 5
        for one in answers:
            criteria = {each.id: each for each in QUESTIONS[one["question"]].criteria}
            known = {f"{name}.{idea.id}" for name, c in criteria.items() for idea in c.key_ideas}
            assert known >= {*one["ideas"], *one["doubtful"]}
            assert criteria.keys() == one["levels"].keys()
            assert all(one["levels"][name] < len(c.levels) for name, c in criteria.items())

    def test_ideas_are_found_where_people_find_them(self) -> None:
        """Answers by which no phrase was adjusted: 0.89, 0.86, 0.69 and 0.93 when written."""
        held_out = measured(one for one in labelled() if not is_for_adjusting(one))

        assert held_out.precision > 0.85 and held_out.recall > 0.82
        assert held_out.off[0] > 0.65 * held_out.off.total()
        assert held_out.off[0] + held_out.off[1] > 0.9 * held_out.off.total()

    def test_a_salad_of_key_words_earns_no_good_suggestion(self) -> None:
        """Nor does text about something else: none of their criteria gets its best level."""
        for one in labelled():
            if one["kind"] in ("keyword_salad", "offtopic"):
                for criterion in QUESTIONS[one["question"]].criteria:
                    found = suggest(criterion, one["text"])
                    assert found is not None
                    assert found.level != criterion.levels[0], (one["id"], criterion.id)
