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


def test_a_proposal_takes_a_beginning_and_a_time_for_each_guess() -> None:
    book, chance = Book(), random.Random(1)
    for _ in range(400):
        guesses = chance.randrange(1, 9)
        book.paid((0.4 + 0.5 * guesses) * (1 + chance.gauss(0, 0.05)), guesses, 1, 4.0)
    assert book.proposal.fixed == pytest.approx(0.4, abs=0.08)
    assert book.proposal(5) == pytest.approx(2.9, rel=0.05)


def test_a_cold_start_is_soon_forgotten() -> None:
    book = Book()
    book.paid(200.0, 1, backlog=20, step=4.0)
    book.paid(30.0, 1, backlog=1, step=4.0)
    assert book.proposal(1) + book.reading(20) < 4.0
    for _ in range(5):
        book.paid(1.5, 1, backlog=20, step=4.0)
        book.paid(0.5, 1, backlog=1, step=4.0)
    assert book.proposal(1) == pytest.approx(0.5, rel=0.3)


def test_asking_just_to_see_stays_within_its_share() -> None:
    book, spent = Book(), 0.0
    for second in range(1, 2001):
        if book.probes(2.0, passed=float(second), most=4.0):
            spent += 2.0
    assert 0.0015 <= spent / 2000 <= 0.004


def test_what_turned_out_well_is_no_expense() -> None:
    book, asked = Book(), 0
    for second in range(1, 101):
        if book.probes(2.0, passed=float(second), most=4.0):
            asked += 1
            book.probed -= 2.0
    assert asked == 100
