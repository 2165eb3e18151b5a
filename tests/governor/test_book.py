"""What is learnt about one drafter: what its guesses take, and what reading takes before them."""

import random

import pytest

from localspec.governor.book import Book

STEP = 3e-3  # seconds of the target
BEGIN, GUESS, READ = 0.25e-3, 0.33e-3, 0.03e-3


def _asked(book: Book, chance: random.Random, guesses: int, backlog: int) -> None:
    """It took as long as it takes, give or take a tenth."""
    read = READ * backlog if backlog > 2 else 0.0
    made = sum(GUESS * chance.gauss(1, 0.1) for _ in range(guesses))
    book.paid(BEGIN + made + read, guesses, backlog, STEP)


@pytest.mark.parametrize("seed", range(8))
def test_what_a_long_prompt_takes_is_known_from_short_ones_beside_many_guesses(seed: int) -> None:
    chance, book = random.Random(seed), Book()
    for _ in range(200):
        _asked(book, chance, guesses=chance.randint(1, 8), backlog=chance.choice((1, 2, 5, 9, 30)))
    assert 200 * READ * 0.5 < book.reading(200) < 200 * READ * 1.5


def test_one_slow_moment_says_little_of_reading() -> None:
    chance, book = random.Random(1), Book()
    for _ in range(100):
        _asked(book, chance, guesses=2, backlog=20)
    known = book.reading(200)
    book.paid(50e-3, 2, 20, STEP)
    assert book.reading(200) < 1.5 * known
