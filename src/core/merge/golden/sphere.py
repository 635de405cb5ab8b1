"""Averages and means on the sphere: linear, layerwise, slerp, nuslerp, multislerp, karcher, passthrough."""

import numpy as np

from stored import layer_count, layer_of


def linear(merge, name):
    weights = merge.per_model('weight')
    total = sum(w * model[name] for w, model in zip(weights, merge.models))
    return total / weights.sum() if merge.value('normalize', True) else total


def depth_of(name, layers):
    """0 at the embedding and the first layer, 1 at the last layer and after it; 1 if there is a single layer."""
    layer = layer_of(name)
    if layer is None:
        return 0.0 if 'embed' in name else 1.0
    return layer / (layers - 1) if layers > 1 else 1.0


def layerwise(merge, name):
    start, end = merge.value('start', 0), merge.value('end', 1)
    share = start + (end - start) * depth_of(name, layer_count(merge.names))
    weights = merge.per_model('weight', 1)
    first = weights[0] * merge.models[0][name]
    others = sum(w * model[name] for w, model in zip(weights[1:], merge.models[1:]))
    if merge.value('normalize', True):
        first, others = first / weights[0], others / weights[1:].sum()
    return (1 - share) * first + share * others


def passthrough(merge, name):
    return merge.models[0][name] * merge.per_model('scale', 1)[0]


def slerp(merge, name):
    start, end = merge.base[name], merge.models[0][name]
    t = merge.value('t', 0.5)
    norms = [np.linalg.norm(v) for v in (start, end)]
    units = [v / n if n > 1e-8 else v for v, n in zip((start, end), norms)]
    cosine = np.sum(units[0] * units[1])
    merge.margin('slerp or lerp', abs(abs(cosine) - 0.9995))
    if abs(cosine) > 0.9995:
        return (1 - t) * start + t * end
    angle = np.arccos(cosine)
    return (np.sin((1 - t) * angle) * start + np.sin(t * angle) * end) / np.sin(angle)


def nuslerp(merge, name):
    weights = merge.per_model('weight')
    t = 0.5 if abs(weights.sum()) < 1e-6 else weights[1] / weights.sum()
    origin = merge.base[name] if merge.base else 0
    shape = merge.models[0][name].shape
    pair = np.stack([model[name] - origin for model in merge.models])
    flat = merge.value('nuslerp_flatten', True)
    if flat:
        pair = pair.reshape(2, -1)
    axis = 1 if merge.value('nuslerp_row_wise', False) and not flat else -1
    units = pair / np.maximum(np.linalg.norm(pair, axis=axis, keepdims=True), 1e-7)
    cosine = np.sum(units[0] * units[1], axis=axis if axis < 0 else 0, keepdims=True)
    angle = np.arccos(np.clip(cosine, -1, 1))
    sine = np.sin(angle)
    colinear = np.abs(sine) < 1e-8
    safe = np.where(colinear, 1, sine)
    shares = [
        np.where(colinear, 1 - t, np.sin((1 - t) * angle) / safe),
        np.where(colinear, t, np.sin(t * angle) / safe),
    ]
    return (shares[0] * pair[0] + shares[1] * pair[1]).reshape(shape) + origin


def multislerp(merge, name):
    if len(merge.models) == 1:
        return merge.models[0][name]
    eps = merge.value('eps', 1e-8)
    origin = merge.base[name] if merge.base else np.zeros_like(merge.models[0][name])
    points = np.stack([(model[name] - origin).ravel() for model in merge.models])
    weights = merge.per_model('weight')
    if merge.value('normalize_weights', True):
        weights = weights / weights.sum()
    norms = np.linalg.norm(points, axis=1)
    units = points / (norms + eps)[:, None]
    mean = weights @ units
    length = np.linalg.norm(mean)
    if length < eps:
        if points.any():
            raise ValueError(f'multislerp: {name} of the models cancels')
        return origin.copy()
    mean /= length
    tangents = units - np.outer(units @ mean, mean)
    step = weights @ tangents
    size = np.linalg.norm(step) + eps
    point = np.cos(size) * mean + np.sin(size) / size * step
    return (weights @ norms * point).reshape(origin.shape) + origin


def karcher(merge, name):
    inputs = ([merge.base] if merge.base else []) + merge.models
    tolerance = merge.value('tol', 1e-5)
    points = np.stack([model[name].ravel() for model in inputs])
    norms = np.linalg.norm(points, axis=1)
    points, norms = points[norms > tolerance], norms[norms > tolerance]
    if not norms.size:
        return np.zeros_like(inputs[0][name])
    units = points / norms[:, None]
    center = units.mean(axis=0)
    length = np.linalg.norm(center)
    center = units[0] if length < tolerance else center / length
    for _ in range(merge.value('max_iter', 10)):
        cosines = np.clip(units @ center, -1, 1)
        angles = np.arccos(cosines)
        away = angles >= tolerance
        factors = np.where(away, angles / np.where(away, np.sin(angles), 1), 0) / norms.size
        step = factors @ units - (factors @ cosines) * center
        size = np.linalg.norm(step)
        merge.margin('karcher stop', abs(size / tolerance - 1))
        if size < tolerance:
            break
        center = np.cos(size) * center + np.sin(size) / size * step
        center /= np.linalg.norm(center)
    return (norms.mean() * center).reshape(inputs[0][name].shape)
