import {
  lambdaParameter,
  type MethodDeclaration,
  type NumberDeclaration,
  weightParameter,
} from '../../declaration.ts'

const share: NumberDeclaration = {
  kind: 'number',
  id: 'r',
  label: 'Elected share',
  symbol: 'rₖ',
  scope: 'model',
  min: 0,
  max: 1,
  default: 0.1,
  step: 0.01,
  source: 'paper',
  brief:
    'Share of a tensor’s weights that count as important; the paper takes .1 for safety, .4 maths, .5 code.',
}

export const declaration: MethodDeclaration = {
  id: 'led',
  label: 'LED-Merging',
  group: 'safety',
  brief: 'Moves only weights that matter to one expert and to the base on its data, and to no other expert.',
  source: {
    text: 'LED-Merging, arXiv 2502.16770 (ACL 2025); masks per weight as in its code',
    url: 'https://arxiv.org/abs/2502.16770',
  },
  provenance: 'paper',
  base: 'required',
  experts: { min: 1, max: 8 },
  material: ['importance'],
  parameters: [{ ...weightParameter, brief: 'Share of this model’s difference.' }, share, lambdaParameter],
}
