"""Grades Keras notebooks: runs them behind walls, measures their models, explains every point."""

__version__ = "0.1.0"
