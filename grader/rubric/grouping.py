"""Answers that say the same in nearly the same words, so that one mark serves them all.

Character n-grams do not mind slips, endings and the order of words much; clustering on their cosine
distances brings together what is near. Wants scikit-learn (`pip install grader[instructor]`).
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from grader.rubric.marks import key_of

NEAR = 0.3  # of a cosine distance: what is farther apart on average is another group
NGRAMS = (3, 5)  # letters
FEW_LETTERS = 12  # shorter ones are alike only when their words are equal
MAX_TEXT = 5_000


def same_words(texts: Sequence[str], kinds: Sequence[Hashable]) -> list[list[int]]:
    """Return the places of texts with equal words, the largest group first; wants no library."""
    same: dict[Hashable, list[int]] = {}
    for place, text in enumerate(texts):
        same.setdefault((kinds[place], key_of(text)), []).append(place)
    return sorted(same.values(), key=lambda group: (-len(group), group[0]))


def groups(texts: Sequence[str], kinds: Sequence[Hashable] | None = None) -> list[list[int]]:
    """Return the places of texts that belong together, the largest group first.

    In each group the first is the one that is nearest to all others. Equal words are together,
    also no words at all, where their kinds are equal.

    Args:
        kinds: of each text; texts of different kinds are never together, however near they are.
    """
    apart: dict[Hashable, dict[str, list[int]]] = {}
    for place, text in enumerate(texts):
        kind = None if kinds is None else kinds[place]
        apart.setdefault(kind, {}).setdefault(key_of(text), []).append(place)
    found: list[list[int]] = []
    for same in apart.values():
        members = list(same.values())
        long = [group for group in members if len(texts[group[0]]) >= FEW_LETTERS]
        found += [group for group in members if len(texts[group[0]]) < FEW_LETTERS]
        found += [
            [place for member in cluster for place in long[member]]
            for cluster in _clusters([texts[group[0]][:MAX_TEXT] for group in long])
        ]
    return sorted(found, key=lambda group: (-len(group), group[0]))


def _clusters(texts: Sequence[str]) -> list[list[int]]:
    """Return clusters of places, in each the medoid first."""
    if len(texts) < 2:
        return [[place] for place in range(len(texts))]
    from sklearn.cluster import AgglomerativeClustering
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.metrics.pairwise import cosine_distances

    vectors = TfidfVectorizer(
        analyzer="char_wb", ngram_range=NGRAMS, strip_accents="unicode", sublinear_tf=True
    ).fit_transform(texts)
    distances = cosine_distances(vectors)
    found = AgglomerativeClustering(
        n_clusters=None, metric="precomputed", linkage="average", distance_threshold=NEAR
    ).fit_predict(distances)
    clusters: dict[int, list[int]] = {}
    for place, label in enumerate(found):
        clusters.setdefault(int(label), []).append(place)
    return [
        sorted(cluster, key=lambda place: (distances[place, cluster].sum(), place))
        for cluster in clusters.values()
    ]
