from __future__ import annotations


def test_the_grid_page_opens_on_a_scored_pool(filled, open_screen):
    filled.publish(labels=0)
    filled.write_scores(0, sample_ids=[1, 2, 3, 4, 5, 6])
    assert not open_screen("grid.py").error
