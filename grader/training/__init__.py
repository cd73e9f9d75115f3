"""The trainer: rebuilds models from plain data, trains and measures them on pristine rows.

It runs in a process of its own, behind its own walls, and never runs student code. Of ours it
imports `wire` and `dataset.identity` only.
"""
