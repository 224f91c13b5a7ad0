"""What the measures of doubt mean, for a person who knows the samples and not the mathematics."""

from app.project.scores import BALD, PREDICTIVE_ENTROPY

NATS_HELP = (
    "**Nats** count doubt: 0 where the model is sure, 0.69 where two classes are equally likely, 1.10 where three are, "
    "2.30 where ten are."
)
BALD_HELP = (
    "**Model doubt (BALD, epistemic)**: the model is asked many times, each time with another part of it switched off. "
    "If the answers contradict each other, it has not learned this yet, and a label helps. It is like experts who each "
    "name another species with confidence."
)
ALEATORIC_HELP = (
    "**Sample ambiguity (aleatoric)**: every single answer is unsure, and they agree on that. The sample itself is "
    "unclear, blurred or between two classes, and more labels will not change it. It is like experts who all say: it "
    "could be either."
)
TOTAL_HELP = "**Predictive entropy**: all doubt together, model doubt and sample ambiguity."
HELP_OF = {BALD: f"{BALD_HELP}\n\n{NATS_HELP}", PREDICTIVE_ENTROPY: f"{TOTAL_HELP}\n\n{NATS_HELP}"}
