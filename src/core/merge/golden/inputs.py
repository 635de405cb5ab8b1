"""Seeded inputs: base, experts x, y, z, an unaligned and an aligned model, and the material some methods need."""

import numpy as np

GRID = 2.0**20
LAYERS = 3

SHAPES = {
    'model.embed_tokens.weight': (20, 12),
    **{f'model.layers.{layer}.mlp.down_proj.weight': (12, 18) for layer in range(LAYERS)},
    **{f'model.layers.{layer}.input_layernorm.weight': (12,) for layer in range(LAYERS)},
    'model.norm.weight': (12,),
    'lm_head.weight': (20, 12),
}
EXPERTS = ('x', 'y', 'z')


def on_grid(values):
    """Multiples of 2^-20: differences of such numbers below 8 are exact in float32."""
    return np.round(np.asarray(values) * GRID) / GRID


def heavy(random, shape, scale):
    return scale * np.clip(random.standard_t(3, shape), -8, 8)


def expert_deltas(random):
    """Task vectors: partly shared, heavy-tailed, a tenth to a half of the entries exactly zero."""
    deltas = {model: {} for model in EXPERTS}
    for name, shape in SHAPES.items():
        common = heavy(random, shape, 0.02)
        # The experts agree less the deeper they are, so that layers differ in conflict.
        own = 1.6 if '.2.' in name else 0.8 if '.1.' in name else 0.5
        for model, zeros in zip(EXPERTS, (0.1, 0.2, 0.5)):
            delta = common + own * heavy(random, shape, 0.02)
            deltas[model][name] = on_grid(delta * (random.random(shape) > zeros))
    down = 'model.layers.{}.mlp.down_proj.weight'
    # Many equal magnitudes, also across the cut of a trim.
    deltas['y'][down.format(0)] = np.round(deltas['y'][down.format(0)] * 128) / 128
    # One expert never touched this matrix.
    deltas['z'][down.format(1)] = np.zeros(SHAPES[down.format(1)])
    # Exactly of rank 3, as an adapter leaves it.
    rows, columns = SHAPES['model.embed_tokens.weight']
    factors = random.integers(-6, 7, (rows, 3)) @ random.integers(-6, 7, (3, columns))
    deltas['y']['model.embed_tokens.weight'] = factors / 1024
    # Small values between a tenth of the mean magnitude and a tenth of the root mean square.
    few = deltas['x']['lm_head.weight']
    small = random.random(few.shape) < 0.4
    size = np.sqrt(np.mean(few[~small] ** 2) * 0.6)
    deltas['x']['lm_head.weight'] = on_grid(np.where(small, 0.08 * size * np.sign(few), few))
    # x and z cancel exactly here when their weights are equal.
    deltas['z']['lm_head.weight'][3] = -deltas['x']['lm_head.weight'][3]
    deltas['y']['lm_head.weight'][3, ::2] = 0
    return deltas


def state_dicts(seed=2523):
    random = np.random.default_rng(seed)
    base = {}
    for name, shape in SHAPES.items():
        base[name] = on_grid(1 + 0.05 * random.standard_normal(shape) if len(shape) == 1 else heavy(random, shape, 0.08))
    models = {'base': base}
    for model, deltas in expert_deltas(random).items():
        models[model] = {name: base[name] + delta for name, delta in deltas.items()}
    models['unaligned'], models['aligned'] = {}, {}
    for name, shape in SHAPES.items():
        models['unaligned'][name] = on_grid(base[name] + 0.01 * random.standard_normal(shape))
        if len(shape) == 2:
            rank = 2
            change = random.standard_normal((shape[0], rank)) @ random.standard_normal((rank, shape[1])) * 0.03
        else:
            change = 0.03 * random.standard_normal(shape)
        models['aligned'][name] = on_grid(base[name] + change)
    # Alignment did not touch the embedding: its direction is zero when the base is compared with this model.
    models['unaligned']['model.embed_tokens.weight'] = base['model.embed_tokens.weight'].copy()
    return models


def material(seed=2411):
    random = np.random.default_rng(seed)
    tensors = {}
    for name, shape in SHAPES.items():
        nobody = random.random(shape) < 0.05
        for model in EXPERTS:
            fisher = 1e-3 * np.exp(1.5 * random.standard_normal(shape)) * (random.random(shape) > 0.1)
            tensors[f'fisher.{model}.{name}'] = np.where(nobody, 0, fisher)
        for model in ('base', *EXPERTS):
            tensors[f'importance.{model}.{name}'] = np.exp(random.standard_normal(shape))
        if '.layers.' in name and len(shape) == 2:
            for model in EXPERTS:
                # Fewer samples than inputs: y's matrix of layer 0 has rank 10 of 18.
                samples = 10 if model == 'y' and '.0.' in name else 40
                inputs = random.standard_normal((samples, shape[1])) * np.exp(0.5 * random.standard_normal(shape[1]))
                tensors[f'gram.{model}.{name}'] = inputs.T @ inputs
    return {name: values.astype(np.float32).astype(np.float64) for name, values in tensors.items()}
