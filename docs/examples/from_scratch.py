"""Training without a Trainer: one's own fit loop around one's own epoch loop, on Fabric."""

import torch
from digits import digits
from lightning_fabric import Fabric
from torch import nn
from torch.utils.data import DataLoader

from loops import FitLoop, TrainingEpochLoop

torch.manual_seed(0)
model = nn.Sequential(nn.Flatten(), nn.Linear(64, 64), nn.ReLU(), nn.Dropout(0.2), nn.Linear(64, 10))
epoch_loop = TrainingEpochLoop(
    Fabric(accelerator="cpu", devices=1),
    model=model,
    optimizer=torch.optim.Adam(model.parameters(), 0.01),
    dataloader=DataLoader(digits("pool", 400), batch_size=50, shuffle=True),
    loss=lambda model, batch: nn.functional.cross_entropy(model(batch[0]), batch[1]),
    seed=0,
)
fit_loop = FitLoop(epoch_loop, max_epochs=10)
fit_loop.run()

state = fit_loop.state_dict()  # progress, weights and optimizer: `load_state_dict` goes on at any step
images, labels = digits("test", 200).tensors
print(f"{(model.eval()(images).argmax(1) == labels).float().mean():.0%}")
