// Links outlive versions. Each entry turns the content of a link of version n into that of version n + 1; a link is
// upgraded step by step and then validated as the current version. Never change an entry once it has shipped.

/** Content of an old link, not trusted. */
export type Upgrade = (content: unknown) => unknown

export const currentVersion = 4

/** Version 1 named three methods in its own way, before methods declared their parameters. */
const methodsOfVersion1: Readonly<Record<string, { method: string; parameters: object }>> = {
  average: { method: 'linear', parameters: {} },
  'fisher-soup': {
    method: 'fisher_average',
    parameters: { floor: 1e-10, normalize_fishers: false, variant: 'common' },
  },
  alignmerge: { method: 'alignmerge', parameters: {} },
}

export const upgrades: Readonly<Record<number, Upgrade>> = {
  1: (content) => {
    const link = content as { experiment: { method: string }; view: object }
    return {
      view: { page: 'studio', ...link.view },
      experiment: {
        references: {},
        antidote: 0,
        ...link.experiment,
        ...methodsOfVersion1[link.experiment.method],
      },
    }
  },
  // Version 3 knows models of a hub and kept ones, and the library page; what version 2 could say stays as it was.
  2: (content) => content,
  // Version 4 adds to the view (tables, sweep, pins, embedding, hidden parts), hashes of weights and results; all of
  // it may be missing.
  3: (content) => content,
}

/** Content at `target`, or undefined when a step is missing. */
export function upgradeContent(
  content: unknown,
  version: number,
  target: number = currentVersion,
  table: Readonly<Record<number, Upgrade>> = upgrades,
): { content: unknown } | undefined {
  let upgraded = content
  for (let step = version; step < target; step++) {
    const upgrade = table[step]
    if (!upgrade) return undefined
    upgraded = upgrade(upgraded)
  }
  return { content: upgraded }
}
