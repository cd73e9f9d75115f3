"""The knobs of the borders that data cross: schema fields, allow-list entries and caps.

Each is read from the code, as `tests.attacks.knobs` reads the walls' own: a field, an entry or a
cap that is new is a new knob, and `test_borders.py` asks for something that needs it.
"""
