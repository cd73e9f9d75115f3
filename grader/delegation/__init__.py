"""Trainings that notebooks ask for: remembered, trained once, handed to whoever asks.

    kernel ──socket──► door ──► ledger (what this run was given, what it brought itself)
                         │
                         ▼
                     service ──► memory (read)            trained before: answered at once
                         └─────► trainers (one process each, behind walls): they alone write it

The controller reads the memory and decides; it never imports TensorFlow. A request is hostile
until `grader.recipes` has validated it.
"""

from __future__ import annotations

from grader.delegation.door import Door
from grader.delegation.ledger import Budget, Ledger, Passed
from grader.delegation.memory import Memory
from grader.delegation.service import Service
from grader.delegation.turns import Turn

__all__ = ["Budget", "Door", "Ledger", "Memory", "Passed", "Service", "Turn"]
