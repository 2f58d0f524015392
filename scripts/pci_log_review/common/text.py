"""What may be shown: whoever writes a log, or names a file, may have put commands for the terminal there."""


def printable(text: str) -> str:
    """The text without the characters that a terminal would obey, each as its number."""
    return "".join(char if char.isprintable() else f"\\x{ord(char):02x}" for char in text)
