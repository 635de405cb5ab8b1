// Facts about mergekit that a recipe has to respect: its methods with the parameters it reads, keys it has and we
// do not support, keys of its sister tools. Names only; what the methods compute is elsewhere.

interface KnownMethod {
  global: readonly string[]
  model: readonly string[]
}

const sparse = ['normalize', 'lambda', 'int8_mask', 'rescale']

/** Methods of mergekit with the parameters it reads. */
export const MERGEKIT_METHODS: Readonly<Record<string, KnownMethod>> = {
  linear: { global: ['normalize'], model: ['weight'] },
  slerp: { global: ['t'], model: [] },
  nuslerp: { global: ['nuslerp_flatten', 'nuslerp_row_wise'], model: ['weight'] },
  multislerp: { global: ['normalize_weights', 'eps'], model: ['weight'] },
  karcher: { global: ['max_iter', 'tol'], model: [] },
  task_arithmetic: { global: sparse, model: ['weight', 'density'] },
  ties: { global: sparse, model: ['weight', 'density'] },
  dare_linear: { global: sparse, model: ['weight', 'density'] },
  dare_ties: { global: sparse, model: ['weight', 'density'] },
  della: { global: sparse, model: ['weight', 'density', 'epsilon'] },
  della_linear: { global: sparse, model: ['weight', 'density', 'epsilon'] },
  breadcrumbs: { global: sparse, model: ['weight', 'density', 'gamma'] },
  breadcrumbs_ties: { global: sparse, model: ['weight', 'density', 'gamma'] },
  sce: { global: ['select_topk', 'int8_mask'], model: [] },
  ram: { global: ['epsilon'], model: [] },
  ramplus_tl: { global: ['epsilon', 'r', 'alpha'], model: [] },
  model_stock: { global: ['filter_wise'], model: [] },
  nearswap: { global: ['t'], model: [] },
  arcee_fusion: { global: [], model: [] },
  passthrough: { global: [], model: ['scale'] },
}

/**
 * Why a parameter that mergekit reads changes nothing in its results; undefined when it does. Such parameters are
 * common in published recipes, so they are named in the plan's notes and not refused.
 */
export function noEffect(method: string, parameter: string): string | undefined {
  const known = MERGEKIT_METHODS[method]
  if (!known?.global.includes(parameter) && !known?.model.includes(parameter)) return undefined
  if (parameter === 'int8_mask')
    return 'only the storage type of mergekit’s sign mask; the result is the same'
  if (method === 'task_arithmetic' && (parameter === 'density' || parameter === 'rescale'))
    return 'mergekit reads it and drops nothing in task_arithmetic; dare_linear does'
  return undefined
}

/** Top-level keys of mergekit or its sister tools that are not supported, with what to do instead. */
export const UNSUPPORTED_KEYS: Readonly<Record<string, string>> = {
  modules: 'modules (models of several modules, such as vision) are not supported',
  name: 'several merges in one file (mergekit-multi) are not supported; one file per merge',
  out_path:
    'several merges in one file (mergekit-multi) are not supported; name the output on the command line',
  experts: 'this is a mergekit-moe recipe; mixtures of experts are not supported',
  gate_mode: 'this is a mergekit-moe recipe; mixtures of experts are not supported',
  genome: 'this is a mergekit-evolve recipe; not supported',
  tasks: 'this is a mergekit-evolve recipe; not supported',
  random_seed: 'mergekit takes its seed from the command line; here it is alignmerge: {seed: N}',
  embed_slerp: 'mergekit has dropped embed_slerp; remove it',
}

/** Keys that are often found in an entry of `models`, where mergekit passes over them. */
export const UNSUPPORTED_IN_MODELS: Readonly<Record<string, string>> = {
  layer_range: 'layers are chosen in slices; models are merged whole',
  weight: 'belongs into parameters',
  density: 'belongs into parameters',
}

/** Chat templates that mergekit knows by name. */
export const NAMED_TEMPLATES = ['alpaca', 'chatml', 'llama3', 'mistral', 'exaone']

/** Parameters of `model` scope and of `global` scope that mergekit does not read for this method. */
export function unreadByMergekit(method: string, parameters: Iterable<string>): string[] {
  const known = MERGEKIT_METHODS[method]
  if (!known) return []
  const read = new Set([...known.global, ...known.model])
  return [...new Set(parameters)].filter((id) => !read.has(id))
}
