"""What a disturbed run said otherwise than the undisturbed one: doubled, lost and invented words.

Recognisers mishear the same sound in different ways, so a word that merely reads differently is
no finding. Scores only: knows nothing about engines, workers or clocks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher

from model_backends.base import Word

_LONGEST_REPEAT = 8  # words
_LOST_RUN = 2  # words: one word heard in another way is no loss
_INVENTED_LETTERS = 4
_TWO_WORDS = 8  # letters
_LONG_WORD = 6  # letters: one that agrees alone does not do so by chance


@dataclass(frozen=True, slots=True)
class Finding:
    """Words that should not be there, or are not there."""

    kind: str  # "doubled", "lost", "invented"
    start_ms: int
    end_ms: int
    text: str


def joined(words: Sequence[Word]) -> list[Word]:
    """The words, with marks that came as pieces of their own put back."""
    whole: list[Word] = []
    for word in words:
        if whole and not any(c.isalnum() for c in word.text):
            whole[-1] = replace(whole[-1], text=whole[-1].text + word.text)
        else:
            whole.append(word)
    return whole


def differences(
    undisturbed: Sequence[Word], disturbed: Sequence[Word], reference: str = ""
) -> list[Finding]:
    """The findings in order of time.

    The undisturbed run mishears, too: with `reference`, the text that was read, a run counts as
    lost only if it was read, as doubled only if it was not read twice, and as invented only if
    more is said than was read. Without one the undisturbed run stands for it.
    """
    calm, shaken = joined(undisturbed), joined(disturbed)
    text = _keys(reference.split())
    found = [*_doubled(calm, shaken, text), *_lost(calm, shaken, text)]
    taken = [(f.start_ms, f.end_ms) for f in found]
    found += [
        finding
        for finding in _invented(calm, shaken, text)
        if not any(s <= finding.end_ms and e >= finding.start_ms for s, e in taken)
    ]
    return sorted(found, key=lambda finding: finding.start_ms)


def _keys(texts: Sequence[str]) -> list[str]:
    return ["".join(c for c in text.casefold() if c.isalnum()) for text in texts]


def _keys_of(words: Sequence[Word]) -> list[str]:
    return _keys([word.text for word in words])


def _finding(kind: str, words: Sequence[Word]) -> Finding:
    text = "".join(word.text for word in words).strip()
    return Finding(kind, words[0].start_ms, words[-1].end_ms, text)


def _changes(old: Sequence[str], new: Sequence[str]) -> list[tuple[int, int, int, int]]:
    """The stretches that differ: (from, to) of the old and of the new."""
    codes = SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
    return [code[1:] for code in codes if code[0] != "equal"]


def _doubled(
    calm: Sequence[Word], shaken: Sequence[Word], reference: Sequence[str]
) -> list[Finding]:
    """Runs said twice in a row where the undisturbed run says them once, and the text does."""
    old, new = _keys_of(calm), _keys_of(shaken)
    found = []
    for a1, a2, b1, b2 in _changes(old, new):
        if b2 - b1 <= a2 - a1:
            continue
        repeat = _repeat(new, b1, b2)
        if repeat is None:
            continue
        begin, length = repeat
        run = shaken[begin : begin + 2 * length]
        near = old[max(0, a1 - 2 * length) : a2 + 2 * length]
        r1, r2, _, _ = _stretch(reference, new, begin, begin + 2 * length)
        if (
            not _holds(near, _keys_of(run))
            and not _spoken_as_often(calm, run)
            and not _says_twice(reference[r1:r2], length)
        ):
            found.append(_finding("doubled", run))
    return found


def _says_twice(keys: Sequence[str], length: int) -> bool:
    """Whether a run of so many words is said twice in a row: “thou also thou also”."""
    return any(
        keys[at : at + length] == keys[at + length : at + 2 * length]
        for at in range(len(keys) - 2 * length + 1)
    )


def _stretch(
    reference: Sequence[str], new: Sequence[str], begin: int, end: int
) -> tuple[int, int, int, int]:
    """What was read where new[begin:end] is said: (from, to) of the text, and of the new.

    What reads otherwise is no use as a mark, nor is a “the” that agrees by chance in its midst:
    both reach to where the two surely agree.
    """
    codes = SequenceMatcher(None, reference, new, autojunk=False).get_opcodes()
    touched = [i for i, (_, _, _, b1, b2) in enumerate(codes) if b1 < end and b2 > begin]
    if not touched:
        return 0, 0, begin, end
    first, last = touched[0], touched[-1]
    while first and not any(_firm(code, new) for code in codes[first - 1 : first + 1]):
        first -= 1
    while last + 1 < len(codes) and not any(_firm(code, new) for code in codes[last : last + 2]):
        last += 1
    _, r1, _, b1, _ = codes[first]
    _, _, r2, _, b2 = codes[last]
    if _firm(codes[first], new):
        r1, b1 = max(r1, r1 + begin - b1), max(b1, begin)
    if _firm(codes[last], new):
        r2, b2 = min(r2, r2 + end - b2), min(b2, end)
    return r1, r2, b1, b2


def _firm(code: tuple[str, int, int, int, int], new: Sequence[str]) -> bool:
    """Two words that agree, or a long one."""
    kind, _, _, begin, end = code
    return kind == "equal" and (end - begin >= 2 or len(new[begin]) >= _LONG_WORD)


def _spoken_as_often(calm: Sequence[Word], run: Sequence[Word]) -> bool:
    """About as many words were said in the run's time: it is another word misheard."""
    begin, end = run[0].start_ms, run[-1].end_ms
    count = sum(begin <= (word.start_ms + word.end_ms) // 2 <= end for word in calm)
    return count >= len(run) - len(run) // 4


def _repeat(keys: Sequence[str], begin: int, end: int) -> tuple[int, int] | None:
    """The longest run said twice that touches the stretch: where it begins, and its length."""
    for length in range(_LONGEST_REPEAT, 0, -1):
        for at in range(max(0, begin - 2 * length + 1), min(end, len(keys) - 2 * length + 1)):
            if keys[at : at + length] == keys[at + length : at + 2 * length]:
                return at, length
    return None


def _holds(keys: Sequence[str], run: Sequence[str]) -> bool:
    return any(keys[i : i + len(run)] == run for i in range(len(keys) - len(run) + 1))


def _lost(calm: Sequence[Word], shaken: Sequence[Word], text: Sequence[str]) -> list[Finding]:
    """Runs of the text that the undisturbed run has and the other lacks, nothing in their place."""
    old, new = _keys_of(calm), _keys_of(shaken)
    reference = text or old
    in_calm = _places(reference, old)
    found = []
    for r1, r2, b1, b2 in _changes(reference, new):
        matched = [in_calm[i] for i in range(r1, r2) if i in in_calm]
        if len(matched) < _LOST_RUN:
            continue
        words = calm[matched[0] : matched[-1] + 1]
        letters = len("".join(new[b1:b2]))
        missing = len("".join(old[matched[0] : matched[-1] + 1])) - letters
        if len(words) - (b2 - b1) < _LOST_RUN or missing <= letters / 2:
            continue
        if not _heard_otherwise(words, shaken):
            found.append(_finding("lost", words))
    return found


def _heard_otherwise(words: Sequence[Word], shaken: Sequence[Word]) -> bool:
    """About as much was said in the words' time: the texts were laid against each other badly."""
    shares = [(word, _share(word, words[0].start_ms, words[-1].end_ms)) for word in shaken]
    count = sum(share for _, share in shares)
    letters = sum(share * len(_keys([word.text])[0]) for word, share in shares)
    missing = len("".join(_keys_of(words))) - letters
    return len(words) - count < _LOST_RUN and missing <= letters / 2


def _share(word: Word, begin_ms: int, end_ms: int) -> float:
    """How much of the word was said in this time, 0..1: of one on the edge, a part."""
    if word.end_ms <= word.start_ms:
        return float(begin_ms <= word.start_ms < end_ms)
    inside_ms = min(word.end_ms, end_ms) - max(word.start_ms, begin_ms)
    return max(inside_ms, 0) / (word.end_ms - word.start_ms)


def _places(reference: Sequence[str], keys: Sequence[str]) -> dict[int, int]:
    """Index in the reference -> index of the same word in `keys`."""
    blocks = SequenceMatcher(None, reference, keys, autojunk=False).get_matching_blocks()
    return {block.a + i: block.b + i for block in blocks for i in range(block.size)}


def _invented(
    calm: Sequence[Word], shaken: Sequence[Word], reference: Sequence[str]
) -> list[Finding]:
    """More words than the undisturbed run has, and than were read, and not said twice."""
    old, new = _keys_of(calm), _keys_of(shaken)
    return [
        _finding("invented", shaken[b1:b2])
        for a1, a2, b1, b2 in _changes(old, new)
        if _more(new[b1:b2], old[a1:a2])
        and _more_than_read(reference, new, b1, b2)
        and not _misheard(calm, shaken[b1:b2])
    ]


def _misheard(calm: Sequence[Word], run: Sequence[Word]) -> bool:
    """About as much was said in the run's time: these are other words for the same sound."""
    shares = [(word, _share(word, run[0].start_ms, run[-1].end_ms)) for word in calm]
    letters = sum(share * len(_keys([word.text])[0]) for word, share in shares)
    return len("".join(_keys_of(run))) - letters < _INVENTED_LETTERS


def _more_than_read(reference: Sequence[str], new: Sequence[str], begin: int, end: int) -> bool:
    """By more than half, as for what is lost, or by two words: others may be a bit longer."""
    r1, r2, b1, b2 = _stretch(reference, new, begin, end)
    said, read = new[b1:b2], reference[r1:r2]
    spare = min(len("".join(read)) // 2, _TWO_WORDS)
    return not reference or _more(said, read, spare)


def _more(keys: Sequence[str], others: Sequence[str], spare: int = 0) -> bool:
    more = len("".join(keys)) - len("".join(others))
    return len(keys) > len(others) and more >= max(_INVENTED_LETTERS, spare + 1)
