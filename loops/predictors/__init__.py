"""Predictors: what answers for samples. Ids in, arrays out; see `loops.predictors.predictor`."""
