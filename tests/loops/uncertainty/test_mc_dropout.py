import copy
from contextlib import nullcontext

import numpy as np
import pytest
import torch
from torch import nn

from loops.acquisition.functions import bald
from loops.errors import IdenticalDrawsError
from loops.uncertainty.dropout_split import split_at_dropout
from loops.uncertainty.fixed_masks import FixedMasks, FoldedLinear
from loops.uncertainty.mc_dropout import MCDropout, MCDropoutScorer, gather

K = 20


def small_network():
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Linear(6, 8), nn.ReLU(), nn.Dropout(0.5), nn.Linear(8, 8), nn.ReLU(), nn.Dropout(0.5), nn.Linear(8, 3)
    )


class OwnForward(nn.Module):
    """No `nn.Sequential`: cannot be split."""

    def __init__(self):
        super().__init__()
        self.dropout = nn.Dropout(0.5)
        self.layers = nn.ModuleDict({"first": nn.Linear(6, 8), "second": nn.Linear(8, 3)})

    def forward(self, x):
        return self.layers["second"](self.dropout(self.layers["first"](x).relu()))


NETWORKS = {
    "dropout, then linear": lambda: nn.Sequential(nn.Dropout(0.5), nn.Linear(6, 3)),
    "two dropouts": small_network,
    "nested": lambda: nn.Sequential(
        nn.Sequential(nn.Linear(6, 6)), nn.Sequential(nn.Sequential(nn.Dropout(0.3)), nn.Linear(6, 3))
    ),
    "no dropout before the last layer": lambda: nn.Sequential(nn.Linear(6, 3), nn.Dropout(0.5)),
    "own forward": OwnForward,
    "whole channels": lambda: nn.Sequential(
        nn.Unflatten(1, (6, 1, 1)), nn.Conv2d(6, 4, 1), nn.Dropout2d(0.5), nn.Flatten(), nn.Linear(4, 3)
    ),
}

every_network = pytest.mark.parametrize("network", [make() for make in NETWORKS.values()], ids=list(NETWORKS))


@pytest.fixture
def samples():
    return torch.randn(30, 6, generator=torch.Generator().manual_seed(1))


def score(network, samples, *, batch_size=8, seed=0, k=K, keep_draws=True):
    scorer = MCDropoutScorer(network, mc_iterations=k, seed=seed, keep_draws=keep_draws)
    ids = torch.arange(len(samples)) + 100
    with torch.inference_mode():
        batches = zip(ids.split(batch_size), samples.split(batch_size), strict=True)
        return gather([scorer.predict_step(batch, i) for i, batch in enumerate(batches)])


@every_network
def test_fault_of_the_ancestor_mc_draws_differ(network, samples):
    logits_N_C_K = MCDropout(network, mc_iterations=K, seed=0)(samples)

    assert logits_N_C_K.shape == (30, 3, K)
    assert len(logits_N_C_K[0].T.unique(dim=0)) > 1
    assert bald(torch.softmax(logits_N_C_K, 1)).max() > 1e-3


@every_network
def test_each_draw_is_the_network_with_its_masks_laid_over_it(network, samples, monkeypatch):
    """Brute force: K times the whole network, one mask after the other."""
    monkeypatch.setattr("loops.uncertainty.mc_dropout.half_precision", lambda _device: nullcontext())
    folded = MCDropout(network, mc_iterations=K, seed=0)
    one_by_one = [_network_with_mask(network, folded, k)(samples) for k in range(K)]

    torch.testing.assert_close(folded(samples), torch.stack(one_by_one, -1))


def _network_with_mask(network, mc_dropout, k):
    """A copy of `network` whose dropouts are plain products with the k-th mask of `mc_dropout`."""
    mc_dropout(torch.zeros(1, 6))  # draws the masks
    masked = [*(mc_dropout.folded.modules() if mc_dropout.folded else ()), *mc_dropout.tail.modules()]
    fixed = [layer for layer in masked if isinstance(layer, FixedMasks)]
    copied = copy.deepcopy(network).eval()
    for dropout, masks in zip(
        [m for m in copied.modules() if isinstance(m, nn.modules.dropout._DropoutNd)], fixed, strict=True
    ):
        (mask,) = masks._masks.values()
        dropout.forward = lambda x, mask=mask: x * mask[k]
    return copied


@every_network
def test_scores_do_not_depend_on_batching(network, samples):
    together, alone = score(network, samples, batch_size=30), score(network, samples, batch_size=1)

    for name, scores_N in together.scores.items():
        np.testing.assert_allclose(scores_N, alone.scores[name], atol=1e-5)


def test_a_tile_too_large_for_memory_is_scored_in_pieces(samples, monkeypatch):
    whole = score(small_network(), samples)
    monkeypatch.setattr("loops.uncertainty.mc_dropout._TILE_NUMBERS", 3 * K * 8)
    pieces = score(small_network(), samples)

    np.testing.assert_allclose(whole.scores["bald"], pieces.scores["bald"], atol=1e-6)


def test_fault_of_the_ancestor_every_sample_of_every_batch_is_scored(samples):
    pool_scores = score(small_network(), samples, batch_size=8)

    assert pool_scores.sample_ids.tolist() == list(range(100, 130))
    assert all(scores_N.shape == (30,) for scores_N in pool_scores.scores.values())
    assert pool_scores.probs_N_C.shape == (30, 3)
    assert pool_scores.draws_N_C_K.shape == (30, 3, K)
    assert pool_scores.draws_N_C_K.dtype == np.float16


def test_same_seed_same_scores_to_the_last_bit(samples):
    assert (score(small_network(), samples).scores["bald"] == score(small_network(), samples).scores["bald"]).all()


def test_another_seed_draws_other_masks(samples):
    first, second = score(small_network(), samples, seed=0), score(small_network(), samples, seed=1)

    assert not (first.scores["bald"] == second.scores["bald"]).any()


def test_two_dropouts_of_one_network_draw_different_masks():
    mc_dropout = MCDropout(small_network(), mc_iterations=K, seed=0)
    mc_dropout(torch.zeros(1, 6))
    first, second = (next(iter(m._masks.values())) for m in mc_dropout.modules() if isinstance(m, FixedMasks))

    assert first.shape == second.shape == (K, 8)
    assert not torch.equal(first, second)


def test_masks_drop_the_share_asked_for_and_keep_the_mean():
    masks = FixedMasks(0.25, whole_channels=False, mc_iterations=K, seed=0).masks((10_000,), torch.device("cpu"))

    assert (masks == 0).float().mean().item() == pytest.approx(0.25, abs=0.01)
    assert masks.mean().item() == pytest.approx(1.0, abs=0.01)


def test_a_whole_channel_is_dropped_at_once():
    masks = FixedMasks(0.5, whole_channels=True, mc_iterations=K, seed=0).masks((4, 7, 7), torch.device("cpu"))

    assert masks.shape == (K, 4, 1, 1)


def test_what_no_dropout_touches_runs_once(samples):
    network = small_network()
    calls = []
    network[0].register_forward_hook(lambda _layer, inputs, _output: calls.append(len(inputs[0])))
    MCDropout(network, mc_iterations=K, seed=0)(samples)
    prefix, tail = split_at_dropout(network)

    assert (len(prefix), len(tail)) == (2, 5)
    assert calls == [1, 30]  # one sample to see how large a tile can be, then all of them


def test_dropout_before_a_linear_layer_is_folded_into_one_product(samples):
    mc_dropout = MCDropout(small_network(), mc_iterations=K, seed=0)
    mc_dropout(samples)

    assert isinstance(mc_dropout.folded, FoldedLinear)


def test_the_network_given_is_not_changed(samples):
    network = small_network().train()
    score(network, samples)

    assert network.training
    assert [type(layer) for layer in network].count(nn.Dropout) == 2


def test_batch_statistics_do_not_move_while_scoring(samples):
    network = nn.Sequential(nn.BatchNorm1d(6), nn.Dropout(0.5), nn.Linear(6, 3)).train()
    scorer = MCDropoutScorer(network, mc_iterations=K, seed=0, keep_draws=False).train()
    scorer.predict_step((torch.arange(30), samples + 10), 0)

    assert scorer.mc_dropout.prefix[0].running_mean.tolist() == [0.0] * 6


def test_a_network_without_dropout_is_refused():
    with pytest.raises(IdenticalDrawsError, match="no dropout layer"):
        MCDropout(nn.Linear(6, 3), mc_iterations=K, seed=0)


def test_dropout_that_drops_nothing_is_no_dropout():
    with pytest.raises(IdenticalDrawsError, match="no dropout layer"):
        MCDropout(nn.Sequential(nn.Dropout(0.0), nn.Linear(6, 3)), mc_iterations=K, seed=0)


def test_a_single_mc_iteration_is_refused():
    with pytest.raises(IdenticalDrawsError, match="at least 2"):
        MCDropout(small_network(), mc_iterations=1, seed=0)


def test_fault_of_the_ancestor_a_pass_of_identical_draws_is_refused(samples):
    network = small_network()
    nn.init.zeros_(network[-1].weight)

    with pytest.raises(IdenticalDrawsError, match="identical"):
        score(network, samples)


def test_draws_are_left_out_where_they_would_not_fit(samples):
    assert score(small_network(), samples, keep_draws=False).draws_N_C_K is None
