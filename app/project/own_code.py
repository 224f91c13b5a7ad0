"""What the settings name of somebody's own is looked for before hours are spent on a round that cannot end."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from app.errors import SettingsError
from app.project.settings import ProjectSettings
from loops.acquisition import catalog
from loops.errors import LoopsError, OwnCodeError


def check_own_code(settings: ProjectSettings) -> list[str]:
    """Import what a project's settings name of somebody's own, and look for its embedding.

    Args:
        settings: Of the project.

    Returns:
        What was found, as the settings name it; empty where nothing is somebody's own.

    Raises:
        SettingsError: If one cannot be imported or found; it says which setting.
    """
    found = []
    for setting, look in _LOOKS.items():
        name = getattr(settings, setting)
        try:
            if look(name):
                found.append(name)
        except LoopsError as error:
            raise SettingsError(f"settings.toml, {setting}: {error}") from error
    return found


def import_predictor(reference: str) -> None:
    """Import somebody's own predictor, and refuse an estimator of scikit-learn's kind that the trainer cannot use.

    Raises:
        OwnCodeError: If it cannot be imported, or does not do its part; the other sorts the trainer checks itself.
    """
    found = catalog.imported(reference)
    if not hasattr(found, "get_params"):
        return
    from loops.predictors.scikit import check_classifier

    check_classifier(_made(found, reference) if isinstance(found, type) else found, reference)


def _made(found: type, reference: str) -> object:
    try:
        return found()
    except TypeError as error:
        raise OwnCodeError(reference, f"it cannot be made without arguments: {error}") from error


def _predictor(name: str) -> bool:
    if catalog.is_own(name):
        import_predictor(name)
    return catalog.is_own(name)


def _acquisition(name: str) -> bool:
    from loops.acquisition.own import scorer_of

    function = catalog.find(name)
    return function.own and callable(scorer_of(function.load(), name))


def _embedding(name: str) -> bool:
    from loops.embeddings.own_source import fingerprint

    return bool(name) and bool(fingerprint(name))


def _stop(name: str) -> bool:
    from loops.stopping import own_criterion

    return bool(name) and own_criterion(name) is not None


_LOOKS: Mapping[str, Callable[[str], bool]] = {
    "predictor": _predictor,
    "acquisition": _acquisition,
    "embedding": _embedding,
    "stop": _stop,
}
