"""The student's report and the executed notebook as HTML: one file each, no scripts, no network."""
