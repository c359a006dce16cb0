"""``python -m harness``, and the program ``rnn-rosetta``."""

import sys

from common.limits import is_limit, reason_of
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
        if not is_limit(error):
            raise
        print(f"error: {reason_of(error)}", file=sys.stderr)
        raise SystemExit(1) from None
    finally:
        interrupts.close()


if __name__ == "__main__":
    main()
