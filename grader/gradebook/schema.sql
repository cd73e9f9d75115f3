-- Points are integer hundredths; times are UTC, ISO 8601. Rows are added, never changed.
CREATE TABLE assignment (
    number INTEGER PRIMARY KEY, id TEXT NOT NULL, sha256 TEXT NOT NULL, folder TEXT NOT NULL, language TEXT NOT NULL
) STRICT;
CREATE TABLE grading (
    number INTEGER PRIMARY KEY, at TEXT NOT NULL, student TEXT NOT NULL, name TEXT NOT NULL,
    notebook TEXT NOT NULL, under TEXT NOT NULL, scored TEXT NOT NULL,
    gathered TEXT NOT NULL, result TEXT NOT NULL
) STRICT;
CREATE INDEX grading_student ON grading (student, number);
CREATE TABLE event (
    number INTEGER PRIMARY KEY, at TEXT NOT NULL, who TEXT NOT NULL, student TEXT NOT NULL,
    check_name TEXT NOT NULL, points INTEGER NOT NULL, because TEXT NOT NULL
) STRICT;
CREATE TABLE missing (student TEXT PRIMARY KEY, name TEXT NOT NULL, at TEXT NOT NULL) STRICT;
CREATE VIEW latest AS
    SELECT * FROM grading WHERE number IN (SELECT max(number) FROM grading GROUP BY student);
