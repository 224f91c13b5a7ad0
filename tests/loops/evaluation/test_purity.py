from math import comb

import numpy as np
import pytest

from loops.evaluation.purity import ALPHA, Purity, draw_order


def after(size, draws, **more):
    """A test after draws, "r" for a right one and "w" for a wrong one."""
    test = Purity(size, **more)
    for draw in draws:
        test = test.drawn(wrong=draw == "w")
    return test


def test_before_the_first_draw_nothing_is_proven():
    test = Purity(100)
    assert (test.most_wrong, test.bound, test.holds) == (100, 1.0, False)


def test_ten_members_half_of_the_rest_allowed_to_be_wrong():
    """After 6 right draws 4 are left, and 3 wrong is one too many: C(7, 6) / C(10, 6) is 7 in 210, above 1 in 40.

    After 7 right draws 3 are left, and 2 wrong ones have the chance C(8, 7) / C(10, 7), 8 in 120; after 8 two are left
    and two wrong ones have the chance 1 in 45.
    """
    assert not after(10, "r" * 6, allowed=0.5).holds
    assert not after(10, "r" * 7, allowed=0.5).holds
    test = after(10, "r" * 8, allowed=0.5)
    assert (test.holds, test.most_wrong, test.bound) == (True, 1, 0.5)
    assert Purity(10, allowed=0.5).needed() == 8


def test_without_a_wrong_draw_the_fewest_are_those_that_the_formula_tells():
    def refuted(draws):
        wrong = (500 - draws) * 5 // 100 + 1
        return comb(500 - wrong, draws) / comb(500, draws) <= ALPHA / 2

    fewest = next(n for n in range(500) if refuted(n))
    assert Purity(500).needed() == fewest
    assert not after(500, "r" * (fewest - 1)).holds
    assert after(500, "r" * fewest).holds
    assert after(500, "r" * (fewest - 7)).needed() == 7


def test_a_large_group_needs_what_draws_with_replacement_do():
    assert 0.95**72 < ALPHA / 2 < 0.95**71
    assert Purity(600_000).needed() == 72


def test_where_one_wrong_member_of_the_rest_is_too_many_there_is_no_rest_to_take():
    assert Purity(19).needed() is None  # one of the last is more than 5 %, and 18 of 19 judged say too little


def test_a_wrong_draw_begins_again_with_those_left_and_half_the_chance():
    test = after(1000, "r" * 40 + "w")
    assert (test.size, test.draws, test.run) == (959, 0, 2)
    assert 0.95**86 < ALPHA / 4 < 0.95**85
    assert after(600_000, "w").needed() == 86


def test_a_split_lets_fewer_stay_and_comes_right_after_a_wrong_draw():
    assert after(1000, "rw").split(left=900) == Purity(900, run=2)
    with pytest.raises(ValueError, match="999 of 998"):
        after(1000, "rw").split(left=999)
    with pytest.raises(ValueError, match="after 1 draws"):
        after(1000, "r").split(left=900)


def test_when_all_are_drawn_nothing_is_left_to_be_wrong():
    test = after(4, "rwrr")
    assert (test.left, test.most_wrong, test.bound) == (0, 0, 0.0)
    with pytest.raises(ValueError, match="all 2 members"):
        test.drawn(wrong=False)


@pytest.mark.parametrize("splits", [False, True])
@pytest.mark.parametrize("others", [11, 14])
def test_at_most_one_in_twenty_groups_is_falsely_taken(splits, others):
    """5.5 or 7 % wrong, looked at after each draw; a split sends right ones back, which is the worst it can do."""
    rng, taken = np.random.default_rng(0), 0
    for _ in range(1000):
        wrong = list(rng.permutation(np.arange(200) < others))
        test = Purity(200)
        while wrong and not test.holds:
            is_wrong = bool(wrong.pop())
            test = test.drawn(wrong=is_wrong)
            if splits and is_wrong and test.left > 100:
                wrong.remove(False)
                test = test.split(left=len(wrong))
        taken += bool(wrong) and sum(wrong) > 0.05 * len(wrong)
    assert taken <= 1000 * ALPHA


def test_the_order_of_the_draws_follows_from_the_seed_whatever_the_order_given():
    ids = np.arange(1, 101)
    assert draw_order(ids, 3).tolist() == draw_order(ids[::-1], 3).tolist()
    assert draw_order(ids, 3).tolist() != draw_order(ids, 4).tolist()
    assert sorted(draw_order(ids, 3).tolist()) == ids.tolist()
