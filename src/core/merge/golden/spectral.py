"""Methods on singular vectors: tsvm, iso_c, resm, opcm, doge."""

import numpy as np

from merge import keep_largest
from taskVectors import flatten, unflatten

NULL = 1e-5


def triplets(merge, matrix):
    """Thin SVD without its null directions: U (m × p), s (p), V (n × p)."""
    u, s, vt = np.linalg.svd(matrix, full_matrices=False)
    kept = s > NULL * s[0] if s[0] > 0 else np.zeros(s.size, bool)
    if s[0] > 0:
        relative = s / s[0]
        merge.margin('rank', relative[kept])
        # What is zero in exact arithmetic must be nearly so here, or float32 might count it as a direction.
        if np.any((relative <= NULL) & (relative > 1e-12)):
            merge.margin('rank', 0)
    return u[:, kept], s[kept], vt[kept].T


def polar(merge, matrix):
    p, _, q = triplets(merge, matrix)
    return p @ q.T


def truncate(merge, factors, count):
    u, s, v = factors
    if 0 < count < s.size:
        merge.margin('spectral gap', (s[count - 1] - s[count]) / s[0])
    return u[:, :count], s[:count], v[:, :count]


def join_orthogonal(merge, parts, shape):
    """polar(U) S polar(V)^T of triplets laid side by side."""
    u, s, v = (np.concatenate([part[i] for part in parts], axis=-1) for i in range(3))
    return polar(merge, u) * s @ polar(merge, v).T if s.size else np.zeros(shape)


def tsvm(merge, name):
    base, deltas, alpha = merge.base[name], merge.deltas(name), merge.value('alpha', 1)
    if base.ndim != 2:
        return base + alpha * deltas.mean(axis=0)
    count = max(1, int(min(base.shape) / len(deltas)))
    parts = [truncate(merge, triplets(merge, delta), count) for delta in deltas]
    return base + alpha * join_orthogonal(merge, parts, base.shape)


def iso_c(merge, name):
    base, deltas, scale = merge.base[name], merge.deltas(name), merge.value('scale', 1)
    if base.ndim != 2:
        return base + scale * deltas.mean(axis=0)
    u, s, v = triplets(merge, deltas.sum(axis=0))
    return base + scale * s.sum() / min(base.shape) * u @ v.T


def outlier_mass(merge, size, sigma):
    bound = size.mean() + sigma * size.std()
    if bound > 0:
        merge.margin('outlier', np.abs(size / bound - 1))
    return size[size > bound].sum()


def sparsity(merge, size):
    bound = 0.1 * np.sqrt(np.mean(size**2))
    if bound == 0:
        return 1.0
    merge.margin('sparsity', np.abs(size / bound - 1))
    return np.mean(size < bound)


def resm(merge, name):
    base, deltas, alpha = merge.base[name], merge.deltas(name), merge.value('alpha', 1)
    if base.ndim != 2:
        return base + alpha * deltas.mean(axis=0)
    tasks, rank = len(deltas), min(base.shape)
    outliers = np.array([outlier_mass(merge, np.abs(delta), merge.value('sigma', 3)) for delta in deltas])
    weights = outliers / outliers.sum() if outliers.any() else np.full(tasks, 1 / tasks)
    dense = np.array([1 - sparsity(merge, np.abs(delta)) for delta in deltas])
    if not dense.any():
        return base.copy()
    wanted = rank / tasks * dense / dense.mean() + 0.5
    merge.margin('rank rounding', np.abs(wanted - np.round(wanted)))
    merge.note(f'{name}: ranks {np.floor(wanted)}')
    parts = []
    for delta, weight, count in zip(deltas, weights, np.minimum(np.floor(wanted), rank).astype(int)):
        u, s, v = truncate(merge, triplets(merge, delta), count)
        parts.append((u, s * tasks * weight, v))
    return base + alpha * join_orthogonal(merge, parts, base.shape)


def project_newcomer(merge, running, newcomer, alpha):
    """Part of the newcomer's task vector outside the leading block and the diagonal of the running merge's basis."""
    if newcomer.ndim != 2 or not running.any():
        return newcomer
    u, s, vt = np.linalg.svd(running, full_matrices=True)
    share = np.cumsum(s) / s.sum()
    rank = np.count_nonzero(s > NULL * s[0])
    split = rank if alpha >= 1 else int(np.count_nonzero(share <= alpha))
    merge.margin('split', np.abs(share[: rank - 1] - alpha))
    merge.margin('singular gap', np.abs(np.diff(s[:rank])) / s[0])
    inner = u.T @ newcomer @ vt.T
    inner[np.arange(rank), np.arange(rank)] = 0
    inner[:split, :split] = 0
    return u @ inner @ vt


def opcm(merge):
    alpha, base = merge.value('alpha', 0.5), merge.base
    merged = {name: merge.models[0][name] - base[name] for name in merge.names}
    scale = 1.0
    norms = [np.linalg.norm(flatten(merge, merged))]
    for model in merge.models[1:]:
        deltas = {name: model[name] - base[name] for name in merge.names}
        norms.append(np.linalg.norm(flatten(merge, deltas)))
        moved = {
            name: scale * merged[name] + project_newcomer(merge, merged[name], deltas[name], alpha)
            for name in merge.names
        }
        length, average = np.linalg.norm(flatten(merge, moved)), np.mean(norms)
        scale = length / average if length > 0 and average > 0 else 1.0
        merged = {name: delta / scale for name, delta in moved.items()}
    return {name: base[name] + merged[name] for name in merge.names}


def shared_subspace(merge, deltas):
    """Q (m × q), the common leading left singular vectors of the task vectors."""
    rank = min(deltas[0].shape)
    count = rank // len(deltas)
    parts = [truncate(merge, triplets(merge, delta), count)[0] for delta in deltas]
    joined = np.concatenate(parts, axis=1)
    if joined.shape[1] == 0:
        return joined
    return truncate(merge, triplets(merge, joined), int(rank / merge.value('subspace', 6)))[0]


def common_correction(merge, deltas, shares):
    """Delta of DOGE for one matrix, by Adam on the loss with the gradient kept outside the shared subspace."""
    common = np.zeros_like(deltas[0])
    if not shares.any():
        return common
    q = shared_subspace(merge, deltas)
    outside = lambda matrix: matrix - q @ (q.T @ matrix)
    merged, total = np.tensordot(shares, deltas, 1), shares.sum()
    first, second = np.zeros_like(common), np.zeros_like(common)
    for step in range(1, merge.value('steps', 400) + 1):
        conflict = np.einsum('jac,jac->ja', deltas, deltas - merged - total * common)
        gradient = outside(-2 * total * np.einsum('ja,jac->ac', conflict, deltas))
        first = 0.9 * first + 0.1 * gradient
        second = 0.999 * second + 0.001 * gradient**2
        rate = merge.value('lr', 1e-4) / (1 - 0.9**step)
        common = outside(common - rate * first / (np.sqrt(second / (1 - 0.999**step)) + 1e-8))
    return common


def doge(merge):
    eta, top = merge.value('eta', 0.07), merge.value('top', 0.3)
    base = flatten(merge, merge.base)
    masks = []
    for model in merge.models:
        delta = flatten(merge, model) - base
        masks.append(unflatten(merge, keep_largest(merge, delta, int(top * delta.size), 'model order')))
    merged = {}
    for name in merge.names:
        deltas = merge.deltas(name)
        norms = np.array([np.linalg.norm(delta) for delta in deltas])
        shares = np.where(norms > 0, eta / np.where(norms > 0, norms, 1), 0)
        common = common_correction(merge, deltas, shares) if deltas[0].ndim == 2 else 0
        parts = [share * (delta + common) * mask[name] for share, delta, mask in zip(shares, deltas, masks)]
        merged[name] = merge.base[name] + sum(parts)
    return merged
