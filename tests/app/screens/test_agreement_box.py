from __future__ import annotations

from dataclasses import replace

import pytest

from app.project.settings import save_settings
from storage.labels import current_labels, list_events, record_decision
from storage.projects import get_or_create_annotator
from storage.rounds import NewQuery


def texts(elements):
    return " ".join(element.value for element in elements)


@pytest.fixture
def several(filled):
    """Samples 1 to 4 are for two annotators each; returns who labels for anybody."""
    save_settings(filled.project.settings_path, replace(filled.project.settings(), overlap=2, overlap_share=1.0))
    filled.publish(labels=0, queries=[NewQuery(n, n, "train", None, None, annotators=2) for n in (1, 2, 3, 4)])

    def label(name, sample_id, class_index):
        with filled.database.write() as session:
            person = get_or_create_annotator(session, project_id=filled.project_id, name=name)
            record_decision(
                session,
                project_id=filled.project_id,
                sample_id=sample_id,
                annotator_id=person,
                action="label",
                class_index=class_index,
                request_id=f"{name}-{sample_id}",
            )

    return label


def label_all(several):
    """Anna and ben agree on the first three, and call the fourth emu and cat."""
    for sample_id, anna, ben in ((1, 0, 0), (2, 1, 1), (3, 0, 0), (4, 2, 0)):
        several("anna", sample_id, anna)
        several("ben", sample_id, ben)


def metrics(screen):
    return {metric.label: metric.value for metric in screen.metric}


def standing(filled, sample_id):
    with filled.database.read() as session:
        labels = current_labels(session, project_id=filled.project_id)
    return next((label.class_index for label in labels if label.sample_id == sample_id), None)


def test_one_annotator_is_told_how_to_have_samples_labeled_twice(filled, open_screen):
    filled.label(1, 0)
    assert "set 'Annotators per sample'" in texts(open_screen("review.py").info)


def test_agreement_is_shown_with_the_samples_behind_it(filled, several, open_screen):
    label_all(several)
    screen = open_screen("review.py")
    shown = metrics(screen)
    assert (shown["Samples behind it"], shown["All agree on"], shown["Still disputed"]) == ("4", "75 %", "1")
    assert shown["Krippendorff's alpha"] == "0.588"  # 8 votes, 5 cat, 2 dog, 1 emu: 1 - (2/8) / (34/56) = 10/17
    pairs = next(frame.value for frame in screen.dataframe if "Annotators" in frame.value)
    assert pairs.iloc[0].to_dict() == {
        "Annotators": "anna and ben",
        "Samples": 4,
        "Same label": 75.0,
        "Cohen's kappa": pytest.approx(5 / 9),  # 3/4 agree; by chance 2/4 * 3/4 + 1/4 * 1/4 = 7/16
    }


def test_a_disagreement_shows_what_each_said_and_the_choice_is_one_new_event(filled, several, open_screen):
    label_all(several)
    screen = open_screen("review.py")
    assert "anna: **emu**" in texts(screen.markdown)
    assert "ben: **cat**" in texts(screen.markdown)
    screen.button(key="dispute_class_2").click().run()
    assert standing(filled, 4) == 2
    assert "Nothing is disputed" in texts(screen.success)
    with filled.database.read() as session:
        events = list_events(session, project_id=filled.project_id, sample_id=4)
    assert [(event.annotator, event.class_index) for event in events] == [("anna", 2), ("ben", 0), ("tester", 2)]
    assert events[-1].request_id.startswith("correct:")
    assert metrics(screen)["All agree on"] == "75 %"  # the votes were blind and stay what they were


def test_neither_may_have_been_right(filled, several, open_screen):
    label_all(several)
    screen = open_screen("review.py")
    screen.selectbox(key="dispute_other_4").select(1).run()
    assert standing(filled, 4) == 1
    assert "Nothing is disputed" in texts(screen.success)


def test_a_disagreement_may_wait(filled, several, open_screen):
    label_all(several)
    filled.publish(labels=0, queries=[NewQuery(5, 0, "train", None, None, annotators=2)])
    several("anna", 5, 0)
    several("ben", 5, 1)
    screen = open_screen("review.py")
    assert "1 of 2 disputed, sample 4" in texts(screen.caption)
    screen.button(key="dispute_later").click().run()
    assert "2 of 2 disputed, sample 5" in texts(screen.caption)


def test_a_choice_made_elsewhere_meanwhile_is_not_overwritten_unseen(filled, several, open_screen):
    label_all(several)
    screen = open_screen("review.py")
    several("cleo", 4, 1)
    screen.button(key="dispute_class_2").click().run()
    assert "decided anew meanwhile" in texts(screen.error)
    assert standing(filled, 4) == 1


def test_nobody_sees_a_label_of_a_sample_that_others_are_still_to_decide_on(filled, several, open_screen):
    several("anna", 1, 2)
    several("anna", 2, 0)
    several("ben", 2, 0)
    screen = open_screen("review.py")
    assert "1 sample waits for further annotators" in texts(screen.caption)
    assert [button.key for button in screen.button if str(button.key).startswith("review_choose")] == [
        "review_choose_2"
    ]
    several("ben", 1, 2)
    assert "waits for further" not in texts(open_screen("review.py").caption)


def test_the_uncertainty_screen_does_not_tell_either(filled, several, open_screen):
    filled.write_scores(filled.publish(labels=0), sample_ids=[1, 2, 3], torn=[1])
    filled.publish(labels=0, queries=[NewQuery(1, 0, "train", None, None, annotators=2)])
    several("anna", 1, 2)
    assert "not labeled" in texts(open_screen("uncertainty.py").markdown)
    several("ben", 1, 2)
    assert "labeled emu" in texts(open_screen("uncertainty.py").markdown)
