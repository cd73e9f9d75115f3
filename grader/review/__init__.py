"""The marking pages: people read written answers and press keys; 127.0.0.1 only."""
