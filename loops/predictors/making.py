"""Which predictor answers for an acquisition function, and how somebody's own becomes one."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

import pytorch_lightning as pl

from loops.acquisition.catalog import AcquisitionFunction, imported
from loops.embeddings.features import FeatureStore
from loops.embeddings.names import NameRows
from loops.errors import OwnCodeError
from loops.predictors.champion import Champion
from loops.predictors.committee import Committee
from loops.predictors.graph import GraphPredictor
from loops.predictors.linear import LinearOfColumns, LinearPredictor
from loops.predictors.own_module import Callbacks, OwnModule
from loops.predictors.predictor import Predictor
from loops.predictors.scikit import ScikitPredictor
from loops.predictors.trees import TreesPredictor


def champion_answers(acquisition: AcquisitionFunction, predictor: str) -> bool:
    """Whether the champion answers where an acquisition function asks, with a graph of the pool.

    Args:
        acquisition: Says what it needs.
        predictor: As the settings name it: beside one that a person named nobody answers, unless the graph asks.
    """
    return acquisition.needs == "graph" or (predictor == "auto" and acquisition.needs != "committee")


def predictor_for(
    acquisition: AcquisitionFunction,
    base: Predictor,
    store: FeatureStore,
    *,
    predictor: str = "auto",
    names: NameRows | None = None,
) -> Predictor:
    """What answers where an acquisition function asks: the champion, a committee, or the base alone.

    Args:
        acquisition: Says what it needs.
        base: What the settings' predictor comes to.
        store: Where its rows come from; the graph stands beside them.
        predictor: As the settings name it.
        names: Of the classes, where the embedding reads text: what the champion knows without labels.
    """
    if champion_answers(acquisition, predictor):
        named: dict[str, Any] = {
            "num_classes": base.num_classes,
            "seed": base.seed,
            "mc_iterations": base.mc_iterations,
        }
        graph = GraphPredictor(store, **named, names=names)
        # Neighbors in columns are not as much alike as those in an embedding: alone they ask badly.
        has_columns = store.backbone.has_columns
        of_columns = [LinearOfColumns(store, **named), TreesPredictor(store, **named)] if has_columns else []
        quick = [LinearPredictor(graph), *of_columns]
        return Champion(graph, [base], quick, takes_turns=has_columns)
    return Committee(base) if acquisition.needs == "committee" else base


def own_predictor(
    reference: str,
    store: FeatureStore,
    *,
    num_classes: int,
    seed: int,
    mc_iterations: int,
    callbacks: Callbacks = lambda _fold: (),
    trainer: Mapping[str, Any] | None = None,
) -> Predictor:
    """Makes a predictor of what `package.module:name` names.

    Args:
        reference: A `Predictor` subclass; a classifier of scikit-learn's kind, or a `LightningModule`: its class, or a
            function that gives one, with an argument `num_classes` if it likes. A classifier may be an object too.
        store: Where the rows of samples come from.
        num_classes: C.
        seed: Of all that is drawn.
        mc_iterations: K, for a predictor that draws.
        callbacks: Of each fold: they join the fits of a `LightningModule`.
        trainer: Settings of the Trainer that fits a `LightningModule`.

    Raises:
        OwnCodeError: If it cannot be imported, is neither, or has a Trainer's settings that nothing can use.
    """
    found = imported(reference)
    if inspect.isclass(found) and issubclass(found, Predictor):
        _refuse_trainer(reference, trainer)
        make: Callable[..., Predictor] = found
        return make(store, num_classes=num_classes, seed=seed, mc_iterations=mc_iterations)
    estimator = _made(found, reference, num_classes) if _makes(found) else found
    if isinstance(estimator, pl.LightningModule):
        return OwnModule(
            lambda: _made(found, reference, num_classes),
            reference,
            store,
            num_classes=num_classes,
            seed=seed,
            mc_iterations=mc_iterations,
            callbacks=callbacks,
            trainer=trainer,
        )
    _refuse_trainer(reference, trainer)
    return ScikitPredictor(estimator, reference, store, num_classes=num_classes, seed=seed)


def _refuse_trainer(reference: str, trainer: Mapping[str, Any] | None) -> None:
    if trainer:
        raise OwnCodeError(reference, f"it is no LightningModule, so no Trainer takes {', '.join(trainer)}")


def _makes(found: Any) -> bool:  # noqa: ANN401
    return inspect.isclass(found) or inspect.isfunction(found)


def _made(found: Any, reference: str, num_classes: int) -> Any:  # noqa: ANN401
    """What a class or a function gives."""
    try:
        takes_classes = "num_classes" in inspect.signature(found).parameters
        return found(num_classes=num_classes) if takes_classes else found()
    except (TypeError, ValueError) as error:  # ValueError: of what is written in C, nobody knows the arguments
        raise OwnCodeError(reference, f"it cannot be made without arguments: {error}") from error
