"""The cases: what is merged, with which parameters, and which ones must give a known answer."""

XYZ = ('x', 'y', 'z')


def case(method, base, models, parameters=None, per_model=None, seed=None, **extra):
    """per_model: parameter → values in the order of the models."""
    models = list(models)
    tensor_parameters = {}
    for parameter, values in (per_model or {}).items():
        for model, value in zip(models, values):
            tensor_parameters.setdefault(model, {})[parameter] = value
    return {
        'method': method,
        'base': base,
        'models': models,
        'parameters': parameters or {},
        'tensor_parameters': tensor_parameters,
        'seed': seed,
        **extra,
    }


W = {'weight': (0.5, 0.3, 0.4)}
DYADIC = {'weight': (0.5, 0.25, 0.5)}


def averages():
    yield case('linear', None, XYZ, {'normalize': True}, W)
    yield case('linear', None, XYZ, {'normalize': False}, W)
    yield case('linear', None, XYZ, {}, {'weight': (1, -0.5, 0.75)})
    yield case('layerwise', None, 'xy', {}, {'weight': (0.7, 0.2)})
    yield case('layerwise', None, XYZ, {'start': 0.2, 'end': 0.9}, W)
    yield case('layerwise', None, XYZ, {'start': 1, 'end': 0.25, 'normalize': False}, W)
    yield case('passthrough', None, 'x')
    yield case('passthrough', None, 'y', {}, {'scale': (-0.75,)})
    yield case('slerp', 'base', 'x', {'t': 0.35})
    yield case('slerp', 'base', 'y', {}, note='t is 0.5')
    yield case('slerp', 'x', 'z', {'t': 1.2}, note='beyond the end')
    yield case('nuslerp', None, 'xy', {}, {'weight': (0.5, 0.3)})
    yield case('nuslerp', 'base', 'xz', {}, {'weight': (0.5, 0.3)}, note='one task vector is zero in layer 1')
    for row_wise in (False, True):
        parameters = {'nuslerp_flatten': False, 'nuslerp_row_wise': row_wise}
        yield case('nuslerp', None, 'xy', parameters, {'weight': (0.2, 0.6)})
        yield case('nuslerp', 'base', 'yz', parameters, {'weight': (0.9, 0.3)})
    yield case('nuslerp', None, 'xy', {}, {'weight': (0.5, -0.5)}, note='weights cancel: t is 0.5')
    yield case('multislerp', None, XYZ, {}, W)
    yield case('multislerp', 'base', XYZ, {}, W)
    yield case('multislerp', 'base', 'xz', {'normalize_weights': False, 'eps': 1e-4}, {'weight': (0.6, 0.7)})
    yield case('karcher', None, XYZ)
    yield case('karcher', 'base', XYZ, {'max_iter': 3, 'tol': 1e-6})
    yield case('karcher', None, 'xz', {'max_iter': 20, 'tol': 1e-3})


def task_vectors():
    yield case('task_arithmetic', 'base', XYZ, {'lambda': 0.7}, W)
    yield case('task_arithmetic', 'base', XYZ, {'normalize': True, 'lambda': 1.3}, {'weight': (0.5, -0.2, 0.4)})
    yield case('ties', 'base', XYZ, {}, {**W, 'density': (0.5, 0.5, 0.5)})
    yield case('ties', 'base', XYZ, {'normalize': False, 'lambda': 0.8}, {**W, 'density': (0.2, 0.45, 0.7)})
    yield case('ties', 'base', XYZ, {'rescale': True, 'density': 0.4}, W)
    yield case('ties', 'base', XYZ, {}, DYADIC, note='density 1; some weighted sums are exactly zero: + is elected')
    yield case('ties', 'base', XYZ, {'density': 0.6}, {'weight': (0.5, -0.3, 0.4)}, note='one model is taken away')
    for parameters in ({}, {'normalize': False, 'lambda': 0.6}):
        paper = {'variant': 'paper', **parameters}
        yield case('ties', 'base', XYZ, {**paper, 'density': 0.2}, {'weight': (1, 1, 1)})
        yield case('ties', 'base', XYZ, paper, {**W, 'density': (0.3, 0.6, 0.9)})
    yield case('ties', 'base', XYZ, {'variant': 'paper'}, {'weight': (1, 1, 1)}, note='sums of zero take the majority')
    for method in ('dare_linear', 'dare_ties'):
        yield case(method, 'base', XYZ, {}, {**W, 'density': (0.5, 0.5, 0.5)}, 7)
        yield case(method, 'base', XYZ, {'normalize': True, 'lambda': 0.9}, {**W, 'density': (0.3, 0.6, 1)}, 4294967290)
        yield case(method, 'base', XYZ, {'rescale': False, 'density': 0.4}, W, 12)
        yield case(method, 'base', XYZ, {'variant': 'paper', 'density': 0.25}, W, 99)
    for method in ('della', 'della_linear'):
        spread = {'density': (0.4, 0.6, 0.7), 'epsilon': (0.2, 0.1, 0.25)}
        yield case(method, 'base', XYZ, {}, W, 7, note='density 0.5, epsilon 0.15')
        yield case(method, 'base', XYZ, {'lambda': 1.1, 'normalize': method != 'della'}, {**W, **spread}, 31)
        yield case(method, 'base', XYZ, {'rescale': False, 'density': 0.6}, W, 5)
        yield case(method, 'base', XYZ, {'variant': 'paper'}, {**W, **spread}, 8)
    for method in ('breadcrumbs', 'breadcrumbs_ties'):
        yield case(method, 'base', XYZ, {'gamma': 0.02}, W, note='small tensors drop no largest element')
        spread = {'density': (0.8, 0.5, 0.6), 'gamma': (0.1, 0.2, 0)}
        yield case(method, 'base', XYZ, {'normalize': True, 'rescale': True, 'lambda': 0.7}, {**W, **spread})
        yield case(method, 'base', XYZ, {'density': 0.95, 'gamma': 0.1}, W, note='gamma is cut down')
    yield case('model_stock', 'base', XYZ)
    yield case('model_stock', 'base', 'xy', {'filter_wise': True})
    yield case('model_stock', 'base', XYZ, {'filter_wise': True})
    yield case('sce', 'base', XYZ)
    yield case('sce', 'base', XYZ, {'select_topk': 0.5})
    yield case('sce', 'base', 'yz', {'select_topk': 0.1})
    for t in (0.001, 0.02):
        yield case('nearswap', 'base', 'x', {'t': t})
    yield case('arcee_fusion', 'base', 'y')
    yield case('arcee_fusion', 'aligned', 'x')
    yield case('ram', 'base', XYZ)
    yield case('ram', 'base', XYZ, {'epsilon': 0.01})
    yield case('ramplus_tl', 'base', XYZ)
    yield case('ramplus_tl', 'base', XYZ, {'epsilon': 0.02, 'r': 0.5, 'alpha': 2})


def spectral():
    for method in ('tsvm', 'iso_c', 'resm'):
        strength = 'scale' if method == 'iso_c' else 'alpha'
        yield case(method, 'base', XYZ)
        yield case(method, 'base', 'xy', {strength: 0.6})
    yield case('resm', 'base', XYZ, {'sigma': 1.5, 'alpha': 1.2})
    yield case('tsvm', 'base', 'xx', note='equal experts: half of the joined directions are null')
    yield case('iso_c', 'base', 'y', note='a sum of rank 3')
    yield case('opcm', 'base', XYZ)
    yield case('opcm', 'base', 'zyx', {'alpha': 0.8}, note='the first task vector is zero in one matrix')
    yield case('opcm', 'base', 'yx', {'alpha': 1}, note='the first task vector has rank 3 in the embedding')
    yield case('opcm', 'base', 'yzx', {'alpha': 0.3})
    yield case('doge', 'base', XYZ, {'steps': 20})
    yield case('doge', 'base', XYZ, {'steps': 20, 'lr': 1e-3, 'eta': 0.4, 'top': 0.5, 'subspace': 3})
    yield case('doge', 'base', 'xy', {'eta': 0.3})
    yield case('doge', 'base', XYZ, {'steps': 0, 'top': 1}, note='no correction')


def informed():
    yield case('fisher_average', None, XYZ, {}, W)
    yield case('fisher_average', 'base', XYZ, {'floor': 1e-2}, W, note='the base is the target')
    yield case('fisher_average', None, 'zyx', {'normalize_fishers': False, 'floor': 0}, {'weight': (0.4, 0.3, 0.5)})
    yield case('fisher_average', None, XYZ, {'variant': 'common'}, W)
    yield case('fisher_average', None, XYZ, {'variant': 'common', 'floor': 1e-3}, W)
    yield case('regmean', None, XYZ, {}, W)
    yield case('regmean', None, 'xy', {'off_diagonal': 0.9}, {'weight': (1, 1)}, note='one Gram matrix has rank 10')
    yield case('regmean', None, XYZ, {'off_diagonal': 0}, {'weight': (1, 1, 1)})
    roles = {'material': {'unaligned': 'unaligned'}}
    yield case('safemerge', 'aligned', XYZ, {'tau': 0.75}, W, **roles)
    yield case('safemerge', 'aligned', 'xy', {'tau': 0.8, 'alpha': 0.3}, {'weight': (1, 1)}, **roles)
    yield case('safemerge', 'base', XYZ, {}, W, **roles, note='no direction in the embedding: rho is 0')
    roles = {'material': {'unaligned': 'unaligned', 'safe': 'aligned'}}
    yield case('safemerge', 'base', XYZ, {'tau': 0.65, 'alpha': 0.5}, W, **roles)
    roles = {'material': {'aligned': 'aligned'}}
    yield case('mergealign', 'base', 'x', {}, {'weight': (0.5,)}, **roles)
    yield case('mergealign', 'base', XYZ, {'beta': 0.8}, W, **roles)
    yield case('led', 'base', XYZ, {'lambda': 0.9}, {'weight': (1, 0.8, 0.6), 'r': (0.1, 0.4, 0.5)})
    yield case('led', 'base', XYZ, {'r': 0.6}, {'weight': (1, 1, 1)})
    yield case('led', 'base', 'x', {}, {'r': (0.3,)})
    yield case('mediator', 'base', XYZ, {}, W)
    yield case('mediator', 'base', XYZ, {'threshold': -0.5, 'keep': 0.3}, W)
    yield case('mediator', 'base', 'zxy', {'threshold': -9, 'keep': 1}, {'weight': (1, 1, 1)}, note='every layer routed')
    yield case('mediator', 'base', XYZ, {'threshold': 9}, W, note='every layer averaged')


# What each method needs besides models, to be called at all.
NEEDED = {'nearswap': {'t': 0.001}, 'led': {'r': 0.3}}
ROLES = {'safemerge': {'unaligned': 'unaligned'}, 'mergealign': {'aligned': 'base'}}
RANDOM = {'dare_linear', 'dare_ties', 'della', 'della_linear'}


def known(method, base, models, answer, parameters, note='must be a known model'):
    seed = 3 if method in RANDOM else None
    extra = {'equals': answer, 'note': note}
    if method in ROLES:
        extra['material'] = ROLES[method]
    return case(method, base, models, {**NEEDED.get(method, {}), **parameters}, None, seed, **extra)


def identities():
    """Cases whose answer is one of the inputs."""
    yield known('slerp', 'base', 'x', 'base', {'t': 0})
    yield known('slerp', 'base', 'x', 'x', {'t': 1})
    yield case('nuslerp', None, 'xy', {}, {'weight': (0, 2)}, equals='y', note='t is 1')
    yield known('layerwise', None, 'xy', 'x', {'start': 0, 'end': 0})
    yield known('layerwise', None, 'xy', 'y', {'start': 1, 'end': 1})
    yield known('safemerge', 'aligned', 'x', 'x', {'tau': -1})
    of_one = 'linear task_arithmetic ties dare_linear dare_ties della della_linear breadcrumbs breadcrumbs_ties sce'
    of_one += ' ram ramplus_tl tsvm resm opcm multislerp karcher fisher_average regmean mediator'
    plain = {'linear', 'multislerp', 'karcher', 'fisher_average', 'regmean'}
    for method in of_one.split():
        free = {'weight': 1, 'density': 1} if method not in {'sce', 'ram', 'ramplus_tl', 'karcher'} else {}
        if method in {'ram', 'ramplus_tl'}:
            free = {'epsilon': 1e-7}
        yield known(method, None if method in plain else 'base', 'x', 'x', free, note='one model, nothing dropped')
    for method in 'linear layerwise nuslerp multislerp karcher ties model_stock sce ram mediator'.split():
        plain = {'linear', 'layerwise', 'nuslerp', 'multislerp', 'karcher'}
        models = 'xx' if method == 'nuslerp' else 'xxx'
        free = {'epsilon': 1e-7} if method == 'ram' else {'weight': 1}
        yield known(method, None if method in plain else 'base', models, 'x', free, note='equal experts')
    for method in 'fisher_average regmean'.split():
        yield known(method, None, 'xx', 'x', {'weight': 1}, note='equal experts')
    halves = {'weight': 0.5}
    yield case('task_arithmetic', 'base', XYZ, halves)
    # Negative: counted from the case itself; all_cases makes it a number.
    yield case('dare_linear', 'base', XYZ, {**halves, 'density': 1}, None, 3, equals_case=-1, note='nothing dropped')
    unmoved = 'task_arithmetic ties dare_linear dare_ties della della_linear breadcrumbs breadcrumbs_ties'
    unmoved += ' model_stock sce nearswap arcee_fusion ram ramplus_tl tsvm iso_c resm opcm doge led mediator'
    unmoved += ' nuslerp multislerp safemerge mergealign'
    for method in unmoved.split():
        models = ['base'] * (1 if method in {'nearswap', 'arcee_fusion'} else 2)
        anchor = {'weight': 0.5, 'density': 0.5} if method not in {'sce', 'led'} else {}
        yield known(method, 'base', models, 'base', anchor, note='task vectors of zero')


def all_cases():
    groups = (averages, task_vectors, spectral, informed, identities)
    entries = [entry for group in groups for entry in group()]
    for number, entry in enumerate(entries):
        if 'equals_case' in entry:
            entry['equals_case'] += number
    return [{'case': number, **entry} for number, entry in enumerate(entries)]
