// y[t, i] = silu(gate) · up with gate = x[t, i], up = x[t, I + i] and silu(v) = v / (1 + e^-v).
@compute @workgroup_size(WG_X, WG_Y, WG_Z)
fn main(@builtin(global_invocation_id) g: vec3u) {
  let i = g.x * 4u;
  let t = g.y;
  if (i >= P.I || t >= P.T) { return; }
  let row = t * 2u * P.I;
  let gate = x4(row, i, P.I);
  let up = x4(row + P.I, i, P.I);
  put_y4(t * P.I, i, P.I, gate / (vec4f(1.0) + exp(-gate)) * up);
}
