"""Adversarial acquisition: ask for what looks least like anything labeled. Needs no class labels."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch
from numpy.typing import NDArray
from sklearn.decomposition import PCA
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from loops.acquisition.cold_start import diverse
from loops.acquisition.functions import rank
from loops.errors import NotEnoughSamplesError, TrainingInterruptedError
from loops.frozen import Trainer
from loops.seeding import seed_of
from loops.yielding import YieldLoop

Floats = NDArray[np.floating[Any]]
Ids = NDArray[np.int64]

_DIMENSIONS = 32  # after PCA
_LANDMARKS = 5_000  # samples that PCA is fitted on
_TILE = 4_096  # rows that are projected, or scored, at a time
_STEPS = 300  # of both optimizers
_BATCH = 64  # labeled samples, and as many of the pool
_HIDDEN, _LATENT = 128, 16
_LEARNING_RATE = 1e-3
_FIRST = 8  # typical samples that the cold start begins with
_STRANGERS = 0.1  # share of the pool that the cold start then chooses among: the very strangest are outliers


@dataclass(frozen=True)
class StoredRows:
    """The features of a pool, read tile by tile: all of a million samples at once would be gigabytes."""

    rows_of: Callable[[Ids], Floats]
    sample_ids: Ids

    def __len__(self) -> int:
        """How many rows."""
        return len(self.sample_ids)

    def __getitem__(self, places: slice | Ids) -> Floats:
        """The rows at these places."""
        return self.rows_of(self.sample_ids[places])


Features = Floats | StoredRows


def vaal_scores(
    features_labeled_M_D: Features, features_pool_N_D: Features, *, seed: int, steps: int = _STEPS
) -> NDArray[np.float32]:
    """How much each sample of the pool looks unlabeled to a discriminator that an autoencoder tries to deceive.

    Variational adversarial active learning, Sinha et al. 2019, arXiv:1904.00370, on cached features instead of pixels.
    The log odds of "pool" at the mean code of a sample. High where nothing labeled is near. It knows nothing of
    classes, so also high for outliers, and as high for a hundred copies of one sample as for the first of them.

    Args:
        features_labeled_M_D: At least one row.
        features_pool_N_D: Of the samples to score.
        seed: Of weights, batches and noise: same seed, same scores.
        steps: Of each optimizer.

    Returns:
        `scores_N`, without bounds; higher is asked first.

    Raises:
        NotEnoughSamplesError: If nothing is labeled.
        TrainingInterruptedError: If something stopped it.
    """
    if not len(features_labeled_M_D):
        raise NotEnoughSamplesError(wanted=1, found=0)
    if not len(features_pool_N_D):
        return np.empty(0, np.float32)
    project = _projection(features_labeled_M_D, features_pool_N_D, seed=seed)
    return _scores(project(features_labeled_M_D), project(features_pool_N_D), seed=seed, steps=steps)


def vaal_cold_start(
    sample_ids: NDArray[np.int64], features_N_D: Floats, k: int, seed: int, *, steps: int = _STEPS
) -> NDArray[np.int64]:
    """Chooses without any label: typical samples first, then, again and again, strangers to those chosen.

    As many as were chosen before are added at a time, so `k` costs log2(k / 8) trainings. They are typical samples of
    diverse clusters (`diverse`) of the tenth of the pool that looks most unlabeled: the highest scores alone are
    outliers and copies of one another.

    Args:
        sample_ids: `[N]`.
        features_N_D: Their embedding.
        k: How many to choose; more than N: all.
        seed: Of all that is drawn.
        steps: Of each training.

    Returns:
        `[min(k, N)]` different ids; every beginning of the sequence is a good choice of its length.
    """
    order = np.argsort(sample_ids, kind="stable")  # the order of rows in a store must not matter
    ids, features = np.asarray(sample_ids, np.int64)[order], features_N_D[order]
    k = min(k, len(ids))
    chosen = diverse(ids, features, min(k, _FIRST), seed)
    if len(chosen) == k:
        return chosen
    points_N_P = _projection(features, seed=seed)(features)
    while len(chosen) < k:
        is_chosen = np.isin(ids, chosen)
        rest = ids[~is_chosen]
        round_seed = seed_of(seed, "vaal", len(chosen))
        scores = _scores(points_N_P[is_chosen], points_N_P[~is_chosen], seed=round_seed, steps=steps)
        wanted = min(len(chosen), k - len(chosen))
        strangers = np.sort(rank(rest, scores, max(4 * wanted, round(_STRANGERS * len(rest))), seed=seed))
        added = diverse(strangers, points_N_P[np.isin(ids, strangers)], wanted, round_seed)
        chosen = np.concatenate([chosen, added])
    return chosen


class AdversarialAutoencoder(pl.LightningModule):
    """A variational autoencoder and a discriminator that tells codes of labeled samples from codes of the pool.

    Args:
        dimensions: P, of its input.
    """

    def __init__(self, dimensions: int) -> None:
        super().__init__()
        self.encoder = _network(dimensions, 2 * _LATENT)
        self.decoder = _network(_LATENT, dimensions)
        self.discriminator = _network(_LATENT, 1)

    def forward(self, points_N_P: Tensor) -> Tensor:
        """Log odds `[N]` that a sample is of the pool."""
        mean_N_L, _ = self.encode(points_N_P)
        return self._log_odds(mean_N_L)

    def encode(self, points_N_P: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log variance of the codes, each `[N, L]`."""
        mean_N_L, log_variance_N_L = self.encoder(points_N_P).chunk(2, dim=1)
        return mean_N_L, log_variance_N_L.clamp(-8, 8)

    def training_step(self, batch: tuple[Tensor, Tensor], _batch_idx: int) -> Iterator[Tensor]:  # type: ignore[override]
        """The autoencoder's turn, then the discriminator's, as in the paper."""
        labeled, pool = batch
        yield self.autoencoder_loss(torch.cat([labeled, pool]))
        yield self.discriminator_loss(labeled, pool)

    def autoencoder_loss(self, points_N_P: Tensor) -> Tensor:
        """Reconstruction, divergence from the prior, and the wish that everything passes for labeled."""
        mean, log_variance = self.encode(points_N_P)
        code = mean + torch.randn_like(mean) * (0.5 * log_variance).exp()
        reconstruction = nn.functional.mse_loss(self.decoder(code), points_N_P)
        divergence = 0.5 * (mean**2 + log_variance.exp() - 1 - log_variance).sum(1).mean() / points_N_P.shape[1]
        deceit = nn.functional.softplus(self._log_odds(mean)).mean()
        return reconstruction + divergence + deceit

    def discriminator_loss(self, labeled: Tensor, pool: Tensor) -> Tensor:
        """Cross entropy of labeled (0) and pool (1)."""
        odds_labeled, odds_pool = self(labeled), self(pool)
        return nn.functional.softplus(odds_labeled).mean() + nn.functional.softplus(-odds_pool).mean()

    def configure_optimizers(self) -> list[torch.optim.Optimizer]:
        """One for the autoencoder, one for the discriminator."""
        autoencoder = [*self.encoder.parameters(), *self.decoder.parameters()]
        return [
            torch.optim.Adam(autoencoder, lr=_LEARNING_RATE),
            torch.optim.Adam(self.discriminator.parameters(), lr=_LEARNING_RATE),
        ]

    def _log_odds(self, code_N_L: Tensor) -> Tensor:
        log_odds: Tensor = self.discriminator(code_N_L)[:, 0]
        return log_odds


class _Pairs(Dataset[tuple[Tensor, Tensor]]):
    """A batch of labeled samples and one of the pool per step, drawn with replacement: there may be a single label."""

    def __init__(self, labeled_M_P: Tensor, pool_N_P: Tensor, *, steps: int, seed: int) -> None:
        generator = np.random.default_rng(seed)
        self._labeled, self._pool = labeled_M_P, pool_N_P
        self._labeled_rows = torch.from_numpy(generator.integers(len(labeled_M_P), size=(steps, _BATCH)))
        self._pool_rows = torch.from_numpy(generator.integers(len(pool_N_P), size=(steps, _BATCH)))

    def __len__(self) -> int:
        return len(self._pool_rows)

    def __getitem__(self, step: int) -> tuple[Tensor, Tensor]:
        return self._labeled[self._labeled_rows[step]], self._pool[self._pool_rows[step]]


def _scores(
    labeled_M_P: NDArray[np.float32], pool_N_P: NDArray[np.float32], *, seed: int, steps: int
) -> NDArray[np.float32]:
    pool = torch.from_numpy(pool_N_P)
    pairs = _Pairs(torch.from_numpy(labeled_M_P), pool, steps=steps, seed=seed)
    # On the CPU whatever there is: networks this small wait for a GPU longer than they compute.
    trainer = Trainer(accelerator="cpu", max_epochs=1, callbacks=[])
    trainer.fit_loop.epoch_loop.batch_loop.connect(optimizer_loop=YieldLoop())
    # One thread: on busy cores, two wait for each other many times longer than either computes.
    with torch.random.fork_rng(devices=[]), threadpool_limits(1, user_api="openmp"):
        torch.manual_seed(seed)
        model = AdversarialAutoencoder(pool_N_P.shape[1])
        trainer.fit(model, DataLoader(pairs, batch_size=None))
    if trainer.global_step < 2 * steps:  # Lightning takes Ctrl+C for an answer
        raise TrainingInterruptedError(steps=trainer.global_step // 2, wanted=steps)
    model.eval()
    with torch.no_grad():
        tiles = [model(pool[start : start + _TILE]) for start in range(0, len(pool), _TILE)]
    scores_N: NDArray[np.float32] = torch.cat(tiles).numpy()
    return scores_N


def _projection(*features: Features, seed: int) -> Callable[[Features], NDArray[np.float32]]:
    """PCA to a few dimensions whose mean variance is 1, tile by tile, so that no copy of all features is made."""
    landmarks = _landmarks(features, seed)
    dimensions = min(_DIMENSIONS, *landmarks.shape)
    with np.errstate(invalid="ignore"):  # identical rows have no variance to share out
        pca = PCA(dimensions, svd_solver="randomized", random_state=seed % 2**32).fit(landmarks)
    scale = max(float(np.sqrt(pca.explained_variance_.mean())), 1e-6)

    def project(rows: Features) -> NDArray[np.float32]:
        points_N_P = np.empty((len(rows), dimensions), np.float32)
        for start in range(0, len(rows), _TILE):
            tile = np.asarray(rows[start : start + _TILE], np.float32)
            points_N_P[start : start + _TILE] = pca.transform(tile) / scale
        return points_N_P

    return project


def _landmarks(features: tuple[Features, ...], seed: int) -> NDArray[np.float32]:
    generator = np.random.default_rng(seed)
    share = min(1.0, _LANDMARKS / sum(len(rows) for rows in features))
    drawn = [generator.choice(len(rows), size=max(1, round(share * len(rows))), replace=False) for rows in features]
    return np.concatenate(
        [np.asarray(rows[np.sort(some)], np.float32) for rows, some in zip(features, drawn, strict=True)]
    )


def _network(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(inputs, _HIDDEN), nn.ReLU(), nn.Linear(_HIDDEN, outputs))
