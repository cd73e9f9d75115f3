"""The contract type that import-linter checks our zones with: what may a part of the tree import?

import-linter's own contracts forbid what is listed; these forbid what is not, so that a new module
is outside every wall until somebody lets it in.
"""

from __future__ import annotations

import sys
from typing import Any

from grimp import ImportGraph
from importlinter import Contract, ContractCheck, fields, output


class ZoneContract(Contract):
    """Every direct import of a zone must be allowed and not forbidden.

    Names stand for themselves and all below them. ``stdlib`` and ``external`` stand for the
    standard library and for all packages from elsewhere. Parent packages of an allowed module are
    allowed too, since importing it imports them.
    """

    zone: Any = fields.ListField(subfield=fields.StringField())
    exclude: Any = fields.ListField(subfield=fields.StringField(), required=False)
    allowed: Any = fields.ListField(subfield=fields.StringField())
    forbidden: Any = fields.ListField(subfield=fields.StringField(), required=False)

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        broken: list[tuple[str, str, int]] = []
        for module in sorted(graph.modules):
            if not _within(module, self.zone) or _within(module, self.exclude or []):
                continue
            for imported in sorted(graph.find_modules_directly_imported_by(module)):
                if _within(imported, self.forbidden or []) or not self._allows(imported):
                    details = graph.get_import_details(importer=module, imported=imported)
                    broken.extend((module, imported, detail["line_number"]) for detail in details)
        return ContractCheck(kept=not broken, metadata={"broken": broken})

    def render_broken_contract(self, check: ContractCheck) -> None:
        for module, imported, line in check.metadata["broken"]:
            output.print_error(f"{module} line {line} imports {imported}", bold=False)

    def _allows(self, imported: str) -> bool:
        if _within(imported, self.allowed):
            return True
        if any(name.startswith(f"{imported}.") for name in self.allowed):
            return True
        top = imported.partition(".")[0]
        if top in sys.stdlib_module_names:
            return "stdlib" in self.allowed
        return top != "grader" and "external" in self.allowed


def _within(module: str, names: list[str]) -> bool:
    return any(module == name or module.startswith(f"{name}.") for name in names)
