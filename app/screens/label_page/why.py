"""Why a sample is asked: the model's doubt with its two parts, its MC draws, and the labeled samples most like it.

Plain data, ready for JSON: the Label screen's card is drawn in the browser. What is missing is said in a sentence.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from app.errors import UnreadableScoresError
from app.project.scores import RoundScores, SampleDraws, read_draws, scores_path
from app.screens.content.sample import to_send
from app.screens.shared.doubt import alarm_of, doubt_of
from app.screens.shared.neighbors import Neighbor, nearest_labeled
from app.screens.shared.round_scores import read_round_scores
from app.screens.shared.session import current_project, database, project_id
from storage.projects import list_classes
from storage.rounds import open_round
from storage.samples import SampleInfo
from storage.who_asked import Asker, who_asked

LIKELIEST = 3  # classes whose draws are shown
NO_MODEL = "No model asked for this one: the first samples are chosen to be varied and typical, not by doubt."
NOT_SCORED = "The model of this round has not scored this sample."
NO_DRAWS = "The single draws of this round were not kept."

Card = dict[str, Any]


def why_this_one(samples: Sequence[SampleInfo], *, round_number: int | None = None) -> dict[int, Card]:
    """Explain why samples are asked.

    Args:
        samples: the samples.
        round_number: the round that asked for them; None: the one that is open.

    Returns:
        By sample id: ``total``, ``epistemic``, ``aleatoric`` and ``most`` in nats, ``epistemic_share`` 0..1, ``round``,
        ``draws`` (name and K probabilities of the three likeliest classes), ``iterations``, ``alarm`` (a sentence) and
        ``neighbors`` and ``asked`` (a sentence on who asked); each of them only where it is known. ``missing`` lists
        the reasons for what is not.
    """
    cards: dict[int, Card] = {sample.id: {"missing": []} for sample in samples}
    try:
        _add_doubt(cards, round_number)
    except UnreadableScoresError as error:
        _say(cards, str(error))
    _add_neighbors(cards)
    _add_asker(cards, round_number)
    return cards


def _add_doubt(cards: dict[int, Card], number: int | None) -> None:
    with database().read() as session:
        if number is None:
            opened = open_round(session, project_id=project_id())
            number = opened.number if opened else None
        names = [entry.name for entry in list_classes(session, project_id=project_id())]
    path = None if number is None else scores_path(current_project().rounds_dir, number)
    if path is None or not path.is_file():
        _say(cards, NO_MODEL)
        return
    scores = read_round_scores(path)
    draws = read_draws(path, scores, list(cards))
    for sample_id, card in cards.items():
        if sample_id not in draws:
            _say({sample_id: card}, NOT_SCORED)
        else:
            card |= {"round": number} | _doubt(scores, sample_id, draws[sample_id])
            card |= _draws(draws[sample_id], names)


def _doubt(scores: RoundScores, sample_id: int, draws: SampleDraws) -> Card:
    row = scores.row_of(sample_id)
    assert row is not None
    doubt = doubt_of(scores, row, draws)
    return {
        "total": doubt.total,
        "epistemic": doubt.epistemic,
        "aleatoric": doubt.aleatoric,
        "epistemic_share": doubt.epistemic_share,
        "most": doubt.most,
    }


def _draws(draws: SampleDraws, names: Sequence[str]) -> Card:
    draws_C_K = draws.draws_C_K
    if draws_C_K is None:
        return {"missing": [NO_DRAWS]}
    likeliest = np.argsort(-draws_C_K.mean(axis=1), kind="stable")[:LIKELIEST].tolist()
    card: Card = {
        "iterations": draws_C_K.shape[1],
        "draws": [{"name": names[index], "probs": draws_C_K[index].round(4).tolist()} for index in likeliest],
    }
    alarm = alarm_of(draws_C_K)
    return card | ({"alarm": alarm} if alarm else {})


def _add_neighbors(cards: dict[int, Card]) -> None:
    found = nearest_labeled(list(cards))
    for sample_id, card in cards.items():
        if sample_id in found.of:
            card["neighbors"] = [_neighbor(neighbor) for neighbor in found.of[sample_id]]
        else:
            _say({sample_id: card}, found.missing)


def _add_asker(cards: dict[int, Card], number: int | None) -> None:
    with database().read() as session:
        asked = who_asked(session, project_id=project_id(), sample_ids=list(cards), round_number=number)
    for sample_id, asker in asked.items():
        if asker.predictor is not None:
            cards[sample_id]["asked"] = asker_words(asker)


def asker_words(asker: Asker) -> str:
    """Who asked, as a sentence."""
    if asker.labels is None:
        return f"Asked by {asker.predictor}."
    seen = "1 label" if asker.labels == 1 else f"{asker.labels:,} labels"
    return f"Asked by {asker.predictor}, which had seen {seen}."


def _neighbor(neighbor: Neighbor) -> Card:
    return {
        "sample_id": neighbor.sample.id,
        "name": neighbor.name,
        "similarity": round(neighbor.similarity, 4),
        "content": to_send(neighbor.sample, large=False),
    }


def _say(cards: dict[int, Card], sentence: str) -> None:
    for card in cards.values():
        card["missing"].append(sentence)
