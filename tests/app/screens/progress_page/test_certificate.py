from __future__ import annotations

import numpy as np
import pytest

from app.screens.progress_page.certificate import class_rows, proven_chart, proven_rows
from loops.certificate.candidate import PoolAnswers, make_candidate
from loops.certificate.classes import ClassProof, ClassRecall
from loops.certificate.evidence import FIRST, Evidence


def evidence_of(draws: int) -> Evidence:
    answered = PoolAnswers(np.arange(200), np.zeros(200, np.int64), np.linspace(0, 0.5, 200))
    evidence = Evidence(make_candidate(answered, round_number=1, seed=0, target=0.95), FIRST, 0.95)
    for row in evidence.candidate.order[:draws].tolist():
        evidence.draw(row, wrong=False)
    return evidence


def test_the_band_has_a_point_for_every_audit_label_and_what_is_proven_grows() -> None:
    rows = proven_rows(evidence_of(30))
    assert rows["draws"].tolist() == list(range(1, 31))
    assert 0.0 == rows["proven"][0] < rows["proven"][9] < rows["proven"][29] < 1.0
    assert (rows["estimate"] >= rows["proven"]).all()
    assert proven_chart(evidence_of(3)).to_dict()["layer"]


@pytest.mark.parametrize(("light", "said"), [("proven", "● proven"), ("likely", "◐ likely"), ("unknown", "○ unknown")])
def test_a_light_is_said_in_words_too(light: str, said: str) -> None:
    rows = class_rows([ClassProof(1, 40, 12, 0.9, 0.97, light)], ["cat", "dog"])  # type: ignore[arg-type]
    assert rows.iloc[0].tolist() == ["dog", 40, "90.0 %", "97.0 %", 12, said]


def test_what_is_found_of_a_class_stands_beside_what_is_right_also_of_one_never_answered():
    proofs = [ClassProof(1, 40, 12, 0.9, 0.97, "likely")]
    rows = class_rows(proofs, ["cat", "dog"], [ClassRecall(0, 0.0, None), ClassRecall(1, 0.8, 0.95)])
    assert rows[["Class", "Answered so", "Found, proven", "Found, estimated"]].to_numpy().tolist() == [
        ["cat", 0, "-", "-"],
        ["dog", 40, "80.0 %", "95.0 %"],
    ]
