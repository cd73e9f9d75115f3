"""Reads a rendered page as a browser's parser would, and says what in it could do harm."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser

INLINE = {"a", "b", "code", "del", "em", "i", "s", "span", "strong"}
VOID = {"br", "hr", "img", "input", "link", "meta", "rect"}
ALLOWED = {
    "a", "article", "b", "blockquote", "body", "br", "caption", "code", "dd", "del", "details",
    "div", "dl", "dt", "em", "figcaption", "figure", "h1", "h2", "h3", "h4", "h5", "h6", "head",
    "header", "html", "img", "li", "main", "meta", "nav", "ol", "p", "pre", "rect", "s", "section",
    "span", "strong", "style", "summary", "svg", "table", "tbody", "td", "th", "thead", "title",
    "tr", "ul",
}  # fmt: skip
FORBIDDEN = {
    "action", "background", "data", "formaction", "poster", "srcdoc", "srcset", "style", "target",
    "xlink:href",
}  # fmt: skip
LINK = "noopener noreferrer nofollow"
HIDDEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e"
    "\u2060-\u2069\ud800-\udfff\ufeff\ufff9-\ufffb\ufffe\uffff\U000e0000-\U000e01ef]"
)
ACTIVE = re.compile(
    r"<script|<style|style=|\son\w+=|href=\"(?!#)|<foreignObject|<image|url\((?!#)", re.IGNORECASE
)


@dataclass
class Element:
    """One start tag with the text directly and indirectly in it.

    Attributes:
        parents: the tags of the elements around it.
        around: those tags and the classes of those elements.
    """

    tag: str
    attributes: dict[str, str | None]
    parents: tuple[str, ...]
    around: frozenset[str] = frozenset()
    text: str = ""

    @property
    def classes(self) -> set[str]:
        """The words of its class."""
        return set((self.attributes.get("class") or "").split())


@dataclass
class Page(HTMLParser):
    """A parsed document."""

    document: str
    elements: list[Element] = field(default_factory=list)
    open: list[Element] = field(default_factory=list)
    style: str = ""
    text: str = ""

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.feed(self.document)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, dict(attrs), tuple(parent.tag for parent in self.open))
        if self.open:
            above = self.open[-1]
            element.around = above.around | {above.tag} | above.classes
        if tag not in INLINE:
            self.handle_data(" ")
        self.elements.append(element)
        if tag not in VOID:
            self.open.append(element)

    def handle_endtag(self, tag: str) -> None:
        if tag in VOID:
            return
        assert self.open and self.open[-1].tag == tag, f"</{tag}> closes {self.open[-1:]}"
        self.open.pop()
        if tag not in INLINE:
            self.handle_data(" ")

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1].tag == "style":
            self.style += data
            return
        self.text += data
        for element in self.open:
            element.text += data

    def all(self, tag: str) -> list[Element]:
        """Every element of one tag."""
        return [element for element in self.elements if element.tag == tag]

    def words(self) -> str:
        """The page's text with single spaces."""
        return " ".join(self.text.split())


def dangers(
    document: str | Page, more: Collection[str] = (), own: str = r"#[\w.-]+", policy: bool = True
) -> list[str]:
    """What a page must not hold; an empty list for a page that can only be read.

    Args:
        more: tags that this kind of page has beside those that all have.
        own: how links of ours look (a regular expression); others go to https and mail only.
        policy: the page carries its own content policy.
    """
    page = document if isinstance(document, Page) else Page(document)
    tags = ALLOWED.union(more)
    found = [f"<{element.tag}>" for element in page.elements if element.tag not in tags]
    for element in page.elements:
        found += [f"{element.tag} {problem}" for problem in _attributes(element, own)]
    if page.open:
        found.append(f"never closed: {[element.tag for element in page.open]}")
    if HIDDEN.search(page.document):
        found.append("a character that nobody sees")
    return found + (list(_policy(page)) if policy else [])


def _attributes(element: Element, own: str) -> Iterator[str]:
    for name, value in element.attributes.items():
        text = value or ""
        if name.startswith("on") or name in FORBIDDEN:
            yield name
        if name == "href" and not re.fullmatch(own, text):
            if not re.match(r"https://|mailto:", text):
                yield f"href={text[:40]}"
            elif element.attributes.get("rel") != LINK:
                yield f"href={text[:40]} without rel"
        if name == "src":
            yield from _source(text)
        if name == "http-equiv" and text != "Content-Security-Policy":
            yield f"http-equiv={text}"


def _source(text: str) -> Iterator[str]:
    found = re.fullmatch(r"data:image/(png|jpeg|svg\+xml);base64,([A-Za-z0-9+/=]+)", text)
    if not found:
        yield f"src={text[:40]}"
    elif found.group(1) == "svg+xml" and ACTIVE.search(base64.b64decode(found.group(2)).decode()):
        yield "an active SVG"


def _policy(page: Page) -> Iterator[str]:
    metas = [e.attributes for e in page.all("meta") if e.attributes.get("http-equiv")]
    if len(metas) != 1:
        yield f"{len(metas)} content policies"
        return
    digest = base64.b64encode(hashlib.sha256(page.style.encode()).digest()).decode()
    wanted = (
        f"default-src 'none'; img-src data:; style-src 'sha256-{digest}'; "
        "base-uri 'none'; form-action 'none'"
    )
    if metas[0].get("content") != wanted:
        yield f"policy {metas[0].get('content')}"
    if len(page.all("style")) != 1 or "url(" in page.style or "@import" in page.style:
        yield "more than one style sheet, or one that loads"
