// The peer that is always there: the matmul everyone writes first, one output per thread, scalar loads. Kept to
// be compared with, so it must stay naive.

import { matmul } from '../src/core/kernels/matmul/matmul.ts'
import type { KernelSpec } from '../src/core/kernels/spec.ts'

const wgsl = `@compute @workgroup_size(WG_X, WG_Y, WG_Z)
fn main(@builtin(global_invocation_id) g: vec3u) {
  if (g.x >= P.N || g.y >= P.M) { return; }
  var sum = 0.0;
  for (var k = 0u; k < P.K; k++) { sum += x[P.xOffset + g.y * P.xStride + k] * weight[g.x * P.K + k]; }
  y[P.yOffset + g.y * P.yStride + g.x] = sum;
}`

/** y (M,N) = x (M,K) · weightᵀ in float32, with the parameters of our own kernel; the residual is ignored. */
export const naiveMatmul: KernelSpec = {
  ...matmul,
  name: 'naiveMatmul',
  wgsl,
  bindings: matmul.bindings.filter(({ name }) => name !== 'residual').map((b) => ({ ...b, kind: 'f32' })),
  threads: (p) => [p.N, p.M, 1],
  workgroupSize: [16, 16, 1],
}
