"""Active learning: each round asks for the twenty samples that the network would learn most from."""

from digits import Network, digits, trainer

from loops import ActiveLearningDataModule, ActiveLearningLoop

pool, held_out = digits("pool", 400), digits("test", 200)
known_labels = pool.tensors[1].tolist()  # in place of a person: `oracle=LabelLoop("digits", classes=[...])`

data = ActiveLearningDataModule(pool, oracle=known_labels, query_size=20, acquisition="bald", test=held_out)
trainer = trainer(epochs=30)
trainer.fit_loop = ActiveLearningLoop(wrapping=trainer.fit_loop, rounds=3)
trainer.fit(Network(), data)

for labels, accuracy in trainer.fit_loop.curve:
    print(f"{labels} labels: {accuracy:.0%}")
