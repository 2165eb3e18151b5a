"""What a benchmark notes of an answer."""

from localspec.bench.contest import Question, Record, Run

__all__ = ["record"]


def record(
    contestant: str,
    per_second: float,
    *,
    number: int = 0,
    turn: int = 0,
    task: str = "a",
    count: int = 20,
    tokens: tuple[int, ...] = (1, 2),
) -> Record:
    return Record(Question(task, number, (1,)), turn, contestant, Run(per_second, count, 0, tokens))
