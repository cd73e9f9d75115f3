"""Signed reports: whether a page is as the instructor's grader wrote it.

A signed report carries a *statement* (whose it is, which notebook, which assignment, every point,
the SHA-256 of the page itself) and an Ed25519 signature (RFC 8032) over its canonical JSON. The
private key never leaves the instructor's machine, and no student package has one.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from grader.writing import write_whole

FORMAT: Final = "grader/signature/1"
META: Final = '<meta name="grader-signature" content="{}">'
UNSIGNED: Final = META.format("")
_SIGNED = re.compile(re.escape(META).replace(r"\{\}", r"([A-Za-z0-9_=-]+)"))


class SignatureError(Exception):
    """A report that is not as it was signed, or no key; one line that says which."""


@dataclass(frozen=True)
class Key:
    """An instructor's signing key."""

    private: Ed25519PrivateKey

    @property
    def public(self) -> str:
        """The public part, 32 bytes as base64."""
        return _text(self.private.public_key().public_bytes_raw())

    @property
    def id(self) -> str:
        """A short name for people."""
        return hashlib.sha256(self.public.encode()).hexdigest()[:16]


def read_key(path: Path) -> Key:
    """Return the key in a file.

    Raises:
        SignatureError: there is none, others can read it, or it is no key of ours.
    """
    if not path.exists():
        raise SignatureError(f"{path}: is not there; `grader keys` makes it, or unset GRADER_KEY")
    if os.name == "posix" and path.stat().st_mode & 0o077:
        raise SignatureError(f"{path}: others can use it, too: chmod 600, or make another")
    try:
        private = serialization.load_pem_private_key(path.read_bytes(), None)
    except (ValueError, TypeError) as error:
        raise SignatureError(f"{path}: is no key ({error}); put the right file there") from error
    if not isinstance(private, Ed25519PrivateKey):
        raise SignatureError(f"{path}: is no Ed25519 key; `grader keys` makes one elsewhere")
    return Key(private)


def make_key(path: Path) -> Key:
    """Make a key that only its owner can read, and return it.

    Raises:
        OSError: the folder cannot be written.
    """
    key = Key(Ed25519PrivateKey.generate())
    path.parent.mkdir(parents=True, exist_ok=True)
    data = key.private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    before = os.umask(0o077)
    try:
        write_whole(path, data)
    finally:
        os.umask(before)
    return key


def statement(result: Mapping[str, Any], report: str, at: str) -> dict[str, Any]:
    """Return what a signature is about.

    Args:
        result: the result.json of the report.
        report: the page, without a signature.
        at: when, UTC, ISO 8601.
    """
    kept = ("assignment", "student", "notebook", "state", "points", "late", "grade")
    return {
        "format": FORMAT,
        "at": at,
        **{name: result[name] for name in kept},
        "findings": {
            one["check"]: [one["status"], one["earned"], one["possible"]]
            for one in result["findings"]
        },
        "answers": {
            one["question"]: {name: mark["points"] for name, mark in (one["marks"] or {}).items()}
            for one in result["answers"]
        },
        "report": hashlib.sha256(report.encode()).hexdigest(),
    }


def signed(report: str, result: Mapping[str, Any], key: Key) -> str:
    """Return a report with its signature."""
    said = statement(result, report, datetime.now(UTC).isoformat(timespec="seconds"))
    signature = _text(key.private.sign(_canonical(said)))
    whole = _canonical({"statement": said, "key": key.public, "signature": signature})
    return report.replace(UNSIGNED, META.format(_text(whole)), 1)


def verified(report: str, public: str) -> dict[str, Any]:
    """Return the statement of a report that is as it was signed by a key.

    Args:
        public: the public key, as `Key.public` writes it.

    Raises:
        SignatureError: it is not signed, by another key, or has been changed since.
    """
    found = _SIGNED.findall(report)
    if not found:
        raise SignatureError("is not signed: a self-check, or graded without a key")
    if len(found) > 1:
        raise SignatureError("carries more than one signature")
    try:
        whole = json.loads(base64.urlsafe_b64decode(found[0]))
        said, signature = whole["statement"], base64.urlsafe_b64decode(whole["signature"])
        by = str(whole["key"])
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise SignatureError("has a signature that cannot be read") from error
    if by != public:
        raise SignatureError("was signed by another key")
    try:
        Ed25519PublicKey.from_public_bytes(base64.urlsafe_b64decode(public)).verify(
            signature, _canonical(said)
        )
    except (InvalidSignature, ValueError) as error:
        raise SignatureError("says something else than what was signed") from error
    blank = _SIGNED.sub(lambda _: UNSIGNED, report)
    if said.get("report") != hashlib.sha256(blank.encode()).hexdigest():
        raise SignatureError("is not the page that was signed: something on it was changed")
    return dict(said)


def _canonical(value: Mapping[str, Any]) -> bytes:
    """JSON in one form only: keys in order, no spaces, ASCII."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode("ascii")
