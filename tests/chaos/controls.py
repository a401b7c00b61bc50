"""The guards that can be taken out to prove the harness: how the lack of each is provoked, and must show."""

# By guard: where workers are killed (`freeze`: they are late), and the claims of the verdict that must not hold.
CONTROLS = {
    "transaction": ("after_effect", ("no effect happened twice",)),
    "fence": ("freeze", ("no effect happened twice", "every effect is of an item that is done")),
    "sweep": ("after_claim", ("leases back within",)),
}
LEASE = 3  # seconds, so that nobody waits half a minute


def found_out(guard: str, complaints: list[str]) -> bool:
    """Whether the verdict named what the guard prevents; any other complaint is no proof."""
    return any(complaint.startswith(CONTROLS[guard][1]) for complaint in complaints)
