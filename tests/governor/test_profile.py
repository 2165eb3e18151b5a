"""What is known of a computer, kept for the next time."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from simulated import CLIFF, FLAT, ROWS, Simulation

from localspec.governor import profile
from localspec.governor.costs import Costs
from localspec.governor.governor import Governor


def test_what_was_learned_is_there_the_next_time(tmp_path: Path) -> None:
    world = Simulation(CLIFF, guess=0.02, chance=0.3)
    world.run(200)
    world.governor.steady.stride.recall({2: [0.0, 0.5]})
    profile.save(world.governor, tmp_path / "p.json")
    again = Governor(Costs(ROWS))
    assert profile.load(again, tmp_path / "p.json")
    assert again.costs.step(4) == pytest.approx(world.governor.costs.step(4))
    assert again.books["simulated"].common.next_chance == pytest.approx(
        world.governor.books["simulated"].common.next_chance
    )
    assert again.steady.stride.known() == {2: [0.0, 0.5]}


@pytest.mark.parametrize(("pace", "kept"), [(0.5, 0.5), (5.0, 1.0)])
def test_a_busy_moment_is_not_what_the_next_time_begins_with(
    tmp_path: Path, pace: float, kept: float
) -> None:
    world = Simulation(FLAT, guess=0.02, chance=0.3)
    world.run(200)
    times = world.governor.costs.step(4), world.governor.books["simulated"].proposal(2)
    world.governor.costs.pace = pace
    profile.save(world.governor, tmp_path / "p.json")
    again = Governor(Costs(ROWS))
    profile.load(again, tmp_path / "p.json")
    assert again.costs.step(4) == pytest.approx(kept * times[0], rel=0.02)
    assert again.books["simulated"].proposal(2) == pytest.approx(kept * times[1])


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: "",
        lambda text: text[: len(text) // 2],
        lambda text: text.replace('"version": ', '"version": 9'),
        lambda text: json.dumps([1, 2]),
        lambda text: json.dumps({**json.loads(text), "curves": [{"1": -3.0}]}),
        lambda text: json.dumps({**json.loads(text), "curves": [{"1": float("nan")}]}),
        lambda text: json.dumps({**json.loads(text), "overhead": float("inf")}),
        lambda text: json.dumps({**json.loads(text), "drafters": {"x": {}}}),
        lambda text: json.dumps({**json.loads(text), "stride": [0.1]}),
        lambda text: json.dumps({**json.loads(text), "stride": {"x": [0.1]}}),
    ],
)
def test_a_damaged_file_is_as_good_as_none(tmp_path: Path, damage: Callable[[str], str]) -> None:
    world = Simulation(FLAT, guess=0.02, chance=0.3)
    path = tmp_path / "p.json"
    profile.save(world.governor, path)
    path.write_text(damage(path.read_text()))
    assert not profile.load(Governor(Costs(ROWS)), path)


def test_a_folder_that_cannot_be_written_is_no_reason_to_fail(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    profile.save(Governor(Costs(ROWS)), tmp_path / "file" / "p.json")


def test_of_many_files_the_latest_are_kept(tmp_path: Path) -> None:
    for n in range(210):
        old = tmp_path / f"{n}.json"
        old.touch()
        os.utime(old, (n, n))
    profile.save(Governor(Costs(ROWS)), tmp_path / "now.json")
    left = {file.stem for file in tmp_path.iterdir()}
    assert left == {"now", *map(str, range(11, 210))}
