"""Written answers: where they are, what they are marked on, and the marks."""
