"""An account is its issuer and its number there; a name is only shown."""

from storage.labels import list_events
from storage.projects import get_or_create_account, get_or_create_annotator, list_annotators


def account(world, issuer, subject, name, **more):
    return world.tell(get_or_create_account, issuer=issuer, subject=subject, name=name, **more)


def test_ten_accounts_that_try_to_be_another_are_ten_annotators(world):
    long = "a" * 79
    tried = [
        ("https://one", "1", "ana@example.org"),
        ("https://one", "2", "ana@example.org"),  # the same address, with a blank or a zero-width sign taken out
        ("https://two", "1", "ana@example.org"),  # another issuer, the same number
        ("https://one", "3", "ana@example.org"),  # as preferred_username
        ("https://one", "4", "ana@example.org"),  # as name
        ("https://one", "5", f"{long}b"[:80]),
        ("https://one", "6", f"{long}bc"[:80]),  # differs after the eightieth letter
        ("https://one", "7", "ada"),  # a name that somebody typed
        ("https://one", "8", "ana@example.org (2)"),
        ("https://one ", "1", "ana@example.org"),
    ]
    ids = [account(world, *one) for one in tried]
    assert len(set(ids)) == 10
    assert not set(ids) & {world.ada, world.bob}
    assert ids == [account(world, issuer, subject, "another name by now") for issuer, subject, _ in tried]
    assert len(set(world.ask(list_annotators))) == 12


def test_who_signed_in_before_there_were_accounts_keeps_the_labels_if_the_address_is_verified(world):
    before = world.tell(get_or_create_annotator, name="eva@example.org")
    world.label(1, annotator_id=before)
    assert account(world, "https://one", "9", "eva@example.org") != before
    assert account(world, "https://one", "1", "eva@example.org", is_verified=True) == before
    assert account(world, "https://two", "1", "eva@example.org", is_verified=True) != before
    assert world.ask(list_events)[0].annotator == "eva@example.org"
