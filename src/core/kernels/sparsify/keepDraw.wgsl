// keep[four] gets a bit for each of four elements: 1 where the draw of element i, pcg((P.start + i) xor salt), is at most P.last.
// Bits are placed as in keepWindow. A thread owns four elements.
@compute @workgroup_size(WG_X, WG_Y, WG_Z)
fn main(@builtin(global_invocation_id) g: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = (g.x + g.y * groups.x * WG_X) * 4u;
  if (i >= P.count) { return; }
  let isKept = pcg((vec4u(P.start + i) + vec4u(0u, 1u, 2u, 3u)) ^ vec4u(P.salt)) <= vec4u(P.last);
  keep[i >> 2u] |= dot(vec4u(isKept), vec4u(1u, 2u, 4u, 8u)) * P.spread;
}

// PCG hash (Jarzynski & Olano 2020), as in src/core/tensors/random.ts.
fn pcg(value: vec4u) -> vec4u {
  let state = value * 747796405u + 2891336453u;
  let word = ((state >> ((state >> vec4u(28u)) + 4u)) ^ state) * 277803737u;
  return (word >> vec4u(22u)) ^ word;
}
