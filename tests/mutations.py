"""What is changed in a module to see whether its tests notice: one constant or one operator at a time."""

import ast
import copy
import dataclasses
import itertools
import re

LONGER, SHORTER = 1.2, 1 / 1.2
"""A bound is held by tests just below and just above it if a fifth more or less fails one of them."""
MOST_SHOWN = 100

SWAPPED = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.And: ast.Or,
    ast.Or: ast.And,
}
SWAPPED_NAMES = {"min": "max", "max": "min", "any": "all", "all": "any"}


@dataclasses.dataclass(frozen=True, order=True)
class Mutant:
    """One changed module: its path below capacity/, where, what it says then, of what source the how-manieth."""

    module: str
    line: int
    change: str
    source: str = dataclasses.field(repr=False, compare=False)
    number: int = dataclasses.field(repr=False, compare=False)

    @property
    def text(self):
        """The whole module with its change."""
        tree = ast.parse(self.source)
        changing = changes(tree)
        next(itertools.islice(changing, self.number, None))
        return ast.unparse(tree)


def changed_numbers(value):
    """Return what a number becomes: a fifth more or less, a small integer one more or less."""
    if isinstance(value, bool):
        return [not value]
    if isinstance(value, int):
        step = max(1, round(abs(value) * (LONGER - 1)))
        return [value + step] if value == 0 else [value + step, value - step]
    if isinstance(value, float):
        return [1.0] if value == 0 else [value * LONGER, value * SHORTER]
    return []


def joins(node):
    """Return whether an operator joins texts, lists or paths, where another one is a type error."""
    sides = [getattr(node, name, None) for name in ("left", "right", "value")]
    return isinstance(node, ast.BinOp | ast.AugAssign) and any(
        isinstance(side, ast.JoinedStr | ast.List | ast.Tuple)
        or (isinstance(side, ast.Constant) and isinstance(side.value, str | bytes))
        for side in sides
    )


def changed_nodes(node):
    """Return the nodes that may stand in the place of this one."""
    if isinstance(node, ast.Constant):
        return [ast.Constant(value) for value in changed_numbers(node.value)]
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        return [node.operand]
    changed = copy.deepcopy(node)
    if isinstance(node, ast.Compare) and type(node.ops[0]) in SWAPPED:
        changed.ops[0] = SWAPPED[type(node.ops[0])]()
    elif isinstance(node, ast.BinOp | ast.BoolOp | ast.AugAssign) and type(node.op) in SWAPPED:
        changed.op = SWAPPED[type(node.op)]()
    elif isinstance(node, ast.Call) and getattr(node.func, "id", None) in SWAPPED_NAMES:
        changed.func.id = SWAPPED_NAMES[node.func.id]
    else:
        return []
    return [] if joins(node) else [changed]


def is_left_alone(node, field):
    """Return whether a field holds what is no behaviour: types, asserts, what only checkers see.

    That zip is strict says, like an assert, what cannot be otherwise.
    """
    if isinstance(node, ast.Assert | ast.JoinedStr):
        return True
    if isinstance(node, ast.keyword) and node.arg == "strict":
        return True
    if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
        return True
    return field in {"annotation", "returns", "decorator_list", "type_params"}


def places(node):
    """Give each (parent, field, index) of the tree whose node is behaviour."""
    for field, value in ast.iter_fields(node):
        if is_left_alone(node, field):
            continue
        for index, child in enumerate(value if isinstance(value, list) else [value]):
            if isinstance(child, ast.AST):
                yield node, field, index if isinstance(value, list) else None
                yield from places(child)


def put(parent, field, index, node):
    if index is None:
        setattr(parent, field, node)
    else:
        getattr(parent, field)[index] = node


def changes(tree):
    """Give (line, what it says then) of each change to a tree, in order; until the next the tree has it."""
    for parent, field, index in list(places(tree)):
        node = getattr(parent, field) if index is None else getattr(parent, field)[index]
        line = getattr(node, "lineno", getattr(parent, "lineno", 0))
        for changed in changed_nodes(node):
            before = shown(node, parent)
            put(parent, field, index, changed)
            yield line, f"{before} → {shown(changed, parent)}"
            put(parent, field, index, node)


def mutants_of(module, source):
    """Return each mutant of one module's source, in the order of its lines."""
    found = enumerate(changes(ast.parse(source)))
    return [Mutant(module, line, change, source, number) for number, (line, change) in found]


def shown(node, parent):
    """Return code in one line; a number, which says little alone, with what stands around it."""
    around = ast.unparse(parent) if isinstance(node, ast.Constant) else ""
    code = around if 0 < len(around) <= MOST_SHOWN else ast.unparse(node)
    line = re.sub(r"\s+", " ", code)
    return line if len(line) <= MOST_SHOWN else line[: MOST_SHOWN - 1] + "…"
