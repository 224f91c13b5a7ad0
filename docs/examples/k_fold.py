"""Cross-validation: five networks, each fitted without the fifth of the labels that it predicts; together they vote."""

from digits import Network, digits, trainer

from loops import ActiveLearningDataModule, KFoldLoop

trainer = trainer(epochs=20)
trainer.fit_loop = KFoldLoop(num_folds=5, wrapping=trainer.fit_loop)
trainer.fit(Network(), ActiveLearningDataModule(digits("pool", 200)))

result = trainer.fit_loop.result
print(f"out of fold: {result.accuracy:.0%} of {len(result.sample_ids)}, 95 % interval {result.interval}")

images, labels = digits("test", 200).tensors
votes = trainer.fit_loop.voting_model()(images)
print(f"the five voting: {(votes.argmax(1) == labels).float().mean():.0%}")
