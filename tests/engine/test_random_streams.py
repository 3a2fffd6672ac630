"""Random numbers belong to agents: known answers, independence, common random numbers."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from baimo.world.engine.random import Streams, gumbel, normal, philox, poisson, uniform

KNOWN = [
    # counter, key, output of Philox 4x32-10 (Salmon et al. 2011, Random123 kat_vectors)
    ("00000000 00000000 00000000 00000000", "00000000 00000000", "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
    ("ffffffff ffffffff ffffffff ffffffff", "ffffffff ffffffff", "408f276d 41c83b0e a20bc7c6 6d5451fd"),
    ("243f6a88 85a308d3 13198a2e 03707344", "a4093822 299f31d0", "d16cfe09 94fdcceb 5001e420 24126ea1"),
]
MANY = 20_000
#: Five standard deviations of a sample correlation: no such pair by chance (seeds are fixed).
UNRELATED = 5.0 / np.sqrt(MANY)


def words(text: str) -> list[int]:
    return [int(word, 16) for word in text.split()]


def related(a: np.ndarray, b: np.ndarray) -> float:
    """Absolute correlation of two samples, the larger of plain and squared-deviation."""
    a, b = a.ravel(), b.ravel()
    plain = np.corrcoef(a, b)[0, 1]
    spread = np.corrcoef((a - 0.5) ** 2, (b - 0.5) ** 2)[0, 1]
    return max(abs(plain), abs(spread))


def ids(n: int, first: int = 0) -> np.ndarray:
    return np.arange(first, first + n).reshape(1, -1)


@pytest.mark.parametrize(("counter", "key", "answer"), KNOWN)
def test_philox_known_answers(counter, key, answer):
    block = tuple(np.full((1, 3), word, dtype=np.uint64) for word in words(counter))
    out = philox(block, tuple(words(key)))
    assert [int(word[0, 0]) for word in out] == words(answer)
    assert all((word == word[0, 0]).all() for word in out)


def test_philox_words_have_32_bits_even_for_free_rows():
    streams = Streams(1, np.arange(4))
    out = streams.words("lab", np.full((4, 8), -1))
    assert all(int(word.max()) < 2**32 for word in out)


def test_uniform_lies_inside_the_open_interval():
    ends = uniform(np.array([0, 2**32 - 1], dtype=np.uint64))
    assert 0.0 < ends[0] < 1e-9 and 1.0 - 1e-9 < ends[1] < 1.0


def test_draws_are_uniform():
    u = Streams(5, np.arange(1)).slab("lab", ids(MANY), 5)
    for stream in u:
        counts, _ = np.histogram(stream, bins=50, range=(0.0, 1.0))
        chi_squared = ((counts - MANY / 50) ** 2 / (MANY / 50)).sum()
        assert 18.0 < chi_squared < 100.0  # 49 degrees of freedom


def test_streams_are_uncorrelated():
    u = Streams(2, np.arange(1)).slab("lab", ids(MANY), 9)
    for a, b in itertools.combinations(range(9), 2):
        assert related(u[a], u[b]) < UNRELATED, (a, b)


def test_agents_worlds_steps_seeds_and_domains_are_uncorrelated():
    streams = Streams(3, np.arange(2))
    agents = np.repeat(ids(MANY), 2, axis=0)
    base = streams.slab("lab", agents, 1)[0]
    assert related(base[0], base[1]) < UNRELATED  # worlds
    assert related(base[0, :-1], base[0, 1:]) < UNRELATED * 1.01  # neighbouring agents
    other = streams.slab("app", agents, 1)[0, 0]
    assert related(base[0], other) < UNRELATED  # domains
    for seed in (4, 3 + 2**32):
        again = Streams(seed, np.arange(1)).slab("lab", ids(MANY), 1)[0, 0]
        assert related(base[0], again) < UNRELATED  # seeds, in both words of the key
    streams.step = 1
    later = streams.slab("lab", agents, 1)[0, 0]
    assert related(base[0], later) < UNRELATED  # steps


def test_one_agent_over_steps_and_worlds_is_white():
    streams = Streams(8, np.arange(50))
    path = []
    for step in range(400):
        streams.step = step
        path.append(streams.slab("lab", np.full((50, 1), 17), 1)[0, :, 0])
    path = np.array(path)
    assert related(path[:-1], path[1:]) < UNRELATED * 1.01
    assert related(path[:, :-1], path[:, 1:]) < UNRELATED * 1.02
    assert abs(path.mean() - 0.5) < 5.0 * np.sqrt(1.0 / 12.0 / path.size)


@pytest.mark.parametrize("world", [0, 3, 9])
def test_a_world_alone_has_the_draws_of_the_batch(world):
    batch_ids = np.arange(10)
    agents = np.random.default_rng(0).integers(0, 10_000, (10, 64))
    batch, alone = Streams(6, batch_ids), Streams(6, np.array([world]))
    shuffled_order = np.random.default_rng(1).permutation(10)
    shuffled = Streams(6, batch_ids[shuffled_order])
    place = int(np.flatnonzero(shuffled_order == world)[0])
    for each in (batch, alone, shuffled):
        each.step = 7
    expected = batch.slab("lab", agents, 6)[:, [world]]
    assert np.array_equal(alone.slab("lab", agents[[world]], 6), expected)
    assert np.array_equal(shuffled.slab("lab", agents[shuffled_order], 6)[:, [place]], expected)
    assert np.array_equal(alone.per_world("news", 3), batch.per_world("news", 3)[:, [world]])
    partners = np.array([[5, 6], [7, 8]])
    both = batch.pairs("match", np.array([world, world]), np.array([1, 2]), partners)
    assert np.array_equal(alone.pairs("match", np.array([0, 0]), np.array([1, 2]), partners), both)


def test_draws_of_an_agent_do_not_depend_on_the_other_agents_or_on_its_row():
    streams = Streams(6, np.arange(2))
    few = np.array([[10, 20, 30], [10, 20, 30]])
    many = np.array([[30, 99, 10, 20, 55], [1, 2, 30, 10, 20]])
    a, b = streams.slab("lab", few, 5), streams.slab("lab", many, 5)
    assert np.array_equal(a[:, 0, [2, 0, 1]], b[:, 0, [0, 2, 3]])
    assert np.array_equal(a[:, 1, [2, 0, 1]], b[:, 1, [2, 3, 4]])


def test_another_stream_more_leaves_the_first_ones_alone():
    streams = Streams(6, np.arange(1))
    assert np.array_equal(streams.slab("lab", ids(50), 3), streams.slab("lab", ids(50), 11)[:3])


def test_asking_twice_gives_the_same_and_no_two_draws_coincide():
    streams = Streams(0, np.arange(3))
    agents = np.repeat(ids(200), 3, axis=0)
    u = streams.slab("lab", agents, 8)
    assert np.array_equal(u, streams.slab("lab", agents, 8))
    # 4800 words of 32 bits: about 0.003 coincidences are to be expected.
    assert np.unique(u).size == u.size


def test_pair_draws_belong_to_the_pair():
    streams = Streams(6, np.arange(3))
    worlds, askers = np.array([0, 2]), np.array([11, 12])
    some = streams.pairs("choose", worlds, askers, np.array([[1, 1], [2, 2]]))
    more = streams.pairs("choose", worlds, askers, np.array([[2, 2], [7, 9], [1, 1]]))
    assert np.array_equal(some, more[[2, 0]])
    swapped = streams.pairs("choose", worlds[:1], np.array([1]), np.array([[11]]))
    assert swapped[0, 0] != some[0, 0]
    n = np.arange(MANY)
    left = streams.pairs("choose", np.zeros(MANY, int), n, np.stack([n * 0 + 5, n * 0 + 6]))
    assert related(left[0], left[1]) < UNRELATED


@pytest.mark.parametrize("stream", range(6))
def test_a_few_agents_draw_what_the_slab_holds(stream):
    streams = Streams(6, np.array([4, 9, 2]))
    streams.step = 5
    agents = np.random.default_rng(0).integers(0, 10_000, (3, 64))
    slab = streams.slab("lab", agents, 6)
    worlds, rows = np.array([0, 1, 2, 2, 0]), np.array([3, 60, 3, 4, 5])
    few = streams.some("lab", worlds, agents[worlds, rows], 6)
    assert np.array_equal(few[stream], slab[stream, worlds, rows])


def test_a_block_of_streams_is_that_part_of_the_slab():
    streams, agents = Streams(6, np.arange(2)), np.repeat(ids(20), 2, axis=0)
    assert np.array_equal(streams.slab("lab", agents, 4, 1), streams.slab("lab", agents, 11)[4:8])


def test_a_lasting_taste_is_the_same_in_every_step():
    streams, worlds, n = Streams(6, np.arange(1)), np.zeros(9, int), np.arange(9)
    tastes, moods = [], []
    for streams.step in (0, 7):
        tastes.append(streams.pairs("taste", worlds, n, n[None] + 3, lasting=True))
        moods.append(streams.pairs("taste", worlds, n, n[None] + 3))
    assert np.array_equal(*tastes)
    assert not (moods[0] == moods[1]).any()


def test_per_world_draws_are_uncorrelated():
    u = Streams(9, np.arange(MANY)).per_world("shock", 3)
    assert u.shape == (3, MANY, 1)
    for a, b in itertools.combinations(range(3), 2):
        assert related(u[a], u[b]) < UNRELATED


def test_words_take_one_partner_for_all_or_one_each():
    streams = Streams(6, np.arange(2))
    agents = np.repeat(ids(5), 2, axis=0)
    for a, b in zip(streams.words("x", agents, 4), streams.words("x", agents, agents * 0 + 4), strict=True):
        assert np.array_equal(a, b)
    assert not np.array_equal(streams.words("x", agents, 4)[0], streams.words("x", agents, 5)[0])


def test_normal_draws():
    u, v = Streams(6, np.arange(1)).slab("lab", ids(100_000), 2)
    z = normal(u, v)
    assert abs(z.mean()) < 0.02 and abs(z.std() - 1.0) < 0.02
    assert abs((z < -1.6449).mean() - 0.05) < 0.004
    assert abs((z > 1.2816).mean() - 0.10) < 0.005


def test_gumbel_choice_is_a_logit_choice():
    u = Streams(6, np.arange(1)).slab("lab", ids(100_000), 3)
    utility = np.array([0.0, 1.0, -0.5]).reshape(3, 1, 1)
    chosen = np.argmax(utility + gumbel(u), axis=0)
    logit = np.exp(utility[:, 0, 0]) / np.exp(utility).sum()
    np.testing.assert_allclose([(chosen == k).mean() for k in range(3)], logit, atol=0.006)


def test_poisson_counts_of_a_world_do_not_depend_on_the_rates_of_others():
    u = Streams(6, np.arange(4)).slab("lab", np.repeat(ids(20_000), 4, axis=0), 1)[0]
    rates = np.array([[0.01], [0.5], [3.0], [60.0]])
    batch = poisson(u, rates, 200)
    for world in range(4):
        assert np.array_equal(poisson(u[[world]], rates[[world]], 200), batch[[world]])


def test_poisson_counts():
    u = Streams(6, np.arange(1)).slab("lab", ids(100_000), 1)[0]
    for rate in (0.2, 3.0):
        n = poisson(u, np.array([[rate]]), 40)
        assert abs(n.mean() - rate) < 0.03 and abs(n.var() - rate) < 0.06
        assert abs((n == 0).mean() - np.exp(-rate)) < 0.005
    assert poisson(u, np.array([[0.0]]), 40).max() == 0
    assert poisson(u, np.array([[30.0]]), 5).max() == 5
    # One uniform, one count: a higher rate never gives fewer.
    assert np.all(poisson(u, np.array([[3.1]]), 40) >= poisson(u, np.array([[3.0]]), 40))
