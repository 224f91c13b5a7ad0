from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from app.project.project import Project
from app.project.settings import save_settings
from app.trainer.oracle import train_labels
from app.trainer.re_ranking import ReRanker
from app.trainer.rounds import run_rounds
from app.trainer.workbench import Workbench
from loops.embeddings.graph_choice import COMPUTED_FIRST, GraphChoice, write_choice
from loops.embeddings.graph_of_pool import GraphOfPool
from loops.embeddings.stored_graph import path_of_graph
from storage.labels import current_labels
from storage.rounds import QueryInfo, list_queries, open_round
from tests.app.trainer.conftest import Annotator

pytestmark = pytest.mark.usefixtures("quick_predictor")


@pytest.fixture
def bench(project: Project, make_bench: Callable[[], Workbench]) -> Workbench:
    save_settings(project.settings_path, replace(project.settings(), acquisition="auto"))
    return make_bench()


def queue(bench: Workbench) -> list[QueryInfo]:
    with bench.database.read() as session:
        latest = open_round(session, project_id=bench.project_id)
        assert latest is not None
        return list(list_queries(session, round_id=latest.id))


def test_the_first_label_of_all_ranks_the_whole_pool_anew(bench: Workbench, annotator: Annotator) -> None:
    run_rounds(bench)
    re_ranker = ReRanker(bench)
    assert re_ranker.look() == 0, "nothing is new yet"
    annotator.label(1)
    assert re_ranker.look() > 0
    unseen = [query for query in queue(bench) if query.purpose == "train"][1:]
    assert all(query.suggestion is not None for query in unseen), "a label is enough for suggestions"
    assert re_ranker.look() == 0, "nothing is new any more"


def test_each_line_says_who_asks_and_how_many_labels_it_had_seen(bench: Workbench, annotator: Annotator) -> None:
    run_rounds(bench)
    assert {query.predictor for query in queue(bench)} == {None}, "nobody has learned anything yet"
    annotator.label(8)
    run_rounds(bench)
    first = next(query for query in queue(bench) if query.purpose == "train")
    assert (first.predictor, first.predictor_version, first.predictor_labels) == ("champion", "round 1", 8)
    events = annotator.label(1)
    assert (events[-1].predictor, events[-1].predictor_version, events[-1].predictor_labels) == (
        "champion", "round 1", 8,
    )  # fmt: skip
    ReRanker(bench).look()
    assert [query for query in queue(bench) if query.purpose == "train"][-1].predictor_labels == 9


def test_audit_samples_keep_their_places(bench: Workbench, annotator: Annotator) -> None:
    run_rounds(bench)
    before = {query.sample_id: query.rank for query in queue(bench) if query.purpose == "audit"}
    annotator.label(2)
    ReRanker(bench).look()
    assert {query.sample_id: query.rank for query in queue(bench) if query.purpose == "audit"} == before


def test_a_restarted_trainer_ranks_as_the_one_before(bench: Workbench, annotator: Annotator) -> None:
    run_rounds(bench)
    eager = ReRanker(bench)
    for _ in range(3):
        annotator.label(1)
        eager.look()
    before = [query.sample_id for query in queue(bench)]
    ReRanker(bench).look()
    assert [query.sample_id for query in queue(bench)] == before


def test_after_a_round_the_screen_is_told_who_answers(bench: Workbench, annotator: Annotator) -> None:
    run_rounds(bench)
    annotator.label(8)
    run_rounds(bench)
    re_ranker = ReRanker(bench)
    re_ranker.look()
    described = re_ranker.described
    assert described is not None
    assert described.sentence == (
        "There are too few labels to say how often the model is right; it learns from look-alikes."
    )
    assert described.details == (
        f"Neighbors are looked for in {embedding_of(bench)}. 9 distorted copies of each image stand among them."
    )
    assert described.weights == {"graph": 1.0, "linear": 0.0, "committee": 0.0}
    assert list(bench.store.folder.glob("graph-*.npz")), "kept beside the features"


def test_learned_features_take_over_at_the_tenth_label_in_the_middle_of_a_round(
    bench: Workbench, annotator: Annotator
) -> None:
    run_rounds(bench)
    computed = GraphOfPool(bench.store, num_classes=10, seed=bench.settings.seed).stored
    learned = path_of_graph(bench.store.folder, bench.settings.seed, learned=True)
    replace(computed, coordinates=computed.coordinates[::-1]).write(learned)
    choice = GraphChoice(clearer=True, computed_doubt=0.4, learned_doubt=0.3)
    write_choice(choice, bench.store.folder, bench.settings.seed)
    re_ranker = ReRanker(bench)
    labels = 0
    while labels < COMPUTED_FIRST:
        annotator.label(1)
        re_ranker.look()
        with bench.database.read() as session:
            labels = len(train_labels(current_labels(session, project_id=bench.project_id)))
        assert re_ranker.described is not None
        details = re_ranker.described.details
        assert ("for the first 10 labels" in details) == (labels < COMPUTED_FIRST)
    assert "learned features part the pool more clearly" in details


def embedding_of(bench: Workbench) -> str:
    return GraphOfPool(bench.store, num_classes=10, seed=bench.settings.seed).embedding.name


def test_a_pool_of_which_no_image_is_left_is_nothing_to_rank(bench: Workbench, annotator: Annotator) -> None:
    run_rounds(bench)
    annotator.label(1)
    gone = replace(bench, pool=bench.pool.without(bench.pool.ids))
    assert ReRanker(gone, anew=True).look() == 0


def test_re_ranking_can_be_switched_off(bench: Workbench, annotator: Annotator) -> None:
    run_rounds(bench)
    annotator.label(1)
    off = replace(bench, settings=replace(bench.settings, re_rank=False))
    assert ReRanker(off).look() == 0
