"""Makes text that others wrote safe to show: control characters visible, ANSI gone, Markdown tame.

Student Markdown keeps its structure (lists, tables, emphasis, code) and nothing that could look
like a part of the report: no raw HTML, no headings, no images, no classes, no relative links.
"""

from __future__ import annotations

import re
from collections.abc import MutableMapping, Sequence
from functools import cache
from html import escape
from typing import Any

import nh3
from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup

CLIP = 1_200
"""Characters of one sentence or name; the longest honest ones have about 400."""
ANSWER = 12_000
"""Characters of one written answer."""
MARKUP = 120_000
"""Characters of HTML that one answer may become before it is shown as plain text."""

_EMOJI = "[\u2190-\u2bff\U0001f000-\U0001faff\ufe0f]"
_HIDDEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f"
    "\u200b\u200c\u200e\u200f\u2028-\u202e\u2060-\u206f\u3164\ud800-\udfff\ufeff\uffa0\ufff0-\uffff"
    "\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
    f"|\u200d(?!{_EMOJI})|(?<!{_EMOJI})\u200d"
)
_ANSI = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]|\x9b[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]{0,4000}(?:\x07|\x1b\\)?"
    r"|\x1b[ -/]*[0-~]"
)
_TAGS = {
    "a", "blockquote", "br", "code", "del", "em", "li", "ol", "p", "pre", "s", "strong",
    "table", "tbody", "td", "th", "thead", "tr", "ul",
}  # fmt: skip


def visible(text: str) -> str:
    """Return text whose bidirectional, zero-width and control characters are written as `⟦U+202E⟧`.

    Line breaks and tabs stay; so does the joiner inside an emoji.
    """
    if not any(map(_HIDDEN.match, set(text))):  # a whole page is searched only where it must be
        return text
    return _HIDDEN.sub(lambda found: f"⟦U+{ord(found.group()):04X}⟧", text)


def without_ansi(text: str) -> str:
    """Return text without terminal escape sequences."""
    return _ANSI.sub("", text)


def clip(text: str, limit: int = CLIP) -> str:
    """Return text without terminal escapes, cut with an ellipsis after `limit` characters."""
    text = without_ansi(text[: limit * 4])
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def markdown(text: str, limit: int = ANSWER, headings: bool = False) -> Markup:
    """Return a student's Markdown as HTML of the allow-list; cut after `limit` characters.

    Headings become emphasised paragraphs, or with `headings` ones of the second level and below.
    """
    source = visible(without_ansi(text[:limit]))
    rendered = _sanitised(_markdown(headings).render(source), headings)
    if len(rendered) > MARKUP:
        rendered = f"<pre>{escape(source)}</pre>"
    return Markup(rendered)  # noqa: S704 - everything in it passed the allow-list


def _sanitised(html: str, headings: bool) -> str:
    return nh3.clean(
        html,
        tags=_TAGS | {"h2", "h3", "h4", "h5", "h6"} if headings else _TAGS,
        attributes={"a": {"href"}, "ol": {"start"}},
        attribute_filter=_attribute,
        url_schemes={"https", "mailto"},
        link_rel="noopener noreferrer nofollow",
    )


def _attribute(tag: str, name: str, value: str) -> str | None:
    if tag == "a" and name == "href":
        return value if re.match(r"(?i)https://|mailto:", value) else None
    if tag == "ol" and name == "start":
        return value if re.fullmatch(r"\d{1,6}", value) else None
    return value if name == "rel" else None


@cache
def _markdown(headings: bool) -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False, "maxNesting": 20})
    parser.enable(["table", "strikethrough"])
    parser.add_render_rule("heading_open", _lower_open if headings else _heading_open)
    parser.add_render_rule("heading_close", _lower_close if headings else _heading_close)
    parser.add_render_rule("image", _image)
    return parser


def _heading_open(*_: Any) -> str:
    return "<p><strong>"


def _heading_close(*_: Any) -> str:
    return "</strong></p>\n"


def _lower_open(_renderer: Any, tokens: Sequence[Token], index: int, *_: Any) -> str:
    return f"<h{_level(tokens[index])}>"


def _lower_close(_renderer: Any, tokens: Sequence[Token], index: int, *_: Any) -> str:
    return f"</h{_level(tokens[index])}>\n"


def _level(token: Token) -> int:
    return min(6, int(token.tag[1:]) + 1)


def _image(
    _renderer: Any,
    tokens: Sequence[Token],
    index: int,
    _options: Any,
    _env: MutableMapping[str, Any],
) -> str:
    """Name the image; its file is not in the report and its address is never asked for."""
    return f"<em>[{escape(tokens[index].content)}]</em>"
