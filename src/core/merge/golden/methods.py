"""Every method by its id: a function of the whole merge that returns a state dict."""

import informed
import spectral
import sphere
import taskVectors


def by_tensor(method):
    return lambda merge: {name: method(merge, name) for name in merge.names}


METHODS = {
    'ties': taskVectors.ties_model,
    'ramplus_tl': by_tensor(taskVectors.ram),
    'opcm': spectral.opcm,
    'doge': spectral.doge,
    'fisher_average': informed.fisher_average,
    'mediator': informed.mediator,
}
for module, names in {
    sphere: 'linear layerwise passthrough slerp nuslerp multislerp karcher',
    taskVectors: 'task_arithmetic dare_linear dare_ties della della_linear breadcrumbs breadcrumbs_ties '
    'model_stock sce nearswap arcee_fusion ram',
    spectral: 'tsvm iso_c resm',
    informed: 'regmean safemerge mergealign led',
}.items():
    METHODS.update({name: by_tensor(getattr(module, name)) for name in names.split()})
