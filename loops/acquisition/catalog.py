"""Every acquisition function, once: its name, its words for the screens, what it needs, and how it ranks.

Settings, command line, screens, `doctor` and the documentation read this list; nothing else names a function. It needs
neither torch nor BaaL: what ranks is imported when it is first asked. To add one, write a function and a line here. A
person's own needs no line: `package.module:name`, or an entry point of the group `labelloop.acquisition`.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import entry_points
from types import MappingProxyType
from typing import Any, Literal

from loops.errors import OwnCodeError, UnknownAcquisitionError

Need = Literal["probabilities", "draws", "features", "set", "graph", "committee", "adversary", "nothing"]

ENTRY_POINTS = "labelloop.acquisition"
DEFAULT = "auto"
TOTAL, EPISTEMIC, ALEATORIC = "predictive_entropy", "bald", "expected_entropy"  # total = epistemic + aleatoric, nats
MARGIN = "margin"
RANDOM = "random"  # the yardstick; labels saved are counted against it


@dataclass(frozen=True)
class AcquisitionFunction:
    """One acquisition function.

    `ranks` names a function, `module:name`. Of a function that needs probabilities or draws it takes `probs_N_C_K` and
    gives `scores_N`, higher is asked first; of any other it takes a `loops.acquisition.choosing.Choice` and gives the
    ranking and `scores_N`.
    """

    name: str
    title: str  # on a button or in a list: the name, a colon, a few words
    sentence: str  # what it asks for
    needs: Need
    ranks: str
    unit: str = ""
    yardstick: str = ""  # the name of BaaL's heuristic that must give the same scores
    measured: str = ""  # what must be said beside it wherever it is offered
    coverage: bool = False  # asks where there is no label, whatever the labels say
    own: bool = False  # a person's, or another package's

    @property
    def short_title(self) -> str:
        """The title up to its colon."""
        return self.title.partition(":")[0]

    @property
    def scores_one_by_one(self) -> bool:
        """Whether a sample's score depends on that sample's draws alone."""
        return self.needs in ("probabilities", "draws")

    def load(self) -> Any:  # noqa: ANN401 - a function, a class or an object of one's own
        """Imports what ranks.

        Raises:
            OwnCodeError: If there is nothing of that name.
        """
        return imported(self.ranks)


_FUNCTIONS, _CHOOSING = "loops.acquisition.functions", "loops.acquisition.choosing"

CATALOG: Mapping[str, AcquisitionFunction] = MappingProxyType(
    {
        function.name: function
        for function in (
            AcquisitionFunction(
                DEFAULT,
                "Coverage first, doubt later",
                "Asks for what is typical of large groups of look-alikes, then where groups of different classes meet; "
                "once another predictor is measurably better than the groups, where that one is unsure.",
                "graph",
                f"{_CHOOSING}:by_own_questions",
            ),
            AcquisitionFunction(
                "typical",
                "Typical: coverage alone",
                "Asks for what is typical of groups of look-alikes without a label, whatever the labels say.",
                "graph",
                f"{_CHOOSING}:by_own_questions",
                coverage=True,
            ),
            AcquisitionFunction(
                EPISTEMIC,
                "BALD: where the model's draws disagree",
                "Asks where the dropout draws of one model are each sure of another class.",
                "draws",
                f"{_FUNCTIONS}:bald",
                unit="nats",
                yardstick="BALD",
            ),
            AcquisitionFunction(
                TOTAL,
                "Predictive entropy: where it is least sure over all",
                "Asks where the mean of the draws is spread over the most classes.",
                "probabilities",
                f"{_FUNCTIONS}:predictive_entropy",
                unit="nats",
                yardstick="Entropy",
            ),
            AcquisitionFunction(
                MARGIN,
                "Margin: where two classes are closest",
                "Asks where the two likeliest classes are nearly equal.",
                "probabilities",
                f"{_FUNCTIONS}:margin",
                yardstick="Margin",
            ),
            AcquisitionFunction(
                "variation_ratios",
                "Variation ratios: where its votes are split",
                "Asks where the likeliest class is least likely.",
                "probabilities",
                f"{_FUNCTIONS}:variation_ratios",
                yardstick="Certainty",
            ),
            AcquisitionFunction(
                "power_bald",
                "PowerBALD: drawn by lot, likelier where the draws disagree",
                "Draws samples by lot, more likely the more the dropout draws disagree, so a round does not ask the "
                "same question ten times; the probabilities are kept.",
                "set",
                f"{_CHOOSING}:by_power_bald",
                unit="nats",
            ),
            AcquisitionFunction(
                "batch_bald",
                "BatchBALD: what tells most when labeled together",
                "Asks for a set of samples whose labels together tell most, so that none repeats another; the pool is "
                "looked at through a hundred draws.",
                "set",
                f"{_CHOOSING}:by_batch_bald",
                unit="nats",
            ),
            AcquisitionFunction(
                "badge",
                "BADGE: what would change the model most, in different directions",
                "Draws samples the model is unsure of whose labels would change it in different directions.",
                "features",
                f"{_CHOOSING}:by_badge",
            ),
            AcquisitionFunction(
                "epig",
                "EPIG: what would change the predictions for the other samples",
                "Asks for samples whose labels would change what the model says of the others; each class it predicts "
                "counts equally, a rare one too.",
                "set",
                f"{_CHOOSING}:by_epig",
                unit="nats",
            ),
            AcquisitionFunction(
                "committee_bald",
                "Committee BALD: where several models disagree",
                "Asks where models trained on different parts of your labels contradict each other; a round takes "
                "longer, for it trains one model per part.",
                "committee",
                f"{_CHOOSING}:by_the_committees_votes",
                unit="nats",
            ),
            AcquisitionFunction(
                "vaal",
                "VAAL: what looks least like the labeled samples",
                "Asks for samples that an adversarial network can tell from those already labeled; it never looks at "
                "the classes, so it finds what is new rather than what is hard.",
                "adversary",
                f"{_CHOOSING}:by_vaal",
                measured="In our own benchmark it needed more labels than random questions did.",
            ),
            AcquisitionFunction(
                RANDOM,
                "Random: the yardstick",
                "Asks for any sample; the others must be compared with it.",
                "nothing",
                f"{_CHOOSING}:at_random",
            ),
        )
    }
)


_POINTWISE = [function for function in CATALOG.values() if function.scores_one_by_one]
MEASURES: Mapping[str, str] = MappingProxyType(  # what every round that scored the pool has measured -> name for people
    {**{function.name: function.short_title for function in _POINTWISE}, ALEATORIC: "Expected entropy"}
)
UNITS: Mapping[str, str] = MappingProxyType(
    {**{function.name: function.unit for function in _POINTWISE if function.unit}, ALEATORIC: "nats"}
)


@dataclass(frozen=True)
class ColdStart:
    """How the first samples are chosen, before there is a model.

    `chooses` names a function of a `loops.acquisition.choosing.Choice` that gives ids, best first.
    """

    name: str
    title: str
    sentence: str
    chooses: str
    asks_by_graph: bool = False  # where the acquisition function needs a graph, it begins with the graph's questions


COLD_STARTS: Mapping[str, ColdStart] = MappingProxyType(
    {
        start.name: start
        for start in (
            ColdStart(
                "diverse",
                "A varied, typical set",
                "Groups look-alikes and takes the most typical of each group.",
                "loops.acquisition.cold_start:diverse",
                asks_by_graph=True,
            ),
            ColdStart(
                "vaal",
                "VAAL: what looks least like those already chosen",
                "Begins with a few typical samples and adds ones an adversarial network can tell from them.",
                "loops.acquisition.vaal:vaal_cold_start",
            ),
            ColdStart(RANDOM, "At random", "Takes any samples.", ""),
        )
    }
)


def names() -> tuple[str, ...]:
    """Every name that can be chosen from a list: ours, then those of installed packages."""
    return (*CATALOG, *sorted({point.name for point in entry_points(group=ENTRY_POINTS)} - CATALOG.keys()))


def is_own(name: str) -> bool:
    """Whether a name is of the form `package.module:name`."""
    module, colon, attribute = name.partition(":")
    return bool(colon) and attribute.isidentifier() and all(part.isidentifier() for part in module.split("."))


@dataclass(frozen=True)
class GivenFunction(AcquisitionFunction):
    """An acquisition function that a script gives as an object: a function, or a BaaL heuristic."""

    given: Any = None

    def load(self) -> Any:  # noqa: ANN401
        """What was given."""
        return self.given


def given(function: Any) -> AcquisitionFunction:  # noqa: ANN401
    """Describes what a script gives: a function from `probs_N_C_K` to `scores_N`, or a BaaL heuristic."""
    name = getattr(function, "__name__", type(function).__name__)
    sentence = "Asks where this function of the draws' class probabilities is highest."
    return GivenFunction(name, f"{name}: the script's own", sentence, "draws", "", own=True, given=function)


def find(name: str | AcquisitionFunction) -> AcquisitionFunction:
    """Looks an acquisition function up by its name; imports nothing.

    Args:
        name: Of the catalog, of an entry point, or `package.module:name`; one that was found is given back.

    Raises:
        UnknownAcquisitionError: If there is none of that name.
    """
    if isinstance(name, AcquisitionFunction):
        return name
    if name in CATALOG:
        return CATALOG[name]
    point = next((point for point in entry_points(group=ENTRY_POINTS) if point.name == name), None)
    if point is None and not is_own(name):
        raise UnknownAcquisitionError(name, [*names(), "package.module:name"])
    return AcquisitionFunction(
        name,
        f"{name}: not LabelLoop's",
        "Asks where this function of the draws' class probabilities is highest; it runs with your rights.",
        "draws",
        name if point is None else point.value,
        own=True,
    )


def imported(reference: str) -> Any:  # noqa: ANN401
    """Imports what `package.module:name` names.

    Raises:
        OwnCodeError: If the module cannot be imported, or has nothing of that name.
    """
    module, _, attribute = reference.partition(":")
    try:
        found = importlib.import_module(module)
    except Exception as error:  # somebody's code may raise anything
        raise OwnCodeError(reference, f"{module} cannot be imported: {error}") from error
    if not hasattr(found, attribute):
        raise OwnCodeError(reference, f"{module} has no {attribute or 'name behind a colon'}")
    return getattr(found, attribute)
