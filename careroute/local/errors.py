"""What can go wrong while the local stack starts, in sentences for the person who started it.

StackError
└── ChildEnded      a process that should run has ended
"""


class StackError(Exception):
    """Says what is missing or taken, and what to do about it; shown to people without a traceback."""


class ChildEnded(StackError):
    """A process of the stack ended by itself; the end of its log is in the text."""
