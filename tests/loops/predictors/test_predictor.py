"""One contract for all predictors, whoever they are."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier

from loops.embeddings.features import FeatureStore
from loops.embeddings.images import EFFICIENTNET
from loops.errors import CheckpointDamagedError, CheckpointMismatchError, IdenticalDrawsError, NotFittedError
from loops.predictors.champion import Champion
from loops.predictors.committee import Committee
from loops.predictors.graph import GraphPredictor
from loops.predictors.linear import LinearOfColumns, LinearPredictor
from loops.predictors.making import own_predictor
from loops.predictors.network import Network
from loops.predictors.network_spec import NetworkSpec
from loops.predictors.predictor import Predictor
from loops.predictors.scikit import ScikitPredictor
from loops.predictors.trees import TreesPredictor

SPEC = NetworkSpec("features", EFFICIENTNET, "margin", 3, 8, 2e-2, 0.0, 4, 4)
CLASS_OF = {i: i % 3 for i in range(60)}
LABELS = {i: i % 3 for i in range(24)}
POOL = np.arange(24, 60)


def equally(probs_M_N_C, _labels_N, _shares_N):
    """So that each member of a champion has its say in these tests, however few the labels are."""
    return np.full(len(probs_M_N_C), 1 / len(probs_M_N_C))


@pytest.fixture(autouse=True)
def _weighed_with_few_labels(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("loops.predictors.champion.COMMITTEE_FROM", 20)
    monkeypatch.setattr("loops.predictors.weighing.weigh", equally)


KINDS = (
    "network",
    "graph",
    "committee",
    "committee of forests",
    "linear",
    "linear of columns",
    "trees",
    "champion",
    "champion with a forest",
    "scikit",
    "module",
)
OF_MEMBERS = ("committee", "committee of forests", "scikit")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> FeatureStore:
    """Three blobs in sixteen of 1,280 dimensions, class = id % 3, so near to one another that answers may differ."""
    made = FeatureStore(tmp_path_factory.mktemp("features"), EFFICIENTNET)
    rows = np.zeros((60, 2560), np.float32)
    rows[:, :16] = np.random.default_rng(0).normal(0, 0.5, (60, 16))
    rows[np.arange(60), np.arange(60) % 3] += 2.0
    made.append(list(CLASS_OF), rows)
    return made


def predictor_of(kind: str, store: FeatureStore, *, seed: int = 0, num_classes: int = 3) -> Predictor:
    graph = GraphPredictor(store, num_classes=num_classes, seed=seed, mc_iterations=4)
    network = Network(SPEC, store, num_classes=num_classes, seed=seed, mc_iterations=4, accelerator="cpu")
    forest = ScikitPredictor(
        RandomForestClassifier(5), "sklearn.ensemble:RandomForestClassifier", store, num_classes=num_classes, seed=seed
    )
    made: dict[str, Callable[[], Predictor]] = {
        "network": lambda: network,
        "graph": lambda: graph,
        "committee": lambda: Committee(network, num_folds=3),
        "committee of forests": lambda: Committee(forest, num_folds=3),
        "linear": lambda: LinearPredictor(on_pool(graph)),
        "linear of columns": lambda: LinearOfColumns(store, num_classes=num_classes, seed=seed, mc_iterations=4),
        "trees": lambda: TreesPredictor(store, num_classes=num_classes, seed=seed, mc_iterations=4),
        "champion": lambda: Champion(graph, [network], [LinearPredictor(graph)]),
        "champion with a forest": lambda: Champion(graph, [forest]),
        "scikit": lambda: forest,
        "module": lambda: own_predictor(
            "tests.loops.predictors.own_predictors:Linear", store, num_classes=num_classes, seed=seed, mc_iterations=4
        ),
    }
    return made[kind]()


def on_pool(graph: GraphPredictor) -> GraphPredictor:
    """Points are of the whole pool, as in a champion, whose graph looks at it first."""
    graph.review({}, pool=np.arange(60), begins=True)
    return graph


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def fitted_anew(kind: str, store: FeatureStore, *, seed: int = 0, labels: Mapping[int, int] = LABELS) -> Predictor:
    """Fitted on a pool that is known, as a round leaves it."""
    made = predictor_of(kind, store, seed=seed)
    made.review({}, pool=np.arange(60), begins=True)
    made.fit(labels, round_number=1)
    return made


@pytest.fixture(scope="module")
def fitted(store: FeatureStore) -> Callable[[str], Predictor]:
    """One of each kind, fitted once: what it is asked does not change it."""
    return cache(lambda kind: fitted_anew(kind, store))


@pytest.fixture
def predictor(kind: str, fitted: Callable[[str], Predictor]) -> Predictor:
    return fitted(kind)


def test_answers_are_probabilities_in_the_order_asked_for(predictor: Predictor) -> None:
    probs_N_C = predictor.predict(POOL)

    assert (probs_N_C.shape, probs_N_C.dtype) == ((36, 3), np.float32)
    np.testing.assert_allclose(probs_N_C.sum(1), 1, atol=1e-5)
    np.testing.assert_allclose(predictor.predict(POOL[::-1])[::-1], probs_N_C, atol=1e-5)
    assert (probs_N_C.argmax(1) == POOL % 3).mean() > 0.8
    assert predictor.predict([]).shape == (0, 3)


def test_draws_are_probabilities_that_differ(predictor: Predictor) -> None:
    draws_N_C_K = predictor.draws(POOL, count=4, round_number=1)

    assert draws_N_C_K.shape[:2] == (36, 3)
    assert draws_N_C_K.shape[2] >= 2
    assert draws_N_C_K.dtype == np.float32
    np.testing.assert_allclose(draws_N_C_K.sum(1), 1, atol=1e-5)
    assert (draws_N_C_K != draws_N_C_K[..., :1]).any()
    assert predictor.draws([], count=4, round_number=1).shape == (0, 3, draws_N_C_K.shape[2])


def test_a_draw_is_the_same_whatever_else_is_asked(predictor: Predictor) -> None:
    together, alone = (predictor.draws(ids, count=4, round_number=1) for ids in (POOL, POOL[5:6]))

    np.testing.assert_allclose(alone, together[5:6], atol=1e-5)


@pytest.mark.parametrize("kind", OF_MEMBERS, indirect=True)
def test_the_mean_of_the_members_draws_is_the_answer(predictor: Predictor) -> None:
    draws_N_C_K = predictor.draws(POOL, count=4, round_number=1)

    np.testing.assert_allclose(draws_N_C_K.mean(-1), predictor.predict(POOL), atol=1e-5)


@pytest.mark.parametrize("kind", ["network", "graph", "champion", "champion with a forest"], indirect=True)
def test_the_mean_of_many_draws_is_of_the_class_that_is_answered(predictor: Predictor) -> None:
    probs_N_C = predictor.predict(POOL)
    mean_N_C = predictor.draws(POOL, count=200, round_number=1).mean(-1)
    sure_N = probs_N_C.max(1) > 0.6

    assert sure_N.any()
    assert (mean_N_C.argmax(1) == probs_N_C.argmax(1))[sure_N].all()


def test_the_same_seed_and_labels_give_the_same_answers_to_the_last_bit(
    predictor: Predictor, kind: str, store: FeatureStore
) -> None:
    again = fitted_anew(kind, store, labels=dict(reversed(LABELS.items())))

    assert again.predict(POOL).tobytes() == predictor.predict(POOL).tobytes()
    first, second = (one.draws(POOL, count=4, round_number=1) for one in (again, predictor))
    assert first.tobytes() == second.tobytes()


def test_another_seed_draws_otherwise(predictor: Predictor, kind: str, store: FeatureStore) -> None:
    other = fitted_anew(kind, store, seed=1)
    first, second = (one.draws(POOL, count=4, round_number=1) for one in (other, predictor))

    assert (first != second).any()


def test_a_pool_is_scored_row_by_row(predictor: Predictor) -> None:
    pool_scores = predictor.score(POOL, round_number=1)

    assert pool_scores.sample_ids.tolist() == POOL.tolist()
    assert {"bald", "predictive_entropy", "expected_entropy", "margin", "variation_ratios"} <= pool_scores.scores.keys()
    assert {scores_N.shape for scores_N in pool_scores.scores.values()} == {(36,)}
    assert pool_scores.probs_N_C.shape == (36, 3)
    assert pool_scores.draws_N_C_K is not None
    assert pool_scores.draws_N_C_K.shape[:2] == (36, 3)
    assert pool_scores.scores["bald"].max() > 0


def test_what_was_saved_answers_the_same_once_loaded(
    predictor: Predictor, kind: str, store: FeatureStore, tmp_path: Path
) -> None:
    saved = predictor.save(tmp_path / "model.ckpt", {"progress": {"completed": 2}})
    again = predictor_of(kind, store)
    loop_state = again.load(saved.path, sha256=saved.sha256, size=saved.size)

    assert loop_state == {"progress": {"completed": 2}}
    assert again.predict(POOL).tobytes() == predictor.predict(POOL).tobytes()
    first, second = (one.draws(POOL, count=4, round_number=1) for one in (again, predictor))
    assert first.tobytes() == second.tobytes()
    assert again.describe() == predictor.describe()


def test_a_changed_byte_is_refused_and_what_was_learned_before_stays(predictor: Predictor, tmp_path: Path) -> None:
    before = predictor.predict(POOL)
    saved = predictor.save(tmp_path / "model.ckpt", {})
    saved.path.write_bytes(saved.path.read_bytes()[:-1] + b"?")

    with pytest.raises(CheckpointDamagedError):
        predictor.load(saved.path, sha256=saved.sha256, size=saved.size)
    assert predictor.predict(POOL).tobytes() == before.tobytes()


def test_each_takes_the_file_of_another_for_sound_but_of_another_kind(
    kind: str, store: FeatureStore, fitted: Callable[[str], Predictor], tmp_path: Path
) -> None:
    for other in KINDS:
        if other != kind:
            saved = fitted(other).save(tmp_path / "model.ckpt", {})
            with pytest.raises(CheckpointMismatchError):
                predictor_of(kind, store).load(saved.path, sha256=saved.sha256, size=saved.size)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "graph"], indirect=True)
def test_a_file_of_fewer_classes_is_of_another_kind(
    predictor: Predictor, kind: str, store: FeatureStore, tmp_path: Path
) -> None:
    saved = predictor.save(tmp_path / "model.ckpt", {})

    with pytest.raises(CheckpointMismatchError):
        predictor_of(kind, store, num_classes=4).load(saved.path, sha256=saved.sha256, size=saved.size)


def test_a_fresh_one_is_of_the_same_kind_and_has_learned_nothing(predictor: Predictor) -> None:
    fresh = predictor.fresh(0)

    assert type(fresh) is type(predictor)
    assert fresh.fingerprint == predictor.fingerprint
    with pytest.raises(NotFittedError):
        fresh.predict(POOL)
    assert predictor.predict(POOL).shape == (36, 3), "and the other goes on"


def test_before_a_fit_nothing_is_said_and_nothing_saved(kind: str, store: FeatureStore, tmp_path: Path) -> None:
    predictor = predictor_of(kind, store)
    for verb in (
        lambda: predictor.predict(POOL),
        lambda: predictor.draws(POOL, count=4, round_number=1),
        lambda: predictor.score(POOL, round_number=1),
        lambda: predictor.save(tmp_path / "model.ckpt", {}),
    ):
        with pytest.raises(NotFittedError):
            verb()


def test_it_says_who_answers(predictor: Predictor) -> None:
    described = predictor.describe()

    assert described.name
    assert described.sentence.endswith(".")
    if described.weights is not None:
        assert sum(described.weights.values()) == pytest.approx(1.0)


def test_each_label_is_predicted_by_one_that_never_saw_it(predictor: Predictor) -> None:
    """7 was labeled wrongly, and whoever learned that label would repeat it."""
    result = predictor.cross_validate(LABELS | {7: 0}, num_folds=3)

    assert result.sample_ids.tolist() == list(LABELS)
    assert result.labels_N.tolist() == [0 if i == 7 else i % 3 for i in LABELS]
    assert len(set(result.folds_N.tolist())) == 3
    assert result.probs_N_C.argmax(1)[7] == 1
    np.testing.assert_allclose(result.probs_N_C.sum(1), 1, atol=1e-5)


def test_what_learns_in_a_blink_takes_all_labels_and_forgets_those_that_are_undone(predictor: Predictor) -> None:
    instant = predictor.instant([*LABELS, *POOL.tolist()], round_number=1)
    assert instant is not None
    instant.refit(LABELS)
    before = instant.predict(POOL)
    instant.refit(LABELS | dict.fromkeys(range(24, 40), 2))
    assert (instant.predict(POOL) != before).any()
    instant.refit(LABELS)

    assert instant.predict(POOL).tobytes() == before.tobytes()
    assert instant.draws(POOL).shape[:2] == (36, 3)
    np.testing.assert_allclose(instant.draws(POOL).sum(1), 1, atol=1e-5)


def test_labels_of_classes_that_were_added_since_are_left_to_the_next_round(predictor: Predictor) -> None:
    known, more = (predictor.instant([*LABELS, *POOL.tolist()], round_number=1) for _ in range(2))
    assert known is not None
    assert more is not None
    known.refit(LABELS)
    more.refit(LABELS | {30: 3, 31: 4})

    assert more.predict(POOL).tobytes() == known.predict(POOL).tobytes()


def test_without_any_label_it_still_answers(predictor: Predictor) -> None:
    instant = predictor.instant([*LABELS, *POOL.tolist()], round_number=1)
    assert instant is not None
    instant.refit({30: 3})
    instant.refit({})

    assert instant.predict(POOL).shape == (36, 3)


def test_the_round_is_not_changed_by_what_takes_further_labels(predictor: Predictor) -> None:
    before = predictor.predict(POOL)
    instant = predictor.instant([*LABELS, *POOL.tolist()], round_number=1)
    assert instant is not None
    instant.refit(dict.fromkeys(LABELS, 0) | {23: 1})

    assert predictor.predict(POOL).tobytes() == before.tobytes()


def test_the_embedding_is_the_stored_rows_and_shares_of_the_pool_add_up(
    predictor: Predictor, store: FeatureStore
) -> None:
    predictor.review(LABELS, pool=np.arange(60), begins=True)

    assert (predictor.embedding([3, 1]) == store.flat_rows([3, 1])).all()
    assert predictor.features(POOL).shape[0] == 36
    assert predictor.pool_shares(np.array([3, 1, 2])).sum() == pytest.approx(1.0)


def test_draws_that_never_differ_are_refused(store: FeatureStore) -> None:
    class Certain(ScikitPredictor):
        def draws(self, sample_ids, *, count=0, round_number=0):  # type: ignore[no-untyped-def]
            return np.full((len(sample_ids), 3, 4), 1 / 3, np.float32)

    certain = Certain(RandomForestClassifier(2), "mine", store, num_classes=3, seed=0)

    with pytest.raises(IdenticalDrawsError, match="all draws of mine agree"):
        certain.score(POOL, round_number=1)


def test_a_pool_in_pieces_is_scored_as_a_whole(store: FeatureStore, monkeypatch: pytest.MonkeyPatch) -> None:
    predictor = predictor_of("scikit", store)
    predictor.fit(LABELS, round_number=1)
    whole = predictor.score(POOL, round_number=1)
    monkeypatch.setattr("loops.predictors.scoring.SCORED_AT_ONCE", 5)
    monkeypatch.setattr("loops.predictors.scoring.KEEP_DRAWS_UP_TO", 10)
    in_pieces = predictor.score(POOL, round_number=1)

    assert in_pieces.draws_N_C_K is None
    np.testing.assert_allclose(in_pieces.scores["bald"], whole.scores["bald"], atol=1e-6)
    np.testing.assert_allclose(in_pieces.probs_N_C, whole.probs_N_C, atol=1e-6)
