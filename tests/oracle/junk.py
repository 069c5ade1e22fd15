"""Whether a justification is plainly no sentence: a key held down, a word over and over, a row of the keyboard."""

import re

KEYS = "azertyuiop qsdfghjklm wxcvbn qwertyuiop asdfghjkl zxcvbnm abcdefghijklmnopqrstuvwxyz"
AROUND = " ".join(row * 2 for row in KEYS.split())  # keys go on from the last to the first
BOTH_WAYS = f"{AROUND} {AROUND[::-1]}"


def is_junk(text: str) -> bool:
    """Fewer than five different letters, one of them more than half of all, one word three times or more and nothing
    else, or no word but four keys or more in a row."""
    words = [re.sub(r"[\W\d_]", "", word) for word in text.casefold().split()]
    words = [word for word in words if word]
    letters = "".join(words)
    if len(set(letters)) < 5 or any(2 * letters.count(letter) > len(letters) for letter in letters):
        return True
    over_and_over = len(words) >= 3 and words == words[:1] * len(words)
    return over_and_over or all(len(word) >= 4 and word in BOTH_WAYS for word in words)
