from __future__ import annotations

import pytest

from storage.labels import current_labels, list_events, record_decision
from storage.rounds import NewQuery, latest_round
from storage.suspects import NewSuspect, replace_suspects


def texts(elements):
    return " ".join(element.value for element in elements)


def chosen(screen, sample_id):
    return screen.button(key=f"review_choose_{sample_id}").click().run()


def standing(filled):
    with filled.database.read() as session:
        return {label.sample_id: label for label in current_labels(session, project_id=filled.project_id)}


def events(filled):
    with filled.database.read() as session:
        return list_events(session, project_id=filled.project_id)


def test_without_labels_the_screen_says_what_to_do(filled, open_screen):
    assert "label some samples on the Label screen" in texts(open_screen("review.py").info)


def test_where_a_model_answers_before_the_first_label_its_answers_are_there(filled, open_screen):
    filled.write_scores(filled.publish(labels=0), sample_ids=range(1, 7))
    screen = open_screen("review.py")
    assert [tab.label for tab in screen.tabs] == ["Decisions", "Answers", "Agreement", "Export"]
    assert "label some samples on the Label screen" in texts(screen.tabs[0].info)
    assert "6 answers of round 0" in texts(screen.tabs[1].caption)


def test_a_correction_is_one_new_event(filled, open_screen):
    first = filled.label(1, 0)
    screen = chosen(open_screen("review.py"), 1)
    screen.button(key="review_class_2").click().run()
    assert standing(filled)[1].class_index == 2
    assert [event.supersedes for event in events(filled)] == [None, first]
    assert events(filled)[-1].request_id == f"correct:{first}:2"


def test_a_class_can_be_corrected_to_again_after_an_undo(filled, open_screen):
    filled.label(1, 0)
    screen = chosen(open_screen("review.py"), 1)
    for key in ("review_class_2", "review_undo", "review_class_2"):
        screen.button(key=key).click().run()
        assert not screen.error
    assert standing(filled)[1].class_index == 2
    assert [event.action for event in events(filled)] == ["label", "label", "undo", "label"]


def test_a_skipped_sample_can_be_labeled(filled, open_screen):
    filled.label(1, None)
    screen = chosen(open_screen("review.py"), 1)
    screen.button(key="review_class_1").click().run()
    assert (standing(filled)[1].action, standing(filled)[1].class_index) == ("label", 1)


def test_an_undone_decision_leaves_the_list(filled, open_screen):
    filled.label(1, 0)
    filled.label(2, 1)
    screen = chosen(open_screen("review.py"), 1)
    screen.button(key="review_undo").click().run()
    assert list(standing(filled)) == [2]
    assert "1 of 1 shown" in texts(screen.caption)


def test_a_correction_does_not_overwrite_a_newer_decision_unseen(filled, open_screen):
    filled.label(1, 0)
    screen = chosen(open_screen("review.py"), 1)
    with filled.database.write() as session:
        record_decision(
            session,
            project_id=filled.project_id,
            sample_id=1,
            annotator_id=filled.annotator_id,
            action="label",
            class_index=1,
            request_id="elsewhere",
        )
    screen.button(key="review_class_2").click().run()
    assert standing(filled)[1].class_index == 1
    assert "decided anew meanwhile" in texts(screen.error)


def test_disagreements_are_judged_by_the_last_prediction_when_the_sample_was_asked(filled, open_screen):
    filled.publish(labels=0)
    asked = [NewQuery(1, 0, "train", None, None, 0, 0.8), NewQuery(2, 1, "train", None, None, 0, 0.8)]
    filled.publish(labels=4, queries=[*asked, NewQuery(3, 2, "audit", None, None, 2, 0.9)])
    filled.label(1, 0)
    filled.label(2, 1)
    filled.label(3, 0)
    screen = open_screen("review.py")
    screen.toggle(key="review_disagreements").set_value(True).run()
    assert "2 of 3 shown" in texts(screen.caption)
    assert "1 of them audit samples" in texts(screen.caption)
    assert "model: cat" in texts(screen.caption).replace("\\", "")
    assert "model: emu" in texts(screen.caption).replace("\\", "")


def suspect(filled, *suspects):
    number = filled.publish(labels=4)
    with filled.database.write() as session:
        info = latest_round(session, project_id=filled.project_id)
        assert info.number == number
        replace_suspects(session, round_id=info.id, generation=filled.generation, suspects=suspects)


def test_likely_label_errors_are_shown_likeliest_first(filled, open_screen):
    first, second = filled.label(1, 0), filled.label(2, 1)
    filled.label(3, 2)
    suspect(filled, NewSuspect(2, second, 1, 2, 0.6), NewSuspect(1, first, 0, 1, 0.93))
    screen = open_screen("review.py")
    assert screen.toggle(key="review_suspects").label == "Likely label errors (2)"
    screen.toggle(key="review_suspects").set_value(True).run()
    words = texts(screen.caption).replace("\\", "")
    assert words.index("cat → dog, suspicion 93\u00a0%") < words.index("dog → emu, suspicion 60\u00a0%")
    assert "2 of 3 shown" in words
    assert "blind second looks" in words


def test_a_label_confirmed_is_suspected_no_more(filled, open_screen):
    first = filled.label(1, 0)
    suspect(filled, NewSuspect(1, first, 0, 1, 0.93))
    screen = chosen(open_screen("review.py"), 1)
    assert "cat → dog" in texts(screen.warning)
    screen.button(key="review_confirm").click().run()
    assert (standing(filled)[1].class_index, len(events(filled))) == (0, 2)
    assert screen.toggle(key="review_suspects").label == "Likely label errors (0)"
    assert not screen.warning


def test_without_suspects_the_screen_says_when_there_may_be_some(filled, open_screen):
    filled.label(1, 0)
    screen = open_screen("review.py")
    screen.toggle(key="review_suspects").set_value(True).run()
    assert "No label error was found" in texts(screen.caption)


def test_filters_that_match_nothing_say_so(filled, open_screen):
    filled.label(1, 0)
    screen = open_screen("review.py")
    screen.multiselect(key="review_classes").set_value([2]).run()
    assert "No sample passes these filters" in texts(screen.info)


@pytest.mark.parametrize("form", ["csv", "jsonl", "folders"])
def test_every_export_is_offered_for_download(filled, open_screen, form):
    filled.label(1, 0)
    screen = open_screen("review.py")
    screen.selectbox(key="export_format").set_value(form).run()
    screen.button(key="export_prepare").click().run()
    assert screen.get("download_button")[0].label == "Download 1 labels"
    assert not list(filled.project.folder.glob(".export-*"))


@pytest.mark.parametrize(("wanted", "found"), [("2", {2}), ("3.png", {3}), ("PNG", {1, 2, 3}), ("nothing", set())])
def test_a_decision_is_found_by_its_files_name_or_number(filled, open_screen, wanted, found):
    for sample_id in (1, 2, 3):
        filled.label(sample_id, 0)
    screen = open_screen("review.py")
    screen.text_input(key="review_find").input(wanted).run()
    assert {int(b.key.rsplit("_", 1)[1]) for b in screen.button if b.key.startswith("review_choose_")} == found


def test_the_pools_answers_are_a_table_with_a_threshold(filled, open_screen):
    filled.label(1, 0)
    screen = open_screen("review.py")
    assert "There are no answers yet" in texts(screen.info)
    number = filled.publish(labels=1)
    filled.write_scores(number, sample_ids=[2, 3, 4, 5])
    screen = open_screen("review.py")
    assert "4 of 4 shown." in texts(screen.caption)
    screen.text_input(key="answers_search").set_value("nowhere").run()
    assert not screen.exception
    assert "0 of 4 shown." in texts(screen.caption)
    screen.slider(key="answers_threshold").set_value(1.0).run()
    assert "left to people" in texts(screen.markdown)
