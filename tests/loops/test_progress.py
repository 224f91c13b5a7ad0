"""What the counters of an interrupted loop say."""

from pytorch_lightning.trainer.progress import Progress

from loops.progress import ResumableProgress


def fitted_in_round(completed: int) -> ResumableProgress:
    """Killed after a round's fit and before its question."""
    progress = ResumableProgress()
    for _ in range(completed):
        progress.increment_started()
        progress.increment_processed()
        progress.increment_completed()
    progress.increment_started()
    progress.increment_processed()
    return progress


def test_a_round_that_was_fitted_and_not_asked_is_interrupted_and_fitted() -> None:
    assert (ResumableProgress().is_interrupted, ResumableProgress().is_fitted) == (False, False)
    assert (fitted_in_round(2).is_interrupted, fitted_in_round(2).is_fitted) == (True, True)


def test_the_fit_of_the_same_round_counts_and_that_of_an_earlier_one_does_not() -> None:
    progress = fitted_in_round(2)
    progress.agree_on_completed(2, keeps_fit=True)
    assert progress.is_fitted
    progress.agree_on_completed(3, keeps_fit=True)
    assert (progress.current.completed, progress.is_fitted) == (3, False)


def test_the_fit_does_not_count_where_the_wrapped_loop_knows_of_it() -> None:
    progress = fitted_in_round(2)
    progress.agree_on_completed(2, keeps_fit=False)
    assert not progress.is_fitted


def test_a_checkpoint_has_it_as_lightning_writes_it() -> None:
    assert ResumableProgress().state_dict() == Progress().state_dict()
