"""Studies so small that a test can run them."""

from pathlib import Path

import pytest

HEAD = """
name = "tiny"
dataset = "digits"
layers = [8]
epochs = 1
chips = 2
train_images = 200
validation_images = 50
"""
DEVICE = """
[device]
model = "unknown"
"""
RULE = """
[[rule]]
name = "backprop"
"""


@pytest.fixture
def write_study(tmp_path):
    """Write a study file of which some parts are other than usual, and files beside it."""

    def write(*, head=HEAD, device=DEVICE, rule=RULE, sweep="", more="", files=None, name="study.toml") -> Path:
        for file, text in (files or {}).items():
            (tmp_path / file).write_text(text)
        path = tmp_path / name
        path.write_text(f"{head}{more}{device}{rule}{sweep}")
        return path

    return write
