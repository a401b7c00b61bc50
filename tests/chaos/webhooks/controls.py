"""The guards that can be taken out to prove the harness: where the lack of each is provoked, and how it must show."""

# By guard: who is killed, where and how often, and the claims of the verdict that must not hold, each of them.
CONTROLS = {
    # Rows are done before they are sent, as a queue without acknowledgement has it.
    "rows": ("worker", "before_send", 4, ("every event arrives at each endpoint",)),
    # A lease that has run out is still its holder's.
    "take-over": (
        "worker",
        "before_send",
        1,  # nobody sends for that workspace any more
        ("every event arrives at each endpoint", "what a dead worker held is taken"),
    ),
    # Events are written when the change's transaction is over, whatever became of it.
    "transaction": (
        "publisher",
        "before_outbox",
        5,  # as it may be a change that was undone
        ("every change that is kept is told once", "nothing is told of a change that was undone"),
    ),
}


def found_out(guard: str, complaints: list[str]) -> bool:
    """Whether the verdict named all that the guard prevents; any other complaint is no proof."""
    return all(any(complaint.startswith(claim) for complaint in complaints) for claim in CONTROLS[guard][3])
