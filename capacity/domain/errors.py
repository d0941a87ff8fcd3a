"""
Every error this package raises on purpose, with the exit code the command line gives it:

* CapacityError
  + ConfigError           2   what we were told is wrong: file, line, key, value, what is allowed
    + ContentError        2   likewise, in words that repeat some of a file
  + PreflightError        3   this machine or the target's cannot run what was asked
  + UnreachableError      4   the target or its agent does not answer, or not in its dialect
  + RunInvalidError       5   the run cannot carry a plan (generator saturated, too little data)
  + NotDeliveredError     6   what was found is written here, and did not reach who should have it
  + RuleError            10   a rule of config/rules.yaml does not hold
  + RegressionError      11   the target got worse than it was
  + ChangedError         11   what was compared is no longer as it was
  + GuardError           12   stopped before the target came to harm
  + LockedError          75   another run is at work on the same target
  + ProtocolError         1   an impossible sequence of events: a defect, ours or the target's

The message is one sentence for a person: what is wrong, and what to do.
"""


class CapacityError(Exception):
    """Base of every error raised on purpose; each argument is a sentence, and a line when shown.

    Sentences quote what files, targets and agents say: they are printable wherever they are shown.
    """

    exit_code = 1

    def __str__(self) -> str:
        from capacity.domain.words import (  # noqa: PLC0415 - the help needs no more than us
            LONGEST_SENTENCE,
            printable,
        )

        return "\n".join(printable(sentence, LONGEST_SENTENCE) for sentence in self.args)


class ConfigError(CapacityError):
    """A file, an option or an argument says something impossible."""

    exit_code = 2


class ContentError(ConfigError):
    """What a file says is impossible; the sentences repeat keys and values of it."""

    def __init__(self, *sentences: str, places: tuple[str, ...]) -> None:
        """*places* are those of the sentences, as `file:line`."""
        super().__init__(*sentences)
        self.places = places


def without_content(error: CapacityError) -> str:
    """Return the sentence of *error* for who may not read the files that it is about."""
    if not isinstance(error, ContentError):
        return str(error)
    return (
        f"not valid: {', '.join(dict.fromkeys(error.places))}; `capacity doctor` on Locust's host says what"
        " is wrong there"
    )


class PreflightError(CapacityError):
    """The asked load cannot be offered or measured here."""

    exit_code = 3


class UnreachableError(CapacityError):
    """The target or the agent does not answer as it should."""

    exit_code = 4


class RunInvalidError(CapacityError):
    """What was recorded cannot carry the asked conclusion."""

    exit_code = 5


class NotDeliveredError(CapacityError):
    """The history, a webhook or a mail server did not take what it was to have; another try may help."""

    exit_code = 6


class RuleError(CapacityError):
    """A rule that must hold does not."""

    exit_code = 10


class RegressionError(CapacityError):
    """A comparison, or the history, shows that the target got worse."""

    exit_code = 11


class ChangedError(CapacityError):
    """What was compared with a record is no longer as it was."""

    exit_code = 11


class GuardError(CapacityError):
    """A guard ended the run before it harmed the target."""

    exit_code = 12


class LockedError(CapacityError):
    """The target is busy with another run."""

    exit_code = 75


class ProtocolError(CapacityError):
    """An event that is illegal in the present state."""
