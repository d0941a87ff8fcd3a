"""Texts cut to what a first screen has room for; the whole stands further down."""


def capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def first_clause(text: str) -> str:
    """Return *text* up to its first semicolon, as a sentence."""
    clause = text.split("; ", 1)[0].rstrip(".;")
    return f"{clause}." if clause else ""


def shortened(text: str, most: int) -> str:
    """Return at most *most* characters, cut between two words, with an ellipsis if cut."""
    if len(text) <= most:
        return text
    cut = text[: most - 1]
    return f"{cut.rsplit(' ', 1)[0] if ' ' in cut else cut} …"
