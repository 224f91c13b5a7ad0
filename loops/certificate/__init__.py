"""A certificate of accuracy: what is proven of the answers that a predictor gives for everything nobody has labeled.

**The claim.** At any moment, and however often one looks: "of the samples that are left, at least the share `proven` is
answered rightly by the candidate". Over the whole life of a project, over all predictors it ever had and over every
moment at which somebody may stop, the chance that any such claim is wrong is at most `ALPHA`, 5 %.

**The population.** A *candidate* is a predictor's answers for the N samples that were left when it was made: fixed
before its first audit sample is drawn. A sample's error `e_i` is 1 where the answer differs from the label that stands
(a skip counts as an error), and `theta` is their sum. Labels are taken as the truth; see the page "What is proven".

**The draws.** Samples come one by one, without replacement, each with a probability `q_i` among those not drawn yet
that is in proportion to a weight fixed with the candidate (Efraimidis and Spirakis 2006: by the smallest of
`-log(u_i) / weight_i`). The order is a function of the seed, so nobody chooses it and everybody can recompute it.

**The martingale.** Before each draw stakes `v_i > 1` are laid on every sample left, by what is known so far; `V` is
their sum, `found` the errors drawn before. The draw of sample i multiplies the wealth of the hypothesis "theta = m" by

    (v_i - e_i) / (q_i (V - (m - found)))

Its expectation is `(V - (theta - found)) / (V - (m - found))`: exactly 1 at `m = theta`, whatever the stakes, and the
whole is increasing in m. So the wealth at `m = theta` is a nonnegative martingale from 1, it ever reaches `1 / ALPHA`
with probability at most `ALPHA` (Ville 1939), and every `m` whose wealth has reached it is refuted together with all
larger ones. Nothing is assumed of the predictor, of its probabilities or of the stakes; good ones save labels. The
stakes and the probabilities are those under which the wealth grows fastest if the belief were true (`stakes`), and the
belief is the predictor's own doubt, recalibrated by all audit labels so far (`belief`).

**The predictor changes.** Let a second candidate give other answers than the first for D of the samples it is made
for, and let `found` be the known errors of the first among those that are gone. Then `theta_1 >= theta_2 - D + found`,
so the first one's wealth at `m - D + found` is carried over as what the second starts with at `m`: at `theta_2` it is
at most the first's at `theta_1`. One supermartingale runs through all candidates, so there is no correction for their
number, and none for when or why one was replaced, as long as it was by what had been seen. A part of the wealth is kept
as cash at each change (`CASH`), so that no candidate can lose it all.

**What an old audit label is used for**: its draw stays in the carried wealth; it recalibrates the belief in the next
candidate, whose own answer for that sample is compared with it; it is never trained on.
"""
