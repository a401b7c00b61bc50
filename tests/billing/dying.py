"""`python -m tests.billing.dying`: a worker that is killed when all of an event is written and nothing is committed."""

import os
import signal

import django


def main() -> None:
    """Handle what is due, until power goes: nothing is tidied up."""
    django.setup()
    from billing import inbox  # noqa: PLC0415  # Django first

    keep = inbox.keep

    def dying(lease, account, asked_at, then):
        def last(row, before):
            then(row, before)
            os.kill(os.getpid(), signal.SIGKILL)

        keep(lease, account, asked_at, last)

    inbox.keep = dying
    inbox.handle_next()


if __name__ == "__main__":
    main()
