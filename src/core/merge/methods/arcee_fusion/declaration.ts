import type { MethodDeclaration } from '../../declaration.ts'

export const declaration: MethodDeclaration = {
  id: 'arcee_fusion',
  label: 'Arcee fusion',
  group: 'task vectors',
  brief: 'Takes from the second model only the changes that matter most for their row.',
  source: { text: 'mergekit arcee_fusion', url: 'https://github.com/arcee-ai/mergekit' },
  provenance: 'standard',
  base: 'required',
  experts: { min: 1, max: 1 },
  material: [],
  parameters: [
    {
      kind: 'choice',
      id: 'variant',
      label: 'Divergence',
      scope: 'global',
      default: 'mergekit',
      source: 'ours',
      brief:
        'How finely the divergence of a row is computed; it decides which changes near the threshold stay.',
      options: [
        {
          value: 'mergekit',
          label: 'mergekit',
          brief:
            'Float32 in the order of mergekit’s sums, whose rounding is part of its results; on the CPU.',
        },
        { value: 'exact', label: 'exact', brief: 'Free of cancellation, and on the GPU.' },
      ],
    },
  ],
}
