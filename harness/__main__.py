"""``python -m harness``, and the program ``rnn-rosetta``."""

import gc
import sys

from common.limits import is_limit, reason_of
from harness import interrupts


def main() -> None:
    """Run the command line; signals are heard before anything heavy is imported."""
    interrupts.hear()
    gc.set_threshold(50_000)  # every 700 objects, it takes a tenth of the time of a command
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
