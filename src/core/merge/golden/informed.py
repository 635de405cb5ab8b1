"""Methods that need more than the weights of base and experts: fisher_average, regmean, safemerge, mergealign, led;
and mediator, which compares whole layers."""

import numpy as np

from merge import keep_largest
from stored import layer_count, layer_of


def fishers(merge, name):
    return np.stack([merge.material('fisher', model, name) for model in merge.model_names])


def fisher_average(merge):
    weights, floor = merge.per_model('weight', 1), merge.value('floor', 1e-6)
    paper = merge.value('variant', 'paper') == 'paper'
    if paper and merge.value('normalize_fishers', True):
        norms = np.sqrt(sum((fishers(merge, name) ** 2).reshape(len(weights), -1).sum(axis=1) for name in merge.names))
        weights = weights / np.where(norms > 0, norms, 1)
    merged = {}
    for name in merge.names:
        models, information = [model[name] for model in merge.models], list(fishers(merge, name))
        shares, target = list(weights), 0
        if not paper:
            information = [entry + floor for entry in information]
        elif merge.base:
            models, information = models + [merge.base[name]], information + [np.full(models[0].shape, floor)]
            shares, target = shares + [1.0], len(models) - 1
        else:
            information[0] = np.maximum(information[0], floor)
        total = sum(share * entry for share, entry in zip(shares, information))
        sums = sum(share * entry * model for share, entry, model in zip(shares, information, models))
        merged[name] = np.where(total > 0, sums / np.where(total > 0, total, 1), models[target])
    return merged


def regmean(merge, name):
    weights = merge.per_model('weight', 1)
    tensors = [model[name] for model in merge.models]
    mean = sum(w * tensor for w, tensor in zip(weights, tensors)) / weights.sum()
    grams = [merge.material('gram', model, name) for model in merge.model_names]
    if any(gram is None for gram in grams):
        return mean
    factor = merge.value('off_diagonal', 0.6)
    grams = [w * (factor * gram + (1 - factor) * np.diag(np.diag(gram))) for w, gram in zip(weights, grams)]
    total = sum(grams)
    ridge = 1e-8 * np.trace(total) / len(total)
    system = total + ridge * np.eye(len(total))
    merge.margin('regmean condition', 100 / np.linalg.cond(system))
    right = sum(tensor @ gram for tensor, gram in zip(tensors, grams)) + ridge * mean
    return np.linalg.solve(system, right.T).T


def safety_cosine(direction, delta):
    length = np.linalg.norm(direction)
    projected = direction @ (direction.T @ delta) / length if length >= 1e-9 else np.zeros_like(delta)
    scale = np.linalg.norm(projected) * np.linalg.norm(delta)
    return np.sum(projected * delta) / scale if scale > 0 else 0.0


def safemerge(merge, name):
    tau, alpha = merge.value('tau', 0.35), merge.value('alpha', 0.8)
    anchor, deltas, weights = merge.base[name], merge.deltas(name), merge.per_model('weight', 1)
    safe = merge.roles['safe'][name] - anchor if 'safe' in merge.roles else 0
    if anchor.ndim == 2:
        direction = anchor - merge.roles['unaligned'][name]
        cosines = np.array([safety_cosine(direction, delta) for delta in deltas])
        merge.margin('safety cosine', np.abs(cosines - tau))
        merge.note(f'{name}: rho {" ".join(f"{cosine:.3f}" for cosine in cosines)}')
        deltas = [
            alpha * delta + (1 - alpha) * safe if cosine < tau else delta for cosine, delta in zip(cosines, deltas)
        ]
    return anchor + sum(w * delta for w, delta in zip(weights, deltas)) / weights.sum()


def mergealign(merge, name):
    base, weights = merge.base[name], merge.per_model('weight', 0.5)
    moved = sum(w * delta for w, delta in zip(weights, merge.deltas(name)))
    return base + moved + merge.value('beta', 0.5) * (merge.roles['aligned'][name] - base)


def led(merge, name):
    base, deltas = merge.base[name], merge.deltas(name)
    weights, ratios = merge.per_model('weight', 1), merge.per_model('r')
    masks = []
    for model, ratio in zip(merge.model_names, ratios):
        count = int(ratio * base.size)
        own, shared = (merge.material('importance', who, name) for who in (model, 'base'))
        masks.append(keep_largest(merge, own, count) & keep_largest(merge, shared, count))
    alone = np.sum(masks, axis=0) == 1
    moved = sum(w * (mask & alone) * delta for w, mask, delta in zip(weights, masks, deltas))
    return base + merge.value('lambda', 1) * moved


def norms_of(merge, layer, deltas):
    names = [name for name in merge.names if layer_of(name) == layer]
    parts = [np.concatenate([deltas[name][k].ravel() for name in names]) for k in range(len(merge.models))]
    return np.array([np.linalg.norm(part) for part in parts]), np.linalg.norm(sum(parts))


def mediator(merge):
    weights, keep = merge.per_model('weight', 1), merge.value('keep', 0.1)
    deltas = {name: merge.deltas(name) for name in merge.names}
    norms, conflicts = {}, {}
    for layer in range(layer_count(merge.names)):
        norms[layer], together = norms_of(merge, layer, deltas)
        conflicts[layer] = 1 - together / norms[layer].sum() if norms[layer].any() else 0.0
    levels = np.array(list(conflicts.values()))
    bound = levels.mean() + merge.value('threshold', 0.5) * levels.std() + 1e-6
    if np.ptp(levels) > 1e-12:
        merge.margin('conflict', np.abs(levels - bound))
    merge.note(f'conflict {levels} bound {bound:.4f}')
    merged = {}
    for name in merge.names:
        base, layer = merge.base[name], layer_of(name)
        if layer is None or conflicts[layer] <= bound:
            merged[name] = base + np.tensordot(weights, deltas[name], 1) / weights.sum()
            continue
        shares = weights * norms[layer] / (weights * norms[layer]).sum()
        dense = int(np.argmax(shares))
        gaps = np.abs(np.delete(shares, dense) - shares[dense])
        merge.margin('dense expert', gaps[gaps > 0])
        merged[name] = base + deltas[name][dense]
        for share, delta in zip(shares, deltas[name]):
            difference = delta - deltas[name][dense]
            mask = keep_largest(merge, difference, max(1, int(keep * difference.size)))
            merged[name] = merged[name] + share * difference * mask
    return merged
