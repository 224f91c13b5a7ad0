"""The time from key to next sample, as the browser measured it in this session."""

from collections.abc import Mapping


def latency_sentence(latency: Mapping[str, float | None] | None) -> str:
    """Say the median and the 95th percentile, or that nothing was measured yet."""
    count = int((latency or {}).get("n") or 0)
    if latency is None or count == 0:
        return "Nothing was measured in this session yet: label a few samples first."
    median, p95, worst = (latency.get(name) or 0.0 for name in ("median", "p95", "worst"))
    return (
        f"From key to next sample on screen, in this session: median **{median:.0f} ms**, 95 of 100 within "
        f"**{p95:.0f} ms**, slowest {worst:.0f} ms ({count:,} {'key' if count == 1 else 'keys'}; one frame is 17 ms)."
    )
