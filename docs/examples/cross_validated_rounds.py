"""Both nested: in each round the labels are cross-validated, and the folds' networks ask where they contradict."""

from digits import Network, digits, trainer

from loops import ActiveLearningDataModule, ActiveLearningLoop, KFoldLoop

trainer = trainer(epochs=20)
folds = KFoldLoop(num_folds=3, wrapping=trainer.fit_loop)
trainer.fit_loop = ActiveLearningLoop(wrapping=folds, rounds=2)
data = ActiveLearningDataModule(digits("pool", 200), query_size=20, acquisition="bald", test=digits("test", 100))
trainer.fit(Network(), data)

print(f"{trainer.fit_loop.curve}, out of fold {folds.result.accuracy:.0%}")
