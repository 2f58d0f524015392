"""Text that may be shown: whoever writes a log, or names a file, may have put commands for the terminal there."""


def printable(text: str) -> str:
    """The text with each character that does not print replaced by its number, as in `\\x1b`."""
    return "".join(char if char.isprintable() else f"\\x{ord(char):02x}" for char in text)
