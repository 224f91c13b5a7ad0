"""The state of a group follows from its parts and from what people said; 200 members, none of them judged at first."""

from dataclasses import replace

from app.project.groups import follow
from storage.groups import GroupPart

EVERYBODY = tuple(range(1, 201))


def part(members=EVERYBODY, *, number=0, draws=0):
    return GroupPart(
        key="k", part=number, annotator_id=1, class_index=7, origin="", seed=0, allowed=0.05, members=members,
        draws=draws,
    )  # fmt: skip


def right(*sample_ids):
    return dict.fromkeys(sample_ids, True)


def test_before_the_first_draw_all_are_the_rest_and_due_in_their_order():
    state = follow([part()], {})
    assert (state.judged, state.due, state.rest, state.holds) == (0, EVERYBODY, EVERYBODY, False)


def test_draws_count_up_to_the_first_that_nobody_judged():
    state = follow([part()], right(1, 2, 4))
    assert (state.judged, state.due[:2], len(state.rest)) == (2, (3, 5), 197)


def test_enough_right_draws_prove_the_rest():
    needed = follow([part()], {}).purity.needed()
    assert not follow([part()], right(*range(1, needed))).holds
    state = follow([part()], right(*range(1, needed + 1)))
    assert state.holds
    assert state.rest == EVERYBODY[needed:]
    assert state.most_wrong <= 0.05 * len(state.rest)


def test_what_others_said_of_members_not_drawn_is_known_of_them_and_proves_nothing_of_the_others():
    needed = follow([part()], {}).purity.needed()
    judged = right(*range(1, needed + 1))
    before, known = follow([part()], judged), follow([part()], {**judged, 200: False, 199: True})
    assert known.rest == EVERYBODY[needed:198]
    assert known.most_wrong == before.most_wrong - 1


def test_after_a_split_the_part_that_stays_is_judged_and_the_rest_has_gone_back():
    said = {**right(1, 2), 3: False}
    assert follow([part()], said).was_wrong
    stays = tuple(range(4, 151))
    state = follow([part(), part(stays, number=1, draws=3)], said)
    assert (state.judged, state.wrong, state.due[0], state.rest) == (3, (3,), 4, stays)
    assert (state.sent_back, state.was_wrong, state.holds) == (50, False, False)


def test_a_draw_from_before_a_split_that_was_taken_back_comes_first():
    parts = [part(), part(tuple(range(4, 151)), number=1, draws=3)]
    state = follow(parts, {**right(1), 3: False, 4: True})
    assert (state.judged, state.due, state.holds) == (1, (2,), False)


def test_a_wrong_draw_without_a_split_begins_a_new_run_with_those_left():
    state = follow([part()], {**right(1, 2, 4), 3: False})
    assert (state.judged, state.wrong, state.drawn, state.purity.run, state.purity.draws) == (4, (3,), 4, 2, 1)
    assert not state.was_wrong


def test_a_split_whose_wrong_draw_was_corrected_since_still_begins_a_new_run():
    parts = [part(), part(tuple(range(4, 151)), number=1, draws=3)]
    assert follow(parts, right(1, 2, 3, 4)).purity.run == 2


def test_a_group_that_would_have_to_be_judged_for_the_most_part_is_too_mixed():
    assert not follow([part()], {}).is_too_mixed
    assert follow([part(tuple(range(1, 101)))], {}).is_too_mixed  # of 100, 96 would have to be judged


def test_members_that_the_audit_drew_since_are_not_taken_and_cost_further_draws():
    needed = follow([part()], {}).purity.needed()
    proven = follow([part()], right(*range(1, needed + 1)))
    kept = replace(proven, kept=frozenset(range(191, 201)))
    assert (kept.free, kept.holds) == (EVERYBODY[needed:190], False)
    further = kept.needed
    for more in range(further + 1):
        judged = follow([part()], right(*range(1, needed + more + 1)))
        assert replace(judged, kept=kept.kept).holds is (more == further)


def test_a_group_of_which_the_audit_drew_most_is_too_small_by_now():
    needed = follow([part()], {}).purity.needed()
    state = replace(follow([part()], right(*range(1, needed + 1))), kept=frozenset(range(needed + 1, 196)))
    assert (state.needed, state.is_too_mixed) == (None, True)
