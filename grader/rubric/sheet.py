"""The sheet that students got: whose each of its cells is, and what of a text is its own. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from grader.notebook import Cell, Notebook
from grader.rubric.layout import (
    ANY_LEVEL,
    MAX_START,
    SECTION_LEVEL,
    Start,
    heading_level,
    is_label,
    named_start,
    plain,
    unlabelled,
)
from grader.rubric.passages import PICTURE, cell_lines, clean
from grader.rubric.prompts import Prompts, placeholder_prefix
from grader.rubric.spec import Question

MIN_SENTENCE = 30  # letters of a line of the sheet that nobody else writes
MIN_PROMPT = 20  # letters of a prompt that nobody writes by chance

_NOBODY = ""
_SENTENCE = re.compile(r"(?<=[.?!:])\s+")
_GENERATED_ID = re.compile(r"cell-\d+(?:-\d+)?")  # grader.notebook's, for a file without ids
_BLANK_LINES = re.compile(r"\n{3,}")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


@dataclass
class Sheet:
    """What the questions and the sheet (`template`) say that no student wrote."""

    questions: Mapping[str, Question]
    template: Notebook | None
    numbers: dict[int, str] = field(default_factory=dict)
    answer_ids: dict[str, str] = field(default_factory=dict)
    other_ids: set[str] = field(default_factory=set)
    texts: set[str] = field(default_factory=set)
    sentences: set[str] = field(default_factory=set)
    markers: dict[str, str] = field(default_factory=dict)
    plain_markers: dict[str, str] = field(default_factory=dict)
    placeholders: dict[str, list[str]] = field(default_factory=dict)
    plain_placeholders: dict[str, set[str]] = field(default_factory=dict)
    prompt_lines: dict[str, set[str]] = field(default_factory=dict)
    prompts: Prompts = field(init=False)

    def __post_init__(self) -> None:
        self.prompts = Prompts(self.questions)
        for position, (name, question) in enumerate(self.questions.items(), start=1):
            digits = re.search(r"\d{1,2}$", name)
            self.numbers[int(digits[0]) if digits else position] = name
            self.prompt_lines[name] = {plain(question.prompt.es), plain(question.prompt.en)}
            self.placeholders[name] = []
        for cell in self.template.cells if self.template else ():
            self._learn(cell)
        self.plain_placeholders = {
            name: set(map(plain, lines)) for name, lines in self.placeholders.items()
        }
        # A first line that several answer cells share does not say which question it is.
        self.markers = {line: name for line, name in self.markers.items() if name != _NOBODY}
        self.plain_markers = {plain(line): name for line, name in self.markers.items()}

    def owner(self, cell: Cell) -> Start | None:
        """Return the question whose answer cell this is, by our metadata or by its id."""
        question = _marked(cell, self.questions)
        if question:
            return Start(question, "metadata", SECTION_LEVEL)
        question = self.answer_ids.get(cell.id)
        return Start(question, "cell id", SECTION_LEVEL) if question else None

    def is_ours(self, cell: Cell) -> bool:
        """Whether this is a cell of the template that holds no answer."""
        if self.template is None:
            return "role" in cell.role
        return cell.id in self.other_ids or plain(clean(cell.source)) in self.texts

    def start(self, cell: Cell, _number: int, line: str) -> Start | None:
        """Return the start that a line makes: a marker, a question's name, its own text."""
        stripped = line.strip()
        for marker, question in self.markers.items():
            if stripped.startswith(marker):
                return Start(
                    question, "marker", SECTION_LEVEL, stripped.removeprefix(marker).strip()
                )
        marked = self.plain_markers.get(plain(stripped[:MAX_START]))
        if marked:
            return Start(marked, "marker", SECTION_LEVEL)
        return named_start(line, self.numbers) or self._asked(line)

    def _asked(self, line: str) -> Start | None:
        asked = self.prompts.asked(line)
        if asked is None:
            return None
        level = heading_level(line) or ANY_LEVEL
        return Start(asked.question, "question", level, line[asked.end :])

    def students_own(self, question: str, lines: Iterable[str], prompted: bool) -> str:
        """Return what a student wrote of these lines.

        Only where the question's name stands above them can they repeat its prompt's layout;
        elsewhere a line of that is a quotation, which is theirs.
        """
        kept = (self._without_placeholder(question, line) for line in lines)
        if prompted:
            kept = (line for line in kept if not self._is_prompt(question, line))
        kept = (unlabelled(self.prompts.without(question, line)) for line in kept)
        kept = (line for line in kept if not self.is_printed(line))
        text = _CONTROL.sub("", "\n".join(kept))
        text = _BLANK_LINES.sub("\n\n", text).strip("\n").rstrip()
        return text if any(letter.isalnum() or letter == PICTURE for letter in text) else ""

    def _is_prompt(self, question: str, line: str) -> bool:
        prompts, words = self.prompt_lines[question], plain(line)
        if self.prompts.repeats(question, line):
            return True
        part = len(words) >= MIN_PROMPT and any(words in prompt for prompt in prompts)
        return part or (words != "" and words in prompts)

    def is_printed(self, line: str) -> bool:
        """Whether a line is a criterion's title or a sentence of the sheet."""
        parts = [part for part in _SENTENCE.split(plain(line)) if part]
        printed = len(line) >= MIN_SENTENCE and all(part in self.sentences for part in parts)
        return printed or self.prompts.is_criterion(line)

    def _without_placeholder(self, question: str, line: str) -> str:
        stripped = line.strip()
        for placeholder in self.placeholders[question]:
            if stripped.startswith(placeholder):
                stripped = line = stripped.removeprefix(placeholder).strip()
        if plain(stripped[:MAX_START]) in self.plain_placeholders[question]:
            return ""
        written = [text for text in self.placeholders[question] if text not in self.markers]
        line = line[placeholder_prefix(line, written) :]
        return "" if is_label(line) else line

    def _learn(self, cell: Cell) -> None:
        question = _marked(cell, self.questions)
        generated = _GENERATED_ID.fullmatch(cell.id)
        lines = [line.text.strip() for line in cell_lines(cell) if line.text.strip()]
        if question is None:
            self.texts.add(plain(clean(cell.source)))
            if cell.kind != "code":
                self.sentences.update(s for line in lines for s in _SENTENCE.split(plain(line)))
            self.other_ids.update(() if generated else (cell.id,))
            self._learn_prompt(cell, lines)
            return
        self.answer_ids.update({} if generated else {cell.id: question})
        self.placeholders[question].extend(lines)
        if lines:
            shared = self.markers.get(lines[0], question) != question
            self.markers[lines[0]] = _NOBODY if shared else question

    def _learn_prompt(self, cell: Cell, lines: list[str]) -> None:
        start = named_start(lines[0], self.numbers) if lines and cell.kind == "markdown" else None
        if start:
            self.prompt_lines[start.question].update(map(plain, [start.rest, *lines[1:]]))


def _marked(cell: Cell, questions: Mapping[str, Question]) -> str | None:
    question = cell.role.get("question")
    return question if cell.role.get("role") == "answer" and question in questions else None
