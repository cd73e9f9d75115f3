"""Things left in the job's folder for whoever reads or removes it."""

from __future__ import annotations

from tests.attacks.harm.program import Harm

HARMS = (
    Harm("a pipe in place of the records", "D11", 'os.mkfifo("/job/events.jsonl")', "done"),
    Harm(
        "links to secrets in place of the records",
        "D11",
        """
for number, path in enumerate([*T["outside"].values(), "/etc/shadow", "/proc/self/environ"]):
    os.symlink(path, f"/job/{number}")
os.symlink(T["outside"]["gradebook"], "/job/events.jsonl")
""",
        "done",
    ),
    Harm(
        "a second name for the dataset",
        "D11",
        'os.link("/data/train", "/job/events.jsonl")',
        "EXDEV | EPERM",
    ),
    Harm(
        "a socket in place of the records",
        "D11",
        'socket.socket(1).bind("/job/events.jsonl")',
        "done",
    ),
    Harm("a folder in place of the records", "D11", 'os.makedirs("/job/events.jsonl/x")', "done"),
    Harm("links in a ring", "D11", 'os.symlink("b", "/job/a"); os.symlink("a", "/job/b")', "done"),
    Harm(
        "a program for others to become its user",
        "D11",
        'write("/job/su"); os.chmod("/job/su", 0o6777)',
        "done",
    ),
    Harm(
        "names that no terminal should show",
        "D10",
        r"""
for name in (b"\x1b[2J\x1b]0;harm\x07", b"\xff\xfe", b"a\nb", b"-rf", b"..."):
    os.close(os.open(b"/job/" + name, os.O_CREAT))
""",
        "done",
    ),
    Harm(
        "folders too deep to remove",
        "C08",
        """
os.chdir("/job")
for _ in range(1500):
    os.mkdir("d")
    os.chdir("d")
""",
        "done | disk",
    ),
    Harm(
        "folders that may not be entered",
        "C08",
        """
os.makedirs("/job/closed/inner")
write("/job/closed/inner/file")
os.chmod("/job/closed/inner", 0)
os.chmod("/job/closed", 0)
os.chmod("/job", 0)
""",
        "done",
    ),
    Harm(
        "a million bytes in one line of the records",
        "C06",
        'write("/job/events.jsonl", "[" * 3 * MIB)',
        "done",
    ),
    Harm("its own folder removed", "D11", 'os.rmdir("/job")', "EBUSY | EROFS"),
    Harm("its own folder swapped", "D11", 'os.rename("/job", "/tmp/job")', "EBUSY | EXDEV | EROFS"),
)
