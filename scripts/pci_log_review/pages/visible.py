"""Text of a log made harmless to look at: what would not show, or would turn what stands beside it, is written out."""

from __future__ import annotations

import re
import unicodedata

# Letters of other scripts that look like Latin ones: https://www.unicode.org/reports/tr39/ has all; these are the whole
# look-alikes of a-z, A-Z in Greek, Cyrillic and Armenian, which a name would be forged with
_LOOK_ALIKES = frozenset(
    "\u0430\u0435\u043e\u0440\u0441\u0443\u0445\u0456\u0458\u0455\u04bb\u0501\u051b\u051d\u04cf\u0410\u0412\u0415\u041a"
    "\u041c\u041d\u041e\u0420\u0421\u0422\u0425\u0406\u0408\u0405\u0391\u0392\u0395\u0396\u0397\u0399\u039a\u039c\u039d"
    "\u039f\u03a1\u03a4\u03a5\u03a7\u03bf\u03bd\u03c1\u0555\u0585\u057d\u0578\u0570"
)
_WORD = re.compile(r"\w+")
_PLAIN = re.compile(r"[\x20-\x7e]*")
# Blank though they are letters or marks by category: fillers, Braille blank, combining joiner, variation selectors
_BLANK = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]")


def visible(text: str) -> str:
    """The text in which each character shows: controls, direction marks, zero-width and blank ones, odd spaces and
    unassigned ones as `<U+202E>`, and a letter of another script that poses as a Latin one followed by its number.
    """
    if _PLAIN.fullmatch(text):
        return text
    shown = "".join(_named(char) if _is_hidden(char) else char for char in text)
    return _WORD.sub(_marked, shown)


def _is_hidden(char: str) -> bool:
    if char == " ":
        return False
    return unicodedata.category(char) in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp", "Zs"} or bool(_BLANK.match(char))


def _named(char: str) -> str:
    return f"<U+{ord(char):04X}>"


def _marked(word: re.Match[str]) -> str:
    """A word of look-alikes alone, or of look-alikes among Latin letters; a word of another language stays as it is."""
    letters = [char for char in word[0] if char.isalpha()]
    posing = [char for char in letters if char in _LOOK_ALIKES]
    if not posing or not (len(posing) == len(letters) or any(char.isascii() for char in letters)):
        return word[0]
    return "".join(f"{char}{_named(char)}" if char in _LOOK_ALIKES else char for char in word[0])
