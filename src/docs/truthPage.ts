// "How true is this": every kernel, its reference and its largest error, as `npm run truth` has measured them.

import type { TruthFile } from '../cli/truth.ts'
import { type DocsPage, escapeHtml } from './shell.ts'

const shortPower = (value: number) =>
  value === 0 ? '0' : value.toExponential().replace(/^(\d\.\d)\d+/, '$1')
const power = (value: number) => (value === 0 ? 'exact' : value.toExponential(1))

export function truthPage({ adapter, date, kernels }: TruthFile): DocsPage {
  const rows = kernels.map(({ kernel, runs, elements, isExact, tolerance, errors }) => {
    const of = (type: 'f32' | 'bf16' | 'f16') => {
      const found = errors[type]
      return `<td class="number"${found ? ` title="${escapeHtml(found.at)}"` : ''}>${found ? (isExact ? 'exact' : power(found.error)) : '–'}</td>`
    }
    const allowed = isExact
      ? 'every element'
      : `${shortPower(tolerance.absolute)} of the largest + ${shortPower(tolerance.relative)} of each`
    return `<tr><th scope="row"><code>${escapeHtml(kernel)}</code></th>${of('f32')}${of('bf16')}${of('f16')}<td>${escapeHtml(allowed)}</td><td class="number">${runs}</td><td class="number">${elements.toLocaleString('en')}</td><td>${escapeHtml(tolerance.why)}</td></tr>`
  })
  return {
    path: 'truth.html',
    title: 'How true is this',
    body: `<h1>How true is this</h1>
<p>Every number on the page is computed by these ${kernels.length} kernels. Each has a second implementation, written in
float64 with plain loops (<code>src/core/kernels/NAME/NAME.reference.ts</code>), and is compared with it on odd sizes, in
three regimes of data (uniform, shifted by three, with outliers) and in every type that weights are stored in. The table is
what <code>npm run truth</code> measured on ${escapeHtml(adapter)}, ${escapeHtml(date)}; <code>npm test</code> refuses any kernel
beyond its tolerance, and <em>Self-test</em> in the page’s head does the same on your own adapter.</p>
<p>Errors are the greatest distance from the reference over the greatest value of the output. In bf16 and f16 they hold the
rounding of what is stored: half a unit in the last place is 3.9e-3 and 4.9e-4. A shifted or outlying sum may cancel, so it
is given twelve times the tolerance.</p>
<div class="scroll" tabindex="0" role="group" aria-label="Kernels"><table>
<thead><tr><th>Kernel</th><th>float32</th><th>bf16</th><th>f16</th><th>Allowed</th><th>Runs</th><th>Elements</th><th>Why this much</th></tr></thead>
<tbody>${rows.join('\n')}</tbody></table></div>
<h2>And above the kernels</h2>
<p>Whole models are compared with stored logits, gradients and Fisher diagonals of an independent implementation, merge
methods with golden values of a second one, and logits with onnxruntime’s on the same weights: the table in
<a href="readme.html#what-is-verified">What is verified</a>. Whether the tests would notice a wrong kernel is measured by
planting faults: <a href="mutation.html">Mutations</a>.</p>`,
  }
}
