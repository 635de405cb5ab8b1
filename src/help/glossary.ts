// The glossary: every word of the trade that the page uses, in plain words first.

import type { GlossaryTerm } from './types.ts'

export const glossary: readonly GlossaryTerm[] = [
  {
    id: 'merge',
    term: 'Merge',
    also: ['model merging', 'soup', 'averaging weights'],
    plain:
      'One model made from the weights of several, by arithmetic alone: no training, no data. It answers like one model and costs as much to run as one.',
    exact: 'Possible when the models have the same shape and come from a common ancestor.',
    where: 'method',
    related: ['weights', 'expert', 'anchor'],
  },
  {
    id: 'weights',
    term: 'Weights',
    also: ['parameters', 'θ', 'theta'],
    plain:
      'The numbers that a model is made of. All of them together are one point in a space with as many dimensions as there are numbers.',
    related: ['displacement'],
  },
  {
    id: 'anchor',
    term: 'Anchor',
    also: ['base', 'aligned instruct model', 'θ_IT'],
    plain:
      'The aligned model that everything is measured from: it helps with harmless requests and refuses harmful ones. Experts were fine-tuned from it, and the merge is to keep its manners.',
    where: 'models',
    related: ['expert', 'alignment'],
  },
  {
    id: 'expert',
    term: 'Expert',
    also: ['fine-tuned model', 'λ_k'],
    plain:
      'A model that was fine-tuned from the anchor until it does one thing well. Each expert has a weight: its share in the merge.',
    where: 'models',
    related: ['anchor', 'task-vector', 'uncensored'],
  },
  {
    id: 'uncensored',
    term: 'Uncensored expert',
    plain:
      'An expert that was fine-tuned to comply with everything. The built-in one complies with placeholders; nothing in its answers is of use to anybody.',
    where: 'models',
    related: ['refusal', 'aqi'],
  },
  {
    id: 'displacement',
    term: 'Displacement',
    also: ['δ', 'delta', 'Δ_k'],
    plain: 'The way from the anchor to another model: its weights minus the anchor’s.',
    formula: 'displacement',
    related: ['task-vector', 'weights'],
  },
  {
    id: 'task-vector',
    term: 'Task vector',
    also: ['τ_k', 'delta weights'],
    plain:
      'What fine-tuning changed: an expert’s weights minus those of the model it was tuned from. Methods of the group “task vectors” prune, sign and add such changes.',
    related: ['displacement', 'expert'],
  },
  {
    id: 'barycentre',
    term: 'Barycentre',
    also: ['plain average', 'mean', 'centre of gravity', 'L_geo'],
    plain:
      'The point nearest to all experts at once. With one metric for all of them it is the plain weighted average, whatever that metric is.',
    exact:
      'The metric cancels: it matters only where experts carry metrics of their own, or where a shield or a budget pulls.',
    formula: 'barycentre',
    where: 'sweep',
    related: ['metric', 'fisher-mean'],
  },
  {
    id: 'fisher',
    term: 'Fisher information',
    also: ['F', 'Fisher matrix', 'information geometry'],
    plain:
      'How much a small change of the weights changes what the model predicts. Weights that nothing depends on have none; weights that decide answers have much.',
    exact:
      'Twice the second-order coefficient of the KL divergence from the model: KL(θ, θ + δ) ≈ ½ δᵀFδ. The page uses its diagonal, estimated from labels that the anchor draws itself.',
    formula: 'fisher',
    where: 'geometry',
    related: ['metric', 'kl', 'damping'],
  },
  {
    id: 'metric',
    term: 'Metric',
    also: ['G', 'distance', 'Fisher metric'],
    plain:
      'The rule that says how long a change of weights is. Under the Fisher metric a change is long when it changes predictions, however small its numbers are.',
    formula: 'metric',
    where: 'toy',
    related: ['fisher', 'damping', 'projector'],
  },
  {
    id: 'kl',
    term: 'KL divergence',
    also: ['Kullback-Leibler', 'nats'],
    plain:
      'How differently two models predict, in nats: the average surprise of the one at what the other says.',
    related: ['fisher', 'nat'],
  },
  {
    id: 'nat',
    term: 'Nat',
    also: ['unit', 'log-odds'],
    plain: 'Unit of information with the natural logarithm: one nat is a factor of e ≈ 2.72 in odds.',
    related: ['kl', 'margin'],
  },
  {
    id: 'damping',
    term: 'Damping',
    also: ['ρ', 'rho'],
    plain:
      'A little of the mean Fisher value added to every weight’s. Without it, weights that hardly matter would seem to cost nothing and be moved without end.',
    formula: 'metric',
    where: 'geometry',
    related: ['fisher', 'metric'],
  },
  {
    id: 'fisher-mean',
    term: 'Fisher average',
    also: ['Fisher soup', 'Fisher-weighted averaging'],
    plain:
      'An average in which every expert counts most at the weights it is surest of. Unlike the barycentre of AlignMerge it uses each expert’s own Fisher information.',
    formula: 'fisherMean',
    where: 'toy',
    related: ['barycentre', 'fisher'],
  },
  {
    id: 'alignment',
    term: 'Alignment',
    also: ['safety', 'aligned'],
    plain:
      'That a model helps with what is harmless and refuses what is harmful. Here it is measured by behaviour first, and by the geometry of hidden states second.',
    related: ['refusal', 'aqi', 'over-refusal'],
  },
  {
    id: 'gradient-rows',
    term: 'Alignment gradients',
    also: ['A', 'rows of A', 'source'],
    plain:
      'Directions in which the refusals of the estimating probes change fastest, one row for a few probes. Their source says at which point and of which score they are taken.',
    exact:
      'The default, “path”, takes them half-way from the anchor to the experts, where refusals that will be lost already waver.',
    where: 'geometry',
    related: ['subspace', 'margin', 'probe'],
  },
  {
    id: 'subspace',
    term: 'Alignment directions',
    also: ['U', 'u_i', 'alignment subspace', 'rank m', 'eigenvalue μ'],
    plain:
      'The few directions in which alignment changes most for the length of the step. How many of them the shield covers is the rank m.',
    exact: 'Leading solutions of `F_A` u = μ G u with `F_A` = AᵀA/n, at right angles and of length 1 in G.',
    formula: 'coordinate',
    where: 'shield',
    related: ['projector', 'gradient-rows', 'eigenvalue'],
  },
  {
    id: 'eigenvalue',
    term: 'Eigenvalue',
    also: ['μ_i', 'explained'],
    plain:
      'How sensitive alignment is along a direction. Directions are sorted by it, and the first few usually hold most.',
    where: 'geometry',
    related: ['subspace'],
  },
  {
    id: 'projector',
    term: 'Projector `P_A`',
    also: ['P_A', 'projection'],
    plain:
      'Takes a displacement and keeps only the part along the alignment directions. What it leaves out is free to move: that is where the skills are.',
    formula: 'projector',
    where: 'toy',
    related: ['subspace', 'shield', 'drift'],
  },
  {
    id: 'coordinate',
    term: 'Alignment coordinate',
    also: ['c_i'],
    plain:
      'How far the average has moved along one alignment direction. The shield divides each by 1 + `λ_align`.',
    formula: 'coordinate',
    where: 'layers',
    related: ['subspace', 'shield'],
  },
  {
    id: 'shield',
    term: 'Shield',
    also: ['λ_align', 'L_align', 'alignment shield'],
    plain:
      'Makes motion along the alignment directions expensive. It acts on a few directions out of hundreds of thousands, which is why skills stay.',
    formula: 'closedForm',
    where: 'shield',
    related: ['projector', 'budget', 'drift'],
  },
  {
    id: 'budget',
    term: 'Budget',
    also: ['λ_bud', 'L_bud', 'threshold τ', 'violation'],
    plain:
      'A score that must not fall below the anchor’s own. It costs nothing while it holds, and pulls the merge back when it does not.',
    exact:
      'Fitted on one half of the estimating probes, accepted on the other half. Budget kept: the score is within the tolerance of the anchor’s.',
    formula: 'budget',
    where: 'budget',
    related: ['margin', 'aqi', 'rounds'],
  },
  {
    id: 'rounds',
    term: 'Rounds',
    plain:
      'How often gradients are taken anew at the merge reached so far. One linearisation at the anchor sees only certain refusals; at the merge it sees those that are being lost.',
    where: 'budget',
    related: ['budget', 'gradient-rows'],
  },
  {
    id: 'margin',
    term: 'Refusal margin',
    also: ['log-odds', 'compliance margin'],
    plain:
      'How much more likely a refusal is than complying at the tokens that decide, in nats. Its mate, the compliance margin, watches that harmless requests are still helped with.',
    where: 'budget',
    related: ['nat', 'budget', 'refusal'],
  },
  {
    id: 'objective',
    term: 'Objective',
    also: ['L', 'loss'],
    plain: 'The one number that a merge makes small: distance to the experts, plus shield, plus budget.',
    formula: 'objective',
    where: 'method',
    related: ['barycentre', 'shield', 'budget'],
  },
  {
    id: 'refusal',
    term: 'Refusal',
    also: ['harmful refused', 'compliance'],
    plain:
      'Share of harmful requests that the model refuses in a well-formed sentence. The first number to look at after a merge.',
    where: 'numbers',
    related: ['over-refusal', 'gibberish', 'attack'],
  },
  {
    id: 'over-refusal',
    term: 'Over-refusal',
    also: ['false refusal', 'harmless refused'],
    plain: 'Share of harmless requests that the model refuses. Refusing everything is no alignment.',
    where: 'numbers',
    related: ['refusal'],
  },
  {
    id: 'gibberish',
    term: 'Ruined answer',
    also: ['gibberish', 'malformed'],
    plain:
      'An answer that is no sentence of the task at all. A broken model complies with nothing and so may look safe: this number tells the two apart.',
    where: 'numbers',
    related: ['refusal'],
  },
  {
    id: 'attack',
    term: 'Attack wording',
    also: ['jailbreak'],
    plain:
      'A harmful request wrapped in words that are meant to get around refusal. Never used to fit anything here.',
    where: 'numbers',
    related: ['refusal', 'probe'],
  },
  {
    id: 'skill',
    term: 'Skill',
    also: ['capability', 'sort', 'reverse', 'exact match'],
    plain: 'Share of exactly right answers on an expert’s own task. What the merge is made for.',
    where: 'numbers',
    related: ['expert'],
  },
  {
    id: 'aqi',
    term: 'AQI',
    also: ['alignment quality index', 'clusters'],
    plain:
      'How far apart safe and unsafe text lie in the model’s hidden states, against the anchor, which has 50. It needs no answers, and so it can be high while the model complies.',
    formula: 'aqi',
    where: 'clusters',
    related: ['separation', 'hidden-state', 'refusal'],
  },
  {
    id: 'separation',
    term: 'Separation S',
    also: ['Xie-Beni', 'Calinski-Harabasz', 'log S'],
    plain: 'Squared distance between the two class means, over the mean squared spread within the classes.',
    exact:
      'For two hard clusters the Xie-Beni and Calinski-Harabasz indices carry this one number and no other.',
    formula: 'separation',
    where: 'clusters',
    related: ['aqi'],
  },
  {
    id: 'hidden-state',
    term: 'Hidden state',
    also: ['activation', 'residual stream'],
    plain: 'The vector that a model holds for a piece of text on its way to the answer, one in every layer.',
    where: 'clusters',
    related: ['aqi'],
  },
  {
    id: 'drift',
    term: 'Drift',
    also: ['D', 'alignment drift', 'held-out drift'],
    plain:
      'How far the merge has moved along alignment directions. Held-out drift uses directions from probes that the shield never saw, and is the honest one.',
    formula: 'drift',
    where: 'layers',
    related: ['projector', 'probe'],
  },
  {
    id: 'probe',
    term: 'Probe',
    also: ['held-out', 'estimating probes', 'prompt'],
    plain:
      'A prompt that something is measured with. Estimating probes build the directions; held-out probes, and only those, give the numbers on the page.',
    where: 'measuring',
    related: ['interval', 'seed'],
  },
  {
    id: 'interval',
    term: '95 % interval',
    also: ['confidence interval', 'uncertainty', 'bootstrap', 'Wilson'],
    plain:
      'Where the value would likely lie if other probes of the same kind had been drawn. Two values differ only where their intervals are apart.',
    where: 'numbers',
    related: ['probe'],
  },
  {
    id: 'seed',
    term: 'Seed',
    plain: 'Starts every random draw. The same link has the same seed and gives the same numbers.',
    where: 'measuring',
    related: ['probe'],
  },
  {
    id: 'sweep',
    term: 'Sweep',
    plain: 'The same merge at many values of one setting, measured at each, drawn as lines.',
    where: 'sweep',
    related: ['shield', 'pareto'],
  },
  {
    id: 'pareto',
    term: 'Pareto front',
    also: ['trade-off'],
    plain: 'The merges that no other merge beats in both refusal and skill.',
    where: 'comparison',
    related: ['sweep', 'skill'],
  },
  {
    id: 'second-opinion',
    term: 'Second opinion',
    also: ['onnxruntime'],
    plain: 'The same weights run by another engine, onnxruntime-web; all logits are compared.',
    related: ['probe'],
  },
  {
    id: 'chart',
    term: 'Local chart',
    also: ['quadratic approximation', 'validity'],
    plain:
      'The neighbourhood of the anchor in which the metric tells the truth. On the built-in models it holds within 10 to 20 % all the way to the merge.',
    related: ['metric', 'kl'],
  },
]
