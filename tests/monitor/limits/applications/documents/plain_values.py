"""A document as Python has it, to compare what was read with what was written."""


def plain(node):
    """Return texts, lists and dictionaries."""
    if isinstance(node.value, dict):
        return {key: plain(each) for key, each in node.value.items()}
    return [plain(each) for each in node.value] if isinstance(node.value, list) else node.value


def texts(value):
    """Return *value* with a text in place of each number, as documents without types are read."""
    if isinstance(value, dict):
        return {key: texts(each) for key, each in value.items()}
    if isinstance(value, list):
        return [texts(each) for each in value]
    return None if value is None else str(value)
