"""Inside the walls, beside student code: driver, recorder, stubs. Nothing trusted imports this.

Of ours it imports `wire` and `dataset.identity` only; inside the walls the package has a neutral
name, so every import of ours is relative.
"""
