"""The champion over members that were told what to say, and over a real graph and a real network."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import ArrayLike

from loops.acquisition.catalog import ALEATORIC, EPISTEMIC, TOTAL
from loops.active_learning import ActiveLearningLoop
from loops.checkpoint import SavedCheckpoint, read_checkpoint, write_checkpoint
from loops.embeddings.features import FeatureStore
from loops.embeddings.images import EFFICIENTNET
from loops.errors import CheckpointDamagedError, CheckpointMismatchError, NotFittedError, TrainingInterruptedError
from loops.oracle import KnownLabels
from loops.predictors import champion as champion_module
from loops.predictors import instant_champion, weighing
from loops.predictors.champion import Champion
from loops.predictors.committee import Committee
from loops.predictors.graph import GraphPredictor
from loops.predictors.instant_champion import InstantChampion, InstantOfOthers
from loops.predictors.network import Network
from loops.predictors.network_spec import NetworkSpec
from loops.predictors.predictor import Description, Floats, Ids, Instant, Predictor, Questions
from loops.predictors.weighing import Weights
from loops.settings import LoopSettings

LABELS = {i: i % 2 for i in range(40)}
POOL = np.arange(40, 80)


class Says(Predictor):
    """Gives one class `certain`: the right one of ids below `right_up_to`, the other of the rest; draw k is as sure."""

    def __init__(self, name: str, right_up_to: int = 1_000, certain: float = 0.9, *, asks: bool = False) -> None:
        self.num_classes, self.seed, self.mc_iterations = 2, 0, 3
        self.name, self.right_up_to, self.certain, self._asks = name, right_up_to, certain, asks
        self.fits: list[int] = []
        self.labels: dict[int, int] | None = None
        self.interrupted = False

    @property
    def asks_itself(self) -> bool:
        return self._asks

    def fit(self, labels: Mapping[int, int], *, round_number: int, checkpoint_dir: Path | None = None) -> None:
        if self.interrupted:
            raise TrainingInterruptedError(steps=1, wanted=2)
        self.fits.append(len(labels))
        self.labels = dict(labels)

    def refit(self, labels: Mapping[int, int]) -> None:
        self.labels = dict(labels)

    def predict(self, sample_ids: ArrayLike) -> Floats:
        if self.labels is None:
            raise NotFittedError
        ids = np.asarray(sample_ids, np.int64).reshape(-1)
        said = np.where(ids < self.right_up_to, ids % 2, 1 - ids % 2)
        return np.where(np.eye(2)[said] == 1, self.certain, 1 - self.certain).astype(np.float32).reshape(-1, 2)

    def draws(self, sample_ids: ArrayLike, *, count: int = 3, round_number: int = 0) -> Floats:
        probs = self.predict(sample_ids)
        return np.stack([probs if k % 2 == 0 else probs[:, ::-1] for k in range(count)], axis=-1)

    def describe(self) -> Description:
        return Description(self.name, f"{self.name} answers.", asks_by="margin")

    def fresh(self, fold: int | None = None) -> Says:
        return Says(self.name, self.right_up_to, self.certain, asks=self._asks)

    def embedding(self, sample_ids: ArrayLike) -> Floats:
        return np.asarray(sample_ids, np.float32).reshape(-1, 1)

    def questions(self, sample_ids: Ids, size: int, *, coverage: bool) -> Questions | None:
        if not self._asks:
            return None
        known = set(self.labels or {})
        asked = np.array([i for i in sample_ids.tolist() if i not in known][:size], np.int64)
        return Questions(asked, np.ones(len(asked), np.float32))

    asks_of_whole_pool = False

    def instant(self, sample_ids: ArrayLike, *, round_number: int) -> Instant | None:
        made = self.fresh()
        made.labels = self.labels
        return made

    def save(self, path: Path, loop_state: dict[str, Any]) -> SavedCheckpoint:
        if self.labels is None:
            raise NotFittedError
        labels = torch.tensor(sorted(self.labels.items())).reshape(-1, 2)
        described = {"backbone": self.name, "num_classes": 2}
        return write_checkpoint({"learner": described, "labels": labels, "active_learning_loop": loop_state}, path)

    def load(self, path: Path, *, sha256: str, size: int) -> dict[str, Any]:
        checkpoint = read_checkpoint(path, sha256=sha256, size=size)
        if checkpoint["learner"]["backbone"] != self.name:
            raise CheckpointMismatchError(path, f"{self.name} wanted")
        self.labels = dict(checkpoint["labels"].tolist())
        loop_state: dict[str, Any] = checkpoint["active_learning_loop"]
        return loop_state


def first_of_all(**changes: Any) -> Says:
    return Says("first", **{"asks": True, **changes})


def weighed(*weights: float, certain: float = 0.9) -> Champion:
    """A champion of members that are right, with those weights."""
    made = Champion(first_of_all(), [Says(f"other {k}", certain=certain) for k in range(1, len(weights))])
    made.fit({0: 0, 1: 1}, round_number=1)
    for member in made._team[1:]:
        member.fit({0: 0, 1: 1}, round_number=1)
    made._weights = Weights(tuple(weights), weighed_at=2)
    return made


def test_below_ten_labels_the_first_answers_alone_and_nobody_else_is_fitted() -> None:
    first, quick, other = first_of_all(), Says("quick"), Says("other")
    champion = Champion(first, [other], [quick])
    champion.fit({i: i % 2 for i in range(9)}, round_number=1)

    assert champion.weights == Weights((1.0, 0.0, 0.0))
    assert (first.fits, quick.fits, other.fits) == ([9], [], [])
    assert champion.describe().sentence == "first answers."
    assert champion.describe().weights == {"first": 1.0, "quick": 0.0, "committee": 0.0}
    assert champion.asks_itself


def test_from_ten_labels_on_quick_ones_join_and_the_others_wait_until_there_are_thirty() -> None:
    champion = Champion(first_of_all(), [Says("other")], [Says("quick")])
    champion.fit({i: i % 2 for i in range(29)}, round_number=1)

    assert champion.weights.weights == pytest.approx((0.5, 0.5, 0.0))
    assert "first 100 % right, weight 0.50, quick 100 % right, weight 0.50; together" in champion.describe().details
    champion.fit({i: i % 2 for i in range(30)}, round_number=2)
    assert champion.weights.weights == pytest.approx((1 / 3, 1 / 3, 1 / 3))


def test_from_thirty_labels_on_equals_count_alike() -> None:
    champion = Champion(first_of_all(), [Says("other")])
    champion.fit({i: i % 2 for i in range(30)}, round_number=1)

    assert champion.weights.weights == pytest.approx((0.5, 0.5))
    assert champion.weights.weighed_at == 30
    assert champion.weights.right == pytest.approx((1.0, 1.0))
    assert champion.weights.together == pytest.approx(1.0)
    assert champion.describe().sentence == (
        "Without seeing them the model would have had 30 of your 30 labels right, and it asks for hard ones; "
        "look-alikes and a trained model answer together."
    )


def test_who_is_wrong_about_labels_held_out_loses_its_say_and_is_not_asked_any_more() -> None:
    champion = Champion(first_of_all(), [Says("other", right_up_to=0, certain=0.99)])
    champion.fit(LABELS | {i: i % 2 for i in range(40, 400)}, round_number=1)

    assert champion.weights.weights == (1.0, 0.0)
    assert champion.others == []
    assert champion.describe().sentence.endswith("labels right, and it asks for hard ones; it answers by itself.")
    assert "first 100 % right, weight 1.00, committee 0 % right, weight 0.00; together 100 %" in (
        champion.describe().details
    )


def test_once_the_others_answer_alone_it_has_no_questions_but_those_of_coverage() -> None:
    champion = Champion(first_of_all(right_up_to=0, certain=0.99), [Says("other")])
    champion.fit(LABELS | {i: i % 2 for i in range(40, 400)}, round_number=1)

    assert champion.weights.weights == (0.0, 1.0)
    assert not champion.asks_itself
    assert champion.describe().asks_by == "margin"
    pool = np.arange(399, 402)
    assert champion.questions(pool, 2, coverage=False) is None
    covering = champion.questions(pool, 2, coverage=True)
    assert covering is not None
    assert covering.sample_ids.tolist() == [400, 401]


def test_the_answer_is_the_weighted_mean() -> None:
    """0.25 * 0.9 + 0.75 * 0.6 = 0.675 for the right class; in the second draw the first member gives it 0.1."""
    champion = weighed(0.25, 0.75, certain=0.6)

    assert champion.predict([8])[0].tolist() == pytest.approx([0.675, 0.325])
    assert champion.draws([8], count=2, round_number=1)[0, :, 1].tolist() == pytest.approx([0.475, 0.525])


def test_what_held_out_labels_prove_right_is_said_surer_and_comes_back_from_a_file(tmp_path: Path) -> None:
    """Said with 60 %, and all forty labels are right while they are held out."""
    champion = Champion(first_of_all(certain=0.6), [], [Says("quick", certain=0.6)])
    champion.fit(LABELS, round_number=1)

    sharpness = champion.weights.sharpness
    assert sharpness > 2  # (.6 / .4) ** 2 = 2.25, which is 69 %
    assert champion.predict([0])[0, 0] == pytest.approx(0.6**sharpness / (0.6**sharpness + 0.4**sharpness), abs=1e-4)
    assert champion.held_out is not None
    assert champion.held_out.probs_N_C == pytest.approx(champion.predict(sorted(LABELS)))
    assert champion.draws([0], count=2, round_number=1)[0, 0] == pytest.approx([0.6, 0.4])  # as the members say

    saved = champion.save(tmp_path / "model.pt", {})
    again = Champion(first_of_all(certain=0.6), [], [Says("quick", certain=0.6)])
    again.load(tmp_path / "model.pt", sha256=saved.sha256, size=saved.size)
    assert again.predict([0]) == pytest.approx(champion.predict([0]))


def test_what_people_see_of_the_doubt_is_that_of_the_answer_and_what_is_asked_by_is_that_of_the_draws() -> None:
    """Answer .9: .325 nats. The first draws .9, .1, .9, the committee's members .9 each: a mean of .767, .543 nats."""
    scores = weighed(0.5, 0.5).score([8], round_number=1)

    assert scores.probs_N_C[0].tolist() == pytest.approx([0.9, 0.1])
    assert scores.scores[TOTAL][0] == pytest.approx(0.543, abs=0.001)
    assert scores.shown[TOTAL][0] == pytest.approx(0.325, abs=0.005)
    parts = scores.shown[EPISTEMIC][0] + scores.shown[ALEATORIC][0]
    assert parts == pytest.approx(scores.shown[TOTAL][0], abs=1e-4)


def test_a_committee_has_fewer_draws_than_are_asked_for_and_they_come_round() -> None:
    class OfTwo(Says):
        def draws(self, sample_ids: ArrayLike, *, count: int = 3, round_number: int = 0) -> Floats:
            return super().draws(sample_ids, count=2)

    champion = weighed(0.5, 0.5)
    champion._team = (champion._first, OfTwo("other 1"))
    champion._team[1].fit({0: 0}, round_number=1)

    assert champion.draws([8], count=5, round_number=1).shape == (1, 2, 5)


def test_labels_that_cannot_be_split_leave_the_weights_as_they_stood() -> None:
    champion = Champion(first_of_all(), [Says("other")])
    champion.num_classes = 30
    champion.fit({i: i for i in range(25)}, round_number=1)

    assert champion.weights.weights == (1.0, 0.0)


def test_with_many_labels_one_model_takes_the_committees_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(champion_module, "COMMITTEE_UP_TO", 30)
    other = Says("other")
    champion = Champion(first_of_all(), [other])
    champion.fit({i: i % 2 for i in range(30)}, round_number=1)
    assert isinstance(champion._team[1], Committee)
    champion.fit({i: i % 2 for i in range(45)}, round_number=2)

    assert champion._team[1] is other
    assert other.fits == [45]
    assert champion.weights.weighed_at == 45


def test_a_committee_is_weighed_in_every_round_and_a_single_model_when_there_is_half_as_much_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    champion = Champion(first_of_all(), [Says("other")])
    seen = []
    for count in (30, 31, 40):
        champion.fit({i: i % 2 for i in range(count)}, round_number=count)
        seen.append(champion.weights.weighed_at)
    monkeypatch.setattr(champion_module, "COMMITTEE_UP_TO", 35)
    for count in (59, 60):
        champion.fit({i: i % 2 for i in range(count)}, round_number=count)
        seen.append(champion.weights.weighed_at)

    assert seen == [30, 31, 40, 40, 60]


def test_an_interrupted_fit_leaves_the_answers_as_they_were() -> None:
    other = Says("other")
    champion = Champion(first_of_all(), [other])
    champion.fit(LABELS, round_number=1)
    before = champion.predict(POOL)
    for fitted in (other, *champion._team):
        fitted.interrupted = True  # type: ignore[attr-defined]
    champion._others[0].fresh = lambda _fold=None: interrupted()  # type: ignore[method-assign]
    with pytest.raises(TrainingInterruptedError):
        champion.fit(LABELS | {40: 0}, round_number=2)

    assert champion.predict(POOL).tobytes() == before.tobytes()
    assert champion._first.fits == [40], "who learns in a blink is not fitted before the others are"  # type: ignore[attr-defined]


def interrupted() -> Says:
    made = Says("other")
    made.interrupted = True
    return made


def test_between_rounds_the_first_takes_labels_and_the_others_are_asked_once_for_each_sample() -> None:
    champion = weighed(0.5, 0.5)
    asked: list[list[int]] = []
    other = champion._team[1]
    predict = other.predict
    other.predict = lambda ids: asked.append(np.asarray(ids).tolist()) or predict(ids)  # type: ignore[method-assign, func-returns-value]
    instant = champion.instant(POOL, round_number=1)
    assert isinstance(instant, InstantChampion)
    instant.refit(LABELS)

    assert instant.predict([8, 9]).tolist() == champion.predict([8, 9]).tolist()
    instant.predict([9, 10])
    assert asked == [[8, 9], [8, 9], [10]]
    assert instant.predict([]).shape == (0, 2)
    assert instant.draws([8]).shape == (1, 2, 3)
    questions = instant.questions(np.array([39, 40]), 1, coverage=False)
    assert questions is not None
    assert questions.sample_ids.tolist() == [40]


def test_of_a_table_every_other_question_is_where_the_answer_is_least_sure() -> None:
    """The first asks 40, 41, ...; the second is unsure of 70 alone. After 2 labels the first begins, after 3 doubt."""
    champion = Champion(first_of_all(), [], [Says("quick")], takes_turns=True)
    champion.fit({0: 0, 1: 1}, round_number=1)
    asked = champion.questions(POOL, 4, coverage=False)
    assert asked is not None
    assert asked.sample_ids.tolist() == [40, 41, 42, 43], "the first answers alone"
    alone = champion.instant(POOL, round_number=1)
    assert alone is not None
    assert alone.predict([8]).tolist() == champion.predict([8]).tolist()

    quick = champion._team[1]
    predict = quick.predict
    quick.predict = lambda ids: np.where(np.asarray(ids)[:, None] == 70, 0.5, predict(ids))  # type: ignore[method-assign]
    quick.fit({0: 0, 1: 1}, round_number=1)
    champion._weights = Weights((0.5, 0.5), weighed_at=2)
    for asker in (champion, champion.instant(POOL, round_number=1)):
        assert asker is not None
        asked = asker.questions(POOL, 4, coverage=False)
        assert asked is not None
        assert asked.sample_ids.tolist()[:2] == [40, 70]
        assert len(set(asked.sample_ids.tolist())) == 4
        covering = asker.questions(POOL, 2, coverage=True)
        assert covering is not None
        assert covering.sample_ids.tolist() == [40, 41]
    instant = champion.instant(POOL, round_number=1)
    assert instant is not None
    instant.refit({0: 0, 1: 1, 2: 0})
    asked = instant.questions(POOL, 4, coverage=False)
    assert asked is not None
    assert asked.sample_ids.tolist()[:2] == [70, 40]


def test_between_rounds_doubt_is_sought_in_a_part_of_a_large_pool_the_same_from_label_to_label(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(instant_champion, "LOOKED_AT", 3)
    champion = Champion(first_of_all(), [], [Says("quick")], takes_turns=True)
    champion.fit({0: 0, 1: 1}, round_number=1)
    quick = champion._team[1]
    quick.fit({0: 0, 1: 1}, round_number=1)
    champion._weights = Weights((0.5, 0.5), weighed_at=2)
    asked: list[int] = []
    predict = quick.predict
    quick.predict = lambda ids: asked.extend(np.asarray(ids).tolist()) or predict(ids)  # type: ignore[method-assign, func-returns-value]
    instant = champion.instant(POOL, round_number=1)
    assert instant is not None
    instant.refit({0: 0, 1: 1})
    for left in (POOL, POOL[1:]):
        questions = instant.questions(left, 2, coverage=False)
        assert questions is not None
        assert len(set(asked)) == len(asked) == 3
        assert questions.sample_ids[0] in POOL[:2], "the first covers the whole pool"


def test_without_a_say_of_the_first_the_heaviest_takes_the_labels_and_the_first_only_covers() -> None:
    instant = weighed(0.0, 1.0).instant(POOL, round_number=1)
    assert isinstance(instant, InstantOfOthers)
    instant.refit(LABELS)

    assert not instant.asks_of_whole_pool
    assert instant.predict([8])[0].tolist() == pytest.approx([0.9, 0.1])
    assert instant.questions(np.array([39, 40]), 1, coverage=False) is None
    covering = instant.questions(np.array([39, 40]), 1, coverage=True)
    assert covering is not None
    assert covering.sample_ids.tolist() == [40]


def test_a_fresh_one_has_todays_weights_and_does_not_weigh_anew() -> None:
    fresh = weighed(0.25, 0.75).fresh(3)
    fresh.fit(LABELS, round_number=0)

    assert fresh.weights.weights == (0.25, 0.75)
    assert not any(isinstance(member, Committee) for member in fresh._team), "one of each kind is enough to compare"


def test_what_is_cross_validated_is_the_mixture() -> None:
    result = weighed(0.25, 0.75).cross_validate(LABELS, num_folds=4)

    assert result.probs_N_C[0].tolist() == pytest.approx([0.9, 0.1])
    assert result.accuracy == 1.0


def test_weights_and_members_come_back_from_a_file_and_who_has_no_say_still_knows_what_is_covered(
    tmp_path: Path,
) -> None:
    champion = Champion(first_of_all(right_up_to=0, certain=0.99), [Says("other")])
    champion.fit(LABELS | {i: i % 2 for i in range(40, 400)}, round_number=1)
    saved = champion.save(tmp_path / "model.ckpt", {"progress": 1})
    again = Champion(first_of_all(right_up_to=0, certain=0.99), [Says("other")])

    assert again.load(saved.path, sha256=saved.sha256, size=saved.size) == {"progress": 1}
    assert again.weights == champion.weights
    assert again.predict(POOL).tobytes() == champion.predict(POOL).tobytes()
    covering = again.questions(np.arange(399, 402), 5, coverage=True)
    assert covering is not None
    assert covering.sample_ids.tolist() == [400, 401]


def test_a_file_with_a_member_of_another_kind_changes_nothing(tmp_path: Path) -> None:
    champion = Champion(first_of_all(), [Says("another")])
    champion.fit(LABELS, round_number=1)
    saved = champion.save(tmp_path / "model.ckpt", {})
    other = Champion(first_of_all(), [Says("other")])
    other.fit({0: 0, 1: 1}, round_number=1)

    with pytest.raises(CheckpointMismatchError):
        other.load(saved.path, sha256=saved.sha256, size=saved.size)
    assert other.weights == Weights.of_the_first(2)
    assert other._first.labels == {0: 0, 1: 1}  # type: ignore[attr-defined]


@pytest.mark.parametrize("missing", ["labels", "answering", "active_learning_loop"])
def test_a_file_with_a_part_missing_is_damaged(missing: str, tmp_path: Path) -> None:
    saved = weighed(0.5, 0.5).save(tmp_path / "model.ckpt", {})
    content = read_checkpoint(saved.path)
    del content[missing]
    saved = write_checkpoint(content, saved.path)

    with pytest.raises(CheckpointDamagedError, match="no champion of ours"):
        weighed(0.5, 0.5).load(saved.path, sha256=saved.sha256, size=saved.size)


def test_a_file_of_more_members_is_of_another_kind(tmp_path: Path) -> None:
    saved = weighed(0.5, 0.25, 0.25).save(tmp_path / "model.ckpt", {})

    with pytest.raises(CheckpointMismatchError, match="2 members wanted, 3 found"):
        weighed(0.5, 0.5).load(saved.path, sha256=saved.sha256, size=saved.size)


# A real graph, and a real network, on two blobs.

QUICK = NetworkSpec("features", EFFICIENTNET, "margin", 2, 8, 2e-3, 0.01, 2, 2)
CLASS_OF = {i: i % 2 for i in range(80)}
TEST = {1000 + i: i % 2 for i in range(30)}


@pytest.fixture
def store(tmp_path: Path) -> FeatureStore:
    """Even samples lie around one direction, odd ones around another."""
    made = FeatureStore(tmp_path / "features", EFFICIENTNET)
    known = {**CLASS_OF, **TEST}
    rows = np.random.default_rng(0).normal(0, 0.02, (len(known), 2560)).astype(np.float32)
    rows[np.arange(len(known)), list(known.values())] += 1.0
    made.append(list(known), rows)
    return made


def real(store: FeatureStore, spec: NetworkSpec = QUICK) -> Champion:
    network = Network(spec, store, num_classes=2, seed=0, accelerator="cpu", mc_iterations=4)
    return Champion(GraphPredictor(store, num_classes=2, seed=0, mc_iterations=4), [network])


def test_two_labels_from_none_tell_two_blobs_apart(store: FeatureStore) -> None:
    oracle = KnownLabels(CLASS_OF, query_size=2, test=TEST)
    settings = LoopSettings("auto", query_size=2, labeling_budget=2)
    ActiveLearningLoop(predictor=real(store), oracle=oracle, settings=settings).run()
    first, second = oracle.queries

    assert {ranked.sample_id % 2 for ranked in first.ranking[:2]} == {0, 1}, "one of each blob"
    assert second.evaluations[0].accuracy == 1.0
    assert second.acquisition == "auto"
    assert second.asked_by is not None
    assert (second.asked_by.predictor, second.asked_by.labels) == ("champion", 2)


def test_after_a_cold_start_at_random_the_pool_is_scored_on_its_own_graph(store: FeatureStore) -> None:
    """Or each sample would be told by the two that were labeled, which alone were on it."""
    oracle, predictor = KnownLabels(CLASS_OF, query_size=4), real(store)
    settings = LoopSettings("auto", query_size=4, labeling_budget=4, cold_start="random")
    ActiveLearningLoop(predictor=predictor, oracle=oracle, settings=settings).run()
    scores = oracle.queries[1].pool_scores

    assert scores is not None
    (path,) = store.folder.glob("graph-*.npz")
    with np.load(path) as held:
        assert held["ids"].tolist() == list(CLASS_OF), "no test sample among them"
    assert (scores.probs_N_C.argmax(1) == scores.sample_ids % 2).mean() > 0.9


def test_a_network_of_yesterdays_release_is_sound_but_of_another_kind(store: FeatureStore, tmp_path: Path) -> None:
    """`graph_learner` stood in the loop's state; the round is fitted again, and the project goes on."""
    network = Network(QUICK, store, num_classes=2, seed=0, accelerator="cpu")
    network.fit({0: 0, 1: 1}, round_number=1)
    state = {"network": False, "compared_at": 0, "labels": torch.tensor([[0, 0], [1, 1]])}
    saved = network.save(tmp_path / "model.ckpt", {"progress": 1, "graph_learner": state})

    with pytest.raises(CheckpointMismatchError, match="a champion wanted, a single predictor found"):
        real(store).load(saved.path, sha256=saved.sha256, size=saved.size)


def test_both_answer_once_there_are_labels_to_weigh_by_and_each_stands_in_the_file(
    store: FeatureStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(weighing, "weigh", lambda probs, *_: np.full(len(probs), 1 / len(probs)))
    predictor = real(store)
    predictor.review({}, pool=np.arange(80), begins=True)
    predictor.fit({i: CLASS_OF[i] for i in range(30)}, round_number=1, checkpoint_dir=tmp_path / "round")
    saved = predictor.save(tmp_path / "model.ckpt", {})

    assert all(weight > 0 for weight in predictor.weights.weights)
    assert (predictor.predict(POOL).argmax(1) == POOL % 2).all()
    assert predictor.weights.right[0] == pytest.approx(1.0)
    assert sorted(path.name for path in (tmp_path / "round").iterdir()) == ["member-1"]
    again = real(store)
    again.load(saved.path, sha256=saved.sha256, size=saved.size)
    assert again.predict(POOL) == pytest.approx(predictor.predict(POOL), abs=1e-6)
