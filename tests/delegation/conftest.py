"""Kernels behind real walls, as the kernel's own tests have them."""

from __future__ import annotations

from tests.kernel.conftest import assignment, run_cells

__all__ = ["assignment", "run_cells"]
