"""Methods on task vectors, elementwise or by rank: task_arithmetic, ties, dare, della, breadcrumbs, model_stock,
sce, nearswap, arcee_fusion, ram. Names that end in _model see the whole model at once, others one tensor."""

import numpy as np

from merge import cut, keep_largest, order_by_magnitude

GOLDEN = 0x9E3779B9


def pcg(x):
    """PCG hash of u32 values (Jarzynski & Olano 2020)."""
    word = 0xFFFFFFFF
    x = np.asarray(x, np.uint64) & word
    state = (x * 747796405 + 2891336453) & word
    mixed = (((state >> ((state >> 28) + 4)) ^ state) * 277803737) & word
    return (mixed >> 22) ^ mixed


def draw(merge, k, keep):
    """Bernoulli mask of keep probabilities (any shape) for task vector k."""
    offset = np.uint64((merge.seed + GOLDEN * k) % 2**32)
    uniform = pcg(np.arange(keep.size, dtype=np.uint64) ^ offset).reshape(keep.shape) / 2.0**32
    merge.margin('draw', np.abs(uniform - keep))
    return uniform < keep


def rescaled(delta, kept, rescale):
    """mergekit: kept entries times the factor that restores the L1 norm of delta."""
    masked = delta * kept
    before, after = np.abs(delta).sum(), np.abs(masked).sum()
    return masked * (before / after) if rescale and before > 1e-7 and after > 1e-7 else masked


def trim(merge, delta, density, rescale):
    if density >= 1:
        return delta
    return rescaled(delta, keep_largest(merge, delta, int(density * delta.size)), rescale)


def drop(merge, k, delta, density, rescale):
    if density >= 1:
        return delta
    kept = draw(merge, k, np.full(delta.shape, density))
    if merge.value('variant', 'mergekit') == 'paper':
        return delta * kept / (density if rescale else 1)
    return rescaled(delta, kept, rescale)


def drop_by_rank(merge, k, delta, density, epsilon, rescale):
    if density >= 1:
        return delta
    if density - epsilon <= 0 or density + epsilon >= 1:
        raise ValueError(f'{merge.method}: density {density} with epsilon {epsilon} leaves (0, 1)')
    rows = delta.reshape(-1, delta.shape[-1])
    width = rows.shape[1]
    # Rank 0 is the smallest; of equals the lower index has the higher rank, as in every other order here.
    place = np.argsort(np.argsort(-np.abs(rows), axis=1, kind='stable'), axis=1)
    rank = (width - 1 - place) / (width - 1) if width > 1 else np.full(rows.shape, 0.5)
    keep = (density - epsilon + 2 * epsilon * rank).reshape(delta.shape)
    kept = draw(merge, k, keep)
    if merge.value('variant', 'mergekit') == 'paper':
        return delta * kept / (keep if rescale else 1)
    return rescaled(delta, kept, rescale)


def drop_outliers(merge, delta, density, gamma, rescale):
    if density >= 1:
        return delta
    size = delta.size
    top, bottom = int(gamma * size), size - int(density * size) - int(gamma * size)
    if bottom < 0:
        top, bottom = top + bottom, 0
    order = order_by_magnitude(delta)
    kept = np.zeros(size, bool)
    kept[order[top : size - bottom]] = True
    cut(merge, delta, order, top, 'order')
    cut(merge, delta, order, size - bottom, 'order')
    return rescaled(delta, kept.reshape(delta.shape), rescale)


def is_dyadic(values):
    """Whether float32 holds the values exactly, with room for a sum."""
    return np.all(values == np.round(values * 2**20) / 2**20)


def combine(merge, base, deltas, weights, consensus, normalize):
    """Sum of weighted task vectors, with election of signs if asked for; lambda comes last."""
    weights = weights.reshape(-1, *[1] * base.ndim)
    weighted = deltas * weights
    if consensus:
        total = weighted.sum(axis=0)
        is_exact = np.all(np.frexp(weights)[0] == 0.5) and all(is_dyadic(delta) for delta in deltas)
        merge.decided_by_sign('election', total, np.abs(weighted).sum(axis=0), is_exact)
        agree = np.sign(weighted) == np.where(total >= 0, 1, -1)
        merged, divisor = (weighted * agree).sum(axis=0), (weights * agree).sum(axis=0)
        divisor = np.where(divisor == 0, 1, divisor)
    else:
        merged, divisor = weighted.sum(axis=0), weights.sum()
        divisor = 1 if abs(divisor) < 1e-8 else divisor
    return base + merge.value('lambda', 1) * (merged / divisor if normalize else merged)


def task_vector_method(sparsify, consensus, normalize, rescale):
    """A per-tensor method: sparsify(merge, k, delta, rescale), weight, elect, sum, normalise, lambda."""

    def method(merge, name):
        again = merge.value('rescale', rescale)
        deltas = np.stack([sparsify(merge, k, delta, again) for k, delta in enumerate(merge.deltas(name))])
        wanted = merge.value('normalize', normalize)
        return combine(merge, merge.base[name], deltas, merge.per_model('weight'), consensus, wanted)

    return method


def _trim(merge, k, delta, rescale):
    return trim(merge, delta, merge.per_model('density', 1)[k], rescale)


def _drop(merge, k, delta, rescale):
    return drop(merge, k, delta, merge.per_model('density', 1)[k], rescale)


def _drop_by_rank(merge, k, delta, rescale):
    density, epsilon = merge.per_model('density', 0.5)[k], merge.per_model('epsilon', 0.15)[k]
    return drop_by_rank(merge, k, delta, density, epsilon, rescale)


def _drop_outliers(merge, k, delta, rescale):
    density, gamma = merge.per_model('density', 0.9)[k], merge.per_model('gamma', 0.01)[k]
    return drop_outliers(merge, delta, density, gamma, rescale)


task_arithmetic = task_vector_method(lambda merge, k, delta, rescale: delta, False, False, False)
ties_by_tensor = task_vector_method(_trim, True, True, False)
dare_linear = task_vector_method(_drop, False, False, True)
dare_ties = task_vector_method(_drop, True, False, True)
della = task_vector_method(_drop_by_rank, True, True, True)
della_linear = task_vector_method(_drop_by_rank, False, False, True)
breadcrumbs = task_vector_method(_drop_outliers, False, False, False)
breadcrumbs_ties = task_vector_method(_drop_outliers, True, False, False)


def flatten(merge, tensors):
    return np.concatenate([tensors[name].ravel() for name in merge.names])


def unflatten(merge, vector):
    tensors, at = {}, 0
    for name in merge.names:
        shape = merge.models[0][name].shape
        size = int(np.prod(shape))
        tensors[name] = vector[at : at + size].reshape(shape)
        at += size
    return tensors


def ties_model(merge):
    """The paper's form sees the whole model; mergekit's goes tensor by tensor."""
    if merge.value('variant', 'mergekit') == 'mergekit':
        return {name: ties_by_tensor(merge, name) for name in merge.names}
    base = flatten(merge, merge.base)
    trimmed = []
    for model, density in zip(merge.models, merge.per_model('density', 1)):
        delta = flatten(merge, model) - base
        trimmed.append(delta * keep_largest(merge, delta, min(delta.size, int(density * delta.size)), 'model order'))
    trimmed = np.stack(trimmed)
    total = trimmed.sum(axis=0)
    merge.decided_by_sign('election', total, np.abs(trimmed).sum(axis=0))
    elected = np.sign(total)
    elected[elected == 0] = 1 if elected.sum() >= 0 else -1
    agree = (np.sign(trimmed) == elected) & (trimmed != 0)
    weights = merge.per_model('weight', 1)[:, None]
    merged = (weights * trimmed * agree).sum(axis=0)
    if merge.value('normalize', True):
        divisor = (weights * agree).sum(axis=0)
        merged /= np.where(divisor == 0, 1, divisor)
    return unflatten(merge, base + merge.value('lambda', 1) * merged)


def model_stock(merge, name):
    base, deltas = merge.base[name], merge.deltas(name)
    count = len(deltas)
    if count < 2:
        raise ValueError('model_stock needs two models besides the base')
    flat = deltas if merge.value('filter_wise', False) else deltas.reshape(count, -1)
    norms = np.linalg.norm(flat, axis=-1)
    cosines = [
        np.sum(flat[i] * flat[j], axis=-1) / np.maximum(norms[i] * norms[j], 1e-6)
        for i in range(count)
        for j in range(i)
    ]
    cosine = np.mean(cosines, axis=0)[..., None]
    merge.margin('norm floor', np.abs(norms[norms > 0] ** 2 / 1e-6 - 1))
    t = count * cosine / (1 + (count - 1) * cosine)
    return base + (t * flat.mean(axis=0)).reshape(base.shape)


def sce(merge, name):
    base, deltas = merge.base[name], merge.deltas(name)
    share = merge.value('select_topk', 1)
    if share < 1:
        variance = deltas.var(axis=0)
        count = int(np.count_nonzero(variance) * share)
        deltas = deltas * keep_largest(merge, variance, count, 'variance order')
    energy = (deltas.reshape(len(deltas), -1) ** 2).mean(axis=1)
    total = energy.sum()
    energy = np.full(len(deltas), 1 / len(deltas)) if total < 1e-6 else energy / total
    merge.margin('energy floor', abs(total / 1e-6 - 1))
    energy = energy.reshape(-1, *[1] * base.ndim)
    elected = deltas.sum(axis=0)
    merge.decided_by_sign('election', elected, np.abs(deltas).sum(axis=0))
    weights = energy * (np.sign(deltas) == np.where(elected >= 0, 1, -1))
    return base + (weights * deltas).sum(axis=0) / np.maximum(weights.sum(axis=0), 1e-6)


def nearswap(merge, name):
    base, delta = merge.base[name], merge.deltas(name)[0]
    return base + np.clip(merge.value('t') / np.maximum(np.abs(delta), 1e-6), 0, 1) * delta


def softmax(values):
    raised = np.exp(values - values.max(axis=-1, keepdims=True))
    return raised / raised.sum(axis=-1, keepdims=True)


def arcee_fusion(merge, name):
    base, delta = merge.base[name], merge.deltas(name)[0]
    after, before = softmax(base + delta) + 1e-8, softmax(base) + 1e-8
    divergence = np.sum(after * np.log(after / before), axis=-1, keepdims=True)
    importance = np.abs(delta) * divergence
    low, median, high = np.quantile(importance, [0.25, 0.5, 0.75], method='lower')
    bound = median + 1.5 * (high - low)
    if importance.any():
        distance = np.abs(importance - bound) / bound
        merge.margin('fusion', distance)
        # Float32 cancels in the divergence and errs by about 1e-3.
        merge.unsure[name] = distance < 2.5e-3
    return base + delta * (importance >= bound)


def ram_factors(merge, active, alone):
    if merge.method == 'ram':
        return np.ones(len(active))
    factors = []
    for k in range(len(active)):
        unique = np.count_nonzero(active[k] & alone)
        shared = np.count_nonzero(active[k] & ~alone)
        ratio = shared / unique if unique else 0
        factors.append(1 + merge.value('r', 0.1) * min(max(ratio, 0), merge.value('alpha', 0.2)))
    return np.array(factors)


def ram(merge, name):
    base, deltas = merge.base[name], merge.deltas(name)
    bound = merge.value('epsilon', 1e-5)
    active = np.abs(deltas) > bound
    merge.margin('active', np.abs(np.abs(deltas) / bound - 1))
    count = active.sum(axis=0)
    factors = ram_factors(merge, active, count == 1).reshape(-1, *[1] * base.ndim)
    kept = np.where(active, deltas, 0)
    return base + np.where(count == 1, (factors * kept).sum(axis=0), kept.sum(axis=0) / np.maximum(count, 1))
