"""Several optimizers in one training step: a generative adversarial network, written as it is explained."""

import pytorch_lightning as pl
import torch
from digits import digits, trainer
from torch import nn
from torch.utils.data import DataLoader

from loops import YieldLoop


class Adversaries(pl.LightningModule):
    def __init__(self):
        super().__init__()
        self.generator = nn.Sequential(nn.Linear(8, 64), nn.ReLU(), nn.Linear(64, 64), nn.Sigmoid())
        self.discriminator = nn.Sequential(nn.Linear(64, 32), nn.LeakyReLU(0.2), nn.Linear(32, 1))

    def training_step(self, batch, batch_idx):
        real = batch[0].flatten(1)
        fake = self.generator(torch.randn(len(real), 8))
        yield self.loss(real, 1.0) + self.loss(fake.detach(), 0.0)
        yield self.loss(self.generator(torch.randn(len(real), 8)), 1.0)

    def loss(self, images, truth):
        said = self.discriminator(images)
        return nn.functional.binary_cross_entropy_with_logits(said, torch.full_like(said, truth))

    def configure_optimizers(self):
        return torch.optim.Adam(self.discriminator.parameters(), 1e-3), torch.optim.Adam(
            self.generator.parameters(), 1e-3
        )


trainer = trainer(epochs=3)
trainer.fit_loop.epoch_loop.batch_loop.connect(optimizer_loop=YieldLoop())
module = Adversaries()
trainer.fit(module, DataLoader(digits("pool", 200), batch_size=50))
print(f"mean ink of what it draws: {module.generator(torch.randn(100, 8)).mean():.2f}")
