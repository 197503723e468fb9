"""The one exception that is meant for the person at the keyboard."""


class UserError(Exception):
    """Something the user can put right: one line that says what is wrong, where, and what to do.

    The entry points print its text without a traceback and exit with status 2.
    """
