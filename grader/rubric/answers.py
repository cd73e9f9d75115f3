"""Where a student's written answers are, and what of those cells is theirs. Pure.

Looked for in this order: our metadata, the template's cell ids, the visible marker line, then
headings and numbers. The prompt, markers, HTML comments and placeholders are subtracted; what the
student added in further cells below belongs to the answer until something else begins.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from grader.assignment import Question
from grader.notebook import Cell, Notebook
from grader.result import Answer
from grader.rubric.layout import (
    MAX_START,
    SECTION_LEVEL,
    Start,
    bare_number,
    heading_level,
    heading_number,
    is_label,
    lines_of,
    longest_chain,
    named_start,
    numbered_start,
    plain,
)

METHODS = ("metadata", "cell id", "marker", "heading")  # the surest first
FindStart = Callable[[Cell, int, str], Start | None]
Form = Callable[[str], re.Match[str] | None]
MIN_CROWD = 3  # two numbers in a cell may be any list
MIN_PROMPT = 20  # letters of a prompt that nobody writes by chance
Place = tuple[int, int]  # a cell's index and the number of a line in it

_NOBODY = ""
_GENERATED_ID = re.compile(r"cell-\d+(?:-\d+)?")  # grader.notebook's, for a file without ids
_BLANK_LINES = re.compile(r"\n{3,}")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


def find_answers(
    notebook: Notebook, template: Notebook | None, questions: Mapping[str, Question]
) -> tuple[Answer, ...]:
    """Return one answer for each question, in the questions' order; `missing` where none is."""
    known = _Known(questions, template)
    pieces = _pieces(notebook.cells, known, known.start)
    crowded = _crowded(notebook.cells, known, pieces)
    if crowded:
        pieces = _pieces(notebook.cells, known, _at(crowded, known.numbers, known.start))
    answered = {piece.question for piece in pieces if piece.text}
    if len(answered) < len(questions):
        used = {piece.cell for piece in pieces if piece.text}
        numbered = _numbered(notebook.cells, known, used)
        pieces.extend(piece for piece in numbered if piece.question not in answered)
    return tuple(
        _answer(question, [piece for piece in pieces if piece.question == question])
        for question in questions
    )


@dataclass(frozen=True)
class _Piece:
    """What one cell adds to an answer; empty where a cell only says that the answer is here."""

    question: str
    found_by: str
    cell: int
    text: str = ""


@dataclass
class _Known:
    """What the questions and the template say that no student wrote."""

    questions: Mapping[str, Question]
    template: Notebook | None
    numbers: dict[int, str] = field(default_factory=dict)
    answer_ids: dict[str, str] = field(default_factory=dict)
    other_ids: set[str] = field(default_factory=set)
    texts: set[str] = field(default_factory=set)
    markers: dict[str, str] = field(default_factory=dict)
    plain_markers: dict[str, str] = field(default_factory=dict)
    placeholders: dict[str, list[str]] = field(default_factory=dict)
    plain_placeholders: dict[str, set[str]] = field(default_factory=dict)
    prompts: dict[str, set[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for position, (name, question) in enumerate(self.questions.items(), start=1):
            digits = re.search(r"\d{1,2}$", name)
            self.numbers[int(digits[0]) if digits else position] = name
            self.prompts[name] = {plain(question.prompt.es), plain(question.prompt.en)}
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
        return cell.id in self.other_ids or plain(cell.source) in self.texts

    def start(self, _cell: Cell, _number: int, line: str) -> Start | None:
        """Return the start that a line makes, by a marker or by a question's name."""
        stripped = line.strip()
        for marker, question in self.markers.items():
            if stripped.startswith(marker):
                return Start(
                    question, "marker", SECTION_LEVEL, stripped.removeprefix(marker).strip()
                )
        marked = self.plain_markers.get(plain(stripped[:MAX_START]))
        return Start(marked, "marker", SECTION_LEVEL) if marked else named_start(line, self.numbers)

    def students_own(self, question: str, lines: Iterable[str], prompted: bool) -> str:
        """Return what a student wrote of these lines.

        Only where the question's name stands above them can they repeat its prompt; elsewhere a
        line of it is a quotation, which is theirs.
        """
        kept = (self._without_placeholder(question, line) for line in lines)
        if prompted:
            kept = (line for line in kept if not self._is_prompt(question, plain(line)))
        text = _CONTROL.sub("", "\n".join(kept))
        text = _BLANK_LINES.sub("\n\n", text).strip("\n").rstrip()
        return text if any(letter.isalnum() for letter in text) else ""

    def _is_prompt(self, question: str, words: str) -> bool:
        prompts = self.prompts[question]
        part = len(words) >= MIN_PROMPT and any(words in prompt for prompt in prompts)
        return part or (words != "" and words in prompts)

    def _without_placeholder(self, question: str, line: str) -> str:
        stripped = line.strip()
        for placeholder in self.placeholders[question]:
            if stripped.startswith(placeholder):
                stripped = line = stripped.removeprefix(placeholder).strip()
        if plain(stripped[:MAX_START]) in self.plain_placeholders[question]:
            return ""
        return "" if is_label(line) else line

    def _learn(self, cell: Cell) -> None:
        question = _marked(cell, self.questions)
        generated = _GENERATED_ID.fullmatch(cell.id)
        lines = [line.strip() for line in lines_of(cell.source) if line.strip()]
        if question is None:
            self.texts.add(plain(cell.source))
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
            self.prompts[start.question].update(map(plain, [start.rest, *lines[1:]]))


class _Walk:
    """Goes through the cells in order and gives each line to the question that it answers."""

    def __init__(self, known: _Known, find_start: FindStart) -> None:
        self._known = known
        self._find_start = find_start
        self._current: Start | None = None
        self._has_text = False
        self._prompted = False
        self.pieces: list[_Piece] = []

    def code(self, cell: Cell) -> None:
        """Pass a code cell: it ends an answer that has begun, not one still to come."""
        if cell.source.strip() and self._has_text:
            self._current = None

    def close(self) -> None:
        """End the answer: what follows is something else."""
        self._current = None

    def text(self, cell: Cell) -> None:
        """Read a cell of text, which may begin, continue or end answers."""
        lines = lines_of(cell.source)
        owner = self._known.owner(cell)
        is_ours = owner is None and self._known.is_ours(cell)
        if owner:
            self._begin(owner, cell)
        elif is_ours or self._is_section(lines):
            self.close()
        if is_ours and self._known.template is None:
            lines = lines[:1]  # with nothing to subtract, only its name for the question counts
        kept: list[str] = []
        for number, line in enumerate(lines):
            start = self._find_start(cell, number, line)
            if start:
                self._end(cell, kept)
                self._begin(self._surest(owner, start), cell)
                self._prompted = start.found_by == "heading"
            kept.append(start.rest if start else line)
        self._end(cell, kept)
        self._prompted = False

    def _begin(self, start: Start, cell: Cell) -> None:
        self._current = start
        self._has_text = False
        self.pieces.append(_Piece(start.question, start.found_by, cell.index))

    def _end(self, cell: Cell, lines: list[str]) -> None:
        """Give the lines gathered so far to the current question."""
        if self._current:
            start = self._current
            text = self._known.students_own(start.question, lines, self._prompted)
            if text:
                self.pieces.append(_Piece(start.question, start.found_by, cell.index, text))
                self._has_text = True
        lines.clear()

    @staticmethod
    def _surest(owner: Start | None, start: Start) -> Start:
        return owner if owner and owner.question == start.question else start

    def _is_section(self, lines: list[str]) -> bool:
        first = next((line for line in lines if line.strip()), "")
        level = heading_level(first)
        if level is None or self._current is None or is_label(first):
            return False
        return level <= self._current.level


def _pieces(
    cells: Iterable[Cell], known: _Known, find_start: FindStart, used: Iterable[int] = ()
) -> list[_Piece]:
    walk = _Walk(known, find_start)
    for cell in cells:
        if cell.index in used:
            walk.close()
        elif cell.kind == "code" and known.owner(cell) is None:
            walk.code(cell)
        else:
            walk.text(cell)
    return walk.pieces


def _crowded(cells: Iterable[Cell], known: _Known, pieces: Iterable[_Piece]) -> set[Place]:
    """Return where the numbers stand in a cell that answers every question left open elsewhere."""
    owners = {piece.cell: piece.question for piece in pieces if piece.text}
    missing = set(known.questions) - set(owners.values())
    if len(missing) < MIN_CROWD - 1:
        return set()
    for cell in cells:
        names = missing | {owners.get(cell.index, "")}
        wanted = {number for number, name in known.numbers.items() if name in names}
        for form in (heading_number, bare_number) if cell.index in owners else ():
            chain = _chain(_lines([cell]), form, wanted)
            if len(chain) == len(wanted):
                return chain
    return set()


def _numbered(cells: Iterable[Cell], known: _Known, used: set[int]) -> list[_Piece]:
    """Look for answers below numbers: headings first, then lines that begin with one."""
    free = [
        cell
        for cell in cells
        if cell.kind != "code" and cell.index not in used
        if not known.owner(cell) and not known.is_ours(cell)
    ]
    for form in (heading_number, bare_number):
        chain = _chain(_lines(free), form, known.numbers)
        alone = form is heading_number and known.template is not None
        if len(chain) > 1 or (chain and (alone or len(known.numbers) == 1)):
            return _pieces(cells, known, _at(chain, known.numbers), used)
    return []


def _lines(cells: Iterable[Cell]) -> list[tuple[Place, str]]:
    return [
        ((cell.index, number), line)
        for cell in cells
        for number, line in enumerate(lines_of(cell.source))
    ]


def _chain(lines: Iterable[tuple[Place, str]], form: Form, wanted: Iterable[int]) -> set[Place]:
    found = [(place, int(match[1])) for place, line in lines if (match := form(line))]
    return {found[position][0] for position in longest_chain([n for _, n in found], wanted)}


def _nowhere(_cell: Cell, _number: int, _line: str) -> Start | None:
    return None


def _at(chosen: set[Place], numbers: Mapping[int, str], other: FindStart = _nowhere) -> FindStart:
    def find_start(cell: Cell, number: int, line: str) -> Start | None:
        if (cell.index, number) in chosen:
            return numbered_start(line, numbers)
        return other(cell, number, line)

    return find_start


def _answer(question: str, pieces: list[_Piece]) -> Answer:
    written = [piece for piece in pieces if piece.text]
    found_by = min((piece.found_by for piece in written or pieces), key=METHODS.index, default=None)
    cells = tuple(sorted({piece.cell for piece in written or pieces}))
    if not written:
        return Answer(question, "missing", found_by, "", cells)
    text = "\n\n".join(piece.text for piece in written)
    return Answer(question, "found", found_by, text, cells)


def _marked(cell: Cell, questions: Mapping[str, Question]) -> str | None:
    question = cell.role.get("question")
    return question if cell.role.get("role") == "answer" and question in questions else None
