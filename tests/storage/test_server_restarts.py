"""P21: after the database server was started anew, the next try but one is answered; nothing confirmed is gone."""

import pytest

from storage.errors import DatabaseUnavailableError
from storage.labels import list_events
from storage.opening import create_database, open_database
from storage.projects import create_project, get_or_create_annotator
from storage.samples import add_samples
from tests.storage.conftest import World, new_sample
from tests.storage.postgresql import find_binaries, restart, running_server

RESTARTS = 5


@pytest.fixture
def served():
    binaries = find_binaries()
    if binaries is None:
        pytest.skip("PostgreSQL is not installed (on Debian: apt-get install postgresql)")
    with running_server(binaries) as url:
        database = create_database(url)
        with database.write() as session:
            create_project(session, name="pets", classes=["cat", "dog"], seed=0)
            ada = get_or_create_annotator(session, project_id=1, name="ada")
            add_samples(session, project_id=1, samples=[new_sample(number) for number in range(20)])
        yield url, World(database, 1, ada, ada)
        database.close()


def told(attempt):
    """What a page is told: an answer, or that the database does not answer now; never anything else."""
    try:
        return attempt()
    except DatabaseUnavailableError:
        return None


def test_a_page_comes_back_after_each_of_five_restarts(served):
    url, world = served
    for number in range(1, RESTARTS + 1):
        world.label(number, request_id=f"before-{number}")
        restart(url)
        answers = [told(lambda n=number: world.label(n + 10, request_id=f"after-{n}")) for _ in range(3)]
        assert answers[-1] is not None
        reads = [told(lambda: world.ask(list_events)) for _ in range(3)]
        assert len(reads[-1]) == 2 * number
    anew = open_database(url)
    with anew.read() as session:
        assert len(list_events(session, project_id=1)) == 2 * RESTARTS
    anew.close()
