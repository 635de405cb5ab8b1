// What each merge method does to the weights, in words and in one line. Name, source, needs and parameters stand in the
// method's own declaration and are not repeated here.

import type { MethodNote } from './types.ts'

const note = (id: string, does: string, formula: string, caution: string): MethodNote => ({
  id,
  does,
  formula,
  caution,
})

export const methodNotes: readonly MethodNote[] = [
  note(
    'alignmerge',
    'Starts from the plain average, seen from the anchor, and shortens its motion along a few alignment directions. With a budget it then adds the smallest step that keeps the refusal margin, taken anew at the merge in rounds.',
    'δ* = Σ_k λ_k Δ_k − Σ_i λw_i/(1+λw_i) c_i u_i,  θ = θ_IT + δ*',
    'The shield alone is a fast first look; the margin budget with three rounds is what kept refusals and skills together here.',
  ),
  note(
    'linear',
    'Adds the weights of all models, each times its share. One model in the middle of the others.',
    'θ = Σ_k λ_k θ_k / Σ_k λ_k',
    'Two harmless experts cost the built-in anchor more than half of its refusals; one uncensored expert costs all of them.',
  ),
  note(
    'layerwise',
    'A plain average whose shares move over depth: the first layers come from the first model, the last from the others.',
    'θ^(l) = (1 − s_l) θ_1^(l) + s_l mean of the others,  s_l from start to end',
    'Neighbouring layers expect each other; a steep change between them can cost every model its skill.',
  ),
  note(
    'passthrough',
    'Takes one model as it is, or scaled. For stacking layers, and for parts that shall not be merged.',
    'θ = s θ_1',
    'With s other than 1 the model is another one.',
  ),
  note(
    'nearswap',
    'Goes to the second model wherever the two are near, and by no more than t elsewhere.',
    'θ = θ_0 + min(1, t/|τ|) τ, weight by weight',
    'At small t it hardly moves from the base: it refuses because it is the base.',
  ),
  note(
    'slerp',
    'Turns from the base to the model along the arc between them, instead of the straight line, and keeps the length on the way.',
    'θ = [sin((1−t)Ω) θ_0 + sin(tΩ) θ_1] / sin Ω,  Ω the angle between them',
    'At t 0.5 it is half-way to one expert: most refusals, part of the skill. It merges one expert, not several.',
  ),
  note(
    'nuslerp',
    'The arc between two task vectors, at their own lengths; the place on it is the second weight’s share.',
    'slerp of τ_1 and τ_2 at λ_2/(λ_1+λ_2), added to θ_0',
    'Unlike an average it does not shorten task vectors that point apart, and so keeps skill and loses refusals.',
  ),
  note(
    'multislerp',
    'Mean direction of any number of task vectors, at their mean length.',
    'unit mean μ of τ_k/‖τ_k‖; exp_μ(Σ λ_k log_μ) in one step; times Σ λ_k ‖τ_k‖',
    'As NuSLERP: full length, full drift.',
  ),
  note(
    'karcher',
    'The point of the sphere with the least sum of squared angles to all models, found in steps, at their mean length.',
    'μ ← exp_μ(mean of log_μ(θ_k/‖θ_k‖)) until still; θ = μ · mean ‖θ_k‖',
    'No weights. For siblings it is the plain average, longer by a hair.',
  ),
  note(
    'model_stock',
    'The mean of the models, drawn back to the base the more, the less their task vectors agree.',
    't = N cos/(1 + (N−1) cos),  θ = t · mean θ_k + (1−t) θ_0',
    'Task vectors of different tasks are nearly at right angles: t is small, and little of any skill arrives.',
  ),
  note(
    'task_arithmetic',
    'Adds what every model learned to the base.',
    'θ = θ_0 + λ Σ_k w_k τ_k',
    'At λ 1 the sum is longer than any of its parts. 0.3 to 0.5 is usual for several tasks.',
  ),
  note(
    'ties',
    'Keeps each model’s largest changes, lets all vote on a sign for every weight, and averages those that agree with the vote.',
    'τ̂_k = top p of τ_k;  γ = sign Σ w_k τ̂_k;  θ = θ_0 + λ mean of {τ̂_k with sign γ}',
    'mergekit’s density is 1, which trims nothing; the paper keeps 0.2.',
  ),
  note(
    'dare_linear',
    'Drops changes at random and scales up the rest, so that on average nothing is lost; then adds.',
    'τ̃_k = m_k ∘ τ_k / p with m_k drawn at rate p;  θ = θ_0 + λ Σ w_k τ̃_k',
    'A draw: look at several seeds. Scaled for small changes; large ones become noise.',
  ),
  note(
    'dare_ties',
    'Drops at random as DARE does, then elects signs as TIES does.',
    'τ̃_k as in DARE;  γ = sign Σ w_k τ̃_k;  θ = θ_0 + λ Σ {w_k τ̃_k with sign γ}',
    'A draw: look at several seeds.',
  ),
  note(
    'della',
    'Drops at random, small changes more often than large ones, then elects signs.',
    'keep τ_kj with probability p ± ε by rank in its row; rescale; elect; θ = θ_0 + λ mean of {agreeing}',
    'A draw: look at several seeds.',
  ),
  note(
    'della_linear',
    'Drops at random, small changes more often, and adds what stays.',
    'keep τ_kj with probability p ± ε by rank in its row; rescale; θ = θ_0 + λ Σ w_k τ̃_k',
    'A draw: look at several seeds.',
  ),
  note(
    'breadcrumbs',
    'Drops the largest changes as outliers and the smallest as noise, and adds what lies between.',
    'drop the top γ and the smallest, so that p of τ_k stays;  θ = θ_0 + λ Σ w_k τ̂_k',
    'In small tensors the outliers are the skill.',
  ),
  note(
    'breadcrumbs_ties',
    'Drops both ends as breadcrumbs does, then elects signs.',
    'τ̂_k as in breadcrumbs;  γ = sign Σ w_k τ̂_k;  θ = θ_0 + λ Σ {w_k τ̂_k with sign γ}',
    'In small tensors the outliers are the skill.',
  ),
  note(
    'sce',
    'Keeps the weights on which the models differ most, shares them by the size of each model’s change, and erases the minority’s sign.',
    'top share by variance over k;  λ_k ∝ mean τ_k²;  θ = θ_0 + Σ {λ_k τ_k with majority sign} / Σ λ_k',
    'At share 1 nothing is selected. At 0.5 it kept two thirds of the refusals beside the uncensored expert here; other task-vector methods kept a quarter or none.',
  ),
  note(
    'ram',
    'Changes that one model alone made are kept whole; changes that several made are averaged.',
    'θ = θ_0 + Σ τ_k / (number of models that changed the weight by more than ε)',
    'Fully fine-tuned models change every weight: then it is the plain average.',
  ),
  note(
    'ramplus_tl',
    'As RAM, and scales up what one model alone changed, the more of its other changes are shared.',
    'as RAM, unique changes times 1 + r · (shared share), bounded by α',
    'Fully fine-tuned models change every weight: then it is the plain average.',
  ),
  note(
    'arcee_fusion',
    'Takes from the second model only changes that stand out: size of the change times divergence of its row, above a threshold by quartiles.',
    'I = |τ| · KL(softmax row);  θ = θ_1 where I ≥ median + 1.5 (Q3 − Q1), else θ_0',
    'Takes half of one expert’s skill here and keeps nearly all refusals, since most weights stay the base’s.',
  ),
  note(
    'mediator',
    'Measures how much experts conflict in each layer. Layers that agree are averaged; in conflicting ones a single expert stays whole and the others add their largest differences.',
    'κ_l = 1 − ‖Σ τ_k‖/Σ‖τ_k‖ per layer; average where κ_l is low, else one expert and the top differences',
    'After Mediator; conflict measure and shares are ours.',
  ),
  note(
    'fisher_average',
    'An average in which each expert counts, weight by weight, by its own Fisher information.',
    'θ_j = Σ λ_k F_kj θ_kj / Σ λ_k F_kj',
    'Says nothing of alignment: an uncensored expert is very sure of itself.',
  ),
  note(
    'regmean',
    'Solves, layer by layer, for the matrix whose outputs are nearest to each expert’s own on that expert’s own inputs.',
    'W = (Σ λ_k X_kᵀX_k)⁻¹ Σ λ_k X_kᵀX_k W_k, off-diagonals times α',
    'Best for skills here, at the price of nearly all refusals.',
  ),
  note(
    'tsvm',
    'Keeps the leading singular vectors of every task vector, makes those of different tasks orthogonal, and adds.',
    'θ = θ_0 + α polar(U) S polar(V)ᵀ, U, S, V: the first r/T triplets of each τ_k',
    'Sums, so it drifts far: refusals go first.',
  ),
  note(
    'iso_c',
    'Adds all task vectors and makes all singular values of the sum equal.',
    'Σ τ_k = U S Vᵀ;  θ = θ_0 + α mean(S) U Vᵀ',
    'Weak directions are made as strong as strong ones, noise among them.',
  ),
  note(
    'doge',
    'Keeps the largest changes of all experts and adds a common correction, found by descent outside the subspace they share.',
    'θ = θ_0 + Σ λ_k mask_k ∘ (τ_k + Δ),  λ_k = η/‖τ_k‖,  Δ by Adam outside the shared subspace',
    'The paper’s η 0.07 hardly moves a small language model; try 0.3 to 0.5.',
  ),
  note(
    'resm',
    'TSV-Merge with tasks weighed by their outliers, and fewer singular vectors for sparse changes.',
    'as TSV-Merge with r_i triplets of τ_i, values times T ω_i',
    'The paper’s formulas are not public; these are ours.',
  ),
  note(
    'opcm',
    'Takes experts one after another, each projected away from the directions that the merge so far already uses.',
    'τ̃ = τ without what lies in the running merge’s leading singular vectors; sum rescaled to the mean length',
    'Order matters. Good for skills here, at the price of nearly all refusals.',
  ),
  note(
    'safemerge',
    'Projects each expert’s change of a layer on the direction of alignment; where too little of it is left, the change is drawn back to the anchor.',
    'C = VVᵀ/‖V‖, V = θ_aligned − θ_unaligned;  cos(Cτ, τ) < bound: τ ← α τ',
    'On full weights the similarity is above the bound almost everywhere, so little changes.',
  ),
  note(
    'mergealign',
    'Task arithmetic that adds the change of an aligned model as well.',
    'θ = θ_0 + Σ w_k τ_k + β τ_aligned',
    'Needs an aligned model that is more aligned than the anchor.',
  ),
  note(
    'led',
    'Moves a weight only where it matters to one expert and to the base on that expert’s data, and to no other expert.',
    'mask_k = top r of importance in expert and base, less all overlaps;  θ = θ_0 + λ Σ w_k mask_k ∘ τ_k',
    'Few weights move: refusals stay, and so does most of the lack of skill.',
  ),
]
