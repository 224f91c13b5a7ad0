from math import comb

import numpy as np
import pytest

from loops.evaluation.purity import ALPHA, CLEAN, Purity, draw_order


def after(size, draws, **more):
    """A test after draws, "r" for a right one and "w" for a wrong one."""
    test = Purity(size, **more)
    for draw in draws:
        test = test.drawn(wrong=draw == "w")
    return test


def test_before_the_first_draw_nothing_is_proven():
    test = Purity(100)
    assert (test.most_wrong, test.bound, test.holds) == (100, 1.0, False)


def test_without_a_wrong_draw_the_fewest_are_those_that_the_formula_tells():
    """500 members, 5 % allowed; the prior is .75 on none, and in proportion to 1 / m on m wrong ones."""
    few = sum(1 / m for m in range(1, 501))

    def refuted(draws, wrong):
        ways = [comb(500 - m, draws) / comb(500, draws) for m in range(501)]
        mean = CLEAN + sum((1 - CLEAN) / few / m * ways[m] for m in range(1, 501))
        return mean >= ways[wrong] / ALPHA

    fewest = next(n for n in range(500) if refuted(n, (500 - n) * 5 // 100 + 1))
    assert fewest == 67
    assert Purity(500).needed() == 67
    assert not after(500, "r" * 66).holds
    assert after(500, "r" * 67).holds
    assert after(500, "r" * 60).needed() == 7


def test_a_large_group_needs_hardly_more_than_draws_with_replacement_do():
    assert 0.95**59 < ALPHA < 0.95**58
    assert 59 <= Purity(60_000).needed() <= 62


def test_where_one_wrong_member_of_the_rest_is_too_many_there_is_no_rest_to_take():
    assert Purity(20).needed() is None  # of 19 or fewer one is more than 5 %, and 19 of 20 judged say too little
    assert Purity(20, allowed=0.5).needed() is not None


def test_a_wrong_draw_lets_the_bound_rise_and_more_draws_bring_it_down_again():
    clean, torn = after(1000, "r" * 40), after(1000, "r" * 39 + "w")
    assert torn.bound > clean.bound
    assert torn.needed() > clean.needed()
    assert after(1000, "r" * 39 + "w" + "r" * torn.needed()).holds


def test_what_was_refuted_stays_refuted():
    before = after(1000, "r" * 80)
    assert before.drawn(wrong=True).most_wrong < before.most_wrong  # one of those that may be wrong is out


def test_when_all_are_drawn_nothing_is_left_to_be_wrong():
    test = after(4, "rwrr")
    assert (test.left, test.most_wrong, test.bound, test.holds) == (0, 0, 0.0, True)
    with pytest.raises(ValueError, match="all 4 members"):
        test.drawn(wrong=False)


def test_a_split_keeps_what_was_refuted_and_never_proves_more_of_the_rest_than_of_the_whole():
    whole = after(1000, "r" * 50 + "w")
    rest = whole.split(left=900)
    assert rest.most_wrong == min(whole.most_wrong, 900)
    assert rest.bound >= whole.bound
    assert rest.needed() > 0


def test_a_split_can_have_what_is_left_or_less():
    with pytest.raises(ValueError, match="101 of 100"):
        Purity(100).split(left=101)
    assert after(100, "rw").split(left=0).holds  # nothing is left that could be wrong


@pytest.mark.parametrize("splits", [False, True])
def test_at_most_one_in_twenty_groups_is_falsely_taken(splits):
    """Just more wrong ones than allowed, looked at after each draw; a split drops a right one, which is the worst."""
    rng, taken = np.random.default_rng(0), 0
    for _ in range(400):
        wrong = list(rng.permutation(np.arange(200) < 11))  # 5.5 %, and the share of the rest is what counts
        test = Purity(200)
        while wrong and not test.holds:
            is_wrong = bool(wrong.pop())
            test = test.drawn(wrong=is_wrong)
            if splits and is_wrong and test.left > 100:
                wrong.remove(False)
                test = test.split(left=len(wrong))
        taken += sum(wrong) > 0.05 * len(wrong) if wrong else 0
    assert taken <= 400 * ALPHA


def test_the_order_of_the_draws_follows_from_the_seed_whatever_the_order_given():
    ids = np.arange(1, 101)
    assert draw_order(ids, 3).tolist() == draw_order(ids[::-1], 3).tolist()
    assert draw_order(ids, 3).tolist() != draw_order(ids, 4).tolist()
    assert sorted(draw_order(ids, 3).tolist()) == ids.tolist()
