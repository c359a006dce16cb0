"""``python -m harness``, and the program ``rnn-rosetta``."""

import sys

from harness import interrupts, limits


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
        if not limits.is_limit(error):
            raise
        print(f"error: {limits.told(error)}", file=sys.stderr)
        raise SystemExit(1) from None


if __name__ == "__main__":
    main()
