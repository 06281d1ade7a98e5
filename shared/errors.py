"""What may happen to a message, by the name of its error.

CarerouteError
├── Transient        the world is not ready: pause, then try the same again
├── Permanent        this one will never work: park it, the rest go on
└── Misconfigured    a setting is wrong: say which, and do not start

Anything else is a bug: the consumer stops loudly and its offset stays where it is.
"""


class CarerouteError(Exception):
    """Something this system knows how to answer."""

    def __init__(self, reason: str | None = None) -> None:
        super().__init__(reason or self.__doc__ or type(self).__name__)
        self.reason = reason or type(self).__name__


class Transient(CarerouteError):
    """The world is not ready; the same will be tried again."""


class Permanent(CarerouteError):
    """This will never work. `reason` is a code, never a quotation."""


class Misconfigured(CarerouteError):
    """A setting is wrong."""


def code_of(error: BaseException) -> str:
    """For a log line: the reason of one of ours; of any other its type, since its text may quote a record."""
    return error.reason if isinstance(error, CarerouteError) else type(error).__name__
