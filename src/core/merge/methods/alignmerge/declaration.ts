import { type MethodDeclaration, weightParameter } from '../../declaration.ts'

export const declaration: MethodDeclaration = {
  id: 'alignmerge',
  label: 'AlignMerge',
  group: 'alignment',
  brief: 'Barycentre in the anchor’s Fisher metric with motion along alignment directions damped.',
  source: { text: 'arXiv 2512.16245; form of L_align ours', url: 'https://arxiv.org/abs/2512.16245' },
  provenance: 'paper',
  base: 'required',
  experts: { min: 1, max: 8 },
  material: ['shield'],
  parameters: [weightParameter],
}
