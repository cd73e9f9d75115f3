"""A figure of the calibration: what honest training reaches, and where the thresholds stand."""

from __future__ import annotations

import json
from pathlib import Path

from matplotlib import rc_context
from matplotlib.figure import Figure

from grader.thresholds import PLAIN, Calibration

INK, BAND, LIMIT = "#1f2937", "#2563eb", "#b91c1c"


def draw_bands(path: Path) -> str:
    """Draw `bands.svg` beside a calibration file; return a line that names it."""
    calibration = Calibration.model_validate(json.loads(path.read_text(encoding="utf-8")))
    names = sorted(calibration.architectures)
    rows = [
        (name, variant)
        for name in names
        for variant in sorted(calibration.architectures[name], key=lambda v: (v != PLAIN, v))
    ]
    with rc_context({"svg.hashsalt": "bands", "svg.fonttype": "none", "font.size": 9}):
        figure = Figure(figsize=(9, 0.32 * len(rows) + 1.2), layout="constrained")
        for axes, measure, title in zip(
            figure.subplots(1, 2, sharey=True),
            ("test_accuracy", "gap"),
            ("Test accuracy", "Gap (train − test)"),
            strict=True,
        ):
            for place, (name, variant) in enumerate(rows):
                band = getattr(calibration.architectures[name][variant], measure)
                thresholds = calibration.thresholds(name)
                assert thresholds is not None
                limit = (
                    thresholds.accuracy_full if measure == "test_accuracy" else thresholds.gap_limit
                )
                axes.plot([band.min, band.max], [place, place], color=BAND, linewidth=2)
                axes.plot([band.mean], [place], "o", color=INK, markersize=4)
                axes.plot([limit], [place], "|", color=LIMIT, markersize=12)
            axes.set_title(title)
            axes.grid(axis="x", linewidth=0.3)
            axes.set_yticks(
                range(len(rows)),
                [f"{name} · {variant.replace('_', ' ')}" for name, variant in rows],
            )
        axes.invert_yaxis()
        figure.supxlabel(
            "line: smallest to largest over the seeds · dot: mean · red bar: threshold"
        )
        target = path.with_name("bands.svg")
        figure.savefig(target, metadata={"Date": None})
    return f"{target}: the bands of {len(rows)} ways of training"
