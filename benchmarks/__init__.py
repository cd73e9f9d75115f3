"""What the grader costs, measured on this machine beside nbgrader and otter-grader.

`python -m benchmarks` runs everything and writes `benchmarks/RESULTS.md`; see `__main__.py`.
"""
