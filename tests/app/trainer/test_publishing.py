"""What comes before a round's own ranking when it is published."""

from app.trainer.publishing import _after_split
from storage.class_labels import WaitingSample
from storage.rounds import NewQuery


def test_samples_that_a_split_took_the_label_of_are_asked_first_and_once():
    ranking = [NewQuery(sample_id, rank, "train", 0.5, 1.0) for rank, sample_id in enumerate((7, 3, 8))]
    queries = _after_split(ranking, [WaitingSample(3, "train", 1.0), WaitingSample(5, "audit", 0.25)])
    assert [(one.rank, one.sample_id, one.purpose, one.acquisition_probability) for one in queries] == [
        (0, 3, "recheck", 1.0), (1, 5, "audit", 0.25), (2, 7, "train", 1.0), (3, 8, "train", 1.0)
    ]  # fmt: skip
    assert _after_split(ranking, []) == ranking
