"""What test files say of a mutant: its own first, then its neighbours', and none that fails without a change."""

import concurrent.futures
import dataclasses
import itertools
import math
import time
from pathlib import Path

from changed_tree import NO_TESTS, ROOT, Ended
from mutations import Mutant
from nearby_tests import own_test, subject_tests


@dataclasses.dataclass(frozen=True, order=True)
class Judged:
    mutant: Mutant
    verdict: str
    """killed, survived, or unjudged where no test that could tell passes without a change."""
    by: str = ""
    """The first test that failed; a neighbour's with its file."""
    is_final: bool = True
    """Not where only its own tests were run yet, and its neighbours' may still kill it."""

    @property
    def ending(self):
        is_neighbours = self.verdict == "killed" and ".py::" in self.by
        return "killed by a neighbour's" if is_neighbours else self.verdict


def told(tree, mutant, tests):
    """Return how test files end with a change, and which of their tests fail without one: those are left out.

    Where none is left to tell, they end as if there were none.
    """
    broken = []
    while tests:
        left_out = [f"--deselect={each}" for each in broken]
        ended = tree.changed(mutant, [*tests, *left_out])
        of_itself = ended
        if ended.is_failure:
            of_itself = tree.unchanged(mutant, [*up_to(ended.by, tests), *left_out])
        if not of_itself.is_failure:
            return (ended if of_itself.code == 0 else of_itself), broken
        is_known = of_itself.by in ("", *broken)
        broken.append(of_itself.by)
        if is_known:
            break
    return Ended(NO_TESTS, ""), broken


def up_to(name, tests):
    """Return a test, and the files that are run before its own: what they leave behind may be why it fails."""
    if not name:
        return tests
    before = itertools.takewhile(lambda file: str(file) != name.partition("::")[0], tests)
    return [*before, name]


def judged_one(tree, mutant, tests):
    """Return the verdict of test files of one kind, a module's own or its neighbours'."""
    ended, broken = told(tree, mutant, tests)
    if ended.is_failure:
        return Judged(mutant, "killed", by_whom(mutant, ended))
    is_silent = bool(broken) or ended.code == NO_TESTS
    return Judged(mutant, "unjudged" if is_silent else "survived", ", ".join(broken), False)


def by_whom(mutant, ended):
    file, _, test = ended.by.partition("::")
    name = "no end in time" if ended.code is None else test or "import"
    own = own_test(mutant.module)
    is_own = Path(file) in (Path(), own, *subject_tests(ROOT, own))
    return name if is_own else f"{Path(file).relative_to('tests')}::{name}"


def judged_by_both(tree, first, tests):
    """Return the verdict of neighbours' test files where a module's own could not kill."""
    second = judged_one(tree, first.mutant, tests)
    has_own = first.verdict == "survived" or first.by
    found = first if has_own and second.verdict != "killed" else second
    return dataclasses.replace(found, is_final=True)


def judged(trees, mutants, tests_of, ends_s=math.inf, begun=()):
    """Give the verdicts on mutants as they come: of the own tests of all, then of neighbours' where none killed.

    *begun* are those of own tests that were run before.
    """

    def by_own(tree, mutant):
        return judged_one(tree, mutant, tests_of(mutant.module)[0])

    def by_neighbours(tree, first):
        return judged_by_both(tree, first, tests_of(first.mutant.module)[1])

    left = list(begun)
    for first in tried(trees, by_own, mutants, ends_s):
        if not first.is_final:
            left.append(first)
        yield first
    yield from tried(trees, by_neighbours, left, ends_s)


def tried(trees, judge, several, ends_s):
    """Give what is said of each in any tree, until a monotonic time; those begun are brought to their end."""

    def in_a_tree(each):
        tree = trees.get()
        try:
            if time.monotonic() < ends_s:
                return judge(tree, each)
        finally:
            trees.put(tree)

    with concurrent.futures.ThreadPoolExecutor(trees.qsize()) as pool:
        futures = [pool.submit(in_a_tree, each) for each in several]
        for future in concurrent.futures.as_completed(futures):
            if (verdict := future.result()) is not None:
                yield verdict
