"""``python -m harness``, and the program ``rnn-rosetta``."""

import errno
import os
import sys

from harness import interrupts


def main() -> None:
    """Run the command line; signals are heard before anything heavy is imported."""
    interrupts.hear()
    try:
        from harness.cli import main as run_command

        run_command()
    except KeyboardInterrupt:
        interrupts.end()
    except Exception as error:
        if interrupts.heard():  # it hit somebody who made another error of it
            interrupts.end()
        if not (number := limit(error)):
            raise
        from common.errors import reason_of

        print(f"error: {reason_of(OSError(number, os.strerror(number)))}", file=sys.stderr)
        raise SystemExit(1) from None
    finally:
        interrupts.close()


def limit(error: Exception) -> int | None:
    """The system's number of a limit that was reached, whatever Python made an error of it."""
    if isinstance(error, OSError):
        return error.errno
    if "can't start new thread" in str(error):
        return errno.EAGAIN
    if os.strerror(errno.EMFILE) in str(error):  # of an import
        return errno.EMFILE
    return None


if __name__ == "__main__":
    main()
