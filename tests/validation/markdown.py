"""Numbers as the tables show them."""


def percent(value, digits=1):
    return "-" if value is None else f"{value * 100:.{digits}f} %"


def counted(share):
    return "-" if share is None else f"{share[0]} of {share[1]}"


def number(value):
    return "-" if value is None else f"{value:.0f}"
