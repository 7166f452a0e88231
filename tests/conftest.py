"""Fixtures of several tests: real music if available, and small synthesised files."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import pytest
import soundfile

from tests.helpers.shared_music import shared_data_folder
from tests.helpers.tones import RATE, tone

MUST_RUN = ("no music in", "no published weights", "no browser", "could not import")
"""What a test says that lacks something: where CI is set, that must be there."""


def _skipped(config: pytest.Config) -> Counter[str]:
    """Count the skipped tests by reason."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    reports = reporter.stats.get("skipped", []) if reporter else []
    return Counter(str(report.longrepr[2]).removeprefix("Skipped: ") for report in reports)


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Say which tests were not run, and why."""
    if skipped := _skipped(config):
        terminalreporter.section("skipped tests by reason")
        for reason, count in skipped.most_common():
            fatal = " (a failure, as CI is set)" if _fatal(reason) else ""
            terminalreporter.line(f"{count:4} {reason}{fatal}")


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Fail a run in CI that passed over tests of real music, published weights or the page."""
    if exitstatus in (0, 5) and any(map(_fatal, _skipped(session.config))):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def _fatal(reason: str) -> bool:
    return bool(os.environ.get("CI")) and reason.startswith(MUST_RUN)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of real music; tests that need it skip where it is absent."""
    folder = shared_data_folder()
    if not folder.is_dir():
        pytest.skip(f"no music in {folder} (set GENRENET_TEST_DATA)")
    return folder


@pytest.fixture(scope="session")
def music(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of three genres that differ in pitch, eight songs each, 5 s long."""
    root = tmp_path_factory.mktemp("music")
    for genre, hz in {"bass": 150.0, "middle": 900.0, "treble": 4000.0}.items():
        (root / genre).mkdir()
        for song in range(8):
            wave = tone(hz * (1 + 0.02 * song), 5.0, seed=song)
            soundfile.write(root / genre / f"{genre}-{song}.wav", wave, RATE)
    return root


@pytest.fixture(scope="session")
def checkpoint(music: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small model that has learnt the three genres of `music`, in frames of 1.5 s."""
    # Not above: what it imports counts its threads when it is loaded.
    from tests.helpers.small_training import small_data, small_model, small_trainer

    folder = tmp_path_factory.mktemp("trained")
    trainer = small_trainer(folder, max_epochs=8)
    # The session's fixtures come before any test's own cache folder.
    trainer.fit(small_model(), small_data(music, store=None))
    trainer.save_checkpoint(folder / "model.ckpt")
    return folder / "model.ckpt"
