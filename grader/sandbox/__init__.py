"""Walls around a job: levels, limits, start and end. See `open_sandbox` and `probe`."""

from __future__ import annotations

from grader.sandbox.box import Sandbox, open_sandbox
from grader.sandbox.jobs import Ended, Job, Level, Limits, Mount, WallsError
from grader.sandbox.probe import Probe, ProbeCheck, probe
from grader.sandbox.running import Running
from grader.sandbox.scratch import new_folder

__all__ = [
    "Ended",
    "Job",
    "Level",
    "Limits",
    "Mount",
    "Probe",
    "ProbeCheck",
    "Running",
    "Sandbox",
    "WallsError",
    "new_folder",
    "open_sandbox",
    "probe",
]
