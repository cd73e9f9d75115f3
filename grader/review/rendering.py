"""Students' files follow their marks, behind the marker's back: nobody waits for a report.

Another process writes them, so that the next answer is on the screen at once; the gradebook is
written here.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterable
from pathlib import Path

from grader.assignment import Assignment
from grader.batch.desk import Desk
from grader.batch.rescoring import Scorers, rewritten
from grader.dataset.store import Dataset
from grader.gradebook import Gradebook
from grader.result import Student


class Rendering:
    """Has the files of students written whose marks have changed, one after the other.

    Attributes:
        problem: what happened to the latest file that could not be written, empty while none did;
            marks are kept all the same, and whoever opens the class next writes the files.
    """

    def __init__(
        self, folder: Path, assignment: Assignment, dataset: Dataset, pool: Scorers
    ) -> None:
        self._folder, self._assignment, self._dataset = folder, assignment, dataset
        self._pool = pool
        self._waiting: queue.SimpleQueue[Student | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._pending: set[Student] = set()
        self._writing = 0
        self.problem = ""
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    @property
    def left(self) -> int:
        """How many students' files are still to be written."""
        with self._lock:
            return len(self._pending) + self._writing

    def ask(self, students: Iterable[Student]) -> None:
        """Have these students' files written again."""
        with self._lock:
            new = [student for student in students if student not in self._pending]
            self._pending.update(new)
        for student in new:
            self._waiting.put(student)

    def finish(self) -> None:
        """Write what is left, and stop."""
        self._waiting.put(None)
        self._thread.join()

    def _work(self) -> None:
        with Gradebook(self._folder) as gradebook:
            desk = Desk(
                self._assignment, self._dataset, gradebook, self._folder, gradebook.language
            )
            while (student := self._waiting.get()) is not None:
                with self._lock:
                    self._pending.discard(student)  # a mark from now on asks again
                    self._writing = 1
                try:
                    self._write(desk, student)
                except Exception as error:  # noqa: BLE001 - the border between students
                    self.problem = f"{student.id}: {type(error).__name__}: {error}"
                with self._lock:
                    self._writing = 0

    def _write(self, desk: Desk, student: Student) -> None:
        scored = desk.scored_by(student)  # a mark that comes meanwhile asks again
        result, failed = self._pool.result(rewritten, student)
        desk.gradebook.rescore(student, result, "" if failed else scored)
