"""What a person reads in a cell, line by line: Markdown, HTML, tables; comments and texts in code.

Students answer in all of them. Nothing is executed; a text that is no Python is read as prose.
"""

from __future__ import annotations

import ast
import html
import io
import re
import tokenize
import warnings
from collections.abc import Iterator
from dataclasses import dataclass

from grader.notebook import Cell
from grader.rubric.layout import lines_of

PICTURE = "\ufffc"  # the character that Unicode has for an object in a text
MAX_LINES = 3_000  # of a cell
MAX_CODE = 100_000  # characters of a code cell that are looked at

_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u2060\ufeff]")
_HIDDEN = re.compile(
    r"<(\w+)[^<>]{0,300}(?:display\s*:\s*none|visibility\s*:\s*hidden|font-size\s*:\s*0"
    r"|color\s*[:=]\s*[\"']?\s*(?:white|#fff(?:fff)?)\b)[^<>]{0,300}>.{0,5000}?</\1>",
    re.IGNORECASE | re.DOTALL,
)
_BREAK = re.compile(
    r"<br\s*/?>|</(?:p|div|tr|td|th|li|h[1-6]|summary|details|table|blockquote|center)\s*>|<hr\s*/?>",
    re.IGNORECASE,
)
_IMAGE = re.compile(
    r"!\[[^\]\n]{0,300}\]\([^)\n]{0,2000000}\)|<img\b[^<>]{0,2000000}>", re.IGNORECASE
)
_TAG = re.compile(
    r"</?(?:a|b|i|u|p|em|strong|font|span|div|h[1-6]|table|thead|tbody|tr|td|th|ul|ol|li|details"
    r"|summary|center|blockquote|small|big|mark|sub|sup|code|pre)(?:\s[^<>]{0,500})?>",
    re.IGNORECASE,
)
_LATEX_LABEL = re.compile(
    r"\$\\color\{\w{1,20}\}\{?(?:\\\w{1,12}\{)?([^{}$\n]{1,80})\}{0,2}\$|"
    r"\$\\text(?:bf|it)?\{([^{}$\n]{1,80})\}\$"
)
_ROW = re.compile(r"\s*\|(.+)\|\s*$")
_RULE = re.compile(r"[\s|:-]+")
_HEADER = re.compile(r"(?:pregunta|question|n[°º.úo]|no\.|#|[íi]tem|punto)", re.IGNORECASE)
_INLINE = re.compile(r"(?<=[.!?\s])(?=\d{1,2}\)\s)")
_MAGIC_TEXT = re.compile(r"\s*%%(?:markdown|md|html|latex|HTML|svg)\b[^\n]*\n")
_MAGIC = re.compile(r"^(\s*)[%!?][^\n]*", re.MULTILINE)
_FORM = re.compile(r"@(?:markdown|title)\s?|@param\b.*|\{\s*display-mode.*|\{\s*run:.*")
_OWN_NAME = re.compile(
    r"(?:respuestas?|resp|rta|answers?|ans|preguntas?|question|[pqr])_?(\d{1,2})", re.IGNORECASE
)
_LIST_NAME = re.compile(r"(?:respuestas|answers|resp|rtas)", re.IGNORECASE)
_SHOWS = ("print", "display", "Markdown", "HTML", "Latex")
_PICTURES = ("Image", "imshow_file", "SVG")


@dataclass(frozen=True)
class Line:
    """One line that a person reads.

    Attributes:
        breaks: code stands here instead, which ends an answer that has begun.
    """

    text: str
    breaks: bool = False


def clean(source: str) -> str:
    """Return a text without characters that nobody sees."""
    return _INVISIBLE.sub("", source).replace("\xa0", " ")


def hidden(source: str) -> bool:
    """Whether a text has words that a page would not show."""
    parts = (_TAG.sub("", match[0]) for match in _HIDDEN.finditer(source))
    return any(len(re.findall(r"\w{2,}", part)) > 3 for part in parts)


def comments(source: str) -> list[str]:
    """Return the comments of HTML that have words."""
    found = re.findall(r"<!--(.{0,5000}?)-->", source, re.DOTALL)
    return [text for text in found if len(re.findall(r"\w{2,}", text)) > 3]


def _table(text: str) -> str:
    """Return the rows of an HTML table as Markdown's."""
    text = re.sub(r"</t[dh]\s*>\s*<t[dh](?:\s[^<>]{0,300})?>", " | ", text, flags=re.IGNORECASE)
    text = re.sub(r"</th\s*>\s*</tr\s*>", " |\n|---|\n", text, flags=re.IGNORECASE)
    text = re.sub(r"</td\s*>\s*</tr\s*>", " |\n", text, flags=re.IGNORECASE)
    start = r"<tr(?:\s[^<>]{0,300})?>\s*<t[dh](?:\s[^<>]{0,300})?>"
    return re.sub(start, "\n| ", text, flags=re.IGNORECASE)


def text_lines(source: str) -> list[Line]:
    """Return the lines of Markdown or raw text."""
    text = _HIDDEN.sub("", clean(source))
    text = _IMAGE.sub(PICTURE, text)
    text = _LATEX_LABEL.sub(lambda match: match[1] or match[2], text)
    if "<" in text or "&" in text:
        text = html.unescape(_TAG.sub("", _BREAK.sub("\n", _table(text)))).replace("\xa0", " ")
    lines = [part for line in lines_of(text) for part in _inline(line)]
    return [Line(line) for line in _rows(lines)]


def code_lines(source: str) -> list[Line]:
    """Return the comments and texts of a code cell, with a break where anything else stands."""
    magic = _MAGIC_TEXT.match(source)
    if magic:
        return text_lines(source[magic.end() :])
    source = clean(source)[:MAX_CODE]
    plain = _MAGIC.sub(r"\1pass", source)
    try:
        with warnings.catch_warnings():  # of a student's "\d" nobody needs to hear
            warnings.simplefilter("ignore")
            tree = ast.parse(plain)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return text_lines(source)
    found = [*_texts(tree), *_comments(plain)]
    lines: list[Line] = []
    for _, texts in sorted(found, key=lambda one: one[0]):
        lines.extend(texts)
    return [
        Line(part) if not line.breaks else line for line in lines for part in _inline(line.text)
    ]


def _inline(line: str) -> list[str]:
    """Split a line in which at least three answers are numbered one after the other."""
    parts = _INLINE.split(line)
    numbers = [int(match[1]) for part in parts if (match := re.match(r"(\d{1,2})\)", part))]
    rising = len(numbers) > 2 and numbers == sorted(set(numbers))
    return parts if rising else [line]


def _rows(lines: list[str]) -> Iterator[str]:
    """Lay out a table whose first column names questions: the name, and below it the rest."""
    names = False
    for place, line in enumerate(lines):
        row = _ROW.match(line)
        if not row:
            names = False
            yield line
            continue
        cells = [cell.strip() for cell in row[1].split("|")]
        following = lines[place + 1] if place + 1 < len(lines) else ""
        if _RULE.fullmatch(following) and "-" in following:
            names = bool(_HEADER.match(cells[0].strip("* "))) and len(cells) > 1
            if names:
                continue
        if not names:
            yield line
        elif not _RULE.fullmatch(line):
            number = re.fullmatch(r"\W*(\d{1,2})\W*", cells[0])
            yield f"**Pregunta {number[1]}**" if number else cells[0]
            yield " ".join(cells[1:])


def _comments(source: str) -> Iterator[tuple[int, list[Line]]]:
    reader = io.StringIO(source).readline
    try:
        for token in tokenize.generate_tokens(reader):
            if token.type == tokenize.COMMENT:
                text = _FORM.sub("", token.string.lstrip("#").removeprefix(" "))
                yield token.start[0], [Line(text)] if text.strip() else [Line("")]
    except (tokenize.TokenError, SyntaxError):
        return


def _texts(tree: ast.Module) -> Iterator[tuple[int, list[Line]]]:
    for statement in tree.body:
        if isinstance(statement, ast.Import | ast.ImportFrom):
            continue
        lines = list(_of_statement(statement))
        yield statement.lineno, lines or [Line("", breaks=True)]


def _of_statement(statement: ast.stmt) -> Iterator[Line]:
    if isinstance(statement, ast.Expr):
        yield from _of_expression(statement.value)
    elif isinstance(statement, ast.Assign | ast.AnnAssign) and statement.value is not None:
        targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
        name = targets[0].id if isinstance(targets[0], ast.Name) else ""
        yield from _of_named(name, statement.value)
    elif isinstance(statement, ast.FunctionDef) and _OWN_NAME.fullmatch(statement.name):
        for inner in statement.body:
            if isinstance(inner, ast.Return) and inner.value is not None:
                yield from _of_named(statement.name, inner.value)


def _of_expression(value: ast.expr) -> Iterator[Line]:
    text = _text(value)
    if text is not None:
        yield from text_lines(text)
    elif isinstance(value, ast.Call):
        name = value.func.attr if isinstance(value.func, ast.Attribute) else ""
        name = value.func.id if isinstance(value.func, ast.Name) else name
        if name in _PICTURES:
            yield Line(PICTURE)
        elif name in _SHOWS:
            for argument in value.args:
                yield from _of_expression(argument)


def _of_named(name: str, value: ast.expr) -> Iterator[Line]:
    """Texts under a name: `respuesta_1 = "…"`, `respuestas = {"q1": "…"}`, `respuestas = ["…"]`."""
    number, text = _OWN_NAME.fullmatch(name), _text(value)
    if text is not None and (number or _LIST_NAME.match(name)):
        yield from [Line(f"**Pregunta {number[1]}**")] if number else []
        yield from text_lines(text)
    elif isinstance(value, ast.Dict):
        for key, each in zip(value.keys, value.values, strict=True):
            label = _text(key) if key is not None else None
            if isinstance(key, ast.Constant) and isinstance(key.value, int):
                label = f"q{key.value}"
            match = _OWN_NAME.fullmatch((label or "").strip().replace(" ", ""))
            said = _text(each)
            if match and said is not None:
                yield Line(f"**Pregunta {match[1]}**")
                yield from text_lines(said)
    elif isinstance(value, ast.List | ast.Tuple) and _LIST_NAME.fullmatch(name):
        for place, each in enumerate(value.elts, start=1):
            said = _text(each)
            if said is not None:
                yield Line(f"**Pregunta {place}**")
                yield from text_lines(said)


def _text(value: ast.expr) -> str | None:
    """Return what a text says; of one with values in it, the expressions in braces."""
    if isinstance(value, ast.Constant) and isinstance(value.value, str):
        return value.value
    if isinstance(value, ast.JoinedStr):
        parts = (_text(part) if isinstance(part, ast.Constant) else f"{{{ast.unparse(part.value)}}}"  # type: ignore[attr-defined]
                 for part in value.values)  # fmt: skip
        return "".join(part or "" for part in parts)
    if isinstance(value, ast.BinOp) and isinstance(value.op, ast.Add):
        left, right = _text(value.left), _text(value.right)
        return None if left is None or right is None else left + right
    return None


def cell_lines(cell: Cell) -> list[Line]:
    """Return the lines of any cell; of very many the last are one."""
    lines = code_lines(cell.source) if cell.kind == "code" else text_lines(cell.source)
    if len(lines) <= MAX_LINES:
        return lines
    rest = "\n".join(line.text for line in lines[MAX_LINES - 1 :])
    return [*lines[: MAX_LINES - 1], Line(rest)]
