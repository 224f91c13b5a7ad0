from __future__ import annotations

import runpy
from pathlib import Path

import numpy as np
from PIL import Image


def test_the_script_writes_the_sample_data_that_is_committed(repository: Path, digits: Path, tmp_path: Path):
    main = runpy.run_path(str(repository / "sample_data" / "make_digits.py"))["main"]
    main.__globals__["FOLDER"] = tmp_path
    main()
    names = sorted(str(path.relative_to(digits)) for path in digits.rglob("*.*"))
    assert names == sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.*"))
    assert len(names) == 1397 + 400 + 2
    for name in names:
        if name.endswith(".csv"):
            assert (digits / name).read_bytes() == (tmp_path / name).read_bytes()
        else:  # pixels, not bytes: another zlib packs the same picture otherwise
            assert np.array_equal(np.asarray(Image.open(digits / name)), np.asarray(Image.open(tmp_path / name)))
