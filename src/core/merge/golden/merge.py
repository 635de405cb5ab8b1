"""What every method gets, and decisions that rounding could turn.

`margin` records how far each yes-or-no decision (a sign, a rank, a threshold) was from the other answer, relative to
the values compared. A golden case whose decisions hang on less than float32 can tell would test luck: generate.py
refuses it.
"""

import numpy as np


class Merge:
    """One merge: base (state dict or None), models [(name, state dict)], parameters, material, seed."""

    def __init__(self, case, state_dicts, material=None):
        self.method = case['method']
        self.base = state_dicts[case['base']] if case.get('base') else None
        self.models = [state_dicts[name] for name in case['models']]
        self.model_names = case['models']
        self.seed = case.get('seed')
        self.roles = {role: state_dicts[name] for role, name in case.get('material', {}).items()}
        self.names = sorted(self.models[0])
        self.tightest = {}
        self.unsure = {}
        self.notes = []
        self._global = case['parameters']
        self._per_model = case['tensor_parameters']
        self._material = material or {}

    def value(self, name, default=None):
        found = self._global.get(name, default)
        if found is None:
            raise ValueError(f'{self.method}: parameter {name} is required')
        return found

    def per_model(self, name, default=None):
        """One value for each model: its own, else the global one, else the default."""
        values = [
            self._per_model.get(model, {}).get(name, self._global.get(name, default)) for model in self.model_names
        ]
        if None in values:
            raise ValueError(f'{self.method}: parameter {name} is required for each model')
        return np.array(values, np.float64)

    def material(self, kind, model, tensor):
        return self._material.get(f'{kind}.{model}.{tensor}')

    def deltas(self, name):
        """Task vectors theta_k - theta_0 of one tensor, stacked (K, …)."""
        return np.stack([model[name] - self.base[name] for model in self.models])

    def note(self, text):
        self.notes.append(text)

    def margin(self, what, relative):
        relative = np.asarray(relative, np.float64)
        if relative.size:
            self.tightest[what] = min(self.tightest.get(what, np.inf), float(relative.min()))

    def decided_by_sign(self, what, total, scale, is_exact=True):
        """Margin of sign(total), |total| <= scale. A sum that cancels to zero is safe only where float32 is exact."""
        risky = (scale > 0) if not is_exact else (total != 0)
        self.margin(what, np.abs(total[risky]) / scale[risky])


def order_by_magnitude(values):
    """Indices of the flattened values, largest magnitude first, of equals the lower index first."""
    return np.argsort(-np.abs(values).ravel(), kind='stable')


def keep_largest(merge, values, count, what='order'):
    """Mask of the `count` entries largest in magnitude; equal magnitudes: the lower index is kept."""
    order = order_by_magnitude(values)
    mask = np.zeros(values.size, bool)
    mask[order[:count]] = True
    cut(merge, values, order, count, what)
    return mask.reshape(values.shape)


def cut(merge, values, order, position, what):
    """Margin of a cut of an order at `position`: relative gap of the two neighbours; exact ties are settled by index."""
    if 0 < position < order.size:
        above, below = np.abs(values).ravel()[order[position - 1 : position + 1]]
        if above != below:
            merge.margin(what, (above - below) / above)
