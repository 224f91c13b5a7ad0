"""The tables, typed; ORM objects never leave storage. Each table has one writing side."""

from storage.models.base import Base
from storage.models.importing import Import, ImportedPrediction
from storage.models.labeling import (
    Annotator,
    Claim,
    Class,
    ClassChange,
    CurrentDecision,
    Group,
    ImportRefusal,
    JournalMark,
    LabelEvent,
    Project,
    Sample,
    TrainerRequest,
)
from storage.models.training import (
    Confusion,
    Ending,
    Metric,
    Query,
    Round,
    SampleError,
    Suspect,
    TrainerError,
    TrainerHeartbeat,
)

__all__ = [
    "Annotator",
    "Base",
    "Claim",
    "Class",
    "ClassChange",
    "Confusion",
    "CurrentDecision",
    "Ending",
    "Group",
    "Import",
    "ImportRefusal",
    "ImportedPrediction",
    "JournalMark",
    "LabelEvent",
    "Metric",
    "Project",
    "Query",
    "Round",
    "Sample",
    "SampleError",
    "Suspect",
    "TrainerError",
    "TrainerHeartbeat",
    "TrainerRequest",
]
