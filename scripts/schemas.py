"""Publish the JSON Schemas of an assignment's files, and the same as tables in
`docs/reference/assignment.md`: `python -m scripts.schemas`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from grader.assignment import CHECK_NAME, LAYER, schemas
from grader.checks.kinds import KINDS
from grader.specfile import NAME

DOCS = Path(__file__).parent.parent / "docs"
FOLDER, PAGE = DOCS / "schema", DOCS / "reference" / "assignment.md"
TABLE = re.compile(
    r"(?<=^<!-- keys: )([a-z]+)( -->\n).*?(?=^<!-- end -->)", re.MULTILINE | re.DOTALL
)
HEAD = "| key | type | meaning | default |\n|---|---|---|---|\n"
Schema = Mapping[str, Any]
# Texts of a form that has a name of its own.
FORMS = {
    NAME: ("name", "names"),
    CHECK_NAME: ("check's name", "checks' names"),
    LAYER: ("layer", "layers"),
}


def texts() -> dict[str, str]:
    """Return each schema's file name and text."""
    return {
        f"{name}.json": json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
        for name, schema in schemas().items()
    }


def page(text: str) -> str:
    """Return the page with each of its tables as the schemas say it."""
    tables = {name: HEAD + "".join(rows) for name, rows in tables_of_keys().items()}
    return TABLE.sub(lambda found: f"{found[1]}{found[2]}{tables[found[1]]}", text)


def tables_of_keys() -> dict[str, list[str]]:
    """Return the rows of each table by its name: a table of the file, `settings` or `rubric`."""
    tables: dict[str, list[str]] = {"assignment": [], "rubric": [], "settings": []}
    for key, row in _rows(schemas()["assignment"]):
        part = re.match(r"[a-z_]+(?=[.\[])", key)
        tables.setdefault(part[0] if part else "assignment", []).append(row)
    tables["rubric"] = [row for _, row in _rows(schemas()["rubric"])]
    for name, kind in KINDS.items():
        settings = kind.settings.model_json_schema()
        tables["settings"] += [row for _, row in _rows(settings, f"{name}.")]
    return tables


def _rows(whole: Schema, path: str = "", of: Schema | None = None) -> Iterator[tuple[str, str]]:
    """Yield each key with its row; an object's keys stand for it, a sentence is one key."""
    schema = whole if of is None else of
    for name, field in schema.get("properties", {}).items():
        inner, way = _inner(whole, field)
        if "properties" in inner and inner["title"] != "Sentence":
            yield from _rows(whole, f"{path}{name}{way}.", inner)
            continue
        default = _default(field) if name not in schema.get("required", ()) else "required"
        kind = _kind(whole, field)[0]
        cells = f"`{path}{name}`", kind, field["description"].replace("\n", " "), default
        yield f"{path}{name}", f"| {' | '.join(cells)} |\n"


def _inner(whole: Schema, field: Schema) -> tuple[Schema, str]:
    """What a key's entries are, and how the page writes the way to them."""
    field = _resolved(whole, field)
    if field.get("type") == "array":
        inner, way = _inner(whole, field["items"])
        return inner, f"[]{way}"
    if (entries := _entries(field)) is not None:
        inner, way = _inner(whole, entries)
        return inner, f".<name>{way}"
    return field, ""


def _entries(field: Schema) -> Schema | None:
    """What stands in a table whose keys the author chooses, if that is said."""
    entries = [*field.get("patternProperties", {}).values(), field.get("additionalProperties")]
    return entries[0] if isinstance(entries[0], dict) else None


def _resolved(whole: Schema, field: Schema) -> Schema:
    if "$ref" in field:
        found: Schema = whole["$defs"][field["$ref"].rpartition("/")[2]]
        return found
    if "anyOf" in field:
        return _resolved(whole, next(one for one in field["anyOf"] if one.get("type") != "null"))
    return field


def _kind(whole: Schema, field: Schema) -> tuple[str, str]:
    """The kind of value that a key takes, for one and for several."""
    field = _resolved(whole, field)
    if "enum" in field:
        *others, last = [f"`{one}`" if isinstance(one, str) else str(one) for one in field["enum"]]
        return (f"{', '.join(others)} or {last}",) * 2
    if field["type"] == "array":
        one, several = "list", "lists"
        of = _kind(whole, field["items"])[1]
        return f"{one} of {of}", f"{several} of {of}"
    if field["type"] == "object":
        if "properties" in field:
            return field["title"].lower(), f"{field['title'].lower()}s"
        entries = _entries(field)
        of = f" of {_kind(whole, entries)[1]}" if entries is not None else ""
        return f"table{of}", f"tables{of}"
    if field["type"] in ("integer", "number"):
        return _number(field)
    if field.get("format") == "date-time":
        return ("date and time with an offset",) * 2
    if "pattern" in field:
        return FORMS.get(field["pattern"], (f"text matching `{field['pattern']}`",) * 2)
    return "text", "texts"


def _number(field: Schema) -> tuple[str, str]:
    if "multipleOf" in field:
        return "points", "points"
    least, most = field.get("minimum"), field.get("maximum", field.get("exclusiveMaximum"))
    if "exclusiveMaximum" in field:
        most -= 1
    bounds = f", {least:g} or more" if least is not None else ""
    bounds = bounds if most is None else f", {least:g} to {most}"
    return f"{field['type']}{bounds}", f"{field['type']}s{bounds}"


def _default(field: Schema) -> str:
    value = field.get("default")
    if value is None:
        return "none"
    if isinstance(value, str):
        return f"`{value}`"
    return f"{value:g}" if isinstance(value, int | float) else "empty" if not value else str(value)


def main() -> None:
    """Write the schemas and the page."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, text in texts().items():
        (FOLDER / name).write_text(text, encoding="utf-8")
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
