import pytest

from storage.errors import StaleGenerationError
from storage.trainer import (
    beat,
    get_heartbeat,
    list_errors,
    pending_request,
    record_error,
    request_training,
    start_generation,
)


def test_before_the_first_trainer_there_is_no_heartbeat(world):
    assert world.ask(get_heartbeat) is None
    with pytest.raises(StaleGenerationError):
        world.tell(beat, generation=1)


def test_each_trainer_gets_the_next_generation_and_remembers_what_was_handled(world):
    assert world.tell(start_generation, pid=11) == 1
    world.tell(beat, generation=1, handled_request_id=5, epoch=3)
    assert world.tell(start_generation, pid=12) == 2
    heartbeat = world.ask(get_heartbeat)
    assert (heartbeat.generation, heartbeat.pid, heartbeat.state) == (2, 12, "starting")
    assert (heartbeat.handled_request_id, heartbeat.epoch) == (5, None)


def test_every_beat_counts_up_and_keeps_what_it_does_not_set(world):
    generation = world.tell(start_generation, pid=11)
    before = world.ask(get_heartbeat).beat
    world.tell(beat, generation=generation, state="training", epoch=1, epochs=9)
    world.tell(beat, generation=generation, epoch=2)
    heartbeat = world.ask(get_heartbeat)
    assert heartbeat.beat == before + 2
    assert (heartbeat.state, heartbeat.epoch, heartbeat.epochs) == ("training", 2, 9)


def test_the_beat_moves_at_a_restart_too(world):
    world.tell(start_generation, pid=11)
    before = world.ask(get_heartbeat).beat
    world.tell(start_generation, pid=12)
    assert world.ask(get_heartbeat).beat > before


def test_a_replaced_trainer_cannot_beat(world):
    world.tell(start_generation, pid=11)
    world.tell(start_generation, pid=12)
    with pytest.raises(StaleGenerationError, match="it must stop"):
        world.tell(beat, generation=1, state="training")
    assert world.ask(get_heartbeat).state == "starting"


def test_a_heartbeat_has_no_other_fields(world):
    world.tell(start_generation, pid=11)
    with pytest.raises(TypeError, match="pid"):
        world.tell(beat, generation=1, pid=3)


def test_errors_are_listed_latest_first(world):
    for step in ("fit", "score", "publish"):
        world.tell(record_error, round_number=1, step=step, message="no room", traceback="Traceback ...")
    assert [error.step for error in world.ask(list_errors, limit=2)] == ["publish", "score"]


def test_the_latest_request_after_the_handled_one_is_pending(world):
    assert world.ask(pending_request, after_id=0) is None
    first = world.tell(request_training, kind="train", annotator_id=world.ada)
    second = world.tell(request_training, kind="stop")
    pending = world.ask(pending_request, after_id=first)
    assert (pending.id, pending.kind) == (second, "stop")
    assert world.ask(pending_request, after_id=second) is None


def test_an_unknown_request_is_refused(world):
    with pytest.raises(ValueError, match="dance"):
        world.tell(request_training, kind="dance")
