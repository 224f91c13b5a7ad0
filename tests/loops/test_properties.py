"""The properties of `benchmarks/properties.py` on cases that hypothesis draws; BaaL and lightning-flash fail them."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import loops.frozen  # noqa: F401 - imports Flash and BaaL with their warnings silenced


def _properties() -> ModuleType:
    path = Path(__file__).parents[2] / "benchmarks" / "properties.py"
    spec = importlib.util.spec_from_file_location("benchmark_properties", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # its dataclasses look their module up
    spec.loader.exec_module(module)
    return module


properties = _properties()


@st.composite
def cases(draw: Any) -> Any:
    samples = draw(st.integers(3, 25))
    return properties.Case(
        seed=draw(st.integers(0, 2**31)),
        samples=samples,
        features=draw(st.integers(2, 20)),
        classes=draw(st.integers(2, 5)),
        draws=draw(st.integers(5, 25)),
        batch=draw(st.integers(1, samples)),
        query=draw(st.integers(1, samples - 1)),
        function=draw(st.sampled_from(properties.FUNCTIONS)),
    )


@pytest.mark.parametrize("name", properties.PROPERTIES)
@settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(case=cases())
def test_holds_of_our_scoring(name: str, case: Any) -> None:
    assert properties.PROPERTIES[name](properties.LabelLoop(), case)


@pytest.mark.parametrize(
    ("subject", "names"),
    [
        ("BaaL", ["masks are shared", "no stale answer", "no augmentation"]),
        ("LightningFlash", ["draws differ", "masks are shared", "ids map", "uncertain first", "no augmentation"]),
    ],
)
def test_fault_of_the_ancestors_the_same_properties_fail(subject: str, names: list[str]) -> None:
    """Else the properties would prove nothing."""
    tried = [properties.Case(seed=seed, function="margin") for seed in range(10)]
    failing = {
        name
        for name, holds in properties.PROPERTIES.items()
        if not all(holds(getattr(properties, subject)(), case) for case in tried)
    }

    assert set(names) <= failing
