"""Gradescope grades by itself: what goes into its image, and what runs there for each submission.

`package` writes the ZIP where the instructor is; `run` is called inside by the script
`run_autograder`. `setup.sh` and `run_autograder` are copied into the ZIP as they are.
"""
