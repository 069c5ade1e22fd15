"""Whether a justification says something, as far as a machine may judge.

It is there to stop a key held down, not to judge a sentence: what a person could have meant passes, in any language,
in one word or in abbreviations. docs/break-glass.md lists what does not.
"""

from collections import Counter

DISTINCT_LETTERS = 5  # fewer is not a sentence: `aaaaaaaaaa`, `..........`, `non non non`
RUN = 4  # letters in a row on a keyboard, or in the alphabet, that nobody means

# The rows of French and English keyboards, and the alphabet.
_ROWS = ("azertyuiop", "qsdfghjklm", "wxcvbn", "qwertyuiop", "asdfghjkl", "zxcvbnm", "abcdefghijklmnopqrstuvwxyz")
_RUNS = tuple(row for way in _ROWS for row in (way * 2, way[::-1] * 2))


def says_something(text: str) -> bool:
    """Whether `text` could be a sentence: letters enough, none that fills half of it, no word alone over and over."""
    words = ["".join(letter for letter in word if letter.isalpha()) for word in text.casefold().split()]
    words = [word for word in words if word]
    letters = Counter("".join(words))
    if len(letters) < DISTINCT_LETTERS or max(letters.values()) * 2 > letters.total():
        return False
    if len(words) > 2 and len(set(words)) == 1:
        return False
    return not all(_typed_along(word) for word in words)


def _typed_along(word: str) -> bool:
    """Whether the word is a row of keys: `azertyuiop`, `qsdfghjk`, `abcdefgh`."""
    return len(word) >= RUN and any(word in run for run in _RUNS)
