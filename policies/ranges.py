"""What parameters may be, said in the same words by every policy."""


def hold_to(policy: object, low: float, high: float, *names: str) -> None:
    """Hold parameters of a policy to a range, both ends included.

    Raises
    ------
    ValueError
        One lies outside.
    """
    for name in names:
        if not low <= getattr(policy, name) <= high:
            raise ValueError(f"Expected {name} from {low:g} to {high:.10g}, got {getattr(policy, name)}.")
