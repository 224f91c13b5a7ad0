import io

import numpy as np
import pytest
import torch
from torch import nn

from loops.acquisition.functions import score_probabilities
from loops.errors import IdenticalDrawsError, MissingFeaturesError
from loops.predictors.instant_head import InstantHead, negative_log_posterior, split_at_last_layer
from loops.predictors.layers import PrepareFeatures, PreparePixels, feature_head, small_cnn

# Class 0 has the first half of 32 features, class 1 the second; samples 120-129 have half of both.
IDS = np.arange(100, 130)
FEATURES = np.random.default_rng(0).normal(scale=0.1, size=(30, 32)).astype(np.float32)
FEATURES[:10, :16] += 1
FEATURES[10:20, 16:] += 1
FEATURES[20:] += 0.5
LABELS = {100: 0, 101: 0, 110: 1, 111: 1}
TAIL = np.setdiff1d(IDS, list(LABELS))
TORN = set(range(120, 130))


def fresh_layer(num_classes=2):
    layer = feature_head(32, num_classes)
    for weights in layer.parameters():
        nn.init.zeros_(weights)
    return layer


def make_head(layer=None, ids=IDS, **changes):
    settings = {"accelerator": "cpu"} | changes
    return InstantHead(ids, FEATURES[ids - 100], layer or fresh_layer(), **settings)


@pytest.mark.parametrize("name", ["bald", "margin", "predictive_entropy", "variation_ratios"])
def test_torn_samples_score_above_sure_ones(name):
    head = make_head()
    head.refit(LABELS)
    scores_N = score_probabilities(head.draws(TAIL))[name]
    torn = np.isin(TAIL, list(TORN))

    assert np.median(scores_N[torn]) > np.median(scores_N[~torn])


def test_answers_and_draws_are_probabilities_of_each_sample_once():
    head = make_head(mc_iterations=7)
    head.refit(LABELS)

    assert head.predict(TAIL).shape == (26, 2)
    assert head.draws(TAIL).shape == (26, 2, 7)
    np.testing.assert_allclose(head.predict(TAIL).sum(1), 1, atol=1e-6)
    np.testing.assert_allclose(head.draws(TAIL).sum(1), 1, atol=1e-6)
    assert (head.predict(np.arange(100, 120)).argmax(1) == np.repeat([0, 1], 10)).all()


def test_a_label_teaches_what_was_torn():
    head = make_head()
    head.refit(LABELS)
    before = head.predict([129])[0, 1]
    head.refit(LABELS | dict.fromkeys(range(120, 129), 1))

    assert head.predict([129])[0, 1] > before


def test_it_has_no_questions_of_its_own():
    assert make_head().questions(TAIL, 3, coverage=False) is None


def test_what_is_drawn_follows_from_the_labels_alone_to_the_last_bit():
    at_once = make_head()
    at_once.refit(LABELS | {120: 0, 121: 1})
    in_portions = make_head()
    for labels in (LABELS, LABELS | {120: 1}, {121: 1, 120: 0} | LABELS):  # 120 was corrected
        in_portions.refit(labels)
        torch.rand(3)

    assert at_once.draws(TAIL).tobytes() == in_portions.draws(TAIL).tobytes()


def test_a_draw_depends_on_neither_position_nor_company():
    head = make_head()
    head.refit(LABELS)

    np.testing.assert_allclose(head.draws(TAIL[::-1])[::-1], head.draws(TAIL), atol=1e-6)
    np.testing.assert_allclose(head.draws([125]), head.draws(TAIL)[TAIL == 125], atol=1e-6)
    np.testing.assert_allclose(make_head_in_another_order().draws(TAIL), head.draws(TAIL), atol=1e-5)


def make_head_in_another_order():
    head = make_head(ids=IDS[::-1])
    head.refit(LABELS)
    return head


def test_its_state_goes_through_a_file_and_comes_back():
    head = make_head()
    head.refit(LABELS)
    file = io.BytesIO()
    torch.save(head.state_dict(), file)
    restored = make_head(feature_head(32, 2))
    restored.load_state_dict(torch.load(io.BytesIO(file.getvalue()), weights_only=True))

    assert restored.draws(TAIL).tobytes() == head.draws(TAIL).tobytes()
    for each in (head, restored):
        each.refit(LABELS | {120: 0})
    assert restored.draws(TAIL).tobytes() == head.draws(TAIL).tobytes()


def test_before_any_refit_it_is_the_round_and_the_given_layer_is_never_changed():
    layer = feature_head(32, 2)
    weights = layer[1].weight.detach().clone()
    head = make_head(layer)

    assert torch.equal(head.state_dict()["head"]["1.weight"], weights)
    head.refit(LABELS)
    assert not torch.equal(head.state_dict()["head"]["1.weight"], weights)
    assert torch.equal(layer[1].weight, weights)


def test_a_refit_ends_where_the_posterior_is_flat():
    head = make_head()
    head.refit(LABELS)
    layer = head._head
    batch = (torch.from_numpy(FEATURES[np.array(list(LABELS)) - 100]), torch.tensor(list(LABELS.values())))
    precision = batch[0].square().mean().item()
    slope = torch.autograd.grad(
        negative_log_posterior(layer, batch, around=fresh_layer(), precision=precision), layer.parameters()
    )

    assert max(float(part.abs().max()) for part in slope) < 1e-4


def test_the_loss_at_the_rounds_weights_is_the_cross_entropy_and_a_step_of_one_costs_half_the_precision():
    layer, batch = fresh_layer().eval(), (torch.zeros(1, 32), torch.tensor([0]))

    at_rest = negative_log_posterior(layer, batch, around=layer, precision=6.0)
    assert at_rest.item() == pytest.approx(np.log(2))
    moved = fresh_layer().eval()
    nn.init.constant_(moved[1].weight[:, :1], 1.0)  # two weights, one each; the features are 0, so logits stay
    assert negative_log_posterior(moved, batch, around=layer, precision=6.0).item() == pytest.approx(np.log(2) + 6)


def test_classes_added_since_the_round_are_left_to_the_next():
    head, other = make_head(), make_head()
    head.refit(LABELS)
    other.refit(LABELS | {125: 2})

    assert other.draws(TAIL).tobytes() == head.draws(TAIL).tobytes()


def test_when_all_labels_are_undone_the_layer_is_the_rounds_again():
    layer = feature_head(32, 2)
    head = make_head(layer)
    head.refit(LABELS)
    head.refit({})

    assert head.draws(TAIL).tobytes() == make_head(layer).draws(TAIL).tobytes()


def test_a_head_made_anew_for_another_tail_fits_the_same():
    whole, part = make_head(), make_head(ids=np.array([*LABELS, 120]))
    for head in (whole, part):
        head.refit(LABELS)

    assert torch.equal(whole.state_dict()["head"]["1.weight"], part.state_dict()["head"]["1.weight"])


def test_it_says_which_samples_it_was_not_given():
    assert make_head().missing([120, 7, 8]) == [7, 8]


def test_of_nothing_nothing_is_said():
    assert make_head().draws([]).shape == (0, 2, 20)
    assert make_head().predict([]).shape == (0, 2)


def test_samples_it_was_not_given_are_named():
    head = make_head()

    with pytest.raises(MissingFeaturesError, match="ids 7"):
        head.draws([120, 7])
    with pytest.raises(MissingFeaturesError, match="ids 7"):
        head.predict([120, 7])
    with pytest.raises(MissingFeaturesError, match="ids 8"):
        head.refit(LABELS | {8: 1})


@pytest.mark.parametrize("kind", ["cnn", "features"])
def test_a_rounds_network_splits_before_its_last_dropout(kind):
    if kind == "cnn":
        backbone, layers = small_cnn(1, 16, 3)
        network, rows = (
            nn.Sequential(PreparePixels(1), *backbone, *layers),
            torch.zeros(2, 1, 16, 16, dtype=torch.uint8),
        )
    else:
        network, rows = nn.Sequential(PrepareFeatures(4), *feature_head(4, 3)), torch.ones(2, 4)
    body, head = split_at_last_layer(network)

    assert [type(layer) for layer in head] == [nn.Dropout, nn.Linear]
    assert torch.equal(head.eval()(body(rows)), network.eval()(rows))


def test_a_network_without_dropout_before_its_last_layer_is_refused():
    with pytest.raises(IdenticalDrawsError, match="dropout and a linear layer"):
        split_at_last_layer(nn.Sequential(nn.Dropout(0.5), nn.Linear(2, 2), nn.ReLU()))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_gpu_answers_as_the_cpu_does():
    cpu, gpu = make_head(), make_head(accelerator="cuda")
    for head in (cpu, gpu):
        head.refit(LABELS)

    np.testing.assert_allclose(gpu.predict(TAIL), cpu.predict(TAIL), atol=1e-3)
