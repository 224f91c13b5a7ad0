import numpy as np
import pytest
import pytorch_lightning as pl

from loops.acquisition.catalog import CATALOG
from loops.acquisition.choosing import choose
from loops.active_learning import ActiveLearningLoop
from loops.embeddings.features import FeatureStore
from loops.errors import (
    CheckpointDamagedError,
    CheckpointMismatchError,
    IdenticalDrawsError,
    NotEnoughSamplesError,
    NotFittedError,
    TrainingInterruptedError,
)
from loops.oracle import Answers, KnownLabels, PoolScores
from loops.predictors.committee import Committee
from loops.predictors.network import Network
from loops.predictors.network_spec import NetworkSpec
from loops.predictors.predictor import Description, Predictor
from loops.settings import LoopSettings

LABELS = {i: i % 2 for i in range(20)}
POOL = np.arange(20, 40)


class SaysThat(Predictor):
    """A member of a committee that was told what to say."""

    num_classes, seed, mc_iterations = 2, 0, 2

    def __init__(self, says, fold=None):
        self.says, self.fold = says, fold

    def fresh(self, fold=None):
        return type(self)(self.says, fold)

    def fit(self, labels, *, round_number, checkpoint_dir=None):
        self.labels = labels

    def predict(self, sample_ids):
        return np.tile(np.array(self.says[self.fold % len(self.says)], np.float32), (len(sample_ids), 1))

    def score(self, sample_ids, *, round_number):
        ids = np.array(sample_ids)
        own = {"bald": np.full(len(ids), self.fold, np.float32)}
        return PoolScores(ids, own, self.predict(ids))

    def embedding(self, sample_ids):
        return np.asarray(sample_ids, np.float32)[:, None]

    def describe(self):
        return Description("told", "It was told.", asks_by="margin")

    def draws(self, sample_ids, *, count, round_number):
        raise NotImplementedError

    def save(self, path, loop_state):
        raise NotImplementedError

    def load(self, path, *, sha256, size):
        raise NotImplementedError


def told(*says, labels=LABELS, num_folds=2):
    committee = Committee(SaysThat(says), num_folds=num_folds)
    committee.fit(labels, round_number=1)
    return committee


def committee_bald(committee, ids):
    """By the catalog's function, for all that was scored."""
    ids = np.array(ids)
    pool_scores = committee.score(ids, round_number=1)
    choose(Answers(1, {}, ids), pool_scores, len(ids), CATALOG["committee_bald"], 0, committee)
    return pool_scores.scores["committee_bald"]


@pytest.fixture
def features(tmp_path):
    """Blobs of two classes, class = id % 2; samples 1, 3, 5, 7 and 9 are one picture."""
    rows = np.random.default_rng(0).normal(size=(40, 2560)) + np.arange(40)[:, None] % 2
    rows[1:10:2] = rows[1]
    store = FeatureStore(tmp_path / "features", "efficientnet_lite")
    store.append(np.arange(40), rows.astype(np.float32))
    return store


@pytest.fixture
def make(features):
    def make_committee(num_folds=3, num_classes=2, callbacks=()):
        return Committee(a_member(features, num_classes, callbacks), num_folds=num_folds)

    return make_committee


def a_member(features, num_classes=2, callbacks=()):
    spec = NetworkSpec("features", "efficientnet_lite", "bald", 2, 8, 1e-2, 0.0, 2, 2)
    return Network(
        spec,
        features,
        num_classes=num_classes,
        seed=0,
        mc_iterations=3,
        accelerator="cpu",
        callbacks=lambda _fold: callbacks,
    )


def test_the_vote_is_the_mean_of_the_members():
    committee = told([1.0, 0.0], [0.5, 0.5])

    assert committee.predict([7, 8]).tolist() == [[0.75, 0.25]] * 2


def test_two_sure_members_that_disagree_have_a_committee_bald_of_ln_2():
    committee = told([1.0, 0.0], [0.0, 1.0])
    pool_scores = committee.score([7, 8], round_number=1)

    np.testing.assert_allclose(committee_bald(committee, [7, 8]), np.log(2), rtol=1e-6)
    assert pool_scores.draws_N_C_K.tolist() == [[[1, 0], [0, 1]]] * 2
    assert pool_scores.probs_N_C.tolist() == [[0.5, 0.5]] * 2
    assert pool_scores.scores["bald"].tolist() == [0.5, 0.5]  # the mean of what fold 0 and fold 1 say of themselves


def test_a_sample_on_which_the_members_differ_is_asked_before_one_that_all_doubt():
    class TornOnSeven(SaysThat):
        def predict(self, sample_ids):
            torn = [[1.0, 0.0], [0.0, 1.0]][self.fold % 2]
            return np.array([torn if i == 7 else [0.5, 0.5] for i in sample_ids], np.float32)

    committee = Committee(TornOnSeven(()), num_folds=2)
    committee.fit(LABELS, round_number=1)
    scores_N = committee_bald(committee, [6, 7])

    assert scores_N[0] == 0
    assert scores_N[1] > 0.69


def test_members_that_agree_to_the_last_bit_are_refused():
    with pytest.raises(IdenticalDrawsError, match="all 2 members of the committee agree"):
        told([0.9, 0.1], [0.9, 0.1]).score([7, 8], round_number=1)


def test_what_was_held_out_in_its_own_fit_is_its_cross_validation_while_the_labels_are_the_same():
    committee = told([1.0, 0.0], [0.0, 1.0])

    assert committee.cross_validate(LABELS, num_folds=5) is committee.cross_validation
    corrected = committee.cross_validate(LABELS | {3: 0}, num_folds=4)
    assert corrected is not committee.cross_validation
    assert corrected.labels_N[3] == 0
    assert len(set(corrected.folds_N.tolist())) == 4


def test_it_asks_by_what_suits_its_members_and_is_told_from_a_committee_of_others():
    committee = told([1.0, 0.0], [0.0, 1.0])

    assert committee.describe().asks_by == "margin"
    assert committee.describe().details.startswith("Each of the 2 ")
    assert committee.fingerprint != Committee(SaysThat(()), num_folds=3).fingerprint


def test_with_one_label_of_each_class_all_members_are_fitted_on_all():
    committee = told([1.0, 0.0], [0.0, 1.0], labels={5: 0, 6: 1}, num_folds=4)

    assert [member.labels for member in committee._members] == [{5: 0, 6: 1}] * 4
    assert committee.cross_validation is None
    with pytest.raises(NotEnoughSamplesError):
        committee.fit({}, round_number=1)


def test_a_fit_cross_validates_and_one_picture_in_five_files_is_on_one_side(make):
    committee = make()
    committee.fit(LABELS, round_number=1)
    result = committee.cross_validation

    assert result.sample_ids.tolist() == list(range(20))
    assert len(set(result.folds_N[1:10:2].tolist())) == 1
    assert sorted(result.predictors) == [0, 1, 2]
    assert (committee.predict(POOL).argmax(1) == POOL % 2).all()


def test_scores_are_those_of_the_members_and_of_their_disagreement(make):
    committee = make()
    committee.fit(LABELS, round_number=1)
    pool_scores = committee.score(POOL, round_number=1)

    one_by_one = {name for name, function in CATALOG.items() if function.scores_one_by_one}
    assert pool_scores.scores.keys() == {*one_by_one, "expected_entropy"}
    assert pool_scores.draws_N_C_K.shape == (20, 2, 3)
    members = list(committee.cross_validation.predictors.values())
    for name in pool_scores.scores:
        own = [member.score(POOL, round_number=1).scores[name] for member in members]
        np.testing.assert_allclose(pool_scores.scores[name], np.mean(own, 0), rtol=1e-5)
    np.testing.assert_allclose(pool_scores.probs_N_C, committee.predict(POOL), rtol=1e-6)
    parts = pool_scores.scores["bald"] + pool_scores.scores["expected_entropy"]
    np.testing.assert_allclose(pool_scores.scores["predictive_entropy"], parts, atol=1e-5)


def test_a_saved_committee_is_one_file_and_says_the_same(make, tmp_path):
    committee, fresh = make(), make(num_folds=5)
    committee.fit(LABELS, round_number=1)
    (tmp_path / "round").mkdir()
    saved = committee.save(tmp_path / "round" / "model.ckpt", {"progress": {"completed": 2}})

    assert [path.name for path in (tmp_path / "round").iterdir()] == ["model.ckpt"]
    loop_state = fresh.load(saved.path, sha256=saved.sha256, size=saved.size)
    assert loop_state == {"progress": {"completed": 2}}
    assert fresh.predict(POOL).tobytes() == committee.predict(POOL).tobytes()
    assert fresh.cross_validation.probs_N_C.tobytes() == committee.cross_validation.probs_N_C.tobytes()
    assert fresh.cross_validation.accuracy == committee.cross_validation.accuracy
    scores = [it.score(POOL, round_number=1).scores["bald"] for it in (committee, fresh)]
    assert scores[0].tobytes() == scores[1].tobytes()


def test_committee_and_single_predictor_refuse_each_others_files_as_sound_but_of_another_kind(make, features, tmp_path):
    committee, single = make(), a_member(features)
    committee.fit(LABELS, round_number=1)
    single.fit(LABELS, round_number=1)
    of_committee, of_single = committee.save(tmp_path / "c.ckpt", {}), single.save(tmp_path / "s.ckpt", {})

    with pytest.raises(CheckpointMismatchError, match="a committee wanted, a single predictor found"):
        committee.load(of_single.path, sha256=of_single.sha256, size=of_single.size)
    with pytest.raises(CheckpointMismatchError, match="a committee of 3 on efficientnet_lite"):
        single.load(of_committee.path, sha256=of_committee.sha256, size=of_committee.size)
    with pytest.raises(CheckpointMismatchError, match=r"c\.ckpt is of another kind .* 4 classes"):
        make(num_classes=4).load(of_committee.path, sha256=of_committee.sha256, size=of_committee.size)


def test_a_damaged_committee_is_refused_and_the_one_before_stays(make, tmp_path):
    committee = make()
    committee.fit(LABELS, round_number=1)
    before = committee.predict(POOL)
    saved = committee.save(tmp_path / "model.ckpt", {})
    saved.path.write_bytes(saved.path.read_bytes()[:-1] + b"?")

    with pytest.raises(CheckpointDamagedError):
        committee.load(saved.path, sha256=saved.sha256, size=saved.size)
    assert committee.predict(POOL).tobytes() == before.tobytes()


class StopAfter(pl.Callback):
    """Asks Lightning to stop after a number of batches of all members together."""

    def __init__(self, batches=None):
        self.batches, self.seen = batches, 0

    def on_train_batch_end(self, trainer, *_):
        self.seen += 1
        trainer.should_stop = self.seen == self.batches


def test_an_interrupted_fit_goes_on_in_its_fold_and_ends_as_if_nothing_had_happened(make, tmp_path):
    whole, stopped = make(), make(callbacks=[StopAfter(6)])
    whole.fit(LABELS, round_number=1, checkpoint_dir=tmp_path / "whole")
    with pytest.raises(TrainingInterruptedError):
        stopped.fit(LABELS, round_number=1, checkpoint_dir=tmp_path / "stopped")
    with pytest.raises(NotFittedError):
        stopped.predict(POOL)
    counter = StopAfter()
    resumed = make(callbacks=[counter])
    resumed.fit(LABELS, round_number=1, checkpoint_dir=tmp_path / "stopped")

    assert counter.seen == 8  # of three folds of four steps, the first was finished
    assert resumed.predict(POOL).tobytes() == whole.predict(POOL).tobytes()


def test_nothing_is_said_before_there_are_members(make, tmp_path):
    for verb in (
        lambda: make().predict([1]),
        lambda: make().score([1], round_number=1),
        lambda: make().save(tmp_path / "model.ckpt", {}),
    ):
        with pytest.raises(NotFittedError):
            verb()


def test_it_stands_in_a_single_predictors_place_in_the_active_learning_loop(make, tmp_path):
    oracle = KnownLabels({i: i % 2 for i in range(40)}, query_size=6)
    checkpoints = {}
    settings = LoopSettings("committee_bald", query_size=6, labeling_budget=12, cold_start="random")
    loop = ActiveLearningLoop(
        predictor=make(),
        oracle=oracle,
        settings=settings,
        rounds_folder=tmp_path / "rounds",
        on_checkpoint=checkpoints.__setitem__,
    )
    loop.run()
    asked = oracle.queries[1]
    order = [ranked.sample_id for ranked in asked.ranking]
    scores = dict(
        zip(asked.pool_scores.sample_ids.tolist(), asked.pool_scores.scores["committee_bald"].tolist(), strict=True)
    )

    assert [query.acquisition for query in oracle.queries] == ["cold_start_random", "committee_bald", "committee_bald"]
    best_first = sorted(scores, key=lambda sample_id: -scores[sample_id])
    assert order[0] == best_first[0]
    assert set(order) == set(best_first)  # near duplicates of what is asked come last
    restored, saved = make(), checkpoints[2]
    state = restored.load(saved.path, sha256=saved.sha256, size=saved.size)
    assert state["progress"]["current"]["completed"] == 2
    assert restored.predict(POOL).tobytes() == loop._predictor.predict(POOL).tobytes()


class Draws(SaysThat):
    """Draw k of member m gives its first class .1 * m + .01 * k."""

    def draws(self, sample_ids, *, count, round_number):
        first = np.array([0.1 * self.fold + 0.01 * k for k in range(count)], np.float32)
        return np.tile(np.stack([first, 1 - first]), (len(sample_ids), 1, 1))


def test_members_that_draw_take_turns():
    committee = Committee(Draws([(0.5, 0.5)]), num_folds=2, votes=False)
    committee.fit(LABELS, round_number=1)

    drawn = committee.draws(POOL, count=3, round_number=1)
    assert drawn.shape == (20, 2, 3)
    assert drawn[0, 0] == pytest.approx([0.0, 0.1, 0.01])
    assert drawn.sum(axis=1) == pytest.approx(np.ones((20, 3)))


def test_members_that_cannot_disagree_with_themselves_vote():
    class Rigid(SaysThat):
        def draws(self, sample_ids, *, count, round_number):
            raise IdenticalDrawsError("no dropout")

    committee = Committee(Rigid([(0.2, 0.8), (0.6, 0.4)]), num_folds=2, votes=False)
    committee.fit(LABELS, round_number=1)
    assert committee.fresh(0)._draws_are_votes is False

    assert committee.draws(POOL, count=20, round_number=1)[0, 0] == pytest.approx([0.2, 0.6])
