"""Any order of labels, skips, flags, undos and new rankings, by two annotators, against a model that fits on a page."""

import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from storage.labels import changed_since, current_labels, history, list_events, record_decision, undo
from storage.models import CurrentDecision
from storage.opening import open_database
from storage.projects import create_project, get_or_create_annotator
from storage.queue import claim_batch, round_progress
from storage.rerank import replace_tail
from storage.rounds import NewQuery, begin_round, list_queries, mark_scoring, open_round, publish_round
from storage.samples import SampleCounts, add_samples, count_samples

SAMPLES = st.integers(1, 4)
AUDIT = 4  # the sample of this id is asked about for the audit
ANNOTATORS = st.integers(1, 2)


class Model:
    """Events as tuples ``(sample, action, class, annotator, undone event)``; everything else is folded from them."""

    def __init__(self):
        self.events = []
        self.by_request = {}
        self.rechecks = set()  # of the open round
        self.snapshot = 0  # events it knows

    def append(self, request, *event):
        if request not in self.by_request:
            self.events.append(event)
            self.by_request[request] = len(self.events)
        return self.by_request[request]

    def standing(self, through=None):
        events = list(enumerate(self.events, 1))[:through]
        undone = {event[4] for _, event in events}
        return {
            event[0]: (number, event[1], event[2])
            for number, event in events
            if event[1] in ("label", "skip") and number not in undone
        }

    def flagged(self):
        undone = {event[4] for event in self.events}
        return {event[0] for number, event in enumerate(self.events, 1) if event[1] == "flag" and number not in undone}

    def training(self, through=None):
        standing = self.standing(through).items()
        return {sample: entry[2] for sample, entry in standing if entry[1] == "label" and sample != AUDIT}

    def askable(self):
        standing = self.standing()
        again = {sample for sample in self.rechecks & standing.keys() if standing[sample][0] <= self.snapshot}
        return {1, 2, 3, 4} - standing.keys() | again

    def history(self, annotator):
        undone = {event[4] for event in self.events}
        own = [number for number, event in enumerate(self.events, 1) if event[3] == annotator]
        return [number for number in own[::-1] if self.events[number - 1][1] != "undo" and number not in undone]


class Labeling(RuleBasedStateMachine):
    """The machine: each rule acts on the database and on the model."""

    template: Path

    @initialize()
    def start(self):
        self.folder = tempfile.TemporaryDirectory()
        path = Path(self.folder.name) / "labelloop.db"
        path.write_bytes(self.template.read_bytes())
        self.database = open_database(f"sqlite:///{path}")
        self.model = Model()
        self.rankings = 1
        self.requests = 0

    def teardown(self):
        if hasattr(self, "database"):
            self.database.close()
            self.folder.cleanup()

    def decide(self, sample, annotator, action, class_index, request):
        with self.database.write() as session:
            return record_decision(
                session,
                project_id=1,
                sample_id=sample,
                annotator_id=annotator,
                action=action,
                class_index=class_index,
                request_id=request,
            )

    @rule(sample=SAMPLES, annotator=ANNOTATORS, class_index=st.sampled_from([0, 1, None]), twice=st.booleans())
    def decide_about_a_sample(self, sample, annotator, class_index, twice):
        self.requests += 1
        action = "skip" if class_index is None else "label"
        for _ in range(1 + twice):
            event = self.decide(sample, annotator, action, class_index, str(self.requests))
            number = self.model.append(self.requests, sample, action, class_index, annotator, None)
            assert event.id == number

    @rule(sample=SAMPLES, annotator=ANNOTATORS)
    def flag_a_sample(self, sample, annotator):
        self.requests += 1
        event = self.decide(sample, annotator, "flag", None, str(self.requests))
        assert event.id == self.model.append(self.requests, sample, "flag", None, annotator, None)

    @rule(annotator=ANNOTATORS, data=st.data())
    def undo_an_event(self, annotator, data):
        numbers = [number for number, event in enumerate(self.model.events, 1) if event[1] != "undo"]
        if not numbers:
            return
        number = data.draw(st.sampled_from(numbers))
        with self.database.write() as session:
            event = undo(session, project_id=1, event_id=number, annotator_id=annotator)
        sample = self.model.events[number - 1][0]
        assert event.id == self.model.append(f"undo {number}", sample, "undo", None, annotator, number)

    @rule(annotator=ANNOTATORS)
    def ask_for_a_sample(self, annotator):
        with self.database.write() as session:
            shown = claim_batch(session, project_id=1, annotator_id=annotator, count=1)
            again = claim_batch(session, project_id=1, annotator_id=annotator, count=1)
        assert again == shown
        if not shown:
            assert len(self.model.askable()) <= 1  # but for what the other one holds

    @rule(wanted=st.sets(SAMPLES))
    def publish_a_round(self, wanted):
        """Everything is asked about; of what is labeled some a second time."""
        self.model.rechecks = wanted & self.model.standing().keys() - {AUDIT}
        self.model.snapshot = len(self.model.events)
        with self.database.write() as session:
            publish(session, recheck=self.model.rechecks, snapshot=self.model.snapshot)

    @rule(wanted=st.permutations([1, 2, 3, 4]))
    def rank_the_whole_pool_anew(self, wanted):
        self.rankings += 1
        score = 1 / (1 + self.rankings)  # of no ranking before: what a screen holds keeps the score it came with
        with self.database.write() as session:
            opened = open_round(session, project_id=1)
            before = {query.sample_id: query for query in list_queries(session, round_id=opened.id)}
            ranking = [NewQuery(number, rank, "train", score, 1.0) for rank, number in enumerate(wanted)]
            replace_tail(session, round_id=opened.id, generation=1, ranking=ranking)
            after = {query.sample_id: query for query in list_queries(session, round_id=opened.id)}
        assert {sample: query.purpose for sample, query in after.items()} == {
            sample: query.purpose for sample, query in before.items()
        }
        assert {query.rank for query in after.values()} == {0, 1, 2, 3}
        fixed = {AUDIT} | self.model.rechecks | self.model.standing().keys()
        assert {sample: after[sample] for sample in fixed} == {sample: before[sample] for sample in fixed}
        free = [sample for sample in wanted if after[sample].score == pytest.approx(score) and sample not in fixed]
        assert free == sorted(free, key=lambda sample: after[sample].rank)

    @invariant()
    def what_is_left_to_ask_is_what_nobody_decided_or_looked_at_again(self):
        with self.database.read() as session:
            assert round_progress(session, project_id=1).remaining == len(self.model.askable())

    @invariant()
    def what_stands_is_the_fold_of_the_events(self):
        with self.database.read() as session:
            found = current_labels(session, project_id=1)
            folded = current_labels(session, project_id=1, through_event_id=len(self.model.events))
            kept = {row.sample_id: row.event_id for row in session.query(CurrentDecision)}
        standing = self.model.standing()
        assert found == folded
        assert {label.sample_id: (label.event_id, label.action, label.class_index) for label in found} == standing
        assert {label.sample_id for label in found if label.flagged} == self.model.flagged() & standing.keys()
        assert kept == {sample: entry[0] for sample, entry in standing.items()}

    @invariant()
    def the_past_does_not_change(self):
        half = len(self.model.events) // 2
        with self.database.read() as session:
            found = current_labels(session, project_id=1, through_event_id=half)
            changed = changed_since(session, project_id=1, event_id=half)
        assert {label.sample_id: label.event_id for label in found} == {
            sample: entry[0] for sample, entry in self.model.standing(half).items()
        }
        before, now = self.model.training(half), self.model.training()
        assert changed == sum(before.get(sample) != now.get(sample) for sample in range(1, 5))

    @invariant()
    def every_event_is_there_once_and_keeps_its_purpose(self):
        with self.database.read() as session:
            events = list_events(session, project_id=1)
            counts = count_samples(session, project_id=1)
            histories = [history(session, project_id=1, annotator_id=number, limit=99) for number in (1, 2)]
        assert [(event.sample_id, event.action) for event in events] == [event[:2] for event in self.model.events]
        assert {event.purpose for event in events if event.sample_id == AUDIT} <= {"audit"}
        assert {event.purpose for event in events if event.sample_id != AUDIT} <= {"train", "recheck"}
        actions = [entry[1] for entry in self.model.standing().values()]
        labeled, skipped = actions.count("label"), actions.count("skip")
        assert counts == SampleCounts(4 - labeled - skipped, 0, labeled, skipped, 0)
        for number, found in enumerate(histories, 1):
            decisions = [event for event in self.model.history(number) if self.model.events[event - 1][1] != "flag"]
            assert [event.id for event in found] == decisions


def publish(session, *, recheck, snapshot):
    begun = begin_round(
        session, project_id=1, generation=1, trigger="test", labels=0, predictor="cnn", acquisition="bald",
        snapshot_event_id=snapshot,
    )  # fmt: skip
    mark_scoring(session, round_id=begun.id, generation=1, checkpoint=None, sha256=None, size=None)
    purposes = {number: "recheck" if number in recheck else "train" for number in range(1, 5)} | {AUDIT: "audit"}
    queries = [NewQuery(number, number - 1, purpose, 0.5, 1.0) for number, purpose in purposes.items()]
    publish_round(session, round_id=begun.id, generation=1, queries=queries, metrics=(), fit_seconds=0, score_seconds=0)


@pytest.fixture
def prepared(database, samples_like):
    """Four samples, all asked about in an open round."""
    with database.write() as session:
        create_project(session, name="pets", classes=["cat", "dog"], seed=0)
        for name in ("ada", "bob"):
            get_or_create_annotator(session, project_id=1, name=name)
        add_samples(session, project_id=1, samples=[samples_like(number) for number in range(4)])
        publish(session, recheck=(), snapshot=0)
    database.close()
    return database.path


def test_any_order_of_decisions_and_undos_folds_as_the_model_says(prepared):
    Labeling.template = prepared
    run_state_machine_as_test(
        Labeling,
        settings=settings(
            max_examples=25, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck),
            derandomize=True,
        ),
    )  # fmt: skip
