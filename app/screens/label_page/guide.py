"""The guide beside the task: what each class is, in a sentence, and labeled examples of it."""

from __future__ import annotations

from typing import Any

from app.screens.content.sample import to_send
from app.screens.shared.blind import hidden_samples
from app.screens.shared.session import database, project_id
from storage.examples import newest_examples
from storage.projects import list_classes
from storage.samples import get_samples

EXAMPLES = 3  # of a class


def class_guide() -> list[dict[str, Any]]:
    """What the guide says of each class, by index: ``description`` and ``examples``, each with its small content.

    A sample that others are still to decide on, blind, is no example; the page leaves out those that it will ask about.
    """
    identity = project_id()
    with database().read() as session:
        classes = list_classes(session, project_id=identity)
        asked = [entry.index for entry in classes if not entry.retired]
        examples = newest_examples(
            session, project_id=identity, classes=asked, per_class=EXAMPLES, without=hidden_samples()
        )
        samples = get_samples(session, sample_ids=[sample for ids in examples.values() for sample in ids])
    return [
        {
            "description": entry.description,
            "examples": [
                {"sample_id": sample_id, "content": to_send(samples[sample_id], large=False)}
                for sample_id in examples.get(entry.index, ())
            ],
        }
        for entry in classes
    ]
