"""The self-check inside a student's own notebook: `%load_ext grader`, then `%check`.

`session` runs in the student's kernel: the recorder of `grader.kernel` watches there and changes
nothing. `judge` runs in a process of its own: it reads the records and says what the checks think
of them. Accuracies are those that the notebook itself showed, and so provisional.
"""
