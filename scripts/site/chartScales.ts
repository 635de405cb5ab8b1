// recharts looks its scales up by name, so a build would carry all of d3-scale, calendars and colour ramps included.
// The charts of this site have numbers and names on their axes; the others are left out of the first load.

import type { Plugin } from 'vite'

const wanted = ['scaleBand', 'scaleLinear', 'scaleLog', 'scalePoint', 'scaleSqrt', 'scaleSymlog']
const asked = 'victory-vendor/d3-scale'
const instead = '\0chart-scales'

export function chartScales(): Plugin {
  let whole = ''
  return {
    name: 'alignmerge:chart-scales',
    apply: 'build',
    enforce: 'pre',
    async resolveId(source, importer) {
      if (source !== asked || !importer?.includes('/recharts/')) return undefined
      const found = await this.resolve(source, importer, { skipSelf: true })
      if (!found) throw new Error(`recharts asks for ${asked}, which cannot be found`)
      whole = found.id
      return instead
    },
    load(id) {
      return id === instead ? `export { ${wanted.join(', ')} } from ${JSON.stringify(whole)}` : undefined
    },
  }
}
