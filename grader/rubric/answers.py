"""Where a student's written answers are, and what of those cells is theirs. Pure.

Looked for in this order: our metadata, the template's cell ids, the visible marker line, a
question's name or number, its own text, and at last what is left over. Prompts, markers, comments
of HTML, placeholders and labels such as `R/` are subtracted; what the student added in further
cells below belongs to the answer until something else begins.

What a machine cannot read or attribute honestly is `needs_review`: a picture, hidden words, two
places that contradict each other, text that names no question.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from grader.notebook import Cell, Notebook
from grader.result import Answer
from grader.rubric.layout import (
    Form,
    Start,
    bare_forms,
    heading_level,
    heading_number,
    is_label,
    longest_chain,
    number_of,
    numbered_start,
)
from grader.rubric.passages import PICTURE, Line, cell_lines, comments, hidden
from grader.rubric.sheet import Sheet
from grader.rubric.spec import Question

METHODS = ("metadata", "cell id", "marker", "heading", "question", "left over")  # the surest first
FindStart = Callable[[Cell, int, str], Start | None]
MIN_CROWD = 3  # two numbers in a cell may be any list
MIN_LEFT = 25  # words under no question that may be answers
MIN_WORDS = 8  # of an answer beside a picture or a link, and of numbered comments in code
Place = tuple[int, int]  # a cell's index and the number of a line in it

_LINK = re.compile(r"\[[^\]\n]{0,300}\]\([^)\n]{0,2000}\)|https?://\S+")
_ELSEWHERE = re.compile(
    r"(?:respuestas?|answers?|soluci\w+)\b.{0,120}\b(?:pdf|archivo|adjunt\w+|documento|word|docx|drive"
    r"|attached|file|foto\w*)\b",
    re.IGNORECASE | re.DOTALL,
)  # fmt: skip
_ALL = re.compile(r"\b(?:respuestas|answers|soluciones|solutions)\b", re.IGNORECASE)
_HEADINGS = re.compile(r"^\s{0,3}#.*$|^.*\?\W*$", re.MULTILINE)
_WORD = re.compile(r"[^\W\d_]{2,}")


def find_answers(
    notebook: Notebook, template: Notebook | None, questions: Mapping[str, Question]
) -> tuple[Answer, ...]:
    """Return one answer for each question, in the questions' order; `missing` where none is."""
    known = Sheet(questions, template)
    cells = [_Read(cell, cell_lines(cell)) for cell in notebook.cells]
    walk = _walked(cells, known, known.start)
    crowded = _crowded(cells, known, walk.pieces)
    if crowded is not None:
        walk = _walked(cells, known, _at(*crowded, known.numbers, known.start))
    pieces = walk.pieces
    answered = {piece.question for piece in pieces if piece.text}
    if len(answered) < len(questions):
        used = {piece.cell for piece in pieces if piece.text}
        numbered = _numbered(cells, known, used, named=bool(pieces))
        pieces = [*pieces, *(piece for piece in numbered if piece.question not in answered)]
    found = [
        _answer(name, [piece for piece in pieces if piece.question == name], notebook, walk.doubts)
        for name in questions
    ]
    whole = tuple(_with_leftovers(found, cells, known, {piece.cell for piece in pieces}))
    used = {cell for answer in whole for cell in answer.cells}
    texts = (_HEADINGS.sub("", text) for text in _left(cells, known, used).values())
    elsewhere = any(_words(text) >= MIN_WORDS for text in texts)
    return tuple(replace(answer, elsewhere=elsewhere) for answer in whole)


def unclaimed(notebook: Notebook, known: Sheet, used: Iterable[int]) -> str:
    """Return what a student wrote in text cells that no answer took, so that nothing is lost.

    Args:
        known: what the sheet says by itself.
        used: the cells of the answers that were found.
    """
    cells = [_Read(cell, cell_lines(cell)) for cell in notebook.cells]
    left = _left(cells, known, set(used))
    return "\n\n".join(text for text in left.values() if text)


@dataclass(frozen=True)
class _Read:
    """A cell and what a person reads in it."""

    cell: Cell
    lines: list[Line]

    @property
    def index(self) -> int:
        return self.cell.index


@dataclass(frozen=True)
class _Piece:
    """What one cell adds to an answer; empty where a cell only says that the answer is here."""

    question: str
    found_by: str
    cell: int
    text: str = ""


class _Walk:
    """Goes through the cells in order and gives each line to the question that it answers."""

    def __init__(self, known: Sheet, find_start: FindStart) -> None:
        self._known = known
        self._find_start = find_start
        self._current: Start | None = None
        self._has_text = False
        self._prompted = False
        self._below_ours = False  # the sheet's own prompt stands above, and nothing else began
        self.pieces: list[_Piece] = []
        self.doubts: set[str] = set()

    def close(self) -> None:
        """End the answer: what follows is something else."""
        self._current = None

    def code(self, read: _Read) -> None:
        """Read a code cell: comments and texts that name a question, or that follow its prompt."""
        ours = self._known.is_ours(read.cell)
        only_text = not any(line.breaks for line in read.lines)
        open_here = only_text and not ours and not self._has_text
        kept: list[str] = []
        for number, line in enumerate(read.lines):
            start = None if line.breaks else self._find_start(read.cell, number, line.text)
            if start or line.breaks:
                self._end(read, kept)
                open_here = open_here and not line.breaks
            if line.breaks and self._has_text:
                self.close()
            if start:
                self._begin(start, read)
                open_here = True
            if open_here and not line.breaks:
                kept.append(start.rest if start else line.text)
        self._end(read, kept)
        if self._has_text and read.cell.source.strip():
            self.close()

    def text(self, read: _Read) -> None:
        """Read a cell of text, which may begin, continue or end answers."""
        owner = self._known.owner(read.cell)
        ours = owner is None and self._known.is_ours(read.cell)
        lines = [line.text for line in read.lines]
        if owner:
            self._begin(owner, read)
        elif ours or self._is_section(lines):
            self.close()
            self._below_ours = ours
        if ours and self._known.template is None:
            lines = lines[:1]  # with nothing to subtract, only its name for the question counts
        before = len(self.pieces)
        kept: list[str] = []
        for number, line in enumerate(lines):
            start = self._find_start(read.cell, number, line)
            if start and self._is_new(start):
                self._end(read, kept)
                self._begin(self._surest(owner, start), read)
                self._prompted = start.found_by == "heading"
            kept.append(start.rest if start else line)
        self._end(read, kept)
        self._prompted = False
        if owner:
            self._compare(owner, self.pieces[before:])

    def _is_new(self, start: Start) -> bool:
        """Part of the current question's own text does not begin its answer again."""
        current = self._current
        same = current is not None and current.question == start.question
        return not (same and start.found_by == "question")

    def _compare(self, owner: Start, pieces: Sequence[_Piece]) -> None:
        """An answer cell whose text names another question, and only that, contradicts itself."""
        others = {piece.question for piece in pieces if piece.text}
        if len(others) == 1 and owner.question not in others:
            self.doubts |= {owner.question, *others}

    def _begin(self, start: Start, read: _Read) -> None:
        self._current = start
        self._has_text = False
        self._below_ours = self._known.is_ours(read.cell)
        self.pieces.append(_Piece(start.question, start.found_by, read.index))
        if start.also:
            self.doubts |= {start.question, start.also}

    def _end(self, read: _Read, lines: list[str]) -> None:
        """Give the lines gathered so far to the current question."""
        start = self._current
        if start:
            text = self._known.students_own(start.question, lines, self._prompted)
            if text:
                piece = _Piece(start.question, start.found_by, read.index, text)
                self.pieces.append(piece)
                if start.also:
                    self.pieces.append(replace(piece, question=start.also))
                self._has_text = True
        lines.clear()

    @staticmethod
    def _surest(owner: Start | None, start: Start) -> Start:
        return owner if owner and owner.question == start.question else start

    def _is_section(self, lines: list[str]) -> bool:
        first = next((line for line in lines if line.strip()), "")
        level = heading_level(first)
        if level is None or self._current is None or is_label(first) or self._below_ours:
            return False
        return level <= self._current.level


def _walked(
    cells: Iterable[_Read], known: Sheet, find_start: FindStart, used: Iterable[int] = ()
) -> _Walk:
    walk = _Walk(known, find_start)
    for read in cells:
        if read.index in used:
            walk.close()
        elif read.cell.kind == "code" and known.owner(read.cell) is None:
            walk.code(read)
        else:
            walk.text(read)
    return walk


def _crowded(
    cells: Iterable[_Read], known: Sheet, pieces: Iterable[_Piece]
) -> tuple[set[Place], Form] | None:
    """Return where the numbers stand in a cell that answers every question left open elsewhere."""
    owners = {piece.cell: piece.question for piece in pieces if piece.text}
    missing = set(known.questions) - set(owners.values())
    if len(missing) < MIN_CROWD - 1:
        return None
    for read in cells:
        names = missing | {owners.get(read.index, "")}
        wanted = {number for number, name in known.numbers.items() if name in names}
        for form in (heading_number, *bare_forms()) if read.index in owners else ():
            places = _places([read])
            chain = _chain(places, form, wanted)
            numbers = {number_of(match) for _, line in places if (match := form(line))}
            if len(chain) == len(wanted) and numbers == wanted:
                return chain, form
    return None


def _numbered(cells: Sequence[_Read], known: Sheet, used: set[int], named: bool) -> list[_Piece]:
    """Look for answers below numbers: headings first, then lines that begin with one.

    Args:
        named: something names a question already; then a lone number may be a section's.
    """
    free = [
        read
        for read in cells
        if read.index not in used and not known.owner(read.cell) and not known.is_ours(read.cell)
    ]
    for form in (heading_number, *bare_forms()):
        chain = _chain(_places(free), form, known.numbers)
        alone = form is heading_number and known.template is not None and not named
        if len(chain) > 1 or (chain and (alone or len(known.numbers) == 1)):
            pieces = _walked(cells, known, _at(chain, form, known.numbers), used).pieces
            kinds = {read.index: read.cell.kind for read in cells}
            texts = [piece for piece in pieces if piece.text]
            in_code = any(kinds[piece.cell] == "code" for piece in texts)
            if texts and not (in_code and any(_words(one.text) < MIN_WORDS for one in texts)):
                return pieces
    return []


def _places(cells: Iterable[_Read]) -> list[tuple[Place, str]]:
    return [
        ((read.index, number), line.text)
        for read in cells
        for number, line in enumerate(read.lines)
        if not line.breaks
    ]


def _chain(lines: Iterable[tuple[Place, str]], form: Form, wanted: Iterable[int]) -> set[Place]:
    found = [(place, number_of(match)) for place, line in lines if (match := form(line))]
    return {found[position][0] for position in longest_chain([n for _, n in found], wanted)}


def _nowhere(_cell: Cell, _number: int, _line: str) -> Start | None:
    return None


def _at(
    chosen: set[Place], form: Form, numbers: Mapping[int, str], other: FindStart = _nowhere
) -> FindStart:
    def find_start(cell: Cell, number: int, line: str) -> Start | None:
        if (cell.index, number) in chosen:
            return numbered_start(line, form, numbers)
        return other(cell, number, line)

    return find_start


def _answer(
    question: str, pieces: list[_Piece], notebook: Notebook, doubts: Iterable[str]
) -> Answer:
    written = [piece for piece in pieces if piece.text]
    found_by = min((piece.found_by for piece in written or pieces), key=METHODS.index, default=None)
    cells = tuple(sorted({piece.cell for piece in written or pieces}))
    text = "\n\n".join(piece.text for piece in written)
    said = text.replace(PICTURE, "").strip("\n").rstrip()
    sources = [cell.source for cell in notebook.cells if cell.index in cells]
    concealed = any(map(hidden, sources)) or (not said and any(map(comments, sources)))
    if not written and not concealed:
        return Answer(question, "missing", found_by, "", cells)
    shows = (PICTURE in text or _LINK.search(text)) and _words(_LINK.sub("", said)) < MIN_WORDS
    unclear = bool(shows) or _is_elsewhere(said) or concealed or question in doubts
    return Answer(question, "needs_review" if unclear else "found", found_by, said, cells)


def _with_leftovers(
    answers: Sequence[Answer], cells: Iterable[_Read], known: Sheet, used: set[int]
) -> Iterable[Answer]:
    """Show a person what a student wrote under no question, where an answer is missing."""
    left = _left(cells, known, used)
    texts = list(left.values())
    everything = "\n\n".join(texts)
    nothing = all(answer.status == "missing" for answer in answers)
    told = [
        text
        for text in (*texts, *(answer.text for answer in answers))
        if _is_elsewhere(text) and _ALL.search(text)
    ]
    if not (told or (nothing and _words(_HEADINGS.sub("", everything)) >= MIN_LEFT)):
        return answers
    text = "\n\n".join(told) or everything
    places = tuple(left)
    return [
        replace(one, status="needs_review", found_by="left over", text=text, cells=places)
        if one.status == "missing"
        else one
        for one in answers
    ]


def _left(cells: Iterable[_Read], known: Sheet, used: set[int]) -> dict[int, str]:
    """Return a student's own text cells that belong to no answer, by their place."""
    return {
        read.index: "\n".join(
            line.text for line in read.lines if not known.is_printed(line.text)
        ).strip()
        for read in cells
        if read.cell.kind != "code" and read.index not in used
        if not known.owner(read.cell) and not known.is_ours(read.cell)
    }


def _is_elsewhere(text: str) -> bool:
    """Whether a few words say that answers are in another file."""
    return _words(text) < MIN_LEFT and _ELSEWHERE.search(text) is not None


def _words(text: str) -> int:
    return len(_WORD.findall(text))
