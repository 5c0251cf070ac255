"""The district in a terminal: the same verbs as the page and the API."""

import os
import sys

# Before NumPy is loaded: a second BLAS or numba thread on a busy machine makes a minute's step ten times slower.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("NUMBA_NUM_THREADS", "1")


def main() -> None:
    """Run a command; an error of ours is one line of three parts on standard error, and its own exit code.

    It is told in the language in which the command would have answered.
    """
    from anlan.cli.commands import app
    from anlan.cli.say import complain
    from anlan.cli.spoken import language_of
    from anlan.kernel.errors import AnlanError

    try:
        app()
    except AnlanError as fault:
        complain(fault, language_of(app, sys.argv[1:]))
        sys.exit(fault.exit_code)
    except KeyboardInterrupt:
        sys.exit(130)
