"""How many labels were saved, as a person reads it; no torch, for the screens say it too."""

from __future__ import annotations


def saved_in_words(labels: int, wanted: float, low: float, high: float | None, audited: int) -> str:
    """What a person reads; nothing is called saved that the band does not prove."""
    if high is None:
        would = f"{low:,.0f} labels or more (best guess {wanted:,.0f})"
    else:
        would = f"about {wanted:,.0f} labels (95 % band {low:,.0f} to {high:,.0f})"
    if low > labels:
        verdict = f"at least {low - labels:,.0f} labels saved"
    elif high is not None and high < labels:
        verdict = "at random would have been cheaper"
    else:
        verdict = "the band does not tell yet whether labels were saved"
    return (
        f"Drawing at random would have taken {would} for the accuracy that {labels:,} chosen ones gave: {verdict}. "
        f"Measured with {audited:,} audit labels, which come on top either way."
    )
