"""Labels as rows of a table, whatever file they go into: which columns, and what stands in them.

What a text or row holds stands in columns of its own beside: a list of labels holds the samples too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from app.formats.export import Export, ExportedSample, Row

PREDICTION_COLUMNS = ("uri", "sha256", "label", "probability", "model_version")
UNLABELED_COLUMNS = ("uri", "sha256")
LABEL_COLUMNS = ("uri", "label", "sha256", "annotator", "created_at", "lead_time_s", "purpose", "flagged")


def own_columns(samples: Iterable[ExportedSample]) -> list[str]:
    """Return the columns of what samples hold, where that is in no files of their own."""
    return list(dict.fromkeys(name for sample in samples for name in sample.columns))


def prediction_rows(export: Export) -> Iterator[Row]:
    """Yield what models answered, by PREDICTION_COLUMNS, and what the samples hold."""
    for sample in export.samples:
        for told in sample.predictions:
            yield {
                "uri": sample.uri,
                "sha256": sample.sha256,
                "label": told.class_name,
                "probability": told.probability,
                "model_version": told.model_version,
                **sample.columns,
            }


def unlabeled_rows(export: Export) -> Iterator[Row]:
    """Yield the texts and rows without a label, by UNLABELED_COLUMNS and what they hold.

    They were skipped or flagged, or nobody has looked at them.
    """
    for sample in export.samples:
        if not sample.label and sample.columns:
            yield {"uri": sample.uri, "sha256": sample.sha256, **sample.columns}


def label_row(sample: ExportedSample) -> dict[str, Any]:
    """What stands for a labeled sample, by LABEL_COLUMNS."""
    standing = sample.standing
    assert standing is not None  # it has a label
    return {
        "uri": sample.uri,
        "label": sample.label,
        "sha256": sample.sha256,
        "annotator": standing.annotator,
        "created_at": standing.created_at.isoformat() if standing.created_at else None,
        "lead_time_s": standing.lead_time_s,
        "purpose": standing.purpose,
        "flagged": sample.flagged,
        **sample.columns,
    }
