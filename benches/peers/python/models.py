"""Which eligible action does a model learned in Python prefer?

The rules are columns of numpy arrays. A model is trained at start, on made-up customers and a made-up
truth, and scores the eligible actions of one customer. It does not know HTTP.
"""

import numpy as np

EXAMPLES = 20_000


class Rules:
    """Three predicates per action, as columns."""

    def __init__(self, predicates):
        table = np.array(predicates, dtype=np.float64)
        self.attribute = table[:, :, 0].astype(np.intp)
        self.above = table[:, :, 1] > 0.5
        self.threshold = table[:, :, 2]

    def eligible(self, values):
        """The numbers of the actions whose predicates all hold."""
        return np.flatnonzero(((values[self.attribute] > self.threshold) == self.above).all(axis=1))


def experience(actions):
    """Made-up customers, the action each was shown, and whether it was bought."""
    dice = np.random.default_rng(20260309)
    values = dice.uniform(0, 100, (EXAMPLES, 64))
    shown = dice.integers(0, actions, EXAMPLES)
    likely = 1 / (1 + np.exp(3 - values[:, 0] / 100 - (shown % 7) / 7))
    return values, shown, dice.uniform(size=EXAMPLES) < likely


class ScikitLearn:
    """Logistic regression over the 64 values and the action as a one-hot; one `predict_proba` per request."""

    def __init__(self, actions):
        from sklearn.linear_model import SGDClassifier

        values, shown, bought = experience(actions)
        self.rows = np.hstack([np.zeros((actions, 64)), np.eye(actions)])
        seen = self.rows[shown]
        seen[:, :64] = values / 100
        self.model = SGDClassifier(loss="log_loss", random_state=1).fit(seen, bought)

    def best(self, values, eligible):
        """The eligible action that is most likely bought."""
        rows = self.rows[eligible]
        rows[:, :64] = values / 100
        return int(eligible[self.model.predict_proba(rows)[:, 1].argmax()])


class VowpalWabbit:
    """A contextual bandit, `--cb_explore_adf`, customer and action crossed; one `predict` per request."""

    def __init__(self, actions):
        from vowpalwabbit import Workspace

        self.workspace = Workspace("--cb_explore_adf --epsilon 0.05 -q ca --quiet --random_seed 1")
        for values, shown, bought in zip(*experience(actions)):
            other = (shown + 1) % actions
            lines = [self.shared(values), f"0:{-float(bought)}:0.5 |a action_{shown}", f"|a action_{other}"]
            self.workspace.learn("\n".join(lines))

    @staticmethod
    def shared(values):
        named = (f"a{index:02}:{value / 100:.4f}" for index, value in enumerate(values))
        return "shared |c " + " ".join(named)

    def best(self, values, eligible):
        """The eligible action with the highest probability."""
        lines = [self.shared(values), *(f"|a action_{action}" for action in eligible)]
        return int(eligible[np.argmax(self.workspace.predict("\n".join(lines)))])


MODELS = {"scikit-learn": ScikitLearn, "vowpal-wabbit": VowpalWabbit}
