-- Points are integer hundredths; times are UTC, ISO 8601. Rows are added, never changed.
CREATE TABLE assignment (
    number INTEGER PRIMARY KEY, id TEXT NOT NULL, sha256 TEXT NOT NULL, folder TEXT NOT NULL, language TEXT NOT NULL
) STRICT;
-- What running a notebook left; it is kept once, however often it is judged.
CREATE TABLE run (
    number INTEGER PRIMARY KEY, at TEXT NOT NULL, student TEXT NOT NULL, notebook TEXT NOT NULL,
    under TEXT NOT NULL, gathered TEXT NOT NULL, prints BLOB NOT NULL, shown BLOB NOT NULL
) STRICT;
CREATE INDEX run_student ON run (student, number);
CREATE TABLE grading (
    number INTEGER PRIMARY KEY, at TEXT NOT NULL, student TEXT NOT NULL, name TEXT NOT NULL,
    run INTEGER NOT NULL REFERENCES run (number), scored TEXT NOT NULL,
    result TEXT NOT NULL, summary TEXT NOT NULL
) STRICT;
CREATE INDEX grading_student ON grading (student, number);
CREATE TABLE event (
    number INTEGER PRIMARY KEY, at TEXT NOT NULL, who TEXT NOT NULL, student TEXT NOT NULL,
    check_name TEXT NOT NULL, points INTEGER NOT NULL, because TEXT NOT NULL,
    saw INTEGER -- what the run alone gave when the mark was made
) STRICT;
CREATE INDEX event_student ON event (student, number);
-- Marks of written answers, in hundredths; of a criterion the latest row counts that was not undone.
CREATE TABLE mark (
    number INTEGER PRIMARY KEY, at TEXT NOT NULL, who TEXT NOT NULL,
    action TEXT NOT NULL, -- one press of a key, which may mark a group
    student TEXT NOT NULL, question TEXT NOT NULL, criterion TEXT NOT NULL,
    points INTEGER NOT NULL, comment TEXT NOT NULL,
    answer TEXT NOT NULL -- the key of the text that was marked
) STRICT;
CREATE INDEX mark_student ON mark (student, question, number);
CREATE INDEX mark_question ON mark (question, number);
CREATE INDEX mark_action ON mark (action);
CREATE TABLE undone (action TEXT PRIMARY KEY, at TEXT NOT NULL, who TEXT NOT NULL) STRICT;
CREATE TABLE passage (key TEXT PRIMARY KEY, text TEXT NOT NULL) STRICT;
-- What the course platform says of each submission; a student's latest row counts.
CREATE TABLE handed_in (
    number INTEGER PRIMARY KEY, at TEXT NOT NULL, student TEXT NOT NULL, source TEXT NOT NULL,
    key TEXT NOT NULL, late_s INTEGER, late INTEGER, handles TEXT NOT NULL
) STRICT;
CREATE INDEX handed_in_student ON handed_in (student, number);
-- Whose id changed (a roster was given, a namesake came) is there once, under the newer id.
CREATE INDEX handed_in_key ON handed_in (source, key, number);
CREATE VIEW current AS SELECT student FROM handed_in AS it
    WHERE number = (SELECT max(number) FROM handed_in WHERE source = it.source AND key = it.key);
-- What the latest look at the whole class found: texts as `form.py` writes them.
CREATE TABLE notice (number INTEGER PRIMARY KEY, at TEXT NOT NULL, text TEXT NOT NULL) STRICT;
CREATE TABLE missing (student TEXT PRIMARY KEY, name TEXT NOT NULL, at TEXT NOT NULL) STRICT;
-- Correlated, so that asking for one student reads the rows of that student only.
CREATE VIEW latest AS
    SELECT it.student, name, run, scored, result, summary, notebook, under, gathered, prints, shown
    FROM grading AS it JOIN run ON run.number = it.run
    WHERE it.number = (SELECT max(number) FROM grading WHERE student = it.student)
    AND (EXISTS (SELECT 1 FROM current WHERE student = it.student)
        OR NOT EXISTS (SELECT 1 FROM handed_in WHERE student = it.student));
