"""Models of pairs: scored as defined, whatever they answer; and what a real network answers."""

import itertools

import from_arrays
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from scoring_by_hand import (
    as_dict,
    assert_equal_figures,
    filed,
    mask_by_hand,
    mean,
    pixel_counts,
    score_pairs_by_hand,
    truth_in_pair,
    visible,
)

from cosegnet_jax import config as configs
from cosegnet_jax import networks
from cosegnet_jax.evaluation import pair_samples, per_pair, scoring
from cosegnet_jax.evaluation.pairs import Classes
from cosegnet_jax.losses import mining, pairwise
from cosegnet_jax.networks.pair_network import PairNetwork
from cosegnet_jax.runtime import mesh as meshes
from cosegnet_jax.runtime.errors import UserError
from cosegnet_jax.training import state


def configured(**evaluation):
    """Settings of a tiny network that looks at seven images, or pairs, at a time."""
    return configs.Config(
        image_size=32,
        model=configs.Model(name='base', width=1 / 64, weights='none'),
        evaluation=configs.Evaluation(batch_images=7, **evaluation),
    )


def shared_object(examples, i, j):
    return bool(visible(examples, i) & visible(examples, j))


@pytest.fixture
def maps(any_examples):
    """Probability maps of each image beside each other one, in tenths, so that many pairs are tied.

    They are right at nine pixels of ten, and some say nothing above 0.4.
    """
    rng = np.random.default_rng(9)
    images = range(len(any_examples))
    truth = np.array([[truth_in_pair(any_examples, i, j) for j in images] for i in images])
    right = rng.random(truth.shape) >= 0.1
    strength = rng.choice([0.4, 0.7, 1.0], size=(*truth.shape[:2], 1))
    tenths = np.round(10 * strength * ((truth == right) + rng.random(truth.shape)) / 2)
    return (tenths / 10).astype(np.float32).reshape(*truth.shape[:2], *any_examples.masks.shape[1:])


@pytest.fixture
def answering(any_examples, maps, monkeypatch):
    """In place of the network one that answers with `maps`, and the pairs that it was asked for."""
    return answer_with(maps, any_examples, monkeypatch)


@pytest.fixture
def answering_perfectly(any_examples, perfect_maps, monkeypatch):
    return answer_with(perfect_maps, any_examples, monkeypatch)


def answer_with(maps, any_examples, monkeypatch):
    number = {photo.tobytes(): k for k, photo in enumerate(any_examples.images)}
    asked = []

    def describe(self, batches, size):
        return np.array([number[photo.tobytes()] for photos in batches for photo in photos])

    def pair_masks(self, descriptions, pairs, size):
        asked.extend(map(tuple, descriptions[pairs].tolist()))
        for start in range(0, len(pairs), size):
            orders = descriptions[pairs[start : start + size]]
            yield np.stack([maps[tuple(orders.T)], maps[tuple(orders[:, ::-1].T)]], axis=1)

    monkeypatch.setattr(PairNetwork, 'describe', describe)
    monkeypatch.setattr(PairNetwork, 'pair_masks', pair_masks)
    return asked


def measure(examples, config):
    return scoring.predict(config, networks.trained(config, {}, meshes.data_mesh()), examples)


@pytest.mark.parametrize('name', ['cosegnet', 'docs', 'ssnm'])
@pytest.mark.parametrize(('empty_truth', 'threshold'), [('one', 0.8), ('zero', 0.5), ('skip', 0.8)])
def test_figures_equal_the_definition_pair_by_pair(
    any_examples, maps, answering, empty_truth, threshold, name
):
    config = configured(protocol=name, empty_truth=empty_truth, decision_threshold=threshold)
    results = from_arrays.score(any_examples, measure(any_examples, config), scoring.protocol_of(config))
    expected = score_pairs_by_hand(any_examples, maps, answering, threshold, empty_truth, name)
    assert 0 < expected['jaccard'] < 1
    closing = threshold == 0.8 or name == 'ssnm'  # else a closed gate closes on empty masks
    assert (expected['jaccard'] != expected['jaccard_ungated']) == closing
    assert 0 < expected['decision']['auc'] < 1
    assert_equal_figures(as_dict(results), expected)
    assert results.decided_by == per_pair.PerPair.decided_by
    decided = results.decision.positive_pairs + results.decision.negative_pairs
    assert decided == results.probabilities.sum() == len(answering)


@pytest.fixture
def perfect_maps(any_examples):
    """What each pair has in common, with the certainty of 1."""
    images, shape = range(len(any_examples)), any_examples.masks.shape[1:]
    truth = [[truth_in_pair(any_examples, i, j) for j in images] for i in images]
    return np.array(truth, np.float32).reshape(len(images), len(images), *shape)


@pytest.mark.parametrize('name', ['cosegnet', 'docs', 'ssnm'])
def test_an_oracle_scores_one_with_outliers_and_several_classes(
    any_examples, perfect_maps, answering_perfectly, name
):
    """Training has the same truths: `pairwise.shared` of `mining.common_objects`."""
    masks, labels = jnp.asarray(any_examples.masks), jnp.asarray(any_examples.labels, jnp.int32)
    first, second = np.indices(perfect_maps.shape[:2]).reshape(2, -1)
    trained = pairwise.shared(masks[first], mining.common_objects(masks, labels)[first, second])
    np.testing.assert_array_equal(trained, perfect_maps.reshape(trained.shape))
    config = configured(protocol=name)
    measured, choices = measure(any_examples, config), scoring.protocol_of(config)
    results = from_arrays.score(any_examples, measured, choices)
    overall, decision = results.overall, results.decision
    assert overall.precision == overall.jaccard == 1
    assert overall.precision_ungated == overall.jaccard_ungated == 1
    assert decision.accuracy == decision.auc == decision.average_precision == decision.null_mask_rate == 1
    assert results.by_outlier_truth['object'].jaccard < 1


def test_the_mask_of_an_image_is_that_beside_its_partner(any_examples, maps, answering):
    chosen = np.array([[2, 11], [0, 2], [11, 18], [5, 6], [2, 18], [1, 2], [3, 11], [4, 5], [7, 8]])
    config = configured(mask_threshold=0.6)
    network = networks.trained(config, {}, meshes.data_mesh())
    looked = scoring.segment_pairs(config, network, any_examples, chosen)
    assert answering == [tuple(pair) for pair in chosen]
    for (i, j), masks, probability in zip(chosen, *looked, strict=True):
        np.testing.assert_array_equal(masks[0], maps[i, j] >= 0.6)
        np.testing.assert_array_equal(masks[1], maps[j, i] >= 0.6)
        assert probability == max(maps[i, j].max(), maps[j, i].max())


def test_best_median_and_worst_are_ranked_among_the_pairs_that_were_scored(any_examples, maps, answering):
    config = configured(decision_threshold=0.8)
    measured, images = measure(any_examples, config), np.array([1, 2, 6, 7, 11, 12, 17])
    picked = pair_samples.best_median_worst(any_examples, measured, images, scoring.protocol_of(config))

    def jaccard(i, j):
        of_images = []
        for order in ((i, j), (j, i)):
            mask = mask_by_hand(maps[order], 'cosegnet')
            _, _, both, either = pixel_counts(mask, truth_in_pair(any_examples, *order))
            of_images.append(both / either)
        return mean(of_images) * bool(max(maps[i, j].max(), maps[j, i].max()) >= 0.8)

    shared = [(i, j) for i, j in itertools.combinations(images, 2) if shared_object(any_examples, i, j)]
    rising = sorted(jaccard(*pair) for pair in shared)
    assert set(picked.values()) <= set(shared)
    assert [jaccard(*picked[rank]) for rank in ('Worst', 'Median', 'Best')] == pytest.approx(
        [rising[0], rising[(len(rising) - 1) // 2], rising[-1]]
    )


def test_all_pairs_filed_together_are_scored_and_as_many_others(any_examples):
    drawn = [per_pair.pairs_to_score(Classes.filed(any_examples), seed).tolist() for seed in (0, 0, 1)]
    together = {
        (i, j)
        for i, j in itertools.combinations(range(19), 2)
        if filed(any_examples, i) & filed(any_examples, j)
    }
    others = 19 * 18 // 2 - len(together)
    for pairs in drawn:
        chosen = list(map(tuple, pairs))
        assert chosen == sorted(set(chosen))
        assert all(i < j for i, j in chosen)
        assert together <= set(chosen)
        assert len(chosen) == len(together) + min(len(together), others)
    assert drawn[0] == drawn[1]
    assert (drawn[0] != drawn[2]) == (others > len(together))


@pytest.fixture(scope='module')
def network():
    mesh = meshes.data_mesh()
    make = jax.jit(lambda: state.random_params(configured().model, 1), out_shardings=meshes.replicated(mesh))
    return networks.trained(configured(), make(), mesh)


@pytest.fixture
def noise():
    return from_arrays.noise(10)


def test_numbers_are_those_of_the_network_passed_one_pair_at_a_time(network, noise):
    config = configured()
    measured = scoring.predict(config, network, noise)

    @jax.jit
    def both(images):
        model = nnx.merge(network.graph, network.params)
        seen = model.describe(images)
        return jax.nn.sigmoid(model.pair_masks(seen, jax.tree.map(lambda x: x[::-1], seen)))

    pairs = np.stack([measured.pairs.first, measured.pairs.second], 1)
    assert len(pairs) == 20 + 20
    looked = scoring.segment_pairs(config, network, noise, pairs)
    for row, pair in enumerate(pairs):
        maps = np.asarray(both(noise.images[pair]))
        masks, certain = maps >= 0.5, abs(maps - 0.5) > 1e-5
        assert measured.pairs.probability[row] == pytest.approx(maps.max(), rel=1e-5)
        np.testing.assert_array_equal(looked.masks[row][certain], masks[certain])
        truth = noise.masks[pair].sum((1, 2))
        assert [side.true[row, 0] for side in measured.sides] == truth.tolist()
    assert 0 < looked.masks.mean() < 1
    for number, side in enumerate(measured.sides):
        np.testing.assert_array_equal(side.predicted, looked.masks[:, number].sum((1, 2)))
    np.testing.assert_array_equal(measured.pairs.probability, looked.probability)


def test_no_pair_at_all_is_the_users_to_solve(network, noise):
    lone, config = noise.subset(np.array([0, 1])), configured()
    predictions = scoring.predict(config, network, lone)
    with pytest.raises(UserError, match='noise: no class has two images'):
        scoring.score(config, predictions, lone)
