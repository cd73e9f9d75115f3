"""Publish what each check of the workshop wants: `python -m scripts.checks`."""

from __future__ import annotations

from pathlib import Path

from grader.loading import default_folder, load_assignment
from grader.locale import Translator
from grader.report.words import BASIS, SECTIONS, points_text

PAGE = Path(__file__).parent.parent / "docs" / "reference" / "checks.es.md"
HEAD = """# Los criterios automáticos

Lo que pide cada criterio del taller, cuánto vale y qué puedes probar si te falta.
Esta página sale de `assignment/assignment.toml`: la escribe `python -m scripts.checks`.
"""


def page() -> str:
    """Return the whole page."""
    assignment, say = load_assignment(default_folder()), Translator("es")
    titles = {one.id: say(one.title.text) for one in assignment.spec.experiments}
    titles |= {name: say(text) for name, text in SECTIONS.items()}
    parts, section = [HEAD], ""
    for check in assignment.spec.checks:
        name = check.name.partition(".")[0]
        if name != section:
            section = name
            parts.append(f"\n## {titles.get(name, name)}\n")
        points = points_text(check.possible, say)
        unit = "punto" if points == "1" else "puntos"
        needs = [say(assignment.check(needed).title.text) for needed in check.needs]
        first = f" Antes tiene que cumplirse «{'», «'.join(needs)}»." if needs else ""
        parts.append(
            f"**{say(check.title.text)}.** `{check.name}`, {points} {unit}, "
            f"{say(BASIS[check.basis])}.{first}\n\n"
            f"Prueba: {say(check.hint.text)}\n"
        )
    return "\n".join(parts)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
